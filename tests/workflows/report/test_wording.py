"""Captions and notes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.report.finished_run import case, evaluation, finish
from workflows.report.evaluation import Evaluation
from workflows.report.tables import results_json
from workflows.report.wording import caption, made_with, notes
from workflows.tasks.graph import plan


@pytest.mark.parametrize(
    "words", ["case laptop-V", "Na on VN(001), 2×2 cell", "3 layers (1 held)", "400 eV", "PBE"]
)
def test_the_caption_says_what_was_computed(words: str) -> None:
    assert words.lower() in caption(case()).text.lower()


def test_the_caption_names_the_paper_only_beside_its_numbers_for_its_own_system() -> None:
    assert "Published values" in caption(case(), published=True).text
    assert "Published" not in caption(case()).text
    other = caption(case(host="Ti", adatom="K"), published=True).text
    assert "K on TiN(001)" in other
    assert "Published" not in other


# ---- what the numbers were made with ------------------------------------------------------------


def made_otherwise(root: Path, **changes: str) -> Evaluation:
    """Return a finished run of which one task was made with something else."""
    finish(root, case())
    folder = plan(case())["VN-hollow-free"].folder(root)
    result = folder.result()
    assert result is not None
    folder.finish(replace(result, made_with=result.made_with | changes))
    return evaluation(root, case())


def test_what_all_tasks_were_made_with_is_said_once(data: dict[str, Any]) -> None:
    assert data["made_with"] == {"gpaw": "26.7"}
    assert not any("same gpaw" in line for line in data["notes"])


def test_what_tasks_differ_in_is_listed_and_noted(tmp_path: Path) -> None:
    found = made_otherwise(tmp_path, gpaw="27.1")
    listed = results_json(found)["made_with"]["gpaw"]
    assert isinstance(listed, dict)
    assert listed["27.1"] == ["VN-hollow-free"]
    assert sum(map(len, listed.values())) == len(plan(case()))
    (line,) = [line for line in notes(found) if "same gpaw" in line]
    assert line.startswith("the tasks were not all computed with the same gpaw: 26.7: VN-probe,")
    assert line.endswith("27.1: VN-hollow-free")


def test_a_library_that_only_some_tasks_name_is_no_difference(tmp_path: Path) -> None:
    found = made_otherwise(tmp_path, libxc="6.2")
    assert made_with(found.results.states)["libxc"] == "6.2"
    assert not any("libxc" in line for line in notes(found))


def test_the_number_of_ranks_is_listed_but_is_no_difference_of_numbers(tmp_path: Path) -> None:
    finish(tmp_path, case())
    for name, ranks in (("VN-slab", "1"), ("Na-slab", "4")):
        folder = plan(case())[name].folder(tmp_path)
        result = folder.result()
        assert result is not None
        folder.finish(replace(result, made_with={**result.made_with, "MPI ranks": ranks}))
    found = evaluation(tmp_path, case())
    assert made_with(found.results.states)["MPI ranks"] == {"1": ["VN-slab"], "4": ["Na-slab"]}
    assert not any("ranks" in line for line in notes(found))
