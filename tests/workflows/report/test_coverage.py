"""Coverage in tables, words and CSV."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests import made_up as made
from tests.workflows.report import finished_run
from tests.workflows.report.finished_run import ATOM, BULK_NA, BY_REFINING, SLABS
from workflows.case.schema import Case, Coverage, Refine
from workflows.report.coverage import curves
from workflows.tasks.graph import plan

GAINS = {1: -2.0, 2: -3.6, 3: -4.7, 4: -5.0, 5: -5.5}  # of so many adatoms together, eV


def case() -> Case:
    coverage = Coverage(host=("top-N",), adatoms=5, placements=2)
    return finished_run.case().model_copy(update={"coverage": coverage})


def finish(root: Path, case: Case) -> None:
    refined = [task.name for task in plan(case).values() if task.of == "coverage"]
    finished_run.finish(root, case, without=tuple(refined))
    for task in plan(case).values():
        if task.kind == "coverage":
            count, letter = task.site.removeprefix("coverage-").split("-")
            changes: dict[str, Any] = {
                "energy": SLABS["VN"] + int(count) * ATOM + GAINS[int(count)],
                "adatoms": int(count),
                "layers": 2 if count == "5" else 1,
            }
            if letter == "b":
                changes["energy"] += 0.3
            made.finish(task, root, **changes)


def test_rows_sentences_and_csv_of_a_finished_run(tmp_path: Path) -> None:
    finish(tmp_path, case())
    data = finished_run.written(tmp_path, case())
    rows = {row["name"]: row for row in data["coverage"]}
    names = ("1-a", "2-a", "2-b", "3-a", "4-a", "5-a")
    assert list(rows) == [f"coverage-{name}" for name in names]
    assert rows["coverage-2-a"]["average"] == pytest.approx(-1.8)
    assert rows["coverage-2-a"]["differential"] == pytest.approx(-1.6)
    assert rows["coverage-2-a"]["coverage"] == 2.0  # one V in the made-up slab's top layer
    assert rows["coverage-2-a"]["clustering"] == pytest.approx(0.2)
    assert rows["coverage-2-b"]["lowest"] is False
    assert rows["coverage-2-b"]["average"] is None
    cohesive = BULK_NA - ATOM
    assert rows["coverage-1-a"]["voltage_step"] == pytest.approx(2.0 + cohesive)
    (filling,) = data["filling"]
    assert (filling["second_layer"], filling["plating"], filling["preferred"]) == (5, 4, "apart")
    assert filling["sentences"] == [
        "VN(001): a second layer of Na starts with 5 adatoms in the cell; adatom number 4 has a "
        "lower energy in bulk Na",
        "VN(001): Na spreads: adatoms apart have the lowest energy (2 ML +0.20, bulk Na +0.92 eV "
        "per atom, against one adatom in the cell)",
    ]
    (curve,) = curves(finished_run.evaluation(tmp_path, case()).coverages)
    assert curve.average[2] == pytest.approx(-1.8)
    with (tmp_path / "coverage.csv").open() as file:
        lines = {row["name"]: row for row in csv.DictReader(file)}
    assert float(lines["coverage-4-a"]["differential_eV"]) == pytest.approx(-0.3)
    assert lines["coverage-2-b"]["lowest"] == "no"


def test_without_the_energy_of_the_atom_no_curve_is_drawn(tmp_path: Path) -> None:
    finish(tmp_path, case())
    (tmp_path / "Na-atom" / "result.json").unlink()
    (filling,) = finished_run.evaluation(tmp_path, case()).coverages
    assert curves([filling]) == []


def test_with_refine_all_energies_are_those_of_single_points(tmp_path: Path) -> None:
    wanted = case().model_copy(update={"refine": Refine(cutoff=500.0)})
    finish(tmp_path, wanted)
    tasks = plan(wanted)
    for count, letter in ((1, "a"), (2, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "a")):
        task = tasks[f"VN-coverage-{count}-{letter}-refined"]
        assert (task.of, task.inputs["dft"]["cutoff"]) == ("coverage", 500.0)
        if count == 5:
            continue  # not done
        atom, slab = (BY_REFINING[of] for of in ("atom", "slab"))
        energy = SLABS["VN"] + slab + count * (ATOM + atom) + GAINS[count] - 0.1 * count
        made.finish(task, tmp_path, energy=energy + 0.3 * (letter == "b"))
    data = finished_run.written(tmp_path, wanted)
    rows = {row["name"]: row for row in data["coverage"]}
    assert rows["coverage-2-a"]["average"] == pytest.approx(-1.8 - 0.1)
    assert "coverage-5-a" not in rows
    assert data["filling"][0]["second_layer"] is None


def test_a_case_without_the_table_has_none_of_it(tmp_path: Path) -> None:
    plain = finished_run.case()
    finished_run.finish(tmp_path, plain)
    assert {"coverage", "filling"}.isdisjoint(finished_run.written(tmp_path, plain))
    assert not (tmp_path / "coverage.csv").exists()
