"""The Kramers-Kronig check passes what a linear, stable cell gives, and nothing else."""

import numpy as np
import pytest

from analysis.measured.circuit import impedance
from analysis.measured.kramers_kronig import check
from tests import synthetic_cells as synthetic
from tests.synthetic_cells import CHARGE_TRANSFER, FREQUENCIES, SEI, SERIES


def test_an_exact_circuit_passes_without_misfit() -> None:
    found = check(FREQUENCIES, synthetic.spectrum(noise=0.0))
    assert found.passed
    assert found.misfit < 1e-4


@pytest.mark.parametrize(("noise", "passed"), [(0.005, True), (0.03, False)])
def test_misfit_is_the_noise(noise: float, passed: bool) -> None:
    found = check(FREQUENCIES, synthetic.spectrum(noise))
    assert found.misfit == pytest.approx(noise, rel=0.25)
    assert found.passed is passed


def test_a_cell_that_drifts_does_not_pass() -> None:
    # R_ct grows by half while the spectrum is measured from high to low frequency
    progress = np.cumsum(1.0 / FREQUENCIES) / np.sum(1.0 / FREQUENCIES)
    z = [
        impedance([f], SERIES, [SEI, (120.0 * (1.0 + 0.5 * x), *CHARGE_TRANSFER[1:])])[0]
        for f, x in zip(FREQUENCIES, progress, strict=True)
    ]
    assert not check(FREQUENCIES, z).passed


def test_an_imaginary_part_of_another_cell_does_not_pass() -> None:
    z = synthetic.spectrum(noise=0.0)
    assert not check(FREQUENCIES, z.real + 1.1j * z.imag).passed


def test_inductance_and_blocking_electrodes_pass() -> None:
    s = 2j * np.pi * FREQUENCIES
    z = synthetic.spectrum(noise=0.0) + 1e-6 * s + 1.0 / (0.1 * s)
    assert check(FREQUENCIES, z).passed
