"""Cycled cells: half-cycles and their capacities, rate steps, and the hour when a cell fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]

RESTING = 0.001  # of the largest current: less is rest; rate tests may span a factor of 500
SAME = 0.05  # relative difference up to which two currents are one
REFERENCE, LASTING = 5, 3  # half-cycles: of the reference, and of a failure in succession
LIMITS = (0.5, 2.0)  # of the reference: polarization below (short circuit) or above is a failure


@dataclass(frozen=True, eq=False)
class HalfCycle:
    """Consecutive points with current of one sign; rests are left out.

    Attributes
    ----------
    start, end
        In h.
    current
        Mean current in mA; positive: charge.
    capacity
        Integral of |current| in mAh.
    voltage
        Median voltage in V.
    capacities, voltages
        Capacity so far in mAh and voltage in V, point by point, with shape (n,).
    """

    start: float
    end: float
    current: float
    capacity: float
    voltage: float
    capacities: Real
    voltages: Real


@dataclass(frozen=True, eq=False)
class Cycle:
    """A charge and a discharge, in the order in which they were measured.

    Attributes
    ----------
    number
        From 1.
    charge, discharge
        The two half-cycles.
    """

    number: int
    charge: HalfCycle
    discharge: HalfCycle

    @property
    def start(self) -> float:
        """Start in h."""
        return min(self.charge.start, self.discharge.start)

    @property
    def current(self) -> float:
        """Size of the discharge current in mA."""
        return abs(self.discharge.current)

    @property
    def efficiency(self) -> float:
        """What the second half returns of the first: the Coulombic efficiency."""
        first, second = self.charge, self.discharge
        if second.start < first.start:
            first, second = second, first
        return second.capacity / first.capacity if first.capacity else nan

    @property
    def polarization(self) -> float:
        """Half the difference of the median voltages in V: overpotential of a symmetric cell."""
        return (self.charge.voltage - self.discharge.voltage) / 2.0


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


def half_cycles(time: ArrayLike, voltage: ArrayLike, current: ArrayLike) -> list[HalfCycle]:
    """Divide a measurement where the current changes its sign.

    Parameters
    ----------
    time
        In h with shape (n,), not falling.
    voltage
        In V with shape (n,).
    current
        In mA with shape (n,); positive: charge.

    Returns
    -------
    list of HalfCycle
        In the order of time. A part interrupted by rests is one half-cycle; single points are none.

    Raises
    ------
    ValueError
        The time falls, or no current flows.
    """
    t, v, i = (np.asarray(x, dtype=np.float64) for x in (time, voltage, current))
    if (falls := np.flatnonzero(np.diff(t) < 0.0)).size:
        after = t[int(falls[0])]
        raise ValueError(f"the time falls after {after:g} h; allowed: one measurement, in order")
    flowing = np.flatnonzero(np.abs(i) > RESTING * np.abs(i).max(initial=0.0))
    if len(flowing) < 2:
        raise ValueError("found no current; allowed: a column of currents that are not all zero")
    signs = np.sign(i[flowing])
    parts = np.split(flowing, np.flatnonzero(signs[1:] != signs[:-1]) + 1)
    return [_half(part, t, v, i) for part in parts if len(part) > 1]


def _half(part: NDArray[np.intp], t: Real, v: Real, i: Real) -> HalfCycle:
    times, sizes = t[part], np.abs(i[part])
    # Q = ∫ |I| dt by trapezoids; nothing flows between points that a rest divides
    steps = np.diff(times) * (sizes[1:] + sizes[:-1]) / 2.0
    steps[np.diff(part) > 1] = 0.0
    capacities = np.concatenate([[0.0], np.cumsum(steps)])
    return HalfCycle(
        start=float(times[0]),
        end=float(times[-1]),
        current=float(i[part].mean()),
        capacity=float(capacities[-1]),
        voltage=float(np.median(v[part])),
        capacities=capacities,
        voltages=v[part],
    )


def cycles(halves: Sequence[HalfCycle]) -> list[Cycle]:
    """Pair half-cycles; a last one without partner is left out."""
    pairs = zip(halves[::2], halves[1::2], strict=False)
    return [
        Cycle(number, *(pair if pair[0].current > 0.0 else pair[::-1]))
        for number, pair in enumerate(pairs, 1)
    ]


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
        Number of the reference cycle, from 1.

    Returns
    -------
    ndarray
        Ratios with shape (cycles,); nan where the reference has no capacity.

    Raises
    ------
    ValueError
        There is no such cycle.
    """
    if not 1 <= reference <= len(found):
        raise ValueError(f"found reference cycle {reference}; allowed: 1 to {len(found)}")
    capacities = np.array([cycle.discharge.capacity for cycle in found])
    ratios: Real = np.divide(
        capacities,
        capacities[reference - 1],
        out=np.full(len(found), nan),
        where=capacities[reference - 1] > 0.0,
    )
    return ratios


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
