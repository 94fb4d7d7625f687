"""The benchmark: a careful hand-written script against us, on the same systems.

    python -m tests.benchmarks.bench [--full] [--serial] [--into DIR] [--table]

It can be stopped and started again at any time: what is there is not computed again. Our run is
done in the middle of the baseline's systems, so that a slow drift of the machine meets both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.table import System, cost, judged, tables
from workflows.dft.installation import libraries
from workflows.steps.optimize import Step
from workflows.system.files import write_text
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.folder import TaskFolder
from workflows.tasks.journal import whole_records
from workflows.tasks.records import Kind

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLEAN = "clean"
RANKS = 2  # of the baseline, and jobs of ours


@dataclass(frozen=True)
class Benchmark:
    """A case, its data, and the folder of everything."""

    case_file: Path
    case: dict[str, Any]
    into: Path

    @property
    def systems(self) -> list[str]:
        """Return the names of the systems."""
        return [CLEAN, *self.case["slab"]["sites"]]

    def task(self, system: str) -> TaskFolder:
        """Return the folder of our task for a system."""
        formula = self.case["host"]["cation"] + self.case["host"]["anion"]
        kind: Kind = "slab" if system == CLEAN else "held"
        stem = kind if system == CLEAN else f"{system}-{kind}"
        return TaskFolder(self.into / "ours" / f"{formula}-{stem}", kind)

    # ---- what runs ------------------------------------------------------------------------------

    def baseline(self, side: str, systems: Sequence[str]) -> None:
        """Run the baseline's systems that are not there; `side` is 'baseline' or 'serial'."""
        script = [str(HERE / "baseline.py"), str(self.case_file), str(self.into / side)]
        for system in systems:
            if _read(self.into / side / f"{system}.json") is None:
                print(f"{side}: {system}", flush=True)  # noqa: T201
                _run([*(parallel() if side == "baseline" else [sys.executable]), *script, system])

    def ours(self) -> None:
        """Run our side and note its time; a killed run goes on, its sessions are added."""
        if all(self.task(system).result() for system in self.systems):
            return
        print("ours", flush=True)  # noqa: T201
        sessions = _read(self.into / "sessions.json") or []
        session: dict[str, Any] = {"ended": False}
        write_text(self.into / "sessions.json", json.dumps([*sessions, session]))
        start = time.perf_counter()
        command = [sys.executable, str(HERE / "ours.py"), str(self.case_file)]
        process = subprocess.Popen([*command, str(self.into / "ours"), str(RANKS)], cwd=ROOT)
        try:
            _, _, used = os.wait4(process.pid, 0)
        except KeyboardInterrupt:  # the driver got it too, and ends its tasks
            _, _, used = os.wait4(process.pid, 0)
            raise
        finally:
            cpu = used.ru_utime + used.ru_stime  # of the driver and its tasks
            session |= {"ended": True, "wall": time.perf_counter() - start, "cpu": cpu}
            write_text(self.into / "sessions.json", json.dumps([*sessions, session]))

    def judge(self) -> None:
        """Judge both ends, continue what is above fmax or the higher one, measure the floor."""
        for system in self.systems:
            for side in ("baseline", "ours"):
                record, name = self.record(side, system), f"{side}-{system}"
                self._check("tight", record, name)
                end = judged(self._checked(name))
                if end is not None and end.fmax > self.case["relax"]["fmax"]:
                    self._check("onward", record, f"finished-{name}")
            self._floor(system)
            if (higher := self.system(system).higher) is not None:
                lower = "baseline" if higher == "ours" else "ours"
                finished = self._checked(f"finished-{lower}-{system}")
                self._check("onward", finished or self.record(lower, system), f"onward-{system}")

    def _check(self, what: str, record: Any, name: str) -> None:
        out = self.into / "checks" / f"{name}.json"
        if record is None or out.exists():
            return
        print(f"{what}: {name}", flush=True)  # noqa: T201
        out.parent.mkdir(exist_ok=True)
        start = out.with_name(f"{name}-start.json")
        write_text(start, json.dumps(record))
        runner = [sys.executable] if what == "floor" else parallel()
        module = ["-m", "tests.benchmarks.check", what]
        _run([*runner, *module, str(self.case_file), str(start), str(out)])

    def _checked(self, name: str) -> Any:
        return _read(self.into / "checks" / f"{name}.json")

    def _floor(self, system: str) -> None:
        result = self.task(system).result()
        if result is None:
            return
        values: Any = result.values
        atoms = from_json(values["structure"])
        atoms.set_positions(
            whole_records(self.task(system) / "steps.jsonl", Step)[0]["positions"],
            apply_constraint=False,
        )
        self._check("floor", {"structure": to_json(atoms)}, f"floor-{system}")

    # ---- what there is --------------------------------------------------------------------------

    def record(self, side: str, system: str) -> dict[str, Any] | None:
        """Return a finished relaxation of a side."""
        if side != "ours":
            found: dict[str, Any] | None = _read(self.into / side / f"{system}.json")
            return found
        result = self.task(system).result()
        if result is None:
            return None
        values: Any = result.values
        return {**values, "wall": values["process_seconds"], "cpu": values["cpu_seconds"]}

    def system(self, name: str) -> System:
        """Return what is known of a system."""
        onward = self._checked(f"onward-{name}")
        took, end = cost(onward), judged(onward)
        more = {side: self._checked(f"finished-{side}-{name}") for side in ("baseline", "ours")}
        ends = {side: judged(more[side] or self._checked(f"{side}-{name}")) for side in more}
        return System(
            name,
            baseline=cost(self.record("baseline", name)),
            ours=cost(self.record("ours", name)),
            serial=cost(self.record("serial", name)),
            baseline_end=ends["baseline"],
            ours_end=ends["ours"],
            baseline_more=cost(more["baseline"]),
            ours_more=cost(more["ours"]),
            onward=(took, end) if took and end else None,
            floor=cost(self._checked(f"floor-{name}")),
        )

    def table(self) -> str:
        """Return the tables of what there is."""
        sessions = _read(self.into / "sessions.json") or []
        driver = None
        if sessions and all(session["ended"] for session in sessions):
            driver = (sum(s["wall"] for s in sessions), sum(s["cpu"] for s in sessions))
        systems = [self.system(name) for name in self.systems]
        text = tables(systems, self.case["relax"]["fmax"], driver)
        if sessions and driver is None:
            text += "\nOur run was killed or still goes on: its whole time is not known.\n"
        return text


