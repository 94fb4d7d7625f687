"""The estimate of core-hours against what was measured: single SCF cycles, and whole cases."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.scaling import case_text
from tests.paths import ROOT
from workflows.campaign.campaign import alone
from workflows.campaign.directory import read_campaign
from workflows.case.reading import parse
from workflows.preflight.computable import require_computable
from workflows.preflight.core_time import core_hours_in_words, count_kpoints
from workflows.preflight.resources import estimate_needs
from workflows.tasks.status import survey_recorded

with (ROOT / "docs" / "data" / "scaling.csv").open(encoding="utf-8") as lines:
    MEASURED = {
        (row["cell"], int(row["layers"])): float(row["cpu_s"]) / int(row["SCF iterations"])
        for row in csv.DictReader(lines)
        if (row["calculation"], row["ranks"], row["tasks side by side"]) == ("scf", "1", "1")
    }


@pytest.mark.parametrize(("cell", "layers"), [("1x1", 2), ("sqrt2", 5), ("2x2", 4), ("3x3", 2)])
def test_an_scf_iteration_takes_what_was_measured(cell: str, layers: int) -> None:
    case = parse(case_text(cell, layers).encode(), "scaling")
    needs = estimate_needs(require_computable(alone(case), "scaling"))
    assert needs.tasks["VN-slab"].iteration == pytest.approx(MEASURED[cell, layers], rel=0.15)


@pytest.mark.parametrize(
    "shipped", ["laptop", "hosts/run", "sensitivity/run", "sensitivity/kpoints"]
)
def test_a_case_takes_what_is_estimated_to_a_half(shipped: str) -> None:
    root: Path = ROOT / "examples" / shipped
    campaign = read_campaign(root)
    needs = estimate_needs(require_computable(campaign, shipped))
    took = 0.0
    for state in survey_recorded(campaign.tasks, root).values():
        assert state.result is not None
        values = state.result.values
        # of tasks that shared their core with others, the smaller one is nearer to the truth
        took += min(values["cpu_seconds"], values["gpaw_seconds"])
    assert took / 1.5 < needs.core_seconds < took * 1.5


@pytest.mark.parametrize("grid", [(1, 1, 1), (2, 2, 1), (3, 3, 1), (3, 4, 1), (4, 4, 4)])
def test_kpoints_are_those_without_their_opposites(grid: tuple[int, int, int]) -> None:
    points = set(itertools.product(*map(range, grid)))
    pairs = {frozenset({k, tuple(-np.array(k) % grid)}) for k in points}
    assert count_kpoints(grid) == len(pairs)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (2.0, "an estimate of 2.0 core-hours (0.67 to 6.0)"),
        (0.03, "an estimate of 0.03 core-hours (0.01 to 0.09)"),
        (1234.0, "an estimate of 1,200 core-hours (410 to 3,700)"),
    ],
)
def test_an_estimate_comes_with_how_far_it_may_be_off(hours: float, words: str) -> None:
    assert core_hours_in_words(3600 * hours) == words
