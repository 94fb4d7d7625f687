"""Deleting files of a run that can be regenerated.

Only what the program wrote is deleted: files with names of ours in places of ours, and of contents
set aside also what their record names. A user's file stays wherever it lies, and a link is neither
followed nor deleted. Results, and the structures and cubes that they name, stay: afterwards nothing
has to be computed again, and every table and figure can still be made. On request the cubes, by far
the largest part, are made small.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import CASES, FIGURES, LOGS, log_path
from workflows.steps.cubes import CUBE, SMALL, make_small
from workflows.system.files import SET_ASIDE, read_signed
from workflows.system.messages import UserError, in_bytes, shown
from workflows.tasks.folder import DENSITY, FAILURE, INPUTS, PROGRESS, RELAXATION, RESULT
from workflows.tasks.status import State

# What the program writes, by place. In the folder of a task, two kinds:
REGENERABLE = re.compile(
    rf"(steps(-[0-9]+)?|smallest-cell)\.jsonl|gpaw-[0-9]+\.txt"
    rf"|{re.escape(DENSITY)}|{re.escape(PROGRESS)}"
)


KEPT = re.compile(
    r"(built|relaxed)\.(cif|extxyz)|"
    + "|".join(map(re.escape, (RESULT, FAILURE, INPUTS, RELAXATION, CUBE, SMALL)))
)


IN_TASK = re.compile(f"{REGENERABLE.pattern}|{KEPT.pattern}")


IN_ROOT = re.compile(
    r"(case|campaign|jobs|results|energies|report|arrhenius|convergence|sensitivity)"
    r"\.(toml|jsonl?|db|csv|html)"
)


IN_CASES = re.compile(r".+\.toml")


IN_FIGURES = re.compile(r"\.drawn|[A-Za-z0-9]+")


# contents set aside; a file that a process was writing when it was killed, with the process' number
SET_ASIDE_FOLDER = re.compile(r"\.(damaged|stale)-[0-9]+")


TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>[0-9]+)\.(tmp|png|pdf|svg)")


Place = tuple[Path, re.Pattern[str]]  # a folder, and the names that the program writes into it


@dataclass(frozen=True)
class Cleaning:
    """What is to be deleted from a run's directory, and what is not without being asked for.

    Attributes
    ----------
    root
        The directory.
    files
        The files to delete.
    folders
        Folders to remove if nothing is left in them.
    cubes
        Tasks whose density difference is to be made coarse and compressed.
    spared
        Files of contents set aside that stay, because nobody asked for them to go.
    """

    root: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...] = ()
    cubes: tuple[str, ...] = ()
    spared: tuple[Path, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield a line for each file, and one for all of them together."""
        for path in self.files:
            yield f"{shown(path.relative_to(self.root))} ({in_bytes(_bytes(path))})"
        for name in self.cubes:
            cube = Path(name, CUBE)
            yield f"{shown(cube)} made small, for good ({in_bytes(_bytes(self.root / cube))})"
        yield _total(self.files)
        if self.spared:
            yield f"contents set aside stay: {_total(self.spared)} (--set-aside)"

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self.files and not self.cubes


def plan_cleaning(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    *,
    set_aside: bool = False,
    small_cubes: bool = False,
) -> Cleaning:
    """Return what can be deleted from a run's directory; nothing is touched.

    Parameters
    ----------
    campaign, states, root
        The cases, the state of each task by its folder, and the directory. Tasks that somebody
        works on are left alone.
    set_aside
        Whether contents set aside go too: damaged files, results of other inputs.
    small_cubes
        Whether density differences are made coarse and compressed, for good.

    Raises
    ------
    UserError
        A folder of the run is a link.
    """
    idle = [name for name, state in states.items() if state.status != "running"]
    for folder in (root / name for name in (*idle, LOGS, FIGURES, CASES)):
        if folder.is_symlink():
            raise UserError(f"{shown(folder)}: found a link; allowed: a folder of the run's own")
    done = [name for name in idle if states[name].status == "done"]
    places = list(_places(campaign, root, idle))
    files = [*_of_finished_tasks(root, done), *_left_by_killed_processes(places)]
    aside, folders = _set_aside(places)
    return Cleaning(
        root,
        files=tuple(sorted(files + aside * set_aside)),
        folders=tuple(folders * set_aside),
        cubes=tuple(name for name in done if small_cubes and _is_file(root / name / CUBE)),
        spared=() if set_aside else tuple(aside),
    )


