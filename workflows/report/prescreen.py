"""Hosts by a pretrained potential: table and figure, beside DFT where there is any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table as RichTable

from analysis.adsorption import Table
from analysis.figures.prescreen import compose
from analysis.figures.style import Caption
from analysis.prescreen import Pair, ScreenedHost, agreement, order_hosts, pair_up
from analysis.ranking import rank_hosts
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import FIGURES, PRESCREEN_CSV
from workflows.prescreen.hosts import PrescreenRecord, identity
from workflows.report.csv_text import csv_text
from workflows.report.images import save
from workflows.report.ranking import labels
from workflows.system.files import write_text
from workflows.system.messages import shown

STEM = "prescreen"  # of the figure


def report_prescreen(
    campaign: Campaign, record: PrescreenRecord, tables: Sequence[Table], root: Path
) -> Iterator[str | RichTable]:
    """Write table and figure of a pre-screen; yield what there is to print.

    Parameters
    ----------
    campaign
        The cases.
    record
        The hosts by the potential; those with other settings than their case's are left out.
    tables
        The energies by DFT of each case, in the same order; empty without any.
    root
        Directory of the pre-screen.
    """
    names = labels(campaign)
    hosts = order_hosts(tuple(_screened(campaign, record, names)))
    if not hosts:
        yield f"{STEM}: of other settings; `sodiophile {STEM}` computes it again"
        return
    computed = rank_hosts(dict(zip(names, tables, strict=True))) if tables else ()
    pairs = pair_up(hosts, computed)
    write_text(root / PRESCREEN_CSV, _csv(hosts, pairs))
    caption = Caption(_caption(record["potential"], hosts, pairs), _physical(campaign, pairs))
    figure = save(compose(hosts, pairs, record["potential"], caption), root / FIGURES, STEM)[0]
    adatom = hosts[0].adatom
    yield (
        f"pre-screen by {record['potential']}, not DFT: energy of {adatom} on each host, less that "
        f"in its metal, eV; below zero it is more stable on the host"
    )
    yield _table(hosts, pairs)
    yield from (
        f"missing: {host.label}, {site}: {why}"
        for host in hosts
        for site, why in host.missing.items()
    )
    if pairs:
        yield _agreement_in_words(pairs, record["potential"])
    yield f"{STEM}: {shown(root / PRESCREEN_CSV)}"
    yield f"figure: {shown(figure)}"


def _screened(
    campaign: Campaign, record: PrescreenRecord, names: Sequence[str]
) -> Iterator[ScreenedHost]:
    for label, member in zip(names, campaign.members, strict=True):
        found = record["cases"].get(member.case.name)
        if found is not None and found["identity"] == identity(member.case, record["potential"]):
            yield ScreenedHost(label, member.case.adatom, found["against_metal"], found["missing"])


def _physical(campaign: Campaign, pairs: Sequence[Pair]) -> bool:
    """Tell whether the DFT energies mean anything; true without any."""
    return not pairs or all(member.case.physical for member in campaign.members)


def _caption(potential: str, hosts: Sequence[ScreenedHost], pairs: Sequence[Pair]) -> str:
    text = (
        f"Pre-screen by the pretrained potential {potential}, not DFT: energy of {hosts[0].adatom} "
        "held at each site, less that of an atom of its metal. Filled: best site."
    )
    if not pairs:
        return text
    return f"{text} Right: beside DFT, as far as computed. {_agreement_in_words(pairs, potential)}"


def _agreement_in_words(pairs: Sequence[Pair], potential: str) -> str:
    found = agreement(pairs)
    return (
        f"{potential} less DFT, {len(pairs)} sites: {found.mean:+.2f} eV on average, up to "
        f"{found.largest:.2f} eV from that; {found.in_order} of {found.pairs_of_hosts} pairs of "
        "hosts in the order of DFT."
    )


def _csv(hosts: Sequence[ScreenedHost], pairs: Sequence[Pair]) -> str:
    dft = {(pair.label, pair.site): pair.computed for pair in pairs}
    header = [
        "host", "adatom", "site", "prescreen_against_metal_eV", "DFT_against_metal_eV", "missing",
    ]  # fmt: skip
    return csv_text(
        header,
        (
            [
                host.label, host.adatom, site, host.against_metal.get(site),
                dft.get((host.label, site)), host.missing.get(site),
            ]
            for host in hosts
            for site in (*host.against_metal, *host.missing)
        ),
    )  # fmt: skip


def _table(hosts: Sequence[ScreenedHost], pairs: Sequence[Pair]) -> RichTable:
    table = RichTable()
    table.add_column("host", no_wrap=True)
    table.add_column("best site", no_wrap=True)
    for heading in ("pre-screen", *(["DFT, same site"] if pairs else [])):
        table.add_column(heading, justify="right")
    dft = {(pair.label, pair.site): f"{pair.computed:.3f}" for pair in pairs}
    for host in hosts:
        cells = [
            host.label,
            host.site or "[dim]missing[/]",
            "[dim]missing[/]" if host.lowest is None else f"{host.lowest:.3f}",
        ]
        if pairs:
            cells.append(dft.get((host.label, host.site or ""), ""))
        table.add_row(*cells)
    return table
