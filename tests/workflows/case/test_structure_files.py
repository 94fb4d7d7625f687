"""Structure files: what is read, and what is refused in one line."""

import io

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write

from structures.crystals import crystal_of
from workflows.case.structure_files import MAX_BYTES, parse_structure

CIF = """data_test
_cell_length_a 4.594
_cell_length_b 4.594
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 42/m n m'
_symmetry_Int_Tables_number 136
loop_
 _symmetry_equiv_pos_as_xyz
 'x,y,z'
 '-x,-y,z'
 '-y+1/2,x+1/2,z+1/2'
 'y+1/2,-x+1/2,z+1/2'
 '-x+1/2,y+1/2,-z+1/2'
 'x+1/2,-y+1/2,-z+1/2'
 'y,x,-z'
 '-y,-x,-z'
 '-x,-y,-z'
 'x,y,-z'
 'y+1/2,-x+1/2,-z+1/2'
 '-y+1/2,x+1/2,-z+1/2'
 'x+1/2,-y+1/2,z+1/2'
 '-x+1/2,y+1/2,z+1/2'
 '-y,-x,z'
 'y,x,z'
loop_
 _atom_site_label
 _atom_site_type_symbol
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
 Ti1 Ti 0 0 0 1
 O1 O 0.305 0.305 0 1
"""

POSCAR = """Mg
1.0
3.21 0 0
-1.605 2.7799 0
0 0 5.21
Mg
2
direct
0.3333 0.6667 0.25
0.6667 0.3333 0.75
"""


def extxyz(atoms: Atoms) -> bytes:
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    return text.getvalue().encode()


def parse_crystal(content: bytes, name: str) -> Atoms:
    return crystal_of(parse_structure(content, name))


def test_cif_is_expanded_by_its_symmetry() -> None:
    rutile = parse_crystal(CIF.encode(), "TiO2.cif")
    assert rutile.get_chemical_formula() == "O4Ti2"
    # Ti-O bonds of rutile: 1.98 angstrom along the diagonal
    assert rutile.get_distance(0, 2, mic=True) == pytest.approx(0.305 * 4.594 * 2**0.5, abs=1e-3)


def test_poscar_with_four_decimals_is_symmetric_to_all_digits() -> None:
    magnesium = parse_crystal(POSCAR.encode(), "POSCAR")
    assert magnesium.cell.angles() == pytest.approx([90, 90, 120], abs=1e-9)
    inner = magnesium.get_scaled_positions()[1] - magnesium.get_scaled_positions()[0]
    assert inner % 1 == pytest.approx([1 / 3, 2 / 3, 0.5], abs=1e-9)


@pytest.mark.parametrize("name", ["x.extxyz", "x.xyz"])
def test_extxyz_has_elements_positions_and_cell(name: str) -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    atoms.info["remark"] = "left out"
    read = parse_structure(extxyz(atoms), name)
    assert np.allclose(read.positions, atoms.positions)
    assert np.allclose(read.cell, atoms.cell)
    assert not read.info
    assert set(read.arrays) == {"numbers", "positions"}


def test_miller_indices_are_of_the_conventional_cell() -> None:
    primitive = bulk("VN", "rocksalt", a=4.13)
    cube = parse_crystal(extxyz(primitive), "VN.extxyz")
    assert cube.cell.cellpar() == pytest.approx([4.13] * 3 + [90] * 3)


def boxed_water() -> Atoms:
    water: Atoms = molecule("H2O", vacuum=4.0)
    water.pbc = True
    return water


def doubled() -> Atoms:
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    atoms += Atoms("N", positions=[(0.2, 0.0, 0.0)])
    return atoms


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "x.cif", "empty"),
        (b"  \n", "POSCAR", "empty"),
        (b"\xff\xfe\x00", "x.cif", "not text in UTF-8"),
        (b"x" * (MAX_BYTES + 1), "x.cif", "more than 1000000 bytes"),
        (b"__import__('os')", "x.cif", "found 0 structures"),
        (b"hello\nworld\n", "x.vasp", "no poscar that can be read"),
        (b"1\nLattice=1\nHe 0 0\n", "x.xyz", "no extxyz that can be read"),
        (CIF.encode(), "x.py", "another format"),
        (CIF.replace("0.305 0 1", "0.305 0 0.5").encode(), "x.cif", "O1 with occupancy 0.5"),
        (CIF.replace("0.305 0 1", "0.305 0 0.50(2)").encode(), "x.cif", "occupancy 0.50"),
        ((CIF + " N1 N 0 0 0 1\n").encode(), "x.cif", "allowed"),
        ((CIF + CIF.replace("data_test", "data_two")).encode(), "x.cif", "found 2 structures"),
        (POSCAR.replace("\nMg\n2", "\n2").encode(), "POSCAR", "no element symbols"),
        (extxyz(molecule("H2O")), "x.xyz", "found a molecule"),
        (extxyz(boxed_water()), "x.xyz", "found molecules"),
        (extxyz(bulk("Na")) * 2, "x.xyz", "found 2 structures"),
        (extxyz(doubled()), "x.xyz", "0.20 Å from each other"),
        (extxyz(bulk("Na").repeat(8)), "x.xyz", "found 512 atoms"),
        (extxyz(bulk("Na")).replace(b"0.0", b"nan"), "x.xyz", "allowed"),
    ],
)
def test_refused_in_one_line(content: bytes, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        parse_crystal(content, name)
    assert "\n" not in str(raised.value)
    assert "allowed" in str(raised.value)
