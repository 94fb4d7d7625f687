"""Results as the files of other programs: POSCAR, CHGCAR, CIF, extended XYZ and GPAW's .gpw."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixedLine

from analysis.charge import Density
from workflows.campaign.campaign import alone
from workflows.dft.calculation import Calculation
from workflows.dft.interface import NotConverged
from workflows.preflight.computable import require_computable
from workflows.preflight.resources import MB, estimate_needs
from workflows.report.evaluation import Evaluation
from workflows.run.time_left import about
from workflows.steps.atoms_files import structure_files
from workflows.steps.context import system_of
from workflows.system.files import set_aside, write_bytes
from workflows.system.messages import UserError, require_one_of, shown
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import slab_of, surface_label, surfaces
from workflows.tasks.records import AdatomValues, SlabValues, Surface
from workflows.tasks.status import State

if TYPE_CHECKING:
    from pymatgen.core import Structure

FORMATS = ("poscar", "chgcar", "cif", "extxyz", "gpw")
CLEAN = "clean"  # in place of a site: the host's slab without adatom

ITERATIONS = 30  # of a slab's SCF cycle that starts from free atoms
SAME_ENERGY = 0.01  # eV; an energy further from that of the run belongs to another solution


@dataclass(frozen=True)
class Export:
    """A file to be written.

    Attributes
    ----------
    name
        Name of the file.
    note
        What is in it, or what it costs to compute.
    write
        Writes it to a path.
    """

    name: str
    note: str
    write: Callable[[Path], None]


def plan_export(
    found: Evaluation,
    formats: Collection[str] = FORMATS[:2],
    site: str | None = None,
    surface: str | None = None,
) -> Iterator[Export]:
    """Yield the files to write for a surface's sites, adatom held, and for its clean slab.

    Parameters
    ----------
    found
        What the results of the run add up to.
    formats
        Some of `FORMATS`: 'poscar', 'cif' and 'extxyz' are the relaxed structure, 'chgcar' is the
        density difference, 'gpw' the system with its wavefunctions, for which GPAW has to compute
        an SCF cycle.
    site
        Name of a site, or 'clean' for the slab without adatom (which has no density difference);
        all if None.
    surface
        Name of a surface, such as 'Na(110)'; the host's if None.

    Raises
    ------
    ValueError
        There is no such format, surface or site; the message lists what is allowed.
    UserError
        What is asked for is not computed.
    """
    for name in formats:
        require_one_of("format", name, FORMATS)
    known = {surface_label(found.case, of): of for of in surfaces(found.case)}
    name = next(iter(known)) if surface is None else surface
    require_one_of("surface", name, known)
    on = known[name]
    sites = [*slab_of(found.case, on).sites, CLEAN]
    if site is not None:
        require_one_of("site", site, sites)
    exports = [e for s in sites if site in (s, None) for e in _of_site(found, formats, on, s)]
    if not exports:
        what = " and ".join(formats)
        raise UserError(f"{shown(found.root)}: {name}: nothing to write as {what}: not computed")
    yield from exports


def deliver(export: Export, into: Path) -> Path:
    """Write a file into a directory and return its path; another of its name is set aside.

    Raises
    ------
    UserError
        `into` is not a directory, or the file cannot be computed.
    """
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    target = into / export.name
    temporary = into / f".{export.name}.{os.getpid()}.tmp"
    try:
        export.write(temporary)
        if target.is_file() and filecmp.cmp(target, temporary, shallow=False):
            return target
        set_aside(target, "before")
        return temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _of_site(
    found: Evaluation, formats: Collection[str], surface: Surface, site: str
) -> Iterator[Export]:
    """Yield what there is of a surface's site (or of its clean slab) in these formats."""
    values: SlabValues | AdatomValues | None
    if site == CLEAN:
        state, values = found.results.state(surface, "slab"), found.results.slab(surface)
    else:
        state = found.results.state(surface, "held", site)
        values = found.results.adatom(surface, site, "held")
    if state is None or values is None:
        return
    stem, atoms = state.task.structure, from_json(values["structure"])
    comment = f"{state.task.title}, case {found.case.name} ({found.case.quality} settings)"
    if "poscar" in formats:
        yield Export(
            f"POSCAR-{stem}", "relaxed structure", lambda path: write_poscar(path, atoms, comment)
        )
    for suffix, content in structure_files(atoms).items():
        if suffix in formats:
            write = partial(write_bytes, content=content)
            yield Export(f"{stem}.{suffix}", "relaxed structure", write)
    picture = None if site == CLEAN else found.pictures_on(surface).get(site)
    if "chgcar" in formats and picture is not None and picture.difference is not None:
        density = picture.difference
        yield Export(
            f"CHGCAR-{stem}",
            "charge-density difference",
            lambda path: write_chgcar(path, density, picture.atoms, comment),
        )
    if "gpw" in formats:
        yield _gpw(found, state, values, atoms)


