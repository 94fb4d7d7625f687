"""Lattice constants by equation of state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from ase import Atoms
from ase.eos import EquationOfState
from ase.units import GPa
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from structures.diffraction import powder_pattern
from workflows.steps.context import Outcome, TaskContext, TaskFailed
from workflows.steps.initial import crystal
from workflows.steps.spin import begin
from workflows.tasks.graph import Task
from workflows.tasks.records import (
    Electrons,
    Energy,
    LatticeInputs,
    LatticeValues,
    PositiveLength,
    ReflectionData,
)

# lattice constants of the equation of state, times its centre
STRAINS = (0.97, 0.985, 1.0, 1.015, 1.03)


RECENTRINGS = 6  # moves of the centre before the search for a minimum is given up


class Point(TypedDict):
    """A point of the equation of state: energy (eV) of the primitive cell; angstrom.

    With spin its total `magnetic_moment`, too, in Bohr magnetons.
    """

    lattice_constant: PositiveLength
    energy: Energy
    magnetic_moment: NotRequired[Electrons]


def fit_lattice(context: TaskContext[LatticeInputs]) -> Outcome[LatticeValues]:
    """Fit a Birch-Murnaghan equation of state to energies about the guessed lattice constant.

    Raises
    ------
    TaskFailed
        "no-minimum": the energy has none near the guess.
    """
    guess = context.task.inputs["lattice_guess"]
    journal = context.journal(Point)
    points = {point["lattice_constant"]: point for point in journal.records}
    centre = guess
    for _ in range(RECENTRINGS):
        constants = [round(centre * strain, 6) for strain in STRAINS]
        for number, constant in enumerate(constants):
            if constant not in points:
                points[constant] = _point(context, constant)
                journal.append(points[constant])
            context.on_progress(step=number + 1, steps=len(constants))
        energies = {constant: points[constant]["energy"] for constant in constants}
        centre = min(constants, key=energies.__getitem__)
        if centre not in (constants[0], constants[-1]):
            values = _fit(context.task, constants, energies)
            if "magnetic_moment" in points[centre]:
                values["magnetic_moment"] = points[centre]["magnetic_moment"]
            return Outcome(values)
    raise TaskFailed("no-minimum", f"no minimum of the energy near {guess} Å")


def _point(context: TaskContext[LatticeInputs], constant: float) -> Point:
    cell, _ = begin(context, crystal(context.task, constant))
    calculation = context.calculation()
    energy, _forces = calculation(cell)
    if context.spin is None:
        return {"lattice_constant": constant, "energy": energy}
    moment = calculation.magnetic_moment()
    return {"lattice_constant": constant, "energy": energy, "magnetic_moment": moment}


def _fit(
    task: Task[LatticeInputs], constants: list[float], energies: Mapping[float, float]
) -> LatticeValues:
    volumes = [crystal(task, constant).get_volume() for constant in constants]
    eos = EquationOfState(volumes, [energies[c] for c in constants], eos="birchmurnaghan")
    volume, energy, modulus = eos.fit(warn=False)
    if not volumes[0] < volume < volumes[-1]:
        raise TaskFailed("no-minimum", f"the fitted energy has no minimum near {constants[2]} Å")
    # V is proportional to a^3, whichever cell of the crystal it is taken of
    constant = float(constants[0] * (volume / volumes[0]) ** (1 / 3))
    return {
        "lattice_constant": constant,
        "bulk_modulus": float(modulus / GPa),
        "energy": float(energy),
        "atoms": len(crystal(task, constant)),
        "lattice_constants": constants,
        "energies": [energies[c] for c in constants],
        "pattern": pattern_of(crystal(task, constant)),
    }


def pattern_of(relaxed: Atoms) -> list[ReflectionData]:
    """Return the lines of a crystal's powder pattern."""
    return [
        {
            "hkl": list(line.hkl),
            "d_spacing": line.d_spacing,
            "two_theta": line.two_theta,
            "intensity": line.intensity,
        }
        for line in powder_pattern(relaxed)
    ]
