"""Voltage over time at the start of plating, with the dip and the plateau."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.figures.measured.names import plain
from analysis.measured.nucleation import Nucleation

WIDTH_MM, HEIGHT_MM = 88.0, 62.0


def nucleation_figure(found: Mapping[str, Nucleation]) -> Figure:
    """Draw the plating steps of several electrodes, by name."""
    caption = style.Caption(
        "Nucleation overpotential: from the lowest voltage (mark) to the plateau, the median over "
        "the thick line."
    )
    with style.page(WIDTH_MM, HEIGHT_MM, caption) as figure:
        draw_nucleation(style.place(figure, 14.0, 4.0, 70.0, 46.0), found)
    return figure


def draw_nucleation(ax: Axes, found: Mapping[str, Nucleation]) -> Axes:
    """Draw voltage in mV over time in h.

    Parameters
    ----------
    ax
        Axes to draw on.
    found
        Dip and plateau by the name of the electrode.
    """
    looks = zip(found.items(), style.series(), strict=False)
    for number, ((name, one), (colour, marker)) in enumerate(looks):
        dip, plateau = 1e3 * one.minimum, 1e3 * one.plateau
        ax.plot(
            one.times, 1e3 * one.voltages, color=colour, lw=0.7, rasterized=len(one.times) > 5000
        )
        ax.plot(one.window, (plateau, plateau), color=colour, lw=2.5, alpha=0.5)
        # the arrow stands where the curve is flat, beside those of the others
        place = one.minimum_time + (0.35 + 0.1 * (number % 6)) * (one.window[0] - one.minimum_time)
        for level, end in ((dip, place), (plateau, one.window[0])):
            ax.plot((one.minimum_time, end), (level, level), color=colour, lw=0.5, ls=":")
        arrow = {"arrowstyle": "<->", "color": colour, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (place, dip), (place, plateau), arrowprops=arrow)
        label = f"{plain(name)}: {1e3 * one.overpotential:.1f} mV"
        ax.plot(one.minimum_time, dip, marker, color=colour, ms=3.0, label=label)
    ax.set_xlabel("time since plating began (h)")
    ax.set_ylabel("voltage (mV)")
    ax.legend(loc="lower right")
    return ax
