"""Where a run's time went: SCF iterations, ionic steps, seconds in GPAW and outside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.markup import escape
from rich.table import Table

from analysis.timeline import Span
from workflows.tasks.status import State


@dataclass(frozen=True)
class TaskTime:
    """What a finished task took; None where its result does not record it.

    Attributes
    ----------
    name
        Of the task.
    scf_iterations, steps
        Numbers of SCF iterations and of ionic steps.
    seconds
        From the start of the process to its result, imports included; of the last process if the
        task was interrupted.
    gpaw
        Seconds of them in GPAW.
    started
        When that process was started, seconds since 1970 (UTC).
    """

    name: str
    scf_iterations: int | None
    steps: int | None
    seconds: float | None
    gpaw: float | None
    started: float | None = None

    @property
    def outside(self) -> float | None:
        """Return the seconds that were not spent in GPAW."""
        if self.seconds is None or self.gpaw is None:
            return None
        return self.seconds - self.gpaw


def task_times(states: Mapping[str, State]) -> list[TaskTime]:
    """Return what each finished task took; `states` are the tasks' by name."""
    return [_task_time(name, s.result.values) for name, s in states.items() if s.result is not None]


def _task_time(name: str, values: Mapping[str, Any]) -> TaskTime:
    keys = ("scf_iterations", "steps", "process_seconds", "gpaw_seconds", "process_started")
    return TaskTime(name, *(values.get(key) for key in keys))


def total(times: Iterable[TaskTime]) -> TaskTime:
    """Return the sum over the tasks whose results record their seconds."""
    known = [time for time in times if time.outside is not None]
    return TaskTime(
        "all",
        sum(time.scf_iterations or 0 for time in known),
        sum(time.steps or 0 for time in known),
        sum(time.seconds or 0.0 for time in known),
        sum(time.gpaw or 0.0 for time in known),
    )


def time_table(times: Sequence[TaskTime]) -> Table:
    """Return the table of tasks and their sum, ready to print."""
    table = Table(box=None, pad_edge=False)
    table.add_column("task", no_wrap=True)
    for heading in ("SCF iterations", "ionic steps", "seconds", "in GPAW", "outside", "outside/%"):
        table.add_column(heading, justify="right")
    for time in (*times, total(times)):
        table.add_row(
            escape(time.name),
            _whole(time.scf_iterations),
            _whole(time.steps),
            _tenths(time.seconds),
            _tenths(time.gpaw),
            _tenths(time.outside),
            _percent(time),
        )
    return table


def left_out(times: Iterable[TaskTime], states: Mapping[str, State]) -> list[str]:
    """Return a line for each kind of task that the sum leaves out.

    Parameters
    ----------
    times
        Of the finished tasks.
    states
        Of all tasks, by name.
    """
    lines = []
    if unknown := [time.name for time in times if time.outside is None]:
        lines.append(f"not in the sum, no times recorded: {', '.join(unknown)}")
    if unfinished := [name for name, state in states.items() if state.result is None]:
        lines.append(f"not finished: {', '.join(unfinished)}")
    return lines


def timeline(times: Iterable[TaskTime]) -> list[Span]:
    """Return when each task was at work, counted from the first of them.

    Tasks whose results do not record it are left out.

    Parameters
    ----------
    times
        Of the finished tasks.
    """
    known = [(t.name, t.started, t.seconds) for t in times]
    spans = [Span(name, at, took) for name, at, took in known if at is not None and took]
    first = min((span.start for span in spans), default=0.0)
    return [replace(span, start=span.start - first) for span in spans]


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)


def _tenths(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _percent(time: TaskTime) -> str:
    if time.outside is None or not time.seconds:
        return ""
    return f"{100 * time.outside / time.seconds:.1f}"
