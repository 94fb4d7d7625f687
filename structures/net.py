"""The net that the top layer's atoms form, found again after they have moved.

The plane is taken as complex numbers, x + iy: a net's points are then origin + step · (m + n τ)
with whole numbers m and n, and τ tells one kind of net from another.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TOLERANCE = 1e-3  # of a net's step: cells come from files with a few decimals

Corner = tuple[int, int]  # (m, n): steps from a net point to another one


@dataclass(frozen=True)
class Kind:
    """A kind of net, whatever its size and direction.

    Attributes
    ----------
    ratio
        τ, the net's second vector over its first, complex, in the upper half of the plane.
    turn
        Least angle that turns the net into itself, radians.
    sites
        By name, the places on the net, besides its points, that belong to a net point: each is an
        average of corners with these weights, which add up to 1.
    """

    ratio: complex
    turn: float
    sites: Mapping[str, tuple[Mapping[Corner, float], ...]]


SQUARE = Kind(
    ratio=1j,
    turn=math.pi / 2,
    sites={
        "bridge": ({(0, 0): 1 / 2, (1, 0): 1 / 2}, {(0, 0): 1 / 2, (0, 1): 1 / 2}),
        "hollow": (dict.fromkeys([(0, 0), (1, 0), (0, 1), (1, 1)], 1 / 4),),
    },
)
# bcc (110): the first vector is the cube's edge a, the second leads to the nearest neighbour at
# (a/2, a/√2). The hollow has the same distance to three atoms; there is one on each side of a
# long bridge.
BCC110 = Kind(
    ratio=0.5 + 0.5j * math.sqrt(2),
    turn=math.pi,
    sites={
        "hollow": (
            {(0, 0): 3 / 8, (1, 0): 3 / 8, (0, 1): 1 / 4},
            {(0, 0): 3 / 8, (1, 0): 3 / 8, (1, -1): 1 / 4},
        ),
        "long-bridge": ({(0, 0): 1 / 2, (1, 0): 1 / 2},),
        "short-bridge": ({(0, 0): 1 / 2, (0, 1): 1 / 2}, {(0, 0): 1 / 2, (1, -1): 1 / 2}),
    },
)


@dataclass(frozen=True)
class Net:
    """A distorted net of n atoms in a periodic cell.

    Attributes
    ----------
    step
        From a point of the undistorted net to the next, the net's first vector, angstrom, as a
        complex number.
    top_a
        The atoms, in the order given; shape (n,), angstrom, complex.
    sites
        By name, the other places; shape (k n,) for k of them at each atom, angstrom, complex. They
        are averages of actual positions; images are laid next to their neighbours.
    """

    step: complex
    top_a: npt.NDArray[np.complex128]
    sites: Mapping[str, npt.NDArray[np.complex128]]


@dataclass(frozen=True)
class _Fit:
    """A net laid over the atoms: how well it lies, 0 to 1, and each atom's whole numbers m, n."""

    quality: float
    kind: Kind
    step: complex
    number_ac: npt.NDArray[np.float64]


def find_net(position_av: npt.NDArray[np.float64], cell_cv: npt.NDArray[np.float64]) -> Net:
    """Find the net that atoms in a plane form: a square one, or that of bcc (110).

    The answer is certain while every atom is within a quarter of the net's vectors of its ideal
    place, along both of them (0.5 angstrom for VN).

    Parameters
    ----------
    position_av
        In-plane positions, shape (n, 2), angstrom.
    cell_cv
        In-plane cell vectors as rows, shape (2, 2), angstrom.

    Returns
    -------
    Net
        The net, with the atoms in the order given.

    Raises
    ------
    ValueError
        If there are no atoms, or they form no such net that fits the cell.
    """
    position_a = _plane(position_av)
    cell_c = _plane(cell_cv)
    fits = [
        _fit(position_a, kind, step)
        for kind in (SQUARE, BCC110)
        for step in _possible_steps(kind, cell_c, len(position_a))
    ]
    if not fits:
        raise ValueError(_no_net(len(position_a)))
    fit = max(fits, key=lambda fit: fit.quality)
    displacement_a = position_a - fit.step * _point(fit.kind, fit.number_ac)

    def corner(numbers: Corner) -> npt.NDArray[np.complex128]:
        """Return the actual position of the atom that is so many steps from each atom."""
        ideal_a = fit.step * _point(fit.kind, fit.number_ac + numbers)
        return ideal_a + displacement_a[_atom_at(fit, numbers, cell_c)]

    sites = {
        name: np.concatenate([sum(w * corner(c) for c, w in place.items()) for place in places])
        for name, places in fit.kind.sites.items()
    }
    return Net(fit.step, position_a, sites)


