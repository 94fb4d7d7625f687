"""A folder per task: whatever is cut, edited or of other inputs is noticed, and nothing is lost."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import fcc111
from ase.constraints import FixAtoms, FixedLine
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import ROOT
from workflows.system.files import (
    Locked,
    canonical,
    digest,
    file_digest,
    is_locked,
    lock,
    read_signed,
    set_aside,
    write_bytes,
    write_signed,
    write_text,
)
from workflows.tasks import folder as store
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.folder import Reporter, Result, TaskFolder

DATA = {"energy": -1.5, "structure": {"Na": [0.1, 1e-17, -0.0]}, "note": "2 Å", "none": None}

patient = settings(deadline=None, max_examples=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(), x, max_size=4)
)


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


# ---- checksums ----------------------------------------------------------------------------------


def test_equal_data_have_the_same_digest_in_any_order() -> None:
    assert digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"b": 1}, [1]])
def test_different_data_have_different_digests(other: object) -> None:
    assert digest({"a": 1}) != digest(other)


def test_tuples_are_lists() -> None:
    assert digest({"k": (1, 2)}) == digest({"k": [1, 2]})


@patient
@given(JSON)
def test_digest_survives_the_way_through_a_file(data: Any) -> None:
    assert digest(json.loads(canonical(data))) == digest(data)


def test_file_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_digest(tmp_path / "f").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


# ---- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "f"
    write_text(path, "old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, crash)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"


def test_a_failed_write_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_text(tmp_path / "f", "new")
    assert names(tmp_path) == set()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    contents = [letter * 200_000 for letter in (b"a", b"b")]
    program = (
        "import sys; from pathlib import Path; from workflows.system.files import write_bytes\n"
        "print(flush=True)\n"
        "while True:\n"
        "    for c in (b'a', b'b'): write_bytes(Path(sys.argv[1]), c * 200_000)\n"
    )
    write_bytes(tmp_path / "f", contents[0])
    with python(program, tmp_path / "f"):
        seen = {(tmp_path / "f").read_bytes() for _ in range(300)}
    assert seen <= set(contents)


# ---- signed JSON --------------------------------------------------------------------------------


@patient
@given(st.dictionaries(st.text().filter(lambda key: key != "checksum"), JSON, max_size=4))
def test_signed_data_come_back(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "signed.json"
    write_signed(path, data)
    assert read_signed(path) == data


def test_numbers_come_back_exactly(tmp_path: Path) -> None:
    numbers = [0.1, 1 / 3, 5e-324, -0.0, 1.7976931348623157e308, 2**60 + 1]
    write_signed(tmp_path / "f", {"numbers": numbers})
    back = read_signed(tmp_path / "f")
    assert back is not None
    assert list(map(repr, back["numbers"])) == list(map(repr, numbers))


def test_cut_anywhere_it_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_signed(path, DATA)
    content = path.read_bytes()
    for length in range(len(content) - 1):  # without its last newline it is still whole
        path.write_bytes(content[:length])
        assert read_signed(path) is None, length


@pytest.mark.parametrize("flip", [0x01, 0x10, 0x20, 0x80, 0xFF])
def test_with_any_byte_changed_it_is_not_believed_or_says_the_same(
    tmp_path: Path, flip: int
) -> None:
    path = tmp_path / "f"
    write_signed(path, DATA)
    content = path.read_bytes()
    believed = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
        found = read_signed(path)
        assert found in (None, DATA), place
        believed += found is not None
    assert believed <= content.count(b" ") + content.count(b"\n") + content.count(b"e")


def test_with_any_digit_changed_it_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_signed(path, DATA)
    text = path.read_text()
    for place, character in enumerate(text):
        if character.isdigit():
            other = str((int(character) + 1) % 10)
            path.write_text(text[:place] + other + text[place + 1 :])
            assert read_signed(path) is None, place


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b'["checksum"]',
        b"7",
        b'"checksum"',
        b"{}",
        b'{"checksum": null}',
        b'{"checksum": "0"}',
        b"\xff\xfe\x00",
        b"\x00" * 4096,
        b"{" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"checksum": 1, "a": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"a": ' + b"9" * 10_000 + b', "checksum": ""}',
        b'{"a": "\\ud800", "checksum": ""}',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_ours_is_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert read_signed(tmp_path / "f") is None


@patient
@given(st.binary(max_size=200))
def test_no_bytes_are_believed_by_chance(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.json"
    path.write_bytes(content)
    assert read_signed(path) is None


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_signed(tmp_path / "f") is None


def test_a_folder_in_place_of_the_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    assert read_signed(tmp_path / "f") is None


def test_a_file_that_may_not_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    write_signed(tmp_path / "f", DATA)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert read_signed(tmp_path / "f") is None


def test_a_structure_comes_back_with_its_constraints_exactly(tmp_path: Path) -> None:
    atoms = fcc111("Al", (1, 2, 3), vacuum=6.1)
    atoms.rattle(0.1, seed=3)
    atoms.set_constraint([FixAtoms([0, 1]), FixedLine(5, (0, 0, 1))])
    write_signed(tmp_path / "f", to_json(atoms))
    back = from_json(read_signed(tmp_path / "f"))
    assert (back.positions == atoms.positions).all()
    assert (np.array(back.cell) == np.array(atoms.cell)).all()
    assert back == atoms
    assert back.get_tags().tolist() == atoms.get_tags().tolist()
    assert [c.todict() for c in back.constraints] == [c.todict() for c in atoms.constraints]


# ---- setting aside ------------------------------------------------------------------------------


def test_set_aside_counts_up(tmp_path: Path) -> None:
    moved = []
    for content in ("first", "second", "third"):
        (tmp_path / "f.json").write_text(content)
        moved.append(set_aside(tmp_path / "f.json", "damaged"))
    expected = {"first": 1, "second": 2, "third": 3}
    assert {p.read_text(): p.name for p in moved if p} == {
        content: f"f.json.damaged-{number}" for content, number in expected.items()
    }


def test_a_folder_is_set_aside_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("kept")
    set_aside(tmp_path / "d", "stale")
    assert (tmp_path / "d.stale-1" / "f").read_text() == "kept"


def test_nothing_to_set_aside(tmp_path: Path) -> None:
    assert set_aside(tmp_path / "f", "damaged") is None


# ---- locks --------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from workflows.system.files import lock
with lock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def python(program: str, *arguments: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the end of the block; it has printed a line when the block begins."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_a_lock_held_by_a_living_process_names_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with (
        python(HOLD, path) as owner,
        pytest.raises(Locked, match=rf"^VN is already being worked on by process {owner.pid} on "),
        lock(path, "VN"),
    ):
        pass


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with python(HOLD, path) as owner:
        assert is_locked(path)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert not is_locked(path)
        with lock(path, "it"):
            assert str(os.getpid()) in path.read_text()


def test_a_lock_is_free_after_its_block(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path / ".lock", "it"):
        raise ZeroDivisionError
    assert not is_locked(tmp_path / ".lock")


def test_a_child_process_does_not_hold_its_parents_lock(tmp_path: Path) -> None:
    with lock(tmp_path / ".lock", "it"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert not is_locked(tmp_path / ".lock")
    finally:
        child.communicate()


def test_a_look_at_a_lock_does_not_take_it(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    program = (
        "import sys; from pathlib import Path; from workflows.system.files import is_locked\n"
        "print(flush=True)\n"
        "while True: is_locked(Path(sys.argv[1]))\n"
    )
    with python(program, tmp_path / ".lock"):
        for _ in range(300):
            with lock(tmp_path / ".lock", "it"):
                pass


def test_a_lock_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / ".lock")


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
