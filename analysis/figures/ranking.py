"""Hosts in order: energies of all their sites, and of the best one against the adatom's metal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.ranking import RankedHost

LINE_MM, ABOVE_MM, BELOW_MM = 7.0, 12.0, 12.0  # of a host; over and under all of them
LEFT_MM, GAP_MM, RIGHT_MM = 22.0, 8.0, 32.0  # beside the two axes, and between them

ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}  # names over lines


class Look(NamedTuple):
    """How the sites of a host are drawn: marker, its size for the best and the others, colours."""

    marker: str
    best: float
    other: float
    colour: str
    pale: str


DFT = Look("o", 5.0, 3.5, style.OURS, style.OURS_PALE)


def draw_host(ax: Axes, line: int, energies: Sequence[float], best: str, look: Look) -> None:
    """Draw the energies of a host's sites on a line: the lowest one filled, with its name.

    Parameters
    ----------
    ax
        Axes to draw on.
    line
        Number of the host, from above.
    energies
        In ascending order, eV; one at least.
    best
        Name of the site of the first.
    look
        Marker and colours.
    """
    ax.plot([energies[0], energies[-1]], [line, line], color=look.pale, lw=1.2)
    ax.plot(
        energies[1:], [line] * (len(energies) - 1), ls="none", marker=look.marker, ms=look.other,
        mfc="white", mec=look.colour,
    )  # fmt: skip
    ax.plot([energies[0]], [line], ls="none", marker=look.marker, ms=look.best, color=look.colour)
    ax.annotate(
        best, (energies[0], line), (0.0, 4.5), textcoords="offset points", ha="center",
        va="bottom", fontsize=style.SMALLEST_POINT, bbox=ON_WHITE,
    )  # fmt: skip


def draw_sites(ax: Axes, hosts: Sequence[RankedHost]) -> Axes:
    """Draw the adsorption energy of every site: the best one filled, with its name.

    Parameters
    ----------
    ax
        Axes to draw on.
    hosts
        In order, the first uppermost; energies in eV.
    """
    for line, host in enumerate(hosts):
        energies = sorted(host.energies.values())
        if not energies:
            ax.text(0.0, line, "no energy yet ", ha="right", va="center", color=style.MUTED)
            continue
        draw_host(ax, line, energies, str(host.site), DFT)
    for cohesive in {round(e, 6) for host in hosts if (e := host.cohesive_energy) is not None}:
        ax.axvline(cohesive, color=style.INK, lw=0.6, ls=(0, (4, 3)), zorder=0.5)
    ax.set_xlabel("adsorption energy of each site (eV)")
    return lined(ax, len(hosts))


def draw_against_metal(ax: Axes, hosts: Sequence[RankedHost]) -> Axes:
    """Draw the best site against the metal, and its range over the models of dispersion.

    Parameters
    ----------
    ax
        Axes to draw on.
    hosts
        In order, the first uppermost; energies in eV.
    """
    for line, host in enumerate(hosts):
        if host.dispersion_range is not None:
            ax.plot(host.dispersion_range, [line, line], color=style.PAPER, lw=3.5, zorder=1.0)
        if host.against_metal is not None:
            colour = style.OURS if host.verdict == "wets" else style.SECOND
            ax.plot([host.against_metal], [line], ls="none", marker="D", ms=4.5, color=colour)
        ax.annotate(
            host.conclusion.replace("; with", ";\nwith"), (1.0, line), (3.0, 0.0),
            xycoords=("axes fraction", "data"), textcoords="offset points", ha="left", va="center",
        )  # fmt: skip
    ax.axvline(0.0, color=style.INK, lw=0.6, zorder=0.5)
    ax.set_xlabel("best site, less the cohesive energy of the metal (eV)")
    return lined(ax, len(hosts))


def compose(hosts: Sequence[RankedHost], caption: style.Caption) -> Figure:
    """Compose the figure of a sweep over hosts, 180 mm wide.

    Parameters
    ----------
    hosts
        In order; energies in eV.
    caption
        What was computed, and how.
    """
    tall = LINE_MM * len(hosts)
    wide = (style.WIDTH_MM - LEFT_MM - GAP_MM - RIGHT_MM) / 2
    with style.page(style.WIDTH_MM, ABOVE_MM + tall + BELOW_MM, caption) as figure:
        sites = draw_sites(style.place(figure, LEFT_MM, ABOVE_MM, wide, tall), hosts)
        sites.set_yticks(range(len(hosts)), [host.label for host in hosts])
        right = style.place(figure, LEFT_MM + wide + GAP_MM, ABOVE_MM, wide, tall)
        draw_against_metal(right, hosts).set_yticks([])
        sites.set_title("stronger binding to the left", loc="left")
        right.set_title("left of zero: wets", loc="left")
    return figure


def lined(ax: Axes, hosts: int) -> Axes:
    """Give each of some hosts a line of its own, the first uppermost."""
    for line in range(hosts):
        ax.axhline(line + 0.5, color="#e4e4e4", lw=0.4, zorder=0.0)
    ax.tick_params(axis="y", length=0.0)
    ax.set_ylim(hosts - 0.5, -0.5)
    ax.margins(x=0.12)
    return ax
