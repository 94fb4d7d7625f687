"""What a run will need, said before it starts, and refused where it is not there."""

from pathlib import Path

import pytest

from workflows.case.reading import find, read
from workflows.preflight import resources as needs
from workflows.system.messages import UserError

SMOKE = read(find("smoke"))
LAPTOP = read(find("laptop"))


def test_every_task_has_an_estimate() -> None:
    from workflows.tasks.graph import plan

    assert set(needs.needs(SMOKE).memory) == set(plan(SMOKE))


def test_a_larger_cell_needs_more() -> None:
    smoke, laptop = needs.needs(SMOKE), needs.needs(LAPTOP)
    assert laptop.memory["VN-top-V-held"] > 2 * smoke.memory["VN-top-V-held"]
    assert laptop.disk > smoke.disk


def test_the_estimate_is_that_of_a_measured_slab() -> None:
    # 16 Na atoms and one more, 4 layers of 2x2, 400 eV, 3x3x1 k-points: 632 MB resident
    case = LAPTOP.model_copy(
        update={
            "dft": LAPTOP.dft.model_copy(update={"cutoff": 400.0}),
            "metal_slab": LAPTOP.metal_slab.model_copy(update={"vacuum": 7.0}),
        }
    )
    assert needs.needs(case).memory["Na-hollow-held"] == pytest.approx(632e6, rel=0.35)


def test_jobs_that_do_not_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "free_memory", lambda: 1.2e9)
    with pytest.raises(UserError, match=r"--jobs 4: needs .* GB .*; allowed: --jobs [12] or less"):
        needs.require_room(needs.needs(LAPTOP), tmp_path, 4, cores=8)


def test_without_jobs_as_many_run_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "free_memory", lambda: 1.5e9)
    jobs, line = needs.require_room(needs.needs(LAPTOP), tmp_path, None, cores=8)
    assert jobs == 2
    assert line.startswith("39 tasks, 2 side by side; about ")


def test_a_case_larger_than_the_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "free_memory", lambda: 0.1e9)
    with pytest.raises(UserError, match="allowed: a smaller case"):
        needs.require_room(needs.needs(LAPTOP), tmp_path, None, cores=2)


def test_cores_limit_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "free_memory", lambda: 1e12)
    assert needs.require_room(needs.needs(SMOKE), tmp_path, None, cores=3)[0] == 3
