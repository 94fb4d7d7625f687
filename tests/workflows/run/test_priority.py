"""Tasks at the head of long chains come first."""

import heapq
from collections.abc import Mapping

import pytest

from tests.paths import ROOT
from workflows.campaign.directory import read_campaign
from workflows.preflight.computable import gather_computable
from workflows.preflight.resources import estimate_needs
from workflows.run.priority import chains, effort
from workflows.tasks.graph import Task
from workflows.tasks.status import survey_recorded

LAPTOP = ROOT / "examples" / "laptop"


def wall_time(
    tasks: Mapping[str, Task],
    seconds: Mapping[str, float],
    priority: Mapping[str, float],
    cores: int = 2,
) -> float:
    """Return the time that tasks take on some cores, the ready one of highest priority first."""
    waiting, done, now = list(tasks), set[str](), 0.0
    running: list[tuple[float, str]] = []
    while waiting or running:
        ready = [name for name in waiting if done.issuperset(tasks[name].needs)]
        ready.sort(key=lambda name: -priority.get(name, 0.0))
        for name in ready[: cores - len(running)]:
            waiting.remove(name)
            heapq.heappush(running, (now + seconds[name], name))
        now, ended = heapq.heappop(running)
        done.add(ended)
    return now


def test_a_chain_is_its_own_work_and_the_longest_that_waits_for_it() -> None:
    tasks = read_campaign(LAPTOP).tasks
    found = chains(tasks, {})
    assert list(found) == list(reversed(tasks))
    for name, task in tasks.items():
        after = [found[other.name] for other in tasks.values() if name in other.needs]
        assert found[name] == pytest.approx(effort(task, {}) + max(after, default=0.0))


def test_no_core_waits_for_one_long_task_at_the_end() -> None:
    campaign = read_campaign(LAPTOP)
    tasks = campaign.tasks
    states = survey_recorded(tasks, LAPTOP)
    seconds = {name: state.seconds or 60.0 for name, state in states.items()}
    priority = chains(tasks, estimate_needs(gather_computable([str(LAPTOP / "case.toml")])).sizes)
    busy = sum(seconds.values()) / 2
    before, after = wall_time(tasks, seconds, {}), wall_time(tasks, seconds, priority)
    assert after <= before
    assert after < 1.05 * busy
