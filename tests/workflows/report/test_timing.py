"""Where a run's time went, from its results."""

from __future__ import annotations

from typing import Any, cast

import pytest

from analysis.timeline import Span
from workflows.case.reading import find, read
from workflows.report.timing import TaskTime, left_out, task_times, timeline, total
from workflows.tasks.folder import Result
from workflows.tasks.graph import plan
from workflows.tasks.status import State


def done(**values: float) -> State:
    task = next(iter(plan(read(find("smoke"))).values()))
    return State(task, "done", result=Result("f", cast("Any", values), {}, 1.0, {}))


def test_times_are_read_from_results() -> None:
    first = done(scf_iterations=40, steps=3, process_seconds=10.0, gpaw_seconds=9.5)
    states = {"a": first, "b": done(scf_iterations=7), "c": State(first.task, "ready")}
    times = task_times(states)
    assert times[0] == TaskTime("a", 40, 3, 10.0, 9.5)
    assert times[0].outside == pytest.approx(0.5)
    assert total(times) == TaskTime("all", 40, 3, 10.0, 9.5)
    assert left_out(times, states) == [
        "not in the sum, no times recorded: b",
        "not finished: c",
    ]


def test_the_timeline_begins_with_the_first_task() -> None:
    states = {
        "a": done(process_seconds=10.0, process_started=1000.0),
        "b": done(process_seconds=4.0, process_started=990.0),
        "old": done(process_seconds=4.0),
    }
    assert timeline(task_times(states)) == [Span("a", 10.0, 10.0), Span("b", 0.0, 4.0)]
