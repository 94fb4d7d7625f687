"""Unrelaxed structures: crystals, clean slabs, the adatom on its sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ase import Atoms
from ase.io import write

from structures import bulk
from structures.sites import nearest_distances, place_adatom
from structures.slab import bcc110_slab, metal_slab, rocksalt_slab
from workflows.case.schema import Case
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import (
    FACES,
    Surface,
    Task,
    crystal_of,
    plan,
    slab_of,
    surface_label,
    surface_name,
    surfaces,
)


class Built(NamedTuple):
    """An unrelaxed structure: the stem of its files, and what there is to say of it."""

    stem: str
    atoms: Atoms
    remark: str = ""


Structures: TypeAlias = Mapping[str, Built]  # by stem, which a task has as `Task.structure`


def structures(case: Case) -> Structures:
    """Return everything that a case is about, unrelaxed.

    Lattice constants are those of the case file, or its guesses.

    Raises
    ------
    UserError
        An adatom finds no place.
    """
    tasks = plan(case)
    atom = Built(f"{case.adatom}-atom", bulk.isolated_atom(case.adatom, case.atom.box))
    built = [b for surface in surfaces(case) for b in _surface_structures(case, surface, tasks)]
    return {one.stem: one for one in (*built, atom)}


def _surface_structures(case: Case, surface: Surface, tasks: dict[str, Task]) -> Iterator[Built]:
    name = surface_name(case, surface)
    crystal = crystal_of(case, surface)
    constant = crystal.lattice_constant or crystal.lattice_guess
    source = "given" if crystal.lattice_constant else "the guess; a run computes it"
    remark = f", a = {constant:g} Å ({source})"
    if surface != "metal_110":  # both faces of the metal are cut from the same bulk
        yield Built(f"{name}-bulk", _bulk(case, surface, constant), remark)
    slab = clean_slab(tasks[f"{name}-slab"], constant)
    yield Built(f"{name}-slab", slab)
    for site in slab_of(case, surface).sites:
        try:
            atoms = place_adatom(slab, case.adatom, site)
        except ValueError as error:
            why = str(error).removesuffix(": give a height")
            raise UserError(
                f"{FACES[surface].slab}.sites: found {site!r}, where no {case.adatom} fits on "
                f"{surface_label(case, surface)} with a = {constant:g} Å ({why}); "
                "allowed: lattice and vacuum that suit the atoms"
            ) from None
        nearest = ", ".join(f"{e} {d:.2f}" for e, d in nearest_distances(atoms).items())
        yield Built(f"{name}-{site}", atoms, f", nearest: {nearest} Å")


def _bulk(case: Case, surface: Surface, constant: float) -> Atoms:
    if surface == "host":
        return bulk.rocksalt(case.host.cation, case.host.anion, constant)
    return bulk.metal(case.adatom, case.metal.structure, constant)


def crystal(task: Task, constant: float) -> Atoms:
    """Return the primitive cell of the crystal that a task is about; `constant` in angstrom."""
    if task.surface == "host":
        cation, anion = task.inputs["elements"]
        return bulk.rocksalt(cation, anion, constant)
    (symbol,) = task.inputs["elements"]
    return bulk.metal(symbol, task.inputs["structure"], constant)


def clean_slab(task: Task, lattice_constant: float, cell: str | None = None) -> Atoms:
    """Build the unrelaxed slab that a slab task relaxes, or the same in another cell."""
    inputs = task.inputs
    slab = inputs["slab"] | ({"cell": cell} if cell else {})
    if task.surface == "host":
        cation, anion = inputs["elements"]
        return rocksalt_slab(cation, anion, lattice_constant, **slab)
    (symbol,) = inputs["elements"]
    if task.surface == "metal_110":
        return bcc110_slab(symbol, lattice_constant, **slab)
    return metal_slab(symbol, inputs["structure"], lattice_constant, **slab)


def write_structure(folder: Path | TaskFolder, stem: str, atoms: Atoms) -> tuple[str, ...]:
    """Write a structure as `stem`.cif and `stem`.extxyz into a folder; return the names."""
    plain = atoms.copy()
    plain.set_constraint()
    names = []
    for suffix in ("cif", "extxyz"):
        names.append(f"{stem}.{suffix}")
        write(folder / names[-1], plain, format=suffix)
    return tuple(names)