def _possible_steps(kind: Kind, cell_c: npt.NDArray[np.complex128], atoms: int) -> list[complex]:
    """List the first vectors of the nets that fit the first cell vector and the atoms' number."""
    area = abs((cell_c[0].conjugate() * cell_c[1]).imag)
    if area == 0:
        return []
    # |step|² Im τ = area / atoms, and cell vector = step · (m + nτ) fixes |m + nτ|².
    norm = abs(cell_c[0]) ** 2 * atoms * kind.ratio.imag / area
    most = math.ceil(2 * math.sqrt(norm)) + 1
    points = [m + n * kind.ratio for m in range(-most, most) for n in range(most)]
    return [
        cell_c[0] / point
        for point in points
        if abs(abs(point) ** 2 - norm) < _TOLERANCE * norm
        and np.angle(point) < kind.turn - _TOLERANCE  # the others are the same nets, turned
    ]


def _fit(position_a: npt.NDArray[np.complex128], kind: Kind, step: complex) -> _Fit:
    """Fit the net's origin."""
    scaled_a = position_a / step
    n_a = scaled_a.imag / kind.ratio.imag
    scaled_ac = np.column_stack([scaled_a.real - n_a * kind.ratio.real, n_a])
    # A phase of 2π per step averages positions modulo the net.
    wave_c = np.exp(2j * np.pi * scaled_ac).mean(axis=0)
    # The origin moves into the displacements, which keeps the net points whole numbers.
    number_ac = np.round(scaled_ac - np.angle(wave_c) / (2 * np.pi))
    return _Fit(float(abs(wave_c).min()), kind, step, number_ac)


def _point(kind: Kind, number_ac: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    """Return net points in units of the step."""
    return np.asarray(number_ac @ np.array([1, kind.ratio]))


def _atom_at(
    fit: _Fit, numbers: Corner, cell_c: npt.NDArray[np.complex128]
) -> npt.NDArray[np.int64]:
    """Return which atom, or image of it, is so many steps from each atom; shape (n,)."""
    number_abc = fit.number_ac[:, None] + numbers - fit.number_ac
    fraction_abc = _fractions(fit.step * _point(fit.kind, number_abc), cell_c)
    same_ab = np.all(np.abs(fraction_abc - np.round(fraction_abc)) < _TOLERANCE, axis=-1)
    if not np.all(same_ab.sum(axis=-1) == 1):
        raise ValueError(_no_net(len(fit.number_ac)))
    return np.asarray(same_ab.argmax(axis=-1))


def _plane(vector_av: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    return np.asarray(vector_av[:, 0] + 1j * vector_av[:, 1])


def _fractions(
    vector: npt.NDArray[np.complex128], cell_c: npt.NDArray[np.complex128]
) -> npt.NDArray[np.float64]:
    """Express in-plane vectors in the cell's vectors; one axis of length 2 is added."""
    first, second = cell_c
    area = (first.conjugate() * second).imag
    return np.stack(
        [(vector.conjugate() * second).imag / area, (first.conjugate() * vector).imag / area],
        axis=-1,
    )


def _no_net(atoms: int) -> str:
    return (
        f"the top layer (tag 1) has {atoms} atoms: they must form a square net, or that of "
        "bcc (110), in the cell"
    )
