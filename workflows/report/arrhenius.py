"""Measured charge-transfer resistances: a CSV file in, activation energies and panel (j) out."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from analysis import arrhenius, paper
from analysis.arrhenius import Fit
from workflows.case.reading import read_file
from workflows.report.images import save
from workflows.system.files import set_aside, write_bytes, write_text
from workflows.system.messages import UserError, one_line, shown


def write_arrhenius(fits: Mapping[str, Fit], into: Path) -> Path:
    """Draw measured resistances and their fits into `into`/figures; return the path of the png."""
    from analysis.figures import fig5

    folder = into / "figures"
    folder.mkdir(exist_ok=True)
    return save(fig5.arrhenius_panel(fits), folder, "arrhenius")[0]


COPY = "arrhenius.csv"


MAX_BYTES = 10_000_000


def fit_file(data: Path, into: Path) -> Iterator[str]:
    """Fit T/R_ct = A exp(-E_a/RT) for each electrode; write arrhenius.json and the figure.

    Yields a line for people per electrode, and one for the figure.

    Raises
    ------
    UserError
        The file cannot be read or its contents cannot be fitted.
    """
    content = _contents(data)
    fits = _fits(content, shown(data))
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    _keep(content, into / COPY)
    result = {name: _as_json(fit) for name, fit in fits.items()}
    write_text(into / "arrhenius.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    for name, fit in fits.items():
        published = paper.ACTIVATION_ENERGIES.get(name)
        beside = f"; published {published} kJ/mol" if published is not None else ""
        error = fit.activation_energy_error
        spread = " (two points: no uncertainty)" if math.isnan(error) else f" ± {error:.2f}"
        yield f"{shown(name)}: E_a = {fit.activation_energy:.2f}{spread} kJ/mol{beside}"
        if fit.caveat:
            yield f"{shown(name)}: {fit.caveat}"
    from workflows.report.arrhenius import write_arrhenius

    yield f"figure: {shown(write_arrhenius(fits, into))}"


def _keep(content: bytes, copy: Path) -> None:
    """Keep the data for the figure of a run in the same directory; others are set aside."""
    if copy.exists() and not (copy.is_file() and copy.read_bytes() == content):
        set_aside(copy, "before")
    write_bytes(copy, content)


def measured_fits(root: Path) -> dict[str, arrhenius.Fit] | None:
    """Return the fits to the data that were put into a run's directory, or None."""
    return read_fits(root / COPY) if (root / COPY).is_file() else None


def read_fits(data: Path) -> dict[str, arrhenius.Fit]:
    """Return a fit per electrode of a CSV file; errors as in `fit_file`."""
    return _fits(_contents(data), shown(data))


def _contents(data: Path) -> bytes:
    return read_file(data, MAX_BYTES, "a CSV file of measured resistances")


def _fits(content: bytes, source: str) -> dict[str, arrhenius.Fit]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{source}: not text in UTF-8; allowed: a CSV file") from None
    try:
        table = arrhenius.read_table(text)
    except (ValueError, csv.Error) as error:
        raise UserError(f"{source}: {_brief(error)}") from None
    return {
        name: _fit(*columns, f"{source}: electrode {name!r}") for name, columns in table.items()
    }


def _fit(temperatures: np.ndarray, resistances: np.ndarray, source: str) -> arrhenius.Fit:
    try:
        with np.errstate(all="raise"):
            return arrhenius.fit(temperatures, resistances)
    except ArithmeticError:  # 1e300 K, or temperatures that differ in their last digit
        raise UserError(
            f"{source}: no line can be drawn through these numbers; "
            "allowed: temperatures in K that differ, resistances in ohm"
        ) from None
    except ValueError as error:
        raise UserError(f"{source}: {_brief(error)}") from None


def _brief(error: Exception) -> str:
    text = one_line(str(error))
    return text if len(text) <= 300 else f"{text[:200]} ... {text[-90:]}"


def _as_json(fit: arrhenius.Fit) -> dict[str, float | str | None]:
    numbers = {
        "activation_energy_kJ_per_mol": fit.activation_energy,
        "activation_energy_error_kJ_per_mol": fit.activation_energy_error,
        "log_prefactor_K_per_ohm": fit.log_prefactor,
    }
    known = {key: None if math.isnan(value) else value for key, value in numbers.items()}
    return {**known, "points": len(fit.temperatures), "caveat": fit.caveat or None}
