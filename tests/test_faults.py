"""A machine that fails: faults at any write of a task, full disks, damage, tasks without a number.

pytest tests/test_faults.py --faults 200     # 180 of them here: each kind at each write of a task
"""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import made_up_task
from tests.paths import ROOT, TESTS, TINY
from workflows.run import worker
from workflows.tasks.folder import TaskFolder
from workflows.tasks.records import EFFORT


def sodiophile(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflows.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


# ---- faults at the operations of one task -------------------------------------------------------
# Its calculation is made up (tests/faults/made_up_task.py), for only its files matter here; the
# process, the disk and the faults are real.

NEED_SPACE = {"create", "mkdir", "write"}
KINDS = {"kill": "kill at a write", "full": "full disk", "error": "I/O error"}


@pytest.fixture(scope="session")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the library that injects faults."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("injector") / "inject.so"
    source = TESTS / "faults" / "inject.c"
    flags = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", library, source, "-ldl"], check=True)
    return library


def inject(injector: Path, task: Path, kind: str, at: int) -> subprocess.CompletedProcess[str]:
    """Do a task with a fault at one of its operations, which are listed in operations.txt."""
    root = task.parent
    faults = {"ROOT": root, "KIND": kind, "AT": at, "LOG": root.parent / "operations.txt"}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.made_up_task", task],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={
            **os.environ, "LD_PRELOAD": str(injector),
            **{f"FAULT_{name}": str(value) for name, value in faults.items()},
        },
    )  # fmt: skip


def numbers(task: Path) -> dict[str, Any]:
    """Return what a finished task found; its files are those that it names."""
    result = TaskFolder(task, "held").result()
    assert result is not None
    return {name: value for name, value in result.values.items() if name not in EFFORT}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def undisturbed(
    injector: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], list[str]]:
    """Return the injector, what the task finds, and its operations."""
    task = made_up_task.prepare(tmp_path_factory.mktemp("undisturbed") / "run")
    done = inject(injector, task, "count", 0)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    operations = (task.parents[1] / "operations.txt").read_text().split()
    assert set(operations) == {"create", "fsync", "mkdir", "rename", "truncate", "unlink", "write"}
    return injector, numbers(task), operations


