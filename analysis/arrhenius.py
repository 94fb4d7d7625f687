"""Activation energy of charge transfer from impedance at several temperatures.

T/R_ct = A exp(-E_a/(R T)), Nanoscale Horiz., 2022, 7, 899, text below Fig. 5 (its ref. 46).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import R

Array = NDArray[np.float64]

GAS_CONSTANT = float(R) / 1000.0  # kJ/(mol K)
COLDEST = 150.0  # K; what lies below was most likely meant in degrees Celsius
COLUMNS = ("temperature_K", "R_ct_ohm", "electrode")
MOST_ELECTRODES = 40  # more than a figure can tell apart; most likely another column was meant
# Python's float() takes more than a spreadsheet writes: 1_00, or digits of other scripts.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Fit:
    """A straight line through ln(T/R_ct) over 1/T.

    Attributes
    ----------
    activation_energy
        E_a in kJ/mol.
    activation_energy_error
        Standard error of E_a in kJ/mol; nan for two points, which leave nothing to judge it by.
    log_prefactor
        ln A with A in K/ohm.
    log_prefactor_error
        Standard error of ln A; nan for two points.
    temperatures
        Fitted temperatures in K with shape (n,).
    resistances
        Fitted charge-transfer resistances in ohm with shape (n,).
    """

    activation_energy: float
    activation_energy_error: float
    log_prefactor: float
    log_prefactor_error: float
    temperatures: Array
    resistances: Array

    @property
    def caveat(self) -> str:
        """Why the activation energy must not be read as one; empty where it may be."""
        if self.activation_energy_error >= abs(self.activation_energy):
            return "the uncertainty is as large as the value: these data do not determine E_a"
        if self.activation_energy <= 0.0:
            return "not above zero: the resistance does not fall as the temperature rises"
        return ""

    def predict(self, temperature: ArrayLike) -> Array:
        """Evaluate the fitted line.

        Parameters
        ----------
        temperature
            Temperatures in K, any shape.

        Returns
        -------
        ndarray
            ln(T/R_ct) with T/R_ct in K/ohm, shape of `temperature`.

        Raises
        ------
        ValueError
            If a temperature is not finite or too low to be in kelvin.
        """
        temperatures = _kelvin(temperature)
        # ln(T/R_ct) = ln A - E_a/(R T)
        return self.log_prefactor - self.activation_energy / (GAS_CONSTANT * temperatures)


def fit(temperature: ArrayLike, resistance: ArrayLike) -> Fit:
    """Fit the Arrhenius line by least squares of ln(T/R_ct) on 1/T.

    Parameters
    ----------
    temperature
        Temperatures in K with shape (n,), at least two of them different. Several cells measured
        at one temperature are several points.
    resistance
        Charge-transfer resistances in ohm with shape (n,).

    Returns
    -------
    Fit
        Activation energy in kJ/mol and ln of the prefactor with standard errors.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than two different temperatures, one is too low to be in
        kelvin, or a number is not positive and finite.

    References
    ----------
    Nanoscale Horiz., 2022, 7, 899, text below Fig. 5.
    """
    temperatures, resistances = _kelvin(temperature), np.array(resistance, dtype=np.float64)
    if temperatures.ndim != 1 or temperatures.shape != resistances.shape:
        msg = (
            f"temperatures have shape {temperatures.shape} and resistances {resistances.shape}: "
            "both must be (n,)"
        )
        raise ValueError(msg)
    if len(np.unique(temperatures)) < 2:
        msg = f"temperatures {temperatures.tolist()} K: two or more different ones are needed"
        raise ValueError(msg)
    if not (np.isfinite(resistances) & (resistances > 0.0)).all():
        msg = f"resistances {resistances.tolist()} ohm: all must be positive and finite"
        raise ValueError(msg)
    # ln(T/R_ct) = ln A - (E_a/R) (1/T)
    x, y = 1.0 / temperatures, np.log(temperatures / resistances)
    slope, intercept, slope_error, intercept_error = _line(x, y)
    return Fit(
        activation_energy=-slope * GAS_CONSTANT,
        activation_energy_error=slope_error * GAS_CONSTANT,
        log_prefactor=intercept,
        log_prefactor_error=intercept_error,
        temperatures=temperatures,
        resistances=resistances,
    )


def published_line(
    activation_energy: float, inverse_temperature: ArrayLike, reference: float = 298.15
) -> Array:
    """Draw the slope that an activation energy implies, where no data are printed to anchor it.

    Parameters
    ----------
    activation_energy
        E_a in kJ/mol.
    inverse_temperature
        1/T in 1/K (not 1000/T), any shape.
    reference
        Temperature in K where the line passes through zero.

    Returns
    -------
    ndarray
        ln(T/R_ct) less its value at the reference, shape of `inverse_temperature`.

    Raises
    ------
    ValueError
        If an inverse temperature is not finite and positive or too large to be in 1/K, or the
        reference is too low to be in kelvin.

    References
    ----------
    Nanoscale Horiz., 2022, 7, 899, Fig. 5j.
    """
    inverse = np.array(inverse_temperature, dtype=np.float64)
    if not (np.isfinite(inverse) & (inverse > 0.0) & (inverse <= 1.0 / COLDEST)).all():
        msg = f"inverse temperatures {inverse.tolist()}: 1/K from 0 to {1 / COLDEST:.4f} are needed"
        raise ValueError(msg)
    # ln(T/R_ct) - ln(T0/R_ct0) = -(E_a/R) (1/T - 1/T0)
    return -activation_energy / GAS_CONSTANT * (inverse - 1.0 / _kelvin(reference))


def read_table(text: str) -> dict[str, tuple[Array, Array]]:
    """Read measured resistances from the text of a CSV table.

    Parameters
    ----------
    text
        Lines of comma-separated values; the first names the columns ``temperature_K``,
        ``R_ct_ohm`` and ``electrode`` in any order, others are not looked at.

    Returns
    -------
    dict
        For each electrode, in order of appearance, temperatures in K and charge-transfer
        resistances in ohm, both with shape (n,).

    Raises
    ------
    ValueError
        If a column is missing, a line has too few or too many fields, a field is not a positive
        number (line and column are named), or there are more than 40 electrodes.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for line, row in _rows(text):
        if not row["electrode"]:
            msg = f"line {line}, column electrode: a name is needed, found nothing"
            raise ValueError(msg)
        point = _positive(row, "temperature_K", line), _positive(row, "R_ct_ohm", line)
        found.setdefault(row["electrode"], []).append(point)
    if len(found) > MOST_ELECTRODES:
        msg = f"column electrode: at most {MOST_ELECTRODES} names are allowed, found {len(found)}"
        raise ValueError(msg)
    if not found:
        msg = "table has no data: lines of temperature_K, R_ct_ohm and electrode are needed"
        raise ValueError(msg)
    columns = {name: np.array(points) for name, points in found.items()}
    return {name: (points[:, 0], points[:, 1]) for name, points in columns.items()}


