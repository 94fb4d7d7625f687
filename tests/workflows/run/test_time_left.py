"""The time left: from made-up histories whose answer is known by hand, or not said at all."""

import time
from collections.abc import Mapping
from typing import Unpack

import pytest

from workflows.campaign.campaign import alone
from workflows.case.reading import find, read
from workflows.preflight.computable import require_computable
from workflows.preflight.core_time import TYPICAL_ITERATIONS
from workflows.preflight.resources import estimate_needs
from workflows.run.time_left import Remaining, about, time_left
from workflows.tasks.graph import plan
from workflows.tasks.records import Progress
from workflows.tasks.status import State, Status

TASKS = plan(read(find("smoke")))
ALIKE = dict.fromkeys(TASKS, 1.0)  # sizes


def history(**done: float) -> dict[str, State]:
    """Return a run where tasks of these kinds took so many seconds; the others wait."""
    return {
        name: State(task, "done", seconds=done[task.kind])
        if task.kind in done
        else State(task, "waiting")
        for name, task in TASKS.items()
    }


def change(
    states: dict[str, State], name: str, status: Status, **progress: Unpack[Progress]
) -> None:
    states[name] = State(TASKS[name], status, progress=progress)


ALL = {"probe": 3.0, "lattice": 10.0, "atom": 5.0, "slab": 100.0, "held": 60.0, "free": 40.0,
       "basin": 10.0, "uncorrected": 5.0}  # fmt: skip
DENSITIES = [name for name in TASKS if name.endswith("-density")]


def test_nothing_is_left_of_a_finished_run() -> None:
    states = history(**ALL, density=1.0)
    assert time_left(states, ALIKE, 1) == 0.0
    assert Remaining(ALIKE)(states) == ""


@pytest.mark.parametrize("known", [{}, {"lattice": 10.0}, {"lattice": 10.0, "atom": 5.0}])
def test_without_a_slab_that_is_done_nothing_is_said(known: Mapping[str, float]) -> None:
    assert time_left(history(**known), ALIKE, 1) is None
    assert Remaining(ALIKE)(history(**known)) == ""


def test_one_surface_is_no_ground_for_the_other() -> None:
    states = history(**ALL, density=1.0)
    for name in ("VN-slab", *(n for n in TASKS if n.startswith("VN-") and "lattice" not in n)):
        change(states, name, "waiting")
    assert time_left(states, ALIKE, 1) is None


def test_tasks_of_the_same_kind_are_expected_to_take_as_long() -> None:
    states = history(**ALL, density=30.0)
    change(states, DENSITIES[0], "ready")
    change(states, DENSITIES[1], "ready")
    assert time_left(states, ALIKE, 1) == pytest.approx(60.0)
    assert time_left(states, ALIKE, 2) == pytest.approx(30.0)
    assert time_left(states, ALIKE, 9) == pytest.approx(30.0)  # a task is not divided


def test_a_kind_not_seen_yet_is_scaled_by_typical_scf_iterations() -> None:
    states = history(lattice=10.0, atom=5.0, slab=TYPICAL_ITERATIONS["slab"])  # a second each
    kinds = [task.kind for task in TASKS.values() if task.kind not in ("lattice", "atom", "slab")]
    expected = sum(TYPICAL_ITERATIONS[kind] for kind in kinds)
    assert time_left(states, ALIKE, 1) == pytest.approx(expected)


def test_a_chain_of_tasks_is_not_made_shorter_by_more_workers() -> None:
    states = history(**ALL, density=1.0)
    for name in ("VN-top-V-held", "VN-top-V-free"):
        change(states, name, "waiting")
    assert time_left(states, ALIKE, 8) == pytest.approx(100.0)  # 60 held, then 40 free


def test_larger_systems_take_longer() -> None:
    states = history(**ALL, density=30.0)
    change(states, DENSITIES[0], "ready")
    assert time_left(states, ALIKE | {DENSITIES[0]: 3.0}, 1) == pytest.approx(90.0)


