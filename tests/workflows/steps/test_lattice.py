"""Lattice constants with real GPAW: of this task's inputs and of no others."""

import shutil
from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.case.reading import read
from workflows.dft.band import Band
from workflows.dft.calculation import Calculation
from workflows.steps import carry_out
from workflows.steps.context import TaskContext
from workflows.steps.lattice import STRAINS, Point
from workflows.tasks.finished import Finished
from workflows.tasks.graph import plan
from workflows.tasks.journal import whole_records

pytestmark = pytest.mark.slow


def fit(root: Path, cutoff: float) -> tuple[list[float], int]:
    """Fit the lattice of VN at a cutoff (eV); return energies (eV) and SCF iterations."""
    case = read(TINY)
    case = case.model_copy(update={"dft": case.dft.model_copy(update={"cutoff": cutoff})})
    task = plan(case)["VN-lattice"]
    folder = task.folder(root)
    folder.open_for(task.origin({}))
    context = TaskContext(
        task, case, folder, task.fingerprint({}), Finished({}), lambda **_: None, Calculation, Band
    )
    carry_out(context)
    points = sorted(context.journal(Point).records, key=lambda point: point["lattice_constant"])
    return [point["energy"] for point in points], context.scf_iterations()


def test_steps_of_a_fit_at_another_cutoff_are_not_used(tmp_path: Path) -> None:
    coarse, _ = fit(tmp_path / "coarse", 200.0)
    expected, effort = fit(tmp_path / "fine", 400.0)
    assert min(abs(a - b) for a, b in zip(coarse, expected, strict=True)) > 0.01

    folder = tmp_path / "copied" / "VN-lattice"
    folder.mkdir(parents=True)
    shutil.copy(tmp_path / "fine" / "VN-lattice" / "inputs.json", folder)
    shutil.copy(tmp_path / "coarse" / "VN-lattice" / "steps.jsonl", folder)
    energies, iterations = fit(tmp_path / "copied", 400.0)
    assert energies == pytest.approx(expected, abs=1e-6)
    assert iterations == effort > 0
    assert len(whole_records(folder / "steps.jsonl.damaged-1", Point)) >= len(STRAINS)
