"""Adsorption energies as bars, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from analysis import paper
from analysis.figures import style

if TYPE_CHECKING:
    from analysis.adsorption import Problem, Site, Table

Kind = Literal["held", "free", "paper"]

GROUP = 0.88  # of the room of one site that its bars take
LABEL = 6.0  # pt
TICK = 6.5  # pt, names of sites
LINE = 1.2  # line spacing over the type size
COLUMNS = 3  # of the legend, at most
HANDLE = 4.6  # mm of a patch or a line in the legend, and the gap beside it
SPACING = 2.6  # mm between its columns
CLEAR = 2.0  # pt between a bar or a line and a label
LABEL_WIDTH = 20.0  # pt that a label such as -1.56 and a gap need
# behind words that lines may cross
ON_WHITE = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"}
LOOKS: dict[Kind, dict[str, Any]] = {
    "held": {"facecolor": style.OURS, "edgecolor": style.OURS},
    "free": {"facecolor": style.OURS_PALE, "edgecolor": style.OURS, "hatch": "/////"},
    "paper": {"facecolor": style.PAPER, "edgecolor": "#8a8a8a"},
}
AS_RELAXED: dict[str, Any] = {"color": style.INK, "lw": 1.0, "zorder": 2.5}
ERROR: dict[str, Any] = {"ecolor": style.INK, "elinewidth": 0.7, "capsize": 2.0, "capthick": 0.7}
OURS: tuple[Kind, ...] = ("held", "free")
PAPERS: tuple[Kind, ...] = ("paper",)
PUBLISHED = "published"


@dataclass(frozen=True)
class Bar:
    """One bar: energy in eV or None, and what stands there instead or in it.

    `as_relaxed` (eV) is marked beside an energy of a single point, and `deviation` (eV) is the
    length of an error bar on each side.
    """

    energy: float | None
    instead: str = ""
    inside: str = ""
    as_relaxed: float | None = None
    deviation: float = 0.0


def draw_adsorption_bars(ax: Axes, table: Table) -> Axes:
    """Draw the adsorption energies of all sites, negative down, beside the published ones.

    Lines show the adatom on its own metal. In the place of a missing bar stands why it is missing;
    in the bar of an adatom that left its site, where it went.

    Parameters
    ----------
    ax
        Axes to draw on.
    table
        Energies in eV.
    """
    sites = site_names(table)
    kinds = _kinds(table, sites)
    width = GROUP / len(kinds)
    ax.set_xlim(-0.55, len(sites) - 0.45)
    ax.set_ylim(*_limits(table, sites))
    levels = [energy for _, energy in _metal_energies(table)]
    upright = _points_per_unit(ax) * width < LABEL_WIDTH
    for place, site in enumerate(sites):
        for column, kind in enumerate(kinds):
            x = place + (column - 0.5 * (len(kinds) - 1)) * width
            bar = _bar(table, site, kind)
            _draw_bar(ax, x, 0.86 * width, bar, kind, levels=levels, upright=upright)
    ax.axhline(0.0, color=style.INK, lw=0.6)
    names = [_label(site, len(sites), style.size_mm(ax)[0]) for site in sites]
    ax.set_xticks(range(len(sites)), ["\n".join(lines) for lines in names])
    ax.tick_params(axis="x", length=0.0, pad=3.0)
    ax.spines["bottom"].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    ax.set_ylabel("adsorption energy (eV)")
    lines = _metal_lines(ax, table)
    handles = [Patch(lw=0.5, label=_name(kind, table), **LOOKS[kind]) for kind in kinds]
    _legend(ax, [*handles, *lines])
    return ax


def _label(site: str, sites: int, width: float) -> list[str]:
    """Give the name of a site in lines that fit under its bars, in axes of a width in mm."""
    return style.broken(nice(site), TICK, width / (sites + 0.1) - 1.0)


def labels_height(table: Table, width: float) -> float:
    """Give the room in mm that site names in axes so wide (mm) take beyond a single line."""
    sites = site_names(table)
    lines = max((len(_label(site, len(sites), width)) for site in sites), default=1)
    return (lines - 1) * LINE * TICK / 72.0 * style.MM_PER_INCH


def legend_height(table: Table, width: float) -> float:
    """Give the room in mm that the legend takes above axes so wide (mm)."""
    names = [_name(kind, table) for kind in _kinds(table, site_names(table))]
    names += [_metal_label(table, *of) for of in _metal_energies(table)]
    lines = -(-len(names) // _columns(names, width))
    return lines * 1.35 * LABEL / 72.0 * style.MM_PER_INCH


def _columns(names: Sequence[str], width: float) -> int:
    """Give how many columns a legend of these names has if it is not to be wider than `width`."""
    for columns in range(COLUMNS, 1, -1):
        parts = np.array_split([style.text_width(name, LABEL) for name in names], columns)
        across = [float(part.max(initial=0.0)) + HANDLE for part in parts]
        if sum(across) + SPACING * (len(across) - 1) <= width:
            return columns
    return 1


def marks_in_words(table: Table) -> str:
    """Say what lines across the bars and error bars are; nothing where there are none."""
    said = []
    if table.refined:
        said.append("Line across a bar: with the relaxation's own settings.")
    if any(site.deviation for site in table.sites):
        said.append("Error bar: standard deviation of the BEEF-vdW ensemble.")
    return " ".join(said)


def site_names(table: Table) -> list[str]:
    """Name the sites to show: the paper's, where it has this system, and all of ours."""
    published = paper.ADSORPTION_ENERGIES if paper.is_system(table.host, table.adatom) else ()
    return list(dict.fromkeys([*published, *(site.site for site in table.sites)]))


