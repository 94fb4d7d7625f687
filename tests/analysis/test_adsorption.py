"""Adsorption energies by hand, and sentences that say what the numbers say."""

from dataclasses import replace

import pytest

from analysis.adsorption import (
    Problem,
    Relaxation,
    Site,
    Table,
    adsorption_energy,
    cohesive_energy,
    require_same_settings,
)
from analysis.paper import ADSORPTION_ENERGIES

NA_HELD = Site("Na(001)", "hollow", "held", adsorption_energy=-0.70)
NA_FREE = Site("Na(001)", "hollow", "free", adsorption_energy=-0.80)


def vn(site: str, energy: float | None, relaxation: Relaxation = "held") -> Site:
    published = ADSORPTION_ENERGIES[site]
    return Site("VN(001)", site, relaxation, adsorption_energy=energy, published=published)


def table(*sites: Site, metal: tuple[Site, ...] = (NA_FREE,), physical: bool = True) -> Table:
    quality = "production" if physical else "smoke"
    return Table("VN", "Na", sites, metal, quality, physical)


def test_adsorption_energy_by_hand() -> None:
    # -103.5 - (-101.4) - (-0.25) = -1.85
    assert adsorption_energy(-103.5, -101.4, -0.25) == pytest.approx(-1.85)


def test_cohesive_energy_by_hand() -> None:
    # -1.33 - (-0.25) = -1.08
    assert cohesive_energy(-1.33, -0.25) == pytest.approx(-1.08)


def test_an_atom_far_away_has_no_adsorption_energy() -> None:
    assert adsorption_energy(-101.65, -101.4, -0.25) == pytest.approx(0.0, abs=1e-12)


def test_energy_that_is_not_finite_is_named() -> None:
    with pytest.raises(ValueError, match=r"energy of slab is nan eV: a finite number is needed"):
        adsorption_energy(-103.5, float("nan"), -0.25)


def test_equal_settings_pass() -> None:
    require_same_settings({"slab": {"ecut": 400, "xc": "PBE"}, "Na": {"xc": "PBE", "ecut": 400.0}})


def test_differing_setting_is_named_with_its_systems() -> None:
    with pytest.raises(ValueError, match=r"found ecut \(slab: 400, Na: 340\)$"):
        require_same_settings(
            {"slab": {"ecut": 400, "xc": "PBE"}, "Na": {"ecut": 340, "xc": "PBE"}}
        )


def test_missing_setting_is_named() -> None:
    with pytest.raises(ValueError, match=r"found xc \(slab: PBE, Na: not set\)$"):
        require_same_settings({"slab": {"xc": "PBE"}, "Na": {}})


def test_difference_from_the_paper() -> None:
    assert vn("top-V", -1.930).difference == pytest.approx(-0.1)


def test_no_difference_without_published_energy() -> None:
    assert NA_FREE.difference is None


def test_relaxation_must_be_known() -> None:
    with pytest.raises(
        ValueError, match=r"unknown relaxation 'loose': 'held' or 'free' is allowed"
    ):
        Site("VN(001)", "top-V", "loose")  # type: ignore[arg-type]


def test_sites_with_nearest_distances_are_hashable_values() -> None:
    site = replace(NA_FREE, nearest={"Na": 3.1})
    assert site in {site, NA_FREE}


def test_strongest_is_the_lowest_energy() -> None:
    found = table(vn("hollow", -1.4), vn("top-V", -1.9), vn("top-N", None)).strongest("held")
    assert found == vn("top-V", -1.9)


def test_strongest_looks_only_at_its_relaxation() -> None:
    found = table(vn("top-V", -1.9), vn("hollow", -1.5, "free")).strongest("free")
    assert found == vn("hollow", -1.5, "free")


def test_strongest_leaves_out_a_site_with_a_problem() -> None:
    broken = replace(vn("top-V", -9.0), problem=Problem("failed", "not converged"))
    assert table(broken, vn("hollow", -1.4)).strongest("held") == vn("hollow", -1.4)


def test_strongest_of_nothing_is_none() -> None:
    assert table().strongest("held") is None


def test_metal_reference_prefers_free_over_a_lower_held_site() -> None:
    low = replace(NA_HELD, adsorption_energy=-5.0)
    assert table(metal=(low, NA_FREE)).metal_references == (NA_FREE,)


def test_metal_reference_falls_back_on_held() -> None:
    assert table(metal=(NA_HELD,)).metal_references == (NA_HELD,)


def test_metal_reference_of_nothing_is_none() -> None:
    assert table(metal=()).metal_references == ()


@pytest.mark.parametrize(("energy", "expected"), [(-1.9, True), (-0.8, False), (-0.5, False)])
def test_host_binds_more_strongly_only_below_the_metal(energy: float, expected: bool) -> None:
    assert table(vn("top-V", energy, "free")).binds_more_strongly is expected


def test_host_that_does_not_bind_at_all_does_not_bind_more_strongly() -> None:
    repelling = replace(NA_FREE, adsorption_energy=0.5)
    found = table(vn("top-V", 0.1, "free"), metal=(repelling,)).binds_more_strongly
    assert found is False


