"""Cycles, capacities and failures of cells that are known (synthetic data)."""

import numpy as np
import pytest

from analysis.measured.cycling import (
    cycles,
    failure,
    half_cycles,
    is_symmetric,
    rate_steps,
    retention,
)
from tests.synthetic_cells import full_cell, symmetric_cell


def test_capacities_and_efficiency_of_a_full_cell() -> None:
    found = cycles(half_cycles(*full_cell([0.10, 0.09, 0.08], [0.5, 0.5, 0.5])))
    assert [c.discharge.capacity for c in found] == pytest.approx([0.10, 0.09, 0.08])
    assert [c.charge.capacity for c in found] == pytest.approx([0.101, 0.0909, 0.0808])
    assert [c.efficiency for c in found] == pytest.approx([1 / 1.01] * 3)


def test_retention_refers_to_any_cycle() -> None:
    found = cycles(half_cycles(*full_cell([0.10, 0.09, 0.08], [0.5, 0.5, 0.5])))
    assert retention(found) == pytest.approx([1.0, 0.9, 0.8])
    assert retention(found, reference=2) == pytest.approx([1 / 0.9, 1.0, 8 / 9])
    with pytest.raises(ValueError, match="found reference cycle 4; allowed: 1 to 3"):
        retention(found, reference=4)


def test_rate_steps() -> None:
    currents = [0.5] * 3 + [1.0] * 2 + [0.5] * 2
    found = rate_steps(cycles(half_cycles(*symmetric_cell(currents, overpotential=0.03))))
    assert [(s.first, s.last) for s in found] == [(1, 3), (4, 5), (6, 7)]
    assert [s.current for s in found] == pytest.approx([0.5, 1.0, 0.5])
    assert found[1].polarization == pytest.approx(2 * 0.03, rel=0.06)
    assert [s.capacity for s in found] == pytest.approx([1.0] * 3)


def test_a_pause_within_a_half_cycle_does_not_divide_it() -> None:
    hours = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8.0])
    current = np.array([1, 1, 0, 1, 1, -1, -1, -1, -1.0])
    found = half_cycles(hours, np.sign(current), current)
    assert [half.capacity for half in found] == pytest.approx([2.0, 3.0])


def test_a_slow_step_beside_a_fast_one_is_no_rest() -> None:
    found = rate_steps(cycles(half_cycles(*symmetric_cell([0.1] * 2 + [50.0] * 2))))
    assert [s.current for s in found] == pytest.approx([0.1, 50.0])


@pytest.mark.parametrize("after", [20, 31])
def test_the_hour_of_a_short_circuit(after: int) -> None:
    halves = half_cycles(*symmetric_cell([0.5] * 30, fails_after=after))
    found = failure(halves)
    assert found is not None
    assert found.time == pytest.approx(2.0 * after)  # h: 1 mAh at 0.5 mA takes 2 h
    assert found.ratio == pytest.approx(0.1)
    assert found.kind == "short circuit"


def test_a_polarization_that_rises_is_a_failure() -> None:
    hours, volts, current = symmetric_cell([0.5] * 30)
    volts = volts * np.where(hours > 60.0, 3.0, 1.0)
    found = failure(half_cycles(hours, volts, current))
    assert found is not None
    assert found.kind == "polarization rises"
    assert found.time == pytest.approx(60.0)


def test_two_outlying_half_cycles_are_no_failure() -> None:
    hours, volts, current = symmetric_cell([0.5] * 30)
    volts = volts * np.where((hours > 60.0) & (hours < 64.0), 0.1, 1.0)
    assert failure(half_cycles(hours, volts, current)) is None


def test_another_current_is_no_failure() -> None:
    halves = half_cycles(*symmetric_cell([0.5] * 10 + [4.0] * 10 + [0.5] * 10))
    assert failure(halves) is None


def test_limits_of_a_failure_can_be_given() -> None:
    halves = half_cycles(*symmetric_cell([0.5] * 30, fails_after=20))
    assert failure(halves, (0.05, 2.0)) is None


def test_symmetric_and_full_cells_are_told_apart() -> None:
    assert is_symmetric(symmetric_cell([0.5] * 3)[1])
    assert not is_symmetric(full_cell([0.1] * 3, [0.5] * 3)[1])


@pytest.mark.parametrize(
    ("hours", "current", "message"),
    [
        ([0, 2, 1], [1, 1, 1], "the time falls after 2 h"),
        ([0, 1, 2], [0, 0, 0], "found no current"),
    ],
)
def test_what_is_no_cycling_is_refused(
    hours: list[float], current: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        half_cycles(hours, [1.0, 1.0, 1.0], current)
