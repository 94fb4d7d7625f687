"""Structures in JSON come back exactly."""

from pathlib import Path

import numpy as np
from ase.build import fcc111
from ase.constraints import FixAtoms, FixedLine

from workflows.system.files import read_signed, write_signed
from workflows.tasks.atoms_json import from_json, to_json


def test_a_structure_comes_back_with_its_constraints_exactly(tmp_path: Path) -> None:
    atoms = fcc111("Al", (1, 2, 3), vacuum=6.1)
    atoms.rattle(0.1, seed=3)
    atoms.set_constraint([FixAtoms([0, 1]), FixedLine(5, (0, 0, 1))])
    write_signed(tmp_path / "f", to_json(atoms))
    back = from_json(read_signed(tmp_path / "f"))
    assert (back.positions == atoms.positions).all()
    assert (np.array(back.cell) == np.array(atoms.cell)).all()
    assert back == atoms
    assert back.get_tags().tolist() == atoms.get_tags().tolist()
    assert [c.todict() for c in back.constraints] == [c.todict() for c in atoms.constraints]
