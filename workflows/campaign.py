"""What a directory computes: one case, or several whose common tasks are computed once.

A directory of one case holds `case.toml` and a folder per task. A directory of several holds their
files in `cases/`, and folders whose names end in a digest of all that the task is computed from:
two cases that ask for the same bulk, atom or clean slab ask for the same folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from workflows.case import CASE, Case, CaseError, contents, parse, shown
from workflows.clean import SET_ASIDE
from workflows.store import digest, read_signed, set_aside, write_bytes, write_signed
from workflows.tasks import State, Task, plan

CASES = "cases"  # the folder of the case files in a directory of several
CAMPAIGN = "campaign.json"  # which cases belong together, in order, and what is wanted of them
DIGITS = 12  # of the digest in a folder's name: 20,000 tasks meet by chance once in a million times
RESERVED = (CASES, "jobs", "logs", "figures")

# "adsorption": only what the adsorption energies of the held sites are made of
Goal = Literal["everything", "adsorption"]


@dataclass(frozen=True)
class Member:
    """A case of a campaign: its file, and the values by which it differs from the others."""

    case: Case
    content: bytes = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """The cases of a directory and their tasks, each once.

    `shared` tells whether the directory is one of several cases; `convergence` is what a sweep by
    `sodiophile converge` has to remember.
    """

    members: tuple[Member, ...]
    shared: bool
    goal: Goal = "everything"
    convergence: Mapping[str, Any] | None = None

    @cached_property
    def _plans(self) -> tuple[Mapping[str, Task], ...]:
        return tuple(needed(plan(member.case), self.goal) for member in self.members)

    @cached_property
    def names(self) -> tuple[Mapping[str, str], ...]:
        """Return for each case the folders of its tasks, by their names in the case."""
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
        """Return in words what the directory is about."""
        names = [member.case.name for member in self.members]
        return f"case {names[0]}" if not self.shared else f"{len(names)} cases"

    def case_of(self, folder: str) -> Case:
        """Return the case that a task takes its settings from: the first that asks for it."""
        return self._owned[folder][1]

    def states_of(self, number: int, states: Mapping[str, State]) -> dict[str, State]:
        """Return the states of one case's tasks by their names in the case."""
        return {name: states[folder] for name, folder in self.names[number].items()}


def alone(case: Case, content: bytes = b"") -> Campaign:
    """Return the campaign of a single case; its folders have the names of its tasks."""
    return Campaign((Member(case, content),), shared=False)


def needed(tasks: Mapping[str, Task], goal: Goal) -> Mapping[str, Task]:
    """Return the tasks that a goal is made of."""
    if goal == "everything":
        return tasks
    wanted: set[str] = set()
    for name, task in reversed(list(tasks.items())):  # a task comes after those that it needs
        if name in wanted or task.kind == "atom" or (task.kind, task.surface) == ("held", "host"):
            wanted |= {name, *task.needs}
    return {name: task for name, task in tasks.items() if name in wanted}


def folders(tasks: Mapping[str, Task]) -> dict[str, str]:
    """Return the folder of each task: its name and a digest of all that it is computed from."""
    digests: dict[str, str] = {}
    for name, task in tasks.items():
        origin = [name, task.kind, dict(task.inputs), [digests[need] for need in task.needs]]
        digests[name] = digest(origin)
    return {name: f"{name}.{digests[name][:DIGITS]}" for name in tasks}


# ---- in a directory -----------------------------------------------------------------------------


def read_campaign(root: Path) -> Campaign:
    """Read what a directory computes.

    Raises
    ------
    CaseError
        It is not the directory of a run, or one of its case files cannot be used.
    """
    if (root / CASE).is_file():
        content = contents(root / CASE)
        return alone(parse(content, shown(root / CASE)), content)
    record = _record(root)
    members = tuple(_member(root, name, settings) for name, settings in record["cases"].items())
    return Campaign(members, True, record["goal"], record["convergence"])


def campaign_of_task(folder: Path) -> Campaign:
    """Return the campaign of the one case that a task of a directory takes its settings from.

    Raises
    ------
    CaseError
        There is no such task; else as `read_campaign`.
    """
    root = folder.parent
    if (root / CASE).is_file() or not (root / CAMPAIGN).is_file():
        campaign = read_campaign(root)
        if folder.name not in campaign.tasks:
            raise CaseError(f"{shown(folder)}: no such task; allowed: {', '.join(campaign.tasks)}")
        return campaign
    record = _record(root)
    for name, settings in record["cases"].items():
        campaign = Campaign((_member(root, name, settings),), True, record["goal"])
        if folder.name in campaign.tasks:
            return campaign
    raise CaseError(f"{shown(folder)}: no such task; `sodiophile status` lists them")


