"""Measured files into columns of numbers: CSV, as spreadsheets and cellpy write it, and Bio-Logic.

A file is parsed and nothing else. Columns are known by the names of this program, with their unit,
or by those of EC-Lab (`Ewe/V`) and cellpy (`test_time`).
"""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.arrhenius import NUMBER
from workflows.case.reading import read_file
from workflows.system.messages import UserError, few, naming, one_line, shown

Column = NDArray[np.float64]
T = TypeVar("T")

MAX_BYTES = 100_000_000
MOST_FILES, MOST_ELECTRODES = 40, 40
LARGEST = 1e30  # in any unit; more is no measurement, and its square is no number
ELECTRODE = "electrode"
ALLOWED = "a CSV table or a Bio-Logic .mpr file of measured data"

# Our name of a quantity: other names, each with the factor from its unit to ours.
COLUMNS: Mapping[str, Mapping[str, float]] = {
    "frequency_Hz": {"freq/Hz": 1.0},
    "Z_real_ohm": {"Re(Z)/Ohm": 1.0},
    "Z_imag_ohm": {"minus_Z_imag_ohm": -1.0, "-Im(Z)/Ohm": -1.0},
    "temperature_K": {},
    "time_h": {"time_s": 1 / 3600, "time/s": 1 / 3600, "test_time": 1 / 3600},
    "voltage_V": {
        "Ewe/V": 1.0, "<Ewe>/V": 1.0, "Ecell/V": 1.0, "<Ewe/V>": 1.0, "voltage": 1.0,
    },
    "current_mA": {"current_A": 1e3, "I/mA": 1.0, "<I>/mA": 1.0, "current": 1e3},
    "current_density_mA_per_cm2": {},
    "overpotential_V": {},
}  # fmt: skip

# What galvani raises for a file that is damaged or of an unknown version.
DAMAGED = (ValueError, KeyError, IndexError, AssertionError, NotImplementedError, OSError,
           TypeError, OverflowError, struct.error)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Series:
    """What one file holds of one electrode.

    Attributes
    ----------
    electrode
        Its name.
    source
        The file, as messages name it.
    columns
        Numbers by the names of `COLUMNS`, in the units there, each with shape (n,).
    """

    electrode: str
    source: str
    columns: Mapping[str, Column]


def read_series(
    paths: Sequence[Path],
    names: Sequence[str],
    needed: Sequence[Collection[str]],
    optional: Collection[str] = (),
) -> list[Series]:
    """Read measured files.

    Parameters
    ----------
    paths
        The files.
    names
        Of the electrodes, where a file has no column `electrode`: one for all, or one for each
        file; the names of the files if empty.
    needed
        For each quantity the columns that it may stand in; the first that is there is taken.
    optional
        Further columns, taken where they are there.

    Returns
    -------
    list of Series
        One for every electrode of every file, in order.

    Raises
    ------
    UserError
        A file cannot be read, lacks a column, or has a field that is no number.
    """
    if len(paths) > MOST_FILES:
        raise UserError(f"found {len(paths)} files; allowed: at most {MOST_FILES}")
    given = for_each(names or [path.stem for path in paths], paths, "--electrode")
    found = [
        series
        for path, name in zip(paths, given, strict=True)
        for series in _read(path, name, needed, optional)
    ]
    if len({series.electrode for series in found}) > MOST_ELECTRODES:
        raise UserError(f"column {ELECTRODE}: at most {MOST_ELECTRODES} names are allowed")
    return found


def each_once(found: Iterable[Series]) -> Iterator[Series]:
    """Yield measurements of which every electrode may have one.

    Raises
    ------
    UserError
        When an electrode comes a second time.
    """
    seen = set[str]()
    for series in found:
        if series.electrode in seen:
            raise UserError(
                f"{series.source}: {shown(series.electrode)}: found a second time; allowed: each "
                "electrode once (--electrode names them)"
            )
        seen.add(series.electrode)
        yield series


def for_each(given: Sequence[T], paths: Sequence[Path], option: str) -> list[T]:
    """Return what an option gives for each file: one value for all, or one for each."""
    if len(given) not in (1, len(paths)):
        raise UserError(
            f"{option}: found {len(given)} values; allowed: one, or one for each file "
            f"({len(paths)}), divided by commas"
        )
    return list(given) * len(paths) if len(given) == 1 else list(given)


