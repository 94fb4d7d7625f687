"""Spin: the probe of a clean slab, the start with the lowest energy, the non-magnetic solution."""

from __future__ import annotations

from dataclasses import replace

from ase import Atoms
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from structures.magnetism import with_moments
from workflows.case.schema import DFT, SCF, Start
from workflows.dft.interface import Calculation, Periodic
from workflows.steps.context import Outcome, TaskContext
from workflows.steps.initial import probed_slab
from workflows.tasks.atoms_json import to_json
from workflows.tasks.records import Electrons, Energy, ProbeInputs, ProbeValues, SpinSettings

DECIMALS = 4  # of a moment: like atoms must have the same one


class Moments(TypedDict):
    """Moments in Bohr magnetons: the total one, and those inside the PAW spheres of the atoms."""

    magnetic_moment: Electrons
    magnetic_moments: list[Electrons]


class Started(Moments):
    """Where a `start` ends: its energy (eV) and moments, self-consistent."""

    start: Start
    energy: Energy


def moments_of(calculation: Calculation) -> Moments:
    """Return the moments of a calculation's last system."""
    return {
        "magnetic_moment": calculation.magnetic_moment(),
        "magnetic_moments": [round(m, DECIMALS) for m in calculation.magnetic_moments()],
    }


def probe_slab(context: TaskContext[ProbeInputs]) -> Outcome[ProbeValues]:
    """Compute a clean slab's smallest cell, unrelaxed, with spin and without.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    inputs, dft = context.task.inputs, context.case.dft
    slab = probed_slab(context.task)
    scf = SCF(**inputs["dft"]["scf"], max_iterations=dft.scf.max_iterations)
    coarse = {"cutoff": inputs["dft"]["cutoff"], "dispersion": "none", "scf": scf}
    settings = dft.model_copy(update=coarse)
    tried = _try_starts(context, inputs["dft"]["spin"], slab, settings)
    lowest = min(tried, key=lambda started: started["energy"])
    values: ProbeValues = {
        "energy": lowest["energy"],
        "magnetic_moment": lowest["magnetic_moment"],
        "magnetic_moments": lowest["magnetic_moments"],
        "starts": _energies(tried),
        "non_magnetic_energy": non_magnetic_energy(context, slab, settings),
        "structure": to_json(_with(slab, lowest["magnetic_moments"])),
    }
    return Outcome(values)


def begin(context: TaskContext, atoms: Atoms) -> tuple[Atoms, dict[str, float]]:
    """Return a structure with the moments that its calculation starts from.

    Returns
    -------
    atoms, energies
        A copy with initial magnetic moments (Bohr magnetons) if the task has spin, else without;
        where several starts were tried, those that the lowest one ended with, and all energies, eV.
    """
    spin = context.spin
    if spin is None:
        return _with(atoms, None), {}
    if len(spin["starts"]) == 1:
        return start_from(spin, atoms, spin["starts"][0]), {}
    tried = _try_starts(context, spin, atoms)
    lowest = min(tried, key=lambda started: started["energy"])
    return _with(atoms, lowest["magnetic_moments"]), _energies(tried)


def start_from(spin: SpinSettings, atoms: Atoms, start: Start = "ferromagnetic") -> Atoms:
    """Return a copy of a structure with the initial moments of a start, Bohr magnetons."""
    adatom = spin.get("adatom", 0.0)
    return with_moments(atoms, spin["moments"], adatom, alternating=start == "alternating")


def non_magnetic_energy(context: TaskContext, atoms: Atoms, settings: DFT | None = None) -> float:
    """Return the energy (eV) of the non-magnetic solution of a structure.

    `settings` are the DFT settings where they are not the case's.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    system = context.system
    if not isinstance(system, Periodic):
        raise TypeError("an isolated atom has spin")
    energy, _ = context.calculation(replace(system, polarised=False), settings)(atoms)
    return energy


def _try_starts(
    context: TaskContext, spin: SpinSettings, atoms: Atoms, settings: DFT | None = None
) -> list[Started]:
    """Compute a structure from each start; none that is journalled is computed again."""
    journal = context.journal(Started, "starts")
    done = {started["start"]: started for started in journal.records}
    for number, start in enumerate(spin["starts"]):
        context.on_progress(step=number + 1, steps=len(spin["starts"]), part=f"{start} start")
        if start not in done:
            calculation = context.calculation(None, settings)
            energy, _ = calculation(start_from(spin, atoms, start))
            done[start] = {"start": start, "energy": energy, **moments_of(calculation)}
            journal.append(done[start])
    return [done[start] for start in spin["starts"]]


def _energies(tried: list[Started]) -> dict[str, float]:
    return {started["start"]: started["energy"] for started in tried}


def _with(atoms: Atoms, moments: list[float] | None) -> Atoms:
    started = atoms.copy()
    started.set_initial_magnetic_moments(moments)
    return started
