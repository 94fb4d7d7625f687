"""Cycled cells: rate steps, retention and the hour when a cell fails, from their half-cycles.

Also what a file may lack before half-cycles can be found in it: numbers of cycles, and capacities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]
Signs = NDArray[np.int64]

RESTING = 0.001  # of the largest current: less is rest; rate tests may span a factor of 500
SAME = 0.05  # relative difference up to which two currents are one
REFERENCE, LASTING = 5, 3  # half-cycles: of the reference, and of a failure in succession
LIMITS = (0.5, 2.0)  # of the reference: polarization below (short circuit) or above is a failure


@dataclass(frozen=True)
class HalfCycle:
    """The charge or the discharge of a cycle, without its rests.

    Attributes
    ----------
    start
        In h.
    current
        Mean current in mA; positive: charge.
    capacity
        In mAh.
    voltage
        Mean voltage in V.
    """

    start: float
    current: float
    capacity: float
    voltage: float


@dataclass(frozen=True)
class Cycle:
    """A charge and a discharge, in the order in which they were measured.

    Attributes
    ----------
    number
        As the cycler counts, or from 1.
    charge, discharge
        The two half-cycles.
    efficiency
        What the second half returns of the first: the Coulombic efficiency.
    """

    number: int
    charge: HalfCycle
    discharge: HalfCycle
    efficiency: float

    @property
    def start(self) -> float:
        """Start in h."""
        return min(self.charge.start, self.discharge.start)

    @property
    def current(self) -> float:
        """Size of the discharge current in mA."""
        return abs(self.discharge.current)

    @property
    def polarization(self) -> float:
        """Half the difference of the mean voltages in V: overpotential of a symmetric cell."""
        return (self.charge.voltage - self.discharge.voltage) / 2.0


@dataclass(frozen=True, eq=False)
class Curve:
    """Voltage in V over capacity in mAh of a half-cycle, each with shape (n,)."""

    capacities: Real
    voltages: Real


@dataclass(frozen=True)
class RateStep:
    """Successive cycles at one current.

    Attributes
    ----------
    first, last
        Numbers of its first and last cycle.
    current
        Mean size of the discharge current in mA.
    capacity
        Mean discharge capacity in mAh.
    polarization
        Mean polarization in V.
    """

    first: int
    last: int
    current: float
    capacity: float
    polarization: float


@dataclass(frozen=True)
class Failure:
    """When a symmetric cell fails.

    Attributes
    ----------
    time
        Start of the first failing half-cycle in h.
    ratio
        Its polarization over that of the first half-cycles at the same current.
    """

    time: float
    ratio: float

    @property
    def kind(self) -> str:
        """What the polarization shows."""
        return "short circuit" if self.ratio < 1.0 else "polarization rises"


def is_symmetric(voltage: ArrayLike) -> bool:
    """Return whether a cell's voltage (V, shape (n,)) lies on both sides of zero."""
    low, high = np.quantile(np.asarray(voltage, dtype=np.float64), (0.05, 0.95))
    return bool(low < 0.0 < high and -low > 0.1 * high)


def directions(time: ArrayLike, current: ArrayLike) -> Signs:
    """Return at which points a cell is charged (1), discharged (-1), or rests (0).

    Parameters
    ----------
    time
        In h with shape (n,), not falling.
    current
        In mA with shape (n,); positive: charge.

    Returns
    -------
    ndarray
        Integers with shape (n,). A single point of another sign than its neighbours is a rest.

    Raises
    ------
    ValueError
        The time falls, or no current flows.
    """
    t, i = (np.asarray(x, dtype=np.float64) for x in (time, current))
    if (falls := np.flatnonzero(np.diff(t) < 0.0)).size:
        after = t[int(falls[0])]
        raise ValueError(f"the time falls after {after:g} h; allowed: one measurement, in order")
    signs = np.where(np.abs(i) > RESTING * np.abs(i).max(initial=0.0), np.sign(i), 0.0)
    flowing = np.flatnonzero(signs)
    for part in _parts(signs[flowing]):
        if len(part) == 1:
            signs[flowing[part]] = 0.0
    if not signs.any():
        raise ValueError("found no current; allowed: a column of currents that are not all zero")
    return signs.astype(np.int64)


def number(signs: Signs) -> tuple[Signs, Signs]:
    """Count cycles and steps where a file does not.

    Parameters
    ----------
    signs
        From `directions`, with shape (n,).

    Returns
    -------
    cycle, step : ndarray
        Numbers with shape (n,), both from 1, the steps anew in each cycle. A cycle is two parts
        of opposite sign with the rests after them; a step is a part of one sign, or a rest.
    """
    halves = np.zeros(len(signs), dtype=np.int64)
    flowing = np.flatnonzero(signs)
    changes = np.flatnonzero(np.diff(signs[flowing])) + 1
    halves[flowing[changes]] = 1
    cycle = halves.cumsum() // 2
    step = np.concatenate([[0], (np.diff(signs) != 0).cumsum()])
    return cycle + 1, step - step[_first_of(cycle)] + 1


