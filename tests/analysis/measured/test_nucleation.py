"""Nucleation overpotentials of voltage curves that are known (synthetic data)."""

import numpy as np
import pytest

from analysis.measured.nucleation import nucleation, plating_step
from tests.synthetic_cells import dip


def test_the_dip_comes_back() -> None:
    found = nucleation(*dip(depth=0.030, plateau=-0.020))
    assert found.overpotential == pytest.approx(0.030, abs=1e-4)
    assert (found.minimum, found.plateau) == pytest.approx((-0.050, -0.020), abs=1e-4)
    assert found.minimum_time == pytest.approx(0.02, abs=2e-3)
    assert found.caveats == ()


def test_time_counts_from_the_first_negative_voltage() -> None:
    found = nucleation(*dip(depth=0.030, plateau=-0.020))
    assert found.start == pytest.approx(0.1, abs=2e-3)
    assert found.times[0] == 0.0


def test_the_error_is_that_of_a_point() -> None:
    found = nucleation(*dip(0.030, -0.020, noise=0.001))
    assert found.noise == pytest.approx(0.001, rel=0.1)
    assert found.overpotential_error == pytest.approx(0.001, rel=0.1)
    assert abs(found.overpotential - 0.030) < 4 * found.overpotential_error


def test_a_series_resistance_does_not_matter() -> None:
    hours, volts = dip(0.030, -0.020)
    shifted = np.where(volts < 0.0, volts - 0.01, volts)
    assert nucleation(hours, shifted).overpotential == pytest.approx(0.030, abs=1e-4)


def test_without_a_dip_it_is_named() -> None:
    found = nucleation(*dip(0.0, -0.020, noise=0.001))
    assert any(caveat.startswith("no dip") for caveat in found.caveats)


def test_a_plateau_that_drifts_is_named() -> None:
    hours, volts = dip(0.030, -0.020)
    found = nucleation(hours, volts - 0.01 * hours)
    assert any(
        caveat.startswith("no plateau: the voltage changes by -8") for caveat in found.caveats
    )


def test_the_window_can_be_given() -> None:
    found = nucleation(*dip(0.030, -0.020), window=(0.5, 0.6))
    assert found.window == (0.5, 0.6)


def test_rests_are_left_out_where_the_current_is_known() -> None:
    hours, volts = dip(0.030, -0.020)
    volts = np.where(hours < 0.1, -0.001, volts)
    current = np.where(hours < 0.1, 0.0, -0.5)
    assert plating_step(volts, current).start == 101  # 0.1 h, as the clock counts


def test_only_the_first_plating_step_counts() -> None:
    hours, volts = dip(0.030, -0.020)
    twice = np.concatenate([hours, hours + 3.0]), np.concatenate([volts, 2.0 * volts])
    assert nucleation(*twice).overpotential == pytest.approx(0.030, abs=1e-4)


@pytest.mark.parametrize(
    ("volts", "message"),
    [
        (np.full(100, 0.1), "found no negative voltage"),
        (np.where(np.arange(100) == 5, -0.1, 0.1), "found a plating step of 1 points"),
    ],
)
def test_what_is_no_plating_is_refused(volts: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nucleation(np.arange(100) / 50, volts)


def test_a_window_outside_the_step_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found 0 points from 5 to 6 h.*step ends at 1\.99"):
        nucleation(*dip(0.030, -0.020), window=(5.0, 6.0))
