"""The path of an adatom from its minimum to an equivalent one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from structures.hop import neighbouring_minimum
from workflows.steps.atoms_files import write_frames
from workflows.steps.context import Outcome, TaskContext, TaskFailed, present
from workflows.steps.path import Evaluation, find_path
from workflows.steps.relaxations import check_slab
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.records import HopInputs, HopValues

PATH = "path.extxyz"


def find_hop(context: TaskContext[HopInputs]) -> Outcome[HopValues]:
    """Find the path from a free adatom's minimum to the nearest equivalent one.

    All images move together, iteration by iteration, and so are one task: MPI ranks divide into
    groups that compute images at the same time.

    Raises
    ------
    TaskFailed
        "on-saddle": the free adatom did not reach a minimum; "no-neighbour": the slab has no
        symmetry that leads to another minimum; "slab-broken", as for the clean slab.
    OutOfSteps
        The forces did not fall below fmax.
    """
    task, inputs = context.task, context.task.inputs
    free = present(context.needed.adatom(task.surface, task.site, "free"))
    if free["saddle"]:
        raise TaskFailed("on-saddle", f"the free adatom at {task.site} rests on a saddle")
    first = from_json(free["structure"])
    clean = from_json(present(context.needed.slab(task.surface))["structure"])
    try:
        there = neighbouring_minimum(first, clean, inputs["shell"])
    except ValueError as error:
        raise TaskFailed("no-neighbour", str(error)) from None
    images = inputs["images"]
    band = context.new_band([context.calculation() for _ in range(images)])

    def evaluate(number: int, structures: Sequence[Atoms]) -> list[tuple[float, np.ndarray]]:
        last = number + len(structures) - 1
        which = f"image {number}" if last == number else f"images {number} to {last}"
        context.on_progress(part=f"{which} of {images}")
        return band(number - 1, structures)

    def check(structures: Sequence[Atoms]) -> None:
        for atoms in structures:
            check_slab(atoms, first)

    path = find_path(
        (first, there.atoms),
        (free["energy"], free["energy"]),  # equivalent by symmetry
        images,
        evaluate,
        context.journal(Evaluation, "band"),
        at_once=band.at_once,
        fmax=inputs["fmax"],
        max_steps=context.case.relax.max_steps,
        on_progress=context.on_progress,
        check=check,
    )
    adatom_iv = np.array([atoms.positions[-1] for atoms in path.images])
    steps = np.linalg.norm(np.diff(adatom_iv, axis=0), axis=1)
    values: HopValues = {
        "energies": path.energies,
        "distances": [0.0, *np.cumsum(steps).tolist()],
        "structures": [to_json(atoms) for atoms in path.images],
        "fmax": path.fmax,
        "steps": path.iterations,
        "length": there.length,
        "minima": there.minima,
    }
    return Outcome(values, (write_frames(context.folder / PATH, path.images),))
