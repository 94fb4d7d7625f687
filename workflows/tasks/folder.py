"""One folder per task: what it was computed from, how far it is, and its result.

A result is used only if it parses, its checksum holds, its values are those of such a task, its
files are the ones that it names, and it was computed from the inputs that the case asks for now.
Whatever fails that test is set aside under a name that shows it, never deleted and never used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Unpack, cast

from workflows.system.files import (
    digest,
    file_digest,
    is_locked,
    naming_path,
    read_signed,
    set_aside,
    write_signed,
)
from workflows.system.messages import UserError, one_line, shown
from workflows.tasks.records import (
    EFFORT,
    VALUES,
    FailureRecord,
    Kind,
    Origin,
    Progress,
    ResultRecord,
    Values,
)
from workflows.tasks.validation import checked, is_valid

SCHEMA = "sodiophile-task/1"


STEPS = "steps.jsonl"  # the journal of a relaxation


RELAXATION = "relaxation.extxyz"  # all steps of a finished relaxation, with energies and forces


# values that follow from the others without DFT, kept because they take seconds
DERIVED = frozenset({"dispersion"})


DENSITY = "density.npy"  # a system's all-electron density, e/angstrom^3; not needed once it is used


RESULT, FAILURE, INPUTS, PROGRESS, LOCK = (
    "result.json", "failure.json", "inputs.json", "progress.json", ".lock",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What a finished task found.

    Attributes
    ----------
    fingerprint
        Identity of what it was computed from.
    values
        What it found, as docs/results.md describes it.
    files
        SHA-256 of each of its files, by name.
    seconds
        Time that it took, seconds.
    made_with
        Versions and libraries.
    """

    fingerprint: str
    values: Values
    files: dict[str, str]
    seconds: float
    made_with: dict[str, str]

    @property
    def digest(self) -> str:
        """Identity of the numbers, for the fingerprints of tasks that build on them."""
        aside = EFFORT | DERIVED
        numbers = {name: value for name, value in self.values.items() if name not in aside}
        return digest([self.fingerprint, numbers, self.files])


@dataclass(frozen=True)
class Failure:
    """Why a task has no result.

    Attributes
    ----------
    reason
        A short name (docs/results.md lists them).
    message
        A line for people.
    seconds
        Time spent, seconds.
    """

    reason: str
    message: str
    seconds: float


