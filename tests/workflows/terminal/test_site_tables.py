"""Tables of sites: every number whole on 80 columns, and the first ones on 40."""

import io
from dataclasses import replace

import pytest
from rich.console import Console, Group

from analysis.account import Account, Choice
from analysis.adsorption import Problem, Site, Table
from workflows.report.densities import Charge
from workflows.terminal.site_tables import (
    account_by_site,
    details_by_site,
    dispersion_by_site,
    energies_by_site,
)

TOP = Site(
    "VN(001)", "top-V", "held", energy=-101.0, adsorption_energy=-0.871, against_metal=0.199,
    height=2.64, nearest={"V": 2.83, "N": 3.23}, ended_at="top-V", site_offset=0.0,
    published=-1.830,
)  # fmt: skip
FREE = replace(
    TOP, relaxation="free", adsorption_energy=-1.095, ended_at="hollow", site_offset=0.33
)
BRIDGE = replace(
    TOP, surface="Na(110)", site="short-bridge", adsorption_energy=-0.884, published=-0.860,
    nearest={"Na": 3.48},
)  # fmt: skip
REST = replace(
    BRIDGE, relaxation="free", adsorption_energy=-0.883, ended_at="long-bridge", site_offset=0.05
)
TABLE = Table("VN", "Na", (TOP, FREE), (BRIDGE, REST), "laptop", physical=True)


def lines(table: Group, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, record=True)
    console.print(table)
    return console.export_text().splitlines()


def energies(width: int, table: Table = TABLE, caption: str = "") -> list[str]:
    return lines(energies_by_site(table, "Adsorption energy (eV)", caption, width), width)


def test_eighty_columns_hold_every_number_on_one_line() -> None:
    found = [" ".join(line.split()) for line in energies(80)]
    assert "top-V -0.871 -1.095 -1.830 +0.959 hollow (0.33 Å)" in found
    assert "short-bridge -0.884 -0.883 -0.860 -0.024 long-bridge (0.05 Å)" in found
    assert found.index("VN(001)") < found.index("Na(110)")
    assert not any("…" in line or "..." in line for line in found)


def test_eighty_columns_hold_rows_without_energy() -> None:
    missing = tuple(
        replace(site, adsorption_energy=None, problem=Problem("unfinished", "bare slab"))
        for site in TABLE.metal_sites
    )
    found = [" ".join(line.split()) for line in energies(80, replace(TABLE, metal_sites=missing))]
    assert "short-bridge missing missing -0.860 long-bridge (0.05 Å)" in found


def test_forty_columns_hold_the_energies() -> None:
    found = [" ".join(line.split()) for line in energies(40)]
    assert "top-V -0.871 -1.095" in found
    assert "short-bridge -0.884 -0.883" in found
    assert not any("…" in line for line in found)


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_geometry_and_charges_are_whole_or_left_out(width: int) -> None:
    charges = {("VN(001)", "top-V"): Charge(0.196, 0.541)}
    found = [
        " ".join(line.split()) for line in lines(details_by_site(TABLE, charges, width), width)
    ]
    more = " +0.199 +0.196 +0.541" if width > 60 else ""
    assert f"top-V 2.64 V 2.83, N 3.23{more}" in found
    assert not any("…" in line for line in found)


@pytest.mark.parametrize(
    ("width", "columns"), [(160, 8), (80, 8), (79, 8), (70, 4), (60, 4), (40, 4), (36, 3), (10, 1)]
)
def test_dispersion_is_whole_or_left_out(width: int, columns: int) -> None:
    models = {"none": -0.871, "d3bj": -1.176, "d3zero": -1.304, "d4": -1.100}
    against = {"none": 0.199, "d3bj": 0.048, "d3zero": -0.075, "d4": -0.015}
    site = replace(TOP, by_dispersion=models, against_metal_by_dispersion=against)
    table = replace(TABLE, sites=(site,), metal_sites=())
    group = dispersion_by_site(table, width)
    assert group is not None
    (row,) = [line.split() for line in lines(group, max(width, 20)) if "top-V" in line]
    every = [f"{energy:+.3f}" for energy in (*models.values(), *against.values())]
    assert row == ["top-V", *every[:columns]]


@pytest.mark.parametrize(("width", "sites"), [(160, 4), (80, 4), (60, 4), (40, 2)])
def test_choices_are_whole_for_the_sites_that_fit(width: int, sites: int) -> None:
    names = ["bridge", "hollow", "top-V", "top-N"]
    account = Account(
        dict(zip(names, (-1.028, -1.100, -0.871, -1.125), strict=True)),
        dict(zip(names, (-1.564, -1.457, -1.830, -1.358), strict=True)),
        (
            Choice("D3(BJ)", "dispersion", True, dict.fromkeys(names, -0.335)),
            Choice("k-points 6×6×1", "refinement", True, {"bridge": 0.1}),
            Choice("[b]odd[/b]", "alternative", False, {"hollow": 0.2}),
        ),
    )
    found = lines(account_by_site(account, width), width)
    rows = {line[:24].strip(): line[24:].split() for line in found}
    assert rows["ours without dispersion"] == ["-1.028", "-1.100", "-0.871", "-1.125"][:sites]
    assert rows["published less ours"] == ["-0.536", "-0.357", "-0.959", "-0.233"][:sites]
    assert rows["D3(BJ) *"] == ["-0.335"] * sites
    assert rows["k-points 6×6×1 *"] == ["+0.100"]
    assert rows["[b]odd[/b]"] == ["+0.200"][: sites - 1]
    # -0.536 + 0.335 - 0.100
    for end in ("lowest", "highest"):
        assert rows[f"left with all *, {end}"][0] == "-0.301"
    assert not any("…" in line for line in found)


def test_without_published_values_there_are_no_columns_for_them() -> None:
    ours = tuple(replace(site, published=None) for site in TABLE.sites)
    text = "\n".join(energies(80, replace(TABLE, sites=ours, metal_sites=())))
    assert "published" not in text
    assert "-0.871" in text


def test_a_site_without_energy_has_none_and_its_reason() -> None:
    lost = Site(
        "VN(001)", "top-V", "held", problem=Problem("failed", "desorbed: Na [left] far away")
    )
    rest = replace(
        lost, relaxation="free", problem=Problem("failed", "needs VN-top-V-held, which failed")
    )
    text = "\n".join(energies(120, replace(TABLE, sites=(lost, rest), metal_sites=())))
    assert text.count("failed") == 3  # held, free, and the reason
    assert "needs VN-top-V-held, which failed" in text


def test_only_held_sites_were_asked_for() -> None:
    (line,) = [x for x in energies(80, replace(TABLE, sites=(TOP,))) if "top-V" in x]
    assert line.split() == ["top-V", "-0.871", "-1.830", "+0.959"]


def test_a_saddle_is_named() -> None:
    saddle = replace(FREE, saddle=True)
    assert "hollow (0.33 Å, saddle)" in "\n".join(
        energies(100, replace(TABLE, sites=(TOP, saddle)))
    )


@pytest.mark.parametrize("odd", ["[/]", "[bold]x", "a [b] c"])
def test_odd_words_are_shown_as_they_are(odd: str) -> None:
    strange = replace(FREE, ended_at=None, adsorption_energy=None, problem=Problem("failed", odd))
    text = "\n".join(energies(100, replace(TABLE, sites=(TOP, strange)), caption=odd))
    assert text.count(odd) == 2
