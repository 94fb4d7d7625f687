"""What must be quick: start-up, `status`, and the figures of a finished run.

    python -m tests.benchmarks.quick DIR [REPEATS]

DIR is the directory of a run; its figures are drawn again. Wall and processor seconds, the median.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

LIMITS = {"--help": 0.5, "status": 0.5, "report": 20.0}  # seconds


def once(arguments: list[str]) -> tuple[float, float]:
    """Return wall and processor seconds of a command."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "workflows.cli", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def main() -> None:
    """Print a line for each command."""
    directory = sys.argv[1]
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for verb, limit in LIMITS.items():
        arguments = [verb] if verb == "--help" else [verb, directory]
        walls, cpus = zip(*(once(arguments) for _ in range(repeats)), strict=True)
        wall, cpu = statistics.median(walls), statistics.median(cpus)
        print(f"{verb:8} wall {wall:5.2f} s, CPU {cpu:5.2f} s; limit {limit} s")  # noqa: T201


if __name__ == "__main__":
    main()
