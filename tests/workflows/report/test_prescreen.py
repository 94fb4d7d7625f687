"""The pre-screen in words, as a table and beside the DFT of the hosts that were computed."""

import csv
from pathlib import Path

import pytest

from tests.analysis.test_ranking import table
from tests.workflows.campaign.test_sweep import sweep
from tests.workflows.report.test_ranking import HOSTS, TABLES, printed
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import PRESCREEN
from workflows.prescreen.hosts import SCHEMA, PrescreenRecord, Screened, identity
from workflows.report.campaign import report_all
from workflows.report.options import Options
from workflows.report.prescreen import report_prescreen
from workflows.system.files import write_signed
from workflows.tasks.status import survey


def record(campaign: Campaign) -> PrescreenRecord:
    """Return a pre-screen of VN and TiC in which a site is missing."""
    energies: tuple[tuple[dict[str, float], dict[str, str]], ...] = (
        ({"hollow": -0.5}, {"top-V": "not relaxed within 300 steps"}), ({"hollow": -0.7}, {}),
    )  # fmt: skip
    cases: dict[str, Screened] = {
        member.case.name: {
            "identity": identity(member.case, "EMT"), "lattice_constant": 4.1,
            "against_metal": found, "missing": missing, "seconds": 1.0,
        }
        for member, (found, missing) in zip(campaign.members, energies, strict=True)
    }  # fmt: skip
    return {"schema": SCHEMA, "potential": "EMT", "cases": cases}


def test_files_and_words_without_dft(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS)
    text = printed(report_prescreen(campaign, record(campaign), (), tmp_path))
    assert "pre-screen by EMT, not DFT" in text
    assert text.index("TiC(001)") < text.index("VN(001)")
    assert "missing: VN(001), top-V: not relaxed within 300 steps" in text
    assert "less DFT" not in text
    with (tmp_path / "prescreen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["host"], row["site"]) for row in rows] == [
        ("TiC(001)", "hollow"), ("VN(001)", "hollow"), ("VN(001)", "top-V"),
    ]  # fmt: skip
    assert {row["DFT_against_metal_eV"] for row in rows} == {""}
    for suffix in ("png", "pdf", "svg"):
        assert (tmp_path / "figures" / f"prescreen.{suffix}").stat().st_size > 1000


def test_beside_dft_the_agreement_stands_in_words(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS)
    text = " ".join(printed(report_prescreen(campaign, record(campaign), TABLES, tmp_path)).split())
    # DFT: VN -0.8, TiC 0.2 eV; the potential: -0.5 and -0.7 eV
    assert "EMT less DFT, 2 sites: -0.30 eV on average, up to 0.60 eV from that" in text
    assert "0 of 1 pairs of hosts in the order of DFT" in text
    with (tmp_path / "prescreen.csv").open(newline="") as file:
        rows = {(row["host"], row["site"]): row for row in csv.DictReader(file)}
    assert float(rows["VN(001)", "hollow"]["DFT_against_metal_eV"]) == pytest.approx(-0.8)
    svg = (tmp_path / "figures" / "prescreen.svg").read_text(encoding="utf-8")
    assert "not physical" in svg  # the DFT has smoke settings


def test_other_settings_are_not_shown(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS)
    old = record(campaign)
    for found in old["cases"].values():
        found["identity"] = "0" * 64
    (line,) = report_prescreen(campaign, old, (), tmp_path)
    assert line == "prescreen: of other settings; `sodiophile prescreen` computes it again"


def test_the_report_of_a_campaign_has_it(tmp_path: Path) -> None:
    campaign, root = sweep(tmp_path, HOSTS), tmp_path / "run"
    root.mkdir()
    states = survey(campaign.tasks, root)
    without = printed(report_all(campaign, states, root, Options()))
    write_signed(root / PRESCREEN, record(campaign))
    text = printed(report_all(campaign, states, root, Options()))
    assert "pre-screen by EMT, not DFT" not in without
    assert "pre-screen by EMT, not DFT" in text
    assert (root / "figures" / "prescreen.png").is_file()


def test_a_host_without_any_energy_is_drawn(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, HOSTS)
    found = record(campaign)
    (first, *_) = found["cases"].values()
    first["against_metal"] = {}
    text = printed(report_prescreen(campaign, found, (table("VN", {}), TABLES[1]), tmp_path))
    assert "missing" in text
