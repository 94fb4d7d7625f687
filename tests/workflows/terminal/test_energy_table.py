"""The table of energies as a terminal shows it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests import made_up as made
from tests.workflows.report.finished_run import (
    case,
    evaluation,
    finish,
)
from workflows.report.evaluation import Evaluation
from workflows.report.wording import NOT_PHYSICAL
from workflows.tasks.graph import plan
from workflows.terminal.energy_table import conclusions, detail_table, energy_table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    finish(path, case())
    return path


def shown(found: Evaluation) -> str:
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(energy_table(found))
    console.print(detail_table(found))
    return console.export_text()


def lines(text: str, site: str) -> list[str]:
    """Return the lines of a site of the host: its energies, and the rest."""
    return [line for line in text.splitlines() if line.startswith(f"  {site} ")]


@pytest.mark.parametrize(
    "cell", ["-1.800", "-1.850", "-1.830", "+0.030", "2.10", "N 2.50, V 3.00", "top-V (0.01 Å)"]
)
def test_the_tables_have_the_numbers(root: Path, cell: str) -> None:
    assert cell in "".join(lines(shown(evaluation(root, case())), "top-V"))


def test_the_table_shows_where_a_free_adatom_went(root: Path) -> None:
    assert "hollow (0.01 Å" in lines(shown(evaluation(root, case())), "bridge")[0]


def test_the_table_shows_that_an_adatom_rests_on_a_saddle(root: Path) -> None:
    assert ", saddle)" in lines(shown(evaluation(root, case())), "top-N")[0]


def test_the_table_has_no_numbers_for_a_failed_site(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-held",))
    made.fail(plan(case())["VN-top-V-held"], tmp_path, "desorbed", "Na [left] far away")
    found = lines(shown(evaluation(tmp_path, case())), "top-V")[0]
    assert "failed" in found
    assert "-1.8 " not in found
    assert "needs VN-top-V-held, which failed" in found


def test_the_table_of_a_new_run_can_be_shown(tmp_path: Path) -> None:
    assert "missing" in lines(shown(evaluation(tmp_path, case())), "top-V")[0]


def test_smoke_numbers_are_marked(tmp_path: Path, root: Path) -> None:
    finish(tmp_path, case("smoke"))
    assert NOT_PHYSICAL in shown(evaluation(tmp_path, case("smoke")))
    assert "NOT PHYSICAL" not in shown(evaluation(root, case()))


def test_warnings_are_among_the_conclusions(tmp_path: Path) -> None:
    finish(tmp_path, case("smoke"))
    found = list(conclusions(evaluation(tmp_path, case("smoke"))))
    assert any(line.startswith("warning: quality: found 'smoke'") for line in found)
