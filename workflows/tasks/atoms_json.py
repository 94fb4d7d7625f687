"""Structures inside result files: ase.Atoms as JSON data and back, with constraints, exactly."""

from __future__ import annotations

import json
from typing import Any

from ase import Atoms
from ase.io.jsonio import decode, encode


def to_json(atoms: Atoms) -> dict[str, Any]:
    """Return a structure as JSON data; the calculator is left out."""
    bare = atoms.copy()
    data: dict[str, Any] = json.loads(encode(bare))
    return data


def from_json(data: Any) -> Atoms:
    """Return the structure that `to_json` described."""
    return decode(json.dumps(data))
