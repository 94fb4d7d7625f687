"""The result as a person reads it in a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table as RichTable

from analysis.adsorption import Site, Table
from workflows.report.results import NOT_PHYSICAL, Report


def energy_table(report: Report) -> RichTable:
    """Return the adsorption energies (eV) of all sites beside the paper's, ready to print."""
    table = report.table()
    rich = RichTable(
        title=f"Adsorption energy of {table.adatom} (eV; negative binds), "
        f"case {escape(report.case.name)}",
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
        density = (report.density_summary(held.site) if on_host else None) or {}
        charges = (density.get(key) for key in ("charge_moved", "bader_charge"))
        rich.add_row(*_row(held, free), *map(_signed, charges))
    return rich


def _pairs(table: Table) -> list[tuple[Site, Site]]:
    sites = (*table.sites, *table.metal_sites)
    return list(zip(sites[::2], sites[1::2], strict=True))


def _row(held: Site, free: Site) -> list[str]:
    nearest = ", ".join(f"{element} {distance:.2f}" for element, distance in held.nearest.items())
    return [
        held.surface, held.site, _energy(held), _energy(free), _signed(held.published),
        _signed(held.difference), "" if held.height is None else f"{held.height:.2f}", nearest,
        _ended(free),
    ]  # fmt: skip


def _energy(site: Site) -> str:
    if site.binding is not None:
        return f"{site.binding:.3f}"
    return "[red]failed[/]" if (site.problem or "").startswith("failed") else "[dim]missing[/]"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _ended(site: Site) -> str:
    if site.ended_at is None:
        return escape(site.problem or "")
    rests = ", on a saddle" if site.saddle else ""
    return f"{site.ended_at} ({site.site_offset:.2f} Å off{rests})"
