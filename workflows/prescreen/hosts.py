"""Hosts by a potential: lattice, clean slab and the adatom held at each site, all relaxed.

Energies are against an atom of the adatom's metal, by the same potential: an isolated atom is no
structure that such potentials are trained on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, cast

from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from structures import bulk, sites
from structures.crystals import conventional_from
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import PRESCREEN
from workflows.case.schema import Case
from workflows.prescreen.potential import Potential
from workflows.steps.cell import FREE
from workflows.steps.context import TaskFailed
from workflows.steps.initial import crystal
from workflows.steps.relaxations import check_adatom, check_slab, unrelaxed_slab
from workflows.system.files import digest, read_signed, write_signed
from workflows.system.messages import UserError
from workflows.tasks.cut import Lattice
from workflows.tasks.cut import conventional_from as conventional_of
from workflows.tasks.graph import Task, find, lattice_given, lattice_guess, plan, slab_task
from workflows.tasks.records import Energy, LatticeInputs, PositiveLength, Seconds
from workflows.tasks.validation import checked

SCHEMA: Literal["sodiophile-prescreen/1"] = "sodiophile-prescreen/1"

MAX_STEPS = 300  # of a relaxation; steps cost next to nothing

FMAX = 0.005  # eV/angstrom, of lattices


class Screened(TypedDict):
    """A host by the potential: energies by site (eV), or why a site has none.

    `identity` is the digest of potential and settings, `lattice_constant` in angstrom.
    """

    identity: str
    lattice_constant: PositiveLength
    against_metal: dict[str, Energy]
    missing: dict[str, str]
    seconds: Seconds


class PrescreenRecord(TypedDict):
    """All of prescreen.json: the potential, and the hosts by the names of their cases."""

    schema: Literal["sodiophile-prescreen/1"]
    potential: str
    cases: dict[str, Screened]


def read_prescreen(root: Path) -> PrescreenRecord | None:
    """Return the pre-screen of a directory; None if it has none, or a damaged one."""
    try:
        return checked(PrescreenRecord, read_signed(root / PRESCREEN))
    except ValueError:
        return None


def identity(case: Case, potential: str) -> str:
    """Return the digest of all that a host's energies by a potential are computed from.

    Parameters
    ----------
    case
        The case; its DFT settings do not matter.
    potential
        Name and version of the potential.
    """
    tasks = (slab_task(case, "host"), find(plan(case), "host", "lattice"))
    inputs = [{k: v for k, v in task.inputs.items() if k != "dft"} for task in tasks if task]
    metal = case.metal.model_dump()
    return digest([potential, inputs, metal, case.adatom, list(case.slab.sites), FMAX, MAX_STEPS])


def screen_hosts(
    campaign: Campaign, name: str, load: Callable[[], Potential], root: Path
) -> Iterator[tuple[str, Screened | None]]:
    """Compute the hosts that are not there yet, and keep each.

    Parameters
    ----------
    campaign
        The cases.
    name
        Name and version of the potential.
    load
        Loads it, which takes a while: only called where a host is missing.
    root
        Directory whose prescreen.json the hosts are kept in.

    Yields
    ------
    tuple
        The name of a case, with None before its host is computed and with the host afterwards.

    Raises
    ------
    UserError
        The potential does not know an element, or has no minimum for the metal.
    """
    known = read_prescreen(root)
    same = known is not None and known["potential"] == name
    record: PrescreenRecord = {
        "schema": SCHEMA,
        "potential": name,
        "cases": dict(known["cases"]) if known is not None and same else {},
    }
    metals: dict[str, float] = {}
    potential = None
    for case in (member.case for member in campaign.members):
        found = record["cases"].get(case.name)
        if found is None or found["identity"] != identity(case, name):
            yield case.name, None
            if potential is None:
                potential = load()
                _require_elements(campaign, potential)
            metal = digest([case.adatom, case.metal.model_dump()])
            if metal not in metals:
                metals[metal] = _metal_energy(case, potential)
            found = _screen_host(case, potential, metals[metal])
            record["cases"][case.name] = found
            write_signed(root / PRESCREEN, record)
        yield case.name, found


def _require_elements(campaign: Campaign, potential: Potential) -> None:
    """Refuse cases with an element that the potential does not know."""
    for case in (member.case for member in campaign.members):
        unknown = [symbol for symbol in case.elements if symbol not in potential.elements]
        if unknown:
            raise UserError(
                f"{case.name}: found {', '.join(unknown)}, which {potential.name} does not know; "
                f"allowed: {', '.join(sorted(potential.elements))}"
            )


def _metal_energy(case: Case, potential: Potential) -> float:
    """Return the energy of an atom of the adatom's metal, eV."""
    given = case.metal.lattice_constant
    atoms = bulk.metal(case.adatom, case.metal.structure, given or case.metal.lattice_guess)
    if given is None:
        try:
            atoms = _with_relaxed_cell(atoms, potential)
        except TaskFailed as failure:
            raise UserError(f"{case.name}: metal: {failure}") from None
    atoms.calc = potential.calculator
    return float(atoms.get_potential_energy()) / len(atoms)


