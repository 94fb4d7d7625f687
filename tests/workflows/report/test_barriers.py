"""Barriers and readings of the labels from a case's table, and where they are shown."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.paths import ROOT
from workflows.campaign.directory import read_campaign
from workflows.case.schema import Case
from workflows.report.barriers import barriers
from workflows.report.evaluation import Evaluation
from workflows.report.page import write_page
from workflows.report.results import Results
from workflows.report.tables import results_json
from workflows.tasks.status import State, survey_recorded
from workflows.terminal.energy_table import report_text

LAPTOP = ROOT / "examples" / "laptop"


@pytest.fixture(scope="module")
def case() -> Case:
    return read_campaign(LAPTOP).members[0].case


@pytest.fixture(scope="module")
def states() -> Mapping[str, State]:
    return survey_recorded(read_campaign(LAPTOP).tasks, LAPTOP)


@pytest.fixture(scope="module")
def found(case: Case, states: Mapping[str, State]) -> Evaluation:
    return Evaluation(Results(states, case), LAPTOP)


def test_the_barrier_is_the_difference_of_two_held_total_energies(found: Evaluation) -> None:
    of_host, *of_metal = found.barriers
    energies = {s.site: s.energy for s in found.table.sites if s.relaxation == "held"}
    barrier = of_host.barrier
    assert barrier is not None
    assert (barrier.minimum, barrier.over) == ("top-N", "bridge")
    assert energies["bridge"] is not None
    assert energies["top-N"] is not None
    assert barrier.energy == pytest.approx(energies["bridge"] - energies["top-N"])
    assert [(of.surface, of.barrier) for of in of_metal] == [("Na(001)", None), ("Na(110)", None)]


def test_terminal_and_page_call_it_an_estimate(found: Evaluation, tmp_path: Path) -> None:
    line = (
        "VN(001): estimate of the barrier by constraint, no relaxed path: from top-N to the next "
        "over bridge, 0.09 eV"
    )
    assert line in report_text(found)
    page = write_page(found, tmp_path).read_text(encoding="utf-8")
    assert line in page
    assert "Na(001): no estimate of the barrier" in page


def test_a_run_without_energies_has_none(case: Case) -> None:
    nothing = Evaluation(Results({}, case), LAPTOP)
    assert barriers(case, nothing.table) == ()
    assert results_json(nothing)["labels"] is None


def test_labels_are_compared_for_sodium_on_vn_alone(found: Evaluation, case: Case) -> None:
    assert results_json(found)["labels"] is not None
    other = case.model_copy(update={"host": case.host.model_copy(update={"cation": "Ti"})})
    assert Evaluation(Results(found.results.states, other), LAPTOP).labels is None
