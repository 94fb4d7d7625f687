"""Exchange current densities from curves of the Butler-Volmer equation (synthetic data)."""

import numpy as np
import pytest

from analysis.measured.tafel import fit, overpotential
from tests.synthetic_cells import butler_volmer

ETA = np.linspace(-0.25, 0.25, 201)


def line(exchange: float = 0.2, slope: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    return ETA, exchange * 10.0 ** (np.abs(ETA) / slope)


def test_a_straight_line_comes_back() -> None:
    cathodic, anodic = fit(*line())
    assert (cathodic.name, anodic.name) == ("cathodic", "anodic")
    for branch in (cathodic, anodic):
        assert branch.exchange_current == pytest.approx(0.2)
        assert branch.slope == pytest.approx(0.12)


def test_transfer_coefficient() -> None:
    # b = RT ln(10)/(α F): 118.3 mV per decade at 298.15 K for α = 1/2
    assert fit(*line(slope=0.11832))[0].transfer_coefficient == pytest.approx(0.5, rel=1e-3)


def test_exchange_current_of_the_butler_volmer_equation() -> None:
    (cathodic, anodic) = fit(ETA, butler_volmer(ETA, 0.3))
    for branch in (cathodic, anodic):
        assert branch.exchange_current == pytest.approx(0.3, rel=0.05)
        assert branch.corrected == pytest.approx(0.3, rel=1e-6)
        assert branch.caveats == ()


def test_a_window_too_near_to_zero_is_named() -> None:
    found = fit(ETA, butler_volmer(ETA, 0.3), window=(0.04, 0.12))[0]
    assert any("with the reverse reaction included i_0 is 0.3 mA" in c for c in found.caveats)


def test_a_curve_limited_by_diffusion_is_not_straight() -> None:
    i = butler_volmer(ETA, 0.3)
    limited = i / (1.0 + np.abs(i) / 3.0)
    assert any(c.startswith("not a straight line") for c in fit(ETA, limited)[0].caveats)


def test_standard_error_by_scipy_of_a_noisy_line() -> None:
    random = np.random.default_rng(1)
    eta, i = line()
    fits = [fit(eta, i * np.exp(0.05 * random.normal(size=len(i))))[0] for _ in range(60)]
    deviations = [(one.exchange_current - 0.2) / one.exchange_current_error for one in fits]
    assert 0.75 < np.std(deviations) < 1.3


def test_one_branch_is_enough() -> None:
    eta, i = line()
    (found,) = fit(eta[eta < 0.0], i[eta < 0.0])
    assert found.name == "cathodic"


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found 0 cathodic and 0 anodic points from 300 to 400"):
        fit(*line(), window=(0.3, 0.4))


def test_overpotential_is_zero_where_the_current_changes_its_sign() -> None:
    eta = overpotential(ETA + 0.31, butler_volmer(ETA, 0.1))
    assert eta == pytest.approx(ETA, abs=1e-4)


@pytest.mark.parametrize("current", [np.ones(201), np.sin(40 * ETA)])
def test_no_clear_zero_is_refused(current: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"changes its sign \d+ times; allowed: once"):
        overpotential(ETA, current)
