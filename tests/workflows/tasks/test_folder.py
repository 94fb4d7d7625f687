"""A folder per task: whatever is cut, edited or of other inputs is noticed, and nothing is lost."""

import copy
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.made_up import VALUES, origin, values_of
from tests.paths import ROOT
from workflows.system.files import (
    digest,
    lock,
    read_signed,
    write_signed,
    write_text,
)
from workflows.system.messages import UserError
from workflows.tasks import folder as store
from workflows.tasks.folder import Failure, ProgressWriter, Result, TaskFolder
from workflows.tasks.records import Kind

ORIGIN = origin()
FINGERPRINT = digest(ORIGIN)
OTHER = digest("of something else")


def result(**changes: Any) -> Result:
    return replace(Result(FINGERPRINT, values_of("atom"), {}, 2.0, {"gpaw": "1"}), **changes)


def atom(path: Path) -> TaskFolder:
    return TaskFolder(path, "atom")


def finished(path: Path, files: dict[str, str] | None = None) -> TaskFolder:
    """Make a folder of a finished task with these files."""
    folder = atom(path)
    folder.open_for(ORIGIN)
    for name, text in (files or {}).items():
        write_text(folder / name, text)
    folder.finish(result(files=folder.digests(files or {})))
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---- results ------------------------------------------------------------------------------------


def test_a_result_comes_back(tmp_path: Path) -> None:
    assert finished(tmp_path / "t").result(FINGERPRINT) == result()


def test_a_result_of_other_inputs_is_not_this_ones(tmp_path: Path) -> None:
    assert finished(tmp_path / "t").result(OTHER) is None


def test_a_result_with_its_files_is_whole(tmp_path: Path) -> None:
    assert finished(tmp_path / "t", {"d.cube": "1 2 3"}).result(FINGERPRINT) is not None


@pytest.mark.parametrize("content", [None, "", "1 2", "1 2 4", "1 2 3\n"])
def test_a_result_whose_file_is_not_as_written_is_not_believed(
    tmp_path: Path, content: str | None
) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3"})
    (folder / "d.cube").unlink()
    if content is not None:
        (folder / "d.cube").write_text(content)
    assert folder.result(FINGERPRINT) is None


def test_a_result_whose_file_is_a_folder_is_not_believed(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3"})
    (folder / "d.cube").unlink()
    (folder / "d.cube").mkdir()
    assert folder.result(FINGERPRINT) is None


WHOLE = {"schema": store.SCHEMA, "task": "t", **vars(result())}


@pytest.mark.parametrize(
    "key", ["schema", "fingerprint", "values", "files", "seconds", "made_with"]
)
def test_a_result_without_one_of_its_parts_is_none(tmp_path: Path, key: str) -> None:
    write_signed(tmp_path / "result.json", {k: v for k, v in WHOLE.items() if k != key})
    assert atom(tmp_path).result() is None


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
        ("files", {"/etc/passwd": "0"}),
        ("files", {"../theirs": "0"}),
        ("files", {"a/b": "0"}),
        ("files", {".lock": "0"}),
        ("files", {"..": "0"}),
        ("files", {"d.cube\n": "0"}),
        ("seconds", "2"),
        ("seconds", 10**400),
        ("seconds", -1.0),
        ("made_with", None),
        ("made_with", {"gpaw": 26}),
        ("made_with", {"gpaw": "\x1b[2J"}),
    ],
)
def test_a_result_with_a_part_of_another_kind_is_none(
    tmp_path: Path, key: str, value: object
) -> None:
    write_signed(tmp_path / "result.json", WHOLE | {key: value})
    assert atom(tmp_path).result() is None


def test_a_result_takes_the_place_of_progress(tmp_path: Path) -> None:
    folder = atom(tmp_path)
    ProgressWriter(folder)(step=1)
    folder.finish(result())
    assert folder.progress() == {}


@pytest.mark.parametrize(
    "change",
    [{"values": values_of("atom", energy=-1.1)}, {"fingerprint": "x"}, {"files": {"a": "0"}}],
)
def test_other_numbers_have_another_identity(change: dict[str, Any]) -> None:
    assert result(**change).digest != result().digest


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 3.0},
        {"made_with": {}},
        {"values": values_of("atom", scf_iterations=40, retries=[])},
    ],
)
def test_how_a_number_was_come_by_does_not_change_its_identity(change: dict[str, Any]) -> None:
    assert result(**change).digest == result().digest


