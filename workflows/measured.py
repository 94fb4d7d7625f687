"""Measured charge-transfer resistances: a CSV file in, activation energies and panel (j) out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from analysis import arrhenius, paper
from workflows.case import CaseError, one_line, shown
from workflows.store import write_bytes, write_text


COPY = "arrhenius.csv"


def fit_file(data: Path, into: Path) -> Iterator[str]:
    """Fit T/R_ct = A exp(-E_a/RT) for each electrode; write arrhenius.json and the figure.

    Yields a line for people per electrode, and one for the figure.

    Raises
    ------
    CaseError
        The file cannot be read or its contents cannot be fitted.
    """
    fits = read_fits(data)
    into.mkdir(parents=True, exist_ok=True)
    write_bytes(into / COPY, data.read_bytes())  # for the figure of a run in the same directory
    result = {name: _as_json(fit) for name, fit in fits.items()}
    write_text(into / "arrhenius.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    for name, fit in fits.items():
        published = paper.ACTIVATION_ENERGIES.get(name)
        beside = f"; published {published} kJ/mol" if published is not None else ""
        error = fit.activation_energy_error
        spread = f" ± {error:.2f}" if error == error else " (two points: no uncertainty)"  # noqa: PLR0124
        yield f"{name}: E_a = {fit.activation_energy:.2f}{spread} kJ/mol{beside}"
    from workflows.figures import write_arrhenius

    yield f"figure: {shown(write_arrhenius(fits, into))}"


def measured_fits(root: Path) -> dict[str, arrhenius.Fit] | None:
    """Return the fits to the data that were put into a run's directory, or None."""
    return read_fits(root / COPY) if (root / COPY).is_file() else None


def read_fits(data: Path) -> dict[str, arrhenius.Fit]:
    """Return a fit per electrode of a CSV file; errors as in `fit_file`."""
    try:
        table = arrhenius.read_table(data.read_text(encoding="utf-8-sig"))
        return {name: arrhenius.fit(*columns) for name, columns in table.items()}
    except OSError as error:
        raise CaseError(f"{shown(data)}: cannot be read ({error.strerror})") from None
    except ValueError as error:  # UnicodeDecodeError is one, too
        raise CaseError(f"{shown(data)}: {one_line(str(error))}") from None


def _as_json(fit: arrhenius.Fit) -> dict[str, float | None]:
    numbers = {
        "activation_energy_kJ_per_mol": fit.activation_energy,
        "activation_energy_error_kJ_per_mol": fit.activation_energy_error,
        "log_prefactor_K_per_ohm": fit.log_prefactor,
    }
    return {key: value if value == value else None for key, value in numbers.items()}  # noqa: PLR0124
