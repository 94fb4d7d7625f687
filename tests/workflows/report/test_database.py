"""The ASE database: what is there, and nothing else."""

from pathlib import Path

import ase.db

from tests.workflows.report.finished_run import (
    case,
    evaluation,
    finish,
)
from workflows.report.database import write_database
from workflows.tasks.graph import plan


def test_the_database_holds_what_is_there(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-free", "Na-atom"))
    with ase.db.connect(write_database(evaluation(tmp_path, case()))) as database:
        rows = {row.task: row.key_value_pairs for row in database.select()}
    kinds = [task.kind for task in plan(case()).values() if task.kind in ("slab", "held", "free")]
    assert len(rows) == len(kinds) - 1
    assert "adsorption_energy" not in rows["VN-top-V-held"]  # without the atom there is none
    assert rows["VN-top-V-held"]["published"] == -1.830
    assert rows["VN-top-V-held"]["charge_moved"] == 0.6
    assert rows["VN-slab"] == {
        "task": "VN-slab", "surface": "VN(001)", "quality": "laptop", "physical": True,
    }  # fmt: skip


def test_the_database_of_a_run_without_results_is_empty(tmp_path: Path) -> None:
    with ase.db.connect(write_database(evaluation(tmp_path, case()))) as database:
        assert database.count() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]
