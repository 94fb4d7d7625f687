"""What a directory computes: one case, or several whose shared tasks run once.

A directory of one case holds `case.toml` and a folder per task. A directory of several holds their
files in `cases/`, and folders whose names end in a digest of all that the task is computed from:
two cases that ask for the same bulk, atom or clean slab ask for the same folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from workflows.case.schema import Case
from workflows.system.files import digest
from workflows.tasks.graph import Task, plan, task_key
from workflows.tasks.status import State

DIGITS = 12  # of the digest in a folder's name: 20,000 tasks meet by chance once in a million times


# "adsorption": only what the adsorption energies of the held sites are made of; "ranking": these,
# and the metal that they are compared with
Goal = Literal["everything", "adsorption", "ranking"]


Varied = Literal["cutoff", "kpoints", "layers", "vacuum", "cell"]


class Study(TypedDict):
    """What a convergence study varies, and how far an energy may be from the last one, eV."""

    over: Varied
    tolerance: float


@dataclass(frozen=True)
class Member:
    """A case of a campaign.

    Attributes
    ----------
    case
        The case.
    content
        The bytes of its file.
    settings
        The values by which it differs from the others, by axis, for tables.
    """

    case: Case
    content: bytes = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """The cases of a directory and their tasks, each once.

    Attributes
    ----------
    members
        The cases, in the order of their tables.
    shared
        Whether the directory is one of several cases, even if it has only one now.
    goal
        Which of their tasks are wanted.
    convergence
        The setting that is varied and the tolerance, of a study by `sodiophile converge`.
    """

    members: tuple[Member, ...]
    shared: bool
    goal: Goal = "everything"
    convergence: Study | None = None

    @cached_property
    def _plans(self) -> tuple[Mapping[str, Task], ...]:
        return tuple(needed(plan(member.case), self.goal) for member in self.members)

    @cached_property
    def names(self) -> tuple[Mapping[str, str], ...]:
        """Return for each case the folder of each task, by the task's name in the case."""
        return tuple(folders(p) if self.shared else {name: name for name in p} for p in self._plans)

    @cached_property
    def _owned(self) -> dict[str, tuple[Task, Case]]:
        found: dict[str, tuple[Task, Case]] = {}
        for member, tasks, names in zip(self.members, self._plans, self.names, strict=True):
            for name, folder in names.items():
                if folder not in found:
                    needs = tuple(names[need] for need in tasks[name].needs)
                    found[folder] = replace(tasks[name], name=folder, needs=needs), member.case
        return found

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Return all tasks by folder, each after those that it needs."""
        return {folder: task for folder, (task, _) in self._owned.items()}

    @property
    def title(self) -> str:
        """Return the directory's cases in words."""
        names = [member.case.name for member in self.members]
        return f"case {names[0]}" if not self.shared else f"{len(names)} cases"

    def case_of(self, folder: str) -> Case:
        """Return the case that a task takes its settings from: the first that asks for it."""
        return self._owned[folder][1]

    def states_of(self, number: int, states: Mapping[str, State]) -> dict[str, State]:
        """Return the states of one case's tasks by their names in the case.

        Parameters
        ----------
        number
            Place of the case among the members.
        states
            The states of all tasks, by folder.
        """
        return {name: states[folder] for name, folder in self.names[number].items()}


def alone(case: Case, content: bytes = b"") -> Campaign:
    """Return the campaign of a single case; its folders have the names of its tasks.

    Parameters
    ----------
    case
        The case.
    content
        The bytes of its file.
    """
    return Campaign((Member(case, content),), shared=False)


def needed(tasks: Mapping[str, Task], goal: Goal) -> Mapping[str, Task]:
    """Return those of a case's tasks that a goal needs.

    Parameters
    ----------
    tasks
        All tasks of a case by name, each after those that it needs.
    goal
        What is wanted.
    """
    if goal == "everything":
        return tasks
    kinds = {("metal", "atom"), ("host", "slab"), ("host", "held")}
    if goal == "ranking":
        kinds.add(("metal", "lattice"))
    wanted: set[str] = set()
    for name, task in reversed(list(tasks.items())):  # a task comes after those that it needs
        of = task_key(task.surface, task.of or task.kind, task.site)
        if name in wanted or (of.where or "metal", of.kind) in kinds:
            wanted |= {name, *task.needs}
    return {name: task for name, task in tasks.items() if name in wanted}


def folders(tasks: Mapping[str, Task]) -> dict[str, str]:
    """Return the folder of each task: its name and a digest of all that it is computed from.

    Parameters
    ----------
    tasks
        The tasks of a case by name, each after those that it needs.
    """
    digests: dict[str, str] = {}
    for name, task in tasks.items():
        origin = [name, task.kind, dict(task.inputs), [digests[need] for need in task.needs]]
        digests[name] = digest(origin)
    return {name: f"{name}.{digests[name][:DIGITS]}" for name in tasks}
