"""Scaling: what one SCF and one relaxation cost against cell and layers, ranks and tasks.

    python -m tests.benchmarks.scaling [--into DIR] [--only WORD ...] [--draw FILE.png]

The settings are those of full.toml, with k-points as dense in every cell. Every point is a process
of its own and leaves DIR/POINT.json; one that is there is skipped. `--draw` only fits and draws.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.bench import parallel
from workflows.campaign.campaign import alone
from workflows.campaign.directory import write_campaign
from workflows.case.reading import parse
from workflows.steps.initial import clean_slab
from workflows.system.files import write_text
from workflows.system.machine import peak_memory
from workflows.tasks.atoms_json import from_json
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import lattice_guess, slab_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KPOINTS = {"1x1": 6, "sqrt2": 4, "2x2": 3, "3x3": 2}  # along each side
LAYERS = (2, 3, 4, 5)


def names() -> Iterator[str]:
    """Yield the points, cheap ones first: WHAT_CELL_LAYERS_RANKSxTASKS."""
    for cell in KPOINTS:
        yield from (f"scf_{cell}_{layers}_1x1" for layers in LAYERS)
        yield from (f"scf_{cell}_{layers}_2x1" for layers in (2, 3))
        yield from (f"scf_{cell}_{layers}_1x2" for layers in (2, 3))
        if cell != "3x3":
            yield from (f"relax_{cell}_{layers}_1x1" for layers in (2, 3, 4))


def fit(size: Sequence[float], cost: Sequence[float]) -> tuple[float, float]:
    """Return (factor, exponent) of cost = factor size^exponent: least squares of logarithms."""
    exponent, logarithm = np.polyfit(np.log(size), np.log(cost), 1)
    return float(np.exp(logarithm)), float(exponent)


def draw(axes: Axes, series: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Axes:
    """Draw costs against numbers of atoms, with the fitted power of each series."""
    from matplotlib.ticker import LogLocator

    for label, (size, cost) in series.items():
        (line,) = axes.plot(size, cost, "o", label=label)
        if len(set(size)) > 2:
            factor, exponent = fit(size, cost)
            x = np.array([min(size), max(size)])
            axes.plot(x, factor * x**exponent, color=line.get_color(), linewidth=0.8)
            line.set_label(f"{label}: $N^{{{exponent:.2f}}}$")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_minor_formatter("")
    for axis in (axes.xaxis, axes.yaxis):  # 4, 8, 16: whole numbers read better than powers
        axis.set_major_formatter("{x:g}")
    axes.set_xlabel("atoms N")
    axes.legend()
    return axes


# ---- one point ----------------------------------------------------------------------------------


def case_text(cell: str, layers: int) -> str:
    """Return the full case with another cell and number of layers."""
    k = KPOINTS[cell]
    changes = {
        'cell = "2x2"': f'cell = "{cell}"',
        "layers = 3\n": f"layers = {layers}\n",
        "host_slab = [3, 3, 1]": f"host_slab = [{k}, {k}, 1]",
    }
    text = (HERE / "full.toml").read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def one_scf(name: str, out: Path) -> None:
    """Compute one cold SCF of the bulk-cut clean slab, on the ranks that there are."""
    from gpaw.mpi import world

    from tests.benchmarks import baseline
    from workflows.dft.calculation import Calculation
    from workflows.dft.interface import Periodic
    from workflows.dft.team import team

    _, cell, layers, _ = name.split("_")
    case = parse(case_text(cell, int(layers)).encode(), name)
    atoms = clean_slab(slab_task(case, "host"), lattice_guess(case, "host"))
    logs = out.with_suffix(".txt")
    record: dict[str, float] = {"atoms": len(atoms)}

    def work() -> int:
        slab = Periodic(case.dft.kpoints.host_slab, case.dft.dipole_correction)
        calculation = Calculation(case.dft, slab, lambda: logs)
        wall = time.perf_counter()
        system = calculation.converge(atoms)
        record["wall"] = time.perf_counter() - wall
        record["scf_iterations"] = calculation.scf_iterations
        record["kpoints"] = len(system.calc.get_ibz_k_points())
        return 0

    cpu = time.process_time()
    team().work(work)
    record["cpu"] = world.sum_scalar(time.process_time() - cpu)
    record["memory"] = float(world.sum_scalar(float(peak_memory())))
    baseline.write(out, record)


def one_relaxation(name: str, out: Path) -> None:
    """Relax the clean slab as `sodiophile run` does."""
    _, cell, layers, _ = name.split("_")
    root = out.with_suffix("")
    root.mkdir(exist_ok=True)
    content = case_text(cell, int(layers)).encode()
    write_campaign(alone(parse(content, name), content), root)
    folder = TaskFolder(root / "VN-slab", "slab")
    subprocess.run([sys.executable, "-m", "workflows.cli", "task", str(folder.path)], check=True)
    result = folder.result()
    assert result is not None
    values: Any = result.values
    record = {key: values[key] for key in ("scf_iterations", "steps")}
    record |= {"wall": values["process_seconds"], "cpu": values["cpu_seconds"]}
    record |= {"memory": values["peak_memory"]}
    record["atoms"] = len(from_json(values["structure"]))
    write_text(out, json.dumps(record))


def run_point(name: str, into: Path) -> None:
    """Measure a point in processes of its own; of tasks side by side the mean is kept."""
    ranks, tasks = map(int, name.rsplit("_", 1)[1].split("x"))
    if name.startswith("relax"):
        one_relaxation(name, into / f"{name}.json")
        return
    starter = parallel() if ranks > 1 else [sys.executable]
    outs = [into / f"{name}.part{task}.json" for task in range(tasks)]
    module = [*starter, "-m", "tests.benchmarks.scaling", "--point", name, "--into"]
    processes = [subprocess.Popen([*module, str(out)], cwd=ROOT) for out in outs]
    codes = [process.wait() for process in processes]
    if any(codes):
        raise SystemExit(f"{name}: exit codes {codes}")
    records = [json.loads(out.read_text(encoding="utf-8")) for out in outs]
    mean = {key: sum(record[key] for record in records) / tasks for key in records[0]}
    write_text(into / f"{name}.json", json.dumps(mean))
    for out in outs:
        out.unlink()


# ---- all points ---------------------------------------------------------------------------------


def found(into: Path) -> dict[str, dict[str, float]]:
    """Return the points that there are, by name."""
    paths = {name: into / f"{name}.json" for name in names()}
    return {n: json.loads(p.read_text(encoding="utf-8")) for n, p in paths.items() if p.exists()}


def table(points: Mapping[str, Mapping[str, float]]) -> str:
    """Return a line for each point, as Markdown."""
    lines = [
        "| | cell | layers | ranks × tasks | atoms | k-points | ionic steps | SCF iterations "
        "| wall / s | CPU / s | peak memory / MB |",
        "|" + " --- |" * 11,
    ]
    for name, point in points.items():
        what, cell, layers, way = name.split("_")
        lines.append(
            f"| {what} | {cell} | {layers} | {way.replace('x', ' × ')} | {point['atoms']:.0f} "
            f"| {point.get('kpoints', 0):.0f} | {point.get('steps', 0):.0f} "
            f"| {point['scf_iterations']:.0f} | {point['wall']:.1f} | {point['cpu']:.1f} "
            f"| {point['memory'] / 1e6:.0f} |"
        )
    return "\n".join(lines).replace("| 0 |", "| – |") + "\n"


def figure(points: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw SCF, relaxation and memory against size, and what two cores are best used for."""
    from matplotlib.figure import Figure

    scf = [(n.split("_")[1], p) for n, p in points.items() if n[:3] == "scf" and n[-3:] == "1x1"]
    relaxed = [point for name, point in points.items() if name.startswith("relax")]
    everything = [point for _, point in scf]
    picture = Figure(figsize=(7.1, 5.4), layout="constrained")
    (of_iteration, of_run), (of_memory, of_cores) = picture.subplots(2, 2)
    iteration = [p["cpu"] / p["scf_iterations"] / p["kpoints"] for p in everything]
    draw(of_iteration, {"all cells": (_all(everything, "atoms"), iteration)})
    of_iteration.set_ylabel("CPU seconds per iteration and k-point")
    one = {c: [p for cell, p in scf if cell == c] for c in KPOINTS if c in dict(scf)}
    runs = {f"SCF, {c}": (_all(ps, "atoms"), _all(ps, "cpu")) for c, ps in one.items()}
    draw(of_run, runs | {"relaxation": (_all(relaxed, "atoms"), _all(relaxed, "cpu"))})
    of_run.set_ylabel("CPU seconds")
    memory = [m / 1e6 for m in _all(everything, "memory")]
    draw(of_memory, {"all cells": (_all(everything, "atoms"), memory)})
    of_memory.set_ylabel("peak memory / MB")
    draw_two_cores(of_cores, points)
    return picture


