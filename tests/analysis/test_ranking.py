"""Hosts in order: best sites, spreads, verdicts, and what is drawn of them."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.adsorption import Site, Table
from analysis.figures.ranking import compose, draw_against_metal, draw_sites
from analysis.figures.style import Caption
from analysis.ranking import rank_hosts


def table(host: str, energies: dict[str, float | None], cohesive: float | None = -1.1) -> Table:
    """Return a host whose sites have these adsorption energies, eV."""
    sites = tuple(
        Site(
            f"{host}(001)",
            site,
            "held",
            energy=None if energy is None else energy - 100.0,
            adsorption_energy=energy,
            against_metal=None if energy is None or cohesive is None else energy - cohesive,
            by_dispersion={} if energy is None else {"none": energy, "d4": energy - 0.2},
            against_metal_by_dispersion=(
                {}
                if energy is None or cohesive is None
                else {"none": energy - cohesive, "d4": energy - cohesive - 0.3}
            ),
        )
        for site, energy in energies.items()
    )
    return Table(host, "Na", sites, (), "laptop", physical=True)


HOSTS = {
    "TiC": table("TiC", {"hollow": -0.9, "top-Ti": -0.4}),
    "VN": table("VN", {"hollow": -1.9, "top-V": -1.1, "top-N": None}),
    "ScN": table("ScN", {"hollow": None}),
    "MgO": table("MgO", {"hollow": 0.1}),
    "TiN": table("TiN", {"hollow": -1.5}, cohesive=None),
}


def test_order_is_that_of_the_best_sites_and_hosts_without_energy_come_last() -> None:
    ranked = rank_hosts(HOSTS)
    assert [host.label for host in ranked] == ["VN", "TiN", "TiC", "MgO", "ScN"]
    assert [host.site for host in ranked] == ["hollow"] * 4 + [None]
    assert [host.adsorption_energy for host in ranked] == [-1.9, -1.5, -0.9, 0.1, None]


def test_verdicts() -> None:
    verdict = {host.label: host.verdict for host in rank_hosts(HOSTS)}
    assert verdict == {
        "VN": "wets",
        "TiC": "only binds",
        "MgO": "does not bind",
        "TiN": "not known",  # the metal has not been computed
        "ScN": "not known",
    }


def test_a_model_of_dispersion_can_turn_a_verdict_round() -> None:
    hosts = rank_hosts({"A": table("A", {"hollow": -1.0}), "B": table("B", {"hollow": -0.5})})
    assert [host.conclusion for host in hosts] == ["only binds; with dispersion wets", "only binds"]
    both = {"none": 0.1, "d3bj": 0.2, "d4": -0.3}
    assert replace(hosts[0], by_dispersion=both).conclusion == "only binds; with D4 wets"
    assert [host.cohesive_energy for host in hosts] == pytest.approx([-1.1, -1.1])


def test_spreads_over_sites_and_over_dispersion() -> None:
    ranked = {host.label: host for host in rank_hosts(HOSTS)}
    assert ranked["VN"].site_spread == pytest.approx(0.8)
    assert ranked["VN"].missing == ("top-N",)
    assert ranked["TiN"].site_spread is None
    assert ranked["VN"].dispersion_range == pytest.approx((-1.1, -0.8))
    assert ranked["TiN"].dispersion_range is None


def test_a_free_adatom_does_not_enter() -> None:
    free = Site("VN(001)", "top-V", "free", energy=-9.0, adsorption_energy=-5.0)
    sites = (*HOSTS["VN"].sites, free)
    (ranked,) = rank_hosts({"VN": Table("VN", "Na", sites, (), "laptop", physical=True)})
    assert ranked.adsorption_energy == -1.9


def test_marks_are_the_energies() -> None:
    ranked = rank_hosts(HOSTS)
    sites = draw_sites(Figure().add_subplot(), ranked)
    drawn = {float(x) for line in sites.lines for x in np.ravel(line.get_xdata())}
    assert {-1.9, -1.1, -1.5, -0.9, -0.4, 0.1} <= drawn
    assert {text.get_text().strip() for text in sites.texts} == {"hollow", "no energy yet"}
    metal = draw_against_metal(Figure().add_subplot(), ranked)
    diamonds = [line for line in metal.lines if line.get_marker() == "D"]
    assert [float(np.ravel(line.get_xdata())[0]) for line in diamonds] == pytest.approx(
        [-0.8, 0.2, 1.2]
    )
    assert [text.get_text() for text in metal.texts] == [
        host.conclusion.replace("; with", ";\nwith") for host in ranked
    ]


def test_figure_is_as_wide_as_the_page_and_marked_where_it_must_be() -> None:
    figure = compose(rank_hosts(HOSTS), Caption("Five hosts.", physical=False))
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180.0)
    assert any("not physical" in text.get_text() for text in figure.texts)