def _record(root: Path) -> dict[str, Any]:
    if not (root / CAMPAIGN).is_file():
        raise CaseError(
            f"{shown(root)}: not the directory of a run ({CASE} is missing); "
            "allowed: the DIR of an earlier `sodiophile run CASE --into DIR`"
        )
    record = read_signed(root / CAMPAIGN)
    if record is None or record.get("goal") not in get_args(Goal):
        raise CaseError(
            f"{shown(root / CAMPAIGN)}: damaged; the command that made the directory repairs it"
        )
    return record


def _member(root: Path, name: str, settings: Mapping[str, str]) -> Member:
    path = root / CASES / f"{name}.toml"
    content = contents(path)
    case = parse(content, shown(path))
    if case.name != name:
        raise CaseError(f"{shown(path)}: name: found {case.name!r}; allowed: {name!r}, as the file")
    return Member(case, content, settings)


def require_own(campaign: Campaign, root: Path) -> None:
    """Refuse a directory that holds something else than a run of these cases."""
    if root.exists() and not root.is_dir():
        raise CaseError(
            f"{shown(root)}: not a directory; allowed: a new directory or one of an earlier run"
        )
    if not (root / CASE).exists() and not (root / CAMPAIGN).exists():
        if root.is_dir() and any(_is_foreign(path) for path in root.iterdir()):
            raise CaseError(f"{shown(root)}: holds other files; allowed: a new or empty directory")
        return
    asked = [member.case.name for member in campaign.members]
    if (root / CASE).exists() == campaign.shared:
        kinds = ("one case", "several cases")
        raise CaseError(
            f"{shown(root)}: holds a run of {kinds[not campaign.shared]}, "
            f"not of {kinds[campaign.shared]}; allowed: another directory"
        )
    held = _held(root)
    if held and set(asked).isdisjoint(held):
        few = ", ".join(map(repr, held[:3])) + (" ..." if len(held) > 3 else "")
        raise CaseError(
            f"{shown(root)}: holds case {few}, not {asked[0]!r}; allowed: another directory"
        )


def _held(root: Path) -> list[str]:
    """Return the names of a directory's cases; none where its record is damaged."""
    if (root / CAMPAIGN).exists():
        return list((read_signed(root / CAMPAIGN) or {}).get("cases", ()))
    try:
        return [parse(contents(root / CASE), CASE).name]
    except CaseError:
        return []  # damaged: it is set aside and written again


def _is_foreign(path: Path) -> bool:
    ours = ("arrhenius.csv", "arrhenius.json", "figures")  # `arrhenius` may have come first
    return not path.name.startswith(".") and path.name not in ours


def require_names(members: Sequence[Member]) -> None:
    """Refuse cases whose folders in the directory would be one, or one of ours."""
    seen: set[str] = set()
    for name in (member.case.name for member in members):
        if name in seen:
            raise CaseError(f"found two cases named {name!r}; allowed: each name once")
        if name in RESERVED or SET_ASIDE.search(name):
            raise CaseError(f"name: found {name!r}, the name of a folder of ours; allowed: another")
        seen.add(name)


def case_files(campaign: Campaign, root: Path) -> list[tuple[Case, Path]]:
    """Return each case with the path of its file in the run's directory."""
    folder = root / CASES
    return [
        (m.case, folder / f"{m.case.name}.toml" if campaign.shared else root / CASE)
        for m in campaign.members
    ]


def write_campaign(campaign: Campaign, root: Path) -> None:
    """Keep the case files in the run's directory; those that differ are set aside."""
    if not campaign.shared:
        _keep(campaign.members[0].content, root / CASE)
        return
    (root / CASES).mkdir(exist_ok=True)
    for member in campaign.members:
        _keep(member.content, root / CASES / f"{member.case.name}.toml")
    _set_others_aside(root / CASES, {f"{m.case.name}.toml" for m in campaign.members})
    record = {
        "goal": campaign.goal,
        "cases": {member.case.name: dict(member.settings) for member in campaign.members},
        "convergence": campaign.convergence,
    }
    if read_signed(root / CAMPAIGN) != record:
        write_signed(root / CAMPAIGN, record)


def _keep(content: bytes, path: Path) -> None:
    if path.exists():
        if path.read_bytes() == content:
            return
        set_aside(path, "before")
    write_bytes(path, content)


def _set_others_aside(folder: Path, ours: Iterable[str]) -> None:
    kept = set(ours)
    for path in list(folder.glob("*.toml")):
        if path.name not in kept:
            set_aside(path, "before")
