"""Structures as files, for people and their programs: CIF and extended XYZ."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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
    for suffix, content in structure_files(atoms).items():
        write_bytes(folder / f"{stem}.{suffix}", content)
    return f"{stem}.cif", f"{stem}.extxyz"


def structure_files(atoms: Atoms) -> dict[str, bytes]:
    """Return what the two files of a structure hold, by suffix; see `write_structure`."""
    plain = atoms.copy()
    plain.set_constraint()
    cif = io.BytesIO()
    write(cif, plain, format="cif")
    return {"cif": cif.getvalue(), "extxyz": _extended_xyz([_maskable(atoms)])}


def _maskable(atoms: Atoms) -> Atoms:
    """Return a copy whose constraints extended XYZ can express: held atoms and coordinates."""
    copy = atoms.copy()
    copy.set_constraint([_by_coordinates(constraint) for constraint in atoms.constraints])
    # ASE writes an array as numbers, but a list as JSON that other programs cannot read.
    copy.info = {k: np.array(v) if isinstance(v, list) else v for k, v in atoms.info.items()}
    return copy


def _by_coordinates(constraint: FixConstraint) -> FixConstraint:
    """Return a line along z, on which an adatom is held, as fixed x and y."""
    if isinstance(constraint, FixedLine) and abs(constraint.dir[2]) == 1.0:
        return FixCartesian(constraint.get_indices(), mask=(True, True, False))
    return constraint


def write_frames(path: Path, frames: Sequence[Atoms]) -> str:
    """Write structures with their energies (eV) and forces (eV/angstrom) as extended XYZ.

    Returns
    -------
    str
        The name of the file.
    """
    write_bytes(path, _extended_xyz(frames))
    return path.name


def _extended_xyz(frames: Sequence[Atoms]) -> bytes:
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue().encode()
