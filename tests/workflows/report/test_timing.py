"""Where a run's time went, from its results."""

from __future__ import annotations

from typing import Any, cast

import pytest

from workflows.case.reading import find, read
from workflows.report.timing import Effort, efforts, total, untold
from workflows.tasks.folder import Result
from workflows.tasks.graph import plan
from workflows.tasks.status import State


def done(**values: float) -> State:
    task = next(iter(plan(read(find("smoke"))).values()))
    return State(task, "done", result=Result("f", cast("Any", values), {}, 1.0, {}))


def test_profile_reads_results() -> None:
    told = done(scf_iterations=40, steps=3, process_seconds=10.0, gpaw_seconds=9.5)
    states = {"a": told, "b": done(scf_iterations=7), "c": State(told.task, "ready")}
    of = efforts(states)
    assert of[0] == Effort("a", 40, 3, 10.0, 9.5)
    assert of[0].outside == pytest.approx(0.5)
    assert total(of) == Effort("all", 40, 3, 10.0, 9.5)
    assert untold(of, states) == [
        "not in the sum, their results do not tell it: b",
        "not finished: c",
    ]
