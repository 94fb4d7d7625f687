"""What each kind of task does, for any DFT code. Imports structures, analysis, tasks and below.

Of the DFT code it knows `workflows.dft.interface` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.dft.interface import AtomsCollide, NotConverged
from workflows.steps.context import Bench, Outcome, TaskFailed
from workflows.steps.lattice import fit_lattice
from workflows.steps.optimize import OutOfSteps
from workflows.steps.relaxations import relax_bare_slab, relax_clean_slab, relax_free, relax_held
from workflows.steps.single_points import (
    compute_atom,
    compute_density_difference,
    compute_uncorrected,
)
from workflows.tasks.graph import Kind


def carry_out(bench: Bench) -> Outcome:
    """Do the task.

    Raises
    ------
    TaskFailed
        The task cannot give a number; the reasons are listed in docs/results.md.
    """
    try:
        outcome = STEPS[bench.task.kind](bench)
    except NotConverged as error:
        raise TaskFailed("scf-not-converged", str(error)) from None
    except OutOfSteps as error:
        raise TaskFailed("out-of-steps", str(error)) from None
    except AtomsCollide as error:
        raise TaskFailed("atoms-too-close", str(error)) from None
    return Outcome(_effort(bench) | outcome.values, outcome.files)


def _effort(bench: Bench) -> dict[str, Any]:
    """Return what GPAW took in this process: all the task's calculations together."""
    made = bench.calculations
    return {
        "scf_iterations": sum(calculation.scf_iterations for calculation in made),
        "gpaw_seconds": sum(calculation.seconds for calculation in made),
        "retries": [retry for calculation in made for retry in calculation.retries],
    }


STEPS: dict[Kind, Callable[[Bench], Outcome]] = {
    "lattice": fit_lattice,
    "atom": compute_atom,
    "slab": relax_clean_slab,
    "held": relax_held,
    "free": relax_free,
    "basin": relax_bare_slab,
    "uncorrected": compute_uncorrected,
    "density": compute_density_difference,
}
