"""What this machine has: cores, memory, versions; quick to import."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import resource
import sys
import time
from pathlib import Path


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def put_installed_first() -> None:
    """Search for modules in the current directory and in PYTHONPATH last, not first.

    What is found there only, such as the GPAW of an environment module, can still be imported.
    """
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if not sys.flags.safe_path and sys.path[0] in ("", str(Path.cwd())):  # python -m
        given.append(sys.path[0])
    last = list(dict.fromkeys(given))
    sys.path[:] = [*(path for path in sys.path if path not in last), *last]


def peak_memory() -> int:
    """Return the most memory that this process has had, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@functools.cache  # asked for every task of a campaign
def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on; part of every fingerprint."""
    return {name: release(name) for name in ("ase", "gpaw", "gpaw-data")}


def release(package: str) -> str:
    """Return the version of an installed package."""
    return importlib.metadata.version(package)


def age() -> float:
    """Return the time since this process was started, its imports included, seconds."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # not Linux: only what the processor did is known
        return time.process_time()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # since boot
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


# by which GPAW knows that an MPI launcher has started it, and refuses to work without MPI
LAUNCHER = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "I_MPI_MPIRUN")


def launched_ranks() -> int | None:
    """Return as how many MPI ranks this process was started, or None if not by an MPI launcher."""
    if os.environ.keys().isdisjoint(LAUNCHER):
        return None
    names = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
    sizes = [int(text) for name in names if (text := os.environ.get(name, "")).isdigit()]
    return max(sizes, default=1)


def forget_launcher() -> None:
    """Be a process that no MPI launcher has started."""
    for name in LAUNCHER:
        os.environ.pop(name, None)
