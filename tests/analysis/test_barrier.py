"""The lowest way over held sites: by hand on the three surfaces."""

import math

import numpy as np
import pytest

from analysis.barrier import Barrier, SiteNet, bcc_110, lowest_way, rocksalt_001, square_001


def is_way(found: Barrier | None, minimum: str, over: str, energy: float) -> bool:
    assert found is not None
    same = (found.minimum, found.over) == (minimum, over)
    return same and found.energy == pytest.approx(energy)


VN, NA, NA110 = rocksalt_001("V", "N"), square_001("Na"), bcc_110("Na")


def test_between_two_hollows_the_way_leads_over_the_bridge() -> None:
    energies = {"top-Na": 0.5, "bridge": 0.1, "hollow": -0.2}
    assert is_way(lowest_way(NA, energies, {"hollow"}), "hollow", "bridge", 0.3)


def test_where_the_bridge_is_not_known_the_way_leads_over_the_top() -> None:
    energies = {"top-Na": 0.5, "hollow": -0.2}
    assert is_way(lowest_way(NA, energies, {"hollow"}), "hollow", "top-Na", 0.7)


def test_two_kinds_of_minima_side_by_side_say_nothing_of_the_pass_between_them() -> None:
    energies = {"top-N": -0.26, "hollow": -0.25, "bridge": -0.16, "top-V": 0.13}
    found = lowest_way(VN, energies, {"top-N", "hollow"})
    assert is_way(found, "top-N", "bridge", 0.10)
    without = {site: e for site, e in energies.items() if site != "bridge"}
    assert lowest_way(VN, without, {"top-N", "hollow"}) is None


def test_a_site_that_no_free_adatom_stays_at_is_a_pass() -> None:
    energies = {"top-N": -0.26, "hollow": -0.25, "bridge": -0.16}
    assert is_way(lowest_way(VN, energies, {"top-N"}), "top-N", "hollow", 0.01)


def test_without_free_ones_the_lowest_is_the_minimum() -> None:
    energies = {"hollow": -0.2, "bridge": 0.1}
    assert is_way(lowest_way(NA, energies, set()), "hollow", "bridge", 0.3)


def test_on_bcc_110_the_way_leads_over_the_short_bridge() -> None:
    energies = {"long-bridge": -0.3, "hollow": -0.28, "short-bridge": -0.1, "top-Na": 0.4}
    found = lowest_way(NA110, energies, {"long-bridge"})
    assert is_way(found, "long-bridge", "short-bridge", 0.2)


def test_one_site_alone_is_no_way() -> None:
    assert lowest_way(NA110, {"long-bridge": -0.3}, {"long-bridge"}) is None
    assert lowest_way(NA, {}, set()) is None


def test_another_zero_of_energy_changes_nothing() -> None:
    energies = {"hollow": -0.2, "bridge": 0.1, "top-Na": 0.7}
    raised = {site: energy - 123.4 for site, energy in energies.items()}
    one, other = (lowest_way(NA, e, {"hollow"}) for e in (energies, raised))
    assert one is not None
    assert is_way(other, one.minimum, one.over, one.energy)


@pytest.mark.parametrize("net", [VN, NA, NA110])
def test_every_site_is_in_the_cell_and_has_neighbours_of_other_names(net: SiteNet) -> None:
    for name, x, y in net.sites:
        near = [
            math.dist((x, y), (u + i * net.cell[0], v + j * net.cell[1]))
            for other, u, v in net.sites
            if other != name
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
        ]
        assert min(near) <= net.step


def test_hollows_of_bcc_110_are_as_far_from_three_atoms() -> None:
    hollow = next(np.array([x, y]) for name, x, y in NA110.sites if name == "hollow" and y > 0)
    atoms = [
        np.array([x + i * NA110.cell[0], y + j * NA110.cell[1]])
        for name, x, y in NA110.sites
        if name == "top-Na"
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]
    nearest = sorted(float(np.linalg.norm(hollow - atom)) for atom in atoms)[:4]
    assert nearest[0] == pytest.approx(nearest[2])
    assert nearest[3] > nearest[2] + 0.1
