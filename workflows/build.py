"""The structures of a case without any DFT: to look at before hours are spent on them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ase import Atoms

from structures import bulk
from structures.sites import nearest_distances, place_adatom
from workflows.case import Case, CaseError, shown
from workflows.steps import clean_slab, write_structure
from workflows.store import set_aside
from workflows.tasks import (
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


def build(built: Iterable[Built], into: Path) -> Iterator[str]:
    """Write structures as CIF and extxyz into a directory; yield a line for each.

    A file of the same name with other contents is set aside as NAME.before-1.
    """
    if into.exists() and not into.is_dir():
        raise CaseError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=into) as workshop:
        for stem, atoms, remark in built:
            for name in write_structure(Path(workshop), stem, atoms):
                _deliver(Path(workshop) / name, into / name)
            sides = " x ".join(f"{length:.2f}" for length in atoms.cell.lengths())
            yield f"{shown(into / stem)}.cif, .extxyz: {len(atoms)} atoms, cell {sides} Å{remark}"


def _deliver(made: Path, target: Path) -> None:
    if target.exists() and not (target.is_file() and target.read_bytes() == made.read_bytes()):
        set_aside(target, "before")
    made.replace(target)


def structures(case: Case) -> list[Built]:
    """Return everything that a case is about, unrelaxed.

    Lattice constants are those of the case file, or its guesses.

    Raises
    ------
    CaseError
        An adatom finds no place.
    """
    tasks = plan(case)
    atom = Built(f"{case.adatom}-atom", bulk.isolated_atom(case.adatom, case.atom.box))
    built = [b for surface in surfaces(case) for b in _surface_structures(case, surface, tasks)]
    return [*built, atom]


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
            raise CaseError(
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
