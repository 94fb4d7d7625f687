"""Tables as CSV text that spreadsheets open and none of them executes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from workflows.system.messages import one_line

Cell = str | float | None

FORMULA = ("=", "+", "-", "@")  # a cell that begins like this may be a formula


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as CSV: numbers with six decimals, nothing where there is none.

    Text is put on one line; what a spreadsheet would take for a formula gets an apostrophe.

    Parameters
    ----------
    header
        The names of the columns, with units.
    rows
        A cell for every column.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_cell, header))
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = one_line(value)
        return f"'{text}" if text.startswith(FORMULA) else text
    return f"{value:.6f}"
