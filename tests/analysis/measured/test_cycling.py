"""Rate steps, retention and failures of known half-cycles; cycles and capacities counted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.measured.cycling import (
    Cycle,
    HalfCycle,
    capacities,
    directions,
    failure,
    is_symmetric,
    number,
    rate_steps,
    retention,
)
from tests.synthetic_cells import full_cell, symmetric_cell


def halves(currents: Sequence[float], overpotential: float = 0.05) -> list[HalfCycle]:
    """Return half-cycles of a symmetric cell, two for each current (mA), 1 mAh each."""
    found: list[HalfCycle] = []
    hour = 0.0
    for current in currents:
        for sign in (-1.0, 1.0):
            volts = sign * overpotential * current / currents[0]
            found.append(HalfCycle(hour, sign * current, 1.0, volts))
            hour += 1.0 / current
    return found


def cycles(currents: Sequence[float], sizes: Sequence[float] = ()) -> list[Cycle]:
    """Return cycles of these currents (mA), with other discharge capacities (mAh) than 1."""
    found = halves(currents)
    pairs = zip(found[::2], found[1::2], sizes or [1.0] * len(currents), strict=True)
    return [
        Cycle(n, charge, replace(discharge, capacity=size), size)
        for n, (discharge, charge, size) in enumerate(pairs, 1)
    ]


# ---- what a file may lack -----------------------------------------------------------------------


def test_a_pause_within_a_half_cycle_does_not_divide_it() -> None:
    hours = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8.0])
    current = np.array([1, 1, 0, 1, 1, -1, -1, -1, -1.0])
    signs = directions(hours, current)
    cycle, step = number(signs)
    assert cycle.tolist() == [1] * 9
    assert step.tolist() == [1, 1, 2, 3, 3, 4, 4, 4, 4]
    charge, discharge = capacities(hours, current, signs, cycle)
    assert charge.tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 2]  # nothing flows from or to the pause
    assert discharge.tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 3]


def test_steps_and_capacities_begin_anew_in_each_cycle() -> None:
    hours = np.arange(8.0)
    current = np.array([-1, -1, 1, 1, -1, -1, 1, 1.0])
    signs = directions(hours, current)
    cycle, step = number(signs)
    assert cycle.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert step.tolist() == [1, 1, 2, 2] * 2
    charge, discharge = capacities(hours, current, signs, cycle)
    assert charge.tolist() == [0, 0, 0, 1] * 2
    assert discharge.tolist() == [0, 1, 1, 1] * 2


def test_a_single_point_of_another_sign_is_no_half_cycle() -> None:
    current = np.array([-1, -1, 1, -1, -1, 1, 1.0])
    signs = directions(np.arange(7.0), current)
    assert signs.tolist() == [-1, -1, 0, -1, -1, 1, 1]
    assert set(number(signs)[0]) == {1}


def test_a_slow_step_beside_a_fast_one_is_no_rest() -> None:
    hours, _, current = symmetric_cell([0.1] * 2 + [50.0] * 2)
    assert directions(hours, current).all()


@pytest.mark.parametrize(
    ("hours", "current", "message"),
    [
        ([0, 2, 1], [1, 1, 1], "the time falls after 2 h"),
        ([0, 1, 2], [0, 0, 0], "found no current"),
        ([0, 1, 2], [1, -1, 1], "found no current"),
    ],
)
def test_what_is_no_cycling_is_refused(
    hours: list[float], current: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        directions(hours, current)


def test_symmetric_and_full_cells_are_told_apart() -> None:
    assert is_symmetric(symmetric_cell([0.5] * 3)[1])
    assert not is_symmetric(full_cell([0.1] * 3, [0.5] * 3)[1])


# ---- half-cycles --------------------------------------------------------------------------------


def test_retention_refers_to_any_cycle() -> None:
    found = cycles([0.5] * 3, [0.10, 0.09, 0.08])
    assert retention(found) == pytest.approx([1.0, 0.9, 0.8])
    assert retention(found, reference=2) == pytest.approx([1 / 0.9, 1.0, 8 / 9])
    with pytest.raises(ValueError, match="found reference cycle 4; allowed: 1 to 3"):
        retention(found, reference=4)


def test_without_capacity_nothing_is_retained() -> None:
    assert np.isnan(retention(cycles([0.5] * 2, [0.0, 0.1]))).all()


def test_rate_steps() -> None:
    found = rate_steps(cycles([0.5] * 3 + [1.0] * 2 + [0.51] * 2))
    assert [(s.first, s.last) for s in found] == [(1, 3), (4, 5), (6, 7)]
    assert [s.current for s in found] == pytest.approx([0.5, 1.0, 0.51])
    assert [s.polarization for s in found] == pytest.approx([0.05, 0.1, 0.051])
    assert [s.capacity for s in found] == pytest.approx([1.0] * 3)


def changed(found: list[HalfCycle], start: int, end: int | None, factor: float) -> list[HalfCycle]:
    """Return half-cycles with the voltages of some of them multiplied."""
    return [
        replace(half, voltage=factor * half.voltage) if start <= n < (end or len(found)) else half
        for n, half in enumerate(found)
    ]


@pytest.mark.parametrize("after", [20, 31])
def test_the_hour_of_a_short_circuit(after: int) -> None:
    found = failure(changed(halves([0.5] * 30), after, None, 0.1))
    assert found is not None
    assert found.time == pytest.approx(2.0 * after)  # h: 1 mAh at 0.5 mA takes 2 h
    assert found.ratio == pytest.approx(0.1)
    assert found.kind == "short circuit"


def test_a_polarization_that_rises_is_a_failure() -> None:
    found = failure(changed(halves([0.5] * 30), 30, None, 3.0))
    assert found is not None
    assert found.kind == "polarization rises"
    assert found.time == pytest.approx(60.0)


def test_two_outlying_half_cycles_are_no_failure() -> None:
    assert failure(changed(halves([0.5] * 30), 30, 32, 0.1)) is None


def test_another_current_is_no_failure() -> None:
    assert failure(halves([0.5] * 10 + [4.0] * 10 + [0.5] * 10)) is None


def test_limits_of_a_failure_can_be_given() -> None:
    assert failure(changed(halves([0.5] * 30), 20, None, 0.1), (0.05, 2.0)) is None
