"""Spin from probe to adatom, with GPAW, on a slab of CrN that is as small as can be."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.paths import ROOT
from tests.some_tasks import compute
from workflows.case.reading import parse
from workflows.run.worker import run_task
from workflows.steps.optimize import Step
from workflows.tasks.atoms_json import from_json
from workflows.tasks.finished import Finished
from workflows.tasks.graph import plan
from workflows.tasks.journal import whole_records
from workflows.tasks.spin import is_magnetic, spin_of
from workflows.tasks.status import survey

pytestmark = pytest.mark.slow

BOTH = ["ferromagnetic", "alternating"]
CASE = (
    (ROOT / "tests" / "tiny.toml")
    .read_text(encoding="utf-8")
    .replace('cation = "V"', 'cation = "Cr"')
    .replace("lattice_guess = 4.07", "lattice_guess = 4.14\nlattice_constant = 4.14")
    .replace('setups = { V = "5" }\n', "")
    .replace("top-V", "top-Cr")
    .replace("fmax = 0.2", "fmax = 0.9")
    .replace("polarised = false", f"starts = {json.dumps(BOTH)}")
)


def found(root: Path, name: str) -> Any:
    state = survey(plan(parse(CASE.encode(), "")), root)[name]
    assert state.result is not None, state
    return state.result.values


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crn")
    compute(root, CASE, ("CrN-probe", "CrN-slab", "CrN-top-Cr-held"))
    return root


def test_a_probe_finds_the_moment_and_turns_spin_on(root: Path) -> None:
    probe = found(root, "CrN-probe")
    assert is_magnetic(probe)
    assert list(probe["starts"]) == BOTH
    assert probe["energy"] == min(probe["starts"].values())
    assert probe["non_magnetic_energy"] - probe["energy"] > 0.5
    chromium = np.abs(np.array(probe["magnetic_moments"]))[[0, 3]]
    assert (chromium > 1.0).all()
    tasks = plan(parse(CASE.encode(), ""))
    assert spin_of(tasks["CrN-slab"], Finished(survey(tasks, root))) is not None


@pytest.mark.parametrize("name", ["CrN-slab", "CrN-top-Cr-held"])
def test_relaxed_slabs_have_moments_and_the_non_magnetic_energy(root: Path, name: str) -> None:
    values = found(root, name)
    moments = np.array(values["magnetic_moments"])
    assert abs(moments).max() > 1.0
    assert from_json(values["structure"]).get_initial_magnetic_moments() == pytest.approx(moments)
    assert values["non_magnetic_energy"] > values["energy"] + 0.1
    first = whole_records(root / name / "steps.jsonl", Step)[0]
    assert first["energy"] == pytest.approx(min(values["starts"].values()), abs=0.02)


def test_a_resumed_relaxation_keeps_its_moments(root: Path, tmp_path: Path) -> None:
    whole = found(root, "CrN-slab")
    assert whole["steps"] > 1
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    slab = copy / "CrN-slab"
    journal, logs = slab / "steps.jsonl", set(slab.glob("gpaw-*.txt"))
    first, *_ = journal.read_text().splitlines(keepends=True)
    journal.write_text(first)
    (slab / "result.json").unlink()
    assert run_task(slab) == 0
    again = found(copy, "CrN-slab")
    assert again["energy"] == pytest.approx(whole["energy"], abs=0.02)
    assert again["magnetic_moments"] == pytest.approx(whole["magnetic_moments"], abs=0.05)
    (moments, *_) = [step["moments"] for step in whole_records(journal, Step)]
    log = min(set(slab.glob("gpaw-*.txt")) - logs).read_text()
    assert f"0.0000, {moments[0]:7.4f})" in log.partition("SCF iterations")[0]
