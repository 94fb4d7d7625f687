"""Bader's partition against densities whose borders are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.bader import populations
from analysis.charge import Density

Array = NDArray[np.float64]
LENGTH = 6.0  # angstrom


def wave(u: Array) -> Array:
    """Give a profile of period LENGTH with two unequal hills."""
    phase = 2 * np.pi * u / LENGTH
    return 3.0 - np.cos(2 * phase) + 0.6 * np.sin(phase)


def hills() -> tuple[list[float], float]:
    """Give where the profile is highest, and the share of the higher hill, valley to valley."""
    u = np.arange(0, LENGTH, 1e-5)
    f = wave(u)
    tops, valleys = (u[(s * f > s * np.roll(f, 1)) & (s * f > s * np.roll(f, -1))] for s in (1, -1))
    low, high = sorted(valleys)
    inside = f[(u > low) & (u < high)].sum() / f.sum()
    first = (tops > low) & (tops < high)
    order = [float(tops[first][0]), float(tops[~first][0])]
    return order, float(inside)


def grid(*shape: int) -> list[Array]:
    return list(np.meshgrid(*(np.arange(n) * LENGTH / n for n in shape), indexing="ij"))


def test_a_border_that_is_a_plane_divides_there() -> None:
    (higher, lower), share = hills()
    x, y, z = grid(60, 12, 12)
    blob = 2.0 + np.cos(2 * np.pi * y / LENGTH) + 0.5 * np.cos(2 * np.pi * z / LENGTH)
    density = Density(wave(x) * blob, np.eye(3) * LENGTH)
    found = populations(density, [[higher, 0, 0], [lower, 0, 0]]) / density.integral()
    assert found == pytest.approx([share, 1 - share], abs=2e-3)


def test_a_border_across_the_grid_is_found_as_well() -> None:
    (higher, lower), share = hills()
    x, y, z = grid(60, 60, 6)
    ridge = 2.0 + np.cos(2 * np.pi * (x - y) / LENGTH)
    density = Density(wave(x + y) * ridge + 0.1 * np.cos(z), np.eye(3) * LENGTH)
    # x + y is the summit's u, x = y or half a cell away from that: two summits to each hill
    atoms = [[u / 2 + s, u / 2 + s, 0.0] for u in (higher, lower) for s in (0, LENGTH / 2)]
    found = populations(density, atoms) / density.integral()
    assert found[:2].sum() == pytest.approx(share, abs=2e-3)
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (2.9, 0.1, 5.95), (-1.0, 7.0, 3.3)])
def test_a_single_atom_keeps_all_its_electrons(place: tuple[float, float, float]) -> None:
    density = gaussians([(place, 1.0, 0.7)])
    assert populations(density, [place]) == pytest.approx([density.integral()])


def test_atoms_far_apart_keep_their_own_electrons() -> None:
    atoms = [((1.0, 1.0, 1.5), 1.0, 0.4), ((1.3, 1.2, 4.5), 3.0, 0.4)]
    found = populations(gaussians(atoms), [place for place, _, _ in atoms])
    assert found == pytest.approx([1.0, 3.0], abs=2e-3)


def test_like_atoms_have_like_electrons_and_none_is_lost() -> None:
    rng = np.random.default_rng(3)
    shape = (15, 20, 9)
    density = Density(rng.random(shape), np.diag([3.0, 4.0, 5.0]))
    places = rng.random((4, 3)) * 4.0
    assert populations(density, places).sum() == pytest.approx(density.integral())
    twins = gaussians([((1.5, 3.0, 3.0), 1.0, 0.6), ((4.5, 3.0, 3.0), 1.0, 0.6)])
    left, right = populations(twins, [[1.5, 3.0, 3.0], [4.5, 3.0, 3.0]])
    assert left == pytest.approx(right, rel=1e-9)


def gaussians(atoms: list[tuple[tuple[float, float, float], float, float]]) -> Density:
    """Give atoms (place, electrons, width) on a periodic grid."""
    x, y, z = grid(30, 36, 30)
    values = np.zeros_like(x)
    for place, electrons, width in atoms:
        apart = (np.stack([x, y, z], -1) - place + LENGTH / 2) % LENGTH - LENGTH / 2
        values += (
            electrons * np.exp(-(apart**2).sum(-1) / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5
        )
    return Density(values, np.eye(3) * LENGTH)


@pytest.mark.parametrize("slant", [[0, 1, 0], [0.5, 0, 0]])
def test_a_cell_that_is_not_right_angled_is_refused(slant: list[float]) -> None:
    cell = np.eye(3) * LENGTH
    cell[2] += slant
    with pytest.raises(ValueError, match="right-angled"):
        populations(Density(np.ones((3, 3, 3)), cell), [[0, 0, 0]])


def test_no_atoms_are_refused() -> None:
    with pytest.raises(ValueError, match="an atom at least"):
        populations(Density(np.ones((3, 3, 3)), np.eye(3)), np.zeros((0, 3)))
