"""The square net that the top layer's atoms form, found again after they have moved.

The plane is taken as complex numbers, x + iy: a square net is then origin + step · k with k the
Gaussian integers, and turning by 90° is multiplying by i.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TOLERANCE = 1e-3  # of a net's step: cells come from files with a few decimals


@dataclass(frozen=True)
class SquareNet:
    """A distorted square net of n atoms in a periodic cell.

    Attributes
    ----------
    step
        From a point of the undistorted net to the next, angstrom, as a complex number.
    corner_sa
        Shape (4, n), angstrom, complex: the corners k, k+1, k+i, k+1+i of the square that begins
        at each atom. They are actual positions; images are laid next to their neighbours.
    """

    step: complex
    corner_sa: npt.NDArray[np.complex128]

    @property
    def top_a(self) -> npt.NDArray[np.complex128]:
        """The atoms, in the order given; shape (n,), angstrom."""
        return np.asarray(self.corner_sa[0])

    @property
    def bridge_b(self) -> npt.NDArray[np.complex128]:
        """The midpoints of all pairs of neighbours; shape (2n,), angstrom."""
        corner, right, up, _ = self.corner_sa
        return np.asarray(np.concatenate([corner + right, corner + up]) / 2, dtype=np.complex128)

    @property
    def hollow_a(self) -> npt.NDArray[np.complex128]:
        """The centres of all squares; shape (n,), angstrom."""
        return np.asarray(self.corner_sa.mean(axis=0))


def square_net(position_av: npt.NDArray[np.float64], cell_cv: npt.NDArray[np.float64]) -> SquareNet:
    """Find the square net that atoms in a plane form.

    The answer is certain while every atom is within a quarter of the net's side of its ideal
    place along both of the net's directions (0.5 angstrom for VN).

    Parameters
    ----------
    position_av
        In-plane positions, shape (n, 2), angstrom.
    cell_cv
        In-plane cell vectors as rows, shape (2, 2), angstrom.

    Returns
    -------
    SquareNet
        The net, with the atoms in the order given.

    Raises
    ------
    ValueError
        If there are no atoms, or they form no square net that fits the cell.
    """
    position_a = _plane(position_av)
    cell_c = _plane(cell_cv)
    fits = [_fit(position_a, step) for step in _possible_steps(cell_c, len(position_a))]
    if not fits:
        raise ValueError(_no_net(len(position_a)))
    _, step, key_a = max(fits, key=lambda fit: fit[0])

    square_s = np.array([0, 1, 1j, 1 + 1j])
    corner_sab = key_a[None, :, None] + square_s[:, None, None] - key_a[None, None, :]
    fraction_sabc = _fractions(step * corner_sab, cell_c)
    same_sab = np.all(np.abs(fraction_sabc - np.round(fraction_sabc)) < _TOLERANCE, axis=-1)
    if not np.all(same_sab.sum(axis=-1) == 1):
        raise ValueError(_no_net(len(position_a)))
    neighbour_sa = same_sab.argmax(axis=-1)

    displacement_a = position_a - step * key_a
    ideal_sa = step * (key_a + square_s[:, None])
    return SquareNet(step, ideal_sa + displacement_a[neighbour_sa])


def _possible_steps(cell_c: npt.NDArray[np.complex128], atoms: int) -> list[complex]:
    """List the steps of the square nets that fit the first vector and the number of atoms."""
    area = abs((cell_c[0].conjugate() * cell_c[1]).imag)
    if area == 0:
        return []
    # |step|² = area / atoms, and cell vector = step · (m + in) fixes m² + n².
    norm = abs(cell_c[0]) ** 2 * atoms / area
    edge = math.isqrt(round(norm))
    integers = [complex(m, n) for m in range(1, edge + 1) for n in range(edge + 1)]
    return [cell_c[0] / k for k in integers if abs(abs(k) ** 2 - norm) < _TOLERANCE * norm]


def _fit(
    position_a: npt.NDArray[np.complex128], step: complex
) -> tuple[float, complex, npt.NDArray[np.complex128]]:
    """Fit the net's origin; return the quality, 0 to 1, the step and each atom's net point."""
    scaled_a = position_a / step
    # A phase of 2π per step averages positions modulo the net.
    wave_x = np.exp(2j * np.pi * scaled_a.real).mean()
    wave_y = np.exp(2j * np.pi * scaled_a.imag).mean()
    origin = (np.angle(wave_x) + 1j * np.angle(wave_y)) / (2 * np.pi)
    # The origin moves into the displacements, which keeps the net points whole numbers.
    key_a = np.round(scaled_a - origin)
    return min(abs(wave_x), abs(wave_y)), step, key_a


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
    return f"the top layer (tag 1) has {atoms} atoms: they must form a square net in the cell"
