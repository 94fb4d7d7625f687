"""Files: written whole or not at all, believed only as they were written, locked by one."""

import errno
import fcntl
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import ROOT
from workflows.system.files import (
    Locked,
    append_bytes,
    canonical,
    digest,
    file_digest,
    is_locked,
    keep,
    lock,
    read_bytes,
    read_signed,
    set_aside,
    write_bytes,
    write_signed,
    write_text,
)
from workflows.system.messages import UserError
from workflows.system.refusals import explain

DATA = {"energy": -1.5, "structure": {"Na": [0.1, 1e-17, -0.0]}, "note": "2 Å", "none": None}

patient = settings(deadline=None, max_examples=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(), x, max_size=4)
)


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
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    write_signed(tmp_path / "f", DATA)
    monkeypatch.setattr(os, "open", refuse)
    assert read_signed(tmp_path / "f") is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_neither_written_nor_read(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_signed(tmp_path / "f", {"energy": number})
    assert names(tmp_path) == set()
    signed = {"energy": number, "checksum": digest({"energy": number})}
    (tmp_path / "f").write_text(json.dumps(signed))
    assert read_signed(tmp_path / "f") is None


# ---- what is not a regular file -----------------------------------------------------------------


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def socket_file(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


IRREGULAR = [pipe, device, socket_file, Path.mkdir]


@pytest.mark.parametrize("make", IRREGULAR)
def test_what_is_no_file_is_not_read_and_not_waited_for(
    short_path: Path, make: Callable[[Path], None]
) -> None:
    make(short_path)
    assert read_signed(short_path) is None
    for read in (read_bytes, file_digest):
        with pytest.raises(OSError):  # noqa: PT011 (a socket cannot even be opened)
            read(short_path)


@pytest.mark.parametrize("make", IRREGULAR)
def test_what_is_no_file_is_no_lock(short_path: Path, make: Callable[[Path], None]) -> None:
    make(short_path)
    assert not is_locked(short_path)
    with (
        pytest.raises(UserError, match=r"allowed: a lock file; remove it$"),
        lock(short_path, "it"),
    ):
        pass


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "f"


# ---- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["precious", None])
def test_a_lock_is_not_written_through_a_link(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "theirs").write_text(content)
    (tmp_path / ".lock").symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match="found a link"), lock(tmp_path / ".lock", "it"):
        pass
    assert not is_locked(tmp_path / ".lock")
    assert (tmp_path / "theirs").exists() == (content is not None)
    if content is not None:
        assert (tmp_path / "theirs").read_text() == content


def test_a_file_takes_the_place_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("precious")
    (tmp_path / "f").symlink_to(tmp_path / "theirs")
    write_text(tmp_path / "f", "ours")
    assert (tmp_path / "theirs").read_text() == "precious"
    assert (tmp_path / "f").read_text() == "ours"
    assert not (tmp_path / "f").is_symlink()


def test_a_link_in_place_of_the_temporary_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("precious")
    (tmp_path / f".f.{os.getpid()}.tmp").symlink_to(tmp_path / "theirs")
    write_text(tmp_path / "f", "ours")
    assert (tmp_path / "theirs").read_text() == "precious"
    assert names(tmp_path) == {"theirs", "f"}


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_of_a_link_it_is_the_link_that_is_set_aside(tmp_path: Path, target: str) -> None:
    (tmp_path / "there").write_text("precious")
    (tmp_path / "f").symlink_to(tmp_path / target)
    assert set_aside(tmp_path / "f", "damaged") == tmp_path / "f.damaged-1"
    assert (tmp_path / "f.damaged-1").is_symlink()
    assert (tmp_path / "there").read_text() == "precious"


# ---- disks that fail ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EIO, errno.EFBIG, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("write", [write_bytes, append_bytes])
def test_a_failing_disk_is_told_with_the_path_that_people_know(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    write: Callable[[Path, bytes], None],
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))  # as the system does: without a path

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(number)) as error:
        write(tmp_path / "result.json", b"content")
    assert error.value.filename == str(tmp_path / "result.json")
    assert explain(error.value) == f"{tmp_path}/result.json: {os.strerror(number)}"


TOO_BIG = """
import resource, sys
from pathlib import Path
from workflows.system.files import append_bytes, write_bytes
from workflows.system.refusals import explain
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (write_bytes, append_bytes):
    try:
        write(Path(sys.argv[1]), b"x" * 5000)
    except OSError as error:
        print(explain(error))
"""


def test_a_file_beyond_the_limit_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TOO_BIG, str(tmp_path / "result.json")]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert told == f"{tmp_path}/result.json: File too large\n" * 2


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


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOLCK, "this file system has no file locks (No locks available); choose another"),
        (errno.ENOTSUP, "this file system has no file locks"),
        (errno.ENOSYS, "this file system has no file locks"),
        (errno.ESTALE, "its file server has lost it (Stale file handle); run it again"),
    ],
)
def test_without_locks_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserError) as error, lock(tmp_path / ".lock", "it"):
        pass
    assert str(error.value).startswith(f"{tmp_path}: {words}")
    assert "\n" not in str(error.value)
    assert not is_locked(tmp_path / ".lock")  # so that `status` can be looked at


def test_an_owner_that_cannot_be_printed_is_not(tmp_path: Path) -> None:
    held = "import sys, fcntl, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); "
    write = "f.write('\\x1b[2J\\nline'); f.flush(); print(flush=True); time.sleep(60)"
    with (
        python(held + write, tmp_path / ".lock"),
        pytest.raises(Locked, match=r"^it is already being worked on by another process$"),
        lock(tmp_path / ".lock", "it"),
    ):
        pass


def test_a_lock_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / ".lock")


# ---- keeping a file -----------------------------------------------------------------------------


def test_a_file_is_kept_once_and_another_one_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    keep(path, b"one")
    first = path.stat()
    keep(path, b"one")
    assert path.stat().st_mtime_ns == first.st_mtime_ns
    assert path.stat().st_ino == first.st_ino
    keep(path, b"two")
    assert path.read_bytes() == b"two"
    assert (tmp_path / "case.toml.before-1").read_bytes() == b"one"


def test_a_folder_in_the_place_of_a_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "mine").write_text("x")
    keep(tmp_path / "f", b"one")
    assert (tmp_path / "f").read_bytes() == b"one"
    assert (tmp_path / "f.before-1" / "mine").read_text() == "x"