def _read(
    path: Path, name: str, needed: Sequence[Collection[str]], optional: Collection[str]
) -> list[Series]:
    content, source = read_file(path, MAX_BYTES, ALLOWED), shown(path)
    with naming(source):
        if content.startswith(b"BIO-LOGIC MODULAR FILE"):
            table = _mpr(content)
            wanted = _wanted(table, needed, optional)
            columns = {ours: factor * table[theirs] for ours, (theirs, factor) in wanted.items()}
            require_numbers(columns)
            return [Series(name, source, columns)]
        return [Series(*found) for found in _csv(content, source, name, needed, optional)]


def _wanted(
    header: Collection[str], needed: Sequence[Collection[str]], optional: Collection[str]
) -> dict[str, tuple[str, float]]:
    """Return, by our name, the column of a file that is taken and the factor to our unit."""
    taken: dict[str, tuple[str, float]] = {}
    for choices in [*needed, *([name] for name in optional)]:
        known = {
            theirs: (ours, factor)
            for ours in choices
            for theirs, factor in {ours: 1.0, **COLUMNS[ours]}.items()
        }
        theirs = next((name for name in known if name in header), None)
        if theirs is not None:
            ours, factor = known[theirs]
            taken[ours] = (theirs, factor)
        elif choices in needed:
            raise UserError(
                f"column {' or '.join(choices)} is needed, found "
                f"{one_line(few([str(name) for name in header], 8)) or 'nothing'}"
            )
    return taken


def _mpr(content: bytes) -> dict[str, Column]:
    """Return the columns of a Bio-Logic file; of columns with one name, the first."""
    try:
        from galvani.BioLogic import MPRfile
    except ModuleNotFoundError:
        raise UserError(
            "Bio-Logic files need galvani, the extra `measured`; allowed: pip install "
            "'sodiophile[measured]', or in a checkout: make measured"
        ) from None
    try:
        data = MPRfile(io.BytesIO(content)).data
        names = [name for name in data.dtype.names if name != "flags"]
        return {name: np.asarray(data[name], dtype=np.float64) for name in names}
    except DAMAGED as error:
        why = one_line(str(error))[:100] or type(error).__name__
        raise UserError(f"galvani cannot read it ({why}); allowed: a whole .mpr file") from None


def require_numbers(columns: Mapping[str, Column]) -> None:
    """Refuse columns without points, or with something else than numbers."""
    for name, column in columns.items():
        if not len(column):
            raise UserError("no data; allowed: at least one point")
        if (bad := np.flatnonzero(~(np.abs(column) < LARGEST))).size:
            raise UserError(
                f"point {int(bad[0]) + 1}, column {name}: a number is needed, found "
                f"{column[int(bad[0])]}"
            )


def _csv(
    content: bytes,
    source: str,
    name: str,
    needed: Sequence[Collection[str]],
    optional: Collection[str],
) -> Iterable[tuple[str, str, dict[str, Column]]]:
    """Yield electrode, source and columns of each electrode of a table."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"not text in UTF-8; allowed: {ALLOWED}") from None
    first = text.partition("\n")[0]
    divider = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider)
    rows: dict[str, list[list[float]]] = {}
    try:
        header = [field.strip() for field in next(reader, [])]
        wanted = _wanted(header, needed, optional)
        places = [header.index(theirs) for theirs, _ in wanted.values()]
        label = header.index(ELECTRODE) if ELECTRODE in header else None
        for fields in reader:
            if not any(map(str.strip, fields)):
                continue
            if len(fields) != len(header):
                raise UserError(
                    f"line {reader.line_num}: {len(header)} columns are needed, found {len(fields)}"
                )
            row = [_number(fields[k], header[k], reader.line_num) for k in places]
            rows.setdefault(name if label is None else fields[label].strip(), []).append(row)
    except csv.Error as error:
        raise UserError(f"line {reader.line_num}: {one_line(str(error))}") from None
    if not rows:
        raise UserError("no data; allowed: at least one line below the names of the columns")
    if "" in rows:
        raise UserError(f"column {ELECTRODE}: a name is needed in every line")
    for electrode, numbers in rows.items():
        array = np.array(numbers, dtype=np.float64)
        columns = {
            ours: factor * array[:, k] for k, (ours, (_, factor)) in enumerate(wanted.items())
        }
        yield electrode, source, columns


def _number(field: str, column: str, line: int) -> float:
    text = field.strip()
    number = float(text) if NUMBER.fullmatch(text) else np.inf
    if not abs(number) < LARGEST:
        found = text if len(text) <= 40 else f"{text[:40]}..."
        raise UserError(f"line {line}, column {column}: a number is needed, found {found!r}")
    return number
