"""results.json and energies.csv: every number, and never without what is missing."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.report.finished_run import (
    PAPER,
    case,
    evaluation,
    finish,
    written,
)
from workflows.case.schema import Case
from workflows.report.densities import charges
from workflows.report.tables import energies_csv, write_tables
from workflows.tasks.graph import plan


def test_lattice_and_its_spacings(data: dict[str, Any]) -> None:
    lattice = data["lattices"]["host"]
    assert (lattice["lattice_constant"], lattice["source"]) == (4.12, "equation of state")
    assert lattice["d_200"] == pytest.approx(2.06)
    assert lattice["d_111"] == pytest.approx(4.12 / 3**0.5)
    d_111, d_200, d_220 = lattice["spacings"][:3]
    assert (d_111["published"], d_200["published"], d_220["published"]) == (2.3, 2.0, None)
    assert d_200["difference"] == pytest.approx(0.06)
    assert [ring["named_by_paper"] for ring in lattice["spacings"]] == [True] * 2 + [False] + [
        True
    ] * 2
    assert data["lattices"]["metal"]["spacings"] is None


def test_references(data: dict[str, Any]) -> None:
    assert data["references"]["atom_energy"] == -0.25
    assert data["references"]["clean_slabs"] == {"host": -100.0, "metal": -10.0}


def test_density_differences_name_their_files(data: dict[str, Any], root: Path) -> None:
    found = data["density_differences"]["top-V"]
    assert (found["charge_moved"], found["boundary"]) == (0.6, 5.0)
    assert (found["bader_charge"], data["units"]["bader_charge"]) == (0.7, "electrons")
    assert (root / found["cube"]).is_file()


def test_the_metals_density_differences_are_there_by_face(data: dict[str, Any], root: Path) -> None:
    found = data["metal_density_differences"]
    assert list(found) == ["Na(001)"]
    assert found["Na(001)"]["hollow"]["charge_moved"] == 0.05
    assert found["Na(001)"]["hollow"]["cube"] == "Na-hollow-density/difference.cube"
    assert (root / found["Na(001)"]["hollow"]["cube"]).is_file()


def test_the_verdict_is_the_comparison_of_like_with_like(data: dict[str, Any]) -> None:
    assert data["binds_more_strongly_than_metal"] is True
    assert data["verdict"] == (
        "VN binds Na more strongly than Na does: -1.85 eV (top-V, free) against "
        "-0.85 eV (hollow, free). Na on VN (top-V, free) lies 0.77 eV per atom below bulk Na: "
        "a layer on VN forms before bulk metal; laptop settings"
    )


def test_the_order_is_the_papers(data: dict[str, Any]) -> None:
    assert "agrees with the paper: top-V < bridge < hollow < top-N" in data["agreement_with_paper"]


def test_a_whole_run_misses_nothing(data: dict[str, Any]) -> None:
    assert (data["complete"], data["missing"]) == (True, [])


def test_settings_versions_and_time_come_along(data: dict[str, Any]) -> None:
    assert data["case"]["dft"]["cutoff"] == 400.0
    assert data["made_with"] == {"gpaw": "26.7"}
    assert data["seconds"] == 60.0 * len(plan(case()))


def test_every_number_has_its_unit(data: dict[str, Any]) -> None:
    site = {key for s in data["sites"] for key, value in s.items() if isinstance(value, float)}
    assert site <= set(data["units"])
    assert {k for k in data["density_differences"]["top-V"] if k != "cube"} <= set(data["units"])


def test_the_case_comes_back(data: dict[str, Any]) -> None:
    assert Case.model_validate(data["case"]) == case()


def test_again_it_is_the_same(root: Path) -> None:
    write_tables(evaluation(root, case()), root)
    before = (root / "results.json").read_bytes(), (root / "energies.csv").read_bytes()
    write_tables(evaluation(root, case()), root)
    assert ((root / "results.json").read_bytes(), (root / "energies.csv").read_bytes()) == before


def test_a_new_run_has_no_numbers_and_says_so(tmp_path: Path) -> None:
    data = written(tmp_path, case())
    assert data["complete"] is False
    assert "VN-lattice: ready" in data["missing"]
    assert "VN-slab: waiting (for VN-lattice)" in data["missing"]
    assert {s["adsorption_energy"] for s in data["sites"]} == {None}
    assert data["verdict"].startswith("no verdict: no adsorption energy of Na on VN and Na.")
    assert data["lattices"]["host"] == {
        "name": "VN", "lattice_constant": None, "source": "missing", "bulk_modulus": None,
        "pattern": None, "spacings": [], "d_200": None, "d_111": None,
    }  # fmt: skip
    assert (data["made_with"], data["seconds"]) == ({}, 0)


def test_smoke_numbers_are_marked_wherever_they_are(tmp_path: Path) -> None:
    finish(tmp_path, case("smoke"))
    data = written(tmp_path, case("smoke"))
    assert (data["quality"], data["physical"]) == ("smoke", False)
    assert data["verdict"].endswith("not physical: smoke settings")
    assert data["agreement_with_paper"].endswith("not physical: smoke settings")
    assert {r["quality"] for r in rows(tmp_path, case("smoke"))} == {"smoke"}


def test_laptop_numbers_are_not_marked(root: Path, data: dict[str, Any]) -> None:
    assert (data["quality"], data["physical"]) == ("laptop", True)


def rows(root: Path, case: Case) -> list[dict[str, str]]:
    found = evaluation(root, case)
    text = energies_csv(found.table, charges(found.results))
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_line_for_every_site_and_relaxation(root: Path) -> None:
    found = [(r["surface"], r["site"], r["relaxation"]) for r in rows(root, case())]
    expected = [("VN(001)", site, r) for site in PAPER for r in ("held", "free")]
    assert found == [*expected, ("Na(001)", "hollow", "held"), ("Na(001)", "hollow", "free")]


def test_csv_has_the_numbers(root: Path) -> None:
    (found,) = [r for r in rows(root, case()) if (r["site"], r["relaxation"]) == ("top-V", "held")]
    numbers = {
        "adsorption_energy_eV": -1.8, "published_eV": -1.83, "difference_eV": 0.03,
        "against_metal_eV": -0.72, "total_energy_eV": -102.05, "height_A": 2.1,
        "nearest_N_A": 2.5, "nearest_V_A": 3.0, "site_offset_A": 0.01,
    }  # fmt: skip
    assert {key: float(found[key]) for key in numbers} == pytest.approx(numbers)
    assert found["nearest_Na_A"] == ""  # no other sodium is near
    assert (found["ended_at"], found["quality"], found["problem"]) == ("top-V", "laptop", "")
