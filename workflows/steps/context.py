"""What a task works with, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.case.schema import Case
from workflows.dft.interface import Calculation, IsolatedAtom, NewCalculation, Periodic, System
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import Task, own_name
from workflows.tasks.journal import History


class TaskFailed(Exception):
    """The task has no number to give; `reason` is a short name, the message a line for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def system_of(task: Task) -> System:
    """Return the kind of system that a task is about, with its k-points."""
    dft = task.inputs["dft"]
    if dft["kpoints"] is None:
        return IsolatedAtom()
    kx, ky, kz = dft["kpoints"]
    return Periodic((kx, ky, kz), dft.get("dipole_correction", False))


@dataclass(frozen=True)
class Bench:
    """What a task works with."""

    task: Task
    case: Case
    folder: TaskFolder
    parents: Mapping[str, Mapping[str, Any]]
    report: Callable[..., None]
    new_calculation: NewCalculation
    calculations: list[Calculation] = field(default_factory=list)

    @property
    def parent(self) -> Mapping[str, Any]:
        """Return the values of the task that this one goes on from: the first that it needs."""
        return self.parents[own_name(self.task.needs[0])]

    @property
    def system(self) -> System:
        """Return the kind of system that the task is about."""
        return system_of(self.task)

    def calculation(self, system: System | None = None) -> Calculation:
        """Return a new calculation with the task's settings and a log file of its own.

        `system` instead of the task's own is for a cell of another size.
        """
        calculation = self.new_calculation(
            self.case.dft,
            system or self.system,
            lambda: self.folder.next_log("gpaw"),
            self.report,
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
