"""What the logs of tasks end with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from workflows.campaign.directory import log_path
from workflows.system.messages import one_line, shown

MOST = 40  # logs that are shown


LINES, BYTES = 5, 2000  # of a log that are shown, and at most looked at


def ends_of_logs(names: Iterable[str], root: Path) -> Iterator[str]:
    """Yield for each task that has a log where it lies, and its last lines.

    Parameters
    ----------
    names
        The tasks' folders in the directory `root` of a run.
    """
    logs = ((name, log_path(root, name)) for name in names)
    for name, log in islice(((name, log) for name, log in logs if log.is_file()), MOST):
        yield f"{name}: log in {shown(log)}"
        yield from (f"    {line}" for line in _end_of(log))


def _end_of(log: Path) -> list[str]:
    """Return the last lines of a file that may be large."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - BYTES))
        text = file.read().decode(errors="replace")
    return [one_line(line) for line in text.splitlines()[-LINES:]]
