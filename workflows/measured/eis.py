"""Impedance spectra: R_s, R_SEI and R_ct of each, and the activation energy of R_ct(T)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.arrhenius import COLDEST
from analysis.figures.measured.impedance import Spectrum, impedance_figure
from analysis.figures.measured.names import significant
from analysis.measured.circuit import Arc, Fit, Value, capacitive, fit
from analysis.measured.kramers_kronig import Check, check
from workflows.campaign.directory import FIGURES, RESISTANCES
from workflows.measured.output import file_names, make_directory, refusing, small, write_table
from workflows.measured.series import Series, for_each, read_series
from workflows.report.arrhenius import fit_file
from workflows.report.csv_text import Cell
from workflows.report.images import save
from workflows.system.messages import UserError, shown

IMPEDANCE = "impedance.csv"
MOST_SPECTRA = 200
FREQUENCIES = (0.0, float("inf"))  # Hz
NEEDED = (["frequency_Hz"], ["Z_real_ohm"], ["Z_imag_ohm"])
ARC = ("R_{}_ohm", "R_{}_error_ohm", "tau_{}_s", "Q_{}_s_alpha_per_ohm", "alpha_{}")
HEADER = (
    "electrode", "temperature_K", "points", "from_Hz", "to_Hz", "R_s_ohm", "R_s_error_ohm",
    *(name.format("SEI") for name in ARC), *(name.format("ct") for name in ARC),
    "fit_misfit_percent", "kramers_kronig_misfit_percent", "caveats", "source",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Measured:
    """A spectrum of an electrode: temperature in K or None, its fit and its check."""

    electrode: str
    source: str
    temperature: float | None
    left_out: int
    fit: Fit
    check: Check

    @property
    def label(self) -> str:
        """What tells it from the other spectra of its electrode."""
        if self.temperature is None:
            return Path(self.source).stem
        return f"{self.temperature:g} K"

    @property
    def caveats(self) -> tuple[str, ...]:
        """Those of the fit, and of the Kramers-Kronig check."""
        if self.check.passed:
            return self.fit.caveats
        misfit = f"{100 * self.check.misfit:.1f} %"
        return (
            f"Kramers-Kronig check not passed ({misfit}): noise, or a cell that changed meanwhile",
            *self.fit.caveats,
        )


def fit_spectra(
    paths: Sequence[Path],
    into: Path,
    electrodes: Sequence[str] = (),
    temperatures: Sequence[float] = (),
    frequencies: tuple[float, float] = FREQUENCIES,
) -> Iterator[str]:
    """Fit two semicircles to each spectrum; write impedance.csv, the figures, and R_ct(T).

    Parameters
    ----------
    paths
        Files with frequency_Hz, Z_real_ohm, Z_imag_ohm and, optionally, temperature_K, electrode.
    into
        Directory for tables and figures.
    electrodes
        Names for files without a column `electrode`; see `read_series`.
    temperatures
        In K, for files without a column `temperature_K`: one for all, or one for each file.
    frequencies
        Lowest and highest frequency of the fit, Hz.

    Yields
    ------
    str
        Lines for each spectrum, then those of `fit_file` where an electrode has two temperatures.

    Raises
    ------
    UserError
        A file cannot be read, or holds no spectrum.
    """
    read = read_series(paths, electrodes, NEEDED, ("temperature_K",))
    given = dict.fromkeys(map(shown, paths)) | (
        dict(zip(map(shown, paths), for_each(temperatures, paths, "--temperature"), strict=True))
        if temperatures
        else {}
    )
    spectra = [
        measured
        for series in read
        for measured in _fitted(series, given[series.source], frequencies)
    ]
    if len(spectra) > MOST_SPECTRA:
        raise UserError(f"found {len(spectra)} spectra; allowed: at most {MOST_SPECTRA}")
    make_directory(into)
    write_table(into, IMPEDANCE, HEADER, [_row(one) for one in spectra])
    for one in spectra:
        yield from _lines(one)
    for electrode, name in file_names(one.electrode for one in spectra).items():
        own = [Spectrum(o.label, o.fit, o.check) for o in spectra if o.electrode == electrode]
        figure = impedance_figure(electrode, own)
        path = save(figure, into / FIGURES, f"eis-{name}")[0]
        yield f"figure: {shown(path)}"
    yield from _activation(spectra, into)


def _fitted(
    series: Series, given: float | None, frequencies: tuple[float, float]
) -> Iterator[Measured]:
    columns = series.columns
    f, z = columns["frequency_Hz"], columns["Z_real_ohm"] + 1j * columns["Z_imag_ohm"]
    column = columns.get("temperature_K")
    for temperature in [given] if column is None else list(dict.fromkeys(column.tolist())):
        if temperature is not None and not COLDEST <= temperature < 2000.0:
            raise UserError(
                f"{series.source}: found a temperature of {temperature:g}; allowed: kelvin, "
                f"{COLDEST:g} to 2000"
            )
        inside = (f >= frequencies[0]) & (f <= frequencies[1])
        if column is not None:
            inside &= column == temperature
        with refusing(series.source, series.electrode):
            used = capacitive(f[inside], z[inside])
            left_out = int(inside.sum()) - len(used[0])
            yield Measured(
                series.electrode, series.source, temperature, left_out, fit(*used), check(*used)
            )


def _row(one: Measured) -> list[Cell]:
    f = one.fit.frequencies
    return [
        one.electrode, one.temperature, str(len(f)), small(f[-1]), small(f[0]),
        *_cells(one.fit.series), *_arc(one.fit.sei), *_arc(one.fit.charge_transfer),
        small(100 * one.fit.misfit), small(100 * one.check.misfit), "; ".join(one.caveats),
        one.source,
    ]  # fmt: skip


def _arc(arc: Arc) -> list[Cell]:
    return [
        *_cells(arc.resistance),
        small(arc.time_constant.value),
        small(arc.admittance),
        small(arc.exponent.value),
    ]


def _cells(value: Value) -> list[Cell]:
    return [small(value.value), small(value.error)]


def _lines(one: Measured) -> Iterator[str]:
    name = f"{shown(one.electrode)}, {shown(one.label)}"
    parts = (
        ("R_s", one.fit.series),
        ("R_SEI", one.fit.sei.resistance),
        ("R_ct", one.fit.charge_transfer.resistance),
    )
    values = ", ".join(
        f"{what} = {significant(v.value, 4)} ± {significant(v.error, 2)}" for what, v in parts
    )
    yield (
        f"{name}: {values} ohm; misfit {100 * one.fit.misfit:.2g} %, "
        f"Kramers-Kronig {100 * one.check.misfit:.2g} %"
    )
    if one.left_out:
        yield f"{name}: {one.left_out} inductive points at the highest frequencies are left out"
    for caveat in one.caveats:
        yield f"{name}: {caveat}"


def _activation(spectra: Sequence[Measured], into: Path) -> Iterator[str]:
    """Write R_ct(T) where it is determined, and fit the Arrhenius line to it."""
    usable = [
        (one.temperature, one.fit.charge_transfer.resistance, one.electrode)
        for one in spectra
        if one.temperature is not None and one.fit.determines_charge_transfer
    ]
    by_electrode = {
        name: {t for t, _, electrode in usable if electrode == name} for _, _, name in usable
    }
    rows: list[list[Cell]] = [
        [t, small(r.value), small(r.error), name]
        for t, r, name in usable
        if len(by_electrode[name]) > 1
    ]
    if not rows:
        yield "no activation energy: R_ct at two or more temperatures of an electrode is needed"
        return
    header = ("temperature_K", "R_ct_ohm", "R_ct_error_ohm", "electrode")
    write_table(into, RESISTANCES, header, rows)
    yield from fit_file(into / RESISTANCES, into)
