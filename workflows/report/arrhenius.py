"""Measured charge-transfer resistances: a CSV file in, activation energies and panel (j) out."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import numpy as np

from analysis import arrhenius, paper
from analysis.arrhenius import Fit
from analysis.figures import fig5
from workflows.campaign.directory import FIGURES, FITS, RESISTANCES
from workflows.case.reading import read_file
from workflows.report.images import save
from workflows.report.tables import json_text
from workflows.system.files import keep, write_text
from workflows.system.messages import UserError, one_line, shown

MAX_BYTES = 10_000_000


def fit_file(data: Path, into: Path) -> Iterator[str]:
    """Fit T/R_ct = A exp(-E_a/RT) for each electrode; write arrhenius.json and the figure.

    Parameters
    ----------
    data
        CSV file with temperatures (K) and charge-transfer resistances (ohm).
    into
        Directory for the fits, the figure and a copy of the data.

    Yields
    ------
    str
        A line for each electrode, then one for the figure; energies in kJ/mol.

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
    keep(into / RESISTANCES, content)  # for the figures of a run in the same directory
    write_text(into / FITS, json_text({name: _fit_row(fit) for name, fit in fits.items()}))
    for name, fit in fits.items():
        published = paper.ACTIVATION_ENERGIES.get(name)
        beside = f"; published {published} kJ/mol" if published is not None else ""
        error = fit.activation_energy_error
        spread = " (two points: no uncertainty)" if math.isnan(error) else f" ± {error:.2f}"
        yield f"{shown(name)}: E_a = {fit.activation_energy:.2f}{spread} kJ/mol{beside}"
        if fit.caveat:
            yield f"{shown(name)}: {fit.caveat}"
    yield f"figure: {shown(save(fig5.arrhenius_panel(fits), into / FIGURES, 'arrhenius')[0])}"


def measured_fits(root: Path) -> dict[str, Fit]:
    """Return the fits to the data that were put into a run's directory; empty without any."""
    return read_fits(root / RESISTANCES) if (root / RESISTANCES).is_file() else {}


def read_fits(data: Path) -> dict[str, Fit]:
    """Return a fit per electrode of a CSV file; errors as in `fit_file`."""
    return _fits(_contents(data), shown(data))


def _contents(data: Path) -> bytes:
    return read_file(data, MAX_BYTES, "a CSV file of measured resistances")


def _fits(content: bytes, source: str) -> dict[str, Fit]:
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


def _fit(temperatures: np.ndarray, resistances: np.ndarray, source: str) -> Fit:
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


class FitRow(TypedDict):
    """An electrode in arrhenius.json; None for an error that two points leave unknown.

    `caveat` is why the activation energy must not be read as one, or None.
    """

    activation_energy_kJ_per_mol: float
    activation_energy_error_kJ_per_mol: float | None
    log_prefactor_K_per_ohm: float
    points: int
    caveat: str | None


def _fit_row(fit: Fit) -> FitRow:
    error = fit.activation_energy_error
    return {
        "activation_energy_kJ_per_mol": fit.activation_energy,
        "activation_energy_error_kJ_per_mol": None if math.isnan(error) else error,
        "log_prefactor_K_per_ohm": fit.log_prefactor,
        "points": len(fit.temperatures),
        "caveat": fit.caveat or None,
    }
