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
from analysis.measured.cycling import Cycle, Failure, RateStep, retention

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
    """A cycled cell: time in h and voltage in V with shape (n,), and what was found in them."""

    times: NDArray[np.float64]
    voltages: NDArray[np.float64]
    cycles: Sequence[Cycle]
    steps: Sequence[RateStep]
    failure: Failure | None


def symmetric_figure(cells: Mapping[str, Cell], unit: Unit) -> Figure:
    """Draw voltage and polarization of symmetric cells over time, by name (see Fig. 2)."""
    caption = style.Caption(
        "Symmetric cells: voltage over time, and polarization (half the difference between the "
        "median voltages of plating and stripping) by cycle. Dashed: the hour when a cell fails."
    )
    with style.page(style.WIDTH_MM, 98.0, caption) as figure:
        upper = style.place(figure, 16.0, 4.0, 160.0, 48.0)
        lower = style.place(figure, 16.0, 60.0, 160.0, 28.0)
        draw_voltage(upper, cells)
        draw_polarization(lower, cells, unit)
        lower.set_xlim(upper.get_xlim())
        upper.tick_params(labelbottom=False)
    return figure


def full_figure(cells: Mapping[str, Cell], unit: Unit, reference: int = 1) -> Figure:
    """Draw capacities by cycle, and the curves of the first cell (see Fig. 6).

    `reference` is the number of the cycle that the retention refers to.
    """
    name, first = next(iter(cells.items()))
    caption = style.Caption(
        "Full cells: discharge capacity (filled) and Coulombic efficiency (open) by cycle, with "
        f"the current of each step; charge and discharge curves of {plain(name)}."
    )
    with style.page(style.WIDTH_MM, 68.0, caption) as figure:
        draw_capacity(style.place(figure, 14.0, 6.0, 84.0, 52.0), cells, unit, reference)
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


def draw_capacity(ax: Axes, cells: Mapping[str, Cell], unit: Unit, reference: int = 1) -> Axes:
    """Draw discharge capacity and, on a scale at the right, Coulombic efficiency by cycle.

    The legend has what the last cycle retains of the reference cycle.
    """
    right = ax.twinx()
    right.spines["right"].set_visible(True)
    for (name, cell), (colour, marker) in zip(cells.items(), style.series(), strict=False):
        numbers = [cycle.number for cycle in cell.cycles]
        size = 2.4 if len(numbers) < 150 else 1.4
        capacities = [cycle.discharge.capacity / unit.size for cycle in cell.cycles]
        kept = 100.0 * float(retention(cell.cycles, reference)[-1])
        label = f"{plain(name)}: {kept:.1f} % of cycle {reference} in cycle {numbers[-1]}"
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
    """Write the current of each rate step above its beginning."""
    for step in steps:
        ax.annotate(
            significant(step.current / unit.size), (places[step.first], 1.0), (0.0, 1.0),
            xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=6.0,
            color=style.MUTED, ha="left", va="bottom",
        )  # fmt: skip
    ax.annotate(
        f"{unit.current}:", (0.0, 1.0), (-3.0, 1.0), xycoords="axes fraction",
        textcoords="offset points", fontsize=6.0, color=style.MUTED, ha="right", va="bottom",
    )  # fmt: skip


def draw_curves(ax: Axes, cell: Cell, unit: Unit) -> Axes:
    """Draw voltage in V over capacity: of the first cycle of each rate step, or of a few cycles."""
    if len(cell.steps) > 1:
        numbers = [step.first for step in cell.steps][:CURVES]
    else:
        spread = np.linspace(1, len(cell.cycles), min(CURVES, len(cell.cycles)))
        numbers = sorted({round(float(x)) for x in spread})
    by_number = {cycle.number: cycle for cycle in cell.cycles}
    for number, shade in zip(numbers, np.linspace(1.0, 0.25, len(numbers)), strict=True):
        cycle = by_number[number]
        label = str(number)
        if len(cell.steps) > 1:
            label = f"{number}: {significant(cycle.current / unit.size)}"
        for half in (cycle.charge, cycle.discharge):
            ax.plot(
                half.capacities / unit.size, half.voltages, color=style.OURS, alpha=float(shade),
                lw=0.8, label=label if half is cycle.charge else None,
                rasterized=len(half.voltages) > MOST_POINTS,
            )  # fmt: skip
    ax.set_xlabel(f"capacity ({unit.capacity})")
    ax.set_ylabel("voltage (V)")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.5 * (high - low))  # room for the legend
    title = f"cycle: current ({unit.current})" if len(cell.steps) > 1 else "cycle"
    ax.legend(loc="upper left", ncols=2, title=title, title_fontsize=6.0, alignment="left")
    return ax
