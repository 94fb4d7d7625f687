"""The charge that moves on host and metal: in the table, as a sentence, in figures."""

import csv
import io
import tomllib
from pathlib import Path

import pytest

from tests.workflows.report.finished_run import case, evaluation, finish, written
from workflows.case.reading import find
from workflows.case.schema import Case
from workflows.report.densities import charge_transfer, charges, difference_row
from workflows.report.evaluation import Evaluation
from workflows.report.figures import make_figures
from workflows.report.options import Options
from workflows.report.tables import energies_csv, results_json
from workflows.report.wording import missing_lines
from workflows.terminal.energy_table import report_text


def two_faces() -> Case:
    data = tomllib.loads(find("laptop").read_text(encoding="utf-8"))
    return Case.model_validate(data)


def test_the_sentence_compares_the_strongest_sites(tmp_path: Path) -> None:
    finish(tmp_path, two_faces())
    found = evaluation(tmp_path, two_faces())
    assert charge_transfer(found) == (
        "VN(001) takes more electrons from Na than Na(001) and Na(110) do: 0.60 (top-V, held) "
        "against 0.05 (hollow, held) and 0.05 (long-bridge, held); "
        "Bader charge of Na +0.70 against -0.02 and -0.02"
    )
    assert charge_transfer(found) in report_text(found)
    assert results_json(found)["charge_transfer"] == charge_transfer(found)


def test_the_charges_of_all_surfaces_are_in_the_csv(tmp_path: Path) -> None:
    finish(tmp_path, two_faces())
    found = evaluation(tmp_path, two_faces())
    lines = csv.DictReader(io.StringIO(energies_csv(found.table, charges(found.results))))
    moved = {(r["surface"], r["relaxation"]): r["charge_moved_e"] for r in lines}
    assert moved["VN(001)", "held"] == "0.600000"
    assert moved["Na(001)", "held"] == moved["Na(110)", "held"] == "0.050000"
    assert moved["Na(110)", "free"] == ""


def without(tmp_path: Path, *tasks: str) -> Evaluation:
    finish(tmp_path, case(), without=tasks)
    return evaluation(tmp_path, case())


def test_a_run_from_before_lacks_the_metals_densities_and_is_reported(tmp_path: Path) -> None:
    found = without(tmp_path, "Na-hollow-density")
    assert difference_row(found, "metal", "hollow") is None
    assert results_json(found)["metal_density_differences"] == {"Na(001)": {"hollow": None}}
    assert charge_transfer(found) == ""
    assert "Na-hollow-density: ready" in "\n".join(missing_lines(found.results.states))
    assert "+0.600" in report_text(found)


def test_another_site_than_the_strongest_is_not_compared(tmp_path: Path) -> None:
    assert charge_transfer(without(tmp_path, "VN-top-V-density")) == ""
    # the strongest of the sites that are computed at all
    found = without(tmp_path / "other", "VN-top-V-held")
    assert "0.60 (bridge, held) against 0.05" in charge_transfer(found)


@pytest.mark.slow
def test_the_figure_of_host_and_metal_is_drawn(tmp_path: Path) -> None:
    finish(tmp_path, case())
    written(tmp_path, case())
    make_figures(evaluation(tmp_path, case()), tmp_path, Options())
    svg = (tmp_path / "figures" / "differences.svg").read_text(encoding="utf-8")
    assert svg.count("Na(001) hollow") == 1