def parallel() -> list[str]:
    """Return how python is started on two ranks; on one where there is no MPI."""
    mpiexec = shutil.which("mpiexec") or shutil.which(
        "mpiexec", path=str(Path(sys.executable).parent)
    )
    if mpiexec is None or libraries()["MPI"] != "yes":
        return [sys.executable]
    return [mpiexec, "-n", str(RANKS), sys.executable, "-m", "gpaw", "python"]


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def main() -> None:
    """Do what is not done, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="2x2, 3 layers, 400 eV: hours")
    parser.add_argument("--serial", action="store_true", help="the baseline on one rank, too")
    parser.add_argument("--into", type=Path, help="default: runs/bench/small or full")
    parser.add_argument("--table", action="store_true", help="only tabulate what there is")
    chosen = parser.parse_args()
    size = "full" if chosen.full else "small"
    case_file = HERE / f"{size}.toml"
    into = (chosen.into or ROOT / "runs" / "bench" / size).absolute()
    into.mkdir(parents=True, exist_ok=True)
    benchmark = Benchmark(case_file, tomllib.loads(case_file.read_text(encoding="utf-8")), into)
    if not chosen.table:
        half = len(benchmark.systems) // 2
        benchmark.baseline("baseline", benchmark.systems[:half])
        benchmark.ours()
        benchmark.baseline("baseline", benchmark.systems[half:])
        if chosen.serial:
            benchmark.baseline("serial", benchmark.systems)
        benchmark.judge()
    text = benchmark.table()
    write_text(into / "table.md", text)
    print(text, end="")  # noqa: T201


if __name__ == "__main__":
    main()
