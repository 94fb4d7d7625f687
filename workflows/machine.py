"""What this machine has: cores, memory, versions; quick to import."""

from __future__ import annotations

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


def peak_memory() -> int:
    """Return the most memory that this process has had, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on; part of every fingerprint."""
    return {name: importlib.metadata.version(name) for name in ("ase", "gpaw", "gpaw-data")}


def age() -> float:
    """Return the time since this process was started, its imports included, seconds."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # not Linux: only what the processor did is known
        return time.process_time()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # since boot
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
