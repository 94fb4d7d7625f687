"""Commands on several MPI ranks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.paths import ROOT

PATIENCE = 240.0  # seconds


def start(mpiexec: str, number: int, *arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [mpiexec, "-n", str(number), sys.executable, *map(str, arguments)],
        cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def on_ranks(
    mpiexec: str, number: int, *arguments: str | Path
) -> "subprocess.CompletedProcess[str]":
    with start(mpiexec, number, *arguments) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def stopped_by_its_follower(
    mpiexec: str, task: Path, begun: str
) -> "subprocess.CompletedProcess[str]":
    """Start a task on two ranks, and stop the second one once a file in its folder is there."""
    with start(mpiexec, 2, "-m", "workflows.cli", "task", task) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not (task / begun).exists():
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
            leader = int((task / ".lock").read_text().split()[1])
            (follower,) = brothers(leader)
            os.kill(follower, signal.SIGUSR1)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def brothers(pid: int) -> list[int]:
    """Return the other processes that have the same parent."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()[1]
        except OSError:  # has ended meanwhile
            continue
    return [other for other, parent in parents.items() if parent == parents[pid] and other != pid]
