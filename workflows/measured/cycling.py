"""Cycled cells: voltage over time, rate steps, capacity and retention by cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.measured.cycling import Cell as Cycled
from analysis.figures.measured.cycling import Unit, full_figure, symmetric_figure
from analysis.figures.measured.names import significant
from analysis.measured.cycling import (
    LIMITS,
    cycles,
    failure,
    half_cycles,
    is_symmetric,
    rate_steps,
    retention,
)
from workflows.campaign.directory import FIGURES
from workflows.measured.output import make_directory, refusing, small, write_table
from workflows.measured.series import Series, each_once, read_series
from workflows.report.csv_text import Cell
from workflows.report.images import save
from workflows.system.messages import shown

CYCLES, RATES = "cycles.csv", "rates.csv"
NEEDED = (["time_h"], ["voltage_V"], ["current_mA"])
PLAIN = Unit()


def per_area(area: float) -> Unit:
    """Return the unit of currents and capacities by area in cm^2."""
    return Unit(area, "mA cm$^{-2}$", "mAh cm$^{-2}$")


def per_mass(milligrams: float) -> Unit:
    """Return the unit of currents and capacities by mass in mg."""
    return Unit(milligrams / 1e3, "mA g$^{-1}$", "mAh g$^{-1}$")


def evaluate_cycling(
    paths: Sequence[Path],
    into: Path,
    *,
    electrodes: Sequence[str] = (),
    unit: Unit = PLAIN,
    reference: int = 1,
    limits: tuple[float, float] = LIMITS,
) -> Iterator[str]:
    """Divide cells' measurements into cycles; write cycles.csv, rates.csv and the figure.

    Parameters
    ----------
    paths
        Files with time_h, voltage_V and current_mA (positive: charge) and, optionally, electrode.
    into
        Directory for tables and figures.
    electrodes
        As `read_series`.
    unit
        What currents and capacities are divided by.
    reference
        Number of the cycle that the retention refers to.
    limits
        Polarization of a symmetric cell over that of its first half-cycles, within which it works.

    Yields
    ------
    str
        Lines for each cell, then those of the figures.

    Raises
    ------
    UserError
        A file cannot be read, or holds no whole cycle.
    """
    cells: dict[str, Cycled] = {}
    retained: dict[str, list[float]] = {}
    for series in each_once(read_series(paths, electrodes, NEEDED)):
        name = series.electrode
        with refusing(series.source, name):
            cells[name] = _cell(series, limits)
            retained[name] = list(map(float, retention(cells[name].cycles, reference)))
    symmetric = {name: cell for name, cell in cells.items() if is_symmetric(cell.voltages)}
    full = {name: cell for name, cell in cells.items() if name not in symmetric}
    make_directory(into)
    _write(into, cells, retained, unit)
    for name, cell in cells.items():
        yield from _lines(
            name, cell, name in symmetric, retained[name], reference=reference, unit=unit
        )
    drawings: tuple[tuple[dict[str, Cycled], Callable[..., Figure], str], ...] = (
        (symmetric, symmetric_figure, "cycling-symmetric"),
        (full, partial(full_figure, reference=reference), "cycling-full"),
    )
    for found, draw, stem in drawings:
        if found:
            yield f"figure: {shown(save(draw(found, unit), into / FIGURES, stem)[0])}"


def _cell(series: Series, limits: tuple[float, float]) -> Cycled:
    time, voltage, current = (series.columns[names[0]] for names in NEEDED)
    halves = half_cycles(time, voltage, current)
    found = cycles(halves)
    if not found:
        raise ValueError("found no whole cycle; allowed: at least one charge and one discharge")
    failed = failure(halves, limits) if is_symmetric(voltage) else None
    return Cycled(time, voltage, found, rate_steps(found), failed)


def _text(unit: str) -> str:
    """Return a unit as the name of a column has it, such as 'mAh_per_cm2'."""
    return unit.replace("$^{-2}$", "2").replace("$^{-1}$", "").replace(" ", "_per_")


def _write(
    into: Path, cells: Mapping[str, Cycled], retained: Mapping[str, list[float]], unit: Unit
) -> None:
    current, capacity = _text(unit.current), _text(unit.capacity)
    header = (
        "electrode", "cycle", "start_h", f"current_{current}", f"charge_capacity_{capacity}",
        f"discharge_capacity_{capacity}", "efficiency_percent", "retention_percent",
        "polarization_mV",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            name, str(cycle.number), cycle.start, small(cycle.current / unit.size),
            small(cycle.charge.capacity / unit.size), small(cycle.discharge.capacity / unit.size),
            100 * cycle.efficiency, 100 * kept, 1e3 * cycle.polarization,
        ]
        for name, cell in cells.items()
        for cycle, kept in zip(cell.cycles, retained[name], strict=True)
    ]  # fmt: skip
    write_table(into, CYCLES, header, rows)
    of_steps = (
        "electrode", "first_cycle", "last_cycle", f"current_{current}",
        f"discharge_capacity_{capacity}", "polarization_mV",
    )  # fmt: skip
    steps: list[list[Cell]] = [
        [
            name, str(step.first), str(step.last), small(step.current / unit.size),
            small(step.capacity / unit.size), 1e3 * step.polarization,
        ]
        for name, cell in cells.items()
        for step in cell.steps
    ]  # fmt: skip
    write_table(into, RATES, of_steps, steps)


def _lines(
    name: str, cell: Cycled, symmetric: bool, kept: list[float], *, reference: int, unit: Unit
) -> Iterator[str]:
    start, last = shown(name), cell.cycles[-1]
    current, capacity = (_plain(text) for text in (unit.current, unit.capacity))
    if symmetric:
        failed = cell.failure
        end = (
            f"no failure in {cell.times[-1]:.4g} h"
            if failed is None
            else f"fails at {failed.time:.4g} h ({failed.kind}: {failed.ratio:.2g} times the "
            "polarization of its first half-cycles at this current)"
        )
        yield f"{start}: symmetric cell, {len(cell.cycles)} cycles; {end}"
    else:
        yield (
            f"{start}: full cell, {len(cell.cycles)} cycles; discharge capacity "
            f"{significant(last.discharge.capacity / unit.size, 4)} {capacity} in the last one, "
            f"{100 * kept[-1]:.1f} % of that of cycle {reference}"
        )
    if len(cell.steps) > 1:
        for step in cell.steps:
            rate = f"{significant(step.current / unit.size)} {current}"
            mean = f"{significant(step.capacity / unit.size, 4)} {capacity}"
            yield (
                f"{start}: cycles {step.first}-{step.last} at {rate}: {mean}, polarization "
                f"{1e3 * step.polarization:.1f} mV"
            )


def _plain(unit: str) -> str:
    return _text(unit).replace("_per_", "/").replace("2", "²")
