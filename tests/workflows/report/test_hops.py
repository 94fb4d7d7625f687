"""Hops in tables, words and CSV."""

import csv
import math
from pathlib import Path

import pytest

from tests import made_up as made
from tests.workflows.report import finished_run
from workflows.case.schema import Hop, Refine
from workflows.tasks.graph import plan


def test_rows_sentence_and_csv_of_a_finished_run(tmp_path: Path) -> None:
    hop = Hop(host="top-V", images=1, prefactor=2.0)
    case = finished_run.case().model_copy(update={"hop": hop})
    finished_run.finish(tmp_path, case)
    made.finish(plan(case)["VN-top-V-hop"], tmp_path, energies=[-102.1, -101.9, -102.1])
    (row,) = finished_run.written(tmp_path, case)["hops"]
    assert row["barrier"] == pytest.approx(0.2)
    rate = 4 * 2e12 * math.exp(-0.2 / (8.617333e-5 * 300.0))
    assert row["rate"] == pytest.approx(rate, rel=1e-4)
    assert row["diffusion_length"] == pytest.approx(1e-4 * 3.0 * math.sqrt(rate), rel=1e-4)
    # by constraint: from top-V (-1.8 eV) over the bridge (-1.5 eV) or hollow (-1.4) to the next one
    assert row["by_constraint"] == pytest.approx(0.4)
    (one,) = finished_run.evaluation(tmp_path, case).hops
    assert one.sentence("Na").startswith(
        "VN(001): Na hops from top-V over 0.20 eV (0.40 eV by constraint); at 300 K 3.5e+09 times"
    )
    assert one.held["top-V"] == pytest.approx(-102.05 + 102.1)
    with (tmp_path / "paths.csv").open() as file:
        energies = [float(line["energy_eV"]) for line in csv.DictReader(file)]
    assert energies == pytest.approx([0.0, 0.2, 0.0])


def test_a_refined_barrier_is_that_of_single_points_and_the_path_stands_beside_it(
    tmp_path: Path,
) -> None:
    tables = {"hop": Hop(host="top-V", images=1), "refine": Refine(cutoff=500.0)}
    case = finished_run.case().model_copy(update=tables)
    finished_run.finish(tmp_path, case, without=("VN-top-V-hop-refined",))
    tasks = plan(case)
    made.finish(tasks["VN-top-V-hop"], tmp_path, energies=[-102.1, -101.9, -102.1])
    assert finished_run.written(tmp_path, case)["hops"] == []  # until its single point is there
    minimum = finished_run.evaluation(tmp_path, case).results.single_point(tasks["VN-top-V-free"])
    assert minimum is not None
    made.finish(tasks["VN-top-V-hop-refined"], tmp_path, energy=minimum["energy"] + 0.15)
    (row,) = finished_run.written(tmp_path, case)["hops"]
    assert row["barrier"] == pytest.approx(0.15)
    assert row["as_relaxed"] == pytest.approx(0.2)


def test_a_case_without_the_table_has_none_of_it(tmp_path: Path) -> None:
    plain = finished_run.case()
    finished_run.finish(tmp_path, plain)
    assert "hops" not in finished_run.written(tmp_path, plain)
    assert not (tmp_path / "paths.csv").exists()
