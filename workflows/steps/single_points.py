"""Energies and densities of structures that are not relaxed here."""

from __future__ import annotations

from typing import cast

import numpy as np
from ase import Atoms

from analysis.bader import populations
from analysis.charge import charge_transfer, difference, plane_average
from analysis.functionals import BEEF
from structures import bulk
from workflows.steps.context import Outcome, TaskContext, present
from workflows.steps.cubes import kept_density, write_difference
from workflows.steps.initial import crystal
from workflows.steps.spin import begin, moments_of, start_from
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.cut import lattice_of
from workflows.tasks.graph import Task
from workflows.tasks.records import (
    EFFORT,
    AtomInputs,
    AtomValues,
    DensityInputs,
    DensityValues,
    HopValues,
    LatticeInputs,
    LatticeValues,
    RelaxedValues,
    SinglePointInputs,
    SinglePointValues,
    Values,
)


def compute_atom(context: TaskContext[AtomInputs]) -> Outcome[AtomValues]:
    """Compute the energy of the isolated atom, spin-polarised by Hund's rule.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    inputs = context.task.inputs
    calculation = context.calculation()
    energy, _ = calculation(bulk.isolated_atom(inputs["element"], inputs["box"]))
    return Outcome({"energy": energy, "magnetic_moment": calculation.magnetic_moment()})


def compute_uncorrected(context: TaskContext[SinglePointInputs]) -> Outcome[SinglePointValues]:
    """Compute the energy of a relaxed system without the dipole correction.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    task = context.task
    if task.site:
        system = present(context.needed.adatom(task.surface, task.site, task.relaxation))[
            "structure"
        ]
    else:
        system = present(context.needed.slab(task.surface))["structure"]
    energy, _ = context.calculation()(from_json(system))
    return Outcome({"energy": energy})


def compute_single_point(context: TaskContext[SinglePointInputs]) -> Outcome[SinglePointValues]:
    """Compute the energy of a finished task's structure, with other functionals if asked.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    task = context.task
    if task.of == "":
        raise LookupError("a single point is of no task's structure")
    relaxed = context.needed.state(task.surface, task.of, task.site, task.relaxation)
    found = present(relaxed.result if relaxed else None)
    if "same_as" in found.values:
        return Outcome(_of_same_structure(context))
    atoms = _structure(present(relaxed).task, found.values)
    if not atoms.has("initial_magmoms"):
        atoms, _ = begin(context, atoms)
    calculation = context.calculation()
    energy, _ = calculation(atoms)
    values: SinglePointValues = {"energy": energy}
    if context.spin is not None:
        values = {**values, **moments_of(calculation)}
    if names := task.inputs.get("functionals"):
        values["functionals"] = calculation.functionals(names)
        if BEEF in names:
            values["ensemble"] = calculation.beef_contributions()
    return Outcome(values)


def _of_same_structure(context: TaskContext[SinglePointInputs]) -> SinglePointValues:
    """Return what the single point of the held adatom's bare slab found: this is that very slab."""
    states = context.needed.states.values()
    twin = next(state for state in states if state.task.kind == context.task.kind)
    values = present(twin.result).values
    numbers = {key: value for key, value in values.items() if key not in EFFORT}
    return cast("SinglePointValues", numbers | {"same_as": twin.task.label})


def _structure(task: Task, values: Values) -> Atoms:
    """Return the structure that a finished task found an energy of, with its constraints."""
    if task.kind == "atom":
        inputs = cast("AtomInputs", task.inputs)
        return bulk.isolated_atom(inputs["element"], inputs["box"])
    if task.kind == "lattice":
        lattice = lattice_of(cast("LatticeValues", values))
        return crystal(cast("Task[LatticeInputs]", task), lattice)
    if task.kind == "hop":  # its saddle; the ends are those of other tasks
        path = cast("HopValues", values)
        return from_json(path["structures"][int(np.argmax(path["energies"]))])
    return from_json(cast("RelaxedValues", values)["structure"])


def compute_density_difference(context: TaskContext[DensityInputs]) -> Outcome[DensityValues]:
    """Subtract from a density those of slab and adatom, each alone at its place in the whole.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    ValueError
        No boundary lies between the adatom and the surface (analysis/charge.py).
    """
    task = context.task
    held = present(context.needed.adatom(task.surface, task.site, "held"))
    atoms = from_json(held["structure"])
    atoms.set_constraint()  # single points; the grid is the same for all three
    densities = kept_density(context, atoms)
    adatom = atoms[-1:] if context.spin is None else start_from(context.spin, atoms[-1:])
    parts: dict[str, Atoms] = {"total": atoms, "slab": atoms[:-1], "adatom": adatom}
    for name in densities:
        del parts[name]
    for number, (name, part) in enumerate(parts.items()):
        context.on_progress(step=number + 1, steps=len(parts), part=name)
        calculation = context.calculation()
        calculation.converge(part)
        densities[name] = calculation.all_electron_density()
    electrons = populations(densities["total"], atoms.positions)
    moved = difference(densities["total"], densities["slab"], densities["adatom"])
    title = f"{task.title}, case {context.case.name}"
    cube = write_difference(context.folder, moved, atoms, title)
    z, average_z = plane_average(moved)
    surface = atoms.positions[atoms.get_tags() == 1, 2].mean()
    transfer = charge_transfer(moved, float(surface), float(atoms.positions[-1, 2]))
    values: DensityValues = {
        "integral": moved.integral(),
        "charge_moved": transfer.electrons,
        "boundary": transfer.boundary,
        # nuclear charge less all electrons of its basin: positive has lost them
        "bader_charge": float(atoms.numbers[-1] - electrons[-1]),
        "z": z.tolist(),
        "plane_average": average_z.tolist(),
        "structure": to_json(atoms),
    }
    return Outcome(values, (cube,))
