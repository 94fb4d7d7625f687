"""A folder per task: whatever is cut, edited or of other inputs is noticed, and nothing is lost."""

import math
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from workflows.system.files import (
    lock,
    read_signed,
    write_signed,
    write_text,
)
from workflows.tasks import folder as store
from workflows.tasks.folder import Reporter, Result, TaskFolder


def result(**changes: Any) -> Result:
    return replace(Result("abc", {"energy": -1.0}, {}, 2.0, {"gpaw": "1"}), **changes)


def finished(path: Path, files: dict[str, str] | None = None) -> TaskFolder:
    """Make a folder of a finished task of fingerprint 'abc' with these files."""
    folder = TaskFolder(path)
    folder.open_for("abc", {"cutoff": 1})
    for name, text in (files or {}).items():
        write_text(folder / name, text)
    folder.finish(result(files=folder.digests(files or {})))
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---- results ------------------------------------------------------------------------------------


def test_a_result_comes_back(tmp_path: Path) -> None:
    assert finished(tmp_path / "t").result("abc") == result()


def test_a_result_of_other_inputs_is_not_this_ones(tmp_path: Path) -> None:
    assert finished(tmp_path / "t").result("other") is None


def test_a_result_with_its_files_is_whole(tmp_path: Path) -> None:
    assert finished(tmp_path / "t", {"d.cube": "1 2 3"}).result("abc") is not None


@pytest.mark.parametrize("content", [None, "", "1 2", "1 2 4", "1 2 3\n"])
def test_a_result_whose_file_is_not_as_written_is_not_believed(
    tmp_path: Path, content: str | None
) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3"})
    (folder / "d.cube").unlink()
    if content is not None:
        (folder / "d.cube").write_text(content)
    assert folder.result("abc") is None


def test_a_result_whose_file_is_a_folder_is_not_believed(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3"})
    (folder / "d.cube").unlink()
    (folder / "d.cube").mkdir()
    assert folder.result("abc") is None


WHOLE = {"schema": store.SCHEMA, "task": "t", **vars(result())}


@pytest.mark.parametrize(
    "key", ["schema", "fingerprint", "values", "files", "seconds", "made_with"]
)
def test_a_result_without_one_of_its_parts_is_none(tmp_path: Path, key: str) -> None:
    write_signed(tmp_path / "result.json", {k: v for k, v in WHOLE.items() if k != key})
    assert TaskFolder(tmp_path).result() is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "sodiophile-task/0"),
        ("schema", None),
        ("fingerprint", 7),
        ("values", [1]),
        ("values", None),
        ("files", ["d.cube"]),
        ("files", {"d.cube": 7}),
        ("files", {"a\x00b": "0"}),
        ("files", {"": "0"}),
        ("seconds", "2"),
        ("made_with", None),
    ],
)
def test_a_result_with_a_part_of_another_kind_is_none(
    tmp_path: Path, key: str, value: object
) -> None:
    write_signed(tmp_path / "result.json", WHOLE | {key: value})
    assert TaskFolder(tmp_path).result() is None


def test_a_result_takes_the_place_of_progress(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path)
    Reporter(folder)(step=1)
    folder.finish(result())
    assert folder.progress() == {}


@pytest.mark.parametrize(
    "change", [{"values": {"energy": -1.1}}, {"fingerprint": "x"}, {"files": {"a": "0"}}]
)
def test_other_numbers_have_another_identity(change: dict[str, Any]) -> None:
    assert result(**change).digest != result().digest


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 3.0},
        {"made_with": {}},
        {"values": {"energy": -1.0, "scf_iterations": 40, "retries": []}},
    ],
)
def test_how_a_number_was_come_by_does_not_change_its_identity(change: dict[str, Any]) -> None:
    assert result(**change).digest == result().digest


# ---- failures and progress ----------------------------------------------------------------------


def test_a_failure_comes_back_for_its_inputs_only(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path)
    folder.fail("abc", "desorbed", "Na left", 3.0)
    failure = folder.failure("abc")
    assert failure is not None
    assert (failure["reason"], failure["message"]) == ("desorbed", "Na left")
    assert folder.failure("other") is None


@pytest.mark.parametrize("failure", [{}, {"reason": "r"}, {"reason": 1, "message": "m"}])
def test_a_failure_that_tells_no_reason_is_none(tmp_path: Path, failure: dict[str, Any]) -> None:
    write_signed(tmp_path / "failure.json", {"fingerprint": "abc"} | failure)
    assert TaskFolder(tmp_path).failure("abc") is None


def test_progress_adds_up(tmp_path: Path) -> None:
    report = Reporter(TaskFolder(tmp_path), interval=0.0)
    report(step=1, fmax=0.3)
    report(step=2)
    progress = TaskFolder(tmp_path).progress()
    assert (progress["step"], progress["fmax"]) == (2, 0.3)


def test_progress_is_not_written_more_often_than_asked(tmp_path: Path) -> None:
    report = Reporter(TaskFolder(tmp_path), interval=1000.0)
    report._written = -math.inf
    report(step=1)
    report(step=2)
    assert TaskFolder(tmp_path).progress()["step"] == 1


# ---- making a folder ready ----------------------------------------------------------------------


def begun(path: Path) -> TaskFolder:
    """Make a folder in which work of fingerprint 'abc' has begun."""
    folder = TaskFolder(path)
    folder.open_for("abc", {"cutoff": 1})
    write_text(folder / "steps.jsonl", "steps")
    write_text(folder / "gpaw-1.txt", "log")
    return folder


