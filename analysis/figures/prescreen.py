"""Hosts in order by a pretrained potential, and how its energies compare with those of DFT."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.ranking import (
    ABOVE_MM,
    BELOW_MM,
    LEFT_MM,
    LINE_MM,
    ON_WHITE,
    Look,
    draw_host,
    lined,
)
from analysis.prescreen import Pair, ScreenedHost

SQUARE_MM, GAP_MM = 54.0, 20.0  # the parity plot, and what is left of it
COLOUR, PALE = "#009e73", "#a6dccd"  # of the potential: never those of DFT
POTENTIAL = Look("s", 4.5, 3.2, COLOUR, PALE)


def draw_order(ax: Axes, hosts: Sequence[ScreenedHost]) -> Axes:
    """Draw the energy of every site against the metal: the best one filled, with its name.

    Parameters
    ----------
    ax
        Axes to draw on.
    hosts
        In order, the first uppermost; energies in eV.
    """
    for line, host in enumerate(hosts):
        energies = sorted(host.against_metal.values())
        if not energies:
            ax.annotate(
                "no energy", (0.5, line), xycoords=("axes fraction", "data"), ha="center",
                va="center", color=style.MUTED,
            )  # fmt: skip
            continue
        draw_host(ax, line, energies, str(host.site), POTENTIAL)
    ax.axvline(0.0, color=style.INK, lw=0.6, zorder=0.5)
    ax.set_xlabel("energy less that of the metal, by the potential (eV)")
    return lined(ax, len(hosts))


def draw_parity(ax: Axes, pairs: Sequence[Pair]) -> Axes:
    """Draw the potential's energies over those of DFT: best sites filled, with their hosts.

    Parameters
    ----------
    ax
        Axes to draw on.
    pairs
        One at least; energies in eV.
    """
    values = [value for pair in pairs for value in (pair.computed, pair.screened)]
    margin = 0.12 * (max(values) - min(values)) or 0.1
    ends = min(values) - margin, max(values) + margin
    ax.plot(ends, ends, color=style.PAPER, lw=0.8, zorder=0.5)
    ax.axhline(0.0, color=style.INK, lw=0.4, zorder=0.4)
    ax.axvline(0.0, color=style.INK, lw=0.4, zorder=0.4)
    for pair in pairs:
        face = COLOUR if pair.best else "white"
        ax.plot([pair.computed], [pair.screened], ls="none", marker="s", mfc=face, mec=COLOUR)
        if pair.best:
            near_edge = pair.computed < ends[0] + 0.3 * (ends[1] - ends[0])
            ax.annotate(
                pair.label, (pair.computed, pair.screened), (4.0 if near_edge else -4.0, 0.0),
                ha="left" if near_edge else "right", va="center", textcoords="offset points",
                fontsize=style.SMALLEST_POINT, bbox=ON_WHITE,
            )  # fmt: skip
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.set_aspect("equal")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("DFT (eV)")
    ax.set_ylabel("potential (eV)")
    return ax


def compose(
    hosts: Sequence[ScreenedHost], pairs: Sequence[Pair], potential: str, caption: style.Caption
) -> Figure:
    """Compose the figure of a pre-screen, 180 mm wide, with the parity plot where there is DFT.

    Parameters
    ----------
    hosts
        In order; energies in eV.
    pairs
        Sites that DFT has computed, too; may be empty.
    potential
        Its name.
    caption
        What was computed, and how.
    """
    beside = SQUARE_MM + GAP_MM if pairs else 0.0
    wide = style.WIDTH_MM - LEFT_MM - beside - 8.0
    height = max(LINE_MM * len(hosts), SQUARE_MM if pairs else 0.0)
    with style.page(style.WIDTH_MM, ABOVE_MM + height + BELOW_MM, caption) as figure:
        order = style.place(figure, LEFT_MM, ABOVE_MM, wide, height)
        draw_order(order, hosts).set_yticks(range(len(hosts)), [host.label for host in hosts])
        order.set_title(f"pre-screen by {potential}, not DFT", loc="left", color=COLOUR)
        if pairs:
            left = LEFT_MM + wide + GAP_MM
            square = style.place(figure, left, ABOVE_MM, SQUARE_MM, SQUARE_MM)
            draw_parity(square, pairs).set_title("line: equal energies", loc="left")
    return figure
