"""What a task works with, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from workflows.case.schema import DFT, Case
from workflows.dft.interface import (
    Calculation,
    IsolatedAtom,
    NewBand,
    NewCalculation,
    Periodic,
    System,
)
from workflows.steps.optimize import Step
from workflows.tasks.finished import Finished
from workflows.tasks.folder import OnProgress, TaskFolder
from workflows.tasks.graph import Task, settings_of, translations_of
from workflows.tasks.journal import Journal, RecordT
from workflows.tasks.records import InputsT_co, SpinSettings, ValuesT_co
from workflows.tasks.spin import spin_of

Found = TypeVar("Found")


class TaskFailed(Exception):
    """The task has no number to give.

    Parameters
    ----------
    reason
        A short name, such as "desorbed" (docs/results.md lists them).
    message
        A line for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def system_of(case: Case, task: Task, *, polarised: bool = False) -> System:
    """Return the kind of system that a task is about, with its k-points, its grid and its spin."""
    dft = task.inputs["dft"]
    if dft["kpoints"] is None:
        return IsolatedAtom()
    kx, ky, kz = dft["kpoints"]
    if "lattice" in (task.kind, task.of):
        return Periodic((kx, ky, kz), polarised=polarised)
    translations = translations_of(case, task.surface)
    dipole = dft.get("dipole_correction", False)
    return Periodic((kx, ky, kz), dipole, translations, polarised)


@dataclass(frozen=True)
class TaskContext(Generic[InputsT_co]):
    """What a task works with.

    Attributes
    ----------
    task
        The task.
    case
        The case that it takes its settings from.
    folder
        Its folder, made ready for work.
    fingerprint
        Identity of what it is computed from.
    needed
        The tasks that it needs, all of them done.
    on_progress
        Called as the task gets on.
    new_calculation
        Makes a calculation of the DFT code.
    new_band
        Makes those of the images of a path into one that computes them side by side.
    calculations
        Those made so far.
    resumed
        Ionic steps of earlier processes that were resumed.
    """

    task: Task[InputsT_co]
    case: Case
    folder: TaskFolder
    fingerprint: str
    needed: Finished
    on_progress: OnProgress
    new_calculation: NewCalculation
    new_band: NewBand
    calculations: list[Calculation] = field(default_factory=list)
    resumed: list[Step] = field(default_factory=list)

    @property
    def system(self) -> System:
        """The kind of system that the task is about."""
        return system_of(self.case, self.task, polarised=self.spin is not None)

    @cached_property
    def spin(self) -> SpinSettings | None:
        """How the task is computed with spin; None if it has none."""
        return spin_of(self.task, self.needed)

    def calculation(self, system: System | None = None, settings: DFT | None = None) -> Calculation:
        """Return a new calculation with the task's settings and a log file of its own.

        Parameters
        ----------
        system
            Another system than the task's own, for a cell of another size.
        settings
            Other settings than the case's.
        """
        calculation = self.new_calculation(
            settings or settings_of(self.case, self.task),
            system or self.system,
            lambda: self.folder.new_log("gpaw"),
            self.on_progress,
        )
        self.calculations.append(calculation)
        return calculation

    def journal(self, kind: type[RecordT], stem: str = "steps") -> Journal[RecordT]:
        """Return a journal of the task: what it holds was computed from the same inputs.

        Parameters
        ----------
        kind
            Type of a record.
        stem
            Name of its file, without .jsonl.
        """
        return Journal(self.folder / f"{stem}.jsonl", kind, self.fingerprint)

    def ionic_steps(self, stem: str = "steps") -> Journal[Step]:
        """Return the journal of one of the task's relaxations, to be resumed where it ends."""
        journal = self.journal(Step, stem)
        self.resumed.extend(journal.records)
        return journal

    def scf_iterations(self) -> int:
        """Return the SCF iterations of all the task's calculations, before a stop included."""
        before = sum(step.get("scf_iterations", 0) for step in self.resumed)
        return before + sum(calculation.scf_iterations for calculation in self.calculations)


def present(values: Found | None) -> Found:
    """Return the values of a task that this one needs, and which is therefore done.

    Raises
    ------
    LookupError
        It is not done: a bug of whoever began this one.
    """
    if values is None:
        raise LookupError("a task was begun before those that it needs were done")
    return values


@dataclass(frozen=True)
class Outcome(Generic[ValuesT_co]):
    """What a task found: its values (records.py), and the names of its files."""

    values: ValuesT_co
    files: tuple[str, ...] = ()
