"""The results of several cases: each by itself, and all in one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from rich.markup import escape
from rich.table import Table as RichTable

from analysis.adsorption import Relaxation, Site, Table
from workflows.campaign.campaign import Campaign, Member
from workflows.prescreen.hosts import read_prescreen
from workflows.report.convergence import report_convergence
from workflows.report.csv_text import Cell, csv_text
from workflows.report.evaluation import Evaluation, evaluations
from workflows.report.figures import make_figures
from workflows.report.options import Options
from workflows.report.page import write_page
from workflows.report.prescreen import report_prescreen
from workflows.report.ranking import over_hosts, report_ranking
from workflows.report.sensitivity import one_by_one, report_sensitivity
from workflows.report.tables import ENERGIES, RESULTS, json_text, write_tables
from workflows.report.wording import missing_lines, reference_in_words
from workflows.steps.initial import Structures
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.status import State

SCHEMA = "sodiophile-campaign/1"


MANY = 40  # cases that are printed, and lines about what is missing


class Row(NamedTuple):
    """A site of one of the cases."""

    member: Member
    site: Site


def report_all(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    options: Options,
    built: Mapping[str, Structures] | None = None,
) -> Iterator[str | RichTable]:
    """Write the tables and figures of all cases; yield what there is to print.

    Parameters
    ----------
    campaign
        The cases.
    states
        The state of every task, by folder.
    root
        The directory of the run.
    options
        How the report is made.
    built
        The unrelaxed structures of each case, by its name, where they are known.
    """
    found = evaluations(campaign, states, root, built)
    if campaign.convergence is not None:
        yield from report_convergence(campaign, campaign.convergence, states, root)
        *_, last = found
        if options.page:  # of the last case, with the figure of them all
            yield f"page:   {shown(write_page(last, root, options.isovalue))}"
    else:
        yield from _report_cases(campaign, found, root, options)
        if one_by_one(campaign):
            yield from report_sensitivity(campaign, states, root)
    missing = missing_lines(states)
    yield from (f"missing: {line}" for line in missing[:MANY])
    if len(missing) > MANY:
        yield f"missing: {len(missing) - MANY} more"


def _report_cases(
    campaign: Campaign,
    evaluations: Iterable[Evaluation],
    root: Path,
    options: Options,
) -> Iterator[str | RichTable]:
    rows: list[Row] = []
    tables: list[Table] = []
    pages = []
    for member, found in zip(campaign.members, evaluations, strict=True):
        folder = root / member.case.name
        folder.mkdir(exist_ok=True)
        write_tables(found, folder)
        tables.append(found.table)
        rows += [Row(member, site) for site in found.table.all_sites]
        computed = any(site.energy is not None for site in found.table.all_sites)
        if campaign.goal == "everything" and computed:
            make_figures(found, folder, options)
        if options.page:
            pages.append(write_page(found, folder, options.isovalue))
    axes = list(dict.fromkeys(axis for m in campaign.members for axis in m.settings))
    write_text(root / ENERGIES, _csv(rows, axes))
    write_text(root / RESULTS, json_text(_json(rows, axes)))
    yield _table(campaign, rows)
    if over_hosts(campaign):
        yield from report_ranking(campaign, tables, root)
        if (screened := read_prescreen(root)) is not None:
            yield from report_prescreen(campaign, screened, tables, root)
    yield f"table:  {shown(root / RESULTS)}, {shown(root / ENERGIES)}"
    yield f"each case: {shown(root)}/CASE, such as {shown(root / campaign.members[0].case.name)}"
    yield from (f"page:   {shown(page)}" for page in pages)


def _csv(rows: Sequence[Row], axes: Sequence[str]) -> str:
    header = [
        "case", *axes, "surface", "site", "relaxation", "adsorption_energy_eV",
        "against_metal_eV", "height_A", "ended_at", "quality", "problem",
    ]  # fmt: skip
    return csv_text(header, (_csv_row(row.member, row.site, axes) for row in rows))


def _csv_row(member: Member, site: Site, axes: Sequence[str]) -> list[Cell]:
    return [
        member.case.name, *(member.settings.get(axis) for axis in axes),
        site.surface, site.site, site.relaxation, site.adsorption_energy, site.against_metal,
        site.height, site.ended_at, member.case.quality,
        site.problem.text if site.problem else None,
    ]  # fmt: skip


class SiteEntry(TypedDict):
    """A site of a case: energies in eV, `height` in angstrom."""

    surface: str
    site: str
    relaxation: Relaxation
    adsorption_energy: float | None
    against_metal: float | None
    height: float | None
    ended_at: str | None
    problem: str | None


class CaseEntry(TypedDict):
    """A case, and by what it differs from the others."""

    settings: dict[str, str]
    quality: str
    physical: bool
    sites: list[SiteEntry]


class CampaignJSON(TypedDict):
    """Everything in the results.json of several cases."""

    schema: str
    axes: list[str]
    units: dict[str, str]
    cases: dict[str, CaseEntry]


def _json(rows: Sequence[Row], axes: Sequence[str]) -> CampaignJSON:
    cases: dict[str, CaseEntry] = {}
    for member, site in rows:
        new: CaseEntry = {
            "settings": dict(member.settings), "quality": member.case.quality,
            "physical": member.case.physical, "sites": [],
        }  # fmt: skip
        cases.setdefault(member.case.name, new)["sites"].append(_site_entry(site))
    units = {"adsorption_energy": "eV", "against_metal": "eV", "height": "angstrom"}
    return {"schema": SCHEMA, "axes": list(axes), "units": units, "cases": cases}


def _site_entry(site: Site) -> SiteEntry:
    return {
        "surface": site.surface,
        "site": site.site,
        "relaxation": site.relaxation,
        "adsorption_energy": site.adsorption_energy,
        "against_metal": site.against_metal,
        "height": site.height,
        "ended_at": site.ended_at,
        "problem": site.problem.text if site.problem else None,
    }


def _table(campaign: Campaign, rows: Sequence[Row]) -> RichTable:
    """Return the adsorption energies (eV) of the held sites, a line per case and surface."""
    held: dict[tuple[str, str], list[str]] = {}
    against = reference_in_words(row.site for row in rows)
    for member, site in rows:
        if site.relaxation == "held":
            energy = site.adsorption_energy
            word = "[dim]missing[/]" if energy is None else f"{energy:.3f}"
            held.setdefault((member.case.name, site.surface), []).append(f"{site.site} {word}")
    physical = all(member.case.physical for member in campaign.members)
    table = RichTable(
        title=f"Adsorption energies, held{against} (eV; negative binds)",
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
