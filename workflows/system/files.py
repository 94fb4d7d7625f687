"""Files that are written whole or not at all, signed JSON, locks, names for what is set aside."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SET_ASIDE = re.compile(r"\.(damaged|stale|before)-\d+$")


TEMPORARY = re.compile(r"^\..*\.tmp$|^\.fig.*\.(png|pdf|svg)$")


LOOKS, PAUSE = 20, 0.02  # times and seconds that a lock is tried for


class Locked(Exception):
    """Somebody else is at work in this folder."""


def canonical(data: object) -> str:
    """Return `data` as JSON text that is the same for equal data: what checksums are taken of."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(data: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of JSON data."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, and a crash, sees the old one or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as `write_bytes` does, in UTF-8."""
    write_bytes(path, text.encode())


def write_signed(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON with its own checksum beside it, so that an edit by hand or a cut is noticed."""
    write_text(path, json.dumps({**data, "checksum": digest(dict(data))}, indent=1) + "\n")


def read_signed(path: Path) -> dict[str, Any] | None:
    """Return what `write_signed` wrote, or None if it is missing, cut, edited or not ours."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        checksum = data.pop("checksum")
        return data if checksum == digest(data) else None
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def numbered(path: Path, why: str) -> Path:
    """Return `NAME.WHY-N` beside `path` with the first N that is free."""
    number = 1
    while (free := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    return free


def set_aside(path: Path, why: str) -> Path | None:
    """Rename a file or folder to `NAME.WHY-N` and return its new path; None if there is none."""
    return path.rename(numbered(path, why)) if path.exists() else None


@contextmanager
def lock(path: Path, purpose: str) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when its owner ends, however it ends.

    Raises
    ------
    Locked
        Another living process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _take(descriptor):
            owner = path.read_text(errors="replace").strip() or "another process"
            raise Locked(f"{purpose} is already being worked on by {owner}")
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    # A look by `is_locked` holds the lock for an instant: only who holds it longer is at work.
    for _ in range(LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False


def is_locked(path: Path) -> bool:
    """Tell whether a living process holds the lock file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
