"""What is shipped: every result is believed, draws its figures again, and is what the docs say."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from workflows.campaign.directory import read_campaign
from workflows.campaign.sweep import gather
from workflows.case.reading import read
from workflows.cli import main
from workflows.report.account import account_csv, account_of, read_sweep
from workflows.report.evaluation import Evaluation
from workflows.report.results import results_of
from workflows.report.tables import write_tables
from workflows.tasks.status import recipe_of, survey_recorded

LAPTOP, SENSITIVITY = ROOT / "examples" / "laptop", ROOT / "examples" / "sensitivity"
HOSTS, BEYOND = ROOT / "examples" / "hosts", ROOT / "examples" / "beyond"
CLUSTERS = BEYOND / "clusters"  # on VN, in a wider cell
ENDS = ("lowest", "highest")
TEXT = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")


def rows(heading: str, which: int = 0) -> list[list[str]]:
    """Return the cells of the first (or another) table whose first column has this heading."""
    found = re.findall(rf"^\| {heading} \|.*\n\|[- |]+\|\n((?:\|.*\n)+)", TEXT, re.M)
    lines = found[which].splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.fixture(scope="module")
def results() -> Any:
    return json.loads((LAPTOP / "results.json").read_text(encoding="utf-8"))


# ---- the laptop case ----------------------------------------------------------------------------


def test_the_laptop_case_is_the_preset_and_whole() -> None:
    campaign = read_campaign(LAPTOP)
    (preset,) = gather(["laptop"]).members
    assert campaign.members[0].case == preset.case
    states = survey_recorded(campaign.tasks, LAPTOP)
    assert {state.status for state in states.values()} == {"done"}


def test_it_is_reported_again_as_it_is_shipped(tmp_path: Path, results: Any) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(LAPTOP, copy)
    for name in ("results.json", "energies.csv", "figures"):
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert main(["report", str(copy), "--html"]) == (0 if results["complete"] else 1)
    for name in ("results.json", "energies.csv"):
        assert (copy / name).read_text() == (LAPTOP / name).read_text()
    assert (copy / "figures" / "fig5.png").stat().st_size > 500_000  # with all four densities
    assert "<h3>VN-slab</h3>" in (copy / "report.html").read_text()  # its relaxation, step by step


def test_the_docs_have_the_energies_of_the_laptop_case(results: Any) -> None:
    table = rows("surface")
    sites = [*results["sites"], *results["metal_sites"]]
    assert len(table) == len(sites) / 2
    for surface, site, *energies, ended, published, difference, clean in table:
        held, free = (
            next(
                s
                for s in sites
                if (s["surface"], s["site"], s["relaxation"]) == (surface, site, relaxation)
            )
            for relaxation in ("held", "free")
        )
        said = [*energies, published, difference, clean]
        known = [
            held["adsorption_energy"],
            free["adsorption_energy"],
            held["published"],
            held["difference"],
            held["against_clean"],
        ]
        assert [number(text) for text in said] == pytest.approx(known, abs=0.0005)
        assert ended == free["ended_at"]


def test_the_docs_have_both_readings_of_the_labels(results: Any) -> None:
    table = rows("labels of the paper")
    for (_, *said, worst), reading in zip(table, ("as_printed", "exchanged"), strict=True):
        known = results["labels"][reading]
        numbers = [known[key] for key in ("shift", "mean_error", "largest_error")]
        assert [number(text) for text in said] == pytest.approx(numbers, abs=0.0005)
        assert worst == known["worst"]


def test_the_docs_have_the_barriers_that_lie_in_the_data(results: Any) -> None:
    table = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| ([\d.]+) \|$", TEXT, re.M)
    known = [found for found in results["barriers"] if found["energy"] is not None]
    assert len(table) == len(known)
    for (surface, minimum, over, energy), found in zip(table, known, strict=True):
        assert (surface, minimum, over) == (found["surface"], found["minimum"], found["over"])
        assert number(energy) == pytest.approx(found["energy"], abs=0.0005)


def test_the_docs_have_what_is_left_of_the_differences() -> None:
    with (LAPTOP / "from-ours-to-theirs.csv").open(encoding="utf-8") as file:
        lines = {row["choice"]: row for row in csv.DictReader(file)}
    ends = ("published less ours", *(f"left with all that is counted, {e}" for e in ENDS))
    for site, *said in rows("held site"):
        known = [float(lines[end][f"{site}_eV"]) for end in ends]
        assert [number(text) for text in said] == pytest.approx(known, abs=0.0005)


def test_what_is_left_is_drawn_from_what_is_shipped() -> None:
    campaign = read_campaign(LAPTOP)
    results_of_case = results_of(campaign, 0, survey_recorded(campaign.tasks, LAPTOP))
    found = Evaluation(results_of_case, LAPTOP)
    account = account_of(
        found, read_sweep(SENSITIVITY / "run", found.case, recipe_of(found.results.states))
    )
    assert account is not None
    shipped = (LAPTOP / "from-ours-to-theirs.csv").read_text(encoding="utf-8")
    assert account_csv(account) == shipped


def test_nothing_shipped_names_a_place_on_a_machine() -> None:
    for path in (ROOT / "examples").rglob("*"):
        if path.suffix in (".json", ".csv", ".toml", ".md", ".extxyz", ".cif"):
            assert not re.search(r"/(home|root|tmp|work)/", path.read_text(encoding="utf-8")), path


# ---- what moves the numbers ---------------------------------------------------------------------


def test_the_sweep_is_the_one_that_was_computed_and_whole() -> None:
    asked = gather([str(SENSITIVITY / "sweep.toml")])
    computed = read_campaign(SENSITIVITY / "run")
    assert asked.tasks.keys() == computed.tasks.keys()
    states = survey_recorded(computed.tasks, SENSITIVITY / "run")
    assert {state.status for state in states.values()} == {"done"}


def test_the_base_of_the_sweep_is_the_laptop_case_in_a_smaller_cell() -> None:
    small, laptop = (
        read(path).model_dump() for path in (SENSITIVITY / "sqrt2.toml", LAPTOP / "case.toml")
    )
    different = {key for key in laptop if small[key] != laptop[key]}
    assert different == {"name", "description", "slab", "metal_slab_110", "dft"}
    assert {key for key in laptop["slab"] if small["slab"][key] != laptop["slab"][key]} == {
        "cell",
        "sites",
    }
    assert {key for key in laptop["dft"] if small["dft"][key] != laptop["dft"][key]} == {"kpoints"}


def test_the_docs_have_what_moves_the_numbers() -> None:
    with (SENSITIVITY / "run" / "sensitivity.csv").open(encoding="utf-8") as file:
        computed = {row["choice"]: row for row in csv.DictReader(file)}
    table = rows("choice")
    assert [row[0] for row in table] == list(computed)
    for choice, *said in table:
        kind = "adsorption" if choice == "base" else "change"
        known = [float(computed[choice][f"{site}_{kind}_eV"]) for site in ("top-V", "top-N")]
        assert [number(text) for text in said] == pytest.approx(known, abs=0.0005)


def test_the_docs_have_what_moves_the_numbers_of_the_laptop_case(results: Any) -> None:
    with (SENSITIVITY / "run" / "sensitivity.csv").open(encoding="utf-8") as file:
        base = next(csv.DictReader(file))
    known: list[list[float]] = [[], [], [], []]
    for site in ("top-V", "top-N"):
        held, free = (
            next(s for s in results["sites"] if (s["site"], s["relaxation"]) == (site, relaxation))
            for relaxation in ("held", "free")
        )
        small = float(base[f"{site}_adsorption_eV"])
        known[0].append(held["adsorption_energy"] - small)
        known[1].append(held["against_clean"] - small)
        known[2].append(free["adsorption_energy"] - held["adsorption_energy"])
        known[3].append(held["without_dipole"] - held["against_clean"])
    said = [[number(text) for text in row[1:]] for row in rows("choice", which=1)]
    assert said == [pytest.approx(line, abs=0.0005) for line in known]


def test_the_docs_have_what_the_k_points_do() -> None:
    path = SENSITIVITY / "kpoints"
    states = survey_recorded(read_campaign(path).tasks, path)
    assert {state.status for state in states.values()} == {"done"}
    study = json.loads((path / "convergence.json").read_text(encoding="utf-8"))
    assert study["values"] == ["4×4", "6×6", "8×8"]
    assert study["recommended"] == "6×6"
    for energies in study["adsorption_energy"].values():
        assert energies[1] - energies[0] == pytest.approx(-0.10, abs=0.005)
        assert energies[2] - energies[0] == pytest.approx(-0.08, abs=0.005)


# ---- hosts in order -----------------------------------------------------------------------------


def test_the_hosts_are_those_of_the_sweep_and_whole() -> None:
    asked, computed = gather([str(HOSTS / "sweep.toml")]), read_campaign(HOSTS / "run")
    assert asked.tasks.keys() == computed.tasks.keys()
    assert asked.goal == computed.goal == "ranking"
    states = survey_recorded(computed.tasks, HOSTS / "run")
    assert {state.status for state in states.values()} == {"done"}


def test_the_hosts_are_reported_again_as_they_are_shipped(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(HOSTS / "run", copy)
    names = ("ranking.csv", "prescreen.csv", "energies.csv", "results.json")
    for name in names:
        (copy / name).unlink()
    assert main(["report", str(copy)]) == 0
    for name in names:
        assert (copy / name).read_text() == (HOSTS / "run" / name).read_text()


def test_the_readme_has_the_energies_of_the_hosts() -> None:
    text = (HOSTS / "README.md").read_text(encoding="utf-8")
    table = re.search(r"^\| host .*\n\|[- |]+\|\n((?:\|.*\n)+)", text, re.M)
    assert table is not None
    lines_of = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1].splitlines()]
    said = {host: cells for host, *cells in lines_of}
    with (HOSTS / "run" / "ranking.csv").open(encoding="utf-8") as file:
        ranked = list(csv.DictReader(file))
    with (HOSTS / "run" / "prescreen.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(said) == [row["host"] for row in ranked]
    for row in ranked:
        site, *numbers, low_high, verdict, screened = said[row["host"]]
        assert (site, verdict.partition(";")[0]) == (row["best_site"], row["verdict"])
        keys = ("adsorption_energy_eV", "spread_over_sites_eV", "against_metal_eV")
        assert [number(n) for n in numbers] == pytest.approx(
            [float(row[k]) for k in keys], abs=5e-4
        )
        ends = [float(row[f"{end}_with_dispersion_eV"]) for end in ENDS]
        assert [number(n) for n in low_high.split(" to ")] == pytest.approx(ends, abs=0.005)
        best = min(
            float(line["prescreen_against_metal_eV"])
            for line in lines
            if line["host"] == row["host"]
        )
        assert number(screened) == pytest.approx(best, abs=0.005)


# ---- coverage, hops and electronic structure ----------------------------------------------------


def evaluation(root: Path) -> Evaluation:
    campaign = read_campaign(root)
    return Evaluation(results_of(campaign, 0, survey_recorded(campaign.tasks, root)), root)


@pytest.fixture(scope="module")
def beyond() -> Evaluation:
    return evaluation(BEYOND)


def test_the_case_with_coverage_hops_and_electrons_is_whole(beyond: Evaluation) -> None:
    assert {state.status for state in beyond.results.states.values()} == {"done"}
    assert None not in (beyond.case.coverage, beyond.case.hop, beyond.case.electrons)


def test_its_tables_are_those_that_are_shipped(tmp_path: Path, beyond: Evaluation) -> None:
    write_tables(beyond, tmp_path)
    for name in ("results.json", "energies.csv", "coverage.csv", "paths.csv", "states.csv"):
        assert (tmp_path / name).read_text() == (BEYOND / name).read_text(), name


def test_clusters_on_the_host_are_whole_and_in_its_readme(tmp_path: Path) -> None:
    clusters = evaluation(CLUSTERS)
    assert {state.status for state in clusters.results.states.values()} == {"done"}
    write_tables(clusters, tmp_path)
    for name in ("results.json", "coverage.csv"):
        assert (tmp_path / name).read_text() == (CLUSTERS / name).read_text(), name
    (filling,) = clusters.coverages
    readme = " ".join((BEYOND / "README.md").read_text(encoding="utf-8").split())
    assert list(filling.sentences())[-1] in readme


def test_its_readme_has_its_sentences(beyond: Evaluation) -> None:
    readme = " ".join((BEYOND / "README.md").read_text(encoding="utf-8").split())
    found = [text for of in beyond.coverages for text in of.sentences()]
    found += [of.sentence("Na") for of in beyond.hops]
    assert len(found) == 2 * len(beyond.coverages) + len(beyond.hops) > 4
    for sentence in found:
        assert sentence in readme, sentence
