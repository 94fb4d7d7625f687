"""The plane-averaged electrostatic potential with Fermi level, vacuum levels, work functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from analysis.figures import style

if TYPE_CHECKING:
    from analysis.potential import Side, WorkFunctions


def draw_potential(
    ax: Axes, z: ArrayLike, potential: ArrayLike, fermi_level: float, found: WorkFunctions
) -> Axes:
    """Draw the potential energy of an electron along z, both vacuum levels and work functions.

    Parameters
    ----------
    ax
        Axes to draw on.
    z
        Heights, angstrom, with shape (n,).
    potential
        Plane-averaged potential energy of an electron, eV, with shape (n,).
    fermi_level
        Fermi level, eV.
    found
        Vacuum levels and work functions, eV.
    """
    z_z, v_z = np.asarray(z, dtype=float), np.asarray(potential, dtype=float)
    ax.plot(z_z, v_z, color=style.OURS)
    ax.axhline(fermi_level, color=style.SECOND, lw=0.8, ls="--")
    inside = 0.5 * (found.below.window[1] + found.above.window[0])
    paper_white = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    ax.text(
        inside, fermi_level, "Fermi level", color=style.SECOND, ha="center", va="center",
        fontsize=style.SMALLEST_POINT, bbox=paper_white,
    )  # fmt: skip
    for side, ha in ((found.below, "left"), (found.above, "right")):
        _draw_side(ax, side, fermi_level, ha)
    top = max(float(v_z.max()), found.below.level, found.above.level)
    bottom = min(float(v_z.min()), fermi_level)
    ax.set_xlim(z_z[0], z_z[-1])
    ax.set_ylim(bottom - 0.06 * (top - bottom), top + 0.2 * (top - bottom))
    ax.set_xlabel("z (Å)")
    ax.set_ylabel("potential energy of an electron (eV)")
    return ax


def _draw_side(ax: Axes, side: Side, fermi_level: float, ha: str) -> None:
    """Draw one vacuum level, the work function as an arrow, and how flat the level is."""
    low, high = side.window
    ax.axvspan(low, high, color=style.PAPER, alpha=0.3, lw=0.0)
    middle = 0.5 * (low + high)
    arrow = {"arrowstyle": "<->", "color": style.INK, "lw": 0.8, "shrinkA": 0.0, "shrinkB": 0.0}
    ax.annotate("", (middle, side.level), (middle, fermi_level), arrowprops=arrow)
    ax.annotate(
        f"Φ = {side.work_function:.2f} eV\nflat within {1000.0 * side.flatness:.1f} meV",
        (low if ha == "left" else high, side.level),
        (0.0, 4.0),
        textcoords="offset points",
        ha=ha,
        va="bottom",
        fontsize=style.SMALLEST_POINT,
    )


def compose(
    fields: Mapping[str, tuple[Mapping[str, ArrayLike], WorkFunctions]],
    *,
    caption: str,
    physical: bool,
) -> Figure:
    """Compose a panel for each slab, two beside each other, 180 mm wide.

    Parameters
    ----------
    fields
        By title: heights `z` (angstrom) and `potential` (eV), both of shape (n,), `fermi_level`
        (eV), and the work functions taken from them.
    caption
        Small print: case, cutoff, k-points, functional.
    physical
        Whether the settings allow conclusions; if not, the figure says so across its face.
    """
    small = style.wrapped(caption, style.SMALLEST_POINT, style.WIDTH_MM - 4.0)
    rows = max(1, (len(fields) + 1) // 2)
    with style.context():
        figure = style.new_figure(style.WIDTH_MM, 56.0 * rows + 4.0 + 2.8 * len(small))
        for number, (title, (field, found)) in enumerate(fields.items()):
            left, top = 14.0 + 90.0 * (number % 2), 6.0 + 56.0 * (number // 2)
            ax = style.place(figure, left, top, 72.0, 40.0)
            draw_potential(ax, field["z"], field["potential"], _number(field), found)
            style.write(figure, left, top - 1.5, title, va="bottom")
        if not fields:
            ax = style.place(figure, 14.0, 6.0, 72.0, 40.0)
            style.say_missing(ax, "not computed, or too little vacuum")
        style.write(
            figure, 2.0, 56.0 * rows + 2.0, "\n".join(small), fontsize=style.SMALLEST_POINT,
            color=style.MUTED, linespacing=1.3,
        )  # fmt: skip
        if not physical:
            style.watermark(figure)
    return figure


def _number(field: Mapping[str, ArrayLike]) -> float:
    return float(np.asarray(field["fermi_level"]))
