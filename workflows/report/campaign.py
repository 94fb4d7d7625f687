"""The results of several cases: each by itself, and all in one table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as RichTable

from analysis.adsorption import Site
from workflows.campaign.campaign import Campaign, Member
from workflows.report.figures import update_figures, write_figures
from workflows.report.results import Report, write_tables
from workflows.report.sensitivity import one_by_one, report_sensitivity
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.status import State

SCHEMA = "sodiophile-campaign/1"


MANY = 40  # cases that are printed, and lines about what is missing


Row = tuple[Member, Site]


def report_all(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    *,
    redraw: bool = False,
    isovalue: float | None = None,
) -> Iterator[str | RichTable]:
    """Write the tables and figures of all cases; yield what there is to print."""
    if campaign.convergence is not None:
        from workflows.report.convergence import report_convergence

        yield from report_convergence(campaign, states, root)
    else:
        yield from _report_cases(campaign, states, root, redraw=redraw, isovalue=isovalue)
        if one_by_one(campaign):
            yield from report_sensitivity(campaign, states, root)
    missing = [
        f"{name}: {state.status}" + (f" ({state.note})" if state.note else "")
        for name, state in states.items()
        if state.status != "done"
    ]
    yield from (f"missing: {line}" for line in missing[:MANY])
    if len(missing) > MANY:
        yield f"missing: {len(missing) - MANY} more"


def _report_cases(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    *,
    redraw: bool,
    isovalue: float | None,
) -> Iterator[str | RichTable]:
    rows: list[Row] = []
    for number, member in enumerate(campaign.members):
        report = Report(member.case, campaign.states_of(number, states))
        folder = root / member.case.name
        folder.mkdir(exist_ok=True)
        write_tables(report, folder)
        table = report.table()
        sites = (*table.sites, *table.metal_sites)
        rows += [(member, site) for site in sites]
        if campaign.goal == "everything" and any(site.energy is not None for site in sites):
            if redraw:
                write_figures(report, root, isovalue, into=folder)
            else:
                update_figures(report, root, into=folder)
    axes = list(dict.fromkeys(axis for m in campaign.members for axis in m.settings))
    write_text(root / "energies.csv", _csv(rows, axes))
    write_text(
        root / "results.json", json.dumps(_json(rows, axes), indent=1, ensure_ascii=False) + "\n"
    )
    yield _table(campaign, rows)
    yield f"table:  {shown(root / 'results.json')}, {shown(root / 'energies.csv')}"
    yield f"each case: {shown(root)}/CASE, such as {shown(root / campaign.members[0].case.name)}"


def _csv(rows: Sequence[Row], axes: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["case", *axes, "surface", "site", "relaxation", "adsorption_energy_eV",
         "against_metal_eV", "height_A", "ended_at", "quality", "problem"]
    )  # fmt: skip
    for member, s in rows:
        numbers = (s.adsorption_energy, s.against_metal, s.height)
        writer.writerow(
            [member.case.name, *(member.settings.get(axis, "") for axis in axes), s.surface,
             s.site, s.relaxation, *("" if n is None else f"{n:.6f}" for n in numbers),
             s.ended_at or "", member.case.quality, s.problem or ""]
        )  # fmt: skip
    return out.getvalue()


def _json(rows: Sequence[Row], axes: Sequence[str]) -> dict[str, Any]:
    cases: dict[str, Any] = {}
    for member, site in rows:
        case = cases.setdefault(
            member.case.name,
            {"settings": dict(member.settings), "quality": member.case.quality,
             "physical": member.case.physical, "sites": []},
        )  # fmt: skip
        keys = ("surface", "site", "relaxation", "adsorption_energy", "against_metal", "height",
                "ended_at", "problem")  # fmt: skip
        case["sites"].append({key: getattr(site, key) for key in keys})
    units = {"adsorption_energy": "eV", "against_metal": "eV", "height": "angstrom"}
    return {"schema": SCHEMA, "axes": list(axes), "units": units, "cases": cases}


def _table(campaign: Campaign, rows: Sequence[Row]) -> RichTable:
    """Return the adsorption energies (eV) of the held sites, a line per case and surface."""
    held: dict[tuple[str, str], list[str]] = {}
    for member, site in rows:
        if site.relaxation == "held":
            energy = site.adsorption_energy
            word = "[dim]missing[/]" if energy is None else f"{energy:.3f}"
            held.setdefault((member.case.name, site.surface), []).append(f"{site.site} {word}")
    physical = all(member.case.physical for member in campaign.members)
    table = RichTable(
        title="Adsorption energies, held (eV; negative binds)",
        title_justify="left",
        caption=None if physical else "[bold red]NOT PHYSICAL where a case has smoke settings[/]",
        caption_justify="left",
    )
    for heading in ("case", "surface", "sites"):
        table.add_column(heading, no_wrap=heading != "sites")
    for (name, surface), words in list(held.items())[:MANY]:
        table.add_row(escape(name), surface, ", ".join(words))
    if len(held) > MANY:
        table.add_row(f"... {len(held) - MANY} more", "", "")
    return table
