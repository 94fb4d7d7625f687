"""Structures inside result files: ase.Atoms as JSON data and back, with constraints, exactly.

Reading and writing with ASE takes a second to import: `status`, which only checks, does without.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeAlias

from ase import Atoms

StructureData: TypeAlias = dict[str, Any]  # JSON data of an ase.Atoms, as ASE's own encoder gives


MOST_ATOMS = 10_000


LARGEST_LENGTH = 1e4  # angstrom


HEAVIEST = 118  # atomic number


def to_json(atoms: Atoms) -> StructureData:
    """Return a structure (angstrom) as JSON data, without its calculator.

    Of its notes (`info`) only those on a defect are kept, see `structures.defects`.
    """
    from ase.io.jsonio import encode

    bare = atoms.copy()
    bare.info = {key: value for key, value in atoms.info.items() if key in DEFECT}
    data: StructureData = json.loads(encode(bare))
    return data


def from_json(data: StructureData) -> Atoms:
    """Return the structure that `to_json` described, with its constraints."""
    from ase.io.jsonio import decode

    return decode(json.dumps(data))


def check_structure(data: StructureData) -> StructureData:
    """Return data that describe a structure of atoms at finite places.

    Raises
    ------
    ValueError
        They do not: an array has another size than it claims, a number is not finite or beyond all
        sense, or an atom is held that is not there.
    """
    if data.get("__ase_objtype__") != "atoms":
        raise ValueError("not a structure")
    numbers = _array(data, "numbers", (None,), "int64")
    if not all(1 <= number <= HEAVIEST for number in numbers):
        raise ValueError("numbers: not those of chemical elements")
    shapes: dict[str, tuple[int, ...]] = {
        "positions": (len(numbers), 3), "cell": (3, 3), "pbc": (3,),
    }  # fmt: skip
    rest = {name: (len(numbers),) for name in data.keys() - shapes.keys() - NO_ARRAYS}
    for name, shape in (rest | shapes).items():
        lengths = _array(data, name, shape, KINDS.get(name, "float64"))
        if not all(abs(length) <= LARGEST_LENGTH for length in lengths):
            raise ValueError(f"{name}: a number is not finite, or beyond all sense")
    _check_constraints(data.get("constraints", []), len(numbers))
    _check_defect(data.get("info", {}))
    return data


DEFECT = ("defect", "defect_place")  # notes of structures.defects


NO_ARRAYS = {"__ase_objtype__", "constraints", "info"}


# Types of the arrays whose numbers are not real, by the name that NumPy has for them
KINDS = {"numbers": "int64", "tags": "int64", "pbc": "bool"}


NUMBERS: dict[str, set[type]] = {"int64": {int}, "float64": {int, float}, "bool": {bool}}


def _array(data: StructureData, name: str, shape: tuple[int | None, ...], kind: str) -> list[float]:
    """Return the numbers of an array of this shape (None: any length) and type."""
    try:
        claimed, of, numbers = data[name]["__ndarray__"]
        whole = (
            of == kind
            and all(wanted in (None, n) for n, wanted in zip(claimed, shape, strict=True))
            and math.prod(claimed) == len(numbers)
            and 0 < len(numbers) <= 3 * MOST_ATOMS
            and {type(number) for number in numbers} <= NUMBERS[kind]
        )
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(f"{name}: not an array of {kind} as a structure has it")
    found: list[float] = numbers
    return found


def _check_defect(info: Any) -> None:
    """Refuse all notes but those on a defect: its words, and its place, three lengths."""
    if info == {}:
        return
    try:
        place = info["defect_place"]
        right = (
            info.keys() == set(DEFECT)
            and re.fullmatch(r"[A-Z][a-z]? (vacancy|for [A-Z][a-z]?)", info["defect"]) is not None
            and len(place) == 3
            and all(type(x) is float and abs(x) <= LARGEST_LENGTH for x in place)
        )
    except (AttributeError, KeyError, TypeError):
        right = False
    if not right:
        raise ValueError("info: not that of a structure of ours")


def _check_constraints(constraints: Any, number: int) -> None:
    """Refuse all but constraints that hold atoms, of so many, or keep them on a line."""
    try:
        right = isinstance(constraints, list) and all(_holds(c, number) for c in constraints)
    except (KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise ValueError("constraints: not those of a structure of ours")


def _holds(constraint: Any, number: int) -> bool:
    name, kwargs = constraint["name"], dict(constraint["kwargs"])
    indices = kwargs.pop("indices")
    right = isinstance(indices, list) and len(set(indices)) == len(indices)
    right = right and all(type(i) is int and 0 <= i < number for i in indices)
    if name == "FixedLine":
        direction = kwargs.pop("direction")
        right = right and isinstance(direction, list) and len(direction) == 3
        right = right and all(type(x) in (int, float) and abs(x) <= 1.0 for x in direction)
        right = right and math.hypot(*direction) > 1e-3  # ASE divides by it
    return right and name in ("FixAtoms", "FixedLine") and not kwargs
