"""The result as a person reads it in a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from analysis.adsorption import Site, Table
from workflows.report.evaluation import Evaluation
from workflows.report.wording import NOT_PHYSICAL, missing_lines, notes, reference_in_words
from workflows.terminal.console import WIDTH


def energy_table(found: Evaluation) -> RichTable:
    """Return the adsorption energies (eV) of all sites beside the paper's, ready to print."""
    table = found.table
    rich = RichTable(
        title=f"Adsorption energy of {table.adatom}{reference_in_words(table.all_sites)} "
        f"(eV; negative binds), "
        f"case {escape(found.case.name)}",
        title_justify="left",
        caption=None if table.physical else f"[bold red]{NOT_PHYSICAL}[/]",
        caption_justify="left",
    )
    rich.add_column("surface", no_wrap=True)
    rich.add_column("site", no_wrap=True)
    for heading in ("held", "free", "paper", "held - paper", "height (Å)", "nearest (Å)"):
        rich.add_column(heading, justify="right")
    rich.add_column("free: ended at")
    for heading in ("charge\nmoved (e)", "Bader\n(e)"):
        rich.add_column(heading, justify="right")
    for held, free in _pairs(table):
        on_host = held in table.sites
        density = found.results.density("host", held.site) if on_host else None
        charges = (
            (density["charge_moved"], density.get("bader_charge")) if density else (None, None)
        )
        rich.add_row(*_row(held, free), *map(_signed, charges))
    return rich


def conclusions(found: Evaluation) -> Iterator[str]:
    """Yield what the energies amount to, the notes on them and what is missing, a line each."""
    yield found.table.verdict()
    if found.table.published:
        yield found.table.ranking_agreement()
    yield from (f"note: {line}" for line in notes(found))
    yield from (f"missing: {line}" for line in missing_lines(found.results.states))


def report_text(found: Evaluation) -> str:
    """Return energies and conclusions as `sodiophile report` prints them into a pipe."""
    text = io.StringIO()
    page = Console(file=text, width=WIDTH, emoji=False, force_jupyter=False)
    page.print(energy_table(found))
    return text.getvalue() + "\n".join(conclusions(found))


def _pairs(table: Table) -> list[tuple[Site, Site | None]]:
    """Return held and free sites by two; a run for adsorption energies alone has no free ones."""
    sites = {(s.surface, s.site, s.relaxation): s for s in table.all_sites}
    return [
        (held, sites.get((held.surface, held.site, "free")))
        for held in sites.values()
        if held.relaxation == "held"
    ]


def _row(held: Site, free: Site | None) -> list[str]:
    nearest = ", ".join(f"{element} {distance:.2f}" for element, distance in held.nearest.items())
    at_rest, ended = (_energy(free), _ended(free)) if free else ("", "")
    return [
        held.surface, held.site, _energy(held), at_rest, _signed(held.published),
        _signed(held.difference), "" if held.height is None else f"{held.height:.2f}", nearest,
        ended,
    ]  # fmt: skip


def _energy(site: Site) -> str:
    if site.binding is not None:
        return f"{site.binding:.3f}"
    failed = site.problem is not None and site.problem.kind == "failed"
    return "[red]failed[/]" if failed else "[dim]missing[/]"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _ended(site: Site) -> str:
    if site.ended_at is None:
        return escape(site.problem.text if site.problem else "")
    rests = ", on a saddle" if site.saddle else ""
    return f"{site.ended_at} ({site.site_offset:.2f} Å off{rests})"