def test_a_new_folder_says_what_it_is_for(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path / "t")
    assert folder.open_for("abc", {"cutoff": 1}) == []
    assert folder.started_from() == "abc"
    assert (read_signed(folder / "inputs.json") or {})["inputs"] == {"cutoff": 1}


def test_work_on_the_same_inputs_stays(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    assert folder.open_for("abc", {"cutoff": 1}) == []
    assert names(folder.path) == {"inputs.json", "steps.jsonl", "gpaw-1.txt"}


@pytest.mark.parametrize("times", [1, 2])
def test_work_on_other_inputs_is_moved_and_kept(tmp_path: Path, times: int) -> None:
    folder = begun(tmp_path / "t")
    for number in range(times):
        (moved,) = folder.open_for(f"other-{number}", {"cutoff": number})
        assert moved == folder / f".stale-{number + 1}"
    assert names(folder / ".stale-1") == {"inputs.json", "steps.jsonl", "gpaw-1.txt"}
    assert (folder / ".stale-1" / "steps.jsonl").read_text() == "steps"
    assert not (folder / "steps.jsonl").exists()
    assert folder.started_from() == f"other-{times - 1}"


@pytest.mark.parametrize("content", [None, b"", b"{", b"{}", b"\xff"])
def test_work_on_unknown_inputs_is_moved_and_kept(tmp_path: Path, content: bytes | None) -> None:
    folder = begun(tmp_path / "t")
    (folder / "inputs.json").unlink()
    if content is not None:
        (folder / "inputs.json").write_bytes(content)
    assert folder.open_for("abc", {"cutoff": 1}) == [folder / ".damaged-1"]
    assert (folder / ".damaged-1" / "steps.jsonl").read_text() == "steps"
    assert names(folder.path) == {"inputs.json", ".damaged-1"}


def test_a_lock_stays_where_it_is(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    with lock(folder / ".lock", "it"):
        folder.open_for("other", {})
        assert folder.is_running()


@pytest.mark.parametrize("length", [0, 10, -5])
def test_a_cut_result_is_set_aside_and_the_journal_kept(tmp_path: Path, length: int) -> None:
    folder = finished(tmp_path / "t", {"steps.jsonl": "steps"})
    content = (folder / "result.json").read_bytes()[:length]
    (folder / "result.json").write_bytes(content)
    assert folder.open_for("abc", {"cutoff": 1}) == [folder / "result.json.damaged-1"]
    assert (folder / "result.json.damaged-1").read_bytes() == content
    assert (folder / "steps.jsonl").read_text() == "steps"


def test_a_result_of_other_inputs_is_set_aside(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t")
    folder.finish(result(fingerprint="other"))
    assert folder.open_for("abc", {"cutoff": 1}) == [folder / "result.json.damaged-1"]


def test_an_edited_file_is_set_aside_with_its_result(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3", "e.cube": "4"})
    (folder / "d.cube").write_text("1 2 4")
    folder.open_for("abc", {"cutoff": 1})
    assert (folder / "d.cube.damaged-1").read_text() == "1 2 4"
    assert names(folder.path) == {
        "inputs.json", "result.json.damaged-1", "d.cube.damaged-1", "e.cube",
    }  # fmt: skip


def test_an_edited_failure_is_set_aside(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    folder.fail("abc", "desorbed", "Na left", 3.0)
    (folder / "failure.json").write_text("{}")
    assert folder.open_for("abc", {"cutoff": 1}) == [folder / "failure.json.damaged-1"]


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    folder.fail("abc", "desorbed", "Na left", 3.0)
    assert folder.open_for("abc", {"cutoff": 1}) == []
    assert folder.failure("abc") is None


@pytest.mark.parametrize("name", ["result.json", "failure.json", "progress.json", "inputs.json"])
def test_a_folder_in_place_of_a_file_is_moved(tmp_path: Path, name: str) -> None:
    folder = begun(tmp_path / "t")
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    (moved,) = folder.open_for("abc", {"cutoff": 1})
    assert moved.is_dir()
    folder.fail("abc", "r", "m", 1.0)
    folder.finish(result())
    assert folder.result("abc") is not None


MOVE = """
import os, sys
from pathlib import Path
from workflows.tasks.folder import TaskFolder
rename, left = Path.rename, int(sys.argv[2])
def count(path, target):
    global left
    if left == 0:
        os.kill(os.getpid(), 9)
    left -= 1
    return rename(path, target)
Path.rename = count
TaskFolder(Path(sys.argv[1])).open_for("other", {})
"""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_moving_old_contents_leaves_none_of_them_in_use(
    tmp_path: Path, renames: int
) -> None:
    folder = begun(tmp_path / "t")
    command = [sys.executable, "-c", MOVE, str(folder.path), str(renames)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    folder.open_for("other", {})
    assert names(folder.path) - {".stale-1", ".stale-2", ".damaged-1"} == {"inputs.json"}
    kept = [p for p in folder.path.glob(".*/*") if p.is_file()]
    assert sorted(p.name for p in kept) == ["gpaw-1.txt", "inputs.json", "steps.jsonl"]


# ---- logs ---------------------------------------------------------------------------------------


def test_every_log_has_a_name_of_its_own(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path)
    for _ in range(3):
        path = folder.next_log("gpaw")
        assert not path.exists()
        path.write_text("log")
    assert names(tmp_path) == {"gpaw-1.txt", "gpaw-2.txt", "gpaw-3.txt"}


def test_making_the_object_touches_nothing(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path / "t")
    assert (folder.result(), folder.failure("abc"), folder.progress()) == (None, None, {})
    assert not folder.has_contents()
    assert not folder.is_running()
    assert names(tmp_path) == set()
