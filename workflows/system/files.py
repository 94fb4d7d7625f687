"""Files that are written whole or not at all, signed JSON, locks, names for what is set aside.

A directory may have been copied, edited or filled by others. So only regular files are read, a link
is never written through, and an error names the path that people know.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Never

from workflows.system.messages import UserError, shown

SET_ASIDE = re.compile(r"\.(damaged|stale|before)-\d+$")


TEMPORARY = re.compile(r"^\..*\.tmp$|^\.fig.*\.(png|pdf|svg)$")


LARGEST_RECORD = 2**28  # bytes; more is no JSON of ours


LOOKS, PAUSE = 20, 0.02  # times and seconds that a lock is tried for


# Errors of a file system without locks, or whose lock server does not answer.
LOCKLESS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class Locked(Exception):
    """Somebody else is at work in this folder."""


class NotRegular(OSError):
    """A pipe, a device or a folder lies in the place of a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


def canonical(data: object) -> str:
    """Return `data` as JSON text that is the same for equal data: what checksums are taken of."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(data: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of JSON data."""
    return bytes_digest(canonical(data).encode())


def bytes_digest(content: bytes) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of some bytes."""
    return hashlib.sha256(content).hexdigest()


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading; anything else is refused and neither read nor waited for.

    Raises
    ------
    NotRegular
        A pipe, a device or a folder lies there.
    OSError
        Nothing lies there, or it may not be read.
    """
    # Without O_NONBLOCK, opening a pipe waits for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(path)
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file; raises what `open_regular` does."""
    with open_regular(path) as file, naming_path(path):
        return file.read()


def file_digest(path: Path) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a file's bytes; raises as `open_regular`."""
    with open_regular(path) as file, naming_path(path):
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def naming_path(path: Path) -> Iterator[None]:
    """Give an OSError the path that people know: not that of a temporary file, and not none."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, and a crash, sees the old one or the new one, never half.

    A link in its place is replaced, not written through.

    Raises
    ------
    OSError
        The disk is full or fails, say; it names `path`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with naming_path(path):
        try:
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:  # never through a link that lies there
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as `write_bytes` does, in UTF-8."""
    write_bytes(path, text.encode())


def append_bytes(path: Path, content: bytes) -> None:
    """Append to a file, which is made if there is none; once this returns, it is on the disk.

    Raises
    ------
    OSError
        A link lies there, or the disk is full or fails, say; it names `path`.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with naming_path(path):
        descriptor = os.open(path, flags, 0o644)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_signed(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON with its own checksum beside it, so that an edit by hand or a cut is noticed.

    Raises
    ------
    ValueError
        A number is infinite or none at all: JSON has no word for it.
    OSError
        As `write_bytes`.
    """
    signed = {**data, "checksum": digest(dict(data))}
    write_text(path, json.dumps(signed, indent=1, allow_nan=False) + "\n")


def read_signed(path: Path) -> dict[str, Any] | None:
    """Return what `write_signed` wrote, or None if it is missing, cut, edited or not ours."""
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST_RECORD)
        data: dict[str, Any] = json.loads(content.decode(), parse_constant=_refuse_constant)
        checksum = data.pop("checksum")
        return data if checksum == digest(data) else None
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number")


def numbered(path: Path, why: str) -> Path:
    """Return `NAME.WHY-N` beside `path` with the first N that is free."""
    number = 1
    while os.path.lexists(free := path.with_name(f"{path.name}.{why}-{number}")):
        number += 1
    return free


def set_aside(path: Path, why: str) -> Path | None:
    """Rename a file, folder or link to `NAME.WHY-N`; return its new path, None if nothing is there.

    Of a link it is the link that is renamed.
    """
    return path.rename(numbered(path, why)) if os.path.lexists(path) else None


def keep(path: Path, content: bytes) -> None:
    """Write a file unless it has this content already; another one is set aside first."""
    if path.is_file() and read_bytes(path) == content:
        return
    set_aside(path, "before")
    write_bytes(path, content)


@contextmanager
def lock(path: Path, purpose: str) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when its owner ends, however it ends.

    Parameters
    ----------
    path
        The lock file; it is made if there is none.
    purpose
        What it is held for: the start of the message if another process holds it.

    Raises
    ------
    Locked
        Another living process holds it.
    UserError
        Something that is not a file lies there, or the file system has no locks.
    """
    descriptor = _open_lock(path)
    try:
        if not _take(descriptor, path):
            owner = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            by = owner if owner.isprintable() and owner else "another process"
            raise Locked(f"{purpose} is already being worked on by {by}")
        with naming_path(path):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise
        raise _not_a_lock(path) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_lock(path)
    return descriptor


def _not_a_lock(path: Path) -> UserError:
    return UserError(
        f"{shown(path)}: found a link, folder or pipe; allowed: a lock file; remove it"
    )


def _take(descriptor: int, path: Path) -> bool:
    # A look by `is_locked` holds the lock for an instant: only who holds it longer is at work.
    for _ in range(LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # some file systems say EACCES for held locks
            time.sleep(PAUSE)
        except OSError as error:
            raise _without_locks(path, error) from error
        else:
            return True
    return False


def _without_locks(path: Path, error: OSError) -> Exception:
    """Return in one line what to do where a lock cannot be had."""
    where = shown(path.parent)
    if error.errno == errno.ESTALE:
        return UserError(f"{where}: its file server has lost it ({error.strerror}); run it again")
    if error.errno in LOCKLESS:
        return UserError(
            f"{where}: this file system has no file locks ({error.strerror}); choose another one, "
            "or have it mounted with them (Lustre: option flock; NFS: a running lockd)"
        )
    return OSError(error.errno, error.strerror, str(path))


def is_locked(path: Path) -> bool:
    """Return whether a living process holds the lock file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:  # without locks nobody can hold one
        return False
    finally:
        os.close(descriptor)
    return False