def test_held_is_compared_with_held() -> None:
    mixed = table(vn("top-V", -1.9), metal=(NA_HELD, NA_FREE))
    assert mixed.comparison == (vn("top-V", -1.9), NA_HELD)


def test_held_is_never_compared_with_free() -> None:
    mixed = table(vn("top-V", -1.9), metal=(NA_FREE,))
    assert mixed.binds_more_strongly is None


def test_verdict_says_which_binds_more_strongly() -> None:
    assert table(vn("top-V", -1.93, "free")).verdict() == (
        "VN binds Na more strongly than Na does: -1.93 eV (top-V, free) against "
        "-0.80 eV (hollow, free). Bulk Na is not compared: an energy is missing; "
        "production settings"
    )


def test_verdict_says_when_the_host_binds_less() -> None:
    verdict = table(vn("top-V", -0.50, "free")).verdict()
    assert verdict.startswith("VN does not bind Na more strongly than Na does: -0.50 eV")


def test_verdict_of_smoke_settings_is_not_physical() -> None:
    verdict = table(vn("top-V", -1.93, "free"), physical=False).verdict()
    assert verdict.endswith("; not physical: smoke settings")


def test_verdict_names_where_the_adatom_ended() -> None:
    moved = replace(vn("bridge", -1.93, "free"), ended_at="top-V")
    assert "(bridge, free, ended at top-V)" in table(moved).verdict()


@pytest.mark.parametrize(
    ("sites", "metal", "lacking"),
    [
        ((), (NA_FREE,), "on VN"),
        ((vn("top-V", -1.9),), (), "on Na"),
        ((), (), "on VN and Na"),
    ],
)
def test_verdict_names_what_is_missing(
    sites: tuple[Site, ...], metal: tuple[Site, ...], lacking: str
) -> None:
    verdict = table(*sites, metal=metal).verdict()
    assert verdict.startswith(f"no verdict: no adsorption energy of Na {lacking}. Bulk Na is not")


@pytest.mark.parametrize(
    ("against_metal", "wets", "sentence"),
    [
        (-0.05, True, "lies 0.05 eV per atom below bulk Na: a layer on VN forms before bulk metal"),
        (0.20, False, "lies 0.20 eV per atom above bulk Na: bulk metal forms before a layer on VN"),
    ],
)
def test_verdict_answers_both_questions(against_metal: float, wets: bool, sentence: str) -> None:
    found = table(replace(vn("top-V", -1.0, "free"), against_metal=against_metal))
    surface, bulk = found.answers()
    assert (surface.yes, bulk.yes) == (True, wets)
    assert surface.question == "More strongly than Na on Na?"
    assert sentence in found.verdict()
    assert found.verdict().startswith("VN binds Na more strongly than Na does")


def test_without_a_metal_slab_bulk_metal_is_compared_all_the_same() -> None:
    found = table(replace(vn("top-V", -1.0), against_metal=0.1), metal=())
    assert [answer.yes for answer in found.answers()] == [None, False]


def test_verdict_says_when_relaxations_do_not_meet() -> None:
    assert table(vn("top-V", -1.9)).verdict().startswith("not comparable: no relaxation")


def test_ranking_that_agrees() -> None:
    # differences 0.1, 0.2, 0.0, 0.3: mean 0.15
    ours = {"bridge": -1.664, "hollow": -1.657, "top-V": -1.830, "top-N": -1.058}
    sentence = table(*(vn(site, energy) for site, energy in ours.items())).ranking_agreement()
    assert sentence == (
        "order of 4 held sites agrees with the paper: top-V < bridge < hollow < top-N; "
        "mean absolute difference 0.15 eV, largest 0.30 eV (top-N); production settings"
    )


def test_ranking_that_differs_shows_both_orders() -> None:
    sentence = table(vn("top-V", -1.4), vn("hollow", -1.6)).ranking_agreement()
    assert "differs from the paper: hollow < top-V here, top-V < hollow there" in sentence


def test_ranking_names_the_sites_left_out() -> None:
    sites = vn("top-V", -1.8), vn("hollow", -1.5), vn("bridge", None)
    assert "bridge left out" in table(*sites).ranking_agreement()


def test_ranking_names_the_sites_that_moved() -> None:
    moved = replace(vn("bridge", -1.8, "free"), ended_at="top-V")
    sentence = table(moved, vn("hollow", -1.5, "free")).ranking_agreement()
    assert "bridge ended at top-V" in sentence


def test_ranking_prefers_held_sites() -> None:
    held = vn("top-V", -1.8), vn("hollow", -1.5)
    free = vn("top-V", -1.8, "free"), vn("hollow", -1.9, "free")
    assert table(*free, *held).ranking_agreement().startswith("order of 2 held sites agrees")


def test_ranking_of_one_site_is_no_ranking() -> None:
    assert table(vn("top-V", -1.8)).ranking_agreement().startswith("order of sites not compared")