def nice(site: str) -> str:
    """Write a site's name as the paper does: 'top-V' as 'top on V'."""
    return site.replace("top-", "top on ")


def _kinds(table: Table, sites: list[str]) -> list[Kind]:
    """Give the kinds of bars there are: held, free, paper."""
    ours = [kind for kind in OURS if any(s.relaxation == kind for s in table.sites)]
    published = any(_bar(table, site, "paper").energy is not None for site in sites)
    return [*(ours or OURS[:1]), *(PAPERS if published else ())]


def _name(kind: Kind, table: Table) -> str:
    """Name a kind of bar in the legend."""
    return "published" if kind == "paper" else f"this work, {table.adatom} {kind}"


def _bar(table: Table, name: str, kind: Kind) -> Bar:
    """Find what to draw for one site and kind."""
    if kind == "paper":
        energy = paper.published_energy(table.host, table.adatom, name)
        return Bar(energy, instead="not published")
    found = [site for site in table.sites if site.site == name and site.relaxation == kind]
    if not found:
        return Bar(None, instead="not computed")
    site = found[-1]
    if site.problem is not None:
        return Bar(None, instead=_why_not(site, site.problem))
    inside = f"to {nice(site.ended_at)}" if site.moved and site.ended_at else ""
    relaxed = site.as_relaxed.binding if site.as_relaxed else None
    return Bar(site.adsorption_energy, "not computed", inside, relaxed, site.deviation or 0.0)


def _why_not(site: Site, problem: Problem) -> str:
    """Say in a word or two why a site has no bar."""
    if problem.kind == "unfinished":
        return "not computed" if site.energy is None else "bare slab not computed"
    return problem.kind


def _draw_bar(
    ax: Axes,
    x: float,
    width: float,
    bar: Bar,
    kind: Kind,
    *,
    levels: Sequence[float],
    upright: bool,
) -> None:
    """Draw one bar with its value at the end, clear of the lines at `levels` (eV)."""
    text: dict[str, Any] = {"ha": "center", "textcoords": "offset points", "fontsize": LABEL}
    if bar.energy is None:
        ax.annotate(
            bar.instead, (x, 0.0), (0.0, -4.0), rotation=90.0, va="top", color=style.MUTED,
            zorder=4.0, bbox=ON_WHITE, **text,
        )  # fmt: skip
        return
    ax.bar(x, bar.energy, width, lw=0.5, zorder=2.0, **LOOKS[kind])
    if bar.as_relaxed is not None:
        ax.plot([x - 0.5 * width, x + 0.5 * width], [bar.as_relaxed] * 2, **AS_RELAXED)
    if bar.deviation:
        ax.errorbar(x, bar.energy, bar.deviation, **ERROR)
    down = bar.energy < 0.0
    end = bar.energy + bar.deviation * (-1.0 if down else 1.0)
    tall = LABEL_WIDTH if upright else LABEL
    ax.annotate(
        f"{bar.energy:.2f}".replace("-", "−"),
        (x, end),
        (0.0, _label_offset(ax, end, levels, tall)),
        rotation=90.0 if upright else 0.0,
        va="top" if down else "bottom",
        zorder=4.0,
        **text,
    )
    if bar.inside:
        ax.annotate(
            bar.inside,
            (x, 0.0),
            (0.0, -4.0 if down else 4.0),
            rotation=90.0,
            va="top" if down else "bottom",
            zorder=4.0,
            bbox=ON_WHITE,
            **text,
        )


