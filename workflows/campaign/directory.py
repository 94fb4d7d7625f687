"""The directory of a run: its case files, and the record of what belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from workflows.campaign.campaign import Campaign, Goal, Member, Study, alone
from workflows.case.reading import contents, parse
from workflows.case.schema import Name
from workflows.system.files import (
    SET_ASIDE,
    digest,
    keep,
    lock,
    read_signed,
    set_aside,
    write_signed,
)
from workflows.system.messages import UserError, shown
from workflows.tasks.folder import INPUTS
from workflows.tasks.validation import checked

CASE = "case.toml"  # the copy of the case file in a run's directory


CASES = "cases"  # the folder of the case files in a directory of several


CAMPAIGN = "campaign.json"  # which cases belong together, in order, and what is wanted of them


LOCK = ".lock"


LOGS, SCRIPTS, FIGURES = "logs", "jobs", "figures"  # folders that are no task's


RESISTANCES, FITS = "arrhenius.csv", "arrhenius.json"  # measured ones, and what was fitted to them


PRESCREEN, PRESCREEN_CSV = "prescreen.json", "prescreen.csv"  # hosts by a pretrained potential


RESERVED = (CASES, LOGS, SCRIPTS, FIGURES)


class CampaignRecord(TypedDict):
    """The record of several cases: the values that each differs by, by its name."""

    goal: Goal
    cases: dict[Name, dict[str, str]]
    convergence: Study | None


def working_in(root: Path) -> AbstractContextManager[None]:
    """Keep others from working in a run's directory meanwhile.

    Raises
    ------
    Locked
        Somebody does already.
    """
    return lock(root / LOCK, shown(root))


def log_path(root: Path, task: str) -> Path:
    """Return where a task's log lies: what its processes print.

    Parameters
    ----------
    root
        The directory of the run.
    task
        Name of the task's folder.
    """
    return root / LOGS / f"{task}.txt"


def read_campaign(root: Path) -> Campaign:
    """Read what a directory computes.

    Parameters
    ----------
    root
        The directory of a run.

    Raises
    ------
    UserError
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

    Parameters
    ----------
    folder
        The task's folder in the directory of a run.

    Raises
    ------
    UserError
        There is no such task; else as `read_campaign`.
    """
    root = folder.parent
    if (root / CASE).is_file() or not (root / CAMPAIGN).is_file():
        campaign = read_campaign(root)
        if folder.name not in campaign.tasks:
            raise UserError(f"{shown(folder)}: no such task; allowed: {', '.join(campaign.tasks)}")
        return campaign
    record = _record(root)
    for name, settings in record["cases"].items():
        campaign = Campaign((_member(root, name, settings),), True, record["goal"])
        if folder.name in campaign.tasks:
            return campaign
    raise UserError(f"{shown(folder)}: no such task; `sodiophile status` lists them")


def _record(root: Path) -> CampaignRecord:
    if not (root / CAMPAIGN).is_file():
        raise UserError(
            f"{shown(root)}: not the directory of a run ({CASE} is missing); "
            "allowed: the DIR of an earlier `sodiophile run CASE --into DIR`"
        )
    try:
        return checked(CampaignRecord, read_signed(root / CAMPAIGN))
    except ValueError:
        raise UserError(
            f"{shown(root / CAMPAIGN)}: damaged; the command that made the directory repairs it"
        ) from None


def _member(root: Path, name: str, settings: Mapping[str, str]) -> Member:
    path = root / CASES / f"{name}.toml"
    content = contents(path)
    case = parse(content, shown(path))
    if case.name != name:
        raise UserError(f"{shown(path)}: name: found {case.name!r}; allowed: {name!r}, as the file")
    return Member(case, content, settings)


def require_own(campaign: Campaign, root: Path) -> None:
    """Refuse a directory that holds something else than a run of these cases.

    A damaged case file is no obstacle to the case that the tasks record as theirs: it is set aside
    and written again.

    Parameters
    ----------
    campaign
        The cases that are asked for.
    root
        The directory.

    Raises
    ------
    UserError
        In one line: what the directory holds, what is allowed.
    """
    if root.exists() and not root.is_dir():
        raise UserError(
            f"{shown(root)}: not a directory; allowed: a new directory or one of an earlier run"
        )
    if not (root / CASE).exists() and not (root / CAMPAIGN).exists():
        if root.is_dir() and any(_is_foreign(path) for path in root.iterdir()):
            raise UserError(f"{shown(root)}: holds other files; allowed: a new or empty directory")
        return
    asked = [member.case.name for member in campaign.members]
    if (root / CASE).exists() == campaign.shared:
        kinds = ("one case", "several cases")
        raise UserError(
            f"{shown(root)}: holds a run of {kinds[not campaign.shared]}, "
            f"not of {kinds[campaign.shared]}; allowed: another directory"
        )
    held = _names_of_cases(root)
    if held is None:
        _require_recorded(campaign, root)
    elif set(asked).isdisjoint(held):
        few = ", ".join(map(repr, held[:3])) + (" ..." if len(held) > 3 else "")
        raise UserError(
            f"{shown(root)}: holds case {few}, not {asked[0]!r}; allowed: another directory"
        )


def _names_of_cases(root: Path) -> list[str] | None:
    """Return the names of a directory's cases; None where its case file is damaged."""
    if (root / CAMPAIGN).exists():
        names = (read_signed(root / CAMPAIGN) or {}).get("cases")
        return list(names or (path.stem for path in (root / CASES).glob("*.toml")))
    try:
        return [parse(contents(root / CASE), CASE).name]
    except UserError:
        return None


