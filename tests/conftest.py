"""What all tests share."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import workflows  # noqa: F401  (first: it keeps numerical libraries to one thread)
from tests.paths import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", type=int, default=30, help="faults that are injected; one in ten kills a run"
    )
    parser.addoption("--fault-seed", type=int, default=1, help="seed of their moments")


def kills_of_runs(config: pytest.Config) -> int:
    """Return how many of the faults kill a whole run (test_kills.py); the others hit one task."""
    return max(1, int(config.getoption("--faults")) // 10)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        number = metafunc.config.getoption("--faults") - kills_of_runs(metafunc.config)
        metafunc.parametrize("fault", range(number))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many faults of each kind were injected, and how many of them did harm."""
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if report.when == "call":
                counts.update((kind, outcome) for name, kind in report.user_properties
                              if name == "fault")  # fmt: skip
    for kind in sorted({kind for kind, _ in counts}):
        harmless, harmful = counts[kind, "passed"], counts[kind, "failed"]
        terminalreporter.write_line(
            f"faults: {harmless + harmful} × {kind}: {harmless} without harm, {harmful} with"
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let several workers (`make test`) begin with the slow tests, and fill up with the others."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


# As in the Makefile: an MPI of the system goes before the one of the environment.
MPIEXEC = shutil.which("mpiexec", path=f"{os.environ['PATH']}:{Path(sys.executable).parent}") or ""


@pytest.fixture(scope="session")
def mpi() -> tuple[str, str]:
    """Return mpiexec, and why no task can be started on two ranks with it, or nothing."""
    from workflows.dft.installation import libraries

    if libraries()["MPI"] != "yes":
        return "", "GPAW was compiled without MPI (`make clean test` compiles it with one)"
    if not MPIEXEC:
        return "", "needs the mpiexec of the MPI that GPAW was compiled with"
    try:
        done = subprocess.run(
            [MPIEXEC, "-n", "2", sys.executable, "-m", "workflows.cli", "info"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return MPIEXEC, f"{MPIEXEC} does not start two processes"
    suits = "MPI ranks       2" in done.stdout
    return MPIEXEC, "" if suits else f"{MPIEXEC} is of another MPI than GPAW's: {done.stderr}"
