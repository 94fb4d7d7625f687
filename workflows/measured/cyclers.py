"""Files of cyclers that cellpy reads: Arbin, Maccor, Neware and PEC."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from workflows.case.reading import read_file
from workflows.measured.cellpy_library import new_cell, quiet, set_divider
from workflows.measured.series import MAX_BYTES, Column, Series, require_numbers
from workflows.system.messages import UserError, naming, one_line, shown

CSV = "csv"
# By our name: cellpy's loader and its model. Left out are those that open a database, unpickle
# (Arbin's .h5) or follow a definition of the user's, spreadsheets, and Maccor's other formats (of
# one, cellpy takes minutes for seconds).
CYCLERS: Mapping[str, tuple[str, str | None]] = {
    "arbin-res": ("arbin_res", None),
    "arbin-csv": ("arbin_sql_csv", None),
    "maccor": ("maccor_txt", "one"),
    "neware": ("neware_txt", "UIO"),
    "neware-mA": ("neware_txt", "UIO_AGA"),
    "pec": ("pec_csv", None),
}
ALLOWED = "a file of measured cycles"
MDBTOOLS = "mdb-export"  # cellpy runs it on Arbin's .res, which are databases of Access

# Our name of a quantity: cellpy's, its kind there and our unit; time is in seconds there.
COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "voltage_V": ("voltage", "voltage", "V"),
    "current_mA": ("current", "current", "mA"),
    "charge_mAh": ("charge_capacity", "charge", "mAh"),
    "discharge_mAh": ("discharge_capacity", "charge", "mAh"),
}


def read_cycler(path: Path, cycler: str, electrode: str) -> Series:
    """Read a file of a cycler.

    Parameters
    ----------
    path
        The file.
    cycler
        One of `CYCLERS`.
    electrode
        Its name.

    Returns
    -------
    Series
        With time_h, voltage_V, current_mA, cycle, step and, except for Maccor, charge_mAh and
        discharge_mAh: what has passed since the start of the cycle.

    Raises
    ------
    UserError
        The file cannot be read, or is another one.
    """
    content, source = read_file(path, MAX_BYTES, ALLOWED), shown(path)
    with naming(source):
        if cycler == "arbin-res" and shutil.which(MDBTOOLS) is None:
            raise UserError(f"Arbin's .res files need {MDBTOOLS} (the package mdbtools)")
        columns = _columns(content, cycler)
        require_numbers(columns)
    return Series(electrode, source, columns)


def _columns(content: bytes, cycler: str) -> dict[str, Column]:
    loader, model = CYCLERS[cycler]
    with TemporaryDirectory() as folder, quiet():
        # A copy, because cellpy takes names of files for addresses, and writes beside them.
        copy = Path(folder, "measured")
        copy.write_bytes(content if loader == "arbin_res" else _as_utf8(content))
        cell = new_cell(loader)
        try:
            cell.set_instrument(loader, **_options(loader, model))
            if loader == "arbin_sql_csv":
                first = content.partition(b"\n")[0].decode("latin-1")
                set_divider(max(",;\t", key=first.count))
            cell.from_raw(str(copy), refuse_copying=True)
            raw = cell.data.raw.reset_index(drop=True).sort_values("data_point")
            found = {"time_h": raw["test_time"] / 3600, "cycle": raw["cycle_index"]}
            found["step"] = raw["step_index"]
            for ours, (theirs, kind, unit) in COLUMNS.items():
                if theirs in raw.columns:
                    found[ours] = raw[theirs] * cell.unit_scaler_from_raw(unit, kind)
            columns = {name: np.array(column, dtype=np.float64) for name, column in found.items()}
            if loader == "maccor_txt":
                states = cell.loader_class.config_params.states
                discharge = raw[states["column_name"]].isin(states["discharge_keys"]).to_numpy()
                columns["current_mA"] *= np.where(discharge, -1.0, 1.0)
                del columns["charge_mAh"], columns["discharge_mAh"]
        except Exception as error:  # a loader meets whatever a file of another kind holds
            why = one_line(str(error))[:100] or type(error).__name__
            raise UserError(
                f"cellpy cannot read it as --cycler {cycler} ({why}); allowed: one of "
                f"{', '.join([CSV, *CYCLERS])}"
            ) from None
    return columns


def _options(loader: str, model: str | None) -> dict[str, Any]:
    if loader != "maccor_txt":
        return {"model": model}
    # cellpy 1.0 divides Maccor's current and capacity by state with pandas.Series.update(...,
    # inplace=True), which does not exist, and returns zeros: the current gets its sign here, and
    # its integral stands in for the capacity.
    return {"model": model, "post_processors": {"split_current": False}}


def _as_utf8(content: bytes) -> bytes:
    """Return text as cellpy opens it, also where the cycler wrote in Latin-1."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1").encode()
    return content
