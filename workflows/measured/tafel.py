"""Tafel plots: the exchange current density of each electrode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis import paper
from analysis.figures.measured.tafel import Curve, tafel_figure
from analysis.measured import tafel
from analysis.measured.tafel import TEMPERATURE, WINDOW, Branch
from workflows.campaign.directory import FIGURES
from workflows.measured.output import make_directory, published, refusing, small, write_table
from workflows.measured.series import Series, each_once, read_series
from workflows.report.csv_text import Cell
from workflows.report.images import save
from workflows.system.messages import UserError, shown

TAFEL = "tafel.csv"
HEADER = (
    "electrode", "branch", "from_mV", "to_mV", "points", "i0_mA_per_cm2", "i0_error_mA_per_cm2",
    "i0_with_reverse_reaction_mA_per_cm2",
    "slope_mV_per_decade", "slope_error_mV_per_decade", "transfer_coefficient", "temperature_K",
    "caveats", "source",
)  # fmt: skip
NEEDED = (["overpotential_V", "voltage_V"], ["current_density_mA_per_cm2", "current_mA"])


def fit_tafel(
    paths: Sequence[Path],
    into: Path,
    *,
    electrodes: Sequence[str] = (),
    area: float | None = None,
    window: tuple[float, float] = WINDOW,
    temperature: float = TEMPERATURE,
) -> Iterator[str]:
    """Fit Tafel lines; write tafel.csv and the figure.

    Parameters
    ----------
    paths
        Files with overpotential_V or voltage_V, and current_density_mA_per_cm2 or current_mA.
    into
        Directory for table and figure.
    electrodes
        As `read_series`.
    area
        Of the electrode in cm^2, for files with currents instead of current densities.
    window
        Lowest and highest |overpotential| of the fit, V.
    temperature
        In K, for the transfer coefficient and the share of the reverse reaction.

    Yields
    ------
    str
        Lines for each branch, then one for the figure.

    Raises
    ------
    UserError
        A file cannot be read, the area is missing, or no branch has points in the window.
    """
    curves: dict[str, Curve] = {}
    sources: dict[str, str] = {}
    for series in each_once(read_series(paths, electrodes, NEEDED)):
        curves[series.electrode] = _curve(series, area, window, temperature)
        sources[series.electrode] = series.source
    make_directory(into)
    write_table(
        into,
        TAFEL,
        HEADER,
        [_row(name, b, sources[name]) for name, c in curves.items() for b in c.branches],
    )
    for name, curve in curves.items():
        for branch in curve.branches:
            yield from _lines(name, branch)
    yield f"figure: {shown(save(tafel_figure(curves), into / FIGURES, 'tafel')[0])}"


def _curve(
    series: Series, area: float | None, window: tuple[float, float], temperature: float
) -> Curve:
    columns = series.columns
    if "current_density_mA_per_cm2" in columns:
        current = columns["current_density_mA_per_cm2"]
    elif area is None:
        raise UserError(
            f"{series.source}: found currents without an area; allowed: --area CM2, or a column "
            "current_density_mA_per_cm2"
        )
    else:
        current = columns["current_mA"] / area
    with refusing(series.source, series.electrode):
        eta = columns.get("overpotential_V")
        if eta is None:
            eta = tafel.overpotential(columns["voltage_V"], current)
        return Curve(eta, current, tafel.fit(eta, current, window, temperature))


def _row(name: str, branch: Branch, source: str) -> list[Cell]:
    return [
        name, branch.name, *(small(1e3 * x) for x in branch.window), str(len(branch.currents)),
        small(branch.exchange_current), small(branch.exchange_current_error),
        small(branch.corrected),
        1e3 * branch.slope, 1e3 * branch.slope_error, branch.transfer_coefficient,
        branch.temperature, "; ".join(branch.caveats), source,
    ]  # fmt: skip


def _lines(name: str, branch: Branch) -> Iterator[str]:
    start = f"{shown(name)}, {branch.name}"
    beside = published(paper.EXCHANGE_CURRENT_DENSITIES, name, "mA/cm²")
    low, high = (1e3 * x for x in branch.window)
    yield (
        f"{start}: i_0 = {branch.exchange_current:.4g} ± {branch.exchange_current_error:.2g} "
        f"mA/cm², {1e3 * branch.slope:.1f} ± {1e3 * branch.slope_error:.1f} mV per decade "
        f"({len(branch.currents)} points from {low:g} to {high:g} mV){beside}"
    )
    for caveat in branch.caveats:
        yield f"{start}: {caveat}"
