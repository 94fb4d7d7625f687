"""Nyquist plot of an electrode's spectra with their fits, and what the fits leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.figures.measured.names import plain, significant
from analysis.measured.circuit import Arc, Fit, impedance
from analysis.measured.kramers_kronig import LARGEST, Check

HEIGHT_MM = 82.0
NAMED = 8  # spectra in the legend


@dataclass(frozen=True)
class Spectrum:
    """A fitted spectrum: its label (a temperature, say), the circuit, the Kramers-Kronig check."""

    label: str
    fit: Fit
    check: Check


def impedance_figure(electrode: str, spectra: Sequence[Spectrum]) -> Figure:
    """Draw the spectra of an electrode: Nyquist plot, residuals of fits, and of the check.

    Parameters
    ----------
    electrode
        Its name.
    spectra
        Impedances in ohm, frequencies in Hz.
    """
    caption = style.Caption(
        "Impedance: measured (points) and fitted (lines) with R_s and two semicircles of a "
        "resistor and a constant-phase element each: SEI at high, charge transfer at low "
        "frequency. Right: relative residuals of the fits, and of the Kramers-Kronig check "
        f"(filled: real part; open: imaginary part); grey: within {100 * LARGEST:.0f} %."
    )
    with style.page(style.WIDTH_MM, HEIGHT_MM, caption) as figure:
        style.write(figure, 14.0, 2.0, plain(electrode), fontweight="bold")
        draw_nyquist(style.place(figure, 14.0, 8.0, 84.0, 62.0), spectra)
        upper = style.place(figure, 116.0, 8.0, 60.0, 28.0)
        lower = style.place(figure, 116.0, 42.0, 60.0, 28.0)
        for ax, what in ((upper, "fit"), (lower, "check")):
            for spectrum, colour in zip(spectra, colours(len(spectra)), strict=True):
                draw_residuals(ax, spectrum.fit if what == "fit" else spectrum.check, colour)
        upper.set_ylabel("fit (%)")
        upper.tick_params(labelbottom=False)
        lower.set_ylabel("Kramers-Kronig (%)")
        lower.set_xlabel("frequency (Hz)")
    return figure


def colours(number: int) -> list[tuple[float, float, float, float]]:
    """Give colours from cold to hot, one for each spectrum; blue for a single one."""
    scale = colormaps["plasma"]
    return [scale(x) for x in np.linspace(0.05, 0.8, number)]


def draw_nyquist(ax: Axes, spectra: Sequence[Spectrum]) -> Axes:
    """Draw -Im Z over Re Z, both in ohm and on the same scale.

    Parameters
    ----------
    ax
        Axes to draw on.
    spectra
        For a single one, its semicircles are shaded.
    """
    for number, (spectrum, colour) in enumerate(zip(spectra, colours(len(spectra)), strict=True)):
        fit = spectrum.fit
        fine = np.geomspace(fit.frequencies[0], fit.frequencies[-1], 300)
        curve = fit.predict(fine)
        label = plain(spectrum.label) if number < NAMED else None
        ax.plot(
            fit.measured.real, -fit.measured.imag, "o", ms=2.2, mew=0.0, color=colour, label=label
        )
        ax.plot(curve.real, -curve.imag, color=colour, lw=0.8)
    if len(spectra) == 1:
        _shade(ax, spectra[0].fit)
    elif len(spectra) > NAMED:
        ax.plot([], [], ls="none", label=f"and {len(spectra) - NAMED} more")
    _same_scale(ax, spectra)
    ax.set_xlabel("Re $Z$ (Ω)")
    ax.set_ylabel("−Im $Z$ (Ω)")
    ax.legend(loc="upper left")
    return ax


def _same_scale(ax: Axes, spectra: Sequence[Spectrum]) -> None:
    """Set limits so that an ohm is as long on both axes, with room for the legend above."""
    points = np.concatenate([spectrum.fit.measured for spectrum in spectra])
    left, right = min(0.0, float(points.real.min())), float(points.real.max())
    low, high = min(0.0, float(-points.imag.max())), float(-points.imag.min())
    width, height = style.size_mm(ax)
    scale = 1.06 * max((right - left) / width, 1.25 * (high - low) / height)  # ohm per mm
    ax.set_xlim(left - 0.03 * scale * width, left + 0.97 * scale * width)
    ax.set_ylim(low - 0.03 * scale * height, low + 0.97 * scale * height)


def _shade(ax: Axes, fit: Fit) -> None:
    """Shade both semicircles, each where it stands in series, with its resistance."""
    left = fit.series.value
    for name, arc in (("SEI", fit.sei), ("ct", fit.charge_transfer)):
        x, y = _semicircle(arc)
        ax.fill_between(left + x, y, color=style.OURS_PALE, alpha=0.5, lw=0.0, zorder=0)
        text = f"$R_{{{name}}}$\n{significant(arc.resistance.value, 4)} Ω"
        middle = (left + arc.resistance.value / 2.0, 0.3 * y.max())
        ax.text(*middle, text, ha="center", va="center", fontsize=6.0)
        left += arc.resistance.value


def _semicircle(arc: Arc) -> tuple[np.ndarray, np.ndarray]:
    frequencies = arc.top * np.geomspace(1e6, 1e-6, 200)
    whole = [(arc.resistance.value, arc.time_constant.value, arc.exponent.value)]
    z = impedance(frequencies, 0.0, whole)
    return z.real, -z.imag


def draw_residuals(ax: Axes, found: Fit | Check, colour: tuple[float, ...]) -> Axes:
    """Draw the relative residuals of a fit or a check in per cent over the frequency in Hz."""
    f, r = found.frequencies, 100.0 * found.residuals
    ax.axhspan(-100 * LARGEST, 100 * LARGEST, color="#efefef", lw=0.0, zorder=0)
    ax.plot(f, r.real, "o-", color=colour, ms=1.8, lw=0.5, mew=0.0)
    ax.plot(f, r.imag, "o-", color=colour, ms=1.8, lw=0.5, mew=0.5, mfc="white")
    ax.set_xscale("log")
    return ax
