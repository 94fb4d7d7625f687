"""A journal of finished steps that survives any crash: one checked line of JSON per step.

A line is appended with one write and fsynced, so a kill can only leave a last line that is cut.
Such a line is recognised by its checksum and left out; the steps before it are all there. Every
line carries the fingerprint of what it was computed from: those of another task are not used.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from workflows.system.files import (
    append_bytes,
    digest,
    numbered,
    read_bytes,
    set_aside,
    write_bytes,
)
from workflows.tasks.validation import checked

RecordT = TypeVar("RecordT", bound=Mapping[str, Any])


def _line(record: Mapping[str, Any], fingerprint: str) -> bytes:
    if not fingerprint:
        return json.dumps({"record": record, "checksum": digest(record)}).encode() + b"\n"
    signed = {"record": record, "of": fingerprint, "checksum": digest([fingerprint, record])}
    return json.dumps(signed).encode() + b"\n"


def _parse(line: bytes, kind: type[RecordT]) -> tuple[RecordT, str] | None:
    """Return the record of a line and the fingerprint that it carries; None if it is not whole."""
    try:
        data = json.loads(line.decode())
        record, fingerprint = data["record"], data.get("of", "")
        signed = [fingerprint, record] if fingerprint else record
        if data["checksum"] != digest(signed):
            return None
        return checked(kind, record), fingerprint
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def whole_records(path: Path, kind: type[RecordT]) -> list[RecordT]:
    """Return the whole lines of a journal up to one that is cut, whatever they were computed from.

    Unlike a `Journal` this leaves the file alone: somebody may be writing to it.

    Parameters
    ----------
    path
        The journal; without one there are no records.
    kind
        Type of a record, a TypedDict.
    """
    try:
        lines = read_bytes(path).split(b"\n")
    except OSError:
        return []
    parsed = (_parse(line, kind) for line in lines)
    return [found[0] for found in itertools.takewhile(bool, parsed) if found]


class Journal(Generic[RecordT]):
    """The finished steps of a task, oldest first; survives kills between and within writes.

    Parameters
    ----------
    path
        The file; made with the first step.
    kind
        Type of a record, a TypedDict.
    fingerprint
        Identity of what the steps are computed from. Steps of anything else are set aside.
    """

    def __init__(self, path: Path, kind: type[RecordT], fingerprint: str = "") -> None:
        self.path = path
        self.records: list[RecordT] = []
        self._kind, self._fingerprint = kind, fingerprint
        if path.is_symlink():
            set_aside(path, "damaged")
        try:
            self._load()
        except FileNotFoundError:
            pass
        except OSError:  # a folder or a pipe, or not ours to read
            set_aside(path, "damaged")

    def _load(self) -> None:
        content = read_bytes(self.path)
        for line in content.split(b"\n"):
            found = _parse(line, self._kind)
            if found is None or found[1] != self._fingerprint:
                break
            self.records.append(found[0])
        # A last line without its end is a whole step, but the next one would be written onto it.
        if content != self._content():
            self._rewrite(content)

    def _content(self) -> bytes:
        return b"".join(_line(record, self._fingerprint) for record in self.records)

    def _rewrite(self, damaged: bytes) -> None:
        """Keep the evidence, and the steps that are whole: at no time are they lost."""
        write_bytes(numbered(self.path, "damaged"), damaged)
        write_bytes(self.path, self._content())

    def __len__(self) -> int:
        return len(self.records)

    def append(self, record: RecordT) -> None:
        """Add a step; once this returns, no kill can lose it.

        Raises
        ------
        OSError
            The disk is full or fails; it names the journal.
        """
        append_bytes(self.path, _line(record, self._fingerprint))
        self.records.append(record)

    def cut(self, number: int) -> None:
        """Resume after the first `number` steps: the others are set aside."""
        damaged = self._content()
        del self.records[number:]
        self._rewrite(damaged)