def _require_recorded(campaign: Campaign, root: Path) -> None:
    """Refuse a case that the tasks in a directory, whose case file is damaged, are not of."""
    for path in sorted(root.iterdir()):
        record = None if path.is_symlink() else read_signed(path / INPUTS)
        if record is None:
            continue
        task, origin = campaign.tasks.get(path.name), record.get("inputs") or {}
        asked = None if task is None else digest([task.kind, dict(task.inputs)])
        if asked != digest([origin.get("kind"), origin.get("inputs")]):
            raise UserError(
                f"{shown(root / CASE)}: damaged, and {path.name} was not computed for "
                f"{campaign.title}; allowed: the case that it was made with, or another directory"
            )


def _is_foreign(path: Path) -> bool:
    # `arrhenius` or `prescreen` may have come first
    ours = (RESISTANCES, FITS, FIGURES, PRESCREEN, PRESCREEN_CSV)
    return not path.name.startswith(".") and path.name not in ours


def write_campaign(campaign: Campaign, root: Path) -> None:
    """Keep the case files in the directory of a run; other ones there are set aside.

    Parameters
    ----------
    campaign
        The cases.
    root
        The directory.
    """
    if not campaign.shared:
        keep(root / CASE, campaign.members[0].content)
        return
    (root / CASES).mkdir(exist_ok=True)
    for member in campaign.members:
        keep(root / CASES / f"{member.case.name}.toml", member.content)
    _set_others_aside(root / CASES, {f"{m.case.name}.toml" for m in campaign.members})
    record: CampaignRecord = {
        "goal": campaign.goal,
        "cases": {member.case.name: dict(member.settings) for member in campaign.members},
        "convergence": campaign.convergence,
    }
    if read_signed(root / CAMPAIGN) != record:
        write_signed(root / CAMPAIGN, record)


def _set_others_aside(folder: Path, ours: Iterable[str]) -> None:
    kept = set(ours)
    for path in list(folder.glob("*.toml")):
        if path.name not in kept:
            set_aside(path, "before")


def require_names(members: Sequence[Member]) -> None:
    """Refuse cases of one name, and cases named like a folder of ours.

    Parameters
    ----------
    members
        The cases of a directory.

    Raises
    ------
    UserError
        A name occurs twice, or is that of a folder that the program makes.
    """
    seen: set[str] = set()
    for name in (member.case.name for member in members):
        if name in seen:
            raise UserError(f"found two cases named {name!r}; allowed: each name once")
        if name in RESERVED or SET_ASIDE.search(name):
            raise UserError(f"name: found {name!r}, the name of a folder of ours; allowed: another")
        seen.add(name)
