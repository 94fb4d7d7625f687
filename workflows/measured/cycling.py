"""Cycled cells: voltage over time, rate steps, capacity and retention by cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.measured.cycling import Cell as Cycled
from analysis.figures.measured.cycling import (
    Unit,
    drawn_cycles,
    full_figure,
    symmetric_figure,
)
from analysis.figures.measured.names import significant
from analysis.measured.cycling import LIMITS, failure, is_symmetric, rate_steps, retention
from workflows.campaign.directory import FIGURES
from workflows.measured.cellpy_library import require_cellpy
from workflows.measured.cyclers import CSV, read_cycler
from workflows.measured.output import make_directory, refusing, small, write_table
from workflows.measured.series import Series, each_once, for_each, read_series
from workflows.measured.statistics import statistics
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
    cyclers: Sequence[str] = (CSV,),
    unit: Unit = PLAIN,
    reference: int | None = None,
    limits: tuple[float, float] = LIMITS,
) -> Iterator[str]:
    """Divide cells' measurements into cycles; write cycles.csv, rates.csv and the figure.

    Parameters
    ----------
    paths
        Files with time_h, voltage_V and current_mA (positive: charge) and, optionally, electrode;
        or those of cyclers.
    into
        Directory for tables and figures.
    electrodes
        As `read_series`.
    cyclers
        One of `CYCLERS`, or 'csv' for CSV and Bio-Logic: one for all files, or one for each.
    unit
        What currents and capacities are divided by.
    reference
        Number of the cycle that the retention refers to; None for the first one.
    limits
        Polarization of a symmetric cell over that of its first half-cycles, within which it works.

    Yields
    ------
    str
        Lines for each cell, then those of the figures.

    Raises
    ------
    UserError
        cellpy is missing, a file cannot be read, or it holds no whole cycle.
    """
    require_cellpy()
    cells: dict[str, Cycled] = {}
    retained: dict[str, list[float]] = {}
    for series in each_once(_read(paths, electrodes, cyclers)):
        name = series.electrode
        with refusing(series.source, name):
            cells[name] = cell = _cell(series, reference, limits)
            retained[name] = list(map(float, retention(cell.cycles, cell.reference)))
    symmetric = {name: cell for name, cell in cells.items() if is_symmetric(cell.voltages)}
    full = {name: cell for name, cell in cells.items() if name not in symmetric}
    make_directory(into)
    _write(into, cells, retained, unit)
    for name, cell in cells.items():
        yield from _lines(name, cell, name in symmetric, retained[name], unit)
    drawings: tuple[tuple[dict[str, Cycled], Callable[..., Figure], str], ...] = (
        (symmetric, symmetric_figure, "cycling-symmetric"),
        (full, full_figure, "cycling-full"),
    )
    for found, draw, stem in drawings:
        if found:
            yield f"figure: {shown(save(draw(found, unit), into / FIGURES, stem)[0])}"


def _read(
    paths: Sequence[Path], electrodes: Sequence[str], cyclers: Sequence[str]
) -> Iterator[Series]:
    kinds = for_each(cyclers, paths, "--cycler")
    names = for_each(electrodes, paths, "--electrode") if electrodes else [p.stem for p in paths]
    for path, cycler, name in zip(paths, kinds, names, strict=True):
        if cycler == CSV:
            yield from read_series([path], [name], NEEDED)
        else:
            yield read_cycler(path, cycler, name)


def _cell(series: Series, reference: int | None, limits: tuple[float, float]) -> Cycled:
    time, voltage = series.columns["time_h"], series.columns["voltage_V"]
    found = statistics(series.columns)
    if not found.cycles:
        raise ValueError("found no whole cycle; allowed: at least one charge and one discharge")
    steps = rate_steps(found.cycles)
    symmetric = is_symmetric(voltage)
    drawn = [] if symmetric else drawn_cycles(found.cycles, steps)
    return Cycled(
        times=time,
        voltages=voltage,
        cycles=found.cycles,
        steps=steps,
        failure=failure(found.halves, limits) if symmetric else None,
        reference=found.cycles[0].number if reference is None else reference,
        curves={number: found.curves(number) for number in drawn},
    )


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
    name: str, cell: Cycled, symmetric: bool, kept: list[float], unit: Unit
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
            f"{100 * kept[-1]:.1f} % of that of cycle {cell.reference}"
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
