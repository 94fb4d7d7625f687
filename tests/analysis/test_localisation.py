"""Cuts through a localisation function, against one that is known everywhere."""

import numpy as np
import pytest
from ase import Atoms

from analysis.localisation import Localisation, Plane, bonding_plane, cut

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
    along, beside = plane.coordinates(atoms)
    assert along == pytest.approx([-0.1, 1.9, -0.1, 0.0])
    assert beside == pytest.approx([0.0, 0.0, 2.1, 0.0])


def test_an_atom_alone_in_its_column_has_no_plane() -> None:
    with pytest.raises(ValueError, match="no atom lies beside Na"):
        bonding_plane(Atoms("VNa", [[0, 0, 0], [0, 0, 2]], cell=[6, 6, 20], pbc=(1, 1, 0)), 1)