# ---- VASP ----------------------------------------------------------------------------------------


def write_poscar(path: Path, atoms: Atoms, comment: str) -> None:
    """Write a structure (angstrom) as POSCAR, element by element, with what is held along x, y, z.

    Atoms keep their order within an element; elements that of their first atoms.
    """
    from pymatgen.io.vasp import Poscar

    order = _by_element(atoms)
    free = [[bool(f) for f in _free(atoms)[index]] for index in order]
    poscar = Poscar(_structure(atoms), comment, selective_dynamics=free)
    poscar.write_file(str(path))


def write_chgcar(path: Path, density: Density, atoms: Atoms, comment: str) -> None:
    """Write a density (e/angstrom^3) and its atoms as CHGCAR: e, times cell volume, x fastest."""
    from pymatgen.io.vasp import Chgcar, Poscar

    poscar = Poscar(_structure(atoms), comment)
    # VASP: rho(r) V_cell, so that the mean over the grid is the number of electrons
    electrons = density.values * abs(np.linalg.det(density.cell_cv))
    electrons = electrons + 0.0  # no -0.0, at which pymatgen stumbles
    chgcar = Chgcar(poscar, {"total": electrons})
    chgcar.name = comment  # pymatgen forgets the POSCAR's
    chgcar.write_file(str(path))


def _structure(atoms: Atoms) -> Structure:
    from pymatgen.core import Lattice, Structure

    order = _by_element(atoms)
    symbols, positions = atoms.get_chemical_symbols(), atoms.positions
    return Structure(
        Lattice(np.asarray(atoms.cell)),
        [symbols[index] for index in order],
        positions[order],
        coords_are_cartesian=True,
    )


def _by_element(atoms: Atoms) -> list[int]:
    """Return the atoms' numbers, those of an element together."""
    first = list(dict.fromkeys(atoms.get_chemical_symbols()))
    return sorted(range(len(atoms)), key=lambda index: first.index(atoms.symbols[index]))


def _free(atoms: Atoms) -> np.ndarray:
    """Return whether each atom may move along x, y and z, with shape (n, 3)."""
    free = np.ones((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            free[constraint.index] = False
        elif isinstance(constraint, FixedLine):  # along z: x and y are held
            free[constraint.index] = np.abs(constraint.dir) > 0.0
    return free


# ---- GPAW ----------------------------------------------------------------------------------------


def _gpw(
    found: Evaluation, state: State, values: AdatomValues | SlabValues, atoms: Atoms
) -> Export:
    """Return a relaxed system with its wavefunctions as a .gpw file, and what it costs."""
    task = state.task
    needs = estimate_needs(require_computable(alone(found.case), found.case.name))
    wanted = needs.tasks[task.label]
    # The same system without dipole correction is such a cycle, too, if the case has it.
    similar = found.results.state(task.surface, "uncorrected", task.site, task.relaxation)
    seconds = similar.seconds if similar else None
    note = (
        f"an SCF cycle on one core, {about(seconds or ITERATIONS * wanted.iteration)}; "
        f"{wanted.memory() / MB:.0f} MB of memory, {16 * wanted.size / MB:.0f} MB of disk"
    )

    def write(path: Path) -> None:
        calculation = Calculation(
            found.case.dft, system_of(found.case, task), lambda: Path(os.devnull)
        )
        try:
            energy, _ = calculation(atoms)
        except NotConverged as error:
            raise UserError(f"{task.name}: {error}") from None
        if abs(energy - values["energy"]) > SAME_ENERGY:
            raise UserError(
                f"{task.name}: the SCF cycle ended at another solution: "
                f"{energy:.4f} eV, in the run {values['energy']:.4f} eV"
            )
        calculation.write(path)

    return Export(f"{task.structure}.gpw", note, write)
