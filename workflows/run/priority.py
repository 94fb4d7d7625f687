"""Which ready task is started first: the one at the head of the longest chain of work.

Tasks that others wait for come first, and among equals the longest: so no core waits at the end of
a run for one long task (R. L. Graham, SIAM J. Appl. Math. 17, 416 (1969)). No number depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.preflight.core_time import TYPICAL_ITERATIONS
from workflows.tasks.graph import Task


def effort(task: Task, sizes: Mapping[str, float]) -> float:
    """Return the work of a task: its typical iterations times the size of its system.

    Parameters
    ----------
    sizes
        The size of each task's system, in any unit (`workflows.preflight.resources.Needs.sizes`).
    """
    return TYPICAL_ITERATIONS[task.kind] * sizes.get(task.name, 1.0)


def chains(tasks: Mapping[str, Task], sizes: Mapping[str, float]) -> dict[str, float]:
    """Return for each task the work of the longest chain that starts with it.

    Parameters
    ----------
    tasks
        By name, each after those that it needs.
    sizes
        As for `effort`, whose unit the chains have.
    """
    after = dict.fromkeys(tasks, 0.0)  # the longest chain of those that need a task
    found = {}
    for name, task in reversed(list(tasks.items())):
        found[name] = effort(task, sizes) + after[name]
        for need in task.needs:
            after[need] = max(after[need], found[name])
    return found
