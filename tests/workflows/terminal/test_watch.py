"""Watching a run that somebody else computes."""

import io
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from tests.made_up import finish
from workflows.case.reading import find, read
from workflows.system.files import lock
from workflows.tasks.folder import ProgressWriter, TaskFolder
from workflows.tasks.graph import plan
from workflows.terminal.progress import Lines
from workflows.terminal.watch import watch

CASE = read(find("smoke"))
TASKS = {name: task for name, task in plan(CASE).items() if task.kind == "lattice"}


class Puppet(Lines):
    """A view that works on the run between two looks at it."""

    def __init__(self, root: Path) -> None:
        self.out, self.root, self.statuses = io.StringIO(), root, list[list[str]]()
        super().__init__(Console(file=self.out, width=80), "run")

    def show(self, states: object) -> None:
        assert isinstance(states, dict)
        super().show(states)
        self.statuses.append([state.status for state in states.values()])
        undone = [state for state in states.values() if state.status != "done"]
        if undone:
            finish(undone[0].task, self.root)


def test_what_others_finish_is_seen_until_all_is_done(tmp_path: Path) -> None:
    view = Puppet(tmp_path)
    states = watch(TASKS, tmp_path, view, pause=0.0)
    assert view.statuses == [["ready", "ready"], ["done", "ready"], ["done", "done"]]
    assert [state.status for state in states.values()] == ["done", "done"]


def test_the_progress_of_others_is_shown(tmp_path: Path) -> None:
    class Impatient(Puppet):
        def show(self, states: object) -> None:
            assert isinstance(states, dict)
            self.progress = states["VN-lattice"].progress
            signal.raise_signal(signal.SIGINT)

    folder = tmp_path / "VN-lattice"
    folder.mkdir()
    with lock(folder / ".lock", "task"):
        ProgressWriter(TaskFolder(folder, "lattice"))(step=2, steps=5)
        view = Impatient(tmp_path)
        states = watch(TASKS, tmp_path, view)
    assert view.progress["step"] == 2
    assert states["VN-lattice"].status == "running"


def read_until(words: bytes, terminal: int, limit: float = 60.0) -> bytes:
    """Return what a program writes into its terminal up to these words."""
    text, end = b"", time.monotonic() + limit
    while words not in text:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, text
        text += os.read(terminal, 65536)
    return text


def test_ctrl_c_in_a_terminal_ends_watching_with_a_summary(tmp_path: Path) -> None:
    shutil.copy(find("smoke"), tmp_path / "case.toml")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "workflows.cli", "status", "--watch", "."]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "60"}
    watching = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment
    )
    try:
        assert b"waiting" in read_until(b"VN-top-N-density", ours)
        watching.send_signal(signal.SIGINT)
        read_until(b" tasks done; ready: VN-probe", ours)
        assert watching.wait(timeout=20) == 0
    finally:
        watching.kill()
        os.close(theirs)
        os.close(ours)
    assert [path.name for path in tmp_path.rglob("*")] == ["case.toml"]  # nothing was written
