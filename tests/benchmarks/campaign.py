"""How long planning, dry-running and `status` take for campaigns of up to 20,000 tasks.

Run as `python -m tests.benchmarks.campaign`. Every command is a process of its own, as a person
would start it; its processor time is printed beside the wall-clock time. The tasks of the campaign
count as done: their folders hold results as a run leaves them, written by hand in seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.made_up import finish
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import write_campaign
from workflows.campaign.sweep import gather

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "workflows" / "profiles" / "plain.toml"
SIZES = (200, 2_000, 20_000)  # tasks
HOSTS = (("V", "N", 4.13), ("Ti", "N", 4.25), ("Zr", "N", 4.58), ("Nb", "N", 4.42),
         ("Ti", "C", 4.33), ("V", "C", 4.16))  # fmt: skip
ADATOMS = (("Na", "bcc", 4.2), ("Li", "bcc", 3.44), ("K", "bcc", 5.3))
CELLS = ("sqrt2", "2x2", "3x3")


def sweep_text(tasks: int) -> str:
    """Return a sweep file of about so many tasks: hosts x adatoms x cells x vacua."""
    own = 14 * len(ADATOMS) * len(CELLS)  # tasks of a host in one vacuum, about
    count = max(1, min(len(HOSTS), tasks // own))
    vacua = [round(6.0 + 0.1 * n, 1) for n in range(max(1, round(tasks / (own * count))))]
    hosts = [f'{{cation="{c}", anion="{a}", lattice_guess={g}}}' for c, a, g in HOSTS[:count]]
    metals = [
        f'{{adatom="{s}", metal={{structure="{k}", lattice_guess={g}}}}}' for s, k, g in ADATOMS
    ]
    return (
        f'base = "laptop"\n[axes]\nadatom = [{", ".join(metals)}]\nhost = [{", ".join(hosts)}]\n'
        f"slab.cell = {json.dumps(CELLS)}\nslab.vacuum = {vacua}\n"
    )


def finish_all(campaign: Campaign, root: Path) -> None:
    """Leave in every folder what a finished task leaves there."""
    write_campaign(campaign, root)
    for task in campaign.tasks.values():
        finish(task, root, {"relaxed.cif": "structure\n" * 500})


def timed(*arguments: str) -> tuple[float, float]:
    """Return wall-clock and processor seconds of a command of the program."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "workflows.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


def measure(size: int, folder: Path) -> Iterator[str]:
    """Yield a line of the table for each command."""
    sweep, root = folder / f"{size}.toml", folder / f"run-{size}"
    sweep.write_text(sweep_text(size))
    start, used = time.perf_counter(), time.process_time()
    campaign = gather([str(sweep)])
    count = len(campaign.tasks)
    plan_took = time.perf_counter() - start, time.process_time() - used
    submit = ("submit", str(sweep), "--into", str(root), "--profile", str(PROFILE), "--dry-run")
    took = {"plan": plan_took, "submit --dry-run": timed(*submit)}
    took["submit --dry-run --bundle 20"] = timed(*submit, "--bundle", "20")
    root.mkdir()
    finish_all(campaign, root)
    took["status"] = timed("status", str(root))
    first = next(reversed(campaign.tasks))
    took["task (done: the last)"] = timed("task", str(root / first))
    for what, (wall, processor) in took.items():
        per_task = 1000 * processor / count
        yield f"| {count} | {what} | {wall:.1f} | {processor:.1f} | {per_task:.2f} |"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="tasks, about")
    out = sys.stdout
    out.write("| tasks | command | wall (s) | processor (s) | processor per task (ms) |\n")
    out.write("| --- | --- | --- | --- | --- |\n")
    for size in arguments.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            for line in measure(size, Path(folder)):
                out.write(f"{line}\n")
                out.flush()


if __name__ == "__main__":
    main()
