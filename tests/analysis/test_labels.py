"""Both readings of the published labels: by hand."""

import pytest

from analysis.labels import compare_labels
from analysis.paper import ADSORPTION_ENERGIES


def test_energies_that_are_the_published_ones_but_for_a_constant_and_the_labels() -> None:
    ours = {site: energy + 0.4 for site, energy in ADSORPTION_ENERGIES.items()}
    ours["top-V"], ours["top-N"] = ours["top-N"], ours["top-V"]
    found = compare_labels(ours, ADSORPTION_ENERGIES)
    assert found is not None
    assert found.exchanged.shift == pytest.approx(-0.4)
    assert found.exchanged.largest_error == pytest.approx(0.0, abs=1e-12)
    # -1.830 and -1.358 exchanged: 0.472 off at two of four sites
    assert found.as_printed.shift == pytest.approx(-0.4)
    assert found.as_printed.mean_error == pytest.approx(0.236)
    assert found.as_printed.largest_error == pytest.approx(0.472)
    assert found.as_printed.worst in ("top-V", "top-N")


def test_the_shift_is_that_of_least_squares() -> None:
    published = {"top-V": -1.0, "top-N": -2.0}
    found = compare_labels({"top-V": 0.0, "top-N": 0.0}, published)
    assert found is not None
    assert found.as_printed.shift == pytest.approx(-1.5)
    assert found.as_printed.mean_error == pytest.approx(0.5)


def test_without_all_sites_nothing_is_compared() -> None:
    known = {site: -1.0 for site in ADSORPTION_ENERGIES if site != "hollow"}
    assert compare_labels(known, ADSORPTION_ENERGIES) is None
    assert compare_labels({"hollow": -1.0}, {"hollow": -1.1}) is None
    assert compare_labels({}, {}) is None
