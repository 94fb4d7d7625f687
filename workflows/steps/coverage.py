"""Several adatoms relaxed on a slab."""

from __future__ import annotations

from typing import cast

import numpy as np
from ase import Atoms

from structures.coverage import layers_of_adatoms
from workflows.steps.context import Outcome, TaskContext, TaskFailed, present
from workflows.steps.initial import start_of
from workflows.steps.relaxations import DESORBED_BEYOND, check_slab, relax_system
from workflows.steps.spin import begin
from workflows.tasks.atoms_json import from_json
from workflows.tasks.records import CoverageInputs, CoverageValues


def relax_coverage(context: TaskContext[CoverageInputs]) -> Outcome[CoverageValues]:
    """Relax a slab with several adatoms, all of them free.

    Raises
    ------
    TaskFailed
        "desorbed": an adatom left; "slab-broken", as for the clean slab.
    OutOfSteps
        The forces did not fall below fmax.
    """
    task = context.task
    slab = from_json(present(context.needed.slab(task.surface))["structure"])
    start = start_of(slab, task.inputs)

    def check(atoms: Atoms) -> None:
        _check_bound(atoms, task.inputs["adatom"])
        check_slab(atoms, start)

    begun, _ = begin(context, start)
    relaxed = relax_system(context, begun, check)
    adatoms = len(relaxed.atoms) - len(slab)
    found = {"adatoms": adatoms, "layers": layers_of_adatoms(relaxed.atoms)}
    return Outcome(cast("CoverageValues", {**relaxed.values, **found}), relaxed.files)


def _check_bound(atoms: Atoms, symbol: str) -> None:
    """Refuse a structure of which an adatom has left: no other atom is near it."""
    for number in np.flatnonzero(atoms.get_tags() == 0):
        others = [other for other in range(len(atoms)) if other != number]
        if atoms.get_distances(number, others, mic=True).min() > DESORBED_BEYOND:
            where = f"more than {DESORBED_BEYOND} Å from every other atom"
            raise TaskFailed("desorbed", f"{symbol} ended {where}")
