"""Real runs killed at random moments: the same command resumes, and the numbers are the same.

pytest tests/test_kills.py --faults 200      # 20 kills; test_faults.py has the other faults
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import kills_of_runs
from tests.paths import TINY

pytestmark = pytest.mark.slow

SAME = 1e-3  # eV
# No two runs relax alike: FFTW chooses its plans by timing them, and SCF begins anew after a kill.
# One may take an ionic step more: at the 0.2 eV/angstrom of the tiny case that moves an energy by
# 6 meV, at 0.05 by 2 meV (Na on Na is soft), at this fmax by 0.4 meV.
FMAX = 0.02  # eV/angstrom


def start(root: Path, case: Path = TINY) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "workflows.cli", "run", str(case), "--into", str(root)]
    output = (root.parent / f"{root.name}.txt").open("ab")
    with output:
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)


def workers(root: Path) -> list[int]:
    """Return the processes that work on a task of this run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"task" in words and any(w.startswith(os.fsencode(root) + b"/") for w in words):
                found.append(int(entry.name))
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until_gone(root: Path, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while workers(root):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def energies(root: Path) -> dict[str, float]:
    return {
        path.parent.name: json.loads(path.read_text())["values"]["energy"]
        for path in sorted(root.glob("*/result.json"))
        if "energy" in json.loads(path.read_text())["values"]
    }


def finish(root: Path) -> None:
    done = start(root, root.parent / "case.toml").wait(timeout=900)
    assert done == 0, (root.parent / f"{root.name}.txt").read_text()[-3000:]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kills") / "uninterrupted"
    root.mkdir()
    text = re.sub(
        r"\[metal_slab\].*?\n\n|metal_slab = [^\n]*\n", "", TINY.read_text(), flags=re.DOTALL
    )
    for before, after in (("fmax = 0.2\n", f"fmax = {FMAX}\n"), ('"top-V"', '"top-N"')):
        assert text.count(before) == 1
        text = text.replace(before, after)
    (root.parent / "case.toml").write_text(text)
    finish(root)
    return root


def test_killed_at_random_moments_it_ends_at_the_same_energies(
    uninterrupted: Path,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    root = uninterrupted.parent / "killed"
    root.mkdir()
    dice = random.Random(pytestconfig.getoption("--fault-seed"))
    finished: dict[Path, int] = {}
    logs: dict[Path, bytes] = {}
    for _ in range(kills_of_runs(pytestconfig)):
        driver = start(root, root.parent / "case.toml")
        time.sleep(dice.uniform(1.5, 14.0))
        whom = dice.choice(["driver", "worker", "all"])
        record_property("fault", f"kill of a run with GPAW ({whom})")
        victims = workers(root)
        if whom == "worker":
            kill(victims[:1])
            time.sleep(0.5)
        kill([driver.pid])
        if whom == "all":
            kill(victims)
        driver.wait(timeout=10)
        if dice.random() < 0.3:
            continue  # the next run comes at once, while the old workers are still ending
        assert wait_until_gone(root), f"a worker outlived its driver (killed: {whom})"
        for path, stamp in finished.items():
            assert path.stat().st_mtime_ns == stamp, f"{path} was computed again"
        for path, head in logs.items():
            assert path.read_bytes().startswith(head), f"{path} was erased"
        finished = {path: path.stat().st_mtime_ns for path in root.glob("*/result.json")}
        logs = {path: path.read_bytes()[:4000] for path in root.glob("*/gpaw-*.txt")}
    finish(root)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert energies(root) == pytest.approx(energies(uninterrupted), abs=SAME)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)]
)
def test_a_signal_stops_it_within_ten_seconds(tmp_path: Path, number: int, code: int) -> None:
    root = tmp_path / "run"
    root.mkdir()
    driver = start(root)
    deadline = time.monotonic() + 30.0
    while not list(root.glob("*/gpaw-1.txt")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    start_of_stop = time.monotonic()
    driver.send_signal(number)
    assert driver.wait(timeout=30) == code
    assert time.monotonic() - start_of_stop < 10.0
    assert workers(root) == []
    assert "the same command resumes" in (tmp_path / "run.txt").read_text()


def test_a_run_stops_by_itself_at_its_wall_clock_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workflows.cli", "run", str(TINY), "--into", "run"]
    done = subprocess.run(
        [*command, "--walltime", "0:00:06"], check=False, capture_output=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TINY.parents[1])}, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 75
    assert "out of wall-clock time; nothing is lost; the same command resumes" in done.stderr
    assert workers(tmp_path / "run") == []


def test_a_task_alone_stops_at_its_wall_clock_limit_and_goes_on(uninterrupted: Path) -> None:
    root = uninterrupted.parent / "alone"
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    do = [sys.executable, "-m", "workflows.cli", "task"]
    command = [*do, str(root / "VN-lattice")]
    both = [*do, str(root / "VN-slab"), str(root / "VN-lattice"), "--walltime", "4"]
    stopped = subprocess.run(both, check=False, capture_output=True, text=True)
    assert stopped.returncode == 75
    assert stopped.stderr.splitlines()[-1].startswith("VN-lattice: out of wall-clock time; ")
    assert not (root / "VN-lattice" / "result.json").exists()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert energies(root) == pytest.approx(
        {"VN-lattice": energies(uninterrupted)["VN-lattice"]}, abs=SAME
    )


def test_two_at_once_are_told_apart(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    first = start(root)
    try:
        deadline = time.monotonic() + 30.0
        while not (root / "case.toml").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        second = subprocess.run(
            [sys.executable, "-m", "workflows.cli", "run", str(TINY), "--into", str(root)],
            check=False,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1
        assert f"already being worked on by process {first.pid}" in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        first.wait(timeout=30)
