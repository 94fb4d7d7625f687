"""Energies with each model of dispersion: by hand arithmetic, and from the shipped laptop case."""

import csv
import dataclasses
import io
from typing import Any, cast

import pytest
from rich.console import Console

from tests.paths import ROOT
from workflows.campaign.directory import read_campaign
from workflows.report.dispersion import (
    adsorption_energies,
    against_metal,
    cohesive_energies,
    spread,
)
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results, results_of
from workflows.report.tables import energies_csv
from workflows.tasks.records import RelaxedValues
from workflows.tasks.status import survey_recorded
from workflows.terminal.site_tables import dispersion_by_site

LAPTOP = ROOT / "examples" / "laptop"


@pytest.fixture(scope="module")
def results() -> Results:
    campaign = read_campaign(LAPTOP)
    return results_of(campaign, 0, survey_recorded(campaign.tasks, LAPTOP))


def relaxed(energy: float, **added: float) -> RelaxedValues:
    made_up: dict[str, Any] = {"energy": energy, "dispersion": added, "structure": EMPTY}
    return cast("RelaxedValues", made_up)


EMPTY = {
    "numbers": [],
    "positions": [],
    "cell": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "pbc": [1, 1, 0],
}
WITH_ADATOM = relaxed(-102.05, d3bj=-7.5, d4=-6.4)
BARE = relaxed(-100.0, d3bj=-7.2, d4=-6.2)


@pytest.fixture(autouse=True)
def _no_structures(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "by_hand" in request.node.name:
        monkeypatch.setattr("workflows.report.dispersion.from_json", lambda _: None)


def test_energies_at_fixed_structures_by_hand(results: Results) -> None:
    # -102.05 - (-100.00) - (-0.25) = -1.80; and with it -7.5 - (-7.2), -6.4 - (-6.2)
    energies = adsorption_energies(results.case, WITH_ADATOM, BARE, -0.25)
    assert energies == pytest.approx({"none": -1.8, "d3bj": -2.1, "d4": -2.0})
    metal = {"none": -1.08, "d3bj": -1.23}
    assert against_metal(energies, metal) == pytest.approx({"none": -0.72, "d3bj": -0.87})


def test_a_model_that_was_relaxed_with_is_not_counted_twice_by_hand(results: Results) -> None:
    dft = results.case.dft.model_copy(update={"dispersion": "d3bj"})
    with_d3 = results.case.model_copy(update={"dft": dft})
    energies = adsorption_energies(with_d3, WITH_ADATOM, BARE, -0.25)
    assert energies == pytest.approx({"none": -1.5, "d3bj": -1.8, "d4": -1.7})


def test_without_the_atom_there_is_no_cohesive_energy(results: Results) -> None:
    states = {name: s for name, s in results.states.items() if name != "Na-atom"}
    assert cohesive_energies(results.case, Results(states, results.case)) == {}
    table = Evaluation(Results(states, results.case), LAPTOP).table
    assert all(not site.by_dispersion for site in table.all_sites)


def test_a_row_without_main_value_has_none_with_dispersion_either(results: Results) -> None:
    """Against the clean slab it would be another quantity than in the other rows."""
    states = dict(results.states)
    name = "VN-top-N-held-basin"
    states[name] = dataclasses.replace(states[name], status="ready", result=None)
    table = Evaluation(Results(states, results.case), LAPTOP).table
    rows = {(s.site, s.relaxation): s for s in table.sites}
    assert rows["top-N", "held"].by_dispersion == {}
    assert rows["top-V", "held"].by_dispersion


def test_results_that_lack_them_are_given_the_same(results: Results) -> None:
    whole, bare = results.adatom("metal", "hollow", "held"), results.slab("metal")
    assert whole is not None
    assert bare is not None
    old = [{k: v for k, v in values.items() if k != "dispersion"} for values in (whole, bare)]
    energies = adsorption_energies(results.case, whole, bare, 0.0)
    again = adsorption_energies(
        results.case, cast("RelaxedValues", old[0]), cast("RelaxedValues", old[1]), 0.0
    )
    assert again == pytest.approx(energies, abs=3e-6)


# Single points by the packages' own calculators on the frozen structures, slab without Na, eV
FROZEN = {"d3bj": -0.34, "d3zero": -0.45, "d4": -0.25}


def test_dispersion_binds_on_vn_and_hardly_on_na(results: Results) -> None:
    table = Evaluation(results, LAPTOP).table
    for site in table.sites:
        for model, added in FROZEN.items():
            gained = site.by_dispersion[model] - site.by_dispersion["none"]
            # a free Na may end on a slab that has distorted otherwise: from top-V it does
            assert gained == pytest.approx(added, abs=0.05 if site.relaxation == "held" else 0.1)
    for site in table.metal_sites:
        assert site.by_dispersion["none"] == pytest.approx(site.adsorption_energy)
        changes = [site.by_dispersion[m] - site.by_dispersion["none"] for m in FROZEN]
        assert max(map(abs, changes)) < 0.14


def test_csv_table_and_page_have_all_models_beside_each_other(results: Results) -> None:
    table = Evaluation(results, LAPTOP).table
    held = next(s for s in table.sites if s.site == "top-V" and s.relaxation == "held")
    lines = csv.DictReader(io.StringIO(energies_csv(table, {})))
    line = next(r for r in lines if (r["site"], r["relaxation"]) == ("top-V", "held"))
    for model, energy in held.by_dispersion.items():
        assert float(line[f"dispersion_{model}_eV"]) == pytest.approx(energy, abs=1e-6)
    for model, energy in held.against_metal_by_dispersion.items():
        found = float(line[f"against_metal_dispersion_{model}_eV"])
        assert found == pytest.approx(energy, abs=1e-6)

    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(dispersion_by_site(table, 80))
    text = console.export_text()
    assert "arXiv:2303.17273" in " ".join(text.split())
    row = next(line for line in text.splitlines() if "top-V" in line)
    both = [*held.by_dispersion.values(), *held.against_metal_by_dispersion.values()]
    assert all(f"{energy:+.3f}" in row for energy in both)

    page = spread([held])
    assert page.labels == ["none", "D3(BJ)", "D3(0)", "D4"]
    assert page.rows == [("VN(001)", "top-V", both)]


def test_without_energies_there_is_no_table(results: Results) -> None:
    nothing = Evaluation(Results({}, results.case), LAPTOP)
    assert dispersion_by_site(nothing.table, 80) is None
    assert spread(()).rows == []