def capacities(
    time: ArrayLike, current: ArrayLike, signs: Signs, cycle: Signs
) -> tuple[Real, Real]:
    """Integrate the current where a file has no capacities.

    Parameters
    ----------
    time
        In h with shape (n,).
    current
        In mA with shape (n,).
    signs
        From `directions`, with shape (n,).
    cycle
        Number of the cycle with shape (n,), not falling.

    Returns
    -------
    charge, discharge : ndarray
        Passed since the start of the cycle, mAh, with shape (n,).
    """
    t, sizes = np.asarray(time, dtype=np.float64), np.abs(np.asarray(current, dtype=np.float64))
    # Q = ∫ |I| dt by trapezoids; nothing flows from or to a rest
    passed = np.diff(t) * (sizes[1:] + sizes[:-1]) / 2.0
    together = (signs[1:] == signs[:-1]) & (cycle[1:] == cycle[:-1])
    charge, discharge = (
        np.concatenate([[0.0], np.cumsum(np.where(together & (signs[1:] == sign), passed, 0.0))])
        for sign in (1, -1)
    )
    return since_start(charge, cycle), since_start(discharge, cycle)


def since_start(values: Real, cycle: Signs) -> Real:
    """Return values less that of the first point of their cycle, all with shape (n,)."""
    return values - values[_first_of(cycle)]


def _parts(signs: Real) -> list[NDArray[np.intp]]:
    """Return the places of each run of equal numbers."""
    return np.split(np.arange(len(signs)), np.flatnonzero(np.diff(signs)) + 1)


def _first_of(cycle: Signs) -> NDArray[np.intp]:
    """Return, for each point, the first point of its cycle."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(cycle)) + 1])
    return starts[np.searchsorted(starts, np.arange(len(cycle)), side="right") - 1]


def rate_steps(found: Sequence[Cycle]) -> list[RateStep]:
    """Group successive cycles whose currents differ from the first of them by 5 % at most."""
    groups: list[list[Cycle]] = []
    for cycle in found:
        if groups and _same(cycle.current, groups[-1][0].current):
            groups[-1].append(cycle)
        else:
            groups.append([cycle])
    return [
        RateStep(
            first=group[0].number,
            last=group[-1].number,
            current=float(np.mean([cycle.current for cycle in group])),
            capacity=float(np.mean([cycle.discharge.capacity for cycle in group])),
            polarization=float(np.mean([cycle.polarization for cycle in group])),
        )
        for group in groups
    ]


def retention(found: Sequence[Cycle], reference: int = 1) -> Real:
    """Give each cycle's discharge capacity over that of a reference cycle.

    Parameters
    ----------
    found
        The cycles.
    reference
        Number of the reference cycle.

    Returns
    -------
    ndarray
        Ratios with shape (cycles,); nan where the reference has no capacity.

    Raises
    ------
    ValueError
        There is no such cycle.
    """
    sizes = {cycle.number: cycle.discharge.capacity for cycle in found}
    if reference not in sizes:
        raise ValueError(
            f"found reference cycle {reference}; allowed: {min(sizes)} to {max(sizes)}, "
            "if charge and discharge were measured"
        )
    whole = sizes[reference] or nan
    return np.array([size / whole for size in sizes.values()])


def failure(halves: Sequence[HalfCycle], limits: tuple[float, float] = LIMITS) -> Failure | None:
    """Find the half-cycle from which on the polarization of a symmetric cell leaves its range.

    The reference is the median of the first five half-cycles at the same current. A failure lasts
    for three half-cycles in succession.

    Parameters
    ----------
    halves
        The half-cycles.
    limits
        Lowest and highest polarization over the reference.

    Returns
    -------
    Failure or None
        The first one; None if there is none.
    """
    ratios = _ratios(halves)
    outside = (ratios < limits[0]) | (ratios > limits[1])
    for k in range(len(halves) - LASTING + 1):
        if outside[k : k + LASTING].all():
            return Failure(halves[k].start, float(ratios[k]))
    return None


def _ratios(halves: Sequence[HalfCycle]) -> Real:
    """Give each half-cycle's polarization over the reference at its current."""
    references: list[tuple[float, list[float]]] = []  # current, first polarizations
    ratios = []
    for half in halves:
        size = abs(half.voltage)
        known = next((r for r in references if _same(abs(half.current), r[0])), None)
        if known is None:
            known = (abs(half.current), [])
            references.append(known)
        if len(known[1]) < REFERENCE:
            known[1].append(size)
            ratios.append(1.0)  # it is part of the reference
        else:
            median = float(np.median(known[1]))
            ratios.append(size / median if median > 0.0 else nan)
    return np.array(ratios, dtype=np.float64)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(one, other)
