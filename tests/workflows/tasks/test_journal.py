"""The journal of steps: whatever is cut or spoilt, the whole steps before it are there."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import TypedDict

from tests.paths import ROOT
from workflows.system.files import digest
from workflows.tasks.journal import Journal, whole_records

STEPS: list[dict[str, Any]] = [
    {"energy": -19.269134145362234, "positions": [[0.0, -3.4542982161838705e-32, 5.0]]},
    {"energy": 1 / 3, "forces": [[1e-300, -0.0, 0.1]]},
    {"lattice_constant": 4.13, "note": "Å"},
]


class Positions(TypedDict):
    """A record of one kind."""

    positions: list[list[float]]


def steps_in(path: Path) -> Journal[dict[str, Any]]:
    return Journal(path, dict[str, Any], "fingerprint")


def journal(path: Path, steps: list[dict[str, Any]] = STEPS) -> bytes:
    """Write a journal of these steps; return its bytes."""
    history = steps_in(path)
    for step in steps:
        history.append(step)
    return path.read_bytes()


def damaged(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.damaged-*"))]


def test_no_file_is_no_steps(tmp_path: Path) -> None:
    assert steps_in(tmp_path / "j").records == []
    assert not (tmp_path / "j").exists()


def test_steps_come_back_in_order_and_exactly(tmp_path: Path) -> None:
    journal(tmp_path / "j")
    assert repr(steps_in(tmp_path / "j").records) == repr(STEPS)


def test_length_is_the_number_of_steps(tmp_path: Path) -> None:
    journal(tmp_path / "j")
    assert len(steps_in(tmp_path / "j")) == 3


def test_reading_a_whole_journal_changes_nothing(tmp_path: Path) -> None:
    content = journal(tmp_path / "j")
    steps_in(tmp_path / "j")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [content]


def test_cut_anywhere_the_whole_steps_are_kept_and_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # hundreds of them take seconds
    content = journal(tmp_path / "j")
    ends = [i for i, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        path = tmp_path / f"{length}" / "j"
        path.parent.mkdir()
        path.write_bytes(content[:length])
        whole = STEPS[: sum(end <= length for end in ends)]  # one without its newline is whole
        history = steps_in(path)
        assert history.records == whole, length
        history.append({"energy": 7.0})
        assert steps_in(path).records == [*whole, {"energy": 7.0}], length


def test_what_was_cut_is_kept_under_a_name_that_says_so(tmp_path: Path) -> None:
    content = journal(tmp_path / "j")
    for number in (1, 2):
        (tmp_path / "j").write_bytes(content[:-number])
        steps_in(tmp_path / "j")
    assert damaged(tmp_path) == [content[:-1], content[:-2]]


def spoilt(content: bytes, what: str) -> bytes:
    """Spoil the second of three lines."""
    first, second, third = content.splitlines(keepends=True)
    other = {
        "garbage": b"garbage\n",
        "empty": b"\n",
        "binary": b"\x00\xff\xfe\x80\n",
        "null": b"null\n",
        "list": b"[1, 2]\n",
        "number": b"7\n",
        "deep": b"[" * 100_000 + b"\n",
        "other number": second.replace(b"0.1", b"0.2"),
        "other checksum": second.replace(b'"checksum": "', b'"checksum": "0'),
        "not a step": second.replace(b"record", b"Record"),
        "two in one": second.rstrip() + third,
    }
    return first + other[what] + third


@pytest.mark.parametrize(
    "what",
    ["garbage", "empty", "binary", "null", "list", "number", "deep", "other number",
     "other checksum", "not a step", "two in one"],
)  # fmt: skip
def test_of_a_spoilt_journal_the_steps_before_are_kept(tmp_path: Path, what: str) -> None:
    content = spoilt(journal(tmp_path / "j"), what)
    (tmp_path / "j").write_bytes(content)
    assert steps_in(tmp_path / "j").records == STEPS[:1]
    assert damaged(tmp_path) == [content]


@pytest.mark.parametrize("record", [[1], 7, "text", None])
def test_a_record_that_is_no_step_is_not_read(tmp_path: Path, record: object) -> None:
    journal(tmp_path / "j", STEPS[:1])
    signed = {"record": record, "of": "fingerprint", "checksum": digest(["fingerprint", record])}
    line = json.dumps(signed)
    with (tmp_path / "j").open("a") as file:
        file.write(line + "\n")
    assert steps_in(tmp_path / "j").records == STEPS[:1]


@pytest.mark.parametrize("content", [b"\n", b"\x00" * 1000, b"\xff" * 1000, b"steps"])
def test_a_file_without_any_step_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    history = steps_in(tmp_path / "j")
    history.append(STEPS[0])
    assert steps_in(tmp_path / "j").records == STEPS[:1]
    assert damaged(tmp_path) == [content]


def test_an_empty_file_is_no_steps(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    assert steps_in(tmp_path / "j").records == []


def test_other_line_ends_lose_no_step(tmp_path: Path) -> None:
    content = journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(content.replace(b"\n", b"\r\n"))
    assert steps_in(tmp_path / "j").records == STEPS
    assert (tmp_path / "j").read_bytes() == content


def test_a_folder_in_place_of_the_journal_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    journal(tmp_path / "j")
    assert (tmp_path / "j.damaged-1").is_dir()
    assert steps_in(tmp_path / "j").records == STEPS


def test_a_journal_that_may_not_be_read_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = journal(tmp_path / "j")

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert steps_in(tmp_path / "j").records == []
    assert damaged(tmp_path) == [content]


def test_cut_keeps_the_first_steps_and_the_evidence(tmp_path: Path) -> None:
    content = journal(tmp_path / "j")
    steps_in(tmp_path / "j").cut(1)
    assert steps_in(tmp_path / "j").records == STEPS[:1]
    assert damaged(tmp_path) == [content]


def test_steps_written_in_parts_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]))
        journal(tmp_path / "j")
    assert steps_in(tmp_path / "j").records == STEPS


def test_a_step_is_on_the_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append((tmp_path / "j").read_bytes()))
    content = journal(tmp_path / "j", STEPS[:1])
    assert synced == [content]


# ---- of other inputs ----------------------------------------------------------------------------


@pytest.mark.parametrize("fingerprint", ["another", ""])
def test_steps_of_other_inputs_are_set_aside_and_not_used(tmp_path: Path, fingerprint: str) -> None:
    content = journal(tmp_path / "j")
    other = Journal(tmp_path / "j", dict[str, Any], fingerprint)
    assert other.records == []
    assert damaged(tmp_path) == [content]


def test_steps_that_carry_no_fingerprint_are_set_aside_and_not_used(tmp_path: Path) -> None:
    Journal(tmp_path / "j", dict[str, Any]).append(STEPS[0])
    content = (tmp_path / "j").read_bytes()
    assert b"fingerprint" not in content
    assert steps_in(tmp_path / "j").records == []
    assert damaged(tmp_path) == [content]


def test_a_fingerprint_written_over_another_is_noticed(tmp_path: Path) -> None:
    content = journal(tmp_path / "j").replace(b'"of": "fingerprint"', b'"of": "f"')
    (tmp_path / "j").write_bytes(content)
    assert Journal(tmp_path / "j", dict[str, Any], "f").records == []


def test_steps_of_other_inputs_in_the_midst_end_the_journal(tmp_path: Path) -> None:
    journal(tmp_path / "other")
    lines = (tmp_path / "other").read_bytes().splitlines(keepends=True)
    Journal(tmp_path / "j", dict[str, Any], "mine").append(STEPS[0])
    (tmp_path / "j").write_bytes((tmp_path / "j").read_bytes() + lines[1])
    assert Journal(tmp_path / "j", dict[str, Any], "mine").records == STEPS[:1]


def test_records_of_another_kind_are_not_read(tmp_path: Path) -> None:
    journal(tmp_path / "j", [{"positions": [[1.0]]}, {"positions": "here"}])
    assert whole_records(tmp_path / "j", Positions) == [{"positions": [[1.0]]}]


def test_whoever_watches_reads_the_steps_of_any_inputs(tmp_path: Path) -> None:
    content = journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(content[:-5])
    assert whole_records(tmp_path / "j", dict[str, Any]) == STEPS[:2]
    assert [path.name for path in tmp_path.iterdir()] == ["j"]


# ---- what is no file of ours --------------------------------------------------------------------


def test_a_link_in_place_of_the_journal_is_not_written_through(tmp_path: Path) -> None:
    journal(tmp_path / "elsewhere")
    content = (tmp_path / "elsewhere").read_bytes()
    (tmp_path / "j").symlink_to(tmp_path / "elsewhere")
    steps = steps_in(tmp_path / "j")
    assert steps.records == []
    steps.append(STEPS[0])
    assert (tmp_path / "elsewhere").read_bytes() == content
    assert steps_in(tmp_path / "j").records == STEPS[:1]


def test_a_link_that_appears_while_a_task_runs_is_not_written_through(tmp_path: Path) -> None:
    steps = steps_in(tmp_path / "j")
    (tmp_path / "j").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links") as error:
        steps.append(STEPS[0])
    assert error.value.filename == str(tmp_path / "j")
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_in_place_of_the_journal_is_set_aside_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "j")
    assert whole_records(tmp_path / "j", dict[str, Any]) == []
    journal(tmp_path / "j")
    assert steps_in(tmp_path / "j").records == STEPS


# ---- real kills ---------------------------------------------------------------------------------

REPAIR = """
import os, sys
from pathlib import Path
from workflows.tasks.journal import Journal
path, left = Path(sys.argv[1]), int(sys.argv[2])
def dying(name):
    real = getattr(Path, name)
    def do(*arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        return real(*arguments)
    setattr(Path, name, do)
for name in ("replace", "rename"):
    dying(name)
Journal(path, dict, "fingerprint")
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_while_repairing_loses_no_step(tmp_path: Path, renames: int) -> None:
    content = journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(content[:-1] + b"torn")
    command = [sys.executable, "-c", REPAIR, str(tmp_path / "j"), str(renames)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert steps_in(tmp_path / "j").records == STEPS[:2]


APPEND = """
import sys
from pathlib import Path
from workflows.tasks.journal import Journal
history = Journal(Path(sys.argv[1]), dict, "fingerprint")
while True:
    history.append({"step": len(history), "positions": [[0.1] * 3] * 200})
    print(len(history), flush=True)
"""


def test_a_killed_process_loses_no_step_that_it_reported(tmp_path: Path) -> None:
    chance = random.Random(5)
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", APPEND, str(tmp_path / "j")], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
            reported = int((first + process.stdout.read()).split()[-1])
        records = steps_in(tmp_path / "j").records
        assert [record["step"] for record in records] == list(range(len(records)))
        assert len(records) >= reported
    assert reported >= 4
