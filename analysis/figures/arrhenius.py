"""Arrhenius lines of charge transfer: measured points with fits, or the published slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis import paper
from analysis.arrhenius import published_line
from analysis.figures import style

if TYPE_CHECKING:
    from analysis.arrhenius import Fit

REFERENCE = 298.15  # K
COLDEST, HOTTEST = 283.15, 333.15  # K: the range drawn where there are no data
NAMED = 8  # electrodes in legend and caption
LINE = 0.05  # height of a line of the legend over that of the axes
NO_DATA = "slopes as published;\nthe paper prints no data"
_COLOURS = (style.OURS, style.SECOND, "#009e73", "#cc79a7", "#4d4d4d")
_MARKERS = "osD^v"
_DASHES = ((), (4.0, 1.6), (1.2, 1.4), (5.0, 1.4, 1.2, 1.4), (2.4, 1.4))


def explanation(fits: Mapping[str, Fit]) -> str:
    """Give the caption of what `draw_arrhenius` draws: the fits, or the published slopes."""
    if fits:
        several = any(len(set(fit.temperatures)) < len(fit.temperatures) for fit in fits.values())
        return (
            "T / R_ct = A exp(−E_a / RT), fitted to the measured charge-transfer resistances of "
            f"{_few(list(map(_plain, fits)))}"
            + ("; bars: standard deviation of the cells at one temperature." if several else ".")
        )
    return f"Slopes of ln(T / R_ct) = ln A − E_a / RT as published, {paper.REFERENCE}."


def _few(names: list[str]) -> str:
    """Name the first electrodes, and say how many there are besides."""
    more = f" and {len(names) - NAMED} more electrodes" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def draw_arrhenius(ax: Axes, fits: Mapping[str, Fit]) -> Axes:
    """Draw ln(T/R_ct) over 1000/T.

    Parameters
    ----------
    ax
        Axes to draw on.
    fits
        Fit per electrode (activation energy kJ/mol; T in K, R_ct in ohm). Without any, the
        published activation energies are drawn as slopes through their value at 298.15 K.
    """
    if fits:
        _draw_fits(ax, fits)
        ax.set_ylabel("ln($T$ / $R_{ct}$), $T$/$R_{ct}$ in K Ω$^{-1}$")
    else:
        _draw_slopes(ax)
        ax.set_ylabel("ln($T$ / $R_{ct}$) − value at 298.15 K")
    ax.set_xlabel("1000 / $T$ (K$^{-1}$)")
    ax.margins(x=0.04)
    handles, labels = ax.get_legend_handles_labels()
    if len(handles) > NAMED:  # more names than there is room for
        handles = [*handles[:NAMED], Line2D([], [], ls="none")]
        labels = [*labels[:NAMED], f"and {len(labels) - NAMED} more"]
    low, high = ax.get_ylim()
    # The lines fall, so the upper right stays free for a legend of a few entries.
    lines = LINE * (len(handles) + 1.5)
    ax.set_ylim(low, high + max(0.22, lines / (1.0 - lines) - 0.15) * (high - low))
    ax.legend(
        handles, labels, loc="upper right", title="$E_a$ (kJ mol$^{-1}$)", title_fontsize=6.0,
        labelspacing=0.3,
    )  # fmt: skip
    return ax


def _draw_slopes(ax: Axes) -> None:
    """Draw the published activation energies as lines that meet at the reference."""
    inverse = np.linspace(1.0 / HOTTEST, 1.0 / COLDEST, 60)
    for number, (name, energy) in enumerate(paper.ACTIVATION_ENERGIES.items()):
        ax.plot(
            1000.0 * inverse,
            published_line(energy, inverse, REFERENCE),
            color=_COLOURS[number],
            dashes=_DASHES[number],
            label=f"{name}: {energy:.2f}",
        )
    ax.text(
        0.03, 0.03, NO_DATA, transform=ax.transAxes, fontsize=6.0, color=style.MUTED, va="bottom"
    )


def _draw_fits(ax: Axes, fits: Mapping[str, Fit]) -> None:
    """Draw measured points and the line fitted to them, electrode by electrode."""
    for number, (name, fit) in enumerate(fits.items()):
        look = number % len(_COLOURS)
        inverse = 1.0 / fit.temperatures
        ends = np.array([inverse.min(), inverse.max()])
        ax.plot(1000.0 * ends, fit.predict(1.0 / ends), color=_COLOURS[look], dashes=_DASHES[look])
        _draw_points(ax, fit, f"{_plain(name)}: {energy_text(fit)}", look)


def _draw_points(ax: Axes, fit: Fit, label: str, look: int) -> None:
    """Draw each cell, and where several were measured at a temperature their mean and spread."""
    colour, marker = _COLOURS[look], _MARKERS[look]
    y = np.log(fit.temperatures / fit.resistances)
    different, of = np.unique(fit.temperatures, return_inverse=True)
    groups = [y[of == number] for number in range(len(different))]
    repeated = any(len(group) > 1 for group in groups)
    if repeated:
        x = 1000.0 / fit.temperatures
        ax.plot(x, y, color=colour, marker=marker, ls="none", ms=1.8, mew=0.0, alpha=0.5)
    ax.errorbar(
        1000.0 / different,
        [group.mean() for group in groups],
        yerr=[group.std(ddof=1) if len(group) > 1 else 0.0 for group in groups]
        if repeated
        else None,
        color=colour,
        marker=marker,
        ls="none",
        elinewidth=0.7,
        capsize=1.5,
        label=label,
    )


def _plain(name: str) -> str:
    """Return a name in which matplotlib finds no formulas between dollar signs."""
    return name.replace("$", r"\$")


def energy_text(fit: Fit) -> str:
    """Write the activation energy in kJ/mol with its standard error, where there is one.

    One that the data do not determine, or that is not above zero, is followed by what it is.
    """
    text = f"{fit.activation_energy:.1f}".replace("-", "−")
    if math.isfinite(fit.activation_energy_error):
        text += f" ± {fit.activation_energy_error:.1f}"
    if not fit.caveat:
        return text
    return text + (" (not above zero)" if fit.caveat.startswith("not") else " (not determined)")
