"""Where the results of measured data go, and how they are worded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from analysis import paper
from workflows.report.csv_text import Cell, csv_text
from workflows.system.files import keep
from workflows.system.messages import UserError, one_line, shown


@contextmanager
def refusing(source: str, electrode: str) -> Iterator[None]:
    """Turn the ValueError of an analysis into one line that names file and electrode."""
    try:
        yield
    except ValueError as error:
        raise UserError(f"{source}: {shown(electrode)}: {one_line(str(error))}") from None


def make_directory(into: Path) -> None:
    """Make the directory for results; a file in its place is refused."""
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)


def write_table(
    into: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Write a CSV table; another one of that name is set aside."""
    keep(into / name, csv_text(header, rows).encode())


def small(number: float) -> Cell:
    """Return a positive number with six digits, for tables where six decimals are too few."""
    return f"{number:.6g}"


def file_names(electrodes: Iterable[str]) -> dict[str, str]:
    """Return, for each electrode, its name as part of a file name, unlike all others."""
    found: dict[str, str] = {}
    for electrode in electrodes:
        name = re.sub(r"[^A-Za-z0-9]+", "-", electrode).strip("-")[:40].lower() or "electrode"
        while name in found.values():
            name += "-2"
        found.setdefault(electrode, name)
    return found


def published(values: Mapping[str, float], electrode: str, unit: str) -> str:
    """Return the paper's value of an electrode that is named as there, to stand beside ours."""
    value = values.get(electrode)
    return "" if value is None else f"; published {value:g} {unit} ({paper.REFERENCE})"
