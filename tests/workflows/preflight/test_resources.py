"""What a run will need, said before it starts, and refused where it is not there."""

import re
from pathlib import Path

import pytest

from workflows.campaign.campaign import alone
from workflows.case.reading import find, read
from workflows.case.schema import Case
from workflows.preflight import resources
from workflows.preflight.computable import require_computable
from workflows.preflight.resources import Needs, TaskNeeds, estimate_needs, require_room
from workflows.system.messages import UserError

SMOKE = read(find("smoke"))
LAPTOP = read(find("laptop"))


def needs(case: Case) -> Needs:
    return estimate_needs(require_computable(alone(case), "case.toml"))


def test_every_task_has_an_estimate() -> None:
    from workflows.tasks.graph import plan

    assert set(needs(SMOKE).tasks) == set(plan(SMOKE))


def test_a_larger_cell_needs_more() -> None:
    smoke, laptop = needs(SMOKE), needs(LAPTOP)
    assert laptop.largest(1) > 2 * smoke.largest(1)
    assert laptop.disk > smoke.disk


def test_the_estimate_is_that_of_a_measured_slab() -> None:
    # 16 Na atoms and one more, 4 layers of 2x2, 400 eV, 3x3x1 k-points: 632 MB resident
    assert LAPTOP.metal_slab is not None
    case = LAPTOP.model_copy(
        update={
            "dft": LAPTOP.dft.model_copy(update={"cutoff": 400.0}),
            "metal_slab": LAPTOP.metal_slab.model_copy(update={"vacuum": 7.0}),
        }
    )
    assert needs(case).tasks["Na-hollow-held"].memory() == pytest.approx(632e6, rel=0.35)


@pytest.mark.parametrize(("ranks", "images"), [(1, 3), (2, 2), (3, 1), (6, 1)])
def test_ranks_share_the_images_of_a_hop(ranks: int, images: int) -> None:
    hop = TaskNeeds("hop", 1e6, 1.0, 1.0, grid=1e7, disk=0.0, systems=3)
    waves = 2.6 * 16 * 1e6 * 3
    # each rank has grids of the images of its group alone
    each = 150e6 + 14 * 1e7 * images
    assert hop.memory(ranks) == pytest.approx(ranks * each + waves)


def test_jobs_that_do_not_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "free_memory", lambda: 1.2e9)
    with pytest.raises(UserError, match=r"--jobs 4: 4 tasks need .* GB .*: --jobs [12] or less"):
        require_room(needs(LAPTOP), tmp_path, 4, cores=8)


def test_without_jobs_as_many_run_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "free_memory", lambda: 2e9)
    jobs, line = require_room(needs(LAPTOP), tmp_path, None, cores=8)
    assert jobs == 2
    assert line.startswith("44 tasks, 2 side by side; about ")
    assert re.search(r"an estimate of \d\.\d core-hours \(\S+ to \S+\) for all tasks$", line)


def test_more_jobs_than_tasks_are_as_many_as_there_are_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "free_memory", lambda: 1e12)
    jobs, line = require_room(needs(SMOKE), tmp_path, 99, cores=2)
    assert jobs == 37
    assert line.startswith("37 tasks, 37 side by side (--jobs 99: there are no more); about ")
    monkeypatch.setattr(resources, "free_memory", lambda: 2e9)
    with pytest.raises(UserError, match=r"--jobs 99: 37 tasks need about [0-9.]+ GB of memory, 2"):
        require_room(needs(SMOKE), tmp_path, 99, cores=2)


def test_a_case_larger_than_the_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "free_memory", lambda: 0.1e9)
    with pytest.raises(UserError, match="allowed: a smaller case"):
        require_room(needs(LAPTOP), tmp_path, None, cores=2)


def test_cores_limit_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "free_memory", lambda: 1e12)
    assert require_room(needs(SMOKE), tmp_path, None, cores=3)[0] == 3