def test_what_is_running_needs_the_rest() -> None:
    states = history(**ALL, density=30.0)
    change(states, DENSITIES[0], "running", started=time.time() - 10.0)
    assert time_left(states, ALIKE, 1) == pytest.approx(20.0, abs=1.0)


def test_what_is_overdue_is_not_expected_to_end_at_once() -> None:
    states = history(**ALL, density=30.0)
    change(states, DENSITIES[0], "running", started=time.time() - 400.0)
    assert time_left(states, ALIKE, 1) == pytest.approx(100.0, abs=1.0)


def test_what_failed_is_not_waited_for() -> None:
    states = history(**ALL, density=30.0)
    change(states, "VN-top-V-held", "failed")
    change(states, "VN-top-V-free", "blocked")
    assert time_left(states, ALIKE, 1) == 0.0


def test_as_many_side_by_side_as_have_been_seen() -> None:
    states, remaining = history(**ALL, density=800.0), Remaining(ALIKE)
    for name in DENSITIES[1:]:
        change(states, name, "ready")
    assert remaining(states) == "about 40 min left"
    for name in DENSITIES[1:3]:
        change(states, name, "running", started=time.time())
    assert remaining(states) == "about 20 min left"
    for name in DENSITIES[1:3]:
        change(states, name, "ready")
    assert remaining(states) == "about 20 min left"


# The smoke case: processor seconds of each task in an order in which they can end.
MEASURED = {
    "Na-lattice": 4.4, "Na-atom": 4.2, "Na-slab": 2.3, "VN-lattice": 6.5, "Na-hollow-held": 4.0,
    "VN-slab": 5.3,
    "Na-probe": 4.5, "VN-bridge-held": 7.0, "VN-hollow-held": 8.0, "VN-top-V-held": 8.6,
    "VN-top-N-held": 7.0, "VN-probe": 5.2, "Na-hollow-free": 2.8, "Na-hollow-density": 3.3,
    "VN-bridge-free": 9.4, "VN-hollow-free": 5.9, "VN-top-V-free": 6.1, "VN-top-N-free": 3.6,
    "VN-bridge-density": 3.8, "VN-hollow-density": 4.1, "VN-top-V-density": 3.9,
    "VN-top-N-density": 3.7, "VN-bridge-held-basin": 4.7, "VN-hollow-held-basin": 4.8,
    "VN-top-V-held-basin": 5.5, "VN-top-N-held-basin": 4.4,
    "VN-bridge-held-uncorrected": 3.2, "VN-hollow-held-uncorrected": 3.4,
    "VN-top-V-held-uncorrected": 3.3, "VN-top-N-held-uncorrected": 3.3, "VN-slab-uncorrected": 3.0,
}  # fmt: skip


def test_a_real_history_is_foretold_to_a_half() -> None:
    sizes = estimate_needs(require_computable(alone(read(find("smoke"))), "smoke")).sizes
    names = list(MEASURED)
    for number in range(names.index("VN-slab") + 1, len(names)):
        states = {
            name: State(TASKS[name], "done", seconds=MEASURED[name])
            if place < number
            else State(TASKS[name], "waiting")
            for place, name in enumerate(names)
        }
        left = sum(MEASURED[name] for name in names[number:])
        foretold = time_left(states, sizes, 1)
        assert foretold is not None
        assert left / 1.5 < foretold < left * 1.5, names[number]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "less than a minute"),
        (60, "about 1 min"),
        (9.4 * 60, "about 9 min"),
        (42 * 60, "about 40 min"),
        (89 * 60, "about 90 min"),
        (100 * 60, "about 2 h"),
        (47 * 3600, "about 47 h"),
        (80 * 3600, "about 3 days"),
    ],
)
def test_no_finer_than_an_estimate_is_good_for(seconds: float, words: str) -> None:
    assert about(seconds) == words
