"""Crystals: what holds them together, and the cell that Miller indices refer to."""

import pytest
from ase import Atoms
from ase.build import bulk, graphene, molecule

from structures.crystals import crystal_of, dimensionality


def test_axes_of_a_conventional_cell_in_the_file_are_kept() -> None:
    # not in the order that spglib would give a tetragonal cell: its long axis is x
    tin = Atoms(
        "TiAl", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[4.0, 2.8, 2.8], pbc=True
    )
    assert crystal_of(tin).cell.lengths() == pytest.approx([4.0, 2.8, 2.8])


def test_dimensionality() -> None:
    layer = graphene("C2", vacuum=7.5)
    layer.pbc = True
    boxed = molecule("H2O", vacuum=4.0)
    boxed.pbc = True
    assert [dimensionality(a) for a in (bulk("Na"), bulk("Mg"), layer, boxed)] == [3, 3, 2, 0]
