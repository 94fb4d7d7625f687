"""Crystals: what holds them together, and the cell that Miller indices refer to."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, molecule

from structures.crystals import (
    conventional_from,
    crystal_of,
    dimensionality,
    empty_space,
    is_fixed_by_symmetry,
    primitive_cell,
)
from tests.hosts import RUTILE, layer_of_carbon


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


@pytest.mark.parametrize(
    "crystal",
    [bulk("Al", cubic=True), bulk("VN", "rocksalt", a=4.1, cubic=True), bulk("Mg"), RUTILE],
    ids=["Al", "VN", "Mg", "TiO2"],
)
def test_a_strained_primitive_cell_is_the_strained_conventional_one(crystal: Atoms) -> None:
    crystal = crystal_of(crystal)
    primitive = primitive_cell(crystal)
    strain_vv = np.diag([1.02, 1.02, 0.99])
    relaxed = primitive.copy()
    relaxed.set_cell(primitive.cell @ strain_vv, scale_atoms=True)
    found = conventional_from(primitive, crystal, relaxed)
    assert np.asarray(found.cell) == pytest.approx(np.asarray(crystal.cell) @ strain_vv)
    assert sorted(found.symbols) == sorted(crystal.symbols)
    wanted_av = crystal.positions @ strain_vv
    for atom in found:
        scaled_ac = (wanted_av - atom.position) @ np.linalg.inv(found.cell)
        far_a = np.linalg.norm((scaled_ac - scaled_ac.round()) @ found.cell, axis=1)
        nearest = int(far_a.argmin())
        assert far_a[nearest] < 1e-6
        assert crystal.symbols[nearest] == atom.symbol


def test_symmetry_fixes_the_atoms_of_simple_cubic_crystals_alone() -> None:
    for fixed in (
        bulk("Al", cubic=True), bulk("Na", "bcc", a=4.2, cubic=True),
        bulk("VN", "rocksalt", a=4.1, cubic=True), bulk("Si", cubic=True),
    ):  # fmt: skip
        assert is_fixed_by_symmetry(fixed)
    moved = bulk("VN", "rocksalt", a=4.1, cubic=True)
    moved.positions[0, 2] += 0.1
    tetragonal = Atoms("AlNi", [[0, 0, 0], [1.5, 1.5, 1.5]], cell=[3, 3, 3.0001], pbc=True)
    tetragonal.set_cell([3, 3, 3.1], scale_atoms=True)
    looks_cubic = RUTILE.copy()  # a = b = c, but the symmetry is tetragonal
    looks_cubic.set_cell([4.5] * 3, scale_atoms=True)
    for free in (bulk("Mg"), RUTILE, moved, tetragonal, looks_cubic):
        assert not is_fixed_by_symmetry(free)


def test_empty_space_is_the_widest_gap_along_the_third_vector() -> None:
    assert empty_space(layer_of_carbon()) == pytest.approx(12.0)
    assert empty_space(bulk("Al", a=4.0, cubic=True)) == pytest.approx(2.0)
