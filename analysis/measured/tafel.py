"""Exchange current density from a Tafel plot: log10|i| = log10 i_0 + |η|/b."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import physical_constants
from scipy.stats import linregress

Real = NDArray[np.float64]

WINDOW = (0.1, 0.2)  # V: the reverse reaction is below 2 %
TEMPERATURE = 298.15  # K
FEWEST = 6  # points of a branch in the window
BENT = 0.1  # relative difference of the slopes of both halves up to which a line is straight
REVERSE = 0.05  # relative change of i_0 by the reverse reaction up to which it is left out
VOLT = float(physical_constants["Boltzmann constant in eV/K"][0])  # RT/F in V per K


@dataclass(frozen=True, eq=False)
class Branch:
    """The line fitted to one branch of a Tafel plot.

    Attributes
    ----------
    name
        'cathodic' (η < 0: plating) or 'anodic'.
    exchange_current, exchange_current_error
        i_0 and its standard error in mA/cm^2.
    slope, slope_error
        b and its standard error in V per decade.
    corrected
        i_0 in mA/cm^2 with the reverse reaction included (Allen and Hickling): from the line
        through log10(|i|/(1 - exp(-F|η|/RT))).
    halves
        Slopes b of the lower and of the upper half of the window, V per decade.
    window
        Lowest and highest |η| that were asked for, V.
    temperature
        In K.
    overpotentials, currents
        |η| in V and |i| in mA/cm^2 of the fitted points with shape (n,).
    """

    name: str
    exchange_current: float
    exchange_current_error: float
    slope: float
    slope_error: float
    corrected: float
    halves: tuple[float, float]
    window: tuple[float, float]
    temperature: float
    overpotentials: Real
    currents: Real

    @property
    def transfer_coefficient(self) -> float:
        """RT ln(10)/(F b), for one electron, and |η| that of one electrode."""
        return VOLT * self.temperature * log(10.0) / self.slope

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why i_0 must not be read as one; empty where it may be."""
        found = []
        if self.slope <= 0.0:
            found.append("the current falls as the overpotential grows: no Tafel line")
        lower, upper = self.halves
        if abs(upper - lower) > BENT * abs(self.slope):
            found.append(
                f"not a straight line: {1e3 * lower:.0f} mV per decade in the lower half of the "
                f"window, {1e3 * upper:.0f} in the upper; i_0 depends on the window"
            )
        if abs(self.corrected - self.exchange_current) > REVERSE * self.exchange_current:
            found.append(
                f"with the reverse reaction included i_0 is {self.corrected:.3g} mA/cm²: the "
                "window begins too near to zero"
            )
        return tuple(found)


def overpotential(potential: ArrayLike, current: ArrayLike) -> Real:
    """Give potentials against that without current, where the current changes its sign.

    Parameters
    ----------
    potential
        In V with shape (n,).
    current
        In any unit with shape (n,).

    Returns
    -------
    ndarray
        η in V with shape (n,).

    Raises
    ------
    ValueError
        The current changes its sign never, or more than once.
    """
    order = np.argsort(np.asarray(potential, dtype=np.float64), kind="stable")
    v = np.asarray(potential, dtype=np.float64)[order]
    i = np.asarray(current, dtype=np.float64)[order]
    crossings = np.flatnonzero(np.signbit(i[1:]) != np.signbit(i[:-1]))
    if len(crossings) != 1:
        raise ValueError(
            f"the current changes its sign {len(crossings)} times; allowed: once, or a column "
            "overpotential_V"
        )
    k = int(crossings[0])
    zero = v[k] - i[k] * (v[k + 1] - v[k]) / (i[k + 1] - i[k])
    eta: Real = np.asarray(potential, dtype=np.float64) - zero
    return eta


def fit(
    eta: ArrayLike,
    current: ArrayLike,
    window: tuple[float, float] = WINDOW,
    temperature: float = TEMPERATURE,
) -> list[Branch]:
    """Fit a Tafel line to each branch that has points in the window.

    Parameters
    ----------
    eta
        Overpotentials in V with shape (n,); negative: cathodic.
    current
        Current densities in mA/cm^2 with shape (n,); only their size counts.
    window
        Lowest and highest |η| of the fit, V.
    temperature
        In K.

    Returns
    -------
    list of Branch
        Cathodic, anodic, or both.

    Raises
    ------
    ValueError
        Neither branch has six points in the window.

    References
    ----------
    A. J. Bard and L. R. Faulkner, Electrochemical Methods, 2nd ed., 2001, section 3.4.3;
    P. L. Allen and A. Hickling, Trans. Faraday Soc., 1957, 53, 1626 (with the reverse reaction).
    """
    low, high = window
    v, i = np.asarray(eta, dtype=np.float64), np.abs(np.asarray(current, dtype=np.float64))
    inside = (np.abs(v) >= low) & (np.abs(v) <= high) & (i > 0.0)
    sides = {"cathodic": inside & (v < 0.0), "anodic": inside & (v > 0.0)}
    usable = {n: s for n, s in sides.items() if s.sum() >= FEWEST and np.ptp(v[s]) > 0.0}
    if not usable:
        counts = " and ".join(f"{int(side.sum())} {name}" for name, side in sides.items())
        raise ValueError(
            f"found {counts} points from {1e3 * low:g} to {1e3 * high:g} mV; allowed: at least "
            f"{FEWEST} (the data reach from {1e3 * v.min():.0f} to {1e3 * v.max():.0f} mV)"
        )
    return [
        _branch(name, np.abs(v[side]), i[side], window, temperature)
        for name, side in usable.items()
    ]


def _branch(
    name: str, eta: Real, current: Real, window: tuple[float, float], temperature: float
) -> Branch:
    order = np.argsort(eta)
    eta, current = eta[order], current[order]
    # log10|i| = log10 i_0 + |η|/b
    line = linregress(eta, np.log10(current))
    reverse = -np.expm1(-eta / (VOLT * temperature))
    with_reverse = linregress(eta, np.log10(current / reverse))
    half = len(eta) // 2
    halves = [
        float(1.0 / linregress(eta[part], np.log10(current[part])).slope)
        for part in (slice(0, half), slice(half, None))
    ]
    exchange = float(10.0**line.intercept)
    return Branch(
        name=name,
        exchange_current=exchange,
        # err(i_0) = i_0 ln(10) err(log10 i_0),  err(b) = b^2 err(1/b)
        exchange_current_error=exchange * log(10.0) * float(line.intercept_stderr),
        slope=float(1.0 / line.slope),
        slope_error=float(line.stderr / line.slope**2),
        corrected=float(10.0**with_reverse.intercept),
        halves=(halves[0], halves[1]),
        window=window,
        temperature=temperature,
        overpotentials=eta,
        currents=current,
    )
