"""Where a run's time went: SCF iterations, ionic steps, seconds in GPAW and outside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from workflows.tasks.status import State


@dataclass(frozen=True)
class Effort:
    """What a finished task took; None where its result does not tell.

    Attributes
    ----------
    task
        Its name.
    scf_iterations, steps
        Numbers of SCF iterations and of ionic steps.
    seconds
        From the start of the process to its result, imports included; of the last process if the
        task was interrupted.
    gpaw
        Seconds of them in GPAW.
    """

    task: str
    scf_iterations: int | None
    steps: int | None
    seconds: float | None
    gpaw: float | None

    @property
    def outside(self) -> float | None:
        """Return the seconds that were not spent in GPAW."""
        known = self.seconds is not None and self.gpaw is not None
        return self.seconds - self.gpaw if known else None  # type: ignore[operator]


def efforts(states: Mapping[str, State]) -> list[Effort]:
    """Return what each finished task took."""
    return [_effort(name, s.result.values) for name, s in states.items() if s.result is not None]


def _effort(name: str, values: Mapping[str, Any]) -> Effort:
    keys = ("scf_iterations", "steps", "process_seconds", "gpaw_seconds")
    return Effort(name, *(values.get(key) for key in keys))


def total(of: Iterable[Effort]) -> Effort:
    """Return the sum over the tasks whose results tell their seconds."""
    told = [effort for effort in of if effort.outside is not None]
    return Effort(
        "all",
        sum(effort.scf_iterations or 0 for effort in told),
        sum(effort.steps or 0 for effort in told),
        sum(effort.seconds or 0.0 for effort in told),
        sum(effort.gpaw or 0.0 for effort in told),
    )


def effort_table(of: Iterable[Effort]) -> Table:
    """Return the table of tasks and their sum, ready to print."""
    of = list(of)
    table = Table(box=None, pad_edge=False)
    table.add_column("task", no_wrap=True)
    for heading in ("SCF iterations", "ionic steps", "seconds", "in GPAW", "outside", "outside/%"):
        table.add_column(heading, justify="right")
    for effort in (*of, total(of)):
        table.add_row(
            escape(effort.task),
            _whole(effort.scf_iterations),
            _whole(effort.steps),
            _tenths(effort.seconds),
            _tenths(effort.gpaw),
            _tenths(effort.outside),
            _percent(effort),
        )
    return table


def untold(of: Iterable[Effort], states: Mapping[str, State]) -> list[str]:
    """Return a line for each thing that the table leaves out."""
    lines = []
    if silent := [effort.task for effort in of if effort.outside is None]:
        lines.append(f"not in the sum, their results do not tell it: {', '.join(silent)}")
    if unfinished := [name for name, state in states.items() if state.result is None]:
        lines.append(f"not finished: {', '.join(unfinished)}")
    return lines


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)


def _tenths(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _percent(effort: Effort) -> str:
    if effort.outside is None or not effort.seconds:
        return ""
    return f"{100 * effort.outside / effort.seconds:.1f}"
