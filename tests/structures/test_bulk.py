"""Bulk crystals and the isolated atom."""

import math
from collections.abc import Callable

import pytest
from ase import Atoms

from structures.bulk import isolated_atom, metal, rocksalt


def test_rocksalt_cell_holds_one_quarter_of_the_cube() -> None:
    crystal = rocksalt("V", "N", 4.12)
    assert crystal.get_chemical_symbols() == ["V", "N"]
    assert crystal.get_volume() == pytest.approx(4.12**3 / 4)


def test_rocksalt_bond_is_half_the_cube_edge() -> None:
    assert rocksalt("Ti", "N", 4.24).get_distance(0, 1, mic=True) == pytest.approx(2.12)


@pytest.mark.parametrize(
    ("structure", "per_cube", "bond"), [("bcc", 2, math.sqrt(3) / 2), ("fcc", 4, 1 / math.sqrt(2))]
)
def test_metal_has_one_atom_and_the_right_bond(structure: str, per_cube: int, bond: float) -> None:
    crystal = metal("Na", structure, 4.0)
    assert len(crystal) == 1
    assert crystal.get_volume() == pytest.approx(64 / per_cube)
    # A second copy makes the shortest lattice vector a distance between two atoms.
    neighbours = crystal.repeat(3).get_all_distances()[0, 1:]
    assert neighbours.min() == pytest.approx(4.0 * bond)


@pytest.mark.parametrize("crystal", [rocksalt("V", "N", 4.12), metal("Na", "bcc", 4.19)])
def test_crystals_are_periodic(crystal: Atoms) -> None:
    assert crystal.pbc.all()


def test_isolated_atom_is_centred_and_not_periodic() -> None:
    atom = isolated_atom("Na", 12.0)
    assert atom.positions.tolist() == [[6.0, 6.0, 6.0]]
    assert atom.cell.lengths().tolist() == [12.0, 12.0, 12.0]
    assert not atom.pbc.any()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rocksalt("Vv", "N", 4.12), "'Vv' is not a chemical element: did you mean V"),
        (lambda: rocksalt("V", "n", 4.12), "did you mean N"),
        (lambda: rocksalt("X", "N", 4.12), "'X' is not a chemical element"),
        (lambda: rocksalt("V", "N", -4.12), "lattice_constant is -4.12 angstrom"),
        (lambda: metal("Sodium", "bcc", 4.19), "'Sodium' is not a chemical element"),
        (lambda: metal("Na", "hcp", 4.19), "structure is 'hcp': it must be 'bcc' or 'fcc'"),
        (lambda: metal("Na", "bcc", math.nan), "lattice_constant is nan angstrom"),
        (lambda: isolated_atom("Na", math.inf), "box is inf angstrom"),
        (lambda: isolated_atom("Na", 0.0), "box is 0.0 angstrom: it must be positive"),
    ],
)
def test_bad_input_is_named(build: Callable[[], Atoms], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
