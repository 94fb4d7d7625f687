"""The electronic structure in tables and figures."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests import made_up as made
from tests.workflows.report import finished_run
from workflows.case.schema import Electrons
from workflows.report.evaluation import Evaluation
from workflows.report.tables import write_tables
from workflows.tasks.graph import plan


def test_rows_csv_and_sentence_of_a_finished_run(tmp_path: Path) -> None:
    case = finished_run.case().model_copy(update={"electrons": Electrons()})
    finished_run.finish(tmp_path, case)
    data = finished_run.written(tmp_path, case)
    rows = {row["site"]: row for row in data["electrons"]}
    assert list(rows) == ["clean", *case.slab.sites]
    # trapezoids from -1 to 0 eV
    assert rows["top-V"]["electrons_inside"] == pytest.approx({"N p": 1.0, "adatom s": 0.2})
    with (tmp_path / "states.csv").open() as file:
        states = [row for row in csv.DictReader(file) if row["system"] == "top-V"]
    assert [float(row["adatom_s"]) for row in states] == [0.1, 0.3, 0.5]
    with (tmp_path / "localisation.csv").open() as file:
        (middle,) = [
            row for row in csv.DictReader(file)
            if (row["system"], float(row["along_A"]), float(row["z_A"])) == ("clean", 0.0, 3.0)
        ]  # fmt: skip
    assert float(middle["localisation"]) == 0.9


def potential(vacuum: float) -> dict[str, object]:
    """Return a potential that is flat outside of atoms at 4 to 6 angstrom in a cell of 12."""
    z = [0.25 * n for n in range(48)]
    return {"z": z, "potential": [-5.0 if 2 < h < 9 else vacuum for h in z], "fermi_level": -1.0}


def test_the_change_of_the_work_function_is_that_of_the_vacuum_level(tmp_path: Path) -> None:
    case = finished_run.case().model_copy(update={"electrons": Electrons()})
    for task in plan(case).values():
        changes: dict[str, Any] = {}
        if task.kind in ("slab", "held"):
            changes = {"electrostatics": potential(3.0 if task.kind == "slab" else 1.5)}
        made.finish(task, tmp_path, **changes)
    found: Evaluation = finished_run.evaluation(tmp_path, case)
    clean, *sites = found.electrons
    assert clean.change is None
    assert clean.work_function == pytest.approx(4.0)
    assert [one.change for one in sites] == pytest.approx([-1.5] * 4)
    assert sites[0].sentence(case) == (
        "Na at bridge changes the work function of VN(001) by -1.50 eV, to 2.50 eV"
    )


def test_a_case_without_the_table_has_none_of_it(tmp_path: Path) -> None:
    case = finished_run.case()
    finished_run.finish(tmp_path, case)
    assert "electrons" not in finished_run.written(tmp_path, case)
    names = [path.name for path in write_tables(finished_run.evaluation(tmp_path, case), tmp_path)]
    assert names == ["results.json", "energies.csv"]
