"""What this machine has."""

from __future__ import annotations

import os
import resource
import sys


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> int:
    """Return the most memory that this process has had, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


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
