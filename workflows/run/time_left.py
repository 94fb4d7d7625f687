"""An estimate of the remaining time of a run, from what its finished tasks took.

A task is expected to take as long as tasks like it in this run: those of its kind on the same
surface if any are done, else others with the same slab, scaled by the typical iterations of
their kinds. All are scaled by the size of their systems. There is no estimate as long as one of the
pending tasks is like none that is done: the time of a bulk crystal is no measure for a slab.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from workflows.run.priority import effort
from workflows.tasks.graph import Task
from workflows.tasks.status import State

# kinds whose SCF iterations cost about the same
SLABS = (
    "probe", "slab", "held", "free", "basin", "refined", "functionals", "density", "uncorrected",
    "electrons", "coverage", "hop",
)  # fmt: skip


OVERDUE = 0.25  # of its time so far: what a task still needs that takes longer than expected


PENDING = ("running", "ready", "stale", "waiting")


class Remaining:
    """Estimates the remaining time of a run in words, each time that it is shown.

    Parameters
    ----------
    sizes
        Size of each task's system by the task's name (`workflows.preflight.resources.Needs.sizes`).
    """

    def __init__(self, sizes: Mapping[str, float]) -> None:
        self._sizes = sizes
        self._jobs = 1

    def __call__(self, states: Mapping[str, State]) -> str:
        """Return words such as 'about 40 min left', or '' where there is no estimate."""
        # As many side by side as have been seen: at times fewer can run than are allowed.
        running = sum(state.status == "running" for state in states.values())
        self._jobs = max(self._jobs, running)
        seconds = time_left(states, self._sizes, self._jobs)
        return f"{about(seconds)} left" if seconds else ""


def time_left(states: Mapping[str, State], sizes: Mapping[str, float], jobs: int) -> float | None:
    """Estimate the remaining time of a run.

    Parameters
    ----------
    states
        The state of each task.
    sizes
        The size of each task's system, in any unit.
    jobs
        How many tasks run side by side.

    Returns
    -------
    float or None
        Seconds; None where one of the pending tasks is like none that is done.
    """
    pending = [state for state in states.values() if state.status in PENDING]
    expected = {state.task.name: _expected(state.task, states, sizes) for state in pending}
    ends: dict[str, float] = {}
    work = 0.0
    for state in pending:  # each after those that it needs
        seconds = expected[state.task.name]
        if seconds is None:
            return None
        rest = _rest(state, seconds)
        work += rest
        ends[state.task.name] = rest + max(
            (ends.get(name, 0.0) for name in state.task.needs), default=0.0
        )
    # More workers share the work, but do not shorten a chain of tasks that need each other.
    return max([work / jobs, *ends.values()])


def _expected(task: Task, states: Mapping[str, State], sizes: Mapping[str, float]) -> float | None:
    """Return the seconds that a task should take from its start to its end, or None."""
    like = _like(task, states)
    if not like:
        return None
    paces = [(state.seconds or 0.0) / effort(state.task, sizes) for state in like]
    return sum(paces) / len(paces) * effort(task, sizes)


def _like(task: Task, states: Mapping[str, State]) -> list[State]:
    done = [s for s in states.values() if s.status == "done" and s.task.surface == task.surface]
    same_kind = [state for state in done if state.task.kind == task.kind]
    if same_kind or task.kind not in SLABS:
        return same_kind
    return [state for state in done if state.task.kind in SLABS]


def _rest(state: State, expected: float) -> float:
    if state.status != "running":
        return expected
    spent = max(0.0, time.time() - float(state.progress.get("started", time.time())))
    return max(expected - spent, OVERDUE * spent)


def about(seconds: float) -> str:
    """Return seconds as words, rounded as an estimate should be, such as 'about 40 min'.

    Parameters
    ----------
    seconds
        A time span.
    """
    if seconds < 60:
        return "less than a minute"
    minutes = seconds / 60
    if minutes < 90:
        return f"about {round(minutes) if minutes < 10 else 5 * round(minutes / 5)} min"
    hours = minutes / 60
    return f"about {round(hours)} h" if hours < 48 else f"about {round(hours / 24)} days"
