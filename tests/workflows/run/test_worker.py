"""One task from the command line: others' files in its folder are not used or overwritten."""

import os
from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a run in which nothing has been computed."""
    root = tmp_path / "run"
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    return root


def refused(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line with which a task is refused."""
    assert main(["task", str(root / "Na-atom")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_a_folder_that_is_a_link_is_refused_and_left_as_it_is(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("precious")
    (root / "Na-atom").symlink_to(tmp_path / "theirs")
    assert main(["status", str(root)]) in (0, 1)
    assert "stale: Na-atom" in capsys.readouterr().out
    assert "found a link; allowed: a folder" in refused(root, capsys)
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("what", ["pipe", "link", "folder"])
def test_a_lock_that_is_none_is_refused_at_once(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    (root / "Na-atom").mkdir()
    (tmp_path / "theirs").write_text("precious")
    if what == "pipe":
        os.mkfifo(root / "Na-atom" / ".lock")
    elif what == "link":
        (root / "Na-atom" / ".lock").symlink_to(tmp_path / "theirs")
    else:
        (root / "Na-atom" / ".lock").mkdir()
    line = refused(root, capsys)
    assert line.startswith(f"{root}/Na-atom/.lock: found a link, folder or pipe; allowed")
    assert (tmp_path / "theirs").read_text() == "precious"