# ---- values that no such task has ---------------------------------------------------------------

CHANGED: list[tuple[Kind, dict[str, Any]]] = [
    *(
        (kind, {"energy": energy})
        for kind in VALUES
        if kind not in ("density", "electrons", "hop")
        for energy in (None, "-1.0", True, 10**400, 1e7, [-1.0])
    ),
    ("lattice", {"lattice_constant": 0.0}),
    ("lattice", {"lattice_constant": -4.0}),
    ("lattice", {"energies": [-0.9, -1.0]}),
    ("lattice", {"energies": [], "lattice_constants": []}),
    ("lattice", {"atoms": 0}),
    ("lattice", {"pattern": [{"hkl": "111"}]}),
    ("atom", {"magnetic_moment": "up"}),
    ("slab", {"structure": {}}),
    ("slab", {"structure": None}),
    ("slab", {"fmax": "small"}),
    ("slab", {"electrostatics": {"z": [0.0, 1.0], "potential": [0.0], "fermi_level": 0.0}}),
    ("slab", {"electrostatics": {"z": [0.0], "potential": [0.0]}}),
    ("slab", {"lattice_constant": None}),
    ("held", {"nearest": {"V": None}}),
    ("held", {"nearest": [2.5]}),
    ("held", {"nearest": {"[/nope]": 2.5}}),
    ("held", {"ended_at": "[/nope]"}),
    ("basin", {"same_as": "../VN-slab"}),
    ("held", {"height": 1e300}),
    ("free", {"saddle": "yes"}),
    ("basin", {"start": {"__ase_objtype__": "atoms"}}),
    ("density", {"integral": 1e30}),
    ("density", {"z": [0.0, 1.0]}),
    ("density", {"plane_average": [None]}),
    ("electrons", {"total": [1.0]}),
    ("hop", {"distances": [0.0, 1.5]}),
    ("hop", {"minima": 0}),
    ("hop", {"energies": [-1.0, None, -1.0]}),
    ("electrons", {"projected": {"V d": [1.0, None, 2.0]}}),
    ("electrons", {"localisation": [[0.1, 0.9], [0.0, 0.2]]}),
    ("electrons", {"direction": [1.0]}),
    *((kind, {"scf_iterations": -1}) for kind in VALUES),
    *((kind, {"cpu_seconds": "long"}) for kind in VALUES),
]


@pytest.mark.parametrize(("kind", "change"), CHANGED, ids=lambda x: str(x)[:40])
def test_values_that_no_such_task_has_are_damaged(
    tmp_path: Path, kind: Kind, change: dict[str, Any]
) -> None:
    folder = TaskFolder(tmp_path, kind)
    folder.finish(result(values=values_of(kind)))
    assert folder.result() is not None
    with pytest.raises(ValueError):  # noqa: PT011 (a bug: each has a message of its own)
        folder.finish(result(values=values_of(kind, **change)))
    whole = read_signed(tmp_path / "result.json") or {}
    write_signed(tmp_path / "result.json", whole | {"values": values_of(kind, **change)})
    assert folder.result() is None


@pytest.mark.parametrize("place", ["energy", "potential", "positions"])
def test_a_number_beyond_all_floats_is_damaged(tmp_path: Path, place: str) -> None:
    values: Any = copy.deepcopy(values_of("slab"))
    if place == "energy":
        values["energy"] = math.inf
    elif place == "potential":
        values["electrostatics"]["potential"] = [math.inf]
    else:
        values["structure"]["positions"]["__ndarray__"][2][0] = math.inf
    data = {**WHOLE, "values": values}
    text = json.dumps({**data, "checksum": digest(data)}).replace("Infinity", "1e999")
    (tmp_path / "result.json").write_text(text)
    assert read_signed(tmp_path / "result.json") == data
    assert TaskFolder(tmp_path, "slab").result() is None


