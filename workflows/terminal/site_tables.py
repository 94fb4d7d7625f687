"""Tables of adsorption sites: energies on 80 columns, geometry and charges in a second one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from analysis.account import Account
from analysis.adsorption import Pair, Site, Table
from analysis.figures.account import GAP
from workflows.report import functionals
from workflows.report.densities import Charges
from workflows.report.dispersion import spread
from workflows.report.magnetism import MagnetismRow, moments_in_words

NARROW = 62  # columns; on fewer, tables show the first few columns only


INDENT = "  "  # of a site below its surface
COLUMN = 8  # width of an energy with the space before it


def energies_by_site(table: Table, title: str, caption: str, width: int) -> Group:
    """Return the adsorption energies (eV) of all sites beside the published ones.

    Parameters
    ----------
    table
        The sites of host and metal.
    title, caption
        The lines above and below.
    width
        Columns of the terminal.
    """
    published = any(site.published is not None for site in table.all_sites)
    wide = width >= NARROW
    rich = _empty()
    headings = ["held", "free", *(["published", "difference"] if published and wide else [])]
    relaxed = ["held, as\nrelaxed", "free, as\nrelaxed"] if table.refined else []
    headings[2:2] = relaxed
    for heading in headings:
        rich.add_column(heading, justify="right", no_wrap=True)
    if wide:
        rich.add_column("free: ended at")
    for surface, pairs in _by_surface(table):
        rich.add_row(f"[bold]{escape(surface)}[/]")
        for held, free in pairs:
            numbers = [_energy(held), _energy(free) if free else ""]
            numbers += [_as_relaxed(held), _as_relaxed(free)][: len(relaxed)]
            numbers += [_signed(held.published, ""), _signed(held.difference)]
            cells: list[str | Text] = [INDENT + held.site, *numbers[: len(headings)]]
            rich.add_row(*cells, *([_ended(free)] if wide and free else []))
        rich.add_section()
    below = [Text(caption, style="bold red")] if caption else []
    return Group(Text(title, style="italic"), rich, *below)


def details_by_site(table: Table, charges: Charges, width: int) -> Group:
    """Return geometry and charge of each site with the adatom held.

    Parameters
    ----------
    table
        The sites of host and metal.
    charges
        Charge moved and Bader charge, electrons, by surface and site.
    width
        Columns of the terminal.
    """
    rich = _empty()
    headings = [
        "height\n(Å)", "nearest\n(Å)", "against\nmetal (eV)", "charge\nmoved (e)", "Bader\n(e)",
    ][: None if width >= NARROW else 2]  # fmt: skip
    for heading in headings:
        rich.add_column(heading, justify="right", no_wrap="nearest" not in heading)
    for surface, pairs in _by_surface(table):
        rich.add_row(f"[bold]{escape(surface)}[/]")
        for site, _ in pairs:
            nearest = ", ".join(f"{symbol} {far:.2f}" for symbol, far in site.nearest.items())
            height = "" if site.height is None else f"{site.height:.2f}"
            moved = charges.get((site.surface, site.site)) or (None, None)
            against = _signed(site.against_metal) if site.problem is None else ""
            cells = [height, nearest, against, *map(_signed, moved)]
            rich.add_row(INDENT + site.site, *cells[: len(headings)])
        rich.add_section()
    return Group(Text("The adatom held at each site", style="italic"), rich)


def dispersion_by_site(table: Table, width: int) -> Group | None:
    """Return the energies (eV) of the held adatom with each model of dispersion; None without.

    Parameters
    ----------
    table
        The sites of host and metal.
    width
        Columns of the terminal; where not all energies fit, those against the metal are left out.
    """
    found = spread(table.all_sites)
    if not found.rows:
        return None
    headings: Sequence[str] = [label + s for s in ("", "\n−E_coh") for label in found.labels]
    first = len(INDENT) + max(len(row.site) for row in found.rows)
    if first + len(headings) * COLUMN > width:
        headings = _fitting(found.labels, width - first)
    rich = _held_energies(headings, [(row.surface, row.site, row.energies) for row in found.rows])
    title = "With dispersion at the same structures, adatom held (eV)"
    return Group(Text(title, style="italic"), rich, Text(found.caveat))


def _held_energies(
    headings: Sequence[str], rows: Iterable[tuple[str, str, Sequence[float | None]]]
) -> RichTable:
    """Return surface, site and as many energies (eV) of each row as there are headings."""
    rich = _empty()
    for heading in headings:
        rich.add_column(heading, justify="right", no_wrap=True)
    for surface, of_surface in groupby(rows, key=lambda row: row[0]):
        rich.add_row(f"[bold]{escape(surface)}[/]")
        for _, site, energies in of_surface:
            rich.add_row(INDENT + site, *map(_signed, energies[: len(headings)]))
        rich.add_section()
    return rich


def moments_by_task(rows: Mapping[str, MagnetismRow]) -> Iterator[Text | RichTable]:
    """Yield a table of magnetic moments (Bohr magnetons) with its title; nothing without any.

    Parameters
    ----------
    rows
        The moments of slabs with spin, by task.
    """
    if not rows:
        return
    rich = _empty("task")
    rich.add_column("total", justify="right", no_wrap=True)
    rich.add_column("against non-\nmagnetic (eV)", justify="right", no_wrap=True)
    rich.add_column("on the atoms")
    for task, row in rows.items():
        against = _signed(row["against_non_magnetic"])
        rich.add_row(task, f"{row['magnetic_moment']:.2f}", against, moments_in_words(row))
    yield Text("Magnetic moments (Bohr magnetons)", style="italic")
    yield rich


def functionals_by_site(table: Table, width: int) -> Group | None:
    """Return the energies (eV) of the held adatom with each functional; None where none is known.

    Parameters
    ----------
    table
        The sites of host and metal.
    width
        Columns of the terminal; functionals that do not fit are left out.
    """
    found = functionals.spread(table.all_sites)
    if not found.rows:
        return None
    first = len(INDENT) + max(len(row.site) for row in found.rows)
    room = max(1, (width - first) // (COLUMN + 1))
    parts: list[Text | RichTable] = []
    for title, field in (
        ("With other functionals at the same structures, adatom held (eV)", "energies"),
        ("The same against bulk metal, E_ads − E_coh (eV)", "against_metal"),
    ):
        rows = [(row.surface, row.site, getattr(row, field)) for row in found.rows]
        rich = _held_energies(found.labels[:room], rows)
        parts += [Text(title, style="italic"), rich]
    return Group(*parts, Text(found.caveat))


def account_by_site(account: Account, width: int) -> Group:
    """Return what each choice changes at each site (eV); a star marks those that are counted.

    Parameters
    ----------
    account
        The changes from our energies to the published ones.
    width
        Columns of the terminal; sites that do not fit are left out.
    """
    rows: list[tuple[str, Callable[[str], float | None], str]] = [
        ("ours without dispersion", account.plain.get, ""),
        (GAP, account.gap, "bold"),
        *(
            (f"{choice.name} *" if choice.counted else choice.name, choice.changes.get, "")
            for choice in account.choices
        ),
        ("left with all *, lowest", lambda site: account.left(site)[0], "bold"),
        ("left with all *, highest", lambda site: account.left(site)[1], "bold"),
    ]
    rich = _empty("choice")
    sites = _fitting(account.sites, width - max(len(name) for name, *_ in rows))
    for site in sites:
        rich.add_column(escape(site), justify="right", no_wrap=True)
    for name, change, style in rows:
        rich.add_row(escape(name), *(_signed(change(site)) for site in sites), style=style)
    title = "From ours to theirs: changes of the held adsorption energies (eV)"
    below = (
        "* counted in what is left, as if choices were additive; of the models of dispersion one "
        "at a time"
    )
    return Group(Text(title, style="italic"), rich, Text(below))


def _fitting(headings: Sequence[str], width: int) -> Sequence[str]:
    """Return the first headings of energies that fit so many columns, at least one."""
    each = max(COLUMN, 2 + max(map(len, headings)))
    return headings[: max(1, width // each)]


def _empty(first: str = "site") -> RichTable:
    """Return a table with its first column; title and caption are wrapped outside of it."""
    rich = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False,
        padding=(0, 0, 0, 1),  # nine columns are to fit 80
    )  # fmt: skip
    rich.add_column(first, no_wrap=True)
    return rich


def _by_surface(table: Table) -> Iterator[tuple[str, Iterator[Pair]]]:
    """Yield for each surface its held sites, each with its free twin if that was asked for."""
    return groupby(table.pairs, key=lambda pair: pair.held.surface)


def _energy(site: Site) -> str:
    if site.binding is not None:
        return f"{site.binding:.3f}"
    failed = site.problem is not None and site.problem.kind == "failed"
    return "[red]failed[/]" if failed else "[dim]missing[/]"


def _as_relaxed(site: Site | None) -> str:
    return _energy(site.as_relaxed) if site and site.as_relaxed else ""


def _signed(value: float | None, sign: str = "+") -> str:
    return "" if value is None else f"{value:{sign}.3f}"


def _ended(site: Site) -> Text:
    if site.ended_at is None:
        return Text(site.problem.text if site.problem else "")
    saddle = ", saddle" if site.saddle else ""
    return Text(f"{site.ended_at} ({site.site_offset:.2f} Å{saddle})")
