"""A campaign over hosts ends with a ranking: when it does, its files, its words."""

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from tests.analysis.test_ranking import table
from tests.workflows.campaign.test_campaign import QUICK
from tests.workflows.campaign.test_sweep import sweep
from workflows.cli import main
from workflows.report.campaign import report_all
from workflows.report.options import Options
from workflows.report.ranking import over_hosts, report_ranking
from workflows.tasks.status import survey

HOSTS = """[axes]
host = [{ cation = "V", anion = "N", lattice_guess = 4.1 },
        { cation = "Ti", anion = "C", lattice_guess = 4.3 }]
"""
TABLES = (
    table("VN", {"hollow": -1.9, "top-V": -1.1}), table("TiC", {"hollow": -0.9, "top-Ti": -0.4}),
)  # fmt: skip


def printed(lines: Iterable[object]) -> str:
    text = io.StringIO()
    console = Console(width=120, file=text)
    for line in lines:
        console.print(line)
    return text.getvalue()


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (HOSTS, True),
        ('[axes]\n"slab.cell" = ["1x1", "sqrt2"]\n', False),
        (HOSTS + 'adatom = ["Na", { adatom = "Li", metal = { lattice_guess = 3.4 } }]\n', False),
    ],
)
def test_a_ranking_is_of_several_hosts_and_one_adatom(
    tmp_path: Path, axes: str, expected: bool
) -> None:
    assert over_hosts(sweep(tmp_path, axes)) is expected


def test_files_and_words(tmp_path: Path) -> None:
    weaker_first = """[axes]
host = [{ cation = "Ti", anion = "C", lattice_guess = 4.3 },
        { cation = "V", anion = "N", lattice_guess = 4.1 }]
"""
    text = printed(report_ranking(sweep(tmp_path, weaker_first), TABLES[::-1], tmp_path))
    with (tmp_path / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["host"] for row in rows] == ["VN(001)", "TiC(001)"]
    assert [row["verdict"] for row in rows] == ["wets", "only binds"]
    assert float(rows[0]["against_metal_eV"]) == pytest.approx(-0.8)
    assert float(rows[1]["highest_with_dispersion_eV"]) == pytest.approx(0.2)
    for suffix in ("png", "pdf", "svg"):
        assert (tmp_path / "figures" / f"ranking.{suffix}").stat().st_size > 1000
    assert text.index("VN(001)") < text.index("TiC(001)")
    assert "NOT PHYSICAL" in text  # tiny.toml has smoke settings
    svg = (tmp_path / "figures" / "ranking.svg").read_text(encoding="utf-8")
    assert "not physical" in svg


def test_a_host_in_two_cases_has_the_names_of_the_cases(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS + '"slab.cell" = ["1x1", "sqrt2"]\n')
    names = [member.case.name for member in campaign.members]
    by_formula = {"VN": TABLES[0], "TiC": TABLES[1]}
    tables = [by_formula[member.case.host.formula] for member in campaign.members]
    list(report_ranking(campaign, tables, tmp_path))
    with (tmp_path / "ranking.csv").open(newline="") as file:
        assert {row["host"] for row in csv.DictReader(file)} == set(names)


def test_the_report_of_a_campaign_ranks_hosts_before_anything_is_computed(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS)
    root = tmp_path / "run"
    root.mkdir()
    text = printed(report_all(campaign, survey(campaign.tasks, root), root, Options()))
    assert "Hosts by the energy of their best site" in text
    with (root / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["host"] for row in rows} == {"VN(001)", "TiC(001)"}
    assert {row["verdict"] for row in rows} == {"not known"}


def test_sites_all_are_those_of_each_host(tmp_path: Path) -> None:
    base = (Path("tests") / "tiny.toml").read_text(encoding="utf-8")
    path = tmp_path / "all.toml"
    path.write_text(base.replace('sites = ["top-V"]', 'sites = "all"'), encoding="utf-8")
    sweep_path = tmp_path / "sweep.toml"
    sweep_path.write_text('base = "all.toml"\n' + HOSTS, encoding="utf-8")
    from workflows.campaign.sweep import gather

    sites = [member.case.slab.sites for member in gather([str(sweep_path)]).members]
    assert sites == [
        ("bridge", "hollow", "top-V", "top-N"), ("bridge", "hollow", "top-Ti", "top-C"),
    ]  # fmt: skip


@pytest.mark.slow
def test_two_computed_hosts_are_ranked_by_their_own_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.sub(r"\[metal_slab\].*?\n\n", "", QUICK, flags=re.DOTALL)
    for line in ("lattice_constant = 4.2\n", "metal_slab = [1, 1, 1]\n"):
        assert line in text
        text = text.replace(line, "")
    (tmp_path / "tiny.toml").write_text(text)
    (tmp_path / "sweep.toml").write_text(
        'base = "tiny.toml"\ngoal = "ranking"\n[axes]\nhost = [\n'
        '  { cation = "V", anion = "N", lattice_guess = 4.07, lattice_constant = 4.07 },\n'
        '  { cation = "V", anion = "C", lattice_guess = 4.1, lattice_constant = 4.1 },\n]\n'
    )
    root = tmp_path / "run"
    assert main(["run", str(tmp_path / "sweep.toml"), "--into", str(root), "--jobs", "2"]) == 0
    assert "Hosts by the energy of their best site" in capsys.readouterr().out
    with (root / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["host"] for row in rows} == {"VN(001)", "VC(001)"}
    energies = [float(row["adsorption_energy_eV"]) for row in rows]
    assert energies == sorted(energies)
    assert energies[0] < energies[1] - 1e-3
    for row in rows:
        (case,) = (
            path
            for path in root.glob("tiny-*")
            if path.name.endswith(row["host"].removesuffix("(001)"))
        )
        results = json.loads((case / "results.json").read_text())
        (held,) = (site for site in results["sites"] if site["relaxation"] == "held")
        assert float(row["adsorption_energy_eV"]) == pytest.approx(
            held["adsorption_energy"], abs=1e-6
        )
        assert float(row["against_metal_eV"]) == pytest.approx(held["against_metal"], abs=1e-6)
        expected = "wets" if held["against_metal"] < 0 else "only binds"
        assert row["verdict"] == (expected if held["adsorption_energy"] < 0 else "does not bind")
