"""What a task works with, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.case.schema import Case
from workflows.dft.calculation import Calculation
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import Task, own_name
from workflows.tasks.journal import History


class TaskFailed(Exception):
    """The task has no number to give; `reason` is a short name, the message a line for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Bench:
    """What a task works with."""

    task: Task
    case: Case
    folder: TaskFolder
    parents: Mapping[str, Mapping[str, Any]]
    report: Callable[..., None]
    calculations: list[Calculation] = field(default_factory=list)

    @property
    def parent(self) -> Mapping[str, Any]:
        """Return the values of the task that this one goes on from: the first that it needs."""
        return self.parents[own_name(self.task.needs[0])]

    @property
    def kpoints(self) -> tuple[int, int, int] | None:
        """Return the task's grid of k-points; None for an isolated system."""
        kpoints = self.task.inputs["dft"]["kpoints"]
        return tuple(kpoints) if kpoints else None

    def calculation(
        self, kpoints: tuple[int, int, int] | None = None, *, hund: bool = False
    ) -> Calculation:
        """Return a calculator with the task's settings and a log file of its own.

        `kpoints` instead of the task's own are for a cell of another size.
        """
        dipole = self.task.inputs["dft"].get("dipole_correction", False)
        calculation = Calculation(
            self.case.dft.model_copy(update={"dipole_correction": dipole}),
            kpoints or self.kpoints,
            lambda: self.folder.next_log("gpaw"),
            self.report,
            hund=hund,
        )
        self.calculations.append(calculation)
        return calculation

    def history(self, stem: str = "steps") -> History:
        """Return the journal of the task's finished steps, or of another relaxation in it."""
        return History(self.folder / f"{stem}.jsonl")


@dataclass(frozen=True)
class Outcome:
    """What a task found: values (JSON data; docs/results.md) and the names of its files."""

    values: dict[str, Any]
    files: tuple[str, ...] = ()
