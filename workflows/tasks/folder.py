"""One folder per task: what it was computed from, how far it is, and its result.

A result is believed only if it parses, its checksum holds, its files are the ones that it names,
and it was computed from the inputs that the case asks for now. Whatever fails that test is set
aside under a name that says so, never deleted and never used.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.system.files import (
    digest,
    file_digest,
    is_locked,
    read_signed,
    set_aside,
    write_signed,
)

SCHEMA = "sodiophile-task/1"


# values that say how a number was come by, and change none
EFFORT = (
    "scf_iterations", "retries", "peak_memory",
    "gpaw_seconds", "process_seconds", "cpu_seconds",
)  # fmt: skip


DENSITY = "density.npy"  # a system's all-electron density, e/angstrom^3; not needed once it is used


RESULT, FAILURE, INPUTS, PROGRESS, LOCK = (
    "result.json", "failure.json", "inputs.json", "progress.json", ".lock",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What a finished task found: `values` as documented in docs/results.md, and its files."""

    fingerprint: str
    values: dict[str, Any]
    files: dict[str, str]  # name -> SHA-256
    seconds: float
    made_with: dict[str, str]

    @property
    def digest(self) -> str:
        """Identity of the numbers, for the fingerprints of tasks that build on them."""
        numbers = {name: value for name, value in self.values.items() if name not in EFFORT}
        return digest([self.fingerprint, numbers, self.files])


class TaskFolder:
    """The folder of one task; making the object touches no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def result(self, fingerprint: str | None = None) -> Result | None:
        """Return the result if it is whole and, if asked for, of this fingerprint; else None."""
        found = _parse_result(read_signed(self / RESULT))
        if found is None or fingerprint not in (None, found.fingerprint):
            return None
        return None if self._changed(found) else found

    def _changed(self, result: Result) -> list[str]:
        """Return those of a result's files that are missing or not as they were written."""
        return [name for name, sha256 in result.files.items() if not _is(self / name, sha256)]

    def failure(self, fingerprint: str) -> dict[str, Any] | None:
        """Return why the task failed with these very inputs, if it did."""
        data = read_signed(self / FAILURE)
        if data is None or data.get("fingerprint") != fingerprint:
            return None
        told = all(isinstance(data.get(key), str) for key in ("reason", "message"))
        return data if told else None

    def progress(self) -> dict[str, Any]:
        """Return the last words of a running task: step, fmax, ...; empty if there are none."""
        return read_signed(self / PROGRESS) or {}

    def is_running(self) -> bool:
        """Tell whether a living process works on the task."""
        return is_locked(self / LOCK)

    def started_from(self) -> str | None:
        """Return the fingerprint of the inputs that the folder's contents belong to."""
        data = read_signed(self / INPUTS)
        fingerprint = None if data is None else data.get("fingerprint")
        return fingerprint if isinstance(fingerprint, str) else None

    def has_contents(self) -> bool:
        """Tell whether anything but lock files lies in the folder."""
        return self.path.is_dir() and any(not p.name.startswith(".") for p in self.path.iterdir())

    def open_for(self, fingerprint: str, inputs: Mapping[str, Any]) -> list[Path]:
        """Make the folder ready for work on these inputs; return what had to be set aside.

        Work begun on the same inputs stays and is gone on with. Anything else is moved into a
        hidden folder that says what it was: 'stale' (other inputs) or 'damaged' (unreadable).
        """
        moved: list[Path | None] = []
        if self.has_contents() and self.started_from() != fingerprint:
            moved.append(self._move_contents("stale" if self.started_from() else "damaged"))
        moved += [set_aside(self / name, "damaged") for name in self._damaged(fingerprint)]
        (self / FAILURE).unlink(missing_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)
        if self.started_from() != fingerprint:
            write_signed(self / INPUTS, {"fingerprint": fingerprint, "inputs": dict(inputs)})
        return [path for path in moved if path is not None]

    def _damaged(self, fingerprint: str) -> Iterator[str]:
        """Yield the names of the files in the folder that are not to be believed."""
        if (self / RESULT).exists() and self.result(fingerprint) is None:
            unbelieved = _parse_result(read_signed(self / RESULT))
            yield RESULT
            yield from self._changed(unbelieved) if unbelieved else ()
        if (self / FAILURE).exists() and self.failure(fingerprint) is None:
            yield FAILURE
        if (self / PROGRESS).exists() and read_signed(self / PROGRESS) is None:
            yield PROGRESS

    def _move_contents(self, why: str) -> Path:
        number = 1
        while (target := self.path / f".{why}-{number}").exists():
            number += 1
        target.mkdir()
        for path in list(self.path.iterdir()):
            if not path.name.startswith("."):
                path.rename(target / path.name)
        return target

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return the checksums of some of the folder's files, by name."""
        return {name: file_digest(self / name) for name in names}

    def finish(self, result: Result) -> None:
        """Store the result; from now on the task is done."""
        write_signed(self / RESULT, {"schema": SCHEMA, "task": self.name, **vars(result)})
        (self / PROGRESS).unlink(missing_ok=True)

    def fail(self, fingerprint: str, reason: str, message: str, seconds: float) -> None:
        """Store why the task has no result: a short name for the reason, and a line for people."""
        data = {"schema": SCHEMA, "task": self.name, "fingerprint": fingerprint, "reason": reason}
        write_signed(self / FAILURE, {**data, "message": message, "seconds": seconds})
        (self / PROGRESS).unlink(missing_ok=True)

    def next_log(self, stem: str) -> Path:
        """Return a log path that is not taken: going on never erases an earlier log."""
        number = 1
        while (path := self.path / f"{stem}-{number}.txt").exists():
            number += 1
        return path


def _parse_result(data: Mapping[str, Any] | None) -> Result | None:
    """Return signed data as a result, or None if it is not built like one."""
    if data is None or data.get("schema") != SCHEMA:
        return None
    kinds: dict[str, type | tuple[type, ...]] = {
        "fingerprint": str, "values": dict, "files": dict, "seconds": (int, float),
        "made_with": dict,
    }  # fmt: skip
    if not all(isinstance(data.get(key), kind) for key, kind in kinds.items()):
        return None
    if not all(isinstance(text, str) for text in data["files"].values()):
        return None
    return Result(**{key: data[key] for key in kinds})


def _is(path: Path, sha256: str) -> bool:
    try:
        return file_digest(path) == sha256
    except (OSError, ValueError):  # missing, a folder, not ours to read; not a name
        return False


class Reporter:
    """Writes a task's progress for others to read, at most twice a second."""

    def __init__(self, folder: TaskFolder, interval: float = 0.5) -> None:
        self._folder, self._interval = folder, interval
        self._written = 0.0
        self._state: dict[str, Any] = {"started": time.time()}

    def __call__(self, **news: Any) -> None:
        """Add news (step, fmax in eV/angstrom, scf iteration, ...) to the task's progress."""
        self._state |= news
        now = time.monotonic()
        if now - self._written >= self._interval:
            self._written = now
            write_signed(self._folder / PROGRESS, {**self._state, "updated": time.time()})
