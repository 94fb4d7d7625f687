"""Density differences as files: whole and ready for VESTA, or small, to be mailed and published."""

from __future__ import annotations

import dataclasses
import gzip
import io
from collections.abc import Iterable

import numpy as np
from ase import Atoms
from ase.units import Bohr

from analysis.charge import Density, coarsen, shape_for
from analysis.cube import read_cube, write_cube
from workflows.dft.interface import Calculation
from workflows.steps.context import TaskContext
from workflows.system.files import bytes_digest, file_digest, read_bytes, write_bytes, write_text
from workflows.tasks.folder import DENSITY, Result, TaskFolder
from workflows.tasks.records import DensityInputs

CUBE, SMALL = "difference.cube", "difference.cube.gz"


SPACING = 0.2  # angstrom between the points of a small one; isosurfaces look as before


DECIMALS = 6  # of a small one, e/bohr^3; isovalues are a hundred times its last digit or more


def write_difference(folder: TaskFolder, density: Density, atoms: Atoms, title: str) -> str:
    """Write a density difference and its atoms as a cube file.

    Parameters
    ----------
    folder
        The task's folder.
    density
        The difference, electrons/angstrom^3, of shape (nx, ny, nz).
    atoms
        The structure.
    title
        Second line of the file.

    Returns
    -------
    str
        The file's name.
    """
    write_text(folder / CUBE, _text(density, atoms, f"charge-density difference, {title}"))
    return CUBE


def cube_of(files: Iterable[str]) -> str:
    """Return which of a result's files is the density difference."""
    return SMALL if SMALL in files else CUBE


def read_difference(folder: TaskFolder, files: Iterable[str]) -> tuple[Density, Atoms]:
    """Read a density difference and its atoms, whole or small.

    Parameters
    ----------
    folder
        The task's folder.
    files
        Names of the result's files.

    Returns
    -------
    density, atoms
        The difference in electrons/angstrom^3, and the structure.

    Raises
    ------
    ValueError
        The file is cut short or not a cube.
    OSError
        It is not there or not a file.
    """
    content = read_bytes(folder / (name := cube_of(files)))
    text = gzip.decompress(content) if name == SMALL else content
    return read_cube(io.StringIO(text.decode("utf-8")))


def make_small(folder: TaskFolder, result: Result) -> None:
    """Put a small cube, of `SPACING` angstrom, in the place of a finished task's whole one.

    The result is signed again with the small one's checksum: its values, from the whole one, stay.

    Parameters
    ----------
    folder
        The task's folder.
    result
        Its result, as it is in the folder.
    """
    if CUBE in result.files:
        _write_small(folder, result)
    (folder / CUBE).unlink(missing_ok=True)


def _write_small(folder: TaskFolder, result: Result) -> None:
    density, atoms = read_difference(folder, result.files)
    coarse = coarsen(density, shape_for(density, SPACING))
    rounded = np.round(coarse.values * Bohr**3, DECIMALS) / Bohr**3
    text = _text(Density(rounded, coarse.cell_cv), atoms, f"coarsened to {SPACING} angstrom")
    write_bytes(folder / SMALL, gzip.compress(text.encode(), mtime=0))
    files = {name: sha for name, sha in result.files.items() if name != CUBE}
    files |= folder.digests([SMALL])
    folder.finish(dataclasses.replace(result, files=files))


def _text(density: Density, atoms: Atoms, comment: str) -> str:
    stream = io.StringIO()
    write_cube(stream, density, atoms, f"{comment}, e/bohr^3")
    return stream.getvalue()


def keep_density(folder: TaskFolder, calculation: Calculation) -> str:
    """Keep the density of a held adatom's system: it saves the density difference an SCF.

    Returns
    -------
    str
        The SHA-256 of its file.
    """
    content = io.BytesIO()
    np.save(content, calculation.all_electron_density().values)
    write_bytes(folder / DENSITY, content.getvalue())
    return file_digest(folder / DENSITY)


def kept_density(context: TaskContext[DensityInputs], atoms: Atoms) -> dict[str, Density]:
    """Return the density of the whole system as "total", if it is kept and as it was written."""
    task = context.task
    held = context.needed.state(task.surface, "held", task.site)
    values = context.needed.adatom(task.surface, task.site, "held")
    if held is None or values is None:
        return {}
    path = held.task.folder(context.folder.path.parent) / DENSITY
    try:
        content = read_bytes(path)
    except OSError:  # it is not kept for ever
        return {}
    if bytes_digest(content) != values.get("density"):
        return {}
    density = np.load(io.BytesIO(content), allow_pickle=False)
    return {"total": Density(density, np.array(atoms.cell))}
