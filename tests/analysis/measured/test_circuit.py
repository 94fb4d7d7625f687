"""Two semicircles from spectra of a circuit that is known (synthetic data)."""

import numpy as np
import pytest

from analysis.measured.circuit import capacitive, fit, impedance, spectrum
from tests import synthetic_cells as synthetic
from tests.synthetic_cells import CHARGE_TRANSFER, FREQUENCIES, SEI, SERIES


def test_a_resistor_and_a_capacitor() -> None:
    # R/(1 + jωRC) with R = 10 ohm, τ = RC = 1 s is 5 - 5j ohm at ω = 1/τ
    z = impedance([1.0 / (2.0 * np.pi)], 0.0, [(10.0, 1.0, 1.0)])
    assert z[0] == pytest.approx(5.0 - 5.0j)


def test_impedance_at_both_ends_of_the_frequencies() -> None:
    z = impedance([1e12, 1e-12], SERIES, [SEI, CHARGE_TRANSFER])
    assert z == pytest.approx([SERIES, SERIES + SEI[0] + CHARGE_TRANSFER[0]], rel=1e-3)


def test_the_circuit_comes_back_from_exact_data() -> None:
    found = fit(FREQUENCIES, synthetic.spectrum(noise=0.0))
    values = [found.series, found.sei.resistance, found.sei.time_constant, found.sei.exponent,
              found.charge_transfer.resistance, found.charge_transfer.time_constant,
              found.charge_transfer.exponent]  # fmt: skip
    assert [v.value for v in values] == pytest.approx([SERIES, *SEI, *CHARGE_TRANSFER], rel=1e-6)
    assert found.caveats == ()


def test_admittance_of_the_constant_phase_element() -> None:
    # Z = R/(1 + R Q (jω)^α), so Q = τ^α/R
    found = fit(FREQUENCIES, synthetic.spectrum(noise=0.0)).sei
    assert found.admittance == pytest.approx(1e-4**0.9 / 40.0, rel=1e-5)


def test_standard_errors_are_those_of_repeated_measurements() -> None:
    fits = [fit(FREQUENCIES, synthetic.spectrum(0.01, seed=seed)) for seed in range(20)]
    found = [one.charge_transfer.resistance for one in fits]
    deviations = np.array([(one.value - CHARGE_TRANSFER[0]) / one.error for one in found])
    assert abs(deviations.mean()) < 0.6
    assert 0.7 < deviations.std() < 1.35


def test_misfit_is_the_noise() -> None:
    assert fit(FREQUENCIES, synthetic.spectrum(0.01)).misfit == pytest.approx(0.01, rel=0.2)


def test_order_of_the_points_does_not_matter() -> None:
    z = synthetic.spectrum()
    forward, backward = fit(FREQUENCIES, z), fit(FREQUENCIES[::-1], z[::-1])
    assert backward.charge_transfer == forward.charge_transfer


@pytest.mark.parametrize("factor", [1e-3, 1e6])
def test_resistances_scale_with_the_impedance(factor: float) -> None:
    z = synthetic.spectrum()
    one, other = fit(FREQUENCIES, z), fit(FREQUENCIES, factor * z)
    expected = factor * one.charge_transfer.resistance.value
    assert other.charge_transfer.resistance.value == pytest.approx(expected, rel=1e-4)


def test_a_single_semicircle_leaves_one_resistance_undetermined() -> None:
    z = synthetic.noisy(impedance(FREQUENCIES, SERIES, [(100.0, 1e-2, 0.9)]), 0.005)
    assert any(
        "is uncertain by half of its value" in caveat for caveat in fit(FREQUENCIES, z).caveats
    )


def test_merging_semicircles_are_named() -> None:
    z = impedance(FREQUENCIES, SERIES, [(100.0, 1e-2, 0.9), (100.0, 3e-2, 0.9)])
    (caveat,) = fit(FREQUENCIES, z).caveats
    assert caveat == "the time constants differ by a factor of 3.0 only: the semicircles merge"


def test_a_second_semicircle_that_was_not_measured_is_named() -> None:
    z = impedance(FREQUENCIES, SERIES, [SEI, (120.0, 10.0, 0.8)])
    (caveat,) = fit(FREQUENCIES, z).caveats
    assert caveat.startswith("the top of the second semicircle, at 0.0159 Hz, was not measured")


def test_a_circuit_that_does_not_describe_the_data_is_named() -> None:
    arcs = [(100.0, 1e-5, 1.0), (100.0, 1e-3, 1.0), (100.0, 1e-1, 1.0)]
    found = fit(FREQUENCIES, impedance(FREQUENCIES, 1.0, arcs))
    assert found.misfit > 0.05
    assert found.caveats[-1].endswith("two semicircles do not describe it")


def test_inductive_points_are_left_out() -> None:
    z = synthetic.spectrum(noise=0.0) + 2j * np.pi * FREQUENCIES * 2e-5  # 20 µH
    inductive = int((z.imag >= 0.0).sum())
    f, left = capacitive(FREQUENCIES, z)
    assert inductive > 2
    assert len(f) == len(FREQUENCIES) - inductive
    assert (left.imag < 0.0).all()


@pytest.mark.parametrize(
    ("f", "z", "message"),
    [
        ([1.0] * 9, [1.0] * 9, "found 9 frequencies; allowed: at least 10"),
        ([*range(1, 12)], [1.0] * 10, "both must be"),
        ([*range(11)], [1.0] * 11, r"frequencies in Hz: found 0; allowed: 1e-09 to 1e\+12"),
        ([*range(1, 12)], [0.0] * 11, "impedances in ohm: found 0; allowed"),
        ([*range(1, 12)], [float("nan")] * 11, "impedances in ohm: found nan; allowed"),
        ([1, *range(1, 11)], [1.0 - 1j] * 11, "found 1 Hz twice"),
        ([*range(1, 12)], [-1.0 - 1j] * 11, "no positive real part"),
    ],
)
def test_what_is_no_spectrum_is_refused(f: list[float], z: list[complex], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spectrum(f, z)