def _line(x: Array, y: Array) -> tuple[float, float, float, float]:
    """Give slope and intercept of the least-squares line, then their errors (nan if n is 2)."""
    n, mean = len(x), float(x.mean())
    dx = x - mean
    spread = float(dx @ dx)
    # b = sum (x - <x>) y / sum (x - <x>)^2,  a = <y> - b <x>
    slope = float(dx @ y) / spread
    intercept = float(y.mean()) - slope * mean
    # s^2 = sum (y - a - b x)^2 / (n - 2)
    residuals = y - intercept - slope * x
    variance = float(residuals @ residuals) / (n - 2) if n > 2 else nan
    # err(b)^2 = s^2 / sum (x - <x>)^2,  err(a)^2 = s^2 (1/n + <x>^2 / sum (x - <x>)^2)
    return slope, intercept, sqrt(variance / spread), sqrt(variance * (1 / n + mean**2 / spread))


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(text.removeprefix("\ufeff").splitlines())
    header = [name.strip() for name in next(reader, [])]
    for column in COLUMNS:
        if header.count(column) != 1:
            msg = f"line 1: column {column} is needed once, found {', '.join(header) or 'nothing'}"
            raise ValueError(msg)
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            msg = f"line {reader.line_num}: {len(header)} columns are needed, found {len(fields)}"
            raise ValueError(msg)
        yield reader.line_num, dict(zip(header, (f.strip() for f in fields), strict=True))


def _positive(row: dict[str, str], column: str, line: int) -> float:
    number = float(row[column]) if NUMBER.fullmatch(row[column]) else nan
    if not (isfinite(number) and number > 0.0):
        msg = f"line {line}, column {column}: a positive number is needed, found {row[column]!r}"
        raise ValueError(msg)
    return number


def _kelvin(temperature: ArrayLike) -> Array:
    temperatures = np.array(temperature, dtype=np.float64)
    if not np.isfinite(temperatures).all():
        msg = f"temperatures {temperatures.tolist()}: all must be finite, in kelvin"
        raise ValueError(msg)
    if (temperatures < COLDEST).any():
        msg = (
            f"temperature {temperatures.min():g} is below {COLDEST:g}: "
            "kelvin is expected, not degrees Celsius"
        )
        raise ValueError(msg)
    return temperatures
