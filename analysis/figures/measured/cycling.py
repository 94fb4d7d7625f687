"""Cycled cells: voltage over time, capacity by cycle, charge and discharge curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.figures import style
from analysis.figures.measured.names import plain, significant
from analysis.measured.cycling import Curve, Cycle, Failure, RateStep, retention

MOST_POINTS = 20_000  # of a line; above, it is drawn as pixels
CURVES = 6  # cycles whose curves are drawn


@dataclass(frozen=True)
class Unit:
    """What currents and capacities are divided by: nothing, an area or a mass.

    Attributes
    ----------
    size
        Area in cm^2, or mass in g; 1 for none.
    current, capacity
        The units, such as 'mA cm^-2', as matplotlib writes them.
    """

    size: float = 1.0
    current: str = "mA"
    capacity: str = "mAh"


@dataclass(frozen=True, eq=False)
class Cell:
    """A cycled cell: time in h and voltage in V with shape (n,), and what was found in them.

    Attributes
    ----------
    times, voltages
        The measurement.
    cycles, steps, failure
        What was found.
    reference
        Number of the cycle that the retention refers to.
    curves
        Charge and discharge of the cycles that `drawn_cycles` names, by their number.
    """

    times: NDArray[np.float64]
    voltages: NDArray[np.float64]
    cycles: Sequence[Cycle]
    steps: Sequence[RateStep]
    failure: Failure | None
    reference: int
    curves: Mapping[int, tuple[Curve, Curve]]


def drawn_cycles(cycles: Sequence[Cycle], steps: Sequence[RateStep]) -> list[int]:
    """Return numbers of cycles whose curves are drawn: the first of each rate step, or a few."""
    if len(steps) > 1:
        return [step.first for step in steps][:CURVES]
    spread = np.linspace(0, len(cycles) - 1, min(CURVES, len(cycles)))
    return [cycles[round(float(x))].number for x in spread]


def symmetric_figure(cells: Mapping[str, Cell], unit: Unit) -> Figure:
    """Draw voltage and polarization of symmetric cells over time, by name (see Fig. 2)."""
    caption = style.Caption(
        "Symmetric cells: voltage over time, and polarization (half the difference between the "
        "mean voltages of plating and stripping) by cycle. Dashed: the hour when a cell fails."
    )
    with style.page(style.WIDTH_MM, 98.0, caption) as figure:
        upper = style.place(figure, 16.0, 4.0, 160.0, 48.0)
        lower = style.place(figure, 16.0, 60.0, 160.0, 28.0)
        draw_voltage(upper, cells)
        lower.set_xlim(upper.get_xlim())
        draw_polarization(lower, cells, unit)
        upper.tick_params(labelbottom=False)
    return figure


def full_figure(cells: Mapping[str, Cell], unit: Unit) -> Figure:
    """Draw capacities by cycle, and the curves of the first cell (see Fig. 6)."""
    name, first = next(iter(cells.items()))
    caption = style.Caption(
        "Full cells: discharge capacity (filled) and Coulombic efficiency (open) by cycle, with "
        f"the current of each step; charge and discharge curves of {plain(name)}."
    )
    with style.page(style.WIDTH_MM, 68.0, caption) as figure:
        draw_capacity(style.place(figure, 14.0, 6.0, 84.0, 52.0), cells, unit)
        draw_curves(style.place(figure, 124.0, 6.0, 52.0, 52.0), first, unit)
    return figure


def draw_voltage(ax: Axes, cells: Mapping[str, Cell]) -> Axes:
    """Draw voltage in V over time in h, with the hour when each cell fails.

    Parameters
    ----------
    ax
        Axes to draw on.
    cells
        By name; the last is drawn first, so that the first lies on top.
    """
    looks = dict(zip(cells, style.series(), strict=False))
    for depth, (name, cell) in enumerate(reversed(list(cells.items()))):
        colour, _ = looks[name]
        label = plain(name)
        if cell.failure is not None:
            label += f": {cell.failure.kind} at {cell.failure.time:.4g} h"
            ax.axvline(cell.failure.time, color=colour, lw=0.8, dashes=(3.0, 2.0), zorder=5)
        ax.plot(
            cell.times, cell.voltages, color=colour, lw=0.4, alpha=0.85, label=label,
            zorder=2 + depth / 100, rasterized=len(cell.times) > MOST_POINTS,
        )  # fmt: skip
    # a few points at a failure must not flatten all others
    limit = max(float(np.quantile(np.abs(cell.voltages), 0.995)) for cell in cells.values())
    ax.set_ylim(-1.3 * limit, 1.7 * limit)
    ax.set_ylabel("voltage (V)")
    handles, labels = ax.get_legend_handles_labels()
    for handle in (legend := ax.legend(handles[::-1], labels[::-1], loc="upper left")).get_lines():
        handle.set_linewidth(1.2)
    legend.set_zorder(10)
    return ax


def draw_polarization(ax: Axes, cells: Mapping[str, Cell], unit: Unit) -> Axes:
    """Draw polarization in mV over time in h; where the current changes, it is written above."""
    for (_, cell), (colour, marker) in zip(cells.items(), style.series(), strict=False):
        hours = [cycle.start for cycle in cell.cycles]
        values = [1e3 * cycle.polarization for cycle in cell.cycles]
        ax.plot(hours, values, marker, color=colour, ms=1.8, mew=0.0)
    ax.set_xlabel("time (h)")
    ax.set_ylabel("polarization (mV)")
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    first = next(iter(cells.values()))
    if len(first.steps) > 1:
        starts = {cycle.number: cycle.start for cycle in first.cycles}
        _name_steps(ax, first.steps, {s.first: starts[s.first] for s in first.steps}, unit)
    return ax


def draw_capacity(ax: Axes, cells: Mapping[str, Cell], unit: Unit) -> Axes:
    """Draw discharge capacity and, on a scale at the right, Coulombic efficiency by cycle.

    The legend has what the last cycle retains of the reference cycle.
    """
    right = ax.twinx()
    right.spines["right"].set_visible(True)
    for (name, cell), (colour, marker) in zip(cells.items(), style.series(), strict=False):
        numbers = [cycle.number for cycle in cell.cycles]
        size = 2.4 if len(numbers) < 150 else 1.4
        capacities = [cycle.discharge.capacity / unit.size for cycle in cell.cycles]
        kept = 100.0 * float(retention(cell.cycles, cell.reference)[-1])
        label = f"{plain(name)}: {kept:.1f} % of cycle {cell.reference} in cycle {numbers[-1]}"
        ax.plot(numbers, capacities, marker, color=colour, ms=size, mew=0.0, label=label)
        right.plot(
            numbers, [100.0 * cycle.efficiency for cycle in cell.cycles], marker, color=colour,
            ms=size, mfc="none", mew=0.4, alpha=0.7,
        )  # fmt: skip
    top = max(c.discharge.capacity for cell in cells.values() for c in cell.cycles) / unit.size
    ax.set_ylim(0.0, 1.45 * (top or 1.0))
    right.set_ylim(0.0, 112.0)
    ax.set_xlabel("cycle")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_ylabel(f"discharge capacity ({unit.capacity})")
    right.set_ylabel("Coulombic efficiency (%)")
    ax.legend(loc="lower left")
    first = next(iter(cells.values()))
    if len(first.steps) > 1:
        _name_steps(ax, first.steps, {step.first: step.first for step in first.steps}, unit)
    return ax


def _name_steps(
    ax: Axes, steps: Sequence[RateStep], places: Mapping[int, float], unit: Unit
) -> None:
    """Write the current of each rate step above its beginning, on two lines where it is narrow.

    What has room on neither is left out.
    """
    ends = [-np.inf, -np.inf]  # of the last text on each line, in points
    for step in steps:
        text, place = significant(step.current / unit.size), places[step.first]
        x = ax.transData.transform((place, 0.0))[0] * 72.0 / ax.figure.dpi
        line = next((k for k, end in enumerate(ends) if x > end), None)
        if line is None:
            continue
        ends[line] = x + 6.0 * (0.6 * len(text) + 0.5)  # 6 points high, digits 0.6 as wide
        ax.annotate(
            text, (place, 1.0), (0.0, 1.0 + 7.0 * line), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=6.0, color=style.MUTED, ha="left", va="bottom",
        )  # fmt: skip
    ax.annotate(
        f"{unit.current}:", (0.0, 1.0), (-3.0, 1.0), xycoords="axes fraction",
        textcoords="offset points", fontsize=6.0, color=style.MUTED, ha="right", va="bottom",
    )  # fmt: skip


def draw_curves(ax: Axes, cell: Cell, unit: Unit) -> Axes:
    """Draw voltage in V over capacity: of the first cycle of each rate step, or of a few cycles."""
    currents = {cycle.number: cycle.current for cycle in cell.cycles}
    shades = np.linspace(1.0, 0.25, len(cell.curves))
    for (number, (charge, discharge)), shade in zip(cell.curves.items(), shades, strict=True):
        label = str(number)
        if len(cell.steps) > 1:
            label = f"{number}: {significant(currents[number] / unit.size)}"
        for curve in (charge, discharge):
            ax.plot(
                curve.capacities / unit.size, curve.voltages, color=style.OURS,
                alpha=float(shade), lw=0.8, label=label if curve is charge else None,
                rasterized=len(curve.voltages) > MOST_POINTS,
            )  # fmt: skip
    ax.set_xlabel(f"capacity ({unit.capacity})")
    ax.set_ylabel("voltage (V)")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.5 * (high - low))  # room for the legend
    title = f"cycle: current ({unit.current})" if len(cell.steps) > 1 else "cycle"
    ax.legend(loc="upper left", ncols=2, title=title, title_fontsize=6.0, alignment="left")
    return ax
