"""Bader's partition against densities whose borders are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.bader import populations, voxel_faces
from analysis.charge import Density
from tests.lattices import grid_points, hexagonal_cell, lattice_gaussian, rectangular_cell

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


@pytest.mark.parametrize("second", [[0, 4, 0], [-1.5, 4, 0], [1.0, 4, 0], [10.0, 4, 0]])
@pytest.mark.parametrize("third", [[0, 0, 5], [1.0, -2.0, 5]])
def test_flows_to_the_neighbours_are_the_laplacian(second: list[float], third: list[float]) -> None:
    density = Density(np.ones((6, 8, 9)), np.array([[3, 0, 0], second, third], float))
    step_cv = density.cell_cv / np.array(density.shape)[:, None]
    faces = voxel_faces(density)
    # sum_f A_f d_f d_f^T / (|d_f| V) = 2: Gauss's theorem for the Voronoi cell
    apart = [np.array(face.steps) @ step_cv for face in faces]
    moment = sum(f.weight * np.outer(d, d) for f, d in zip(faces, apart, strict=True))
    assert moment == pytest.approx(2 * np.eye(3), abs=1e-6)
    assert third[0] or len(faces) == (6 if second[0] == 0 else 8)


def test_a_hexagonal_cell_divides_like_the_rectangular_one() -> None:
    small, tall = hexagonal_cell(4.0, 6.0), rectangular_cell(4.0, 6.0)
    wide, narrow = lattice_gaussian([0, 0, 3], 0.9), lattice_gaussian([2, 2 / 3**0.5, 3.4], 0.6)

    def electrons(cell_cv: Array, shape: tuple[int, int, int], atoms: Array) -> Array:
        points = grid_points(shape, cell_cv)
        density = Density(5 * wide(points) + 3 * narrow(points), cell_cv)
        found = populations(density, atoms)
        assert found.sum() == pytest.approx(density.integral())
        assert density.integral() == pytest.approx(8.0 * len(atoms) / 2, rel=1e-3)
        return found

    two = np.array([[0, 0, 3], [2, 2 / 3**0.5, 3.4]])
    four = np.concatenate([two, two + np.array([2, 2 * 3**0.5, 0])])
    inside, like = electrons(small, (36, 36, 45), two), electrons(tall, (36, 60, 45), four)
    assert like[:2] == pytest.approx(like[2:], rel=1e-6)
    assert inside == pytest.approx(like[:2], abs=5e-3)
    assert inside[0] < 5.0  # the border is not halfway
    slanted = small + np.array([[0, 0, 0], small[0], [0, 0, 0]])  # the same lattice
    assert electrons(slanted, (36, 36, 45), two) == pytest.approx(inside, rel=1e-6)


def test_no_atoms_are_refused() -> None:
    with pytest.raises(ValueError, match="an atom at least"):
        populations(Density(np.ones((3, 3, 3)), np.eye(3)), np.zeros((0, 3)))
