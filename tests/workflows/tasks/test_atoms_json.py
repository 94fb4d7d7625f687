"""Structures in JSON come back exactly, and what describes none is refused."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111
from ase.constraints import FixAtoms, FixedLine
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.system.files import read_signed, write_signed
from workflows.tasks.atoms_json import check_structure, from_json, to_json


def test_a_structure_comes_back_with_its_constraints_exactly(tmp_path: Path) -> None:
    atoms = fcc111("Al", (1, 2, 3), vacuum=6.1)
    atoms.rattle(0.1, seed=3)
    atoms.set_constraint([FixAtoms([0, 1]), FixedLine(5, (0, 0, 1))])
    write_signed(tmp_path / "f", to_json(atoms))
    data = read_signed(tmp_path / "f")
    assert data is not None
    back = from_json(check_structure(data))
    assert (back.positions == atoms.positions).all()
    assert (np.array(back.cell) == np.array(atoms.cell)).all()
    assert back == atoms
    assert back.get_tags().tolist() == atoms.get_tags().tolist()
    assert [c.todict() for c in back.constraints] == [c.todict() for c in atoms.constraints]


SLAB = fcc111("Al", (1, 2, 3), vacuum=6.1)
SLAB.set_constraint([FixAtoms([0, 1]), FixedLine(5, (0, 0, 1))])
DATA = to_json(SLAB)


def edited(*path: Any, value: Any) -> dict[str, Any]:
    """Return the slab's data with another value at the end of a path."""
    data: Any = copy.deepcopy(DATA)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found: dict[str, Any] = data
    return found


ARRAY = "__ndarray__"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"__ase_objtype__": "atoms"},
        edited("__ase_objtype__", value="cell"),
        edited("positions", ARRAY, 0, value=[6, 10**12]),  # no memory is asked for
        edited("positions", ARRAY, 0, value=[7, 3]),
        edited("positions", ARRAY, 0, value=[-6, -3]),
        edited("positions", ARRAY, 1, value="object"),
        edited("positions", ARRAY, 2, 0, value=float("nan")),
        edited("positions", ARRAY, 2, 0, value=float("inf")),
        edited("positions", ARRAY, 2, 0, value=10**400),
        edited("positions", ARRAY, 2, 0, value="0.0"),
        edited("positions", value=None),
        edited("numbers", ARRAY, 2, 0, value=0),
        edited("numbers", ARRAY, 2, 0, value=1000),
        edited("cell", ARRAY, 0, value=[9]),
        edited("pbc", ARRAY, 2, 0, value=1),
        edited("momenta", value=[1.0]),
        edited("info", value={"a": 1}),
        edited("constraints", value=7),
        edited("constraints", 0, "kwargs", "indices", value=[6]),
        edited("constraints", 0, "kwargs", "indices", value=[-1]),
        edited("constraints", 0, "kwargs", "indices", value="all"),
        edited("constraints", 0, "kwargs", "indices", value=""),
        edited("constraints", 0, "kwargs", "indices", value=[1, 1]),
        edited("constraints", 0, "kwargs", "more", value=1),
        edited("constraints", 0, "name", value="FixSymmetry"),
        edited("constraints", 1, "kwargs", "direction", value=[0, 0, 0]),
        edited("constraints", 1, "kwargs", "direction", value=[0, 0, float("nan")]),
    ],
    ids=lambda data: str(data)[-60:],
)
def test_what_describes_no_structure_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has a message of its own)
        check_structure(data)


def test_moments_of_each_atom_are_part_of_a_structure() -> None:
    atoms = SLAB.copy()
    atoms.set_initial_magnetic_moments([1.0] * 6)
    assert from_json(check_structure(to_json(atoms))).get_initial_magnetic_moments()[0] == 1.0


def leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    found = [path] if path else []
    for key, value in items:
        deeper = isinstance(value, dict | list)
        found += leaves(value, (*path, key)) if deeper else [(*path, key)]
    return found


JUNK: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([])
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(leaves(DATA)), JUNK)
def test_whatever_is_not_refused_is_a_structure(path: tuple[Any, ...], value: Any) -> None:
    data = edited(*path, value=value)
    try:
        check_structure(data)
    except ValueError:
        return
    atoms = from_json(data)
    assert isinstance(atoms, Atoms)
    assert np.isfinite(atoms.positions).all()
    assert len(atoms.get_chemical_symbols()) == 6
    atoms.set_positions(atoms.positions + 0.1)  # constraints can be applied
