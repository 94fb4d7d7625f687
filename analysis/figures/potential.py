"""The plane-averaged electrostatic potential with Fermi level, vacuum levels, work functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style

if TYPE_CHECKING:
    from analysis.potential import Potential, Side, WorkFunctions

ROW = 56.0  # mm, height of a row of panels


def draw_potential(ax: Axes, along_z: Potential, found: WorkFunctions) -> Axes:
    """Draw the potential energy of an electron along z, both vacuum levels and work functions.

    Parameters
    ----------
    ax
        Axes to draw on.
    along_z
        Potential and Fermi level, eV, over the height, angstrom.
    found
        Vacuum levels and work functions, eV.
    """
    z_z, v_z = (np.asarray(row, dtype=float) for row in (along_z.z, along_z.potential))
    fermi_level = along_z.fermi_level
    ax.plot(z_z, v_z, color=style.OURS)
    ax.axhline(fermi_level, color=style.SECOND, lw=0.8, ls="--")
    inside = 0.5 * (found.below.window[1] + found.above.window[0])
    paper_white = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    ax.text(
        inside, fermi_level, "Fermi level", color=style.SECOND, ha="center", va="center",
        fontsize=style.SMALLEST_POINT, bbox=paper_white,
    )  # fmt: skip
    top = max(float(v_z.max()), found.below.level, found.above.level)
    bottom = min(float(v_z.min()), fermi_level)
    for side, ha in ((found.below, "left"), (found.above, "right")):
        _draw_side(ax, side, fermi_level, ha, top)
    ax.set_xlim(z_z[0], z_z[-1])
    ax.set_ylim(bottom - 0.06 * (top - bottom), top + 0.2 * (top - bottom))
    ax.set_xlabel("z (Å)")
    ax.set_ylabel("potential energy of an electron (eV)")
    return ax


def _draw_side(ax: Axes, side: Side, fermi_level: float, ha: str, top: float) -> None:
    """Draw one vacuum level, the work function as an arrow, and how flat the level is."""
    low, high = side.window
    ax.axvspan(low, high, color=style.PAPER, alpha=0.3, lw=0.0)
    text = f"no work function:\nvaries by {side.flatness:.1f} eV"
    if side.work_function is not None:
        middle = 0.5 * (low + high)
        arrow = {"arrowstyle": "<->", "color": style.INK, "lw": 0.8, "shrinkA": 0.0, "shrinkB": 0.0}
        ax.annotate("", (middle, side.level), (middle, fermi_level), arrowprops=arrow)
        text = f"Φ = {side.work_function:.2f} eV\nflat within {1000.0 * side.flatness:.1f} meV"
    ax.annotate(
        text,
        (low if ha == "left" else high, top),
        (3.0 if ha == "left" else 0.0, 4.0),
        textcoords="offset points",
        ha=ha,
        va="bottom",
        fontsize=style.SMALLEST_POINT,
    )


def compose(
    slabs: Mapping[str, tuple[Potential, WorkFunctions]],
    caption: style.Caption,
) -> Figure:
    """Compose a panel for each slab, two beside each other, 180 mm wide.

    Parameters
    ----------
    slabs
        By title: the potential (eV) along z (angstrom), and the work functions taken from it.
    caption
        Small print: case, cutoff, k-points, functional.
    """
    rows = max(1, (len(slabs) + 1) // 2)
    with style.page(style.WIDTH_MM, ROW * rows + 2.0, caption) as figure:
        for number, (title, (along_z, found)) in enumerate(slabs.items()):
            left, top = 14.0 + 90.0 * (number % 2), 6.0 + ROW * (number // 2)
            ax = style.place(figure, left, top, 72.0, 40.0)
            draw_potential(ax, along_z, found)
            style.write(figure, left, top - 1.5, title, va="bottom")
        if not slabs:
            ax = style.place(figure, 14.0, 6.0, 72.0, 40.0)
            style.note_missing(ax, "not computed, or too little vacuum")
    return figure
