"""What each kind of task does, for any DFT code. Imports structures, analysis, tasks and below.

Of the DFT code it knows `workflows.dft.interface` alone: which one is used is handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from workflows.dft.interface import AtomsCollide, NotConverged
from workflows.steps.cell import relax_cell
from workflows.steps.context import Outcome, TaskContext, TaskFailed
from workflows.steps.coverage import relax_coverage
from workflows.steps.electrons import compute_electrons
from workflows.steps.hop import find_hop
from workflows.steps.lattice import fit_lattice
from workflows.steps.optimize import OutOfSteps
from workflows.steps.relaxations import relax_bare_slab, relax_clean_slab, relax_free, relax_held
from workflows.steps.single_points import (
    compute_atom,
    compute_density_difference,
    compute_single_point,
    compute_uncorrected,
)
from workflows.steps.spin import probe_slab
from workflows.tasks.records import Effort, Kind, LatticeInputs, LatticeValues, Values


def carry_out(context: TaskContext) -> Outcome:
    """Do a task.

    Parameters
    ----------
    context
        The task, its folder, the results that it needs and the DFT code.

    Returns
    -------
    Outcome
        What it found, with what the DFT code took for it.

    Raises
    ------
    TaskFailed
        The task cannot give a number; the reasons are listed in docs/results.md.
    """
    try:
        outcome = STEPS[context.task.kind](context)
    except NotConverged as error:
        raise TaskFailed("scf-not-converged", str(error)) from None
    except OutOfSteps as error:
        raise TaskFailed("out-of-steps", str(error)) from None
    except AtomsCollide as error:
        raise TaskFailed("atoms-too-close", str(error)) from None
    return Outcome(cast("Values", {**_effort(context), **outcome.values}), outcome.files)


def _effort(context: TaskContext) -> Effort:
    """Return what the DFT code took in this process: all the task's calculations together."""
    made = context.calculations
    return {
        "scf_iterations": context.scf_iterations(),
        "gpaw_seconds": sum(calculation.seconds for calculation in made),
        "retries": [retry for calculation in made for retry in calculation.retries],
    }


def find_lattice(context: TaskContext[LatticeInputs]) -> Outcome[LatticeValues]:
    """Find the lattice of a crystal: by equation of state, or by stress."""
    return (relax_cell if "relaxed_cell" in context.task.inputs else fit_lattice)(context)


# A task's inputs are those of its kind (tasks/graph.py), which no type can say.
STEPS: dict[Kind, Callable[[TaskContext[Any]], Outcome]] = {
    "probe": probe_slab,
    "lattice": find_lattice,
    "atom": compute_atom,
    "slab": relax_clean_slab,
    "held": relax_held,
    "free": relax_free,
    "basin": relax_bare_slab,
    "refined": compute_single_point,
    "functionals": compute_single_point,
    "uncorrected": compute_uncorrected,
    "density": compute_density_difference,
    "coverage": relax_coverage,
    "hop": find_hop,
    "electrons": compute_electrons,
}
