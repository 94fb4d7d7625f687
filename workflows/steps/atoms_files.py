"""Structures as files, for people and their programs: CIF and extended XYZ."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write

from workflows.system.files import write_bytes


def write_structure(folder: Path, stem: str, atoms: Atoms) -> tuple[str, str]:
    """Write a structure, without constraints, as `stem`.cif and `stem`.extxyz into a folder.

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
    return f"{stem}.cif", write_frames(folder, stem, [plain])


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