def test_a_fault_at_any_operation_of_a_task_loses_nothing(
    fault: int,
    undisturbed: tuple[Path, dict[str, Any], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    injector, expected, operations = undisturbed
    # each kind at each operation, in an order drawn by lot
    last = max(at for at, operation in enumerate(operations) if operation in NEED_SPACE)
    faults = [(kind, at) for kind in KINDS for at in range(len(operations))]
    faults = [(kind, at) for kind, at in faults if kind != "full" or at <= last]
    random.Random(request.config.getoption("--fault-seed")).shuffle(faults)
    kind, at = faults[fault % len(faults)]
    request.node.user_properties.append(("fault", KINDS[kind]))
    task = made_up_task.prepare(tmp_path / "run")
    others = contents(tmp_path)

    done = inject(injector, task, kind, at)

    if kind == "kill":
        assert done.returncode == -signal.SIGKILL
    else:
        assert done.returncode == 2, f"{kind} at {at}"
        assert done.stderr.count("\n") == 1, done.stderr
        assert os.strerror(errno.ENOSPC if kind == "full" else errno.EIO) in done.stderr
    steps = whole_lines(task / "steps.jsonl")
    finished = (task / "result.json").read_bytes() if (task / "result.json").exists() else None

    made_up_task.without_gpaw(monkeypatch)
    assert worker.run_task(task) == 0
    assert numbers(task) == expected
    assert whole_lines(task / "steps.jsonl")[: len(steps)] == steps
    assert finished in (None, (task / "result.json").read_bytes())
    now = contents(tmp_path)
    assert {path: now.get(path) for path in others} == others
    strangers = {p for p in now.keys() - others.keys() if task not in p.parents}
    assert strangers == {tmp_path / "operations.txt"}


def whole_lines(path: Path) -> list[bytes]:
    """Return the whole lines of a journal."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


# ---- real runs ----------------------------------------------------------------------------------


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 96 kB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small tmpfs is not allowed here (root is needed)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def prepare(root: Path) -> Path:
    """Make a run's directory in which nothing has been computed yet."""
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    return root


@pytest.mark.slow
def test_a_disk_too_small_for_the_run_is_refused_before_it_starts(small_disk: Path) -> None:
    refused = sodiophile("run", TINY, "--into", small_disk / "run")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "this run needs up to" in refused.stderr
    assert list(small_disk.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_costs_one_line_and_no_step(small_disk: Path) -> None:
    root = prepare(small_disk / "run")
    (small_disk / "ballast").write_bytes(b"x" * 60_000)
    full = sodiophile("task", root / "VN-lattice")
    assert full.returncode == 2
    assert "No space left on device" in full.stderr
    assert "Traceback (most recent call last)" not in full.stderr
    assert not (root / "VN-lattice" / "result.json").exists()
    (small_disk / "ballast").unlink()
    mount("-o", "remount,size=20m", str(small_disk))
    assert sodiophile("task", root / "VN-lattice").returncode == 0
    assert "1 of 12 tasks done" in sodiophile("status", root).stdout


@pytest.mark.slow
def test_a_read_only_directory_is_one_line(small_disk: Path) -> None:
    root = prepare(small_disk / "run")
    mount("-o", "remount,ro", str(small_disk))
    for arguments in (("task", root / "Na-atom"), ("run", TINY, "--into", small_disk / "other")):
        refused = sodiophile(*arguments)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1, refused.stderr
        assert "Read-only file system" in refused.stderr or "of disk are free" in refused.stderr


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the tiny case with one ionic step allowed, so that relaxations fail."""
    folder = tmp_path_factory.mktemp("stuck")
    case = folder / "case.toml"
    case.write_text(TINY.read_text().replace("max_steps = 40", "max_steps = 1"))
    assert sodiophile("run", case, "--into", folder / "run").returncode == 1
    return folder / "run"


@pytest.mark.slow
def test_a_failed_task_blocks_its_dependents_and_nothing_else(stuck: Path) -> None:
    status = sodiophile("status", stuck).stdout
    lines = {line.split()[0]: line for line in status.splitlines() if line.strip()}
    assert "failed" in lines["VN-slab"]
    assert "out-of-steps: fmax is" in lines["VN-slab"]
    assert "blocked" in lines["VN-top-V-held"]
    assert "done" in lines["Na-atom"]
    assert "done" in lines["VN-lattice"]


@pytest.mark.slow
def test_a_failed_task_is_never_a_number(stuck: Path) -> None:
    results = json.loads((stuck / "results.json").read_text())
    assert results["complete"] is False
    assert all(site["adsorption_energy"] is None for site in results["sites"])
    assert any("VN-slab: failed" in line for line in results["missing"])


@pytest.mark.slow
def test_with_more_steps_allowed_it_goes_on_from_those_taken(stuck: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(stuck, root)
    (root / "case.toml").write_bytes(TINY.read_bytes())
    first = (root / "VN-slab" / "steps.jsonl").read_bytes()
    assert sodiophile("task", root / "VN-slab").returncode == 0
    assert (root / "VN-slab" / "steps.jsonl").read_bytes().startswith(first)
    assert len(list((root / "VN-slab").glob("gpaw-*.txt"))) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "edited", "binary", "missing structure"])
@pytest.mark.slow
def test_damage_is_set_aside_and_computed_again(stuck: Path, tmp_path: Path, damage: str) -> None:
    root = tmp_path / "run"
    shutil.copytree(stuck, root)
    path = root / "Na-atom" / "result.json"
    original = path.read_bytes()
    path.write_bytes(
        {
            "cut": original[: len(original) // 2],
            "empty": b"",
            "edited": original.replace(b'"energy": -', b'"energy": -1', 1),
            "binary": os.urandom(500),
            "missing structure": b'{"schema": "sodiophile-task/1", "checksum": "0"}',
        }[damage]
    )
    assert "stale: Na-atom" in sodiophile("status", root).stdout
    done = sodiophile("task", root / "Na-atom")
    assert done.returncode == 0
    assert "set aside as result.json.damaged-1" in done.stderr
    before, after = json.loads(original)["values"], json.loads(path.read_bytes())["values"]
    assert after["energy"] == pytest.approx(before["energy"], abs=1e-3)


@pytest.mark.slow
def test_cleaning_keeps_every_result(stuck: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(stuck, root)
    kept = {p: p.read_bytes() for p in root.glob("*/result.json")}
    before = sodiophile("status", root).stdout
    cleaned = sodiophile("clean", root, "--yes")
    assert cleaned.returncode == 0
    assert "gpaw-1.txt" in cleaned.stdout
    assert {p: p.read_bytes() for p in root.glob("*/result.json")} == kept
    assert not list(root.glob("Na-atom/gpaw-*.txt"))
    # what has failed keeps its journal and logs: they say why
    assert (root / "VN-slab" / "steps.jsonl").exists()
    assert sodiophile("status", root).stdout == before
