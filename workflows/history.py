"""A journal of finished steps that survives any crash: one checked line of JSON per step.

A line is appended with one write and fsynced, so a kill can only leave a last line that is cut. Such a
line is recognised by its checksum and left out; the steps before it are all there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.store import digest, set_aside, write_text


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps({"record": record, "checksum": digest(record)}) + "\n"


def _parse(line: str) -> Any:
    try:
        data = json.loads(line)
        return data["record"] if data["checksum"] == digest(data["record"]) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class History:
    """The finished steps of a task, oldest first; survives kills between and within writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[dict[str, Any]] = []
        if path.exists():
            self._load()

    def _load(self) -> None:
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            record = _parse(line)
            if record is None:
                break
            self.records.append(record)
        if len(self.records) < len(lines):
            # Keep the evidence, and go on from the steps that are whole.
            set_aside(self.path, "damaged")
            write_text(self.path, "".join(_line(record) for record in self.records))

    def __len__(self) -> int:
        return len(self.records)

    def append(self, record: dict[str, Any]) -> None:
        """Add a step; once this returns, no kill can lose it."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, _line(record).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.records.append(record)