class TaskFolder:
    """The folder of one task; making the object touches no file.

    Parameters
    ----------
    path
        The folder, which need not be there.
    kind
        The kind of task: its result must have the values of this kind.
    """

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind = path, kind
        self.name = path.name

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def is_link(self) -> bool:
        """Whether a link lies in the folder's place: it is neither read nor written through."""
        return self.path.is_symlink()

    def result(self, fingerprint: str | None = None) -> Result | None:
        """Return the result if it is whole, and of this fingerprint if one is given; else None."""
        found = self._read_result()
        if found is None or fingerprint not in (None, found.fingerprint):
            return None
        return None if self._changed(found) else found

    def _read_result(self) -> Result | None:
        """Return the result as it was written, or None if it is not that of such a task."""
        data = None if self.is_link else read_signed(self / RESULT)
        try:
            return _as_result(data, self.kind)
        except ValueError:
            return None

    def _changed(self, result: Result) -> list[str]:
        """Return those of a result's files that are missing or not as they were written."""
        return [name for name, sha256 in result.files.items() if not _is(self / name, sha256)]

    def failure(self, fingerprint: str) -> Failure | None:
        """Return why the task failed with these very inputs, if it did."""
        data = None if self.is_link else read_signed(self / FAILURE)
        try:
            record = checked(FailureRecord, data)
        except ValueError:
            return None
        if record["fingerprint"] != fingerprint:
            return None
        return Failure(record["reason"], record["message"], record["seconds"])

    def progress(self) -> Progress:
        """Return how far a running task is; empty if nothing is known yet."""
        try:
            return checked(Progress, read_signed(self / PROGRESS))
        except ValueError:
            return {}

    def is_running(self) -> bool:
        """Return whether a living process works on the task."""
        return is_locked(self / LOCK)

    def started_from(self) -> str | None:
        """Return the fingerprint of the inputs that the folder's contents belong to."""
        data = self._inputs()
        return None if data is None else str(data["fingerprint"])

    def recipe(self) -> int | None:
        """Return the recipe that the folder's contents were begun with; None if unknown."""
        data = None if self.is_link else self._inputs()
        found = data["inputs"].get("recipe") if data and isinstance(data["inputs"], dict) else None
        return found if isinstance(found, int) else None

    def _inputs(self) -> dict[str, Any] | None:
        """Return the record of the inputs; None without a whole one."""
        data = read_signed(self / INPUTS)
        # The record is checked as strictly as can be: the fingerprint is that of the inputs.
        if data is None or data.get("fingerprint") != digest(data.get("inputs")):
            return None
        return data

    def has_contents(self) -> bool:
        """Return whether anything but lock files lies in the folder."""
        return self.path.is_dir() and any(not p.name.startswith(".") for p in self.path.iterdir())

    def make(self) -> None:
        """Make the folder if there is none.

        Raises
        ------
        UserError
            A link lies in its place.
        """
        if self.is_link:
            raise UserError(f"{shown(self.path)}: found a link; allowed: a folder; remove the link")
        self.path.mkdir(parents=True, exist_ok=True)

    def open_for(self, origin: Origin) -> list[Path]:
        """Make the folder ready for work on these inputs; return what had to be set aside.

        Work begun on the same inputs stays and is resumed. Anything else is moved into a hidden
        folder named for what it was: 'stale' (other inputs) or 'damaged' (unreadable).

        Raises
        ------
        UserError
            A link lies in the folder's place.
        OSError
            The disk is full or fails.
        """
        self.make()
        fingerprint = digest(origin)
        moved: list[Path | None] = []
        if self.has_contents() and self.started_from() != fingerprint:
            moved.append(self._move_contents("stale" if self.started_from() else "damaged"))
        moved += [set_aside(self / name, "damaged") for name in self._damaged(fingerprint)]
        (self / FAILURE).unlink(missing_ok=True)
        if self.started_from() != fingerprint:
            write_signed(self / INPUTS, {"fingerprint": fingerprint, "inputs": origin})
        return [path for path in moved if path is not None]

    def _damaged(self, fingerprint: str) -> Iterator[str]:
        """Yield the names of the files in the folder that must not be used."""
        if os.path.lexists(self / RESULT) and self.result(fingerprint) is None:
            found = self._read_result()
            yield RESULT
            yield from self._changed(found) if found else ()
        if os.path.lexists(self / FAILURE) and self.failure(fingerprint) is None:
            yield FAILURE
        progress = self / PROGRESS
        if os.path.lexists(progress) and not is_valid(Progress, read_signed(progress)):
            yield PROGRESS

    def _move_contents(self, why: str) -> Path:
        number = 1
        while os.path.lexists(target := self.path / f".{why}-{number}"):
            number += 1
        target.mkdir()
        for path in list(self.path.iterdir()):
            if not path.name.startswith("."):
                path.rename(target / path.name)
        return target

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 of some of the folder's files, by name."""
        return {name: file_digest(self / name) for name in names}

    def finish(self, result: Result) -> None:
        """Store the result; from now on the task is done.

        Raises
        ------
        ValueError
            It is none that such a task may have: a bug.
        OSError
            The disk is full or fails.
        """
        data = {"schema": SCHEMA, "task": self.name, **vars(result)}
        _as_result(data, self.kind)
        write_signed(self / RESULT, data)
        (self / PROGRESS).unlink(missing_ok=True)

    def fail(self, fingerprint: str, failure: Failure) -> None:
        """Store why the task has no result.

        Parameters
        ----------
        fingerprint
            Identity of what it was computed from.
        failure
            The reason; its message becomes one printable line.
        """
        data = {"schema": SCHEMA, "task": self.name, "fingerprint": fingerprint, **vars(failure)}
        data["message"] = one_line(failure.message)
        write_signed(self / FAILURE, checked(FailureRecord, data))
        (self / PROGRESS).unlink(missing_ok=True)

    def new_log(self, stem: str) -> Path:
        """Make an empty log `stem`-N.txt and return its path: no earlier log is written into."""
        number = 1
        while True:
            path = self.path / f"{stem}-{number}.txt"
            with naming_path(path):
                try:
                    path.touch(exist_ok=False)  # not through a link, not even a dangling one
                except FileExistsError:
                    number += 1
                else:
                    return path


def _as_result(data: object, kind: Kind) -> Result:
    """Return a record as the result of a kind of task; ValueError if it is none."""
    record = checked(ResultRecord, data)
    return Result(
        fingerprint=record["fingerprint"],
        values=cast("Values", checked(VALUES[kind], record["values"])),
        files=record["files"],
        seconds=record["seconds"],
        made_with=record["made_with"],
    )


def _is(path: Path, sha256: str) -> bool:
    try:
        return file_digest(path) == sha256
    except OSError:  # missing, not a file, not ours to read
        return False


class OnProgress(Protocol):
    """Is called with what is new in a task's progress; the rest is as before."""

    def __call__(self, **news: Unpack[Progress]) -> None:
        """Take what is new."""


class ProgressWriter:
    """Writes a task's progress for others to read.

    Parameters
    ----------
    folder
        The task's folder.
    interval
        Least time between two writes, seconds.
    """

    def __init__(self, folder: TaskFolder, interval: float = 0.5) -> None:
        self._folder, self._interval = folder, interval
        self._written = 0.0
        self._progress: Progress = {"started": time.time()}

    def __call__(self, **news: Unpack[Progress]) -> None:
        """Add news to the task's progress."""
        self._progress.update(news)
        now = time.monotonic()
        if now - self._written >= self._interval:
            self._written = now
            write_signed(self._folder / PROGRESS, {**self._progress, "updated": time.time()})
