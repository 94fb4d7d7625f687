"""Energies with other functionals, their spread and the ensemble, by hand arithmetic."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase.dft.pars_beefvdw import uiOmega
from rich.console import Console

from analysis.adsorption import Table
from analysis.figures.bars import draw_adsorption_bars
from tests.workflows.report.finished_run import VARIED, case, evaluation, finish, row, written
from workflows.case.schema import Case, Checks, Refine
from workflows.report.page import write_page
from workflows.report.tables import energies_csv
from workflows.terminal.energy_table import conclusions, detail_table

SIGMA = float(np.sqrt(uiOmega[0][0]))  # of the coefficient of the first polynomial


def spread(**refine: Any) -> Case:
    update: dict[str, Any] = {"checks": Checks(functionals=("RPBE", "BEEF-vdW"))}
    return case().model_copy(update=update | refine)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("functionals")
    finish(path, spread())
    return path


@pytest.fixture(scope="module")
def spread_data(run: Path) -> dict[str, Any]:
    return written(run, spread())


def test_energies_with_each_functional(spread_data: dict[str, Any]) -> None:
    found = row(spread_data, "top-V", "held")
    expected = {"PBE": -1.8, "RPBE": -1.6, "BEEF-vdW": -1.7}
    assert found["by_functional"] == pytest.approx(expected)
    against = {name: energy + 1.08 for name, energy in expected.items()}
    assert found["against_metal_by_functional"] == pytest.approx(against)
    assert found["adsorption_energy"] == pytest.approx(-1.8)


def test_deviations_in_the_ensemble(spread_data: dict[str, Any]) -> None:
    for where, site, varied in (
        ("sites", "top-V", VARIED["host"]),
        ("metal_sites", "hollow", VARIED["metal"]),
    ):
        found = row(spread_data, site, "held", where)
        assert found["deviation"] == pytest.approx(varied * SIGMA, rel=0.05)
        assert found["against_metal_deviation"] == pytest.approx(found["deviation"])


def test_the_probability_is_that_of_the_difference(spread_data: dict[str, Any]) -> None:
    """Free: -1.75 on VN (strongest), -0.75 on Na; the difference varies by sigma (2 - 1 eV)."""
    normal = 0.5 * (1.0 + math.erf(1.0 / SIGMA / math.sqrt(2.0)))
    assert spread_data["binds_more_strongly_in_ensemble"] == pytest.approx(normal, abs=0.03)


def test_with_a_refinement_they_are_those_of_its_single_points(tmp_path: Path) -> None:
    refined = spread(refine=Refine(cutoff=500.0))
    finish(tmp_path, refined)
    found = row(written(tmp_path, refined), "top-V", "held")
    assert found["by_functional"]["PBE"] == pytest.approx(found["adsorption_energy"])
    assert found["by_functional"]["RPBE"] == pytest.approx(found["adsorption_energy"] + 0.2)


@pytest.mark.parametrize("missing", ["VN-top-V-held-functionals", "Na-atom-functionals"])
def test_a_row_without_a_single_point_has_its_energy_but_no_spread(
    tmp_path: Path, missing: str
) -> None:
    finish(tmp_path, spread(), without=(missing,))
    found = row(written(tmp_path, spread()), "top-V", "held")
    assert found["adsorption_energy"] == pytest.approx(-1.8)
    assert "by_functional" not in found
    assert evaluation(tmp_path, spread()).table.probability is None or missing.startswith("VN")


def test_cases_without_functionals_have_no_such_keys(data: dict[str, Any]) -> None:
    assert "deviation" not in row(data, "top-V", "held")
    assert "binds_more_strongly_in_ensemble" not in data
    assert "functionals" not in data["case"]["checks"]


def test_table_csv_page_and_conclusions_have_them(run: Path) -> None:
    found = evaluation(run, spread())
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(detail_table(found, 80))
    text = console.export_text()
    start = text.index("With other functionals")
    line = next(line for line in text[start:].splitlines() if line.startswith("  top-V"))
    assert line.split()[1:4] == ["-1.800", "-1.600", "-1.700"]

    lines = csv.DictReader(io.StringIO(energies_csv(found.table, {})))
    held = next(r for r in lines if (r["site"], r["relaxation"]) == ("top-V", "held"))
    assert float(held["RPBE_eV"]) == pytest.approx(-1.6)
    assert float(held["against_metal_BEEF-vdW_eV"]) == pytest.approx(-0.62)
    assert float(held["deviation_eV"]) == pytest.approx(VARIED["host"] * SIGMA, rel=0.05)

    said = found.table.in_ensemble()
    assert "VN binds Na more strongly than Na does in" in said
    assert said in list(conclusions(found))
    page = write_page(found, run).read_text(encoding="utf-8")
    assert "Other functionals" in page
    assert said in page


def error_bars(table: Table) -> list[tuple[float, float]]:
    """Return the lower and upper ends of all error bars that are drawn, eV."""
    figure, ax = plt.subplots()
    draw_adsorption_bars(ax, table)
    ends = [
        (float(segment[0][1]), float(segment[1][1]))
        for container in ax.containers
        if type(container).__name__ == "ErrorbarContainer"
        for segment in container[2][0].get_segments()
    ]
    plt.close(figure)
    return ends


def test_bars_have_the_deviation_unless_it_is_switched_off(run: Path) -> None:
    table = evaluation(run, spread()).table
    held = next(s for s in table.sites if (s.site, s.relaxation) == ("top-V", "held"))
    assert held.deviation is not None
    ends = (-1.8 - held.deviation, -1.8 + held.deviation)
    assert any(found == pytest.approx(ends) for found in error_bars(table))
    assert len(error_bars(table)) == len(table.sites)
    assert error_bars(table.without_deviations()) == []
    assert error_bars(replace(table, sites=())) == []
