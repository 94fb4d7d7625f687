"""One setting varied: the cases of the sweep, then table, plot and the setting to recommend."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from rich.table import Table as RichTable

from analysis.convergence import Convergence
from analysis.figures.convergence import compose
from analysis.figures.style import Caption
from workflows.campaign.campaign import Campaign, Study
from workflows.campaign.convergence import AXES
from workflows.campaign.directory import FIGURES
from workflows.case.schema import Case
from workflows.report.csv_text import csv_text
from workflows.report.energies import adsorption_table
from workflows.report.images import save
from workflows.report.results import results_of
from workflows.report.tables import json_text
from workflows.report.wording import NOT_PHYSICAL, cell_in_words, settings
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.graph import surface_label
from workflows.tasks.status import State

SCHEMA = "sodiophile-convergence/1"


STEM = "convergence"  # of the files


def convergence(campaign: Campaign, study: Study, states: Mapping[str, State]) -> Convergence:
    """Return the energies of a study (eV), as far as they are there.

    Parameters
    ----------
    campaign
        The cases, from the smallest value of the setting to the largest.
    study
        What is varied, and the tolerance (eV).
    states
        Of all tasks, by folder.
    """
    axis = AXES[study["over"]]
    numbers = range(len(campaign.members))
    tables = [adsorption_table(results_of(campaign, number, states)) for number in numbers]
    energies = [{site.site: site.adsorption_energy for site in table.sites} for table in tables]
    words = [member.settings[study["over"]] for member in campaign.members]
    return Convergence(
        over=axis.title,
        values=tuple(cell_in_words(word) + axis.unit for word in words),
        sizes=tuple(float(axis.size(word)) for word in words),
        energies={site: tuple(of_case[site] for of_case in energies) for site in energies[0]},
        tolerance=study["tolerance"],
    )


def report_convergence(
    campaign: Campaign, study: Study, states: Mapping[str, State], root: Path
) -> Iterator[str | RichTable]:
    """Write table and plot of a study; yield what there is to print.

    Parameters
    ----------
    campaign, study, states
        As in `convergence`.
    root
        Directory of the run.
    """
    found = convergence(campaign, study, states)
    case = campaign.members[0].case
    changes = AXES[study["over"]].changes
    table, data = root / f"{STEM}.csv", root / f"{STEM}.json"
    write_text(table, _csv(found))
    write_text(data, json_text(_json(found, case, changes)))
    text = f"Swept: {changes}. The first of these settings: {settings(case)}."
    drawn = compose(found, Caption(text, case.physical))
    figure = save(drawn, root / FIGURES, STEM)[0]
    yield (
        f"Adsorption energy of {case.adatom} on {surface_label(case, 'host')}, held (eV); "
        f"Δ: less that at {found.values[-1]}"
    )
    yield _table(found)
    if not case.physical:
        yield NOT_PHYSICAL
    yield f"swept: {changes}"
    yield found.sentence()
    yield f"table:  {shown(data)}, {shown(table)}"
    yield f"figure: {shown(figure)}"


class ConvergenceJSON(TypedDict):
    """Everything in convergence.json: energies and differences by site, one for each value, eV."""

    schema: str
    swept: str
    over: str
    values: Sequence[str]
    units: dict[str, str]
    tolerance: float
    adsorption_energy: Mapping[str, Sequence[float | None]]
    difference: Mapping[str, Sequence[float | None]]
    recommended: str | None
    sentence: str
    quality: str
    physical: bool
    case: dict[str, Any]


def _json(found: Convergence, case: Case, changes: str) -> ConvergenceJSON:
    best = found.recommended
    return {
        "schema": SCHEMA,
        "swept": changes,
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
    heads = [
        f"{site}_{what}_eV" for site in found.energies for what in ("adsorption", "difference")
    ]
    rows = ([value, *itertools.chain.from_iterable(pairs)] for value, pairs in _rows(found))
    return csv_text([found.over, *heads], rows)


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
