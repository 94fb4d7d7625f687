"""Structures as files, for people and their programs: CIF and extended XYZ."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.constraints import FixCartesian, FixConstraint, FixedLine
from ase.io import write

from workflows.system.files import write_bytes


def write_structure(folder: Path, stem: str, atoms: Atoms) -> tuple[str, str]:
    """Write a structure as `stem`.cif and `stem`.extxyz into a folder.

    The second one has a column `move_mask`: false (F) for what the relaxation holds. CIF has no
    place for that.

    Returns
    -------
    tuple of str
        The names of the two files.
    """
    plain = atoms.copy()
    plain.set_constraint()
    content = io.BytesIO()
    write(content, plain, format="cif")
    write_bytes(folder / f"{stem}.cif", content.getvalue())
    return f"{stem}.cif", write_frames(folder, stem, [_maskable(atoms)])


def _maskable(atoms: Atoms) -> Atoms:
    """Return a copy whose constraints extended XYZ can express: held atoms and coordinates."""
    copy = atoms.copy()
    copy.set_constraint([_by_coordinates(constraint) for constraint in atoms.constraints])
    return copy


def _by_coordinates(constraint: FixConstraint) -> FixConstraint:
    """Return a line along z, on which an adatom is held, as fixed x and y."""
    if isinstance(constraint, FixedLine) and abs(constraint.dir[2]) == 1.0:
        return FixCartesian(constraint.get_indices(), mask=(True, True, False))
    return constraint


def write_frames(folder: Path, stem: str, frames: Sequence[Atoms]) -> str:
    """Write structures with their energies (eV) and forces (eV/angstrom) as `stem`.extxyz.

    Returns
    -------
    str
        The name of the file.
    """
    content = io.StringIO()
    write(content, frames, format="extxyz")
    name = f"{stem}.extxyz"
    write_bytes(folder / name, content.getvalue().encode())
    return name