def carry_out(cleaning: Cleaning, states: Mapping[str, State]) -> None:
    """Delete the files and make the cubes small.

    Parameters
    ----------
    cleaning
        What to do, from `plan_cleaning`.
    states
        The state of each task, by folder.
    """
    for path in cleaning.files:
        path.unlink(missing_ok=True)
    for folder in cleaning.folders:
        with suppress(OSError):  # a file of somebody else's is in it
            folder.rmdir()
    for name in cleaning.cubes:
        result = states[name].result
        if result is not None:
            make_small(states[name].task.folder(cleaning.root), result)


def _places(campaign: Campaign, root: Path, tasks: Iterable[str]) -> Iterator[Place]:
    yield root, IN_ROOT
    yield root / CASES, IN_CASES
    yield root / FIGURES, IN_FIGURES
    if campaign.shared:
        for folder in (root / member.case.name for member in campaign.members):
            yield folder, IN_ROOT
            yield folder / FIGURES, IN_FIGURES
    for name in tasks:
        yield root / name, IN_TASK


def _of_finished_tasks(root: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        yield from (path for path in _files(root / name) if REGENERABLE.fullmatch(path.name))
        if _is_file(log := log_path(root, name)):
            yield log


def _left_by_killed_processes(places: Iterable[Place]) -> Iterator[Path]:
    """Yield temporary files whose process is gone."""
    for folder, names in places:
        for path in _files(folder):
            found = TEMPORARY.fullmatch(path.name)
            if found and _is_ours(found["name"], names) and _is_gone(int(found["process"])):
                yield path


def _set_aside(places: Iterable[Place]) -> tuple[list[Path], list[Path]]:
    """Return the files of contents set aside, and the folders that hold some of them."""
    files: list[Path] = []
    folders: list[Path] = []
    for folder, names in places:
        marked = (path for path in _files(folder) if SET_ASIDE.search(path.name))
        files += (path for path in marked if _is_ours(path.name, names))
        for aside in _folders(folder) if names is IN_TASK else ():
            if SET_ASIDE_FOLDER.fullmatch(aside.name):
                known = _recorded(aside)
                files += (p for p in _files(aside) if p.name in known or _is_ours(p.name, names))
                folders.append(aside)
    return files, folders


def _is_ours(name: str, names: re.Pattern[str]) -> bool:
    """Tell whether a file of ours has this name, or had it before it was set aside."""
    while mark := SET_ASIDE.search(name):
        name = name[: mark.start()]
    return bool(names.fullmatch(name))


def _recorded(folder: Path) -> set[str]:
    """Return the files that the result in a folder names as its own."""
    files = (read_signed(folder / RESULT) or {}).get("files")
    return {name for name in files if Path(name).name == name} if isinstance(files, dict) else set()


def _is_gone(process: int) -> bool:
    """Tell whether no process of this number is alive on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # somebody else's
        pass
    return False


def _files(folder: Path) -> list[Path]:
    """Return the regular files in a folder that is no link; links and pipes are none."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if _is_file(path)]


def _folders(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _total(files: Sequence[Path]) -> str:
    """Return the number and size of some files in words."""
    return f"{len(files)} file{'s' * (len(files) != 1)}, {in_bytes(sum(map(_bytes, files)))}"


def _bytes(path: Path) -> int:
    return path.lstat().st_size