@pytest.mark.parametrize("kind", VALUES)
def test_each_value_that_every_such_task_has_is_needed(tmp_path: Path, kind: Kind) -> None:
    folder = TaskFolder(tmp_path, kind)
    folder.finish(result(values=values_of(kind)))
    whole = read_signed(tmp_path / "result.json") or {}
    for key in VALUES[kind]:
        values = {name: value for name, value in VALUES[kind].items() if name != key}
        write_signed(tmp_path / "result.json", whole | {"values": values})
        assert folder.result() is None, key


def test_a_result_of_another_kind_of_task_is_damaged(tmp_path: Path) -> None:
    TaskFolder(tmp_path, "uncorrected").finish(result(values=values_of("uncorrected")))
    assert TaskFolder(tmp_path, "uncorrected").result() is not None
    assert TaskFolder(tmp_path, "slab").result() is None


def test_values_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = values_of("atom", energy=-1, remark="of a later version")
    folder = atom(tmp_path)
    folder.finish(result(values=values))
    content = (folder / "result.json").read_bytes()
    found = folder.result()
    assert found is not None
    assert repr(found.values) == repr(values)
    folder.finish(found)
    assert (folder / "result.json").read_bytes() == content


# ---- failures and progress ----------------------------------------------------------------------


def test_a_failure_comes_back_for_its_inputs_only(tmp_path: Path) -> None:
    folder = atom(tmp_path)
    folder.fail(FINGERPRINT, Failure("desorbed", "Na left", 3.0))
    assert folder.failure(FINGERPRINT) == Failure("desorbed", "Na left", 3.0)
    assert folder.failure(OTHER) is None


FAILED = {
    "fingerprint": FINGERPRINT, "reason": "desorbed", "message": "Na left", "seconds": 3.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"reason": None},
        {"reason": 1},
        {"reason": "[/nope]"},
        {"reason": "x" * 300},
        {"message": 7},
        {"message": "\x1b[2J"},
        {"message": "two\nlines"},
        {"seconds": None},
        {"seconds": -1.0},
        {"seconds": 10**400},
        {"fingerprint": OTHER},
    ],
)
def test_a_failure_that_is_none_is_not_believed(tmp_path: Path, change: dict[str, Any]) -> None:
    write_signed(tmp_path / "failure.json", FAILED)
    assert atom(tmp_path).failure(FINGERPRINT) is not None
    write_signed(tmp_path / "failure.json", FAILED | change)
    assert atom(tmp_path).failure(FINGERPRINT) is None


def test_a_message_is_stored_as_one_line(tmp_path: Path) -> None:
    folder = atom(tmp_path)
    folder.fail(FINGERPRINT, Failure("r", "two\n lines\x1b", 1.0))
    assert folder.failure(FINGERPRINT) == Failure("r", "two lines ", 1.0)


def test_progress_adds_up(tmp_path: Path) -> None:
    report = ProgressWriter(atom(tmp_path), interval=0.0)
    report(step=1, fmax=0.3)
    report(step=2)
    progress = atom(tmp_path).progress()
    assert (progress["step"], progress["fmax"]) == (2, 0.3)


@pytest.mark.parametrize(
    "progress",
    [
        {"step": "three"},
        {"step": -1},
        {"fmax": "large"},
        {"trend": [0.1, None]},
        {"trend": 0.1},
        {"started": "yesterday"},
        {"part": "\x1b[2J"},
        {"scf": 10**400},
    ],
)
def test_progress_that_makes_no_sense_is_none(tmp_path: Path, progress: dict[str, Any]) -> None:
    write_signed(tmp_path / "progress.json", progress)
    assert atom(tmp_path).progress() == {}


def test_progress_is_not_written_more_often_than_asked(tmp_path: Path) -> None:
    report = ProgressWriter(atom(tmp_path), interval=1000.0)
    report._written = -math.inf
    report(step=1)
    report(step=2)
    assert atom(tmp_path).progress()["step"] == 1


# ---- making a folder ready ----------------------------------------------------------------------


def begun(path: Path) -> TaskFolder:
    """Make a folder in which work of fingerprint 'abc' has begun."""
    folder = atom(path)
    folder.open_for(ORIGIN)
    write_text(folder / "steps.jsonl", "steps")
    write_text(folder / "gpaw-1.txt", "log")
    return folder


