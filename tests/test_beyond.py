"""Coverage and hops with real GPAW through the real command, on the smallest metal there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.paths import TINY
from workflows.cli import main

pytestmark = pytest.mark.slow

TABLES = """
[coverage]
metal = ["hollow"]
adatoms = 2

[hop]
metal = "hollow"
images = 1
"""
BEFORE = ("Na-probe", "Na-slab", "Na-hollow-held", "Na-hollow-free")
WANTED = ("Na-coverage-1-a", "Na-coverage-2-a", "Na-hollow-hop")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compute the metal's tasks one by one; return the directory."""
    root = tmp_path_factory.mktemp("beyond")
    (root / "case.toml").write_text(TINY.read_text() + TABLES)
    for task in (*BEFORE, *WANTED):
        assert main(["task", str(root / task)]) == 0, task
    return root


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
    first, saddle, last = hop["energies"]
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


def test_the_report_has_both(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", str(root)])
    printed = capsys.readouterr().out
    assert "Na(001): Na hops from hollow over 0." in printed
    assert "Na(001): a second layer of Na starts with 2 adatoms in the cell" in printed
    assert (root / "coverage.csv").is_file()
    assert (root / "paths.csv").is_file()
    assert {"coverage.svg", "hop.svg"} <= {path.name for path in (root / "figures").iterdir()}
