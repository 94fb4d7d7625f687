"""What is shipped: every result is believed, draws its figures again, and is what the docs say."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from workflows.campaign import read_campaign
from workflows.cli import main
from workflows.sweep import gather
from workflows.tasks import survey

ROOT = Path(__file__).parents[1]
LAPTOP = ROOT / "examples" / "laptop"
TEXT = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    lines = re.search(rf"^\| {heading} \|.*\n\|[- |]+\|\n((?:\|.*\n)+)", TEXT, re.M)
    assert lines, heading
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1].splitlines()]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.fixture(scope="module")
def results() -> Any:
    return json.loads((LAPTOP / "results.json").read_text(encoding="utf-8"))


# ---- the laptop case ----------------------------------------------------------------------------


def test_the_laptop_case_is_the_preset_and_whole() -> None:
    campaign = read_campaign(LAPTOP)
    (preset,) = gather(["laptop"]).members
    assert campaign.members[0].case == preset.case
    states = survey(campaign.tasks, LAPTOP)
    assert {state.status for state in states.values()} == {"done"}


def test_it_is_reported_again_as_it_is_shipped(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(LAPTOP, copy)
    for name in ("results.json", "energies.csv", "figures"):
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert main(["report", str(copy), "--html"]) == 0
    for name in ("results.json", "energies.csv"):
        assert (copy / name).read_text() == (LAPTOP / name).read_text()
    assert (copy / "figures" / "fig5.png").stat().st_size > 500_000  # with all four densities
    assert "<h3>VN-slab</h3>" in (copy / "report.html").read_text()  # its relaxation, step by step


def test_the_docs_have_the_energies_of_the_laptop_case(results: Any) -> None:
    table = rows("surface")
    sites = [*results["sites"], *results["metal_sites"]]
    assert len(table) == len(sites) / 2
    for surface, site, *energies, ended, published, difference, clean in table:
        held, free = (
            next(
                s
                for s in sites
                if (s["surface"], s["site"], s["relaxation"]) == (surface, site, relaxation)
            )
            for relaxation in ("held", "free")
        )
        said = [*energies, published, difference, clean]
        known = [
            held["adsorption_energy"],
            free["adsorption_energy"],
            held["published"],
            held["difference"],
            held["against_clean"],
        ]
        assert [number(text) for text in said] == pytest.approx(known, abs=0.0005)
        assert ended == free["ended_at"]


def test_nothing_shipped_names_a_place_on_a_machine() -> None:
    for path in (ROOT / "examples").rglob("*"):
        if path.suffix in (".json", ".csv", ".toml", ".md", ".extxyz", ".cif"):
            assert not re.search(r"/(home|root|tmp|work)/", path.read_text(encoding="utf-8")), path
