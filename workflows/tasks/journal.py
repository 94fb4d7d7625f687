"""A journal of finished steps that survives any crash: one checked line of JSON per step.

A line is appended with one write and fsynced, so a kill can only leave a last line that is cut.
Such a line is recognised by its checksum and left out; the steps before it are all there.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.system.files import digest, numbered, set_aside, write_bytes


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps({"record": record, "checksum": digest(record)}).encode() + b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(line.decode())
        record = data["record"]
        whole = isinstance(record, dict) and data["checksum"] == digest(record)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if whole else None


def whole_records(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a journal up to one that is cut; none if there is no journal.

    Unlike a `History` this leaves the file alone: somebody may be writing to it.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [record for record in itertools.takewhile(bool, map(_parse, lines)) if record]


class History:
    """The finished steps of a task, oldest first; survives kills between and within writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[dict[str, Any]] = []
        try:
            self._load()
        except FileNotFoundError:
            pass
        except OSError:  # a folder, or not ours to read
            set_aside(path, "damaged")

    def _load(self) -> None:
        content = self.path.read_bytes()
        for line in content.split(b"\n"):
            record = _parse(line)
            if record is None:
                break
            self.records.append(record)
        # A last line without its end is a whole step, but the next one would be written onto it.
        if content != self._content():
            self._rewrite(content)

    def _content(self) -> bytes:
        return b"".join(map(_line, self.records))

    def _rewrite(self, damaged: bytes) -> None:
        """Keep the evidence, and go on from the steps that are whole: at no time are they lost."""
        write_bytes(numbered(self.path, "damaged"), damaged)
        write_bytes(self.path, self._content())

    def __len__(self) -> int:
        return len(self.records)

    def append(self, record: dict[str, Any]) -> None:
        """Add a step; once this returns, no kill can lose it."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            line = _line(record)
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.records.append(record)

    def cut(self, number: int) -> None:
        """Go on from the first `number` steps: the others do not belong to this task."""
        damaged = self._content()
        del self.records[number:]
        self._rewrite(damaged)
