"""Nucleation overpotential: the dip of the voltage at the start of plating, against the plateau.

The difference between the lowest voltage and the later, stable plateau (K. Yan et al., Nat. Energy,
2016, 1, 16010), as in Nanoscale Horiz., 2022, 7, 899, Fig. 3a.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]

FEWEST = 5  # points of the plateau
PLATEAU = (0.5, 0.9)  # of the plating step, where the plateau is taken if no window is given
RESTING = 0.01  # of the largest current: less is rest
DEEP = 5.0  # of the noise of a point: less may be the lowest of many noisy points
DRIFT = 0.1  # of the overpotential: how much the plateau may change over its window


@dataclass(frozen=True, eq=False)
class Nucleation:
    """The dip and the plateau of a plating step.

    Attributes
    ----------
    times, voltages
        The plating step, in h from its start and in V, with shape (n,).
    start
        Start of the step in h of the measurement.
    minimum, minimum_time
        Lowest voltage before the plateau in V, and its time in h from the start of the step.
    plateau
        Median voltage of the plateau in V.
    window
        Start and end of the plateau in h from the start of the step.
    drift
        Change of the voltage over the window by a straight line, V.
    noise
        Standard deviation of a point about that line, V.
    overpotential, overpotential_error
        plateau - minimum and its standard error, V: both from the noise of a point.
    """

    times: Real
    voltages: Real
    start: float
    minimum: float
    minimum_time: float
    plateau: float
    window: tuple[float, float]
    drift: float
    noise: float
    overpotential: float
    overpotential_error: float

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why the overpotential must not be read as one; empty where it may be."""
        found = []
        if self.overpotential <= DEEP * self.noise:
            found.append("no dip: not five times as deep as the noise of the plateau")
        if abs(self.drift) > DRIFT * abs(self.overpotential):
            found.append(
                f"no plateau: the voltage changes by {1e3 * self.drift:.1f} mV from "
                f"{self.window[0]:.3g} to {self.window[1]:.3g} h"
            )
        if self.minimum_time == self.times[0]:
            found.append("the lowest voltage is the first point: the dip may be deeper")
        return tuple(found)


def plating_step(voltage: ArrayLike, current: ArrayLike | None = None) -> slice:
    """Find the first plating step: consecutive points of negative voltage, with current.

    Parameters
    ----------
    voltage
        In V with shape (n,).
    current
        In any unit with shape (n,), where it was measured.

    Returns
    -------
    slice
        Of the first run that is at least half as long as the longest.

    Raises
    ------
    ValueError
        No voltage is negative.
    """
    plating = np.asarray(voltage, dtype=np.float64) < 0.0
    if current is not None:
        size = np.abs(np.asarray(current, dtype=np.float64))
        plating &= size > RESTING * size.max()
    edges = np.flatnonzero(np.diff(plating.astype(int), prepend=0, append=0))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        raise ValueError("found no negative voltage under current; allowed: plating is negative")
    lengths = runs[:, 1] - runs[:, 0]
    first = int(np.flatnonzero(2 * lengths >= lengths.max())[0])
    return slice(int(runs[first, 0]), int(runs[first, 1]))


def nucleation(
    time: ArrayLike,
    voltage: ArrayLike,
    current: ArrayLike | None = None,
    window: tuple[float, float] | None = None,
) -> Nucleation:
    """Measure the dip of the first plating step.

    Parameters
    ----------
    time
        In h with shape (n,), rising.
    voltage
        In V with shape (n,); plating is negative.
    current
        In any unit with shape (n,), where it was measured: rests are left out.
    window
        Start and end of the plateau in h from the start of the step; from half to nine tenths of
        the step if None.

    Returns
    -------
    Nucleation
        The overpotential, with what it was taken from.

    Raises
    ------
    ValueError
        There is no plating step, the time does not rise, or too few points lie before or in the
        window.
    """
    step = plating_step(voltage, current)
    t, v = np.asarray(time, dtype=np.float64)[step], np.asarray(voltage, dtype=np.float64)[step]
    if len(t) < 2 * FEWEST or not (np.diff(t) > 0.0).all():
        raise ValueError(
            f"found a plating step of {len(t)} points; allowed: at least {2 * FEWEST}, whose time "
            "rises"
        )
    start, t = float(t[0]), t - t[0]
    low, high = window or (PLATEAU[0] * float(t[-1]), PLATEAU[1] * float(t[-1]))
    inside, before = (t >= low) & (t <= high), t < low
    if inside.sum() < FEWEST or not before.any():
        raise ValueError(
            f"found {int(inside.sum())} points from {low:g} to {high:g} h, {int(before.sum())} "
            f"before; allowed: at least {FEWEST}, and one before (the step ends at {t[-1]:.4g} h)"
        )
    slope, offset = np.polyfit(t[inside], v[inside], 1)
    noise = float(np.std(v[inside] - slope * t[inside] - offset, ddof=2))
    plateau, dip = float(np.median(v[inside])), int(np.argmin(np.where(before, v, np.inf)))
    return Nucleation(
        times=t,
        voltages=v,
        start=start,
        minimum=float(v[dip]),
        minimum_time=float(t[dip]),
        plateau=plateau,
        window=(low, high),
        drift=float(slope * (high - low)),
        noise=noise,
        overpotential=plateau - float(v[dip]),
        # a point has the error s, the median of n points s sqrt(π/(2n))
        overpotential_error=hypot(noise, noise * sqrt(np.pi / (2.0 * int(inside.sum())))),
    )
