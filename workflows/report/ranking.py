"""A sweep over hosts: which binds the adatom most strongly, which wets, which only binds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table as RichTable

from analysis.adsorption import Table
from analysis.figures.ranking import compose
from analysis.figures.style import Caption
from analysis.ranking import RankedHost, rank_hosts
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import FIGURES
from workflows.case.hosts import CrystalHost
from workflows.case.schema import Case
from workflows.report.csv_text import csv_text
from workflows.report.images import save
from workflows.report.wording import NOT_PHYSICAL
from workflows.system.files import write_text
from workflows.system.messages import shown
from workflows.tasks.graph import surface_label

STEM = "ranking"  # of the files

WETS = (
    "wets: the adatom is more stable on the host than in its own metal (its adsorption energy lies "
    "below the cohesive energy, both negative); only binds: less stable than in its metal, more "
    "than as a free atom"
)


def over_hosts(campaign: Campaign) -> bool:
    """Tell whether the cases are of two or more hosts, with one adatom."""
    hosts = {_called(member.case) for member in campaign.members}
    return len(hosts) > 1 and len({member.case.adatom for member in campaign.members}) == 1


def report_ranking(
    campaign: Campaign, tables: Sequence[Table], root: Path
) -> Iterator[str | RichTable]:
    """Write table and figure of a sweep over hosts; yield what there is to print.

    Parameters
    ----------
    campaign
        The cases.
    tables
        The energies of each case, in the same order.
    root
        Directory of the run.
    """
    hosts = rank_hosts(dict(zip(labels(campaign), tables, strict=True)))
    write_text(root / f"{STEM}.csv", _csv(hosts))
    physical = all(member.case.physical for member in campaign.members)
    figure = save(compose(hosts, Caption(_caption(campaign), physical)), root / FIGURES, STEM)[0]
    yield _table(hosts)
    if not physical:
        yield NOT_PHYSICAL
    yield f"ranking: {shown(root / f'{STEM}.csv')}"
    yield f"figure: {shown(figure)}"


def labels(campaign: Campaign) -> list[str]:
    """Return what the host of each case is called: its surface, or the case if that is shared."""
    surfaces = [_called(member.case) for member in campaign.members]
    names = [member.case.name for member in campaign.members]
    return [
        surface if surfaces.count(surface) == 1 else name
        for surface, name in zip(surfaces, names, strict=True)
    ]


def _called(case: Case) -> str:
    """Return the host's surface, such as 'VN(001)'; of a slab from a file the file's name."""
    if isinstance(case.host, CrystalHost) and case.host.slab is not None:
        return Path(case.host.slab).stem
    return surface_label(case, "host")


def _caption(campaign: Campaign) -> str:
    cases = [member.case for member in campaign.members]
    qualities = ", ".join(dict.fromkeys(case.quality for case in cases))
    return (
        f"{cases[0].adatom} held at each site of {len(cases)} hosts; settings: {qualities}. "
        "Filled: best site; broken line: cohesive energy of the metal. Grey: range of the best "
        f"site over models of dispersion. {WETS}."
    )


def _csv(hosts: Sequence[RankedHost]) -> str:
    header = [
        "host", "adatom", "best_site", "adsorption_energy_eV", "against_metal_eV",
        "spread_over_sites_eV", "lowest_with_dispersion_eV", "highest_with_dispersion_eV",
        "verdict", "missing_sites",
    ]  # fmt: skip
    return csv_text(
        header,
        (
            [
                host.label, host.adatom, host.site, host.adsorption_energy, host.against_metal,
                host.site_spread, *(host.dispersion_range or (None, None)), host.verdict,
                " ".join(host.missing),
            ]
            for host in hosts
        ),
    )  # fmt: skip


def _table(hosts: Sequence[RankedHost]) -> RichTable:
    table = RichTable(
        title="Hosts by the energy of their best site, held (eV; negative binds)",
        title_justify="left",
        caption=WETS,
        caption_justify="left",
    )
    table.add_column("host", no_wrap=True)
    table.add_column("best site", no_wrap=True)
    for heading in ("adsorption", "sites differ by", "against metal", "with dispersion"):
        table.add_column(heading, justify="right")
    table.add_column("", no_wrap=True)
    for host in hosts:
        both = host.dispersion_range
        table.add_row(
            host.label,
            host.site or "[dim]missing[/]",
            _cell(host.adsorption_energy),
            "" if host.site_spread is None else f"{host.site_spread:.3f}",
            _cell(host.against_metal),
            "" if both is None else f"{both[0]:.2f} to {both[1]:.2f}",
            host.conclusion,
        )
    return table


def _cell(energy: float | None) -> str:
    return "[dim]missing[/]" if energy is None else f"{energy:.3f}"
