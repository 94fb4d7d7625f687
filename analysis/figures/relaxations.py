"""How relaxations went: energy and largest force by ionic step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style

# energies (eV) and largest forces (eV/angstrom) of the steps of one relaxation
Trace = tuple[Sequence[float], Sequence[float]]


def draw_energies(ax: Axes, traces: Mapping[str, Trace]) -> Axes:
    """Draw each relaxation's energy above its last one.

    Parameters
    ----------
    ax
        Axes to draw on.
    traces
        By name: energies (eV) and largest forces (eV/angstrom) of the steps.
    """
    for name, (energies, _) in traces.items():
        above = np.asarray(energies) - energies[-1]
        ax.plot(range(1, len(above) + 1), 1000.0 * above, marker=".", ms=3.0, lw=0.8, label=name)
    ax.set_yscale("symlog", linthresh=1.0)
    ax.axhline(0.0, color=style.MUTED, lw=0.5)
    ax.set_xlabel("ionic step")
    ax.set_ylabel("energy above the last (meV)")
    return ax


def draw_forces(ax: Axes, traces: Mapping[str, Trace], fmax: float) -> Axes:
    """Draw each relaxation's largest force, and the one asked for.

    Parameters
    ----------
    ax
        Axes to draw on.
    traces
        As for `draw_energies`.
    fmax
        Largest force allowed, eV/angstrom.
    """
    for name, (_, forces) in traces.items():
        ax.plot(range(1, len(forces) + 1), forces, marker=".", ms=3.0, lw=0.8, label=name)
    ax.axhline(fmax, color=style.INK, lw=0.6, ls="--")
    ax.set_yscale("log")
    ax.set_xlabel("ionic step")
    ax.set_ylabel("largest force (eV/Å)")
    return ax


def compose(traces: Mapping[str, Trace], fmax: float, *, caption: str, physical: bool) -> Figure:
    """Compose energies and forces of all relaxations side by side, 180 mm wide.

    Parameters
    ----------
    traces
        By task: energies (eV) and largest forces (eV/angstrom) of the steps.
    fmax
        Largest force allowed, eV/angstrom.
    caption
        Small print: case, cutoff, k-points, functional.
    physical
        Whether the settings allow conclusions; if not, the figure says so across its face.
    """
    small = style.wrapped(caption, style.SMALLEST_POINT, style.WIDTH_MM - 4.0)
    rows = -(-len(traces) // 4)
    height = 70.0 + 3.2 * rows
    whole = height + 2.8 * len(small) + 2.0
    with style.context():
        figure = style.new_figure(style.WIDTH_MM, whole)
        left, right = (style.place(figure, x, 6.0, 70.0, 48.0) for x in (15.0, 107.0))
        if traces:
            draw_energies(left, traces)
            draw_forces(right, traces, fmax)
            figure.legend(
                *left.get_legend_handles_labels(), ncols=4, fontsize=style.SMALLEST_POINT,
                loc="upper center", bbox_to_anchor=(0.5, 1.0 - 66.0 / whole),
                frameon=False,
            )  # fmt: skip
        else:
            style.say_missing(left, "no relaxation yet")
            style.say_missing(right, "no relaxation yet")
        style.write(
            figure, 2.0, height, "\n".join(small), fontsize=style.SMALLEST_POINT,
            color=style.MUTED, linespacing=1.3,
        )  # fmt: skip
        if not physical:
            style.watermark(figure)
    return figure