def _screen_host(case: Case, potential: Potential, metal_energy: float) -> Screened:
    start = time.monotonic()
    found: Screened = {
        "identity": identity(case, potential.name),
        "lattice_constant": lattice_guess(case, "host"),
        "against_metal": {},
        "missing": {},
        "seconds": 0.0,
    }
    try:
        lattice = _lattice(case, potential)
        found["lattice_constant"] = _length(lattice)
        built, ideal = unrelaxed_slab(slab_task(case, "host"), lattice)
        slab, energy = _relaxed(built, potential, case.relax.fmax)
        check_slab(slab, built)
    except TaskFailed as failure:
        found["missing"] = dict.fromkeys(case.slab.sites, f"clean slab: {failure}")
    else:
        for site in case.slab.sites:
            try:
                with_adatom = _energy_at(slab, ideal, site, case, potential)
                found["against_metal"][site] = with_adatom - energy - metal_energy
            except TaskFailed as failure:
                found["missing"][site] = str(failure)
    found["seconds"] = time.monotonic() - start
    return found


def _energy_at(
    slab: Atoms, ideal: Atoms | None, site: str, case: Case, potential: Potential
) -> float:
    """Return the energy (eV) of a slab with the adatom held at a site of the ideal slab."""
    try:
        start = sites.hold_lateral(sites.place_adatom(slab, case.adatom, site, ideal=ideal))
    except ValueError as error:  # the top layer has reconstructed, or there is no room
        raise TaskFailed("no-sites", str(error)) from None
    atoms, energy = _relaxed(start, potential, case.relax.fmax)
    check_adatom(atoms, start, ideal)
    return energy


def _lattice(case: Case, potential: Potential) -> Lattice:
    """Return the host's lattice by the potential; a given one as it is."""
    guess, found = lattice_guess(case, "host"), find(plan(case), "host", "lattice")
    if found is None or lattice_given(case, "host") is not None:
        return guess
    task = cast("Task[LatticeInputs]", found)
    start = crystal(task, guess)
    if "relaxed_cell" in task.inputs:
        relaxed = _with_relaxed_cell(start, potential, FREE[task.inputs["relaxed_cell"]])
        return conventional_from(start, conventional_of(task.inputs, guess), relaxed)
    relaxed = _with_relaxed_cell(start, potential)
    # cubic: V is proportional to a^3, whichever cell of the crystal it is taken of
    return float(guess * (relaxed.get_volume() / start.get_volume()) ** (1 / 3))


def _length(lattice: Lattice) -> float:
    return float(lattice.cell.lengths()[0]) if isinstance(lattice, Atoms) else lattice


def _with_relaxed_cell(
    start: Atoms, potential: Potential, free: Sequence[bool] = FREE["whole"]
) -> Atoms:
    """Return a crystal with atoms and the free components of its cell relaxed."""
    atoms = start.copy()
    atoms.calc = potential.calculator
    if not BFGS(FrechetCellFilter(atoms, mask=free), logfile=None).run(fmax=FMAX, steps=MAX_STEPS):
        raise TaskFailed("no-minimum", f"its lattice has no minimum within {MAX_STEPS} steps")
    atoms.calc = None
    return atoms


def _relaxed(start: Atoms, potential: Potential, fmax: float) -> tuple[Atoms, float]:
    """Return a relaxed structure, its constraints obeyed, and its energy (eV)."""
    atoms = start.copy()
    atoms.calc = potential.calculator
    if not BFGS(atoms, logfile=None).run(fmax=fmax, steps=MAX_STEPS):
        raise TaskFailed("out-of-steps", f"not relaxed within {MAX_STEPS} steps")
    energy = float(atoms.get_potential_energy())
    atoms.calc = None
    return atoms, energy
