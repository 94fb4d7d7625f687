"""The energy over a surface goes through its points and has their symmetry."""

import numpy as np
import pytest

from analysis.barrier import bcc_110, rocksalt_001
from analysis.landscape import landscape

NET = rocksalt_001("V", "N")
ENERGIES = {"top-V": 0.4, "top-N": 0.0, "hollow": 0.25, "bridge": 0.1}


def test_it_goes_through_the_energy_of_every_site_and_image() -> None:
    found = landscape(NET, ENERGIES)
    for name, x, y in NET.sites:
        places = np.array([(x, y), (x - 1.0, y), (x + 2.0, y + 1.0)])
        assert found.at(places) == pytest.approx([ENERGIES[name]] * 3, abs=1e-6)


def test_it_has_the_symmetry_of_the_sites() -> None:
    found = landscape(NET, ENERGIES)
    x, y = 0.13, 0.31
    images = np.array([(x, y), (-x, y), (x, -y), (y, x), (-y, -x), (1 - x, 1 - y)])
    assert found.at(images) == pytest.approx([found.at(images[:1])[0]] * 6, abs=1e-9)


def test_a_single_wave_comes_back_as_it_is() -> None:
    def wave(x: float, y: float) -> float:
        return float(0.2 + 0.1 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)))

    found = landscape(NET, {name: wave(x, y) for name, x, y in NET.sites})
    points = np.random.default_rng(1).random((50, 2))
    assert found.at(points) == pytest.approx([wave(x, y) for x, y in points], abs=0.02)


def test_a_flat_surface_is_flat_and_an_unknown_one_refused() -> None:
    net = bcc_110("Na")
    found = landscape(net, {"hollow": -0.3, "top-Na": -0.3})
    assert found.at(np.array([(0.1, 0.2), (0.7, 1.1)])) == pytest.approx([-0.3, -0.3], abs=1e-4)
    with pytest.raises(ValueError, match="no site"):
        landscape(net, {})
