"""No code of the user's is taken for ours, wherever a process is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import TINY
from tests.workflows.run.slurm.test_cluster import made
from workflows.run.local import Run
from workflows.run.program import program
from workflows.tasks.graph import plan
from workflows.tasks.status import State

HOSTILE = ("analysis", "structures", "workflows", "numpy", "ase", "random", "argparse", "gpaw")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return a folder of modules that leave a trace when they are imported, and fail."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in HOSTILE:
        text = f"from pathlib import Path\nPath({str(tmp_path)!r}, 'HIT').touch()\n1 / 0\n"
        (folder / f"{name}.py").write_text(text)
    return folder


def start(command: list[str], folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("path", ["", ":", "{}", ".:{}:"])
def test_a_process_of_ours_imports_nothing_from_the_current_directory_or_pythonpath(
    hostile: Path, path: str
) -> None:
    done = start([*program(), "info"], hostile, path.format(hostile))  # it imports GPAW
    assert (done.returncode, done.stderr) == (0, "")
    assert "PAW sets of V" in done.stdout
    assert not (hostile.parent / "HIT").exists()


def test_a_job_script_imports_nothing_from_there_either(hostile: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    text = made(tmp_path, 'time = "1:00:00"', root)["VN-slab"]
    done = start(["bash", "-c", text], hostile, str(hostile))
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, str(root / "VN-slab"))
    assert not (tmp_path / "HIT").exists()


def test_a_worker_of_a_run_is_started_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    from workflows.campaign.campaign import alone
    from workflows.case.reading import read

    campaign = alone(read(TINY))
    task = plan(read(TINY))["Na-atom"]
    run = Run(campaign, tmp_path, 1, view=None)  # type: ignore[arg-type]
    run._start(State(task, "ready"))
    assert commands[0][: len(program())] == program()


def test_started_as_a_module_it_searches_the_current_directory_last(hostile: Path) -> None:
    for name in ("workflows", "argparse", "random"):  # imported before anything of ours runs
        (hostile / f"{name}.py").unlink()
    done = start([sys.executable, "-m", "workflows.cli", "info"], hostile, "")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (hostile.parent / "HIT").exists()


def test_what_only_pythonpath_provides_is_found(tmp_path: Path) -> None:
    (tmp_path / "onlyhere.py").write_text("FOUND = 'yes'")
    code = (
        "from workflows.system.machine import put_installed_first as f; f()\n"
        "import onlyhere; print(onlyhere.FOUND)"
    )
    done = start([sys.executable, "-P", "-E", "-c", code], tmp_path, str(tmp_path))
    assert done.stdout == "yes\n"