def test_a_new_folder_says_what_it_is_for(tmp_path: Path) -> None:
    folder = atom(tmp_path / "t")
    assert folder.open_for(ORIGIN) == []
    assert folder.started_from() == FINGERPRINT
    assert (read_signed(folder / "inputs.json") or {})["inputs"] == ORIGIN


def test_work_on_the_same_inputs_stays(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    assert folder.open_for(ORIGIN) == []
    assert names(folder.path) == {"inputs.json", "steps.jsonl", "gpaw-1.txt"}


@pytest.mark.parametrize("times", [1, 2])
def test_work_on_other_inputs_is_moved_and_kept(tmp_path: Path, times: int) -> None:
    folder = begun(tmp_path / "t")
    for number in range(times):
        (moved,) = folder.open_for(origin(box=13.0 + number))
        assert moved == folder / f".stale-{number + 1}"
    assert names(folder / ".stale-1") == {"inputs.json", "steps.jsonl", "gpaw-1.txt"}
    assert (folder / ".stale-1" / "steps.jsonl").read_text() == "steps"
    assert not (folder / "steps.jsonl").exists()
    assert folder.started_from() == digest(origin(box=12.0 + times))


@pytest.mark.parametrize("content", [None, b"", b"{", b"{}", b"\xff"])
def test_work_on_unknown_inputs_is_moved_and_kept(tmp_path: Path, content: bytes | None) -> None:
    folder = begun(tmp_path / "t")
    (folder / "inputs.json").unlink()
    if content is not None:
        (folder / "inputs.json").write_bytes(content)
    assert folder.open_for(ORIGIN) == [folder / ".damaged-1"]
    assert (folder / ".damaged-1" / "steps.jsonl").read_text() == "steps"
    assert names(folder.path) == {"inputs.json", ".damaged-1"}


def test_a_lock_stays_where_it_is(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    with lock(folder / ".lock", "it"):
        folder.open_for(origin(box=13.0))
        assert folder.is_running()


@pytest.mark.parametrize("length", [0, 10, -5])
def test_a_cut_result_is_set_aside_and_the_journal_kept(tmp_path: Path, length: int) -> None:
    folder = finished(tmp_path / "t", {"steps.jsonl": "steps"})
    content = (folder / "result.json").read_bytes()[:length]
    (folder / "result.json").write_bytes(content)
    assert folder.open_for(ORIGIN) == [folder / "result.json.damaged-1"]
    assert (folder / "result.json.damaged-1").read_bytes() == content
    assert (folder / "steps.jsonl").read_text() == "steps"


def test_a_result_of_other_inputs_is_set_aside(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t")
    folder.finish(result(fingerprint=OTHER))
    assert folder.open_for(ORIGIN) == [folder / "result.json.damaged-1"]


def test_an_edited_file_is_set_aside_with_its_result(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3", "e.cube": "4"})
    (folder / "d.cube").write_text("1 2 4")
    folder.open_for(ORIGIN)
    assert (folder / "d.cube.damaged-1").read_text() == "1 2 4"
    assert names(folder.path) == {
        "inputs.json", "result.json.damaged-1", "d.cube.damaged-1", "e.cube",
    }  # fmt: skip


def test_an_edited_failure_is_set_aside(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    folder.fail(FINGERPRINT, Failure("desorbed", "Na left", 3.0))
    (folder / "failure.json").write_text("{}")
    assert folder.open_for(ORIGIN) == [folder / "failure.json.damaged-1"]


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    folder.fail(FINGERPRINT, Failure("desorbed", "Na left", 3.0))
    assert folder.open_for(ORIGIN) == []
    assert folder.failure(FINGERPRINT) is None


@pytest.mark.parametrize("name", ["result.json", "failure.json", "progress.json", "inputs.json"])
def test_a_folder_in_place_of_a_file_is_moved(tmp_path: Path, name: str) -> None:
    folder = begun(tmp_path / "t")
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    (moved,) = folder.open_for(ORIGIN)
    assert moved.is_dir()
    folder.fail(FINGERPRINT, Failure("r", "m", 1.0))
    folder.finish(result())
    assert folder.result(FINGERPRINT) is not None


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
from tests.made_up import origin
TaskFolder(Path(sys.argv[1]), "atom").open_for(origin(box=13.0))
"""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_moving_old_contents_leaves_none_of_them_in_use(
    tmp_path: Path, renames: int
) -> None:
    folder = begun(tmp_path / "t")
    command = [sys.executable, "-c", MOVE, str(folder.path), str(renames)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    folder.open_for(origin(box=13.0))
    assert names(folder.path) - {".stale-1", ".stale-2", ".damaged-1"} == {"inputs.json"}
    kept = [p for p in folder.path.glob(".*/*") if p.is_file()]
    assert sorted(p.name for p in kept) == ["gpaw-1.txt", "inputs.json", "steps.jsonl"]


# ---- logs ---------------------------------------------------------------------------------------


def test_every_log_has_a_name_of_its_own(tmp_path: Path) -> None:
    folder = atom(tmp_path)
    for _ in range(3):
        path = folder.new_log("gpaw")
        assert path.read_bytes() == b""
        path.write_text("log")
    assert names(tmp_path) == {"gpaw-1.txt", "gpaw-2.txt", "gpaw-3.txt"}


@pytest.mark.parametrize("target", ["theirs", "nowhere"])
def test_a_log_is_not_written_through_a_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "theirs").write_text("precious")
    folder = finished(tmp_path / "t")
    (folder / "gpaw-1.txt").symlink_to(tmp_path / target)
    assert folder.new_log("gpaw") == folder / "gpaw-2.txt"
    assert (tmp_path / "theirs").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


# ---- what is not ours ---------------------------------------------------------------------------


def test_a_linked_folder_is_neither_read_nor_emptied(tmp_path: Path) -> None:
    theirs = finished(tmp_path / "theirs", {"notes.txt": "precious"})
    before = {path.name: path.read_bytes() for path in theirs.path.iterdir()}
    (tmp_path / "t").symlink_to(theirs.path)
    folder = atom(tmp_path / "t")
    assert folder.result() is None
    for inputs in (ORIGIN, origin(box=13.0)):
        with pytest.raises(UserError, match="found a link; allowed: a folder"):
            folder.open_for(inputs)
    assert {path.name: path.read_bytes() for path in theirs.path.iterdir()} == before


@pytest.mark.parametrize("name", ["../theirs", "/abs"])
def test_files_outside_are_not_renamed_with_a_damaged_result(tmp_path: Path, name: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    named = str(theirs) if name == "/abs" else name
    folder = finished(tmp_path / "t")
    write_signed(folder / "result.json", {**WHOLE, "files": {named: "0" * 64}})
    assert folder.open_for(ORIGIN) == [folder / "result.json.damaged-1"]
    assert theirs.read_text() == "precious"


@pytest.mark.parametrize("name", ["result.json", "failure.json", "progress.json", "inputs.json"])
@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "nowhere"])
def test_what_is_no_file_is_damaged_and_moved_at_once(tmp_path: Path, name: str, what: str) -> None:
    folder = begun(tmp_path / "t")
    (folder / name).unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to(what)
    assert (folder.result(), folder.failure(FINGERPRINT), folder.progress()) == (None, None, {})
    (moved,) = folder.open_for(ORIGIN)
    assert os.path.lexists(moved / name if name == "inputs.json" else moved)
    folder.finish(result())
    assert folder.result(FINGERPRINT) is not None


def test_a_file_of_a_result_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = finished(tmp_path / "t", {"d.cube": "1 2 3"})
    (folder / "d.cube").unlink()
    os.mkfifo(folder / "d.cube")
    assert folder.result(FINGERPRINT) is None


def test_inputs_that_are_not_those_of_their_fingerprint_are_damaged(tmp_path: Path) -> None:
    folder = begun(tmp_path / "t")
    write_signed(folder / "inputs.json", {"fingerprint": FINGERPRINT, "inputs": origin(box=13.0)})
    assert folder.started_from() is None
    assert folder.open_for(ORIGIN) == [folder / ".damaged-1"]


def test_making_the_object_touches_nothing(tmp_path: Path) -> None:
    folder = atom(tmp_path / "t")
    assert (folder.result(), folder.failure(FINGERPRINT), folder.progress()) == (None, None, {})
    assert not folder.has_contents()
    assert not folder.is_running()
    assert names(tmp_path) == set()
