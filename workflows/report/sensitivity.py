"""A one-by-one sweep: by how much each choice moves each adsorption energy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.table import Table as RichTable

from analysis.figures.sensitivity import compose
from analysis.figures.style import Caption
from analysis.sensitivity import Sensitivity
from workflows.campaign.campaign import Campaign, Member
from workflows.campaign.directory import FIGURES
from workflows.report.csv_text import Cell, csv_text
from workflows.report.energies import adsorption_table
from workflows.report.images import save
from workflows.report.results import results_of
from workflows.report.wording import NOT_PHYSICAL, settings
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.graph import surface_label
from workflows.tasks.status import State

STEM = "sensitivity"  # of the files


def one_by_one(campaign: Campaign) -> bool:
    """Tell whether the first case is the base, and all others differ from it in one choice."""
    first, *others = campaign.members
    return bool(others) and not first.settings and all(len(m.settings) == 1 for m in others)


def sensitivity(campaign: Campaign, states: Mapping[str, State]) -> Sensitivity:
    """Return the energies (eV) of the held sites on the host, as far as they are there.

    Parameters
    ----------
    campaign
        The base, then cases that differ from it in one choice each.
    states
        Of all tasks, by folder.
    """
    numbers = range(len(campaign.members))
    tables = (adsorption_table(results_of(campaign, number, states)) for number in numbers)
    base, *others = (
        {site.site: site.adsorption_energy for site in table.sites if site.relaxation == "held"}
        for table in tables
    )
    return Sensitivity(
        choices=tuple(map(_choice, campaign.members[1:])),
        base=base,
        energies={site: tuple(table.get(site) for table in others) for site in base},
    )


def _choice(member: Member) -> str:
    """Return the one setting of a case in words, such as 'slab.layers 5' or 'dft.xc RPBE'."""
    ((axis, label),) = member.settings.items()
    value = label.removeprefix(axis.rpartition(".")[2]).lstrip("-")
    return f"{axis} {value or label}"


def report_sensitivity(
    campaign: Campaign, states: Mapping[str, State], root: Path
) -> Iterator[str | RichTable]:
    """Write table and figure of a one-by-one sweep; yield what there is to print.

    Parameters
    ----------
    campaign, states
        As in `sensitivity`.
    root
        Directory of the run.
    """
    found, case = sensitivity(campaign, states), campaign.members[0].case
    write_text(root / f"{STEM}.csv", _csv(found))
    base = ", ".join(
        f"{site} {'missing' if energy is None else f'{energy:.3f}'.replace('-', '−')}"
        for site, energy in found.base.items()
    )
    where = f"{case.adatom} on {surface_label(case, 'host')}, held"
    text = (
        f"Each line: one choice changed, all else as in the base. Base: {base} eV ({where}). "
        f"{settings(case)}."
    )
    figure = save(compose(found, Caption(text, case.physical)), root / FIGURES, STEM)[0]
    yield f"By how much one choice moves the adsorption energy (eV) of {where}"
    yield _table(found)
    if not case.physical:
        yield NOT_PHYSICAL
    yield f"figure: {shown(figure)}"


def _csv(found: Sensitivity) -> str:
    heads = [f"{site}_{what}_eV" for site in found.base for what in ("adsorption", "change")]
    rows: list[list[Cell]] = [["base", *(n for e in found.base.values() for n in (e, None))]]
    for number, choice in enumerate(found.choices):
        pairs = ((found.energies[s][number], found.changes(s)[number]) for s in found.base)
        rows.append([choice, *(value for pair in pairs for value in pair)])
    return csv_text(["choice", *heads], rows)


def _table(found: Sensitivity) -> RichTable:
    rich = RichTable()
    rich.add_column("choice", no_wrap=True)
    for site in found.base:
        rich.add_column(site, justify="right")
    rich.add_row("base", *map(_cell, found.base.values()), style="bold")
    for number, choice in enumerate(found.choices):
        rich.add_row(choice, *(_cell(found.changes(s)[number], "+") for s in found.base))
    return rich


def _cell(energy: float | None, sign: str = "") -> str:
    return "[dim]missing[/]" if energy is None else f"{energy:{sign}.3f}"
