"""Adsorption energies by hand arithmetic, and only like subtracted from like."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import made_up as made
from tests.made_up import STRUCTURE, values_of
from tests.workflows.report.finished_run import (
    ADSORPTION,
    FALLS,
    LEANING,
    LEANS,
    OF_THE_DIPOLE,
    ON_METAL,
    PAPER,
    case,
    evaluation,
    finish,
    row,
    written,
)
from workflows.case.schema import Checks
from workflows.report.wording import notes, reference_in_words
from workflows.tasks.atoms_json import to_json
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan


@pytest.mark.parametrize(
    ("site", "relaxation", "energy"),
    [
        ("top-V", "held", -1.8),  # -102.05 - (-100.00) - (-0.25)
        ("top-V", "free", -1.85),
        ("bridge", "held", -1.5),
        ("top-N", "held", -1.3),
    ],
)
def test_adsorption_energies(
    data: dict[str, Any], site: str, relaxation: str, energy: float
) -> None:
    assert row(data, site, relaxation)["adsorption_energy"] == pytest.approx(energy)


def test_adsorption_energy_on_the_metal(data: dict[str, Any]) -> None:
    assert row(data, "hollow", "held", "metal_sites")["adsorption_energy"] == pytest.approx(-0.8)


def test_total_energy_is_as_computed(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["energy"] == -102.05


def test_cohesive_energy(data: dict[str, Any]) -> None:
    assert data["references"]["cohesive_energy"] == pytest.approx(-1.08)  # -1.33 - (-0.25)


def test_energy_against_the_metal(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["against_metal"] == pytest.approx(-0.72)  # -1.80 - (-1.08)


@pytest.mark.parametrize("site", PAPER)
def test_published_energies_and_our_difference_from_them(data: dict[str, Any], site: str) -> None:
    found = row(data, site, "held")
    assert found["published"] == PAPER[site]
    ours = ADSORPTION[site] - (FALLS if site == LEANS else 0.0)
    assert found["difference"] == pytest.approx(ours - PAPER[site])


def test_an_energy_is_against_the_slab_that_the_adatom_leaves_behind(data: dict[str, Any]) -> None:
    tipped, plain = row(data, LEANS, "held"), row(data, "top-V", "held")
    assert tipped["adsorption_energy"] == pytest.approx(ADSORPTION[LEANS] - FALLS)
    assert tipped["against_clean"] == pytest.approx(ADSORPTION[LEANS])
    assert tipped["reconstruction_energy"] == pytest.approx(FALLS)
    assert tipped["reconstruction_displacement"] == pytest.approx(LEANING)
    assert plain["adsorption_energy"] == plain["against_clean"] == pytest.approx(-1.8)
    assert plain["against_lowest"] == pytest.approx(-1.8 - FALLS)  # the lowest is hollow's
    assert plain["reconstruction_energy"] == pytest.approx(0.0)
    assert {tipped["reference"], plain["reference"]} == {"same basin"}
    assert row(data, "hollow", "held", "metal_sites")["against_lowest"] == pytest.approx(
        ON_METAL["Na"]
    )
    notes = [line for line in data["notes"] if "ends in another structure" in line]
    assert notes == [
        "VN(001): relaxed again without the adatom, the slab ends in another structure than the "
        "clean one: hollow held -40 meV, hollow free -40 meV from it (atoms up to 0.20 Å away); "
        "against_clean has the energies against the clean slab"
    ]


def test_energies_without_the_dipole_correction(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["without_dipole"] == pytest.approx(-1.8 + OF_THE_DIPOLE)
    assert row(data, "top-V", "free")["without_dipole"] is None


def test_without_the_slab_of_its_basin_an_energy_says_so(tmp_path: Path) -> None:
    plain = case().model_copy(update={"checks": Checks(same_basin=False)})
    finish(tmp_path, plain)
    found = evaluation(tmp_path, plain)
    site = next(s for s in found.table.sites if s.site == LEANS)
    assert (site.reference, site.reconstruction_energy) == ("clean slab", None)
    assert site.adsorption_energy == pytest.approx(ADSORPTION[LEANS])
    assert any("checks.same_basin is off" in line for line in notes(found))


def test_published_energy_of_bare_sodium(data: dict[str, Any]) -> None:
    found = row(data, "hollow", "held", "metal_sites")
    assert (found["published"], found["difference"]) == (-0.860, pytest.approx(0.06))


def test_where_the_adatom_is(data: dict[str, Any]) -> None:
    found = row(data, "bridge", "free")
    assert (found["ended_at"], found["site_offset"]) == ("hollow", 0.01)
    assert (found["height"], found["nearest"]) == (2.1, {"N": 2.5, "V": 3.0})


def test_saddles_are_marked(data: dict[str, Any]) -> None:
    assert [s["site"] for s in data["sites"] if s["saddle"]] == ["top-N"]


def test_without_the_atom_there_are_no_adsorption_energies(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("Na-atom",))
    data = written(tmp_path, case())
    found = row(data, "top-V", "held")
    assert found["energy"] == -102.05
    assert (found["adsorption_energy"], found["against_metal"]) == (None, None)
    assert found["problem"] == "the isolated atom's energy is missing"
    assert data["references"]["cohesive_energy"] is None


def test_without_the_bulk_metal_nothing_is_referred_to_it(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("Na-lattice",))
    found = row(written(tmp_path, case()), "top-V", "held")
    assert found["adsorption_energy"] == pytest.approx(-1.8)
    assert found["against_metal"] is None


def test_a_failed_site_has_no_number_but_its_reason(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-held",))
    made.fail(plan(case())["VN-top-V-held"], tmp_path, "desorbed", "Na ended far away")
    data = written(tmp_path, case())
    held, free = (row(data, "top-V", relaxation) for relaxation in ("held", "free"))
    assert (held["energy"], held["adsorption_energy"], held["difference"]) == (None, None, None)
    assert held["problem"] == "failed: desorbed: Na ended far away"
    assert free["problem"] == "blocked: needs VN-top-V-held, which failed"
    assert "VN-top-V-held: failed (desorbed: Na ended far away)" in data["missing"]
    assert data["verdict"].startswith("VN binds Na more strongly than Na does: -1.55 eV (bridge")
    assert data["agreement_with_paper"].split("; ")[-2] == "top-V left out"


def test_an_edited_energy_is_missing_not_wrong(tmp_path: Path) -> None:
    finish(tmp_path, case())
    path = tmp_path / "VN-top-V-free" / "result.json"
    path.write_text(path.read_text().replace("-102.1", "-109.1"))
    found = row(written(tmp_path, case()), "top-V", "free")
    assert found["adsorption_energy"] is None
    assert found["problem"] == "stale: its result is damaged; it will be computed again"


def test_another_host_has_no_published_numbers(tmp_path: Path) -> None:
    finish(tmp_path, case(host="Ti"))
    data = written(tmp_path, case(host="Ti"))
    assert {(s["published"], s["difference"]) for s in data["sites"]} == {(None, None)}
    assert row(data, "top-Ti", "held")["adsorption_energy"] == pytest.approx(-1.1)
    assert data["agreement_with_paper"].startswith("order of sites not compared")
    assert data["metal_sites"][0]["published"] is None  # their Na belongs to their VN


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ([3.0, 3.0, 14.0], "found grid spacing ("),
        ([6.0, 3.0, 12.0], "found k-point spacing ("),
    ],
)
def test_energies_of_other_cells_are_refused(tmp_path: Path, cell: list[float], names: str) -> None:
    finish(tmp_path, case())
    folder, other = TaskFolder(tmp_path / "VN-top-V-held", "held"), STRUCTURE.copy()
    other.set_cell(cell)
    found = folder.result()
    assert found is not None
    folder.finish(replace(found, values=values_of("held", structure=to_json(other))))
    (site,) = [
        s for s in evaluation(tmp_path, case()).table.sites
        if (s.site, s.relaxation) == ("top-V", "held")
    ]  # fmt: skip
    assert site.adsorption_energy is None
    assert site.problem is not None
    assert site.problem.kind == "refused"
    assert site.problem.text.startswith("only energies of equal settings may be subtracted")
    assert names in site.problem.text


# ---- rows whose bare slab is not there yet ------------------------------------------------------


def test_two_definitions_of_an_energy_never_stand_in_one_column(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-N-held-basin",))
    data = written(tmp_path, case())
    found = row(data, "top-N", "held")
    assert (found["adsorption_energy"], found["against_metal"]) == (None, None)
    assert found["against_clean"] == pytest.approx(ADSORPTION["top-N"])
    assert found["problem"] == "its bare slab VN-top-N-held-basin is missing (ready)"
    assert {site["reference"] for site in data["sites"]} == {"same basin"}
    assert "top-N left out" in data["agreement_with_paper"]


def test_where_no_bare_slab_is_asked_for_all_rows_are_against_the_clean_one(
    tmp_path: Path,
) -> None:
    plain = case().model_copy(update={"checks": Checks(same_basin=False)})
    finish(tmp_path, plain)
    sites = evaluation(tmp_path, plain).table.all_sites
    assert {site.reference for site in sites} == {"clean slab"}
    assert reference_in_words(sites) == ", against the clean slab"
    assert all(site.adsorption_energy == site.against_clean is not None for site in sites)


def test_the_conclusions_of_a_figure_leave_out_a_row_without_its_bare_slab(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-free-basin",))
    strongest = evaluation(tmp_path, case()).table.strongest("free")
    assert strongest is not None
    assert strongest.site == "bridge"  # top-V would be -1.85 eV against the clean slab