def _label_offset(ax: Axes, energy: float, levels: Sequence[float], tall: float) -> float:
    """Give how far beyond a bar's end, in points, a label of a height in points meets no line."""
    low, high = ax.get_ylim()
    points = 72.0 * style.inches(style.size_mm(ax)[1]) / (high - low)
    outwards = -1.0 if energy < 0.0 else 1.0
    # Distances in points from the bar's end outwards: of the label, and of the lines there.
    start = CLEAR
    for line in sorted(outwards * (level - energy) * points for level in levels):
        if start - CLEAR < line < start + tall + CLEAR:
            start = line + CLEAR
    return outwards * start


def _limits(table: Table, sites: list[str]) -> tuple[float, float]:
    """Give the range in eV that holds all bars, lines and the numbers beyond them."""
    found = [_bar(table, site, kind) for site in sites for kind in (*OURS, *PAPERS)]
    bars = [b.energy + s * b.deviation for b in found if b.energy is not None for s in (-1.0, 1.0)]
    bars += [b.as_relaxed for b in found if b.as_relaxed is not None]
    energies = bars + [e for _, e in _metal_energies(table)]
    low, high = min([0.0, *energies]), max([0.0, *energies])
    span = max(high - low, 0.5)
    return low - (0.16 * span if low < 0.0 else 0.3 * span), high + 0.16 * span * (high > 0.0)


def _metal_energies(table: Table) -> list[tuple[str, float]]:
    """Give the names and energies in eV of the adatom on its own metal: ours, the paper's.

    Where there are several faces, each has its own name; the paper does not tell its face.
    """
    several = len({site.surface for site in table.metal_sites}) > 1
    found = [
        (site.surface if several else f"{table.adatom}, this work", site.binding)
        for site in table.metal_references
        if site.binding is not None
    ]
    published = paper.published_on_metal(table.host, table.adatom)
    return found if published is None else [*found, (f"{table.adatom}, {PUBLISHED}", published)]


def _metal_lines(ax: Axes, table: Table) -> list[Line2D]:
    """Draw lines for the adatom on its own metal."""
    published: dict[str, Any] = {"color": "#4d4d4d", "dashes": (1.2, 1.6)}
    dashes = [(4.0, 2.0), (7.0, 1.5, 1.2, 1.5)]  # of the metal's first face, and its second
    lines = []
    for number, (name, energy) in enumerate(_metal_energies(table)):
        ours: dict[str, Any] = {"color": style.SECOND, "dashes": dashes[number % 2]}
        label = _metal_label(table, name, energy)
        look = published if name.endswith(PUBLISHED) else ours
        lines.append(ax.axhline(energy, lw=1.0, zorder=3.0, label=label, **look))
    return lines


def _metal_label(table: Table, name: str, energy: float) -> str:
    """Name a line in the legend."""
    return f"{table.adatom} on {name}: {energy:.2f} eV".replace("-", "−")


def _legend(ax: Axes, handles: list[Any]) -> None:
    """Put the legend above the axes, where no bar can meet it, and no wider than they are."""
    columns = _columns([str(handle.get_label()) for handle in handles], style.size_mm(ax)[0])
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.02),
        ncols=columns,
        columnspacing=1.2,
        handletextpad=0.5,
        labelspacing=0.35,
    )


def _points_per_unit(ax: Axes) -> float:
    """Give the width of one unit of x in points."""
    low, high = ax.get_xlim()
    return 72.0 * style.inches(style.size_mm(ax)[0]) / (high - low)
