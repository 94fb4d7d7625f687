"""What moves an adsorption energy: a line per choice, a mark per site."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.sensitivity import Sensitivity

LINE_MM, ABOVE_MM, BELOW_MM = 6.5, 9.0, 12.0  # of a choice; over and under all of them
LEFT_MM = 48.0  # where the axes begin; the choices stand to the left


def draw(ax: Axes, found: Sensitivity) -> Axes:
    """Draw the change of every site's adsorption energy, the first choice uppermost.

    Parameters
    ----------
    ax
        Axes to draw on.
    found
        Energies in eV.
    """
    lines = range(len(found.choices))
    ax.axvline(0.0, color=style.INK, lw=0.6)
    sites = list(found.base)
    for number, (site, (colour, marker)) in enumerate(zip(sites, style.series(), strict=False)):
        shift = 0.7 * ((number + 0.5) / len(sites) - 0.5)  # apart, so that none hides another
        marks = [(c, y + shift) for c, y in zip(found.changes(site), lines, strict=True)]
        there = [(change, y) for change, y in marks if change is not None]
        x, y = zip(*there, strict=True) if there else ((), ())
        ax.hlines(y, 0.0, x, color=colour, lw=0.8)
        ax.plot(x, y, ls="none", color=colour, marker=marker, label=site, clip_on=False)
    for line in lines:
        ax.axhline(line + 0.5, color="#e4e4e4", lw=0.4, zorder=0)
    ax.set_yticks(list(lines), found.choices)
    ax.tick_params(axis="y", length=0.0)
    ax.set_ylim(len(found.choices) - 0.5, -0.5)
    ax.set_xlabel("change of the adsorption energy (eV); to the left: binds more strongly")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(sites))
    return ax


def compose(found: Sensitivity, caption: style.Caption) -> Figure:
    """Compose the figure of a one-by-one sweep, 180 mm wide.

    Parameters
    ----------
    found
        Energies in eV.
    caption
        The energies and the settings of the base.
    """
    tall = LINE_MM * len(found.choices)
    height = ABOVE_MM + tall + BELOW_MM
    with style.page(style.WIDTH_MM, height, caption) as figure:
        draw(style.place(figure, LEFT_MM, ABOVE_MM, style.WIDTH_MM - LEFT_MM - 8.0, tall), found)
    return figure
