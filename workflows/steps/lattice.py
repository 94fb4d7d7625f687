"""Lattice constants by equation of state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ase.eos import EquationOfState
from ase.units import GPa

from structures.diffraction import powder_pattern
from workflows.steps.context import Bench, Outcome, TaskFailed
from workflows.steps.initial import crystal
from workflows.tasks.graph import Task

STRAINS = (
    0.97,
    0.985,
    1.0,
    1.015,
    1.03,
)  # lattice constants of the equation of state, times its centre


POINT = {"lattice_constant", "energy"}  # what the journal of an equation of state holds


RECENTRINGS = 6  # moves of the centre before the search for a minimum is given up


def fit_lattice(bench: Bench) -> Outcome:
    """Fit a Birch-Murnaghan equation of state to energies about the guessed lattice constant."""
    history = bench.history()
    points = [record for record in history.records if record.keys() == POINT]
    energies = {point["lattice_constant"]: point["energy"] for point in points}
    centre = bench.task.inputs["lattice_guess"]
    for _ in range(RECENTRINGS):
        constants = [round(centre * strain, 6) for strain in STRAINS]
        for number, constant in enumerate(constants):
            if constant not in energies:
                energy, _forces = bench.calculation()(crystal(bench.task, constant))
                energies[constant] = energy
                history.append({"lattice_constant": constant, "energy": energy})
            bench.report(step=number + 1, steps=len(constants))
        centre = min(constants, key=energies.__getitem__)
        if centre not in (constants[0], constants[-1]):
            found = _fit(bench.task, constants, energies)
            relaxed = crystal(bench.task, found["lattice_constant"])
            lines = [asdict(line) for line in powder_pattern(relaxed)]
            return Outcome(found | {"pattern": lines})
    raise TaskFailed(
        "no-minimum", f"no minimum of the energy near {bench.task.inputs['lattice_guess']} Å"
    )


def _fit(task: Task, constants: list[float], energies: Mapping[float, float]) -> dict[str, Any]:
    volumes = [crystal(task, constant).get_volume() for constant in constants]
    eos = EquationOfState(volumes, [energies[c] for c in constants], eos="birchmurnaghan")
    volume, energy, modulus = eos.fit(warn=False)
    # V is proportional to a^3, whichever cell of the crystal it is taken of
    constant = constants[0] * (volume / volumes[0]) ** (1 / 3)
    return {
        "lattice_constant": float(constant),
        "bulk_modulus": float(modulus / GPa),
        "energy": float(energy),
        "atoms": len(task.inputs["elements"]),
        "lattice_constants": constants,
        "energies": [energies[c] for c in constants],
    }