def draw_two_cores(axes: Axes, points: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw how much sooner two SCFs are done on two cores than on one, for both ways."""
    for way, label, turns in (
        ("1x2", "side by side, a core each", 1),
        ("2x1", "in turn, on 2 MPI ranks", 2),
    ):
        pairs = [
            (points[name], point)
            for other, point in points.items()
            if other.endswith(way) and (name := other.removesuffix(way) + "1x1") in points
        ]
        gain = [2 * alone["wall"] / (turns * two["wall"]) for alone, two in pairs]
        axes.plot([alone["atoms"] for alone, _ in pairs], gain, "o", label=label)
    axes.axhline(2.0, color="0.6", linewidth=0.8)
    axes.set_ylim(0.0, 2.6)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("atoms N")
    axes.set_ylabel("two SCFs on two cores: gain")
    axes.legend(loc="lower left")
    return axes


def _all(points: Sequence[Mapping[str, float]], key: str) -> list[float]:
    return [point[key] for point in points]


def main() -> None:
    """Measure what is not there, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "runs" / "scaling")
    parser.add_argument("--only", nargs="*", help="only points with one of these in their names")
    parser.add_argument("--draw", type=Path, metavar="FILE.png", help="draw what there is")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    into = chosen.into.absolute()
    if chosen.point:
        one_scf(chosen.point, into)
        return
    into.mkdir(parents=True, exist_ok=True)
    for name in [] if chosen.draw else names():
        wanted = chosen.only is None or any(word in name for word in chosen.only)
        if wanted and not (into / f"{name}.json").exists():
            print(name, flush=True)  # noqa: T201
            run_point(name, into)
    points = found(into)
    print(table(points), end="")  # noqa: T201
    if chosen.draw:
        from analysis.figures import style

        with style.context():
            figure(points).savefig(chosen.draw, dpi=200)


if __name__ == "__main__":
    main()
