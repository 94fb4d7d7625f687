"""Coverage and hops with real GPAW through the real command, on the smallest metal there is."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.paths import TINY
from tests.ranks import on_ranks, stopped_by_its_follower
from tests.some_tasks import compute
from workflows.cli import main
from workflows.tasks.atoms_json import from_json

pytestmark = pytest.mark.slow

LIGHT = TINY.read_text().replace('{ V = "5" }', '{ V = "5", Na = "1" }')  # one valence electron
TABLES = """
[coverage]
metal = ["hollow"]
adatoms = 2

[hop]
metal = "hollow"
images = 2

[refine]
cutoff = 230.0
"""
BEFORE = ("Na-probe", "Na-slab", "Na-hollow-held", "Na-hollow-free")
WANTED = ("Na-coverage-1-a", "Na-coverage-2-a", "Na-hollow-hop")
REFINED = ("Na-slab", "Na-hollow-free", *WANTED)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beyond")
    single_points = tuple(f"{task}-refined" for task in REFINED)
    return compute(folder, LIGHT + TABLES, (*BEFORE, *WANTED, *single_points))


def values(root: Path, task: str) -> Any:
    return json.loads((root / task / "result.json").read_text())["values"]


def test_the_first_adatom_binds_as_the_free_one_and_the_second_lies_upon_it(root: Path) -> None:
    one, two = (values(root, f"Na-coverage-{n}-a") for n in (1, 2))
    assert (one["adatoms"], one["layers"]) == (1, 1)
    assert (two["adatoms"], two["layers"]) == (2, 2)
    # relaxed loosely, from the very site and from beside it
    assert one["energy"] == pytest.approx(values(root, "Na-hollow-free")["energy"], abs=0.01)
    assert two["energy"] < one["energy"] - 1.0  # the second adatom is bound, too


def test_a_hop_leads_over_a_barrier_to_a_minimum_of_the_same_energy(root: Path) -> None:
    hop = values(root, "Na-hollow-hop")
    first, *between, last = hop["energies"]
    saddle = max(between)
    assert first == last == values(root, "Na-hollow-free")["energy"]
    assert 0.05 < saddle - first < 1.0
    assert (hop["length"], hop["minima"]) == (pytest.approx(4.2), 4)
    assert hop["fmax"] <= 0.2


def test_a_hop_whose_result_was_lost_is_found_again_from_its_journal(root: Path) -> None:
    before = values(root, "Na-hollow-hop")
    (root / "Na-hollow-hop" / "result.json").unlink()
    assert main(["task", str(root / "Na-hollow-hop")]) == 0
    after = values(root, "Na-hollow-hop")
    assert after["energies"] == before["energies"]
    assert after["scf_iterations"] == 0 < before["scf_iterations"]


def test_a_hop_on_two_ranks_an_image_each_is_that_of_one_rank_even_if_stopped(
    root: Path, mpi: tuple[str, str], tmp_path: Path
) -> None:
    mpiexec, obstacle = mpi
    if obstacle:
        pytest.skip(obstacle)
    (tmp_path / "case.toml").write_bytes((root / "case.toml").read_bytes())
    for task in BEFORE:
        shutil.copytree(root / task, tmp_path / task)
    path = tmp_path / "Na-hollow-hop"
    # once an iteration of the band is done
    stopped = stopped_by_its_follower(mpiexec, path, "band.jsonl")
    assert stopped.returncode == 75, stopped.stderr
    begun = (path / "band.jsonl").read_text().count("\n")
    assert begun % 2 == 0  # both images or neither
    resumed = on_ranks(mpiexec, 2, "-m", "workflows.cli", "task", path)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    one, two = values(root, "Na-hollow-hop"), values(tmp_path, "Na-hollow-hop")
    assert two["energies"] == pytest.approx(one["energies"], abs=1e-4)
    assert two["steps"] == one["steps"] > begun // 2
    assert two["scf_iterations"] > 0


def test_coverage_and_saddle_are_refined_as_the_clean_slab_is(root: Path) -> None:
    for task in REFINED:
        single = values(root, f"{task}-refined")
        relaxed = values(root, task)
        energy = max(relaxed["energies"]) if "hop" in task else relaxed["energy"]
        assert 0.0 < energy - single["energy"] < 1.0  # more plane waves: a little lower


def test_a_pair_on_a_cell_with_room_stays_on_the_surface(tmp_path: Path) -> None:
    table = '\n[coverage]\nmetal = ["hollow"]\nadatoms = 1\nclusters = 2\n'
    slab = 'cell = "1x1"\nvacuum = 5.0\nheld_layers = 1\nsites = ["hollow"]'
    assert LIGHT.count(slab) == 1
    case = LIGHT.replace(slab, slab.replace("1x1", "2x2")) + table
    found = values(compute(tmp_path, case, ("Na-probe", "Na-slab", "Na-cluster-2")), "Na-cluster-2")
    assert (found["adatoms"], found["layers"]) == (2, 1)
    atoms = from_json(found["structure"])
    assert atoms.get_tags()[-2:].tolist() == [0, 0]
    assert 3.0 < atoms.get_distance(-2, -1, mic=True) < 4.5
    assert found["energy"] < values(tmp_path, "Na-slab")["energy"] - 1.0


def test_the_report_has_both(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", str(root)])
    printed = capsys.readouterr().out
    assert "Na(001): Na hops from hollow over 0." in printed
    (hop,) = json.loads((root / "results.json").read_text())["hops"]
    assert 1e-6 < abs(hop["barrier"] - hop["as_relaxed"]) < 0.02
    assert "Na(001): a second layer of Na starts with 2 adatoms in the cell" in printed
    assert (root / "coverage.csv").is_file()
    assert (root / "paths.csv").is_file()
    drawn = {path.name for path in (root / "figures").iterdir()}
    assert "hop.svg" in drawn
    assert "coverage.svg" not in drawn  # the energy of the isolated atom is not computed
