"""Cuts through a localisation function, against one that is known everywhere."""

import math

import numpy as np
import pytest
from ase import Atoms

from analysis.localisation import Localisation, Plane, bonding_plane, cut
from tests.lattices import Array, grid_points, hexagonal_cell

CELL = np.array([[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.0, 10.0]])


def wave(n: int = 64) -> Localisation:
    """Return 1/2 + cos(2 pi u)/2, with u the first scaled coordinate of an oblique cell."""
    u = np.arange(n) / n
    values = np.broadcast_to(0.5 + 0.5 * np.cos(2 * np.pi * u)[:, None, None], (n, 4, 8))
    return Localisation(np.ascontiguousarray(values), CELL)


def test_a_cut_has_the_values_of_the_function_also_beyond_the_cell() -> None:
    along, z = np.linspace(-9.0, 9.0, 37), np.array([-3.0, 0.0, 14.0])
    plane = Plane((0.3, 2.0), (0.6, 0.8))
    found = cut(wave(), plane, along, z)
    x, y = 0.3 + 0.6 * along, 2.0 + 0.8 * along
    u = (np.column_stack([x, y, 0 * x]) @ np.linalg.inv(CELL))[:, 0]
    assert found.shape == (3, 37)
    assert found == pytest.approx(np.tile(0.5 + 0.5 * np.cos(2 * np.pi * u), (3, 1)), abs=2e-3)


def test_the_plane_leads_to_the_nearest_atom_that_is_not_under_the_centre() -> None:
    positions = [[0, 0, 0], [2.0, 0, 0], [0, 2.1, 0], [0.1, 0, 2.5]]
    atoms = Atoms("VNNNa", positions, cell=[6, 6, 20], pbc=(1, 1, 0))
    plane = bonding_plane(atoms, 3)
    assert plane.origin == (0.1, 0.0)
    assert plane.direction == pytest.approx((1.0, 0.0))
    found = dict(plane.atoms_in(atoms, 3.0, 0.4))
    assert found == pytest.approx({0: -0.1, 1: 1.9, 3: 0.0})


@pytest.mark.parametrize("slanted", [0, 1, 3])
def test_a_cut_meets_the_atoms_of_a_hexagonal_lattice_in_any_cell(slanted: int) -> None:
    cell = hexagonal_cell(2.5, 20.0)
    cell[1] += slanted * cell[0]
    atoms = Atoms("N", [[0.4, 0.3, 5.0]], cell=cell, pbc=(1, 1, 0))
    for angle, step in ((0, 2.5), (60, 2.5), (30, 2.5 * 3**0.5)):
        direction = (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
        found = sorted(at for _, at in Plane((0.4, 0.3), direction).atoms_in(atoms, 9.0, 0.2))
        n = int(9.0 / step)
        assert found == pytest.approx([k * step for k in range(-n, n + 1)], abs=1e-9)


@pytest.mark.parametrize("slanted", [0, 1])
def test_a_cut_through_a_hexagonal_lattice_sees_its_waves(slanted: int) -> None:
    cell = hexagonal_cell(4.0, 6.0)
    cell[1] += slanted * cell[0]

    def wave(points: Array) -> Array:  # of the three shortest reciprocal vectors
        k = 2 * math.pi / (4.0 * 3**0.5 / 2)
        angles = np.radians([90, 210, 330])
        along = points[..., :2] @ np.array([np.cos(angles), np.sin(angles)])
        return np.asarray(0.5 + np.cos(k * along).sum(axis=-1) / 6)

    field = Localisation(wave(grid_points((60, 60, 8), cell)), cell)
    along, z = np.linspace(-9.0, 9.0, 50), np.linspace(1.0, 5.0, 3)
    plane = Plane((1.3, 0.7), (0.6, 0.8))
    places = np.array(plane.origin) + along[:, None] * plane.direction
    assert cut(field, plane, along, z)[1] == pytest.approx(wave(places), abs=5e-3)


def test_an_atom_alone_in_its_column_has_no_plane() -> None:
    with pytest.raises(ValueError, match="no atom lies beside Na"):
        bonding_plane(Atoms("VNa", [[0, 0, 0], [0, 0, 2]], cell=[6, 6, 20], pbc=(1, 1, 0)), 1)
