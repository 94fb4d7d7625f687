"""The benchmark's table and fit, and the baseline's structures."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from matplotlib.figure import Figure

from structures import sites
from tests.benchmarks import baseline
from tests.benchmarks.bench import Benchmark
from tests.benchmarks.scaling import draw_two_cores, figure, fit, names
from tests.benchmarks.scaling import table as scaling_table
from tests.benchmarks.table import Cost, Judged, System, tables
from workflows.case.reading import parse
from workflows.steps.initial import clean_slab
from workflows.tasks.graph import slab_task

FULL = Path(__file__).parent / "benchmarks" / "full.toml"
FMAX = 0.05

# ---- table --------------------------------------------------------------------------------------

CLEAN = System(
    "clean",
    baseline=Cost(100.0, 200.0, 10, 150),
    ours=Cost(50.0, 50.0, 5, 75),
    baseline_end=Judged(-10.0, 0.03),
    ours_end=Judged(-10.001, 0.04),
    floor=Cost(10.0, 10.0, 1, 25),
)
TOP = replace(CLEAN, name="top-V", ours_end=Judged(-9.980, 0.02))
CONTINUED = replace(TOP, onward=(Cost(6.0, 12.0, 1, 20), Judged(-10.0, 0.03)))


def line(text: str, name: str, number: int = 0) -> str:
    return [row for row in text.splitlines() if row.startswith(f"| {name} |")][number]


def test_table_has_costs_and_ratios() -> None:
    text = tables([CLEAN], FMAX, (60.0, 55.0))
    assert line(text, "clean") == (
        "| clean | 100 → 50 | 2.00 | 200 → 50 | 4.00 | 10 → 5 | 2.00 | 150 → 75 | 2.00 |"
    )
    assert line(text, "**in all**").startswith("| **in all** | 100 → 60 | 1.67 | 200 → 55 | 3.64 |")
    assert line(text, "clean", 1) == "| clean | -1.0 | 0.030 | 0.040 |  |"
    assert line(text, "clean", 2) == "| clean | 25 | 3.0 | 10 | 5.0 | 5 | 12 |"
    assert "do not count" not in text


def test_a_ratio_counts_only_with_small_forces() -> None:
    text = tables([replace(CLEAN, ours_end=Judged(-10.0, 0.051))], FMAX, (60.0, 55.0))
    assert line(text, "clean").count("| – |") == 4
    assert line(text, "**in all**").count("| – |") == 4
    assert "- clean: ours: largest force 0.051 eV/Å" in text


def test_what_brings_ours_within_fmax_counts_as_ours() -> None:
    more = Cost(6.0, 12.0, 1, 20)
    finished = replace(CLEAN, ours_more=more)
    text = tables([finished], FMAX, (60.0, 55.0))
    assert line(text, "clean").startswith("| clean | 100 → 56 | 1.79 | 200 → 62 |")
    assert line(text, "**in all**").startswith("| **in all** | 100 → 66 | 1.52 | 200 → 67 |")
    assert line(text, "clean", 1).endswith("| ours: 6 s more, to come within fmax |")
    theirs = tables([replace(CLEAN, baseline_more=more)], FMAX, (60.0, 55.0))
    assert line(theirs, "clean").startswith("| clean | 100 → 50 | 2.00 | 200 → 50 |")
    assert line(theirs, "clean", 1).endswith("| baseline: 6 s more, to come within fmax |")


def test_a_higher_end_must_be_continued() -> None:
    assert TOP.higher == "ours"
    text = tables([TOP], FMAX, None)
    assert line(text, "top-V").count("| – |") == 4
    assert "- top-V: ours is higher and has not been continued" in text


def test_what_continues_ours_counts_as_ours() -> None:
    text = tables([CONTINUED], FMAX, (60.0, 55.0))
    assert line(text, "top-V").startswith("| top-V | 100 → 56 | 1.79 | 200 → 62 |")
    assert line(text, "**in all**").startswith("| **in all** | 100 → 66 | 1.52 | 200 → 67 |")
    assert "ours, from the other's geometry: +0.0 meV from it after 1 steps, 6 s" in text


def test_what_continues_the_baseline_does_not_count() -> None:
    lower = replace(CONTINUED, ours_end=Judged(-10.02, 0.02))
    assert lower.higher == "baseline"
    assert line(tables([lower], FMAX, None), "top-V").startswith("| top-V | 100 → 50 | 2.00 |")


def test_the_higher_end_goes_on_from_where_the_lower_one_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = {
        "baseline-clean": {"energy": -10.0, "fmax": 0.06},
        "finished-baseline-clean": {
            "energy": -10.1, "fmax": 0.04, "wall": 6.0, "cpu": 6.0, "steps": 2, "scf_iterations": 9,
        },
        "ours-clean": {"energy": -10.0, "fmax": 0.04},
    }  # fmt: skip
    (tmp_path / "checks").mkdir()
    for name, found in checks.items():
        (tmp_path / "checks" / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    asked: dict[str, Any] = {}

    def note(_: Benchmark, what: str, record: Any, name: str) -> None:
        asked[name] = (what, record)

    monkeypatch.setattr(Benchmark, "_check", note)
    monkeypatch.setattr(Benchmark, "record", lambda *_: None)
    case = tomllib.loads(FULL.read_text(encoding="utf-8"))
    case["slab"]["sites"] = []
    Benchmark(FULL, case, tmp_path).judge()
    assert asked["finished-baseline-clean"] == ("onward", None)
    assert "finished-ours-clean" not in asked
    assert asked["onward-clean"] == ("onward", checks["finished-baseline-clean"])


@pytest.mark.parametrize("difference", [0.0, 0.0049, -0.0049])
def test_a_small_difference_is_left_alone(difference: float) -> None:
    assert replace(CLEAN, ours_end=Judged(-10.0 + difference, 0.0)).higher is None


def test_what_is_missing_is_said() -> None:
    text = tables([CLEAN, System("hollow", baseline=Cost(1.0, 1.0, 1, 1))], FMAX, None)
    assert "**in all** | 100" not in text
    assert "- hollow: forces of baseline have not been judged, ours is missing" in text


# ---- the baseline's structures ------------------------------------------------------------------


def distances(atoms: Atoms) -> np.ndarray:
    return np.sort(atoms.get_all_distances(mic=True).ravel())


@pytest.mark.parametrize("cell", ["1x1", "sqrt2", "2x2"])
def test_baseline_starts_from_our_structures(cell: str) -> None:
    text = FULL.read_text(encoding="utf-8").replace('"2x2"', f'"{cell}"')
    case, a = tomllib.loads(text), 4.12
    ours = clean_slab(slab_task(parse(text.encode(), "full.toml"), "host"), a)
    theirs = baseline.slab(case)
    assert np.allclose(distances(theirs), distances(ours))
    assert len(theirs.constraints[0].index) == len(ours.constraints[0].index)
    for site in case["slab"]["sites"]:
        both, adatom = baseline.add_adatom(theirs, "Na", site), sites.place_adatom(ours, "Na", site)
        assert np.allclose(distances(both), distances(adatom)), site
        assert both.positions[-1, 2] == pytest.approx(adatom.positions[-1, 2])


# ---- scaling ------------------------------------------------------------------------------------

POINTS = {
    f"{what}_1x1_{layers}_1x1": {
        "atoms": 2.0 * layers,
        "kpoints": 10.0,
        "scf_iterations": 20.0,
        "wall": float(layers**2),
        "cpu": float(layers**2),
        "memory": 1e6 * layers,
    }
    for what in ("scf", "relax")
    for layers in (2, 3, 4)
}


def test_fit_finds_a_power() -> None:
    assert fit([2.0, 4.0, 9.0], [3 * n**1.5 for n in (2.0, 4.0, 9.0)]) == pytest.approx((3, 1.5))


def test_scaling_is_drawn_with_its_exponents() -> None:
    axes = figure(POINTS).axes
    legends = [legend for ax in axes if (legend := ax.get_legend()) is not None]
    labels = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert labels == [
        "all cells: $N^{2.00}$", "SCF, 1x1: $N^{2.00}$", "relaxation: $N^{2.00}$",
        "all cells: $N^{1.00}$", "side by side, a core each", "in turn, on 2 MPI ranks",
    ]  # fmt: skip


def test_the_gain_of_two_cores_is_for_two_scfs() -> None:
    alone = POINTS["scf_1x1_2_1x1"]  # 4 s
    ways = {"scf_1x1_2_1x2": alone | {"wall": 5.0}, "scf_1x1_2_2x1": alone | {"wall": 2.5}}
    side_by_side, ranks, _ = draw_two_cores(Figure().subplots(), POINTS | ways).lines
    assert np.asarray(side_by_side.get_ydata()).tolist() == [8.0 / 5.0]
    assert np.asarray(ranks.get_ydata()).tolist() == [8.0 / 5.0]
    assert np.asarray(ranks.get_xdata()).tolist() == [4.0]


def test_every_point_has_a_line() -> None:
    assert set(POINTS) <= set(names())
    assert len(scaling_table(POINTS).splitlines()) == 2 + len(POINTS)
