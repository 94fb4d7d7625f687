"""Which tasks are computed with spin: those that are asked to, or whose probe found a moment."""

from __future__ import annotations

from typing import cast

from workflows.tasks.finished import Finished
from workflows.tasks.graph import Task
from workflows.tasks.records import ProbeValues, SpinSettings

LEAST_MOMENT = 0.1  # Bohr magnetons: less on every atom is noise


def is_magnetic(probe: ProbeValues) -> bool:
    """Return whether a probe found moments that lower the energy."""
    largest = max(abs(moment) for moment in probe["magnetic_moments"])
    return largest >= LEAST_MOMENT and probe["energy"] < probe["non_magnetic_energy"]


def spin_of(task: Task, finished: Finished) -> SpinSettings | None:
    """Return how a task is computed with spin, or None if it has none.

    Parameters
    ----------
    task
        The task.
    finished
        The probes that it needs, all of them done.

    Raises
    ------
    LookupError
        One is not: a bug of whoever began the task.
    """
    spin = task.inputs["dft"].get("spin")
    if spin is None or "probes" not in spin:
        return spin
    found = {state.task.label: state.result for state in finished.states.values()}
    probes = [result for name in spin["probes"] if (result := found.get(name)) is not None]
    if len(probes) < len(spin["probes"]):
        raise LookupError("a task was begun before its probes were done")
    return spin if any(is_magnetic(cast("ProbeValues", probe.values)) for probe in probes) else None
