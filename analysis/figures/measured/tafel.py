"""Tafel plot: the logarithm of the current over the overpotential, with the fitted lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import style
from analysis.figures.measured.names import plain
from analysis.measured.tafel import Branch

WIDTH_MM, HEIGHT_MM = 88.0, 70.0


@dataclass(frozen=True, eq=False)
class Curve:
    """A measured curve: η in V, i in mA/cm^2, both with shape (n,), and its fitted branches."""

    overpotentials: NDArray[np.float64]
    currents: NDArray[np.float64]
    branches: Sequence[Branch]


def tafel_figure(curves: Mapping[str, Curve]) -> Figure:
    """Draw the curves of several electrodes, by name."""
    low, high = next(iter(curves.values())).branches[0].window
    caption = style.Caption(
        f"Tafel lines fitted from {1e3 * low:g} to {1e3 * high:g} mV (shaded), extrapolated to "
        "zero overpotential: the exchange current density."
    )
    with style.page(WIDTH_MM, HEIGHT_MM, caption) as figure:
        draw_tafel(style.place(figure, 14.0, 4.0, 70.0, 54.0), curves)
    return figure


def draw_tafel(ax: Axes, curves: Mapping[str, Curve]) -> Axes:
    """Draw |i| in mA/cm^2 on a logarithmic scale over η in mV.

    Parameters
    ----------
    ax
        Axes to draw on.
    curves
        By the name of the electrode.
    """
    for (name, curve), (colour, marker) in zip(curves.items(), style.series(), strict=False):
        shown = curve.currents != 0.0
        ax.plot(
            1e3 * curve.overpotentials[shown], np.abs(curve.currents[shown]), marker, ms=1.8,
            mew=0.0, color=colour, alpha=0.6, rasterized=shown.sum() > 5000,
        )  # fmt: skip
        for number, branch in enumerate(curve.branches):
            sign = -1.0 if branch.name == "cathodic" else 1.0
            ends = np.array([0.0, branch.window[1]])
            label = f"{plain(name)}, {branch.name}: {branch.exchange_current:.3g}"
            ax.plot(
                1e3 * sign * ends, branch.exchange_current * 10.0 ** (ends / branch.slope),
                color=colour, lw=0.9, ls="-" if number == 0 else "--", label=label,
            )  # fmt: skip
            ax.axvspan(*(1e3 * sign * x for x in branch.window), color="#efefef", lw=0, zorder=0)
    ax.set_yscale("log")
    ax.set_xlabel("overpotential $η$ (mV)")
    ax.set_ylabel("$|i|$ (mA cm$^{-2}$)")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** (0.07 * (1 + len(ax.get_lines()) / 2)))
    ax.legend(title="$i_0$ (mA cm$^{-2}$)", title_fontsize=6.0, loc="upper center")
    return ax
