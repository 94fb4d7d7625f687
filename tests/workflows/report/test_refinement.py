"""Energies of single points: all of a row are refined or none, beside those as relaxed."""

import csv
import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from rich.console import Console

from analysis.figures.bars import draw_adsorption_bars
from tests.workflows.report.finished_run import (
    ADSORPTION,
    BY_REFINING,
    FALLS,
    LEANS,
    case,
    evaluation,
    finish,
    row,
    written,
)
from workflows.case.schema import Case, Refine, RefinedKPoints
from workflows.report.page import write_page
from workflows.report.tables import energies_csv
from workflows.report.wording import caption
from workflows.terminal.energy_table import energy_table

FINER = Refine(cutoff=500.0)
OF_ADSORPTION = BY_REFINING["held"] - BY_REFINING["basin"] - BY_REFINING["atom"]  # eV, held


def refined(refine: Refine = FINER) -> Case:
    return case().model_copy(update={"refine": refine})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("refined")
    finish(path, refined())
    return path


@pytest.fixture(scope="module")
def refined_data(run: Path) -> dict[str, Any]:
    return written(run, refined())


def test_energies_are_those_of_the_single_points(refined_data: dict[str, Any]) -> None:
    found = row(refined_data, "top-V", "held")
    assert found["adsorption_energy"] == pytest.approx(ADSORPTION["top-V"] + OF_ADSORPTION)
    assert found["energy"] == pytest.approx(-102.05 + BY_REFINING["held"])
    of_clean = BY_REFINING["held"] - BY_REFINING["slab"] - BY_REFINING["atom"]
    assert found["against_clean"] == pytest.approx(ADSORPTION["top-V"] + of_clean)
    lowest = BY_REFINING["basin"] + FALLS
    assert found["against_lowest"] == pytest.approx(
        ADSORPTION["top-V"] + BY_REFINING["held"] - BY_REFINING["atom"] - lowest
    )
    assert row(refined_data, LEANS, "held")["reconstruction_energy"] == pytest.approx(
        FALLS + BY_REFINING["basin"] - BY_REFINING["slab"]
    )


def test_the_cohesive_energy_is_refined_with_them(refined_data: dict[str, Any]) -> None:
    cohesive = -1.08 + BY_REFINING["lattice"] - BY_REFINING["atom"]
    assert refined_data["references"]["cohesive_energy"] == pytest.approx(cohesive)
    assert refined_data["references"]["atom_energy"] == pytest.approx(-0.24)
    for where, site in (("sites", "top-V"), ("metal_sites", "hollow")):
        found = row(refined_data, site, "held", where)
        assert found["against_metal"] == pytest.approx(found["adsorption_energy"] - cohesive)


def test_the_relaxations_own_energies_stand_beside_them(
    refined_data: dict[str, Any], data: dict[str, Any]
) -> None:
    for where in ("sites", "metal_sites"):
        for found in refined_data[where]:
            plain = row(data, found["site"], found["relaxation"], where)
            assert found["as_relaxed"] == {key: plain[key] for key in found["as_relaxed"]}
            assert found["height"] == plain["height"]
            assert "as_relaxed" not in plain


def test_without_dipole_correction_only_the_relaxation_is_known(
    refined_data: dict[str, Any],
) -> None:
    found = row(refined_data, "top-V", "held")
    assert found["without_dipole"] is None
    assert found["as_relaxed"]["without_dipole"] == pytest.approx(-1.77)


@pytest.mark.parametrize(
    "missing", ["VN-top-V-held-refined", "VN-top-V-held-basin-refined", "Na-atom-refined"]
)
def test_a_row_without_one_of_its_single_points_has_no_energy(tmp_path: Path, missing: str) -> None:
    finish(tmp_path, refined(), without=(missing,))
    found = row(written(tmp_path, refined()), "top-V", "held")
    assert found["adsorption_energy"] is None
    assert found["against_metal"] is None
    assert found["problem"]
    assert found["height"] == 2.1
    assert found["as_relaxed"]["adsorption_energy"] == pytest.approx(-1.8)


def test_the_single_point_that_is_missing_is_named(tmp_path: Path) -> None:
    finish(tmp_path, refined(), without=("VN-top-V-held-refined", "VN-hollow-held-basin-refined"))
    data = written(tmp_path, refined())
    for site, name in (("top-V", "held-refined"), ("hollow", "held-basin-refined")):
        assert f"VN-{site}-{name}" in row(data, site, "held")["problem"]


def test_systems_that_a_refinement_leaves_alone_keep_their_energies(tmp_path: Path) -> None:
    denser = refined(Refine(kpoints=RefinedKPoints(host_slab=(6, 6, 1))))
    finish(tmp_path, denser)
    data = written(tmp_path, denser)
    assert data["references"]["cohesive_energy"] == pytest.approx(-1.08)
    assert row(data, "hollow", "held", "metal_sites")["adsorption_energy"] == pytest.approx(-0.8)
    change = BY_REFINING["held"] - BY_REFINING["basin"]
    found = row(data, "top-V", "held")
    assert found["adsorption_energy"] == pytest.approx(ADSORPTION["top-V"] + change)


def test_dispersion_is_added_to_refined_energies(
    refined_data: dict[str, Any], data: dict[str, Any]
) -> None:
    found, plain = (row(d, "top-V", "held") for d in (refined_data, data))
    assert found["by_dispersion"]["none"] == pytest.approx(found["adsorption_energy"])
    for model, energy in plain["by_dispersion"].items():
        assert found["by_dispersion"][model] == pytest.approx(energy + OF_ADSORPTION)


def test_another_functional_has_its_own_dispersion(tmp_path: Path) -> None:
    with_rpbe = refined(Refine(xc="RPBE"))
    finish(tmp_path, with_rpbe)
    found = row(written(tmp_path, with_rpbe), "top-V", "held")
    by_model = found["by_dispersion"]
    plain = found["as_relaxed"]
    assert plain is not None
    assert by_model["none"] == pytest.approx(found["adsorption_energy"])
    assert by_model["d3bj"] != pytest.approx(by_model["none"], abs=1e-3)


def test_table_csv_page_and_figure_have_both(run: Path) -> None:
    found = evaluation(run, refined())
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(energy_table(found, 100))
    text = console.export_text()
    line = next(line for line in text.splitlines() if line.startswith("  top-V"))
    assert line.split()[1:5] == ["-1.990", "-2.090", "-1.800", "-1.850"]  # -1.80 - 0.19
    assert "plane waves to 500 eV" in " ".join(text.split())

    lines = list(csv.DictReader(io.StringIO(energies_csv(found.table, {}))))
    held = next(r for r in lines if (r["site"], r["relaxation"]) == ("top-V", "held"))
    assert float(held["adsorption_energy_eV"]) == pytest.approx(-1.99)
    assert float(held["as_relaxed_eV"]) == pytest.approx(-1.8)
    assert float(held["against_metal_as_relaxed_eV"]) == pytest.approx(-0.72)

    page = write_page(found, run).read_text(encoding="utf-8")
    assert "single points at the relaxed structures with plane waves to 500 eV" in page
    assert "as relaxed, eV" in page

    assert "single points at the relaxed structures" in caption(found.case).text
    figure, ax = plt.subplots()
    draw_adsorption_bars(ax, found.table)
    marks = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    plt.close(figure)
    assert np.isclose(marks, -1.8).any()
