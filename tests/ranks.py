"""Commands on several MPI ranks."""

import subprocess
import sys
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


def brothers(pid: int) -> list[int]:
    """Return the other processes that have the same parent."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()[1]
        except OSError:  # has ended meanwhile
            continue
    return [other for other, parent in parents.items() if parent == parents[pid] and other != pid]
