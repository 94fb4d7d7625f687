"""Voltage at the start of plating: the nucleation overpotential of each electrode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis import paper
from analysis.figures.measured.nucleation import nucleation_figure
from analysis.measured.nucleation import Nucleation, nucleation
from workflows.campaign.directory import FIGURES
from workflows.measured.output import make_directory, published, refusing, small, write_table
from workflows.measured.series import each_once, read_series
from workflows.report.csv_text import Cell
from workflows.report.images import save
from workflows.system.messages import shown

PLATING = "plating.csv"
HEADER = (
    "electrode", "nucleation_overpotential_mV", "error_mV", "minimum_V", "minimum_h", "plateau_V",
    "plateau_from_h", "plateau_to_h", "plateau_drift_mV", "noise_mV", "step_start_h", "caveats",
    "source",
)  # fmt: skip
NEEDED = (["time_h"], ["voltage_V"])


def measure_plating(
    paths: Sequence[Path],
    into: Path,
    electrodes: Sequence[str] = (),
    window: tuple[float, float] | None = None,
) -> Iterator[str]:
    """Measure the dip of the first plating step; write plating.csv and the figure.

    Parameters
    ----------
    paths
        Files with time_h, voltage_V (plating is negative) and, optionally, current_mA, electrode.
    into
        Directory for table and figure.
    electrodes
        As `read_series`.
    window
        Of the plateau in h from the start of the step; as `nucleation` if None.

    Yields
    ------
    str
        Lines for each electrode, then one for the figure.

    Raises
    ------
    UserError
        A file cannot be read, or holds no plating step.
    """
    found: dict[str, Nucleation] = {}
    sources: dict[str, str] = {}
    for series in each_once(read_series(paths, electrodes, NEEDED, ("current_mA",))):
        name, columns = series.electrode, series.columns
        with refusing(series.source, name):
            found[name] = nucleation(
                columns["time_h"], columns["voltage_V"], columns.get("current_mA"), window
            )
        sources[name] = series.source
    make_directory(into)
    write_table(into, PLATING, HEADER, [_row(n, one, sources[n]) for n, one in found.items()])
    for name, one in found.items():
        beside = published(paper.NUCLEATION_OVERPOTENTIALS, name, "mV")
        yield (
            f"{shown(name)}: nucleation overpotential {1e3 * one.overpotential:.1f} ± "
            f"{1e3 * one.overpotential_error:.1f} mV (minimum {1e3 * one.minimum:.1f} mV at "
            f"{one.minimum_time:.3g} h, plateau {1e3 * one.plateau:.1f} mV from "
            f"{one.window[0]:.3g} to {one.window[1]:.3g} h){beside}"
        )
        for caveat in one.caveats:
            yield f"{shown(name)}: {caveat}"
    yield f"figure: {shown(save(nucleation_figure(found), into / FIGURES, 'plating')[0])}"


def _row(name: str, one: Nucleation, source: str) -> list[Cell]:
    return [
        name, 1e3 * one.overpotential, 1e3 * one.overpotential_error, one.minimum,
        one.minimum_time, one.plateau, *one.window, 1e3 * one.drift, small(1e3 * one.noise),
        one.start, "; ".join(one.caveats), source,
    ]  # fmt: skip
