"""Structures as files for people: what a relaxation holds can be seen in them."""

from pathlib import Path

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read

from structures.sites import hold_lateral, place_adatom
from structures.slab import rocksalt_slab
from workflows.steps.atoms_files import write_frames, write_structure

SLAB = rocksalt_slab("V", "N", 4.13, cell="1x1", layers=2, vacuum=6.0, held_layers=1)


def test_held_atoms_are_marked_in_extended_xyz(tmp_path: Path) -> None:
    write_structure(tmp_path, "slab", SLAB)
    assert "move_mask:L:1" in (tmp_path / "slab.extxyz").read_text()
    (held,) = read(tmp_path / "slab.extxyz").constraints
    assert list(held.index) == list(SLAB.constraints[0].index) == [0, 1]


def test_an_adatom_that_moves_along_z_only_is_marked_by_coordinate(tmp_path: Path) -> None:
    atoms = hold_lateral(place_adatom(SLAB, "Na", "hollow"))
    write_structure(tmp_path, "hollow", atoms)
    lines = (tmp_path / "hollow.extxyz").read_text().splitlines()
    assert "move_mask:L:3" in lines[1]
    assert [line.split()[4:7] for line in lines[2:]] == [list("FFF")] * 2 + [list("TTT")] * 2 + [
        list("FFT")
    ]
    again = read(tmp_path / "hollow.extxyz")
    assert np.allclose(again.positions, atoms.positions, atol=1e-7)


def test_what_is_written_is_left_as_it_was(tmp_path: Path) -> None:
    before = [constraint.todict() for constraint in SLAB.constraints]
    write_structure(tmp_path, "slab", SLAB)
    assert [constraint.todict() for constraint in SLAB.constraints] == before


def test_frames_come_with_their_energies_and_forces(tmp_path: Path) -> None:
    frames = []
    for number in range(3):
        frame = SLAB.copy()
        forces = np.full((len(frame), 3), 0.1 * number)
        frame.calc = SinglePointCalculator(frame, energy=-1.0 - number, forces=forces)
        frames.append(frame)
    back = read(tmp_path / write_frames(tmp_path / "steps.extxyz", frames), index=":")
    assert [frame.get_potential_energy() for frame in back] == [-1.0, -2.0, -3.0]
    assert np.allclose(back[2].get_forces(apply_constraint=False), 0.2)


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("precious")
    for name in ("relaxed.cif", "relaxed.extxyz"):
        (tmp_path / name).symlink_to(tmp_path / "theirs")
    assert write_structure(tmp_path, "relaxed", SLAB) == ("relaxed.cif", "relaxed.extxyz")
    assert (tmp_path / "theirs").read_text() == "precious"
    assert not (tmp_path / "relaxed.cif").is_symlink()
