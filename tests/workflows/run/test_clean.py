"""Cleaning: what we wrote and can make again goes; results, and what others put there, stay."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import made_up
from tests.paths import TINY
from workflows.case.reading import read
from workflows.cli import main
from workflows.tasks.folder import Result, TaskFolder
from workflows.tasks.graph import Task, plan

TASKS = plan(read(TINY))
DEAD = "999999999"  # no process has this number


def finish(root: Path, task: Task, energy: float = 1.0) -> TaskFolder:
    """Make a task that needs no other done, with everything that it leaves behind."""
    folder = made_up.begin(task, root)
    for name in ("steps.jsonl", "gpaw-1.txt", "density.npy"):
        (folder / name).write_text(name)
    made_up.finish(task, root, {"relaxed.cif": "a structure"}, energy=energy)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a run with a finished task, Na-atom."""
    root = tmp_path / "run"
    (root / "logs").mkdir(parents=True)
    (root / "figures").mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    (root / "logs" / "Na-atom.txt").write_text("log")
    finish(root, TASKS["Na-atom"])
    return root


def contents(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def clean(root: Path, *options: str, code: int = 0) -> set[str]:
    """Clean and return what is gone."""
    before = contents(root)
    assert main(["clean", str(root), "--yes", *options]) == code
    return before - contents(root) - {".lock"}


LEAVINGS = {"logs/Na-atom.txt", "Na-atom/steps.jsonl", "Na-atom/gpaw-1.txt", "Na-atom/density.npy"}


def test_a_finished_task_keeps_its_result_and_what_that_names(root: Path) -> None:
    assert clean(root) == LEAVINGS
    assert contents(root) >= {"Na-atom/result.json", "Na-atom/relaxed.cif", "case.toml"}
    assert clean(root) == set()


def test_a_task_that_is_not_finished_keeps_everything(root: Path) -> None:
    (root / "Na-atom" / "result.json").unlink()
    assert clean(root) == set()


def test_a_file_of_the_users_survives_everything(root: Path) -> None:
    """Also where the task is computed afresh from other inputs, and all that is set aside goes."""
    notes = {"notes.txt", "steps.jsonl.bak", "gpaw-1.txt~", ".notes.txt.4711.tmp", "gpaw-a.txt"}
    for name in notes:
        (root / "Na-atom" / name).write_text("mine")
        (root / name).write_text("mine")
    (root / "thesis.before-1").write_text("mine")
    TaskFolder(root / "Na-atom", "atom").open_for(
        made_up.origin()
    )  # other inputs: contents are set aside
    clean(root, "--set-aside")
    found = [path for path in root.rglob("*") if path.is_file() and path.read_text() == "mine"]
    assert sorted(path.name for path in found) == sorted([*notes, *notes, "thesis.before-1"])
    assert not list(root.glob("Na-atom/.stale-*/result.json"))


@pytest.mark.parametrize(
    "name",
    ["case.toml.before-1", "Na-atom/result.json.damaged-1", "Na-atom/relaxed.cif.damaged-2",
     "Na-atom/.stale-1/result.json", "Na-atom/.stale-1/steps.jsonl"],
)  # fmt: skip
def test_what_is_set_aside_goes_only_when_asked_for_and_listed(
    root: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("a result of hours")
    clean(root)
    assert "contents set aside stay: 1 file, " in capsys.readouterr().out
    assert clean(root, "--set-aside") == {name}
    assert f"{name} (0 kB)\n" in capsys.readouterr().out
    assert not (root / "Na-atom" / ".stale-1").exists()


def test_what_a_record_names_is_ours_when_set_aside(root: Path) -> None:
    folder = TaskFolder(root / "Na-atom", "atom")
    (folder / "spectrum.dat").write_text("of a later version")
    result = folder.result()
    assert result is not None
    files = {**result.files, **folder.digests(["spectrum.dat"])}
    folder.finish(Result(result.fingerprint, result.values, files, 1.0, {}))
    folder.open_for(made_up.origin())
    assert "Na-atom/.stale-1/spectrum.dat" in clean(root, "--set-aside")


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        (f"figures/.fig5.{DEAD}.png", True),
        (f"figures/.fig5a.{DEAD}.svg", True),
        (f".results.json.{DEAD}.tmp", True),
        (f"Na-atom/.result.json.{DEAD}.tmp", True),
        ("figures/.fig5.{living}.png", False),  # being drawn
        ("figures/fig5.png", False),
        ("figures/.drawn", False),
        (f"Na-atom/.notes.txt.{DEAD}.tmp", False),
    ],
)
def test_what_a_killed_process_was_writing_goes(root: Path, name: str, goes: bool) -> None:
    name = name.format(living=os.getpid())
    (root / name).write_text("half")
    assert (name in clean(root)) == goes


@pytest.mark.parametrize("name", ["steps.jsonl", "gpaw-1.txt", "density.npy"])
def test_a_link_is_neither_followed_nor_deleted(root: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (root / "Na-atom" / name).unlink()
    (root / "Na-atom" / name).symlink_to(mine)
    assert clean(root) == LEAVINGS - {f"Na-atom/{name}"}
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("folder", ["Na-atom", "logs", "figures"])
def test_a_folder_that_is_a_link_is_refused(
    root: Path, tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / folder).rename(tmp_path / "elsewhere")
    (root / folder).symlink_to(tmp_path / "elsewhere")
    before = contents(tmp_path / "elsewhere")
    assert clean(root, code=2) == set()
    assert f"{root / folder}: found a link; allowed: " in capsys.readouterr().err
    assert contents(tmp_path / "elsewhere") == before


def test_a_dry_run_lists_and_sums_up_and_touches_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "Na-atom" / "density.npy").write_bytes(bytes(2_000_000))
    before = contents(root)
    assert main(["clean", str(root), "--dry-run"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "Na-atom/density.npy (2 MB)" in told
    assert told[-1] == "4 files, 2 MB"
    assert contents(root) == before


@pytest.mark.parametrize(("answer", "deleted"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_it_asks_at_a_terminal(root: Path, answer: str, deleted: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "workflows.cli", "clean", str(root)]
    asked = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True)
    os.write(ours, answer.encode())
    told, _ = asked.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "4 files, 0 kB" in told
    assert asked.returncode == (0 if deleted else 1)
    assert ("Na-atom/steps.jsonl" in contents(root)) != deleted


def test_without_a_terminal_it_wants_to_be_told(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert main(["clean", str(root)]) == 2
    assert "allowed: --yes, or --dry-run" in capsys.readouterr().err
    assert contents(root) >= LEAVINGS
