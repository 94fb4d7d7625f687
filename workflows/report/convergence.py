"""One setting varied: the cases of the sweep, then table, plot and the setting to recommend."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table as RichTable

from analysis.convergence import Convergence
from workflows.campaign.campaign import Campaign
from workflows.campaign.convergence import AXES
from workflows.case.schema import Case
from workflows.report.images import save
from workflows.report.results import NOT_PHYSICAL, Report
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.status import State

SCHEMA = "sodiophile-convergence/1"


PLAIN = 300  # pixels per inch


def convergence(campaign: Campaign, states: Mapping[str, State]) -> Convergence:
    """Return the energies of a study, as far as they are there."""
    record = campaign.convergence or {}
    axis = AXES[record["over"]]
    reports = [
        Report(member.case, campaign.states_of(number, states))
        for number, member in enumerate(campaign.members)
    ]
    tables = [{s.site: s.adsorption_energy for s in report.table().sites} for report in reports]
    words = [member.settings[record["over"]] for member in campaign.members]
    return Convergence(
        over=axis.title,
        values=tuple(_shown(word) + axis.unit for word in words),
        sizes=tuple(float(axis.size(word)) for word in words),
        energies={site: tuple(table[site] for table in tables) for site in tables[0]},
        tolerance=float(record["tolerance"]),
    )


def _shown(word: str) -> str:
    return "√2×√2" if word == "sqrt2" else word.replace("x", "×")


def report_convergence(
    campaign: Campaign, states: Mapping[str, State], root: Path
) -> Iterator[str | RichTable]:
    """Write table and plot of a study; yield what there is to print."""
    from analysis.figures.convergence import compose

    found = convergence(campaign, states)
    case = campaign.members[0].case
    changes = AXES[(campaign.convergence or {})["over"]].changes
    write_text(root / "convergence.csv", _csv(found))
    data = {"schema": SCHEMA, "swept": changes, **_json(found, case)}
    write_text(root / "convergence.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    caption = f"Swept: {changes}. The first of these settings: {Report(case, {}).settings()}."
    (root / "figures").mkdir(exist_ok=True)
    figure = save(
        compose(found, caption=caption, physical=case.physical),
        root / "figures",
        "convergence",
        PLAIN,
    )[0]
    yield (
        f"Adsorption energy of {case.adatom} on {case.host.formula}(001), held (eV); "
        f"Δ: less that at {found.values[-1]}"
    )
    yield _table(found)
    if not case.physical:
        yield NOT_PHYSICAL
    yield f"swept: {changes}"
    yield found.sentence()
    yield f"table:  {shown(root / 'convergence.json')}, {shown(root / 'convergence.csv')}"
    yield f"figure: {shown(figure)}"


def _json(found: Convergence, case: Case) -> dict[str, Any]:
    best = found.recommended
    return {
        "over": found.over,
        "values": found.values,
        "units": {"adsorption_energy": "eV", "difference": "eV", "tolerance": "eV"},
        "tolerance": found.tolerance,
        "adsorption_energy": found.energies,
        "difference": {site: found.differences(site) for site in found.energies},
        "recommended": None if best is None else found.values[best],
        "sentence": found.sentence(),
        "quality": case.quality,
        "physical": case.physical,
        "case": case.model_dump(mode="json"),
    }


def _rows(found: Convergence) -> Iterator[tuple[str, list[tuple[float | None, float | None]]]]:
    for number, value in enumerate(found.values):
        yield (
            value,
            [(e[number], found.differences(site)[number]) for site, e in found.energies.items()],
        )


def _csv(found: Convergence) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [
        f"{site}_{what}_eV" for site in found.energies for what in ("adsorption", "difference")
    ]
    writer.writerow([found.over, *heads])
    for value, pairs in _rows(found):
        numbers = [number for pair in pairs for number in pair]
        writer.writerow([value, *("" if n is None else f"{n:.6f}" for n in numbers)])
    return out.getvalue()


def _table(found: Convergence) -> RichTable:
    rich = RichTable()
    rich.add_column(found.over, no_wrap=True)
    for site in found.energies:
        rich.add_column(site, justify="right")
        rich.add_column("Δ (meV)", justify="right")
    for number, (value, pairs) in enumerate(_rows(found)):
        cells = [
            cell
            for energy, difference in pairs
            for cell in (
                "[dim]missing[/]" if energy is None else f"{energy:.3f}",
                "" if difference is None else f"{1000 * difference:+.1f}",
            )
        ]
        rich.add_row(value, *cells, style="bold" if number == found.recommended else None)
    return rich
