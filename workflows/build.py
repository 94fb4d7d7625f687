"""The structures of a case without any DFT: to look at before hours are spent on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ase import Atoms

from structures import bulk
from structures.sites import nearest_distances, place_adatom
from workflows.case import Case, CaseError, shown
from workflows.steps import clean_slab, write_structure
from workflows.tasks import Surface, Task, plan, surface_name


def build(case: Case, into: Path) -> Iterator[str]:
    """Write bulk, slab, sites and atom as CIF and extxyz into a directory; yield a line for each.

    Lattice constants are those of the case file, or its guesses.
    """
    if into.exists() and not into.is_dir():
        raise CaseError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    for stem, atoms, remark in structures(case):
        write_structure(into, stem, atoms)
        sides = " x ".join(f"{length:.2f}" for length in atoms.cell.lengths())
        yield f"{shown(into / stem)}.cif, .extxyz: {len(atoms)} atoms, cell {sides} Å{remark}"


def structures(case: Case) -> Iterator[tuple[str, Atoms, str]]:
    """Yield name, structure and remark of everything that a case is about, unrelaxed."""
    tasks = plan(case)
    for surface in ("host", "metal"):
        yield from _surface_structures(case, surface, tasks)
    yield f"{case.adatom}-atom", bulk.isolated_atom(case.adatom, case.atom.box), ""


def _surface_structures(
    case: Case, surface: Surface, tasks: dict[str, Task]
) -> Iterator[tuple[str, Atoms, str]]:
    name = surface_name(case, surface)
    crystal = case.host if surface == "host" else case.metal
    constant = crystal.lattice_constant or crystal.lattice_guess
    source = "given" if crystal.lattice_constant else "the guess; a run computes it"
    yield f"{name}-bulk", _bulk(case, surface, constant), f", a = {constant:g} Å ({source})"
    slab = clean_slab(tasks[f"{name}-slab"], constant)
    yield f"{name}-slab", slab, ""
    for site in (case.slab if surface == "host" else case.metal_slab).sites:
        atoms = place_adatom(slab, case.adatom, site)
        nearest = ", ".join(f"{e} {d:.2f}" for e, d in nearest_distances(atoms).items())
        yield f"{name}-{site}", atoms, f", nearest: {nearest} Å"


def _bulk(case: Case, surface: Surface, constant: float) -> Atoms:
    if surface == "host":
        return bulk.rocksalt(case.host.cation, case.host.anion, constant)
    return bulk.metal(case.adatom, case.metal.structure, constant)
