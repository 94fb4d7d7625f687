"""Adsorption energies and voltages as a surface fills up; clusters against separate adatoms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style

HEIGHT = 48.0  # mm, of the axes
KEY = 3.4  # mm, height of a line of the key


@dataclass(frozen=True)
class Curve:
    """A surface as it fills up; energies in eV, by number of adatoms.

    Attributes
    ----------
    surface
        Its name.
    monolayer
        Number of adatoms of a monolayer.
    placements
        Number of adatoms and average adsorption energy of every placement.
    average, differential
        Adsorption energies of the lowest placements: mean, and of the last adatom.
    voltage
        Against the metal, V, at which the last adatom comes.
    clustering
        Energy of clusters against separate adatoms, per atom.
    """

    surface: str
    monolayer: int
    placements: Sequence[tuple[int, float]]
    average: Mapping[int, float]
    differential: Mapping[int, float]
    voltage: Mapping[int, float]
    clustering: Mapping[int, float]

    def coverage(self, counts: Sequence[int]) -> list[float]:
        """Return numbers of adatoms as coverages in monolayers."""
        return [count / self.monolayer for count in counts]


def draw_energies(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Draw average (filled) and differential (open) adsorption energies over the coverage."""
    for curve, (colour, marker) in zip(curves, style.series(), strict=False):
        counts, energies = [n for n, _ in curve.placements], [e for _, e in curve.placements]
        ax.plot(curve.coverage(counts), energies, "_", color=colour, alpha=0.5, ms=6.0)
        for known, face, name in (
            (curve.average, colour, "average"),
            (curve.differential, "white", "differential"),
        ):
            counts = sorted(known)
            ax.plot(
                curve.coverage(counts), [known[n] for n in counts], color=colour, marker=marker,
                mfc=face, ls="-" if face == colour else "--", label=f"{curve.surface}, {name}",
            )  # fmt: skip
    ax.set_xlabel("coverage (monolayers)")
    ax.set_ylabel("adsorption energy (eV)")
    return ax


def draw_voltages(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Draw the voltage against the metal as steps over the coverage."""
    for curve, (colour, _) in zip(curves, style.series(), strict=False):
        counts = sorted(curve.voltage)
        if not counts:
            continue
        edges = [(counts[0] - 1) / curve.monolayer, *curve.coverage(counts)]
        ax.stairs(
            [curve.voltage[n] for n in counts], edges, baseline=None, color=colour, lw=1.2,
            label=curve.surface,
        )  # fmt: skip
    ax.axhline(0.0, color=style.INK, lw=0.6, dashes=(3.0, 2.0))
    ax.set_xlabel("coverage (monolayers)")
    ax.set_ylabel("voltage against the metal (V)")
    return ax


def draw_clusters(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Draw the energy of clusters against separate adatoms, eV per atom: below zero they form."""
    for curve, (colour, marker) in zip(curves, style.series(), strict=False):
        counts = sorted(curve.clustering)
        ax.plot(
            counts, [curve.clustering[n] for n in counts], color=colour, marker=marker,
            label=curve.surface,
        )  # fmt: skip
    ax.axhline(0.0, color=style.INK, lw=0.6, dashes=(3.0, 2.0))
    largest = max((max(curve.clustering, default=2) for curve in curves), default=2)
    ax.set_xticks(range(2, largest + 1))
    ax.set_xlim(1.7, largest + 0.3)
    ax.set_xlabel("atoms of the cluster")
    ax.set_ylabel("against separate adatoms (eV/atom)")
    return ax


def compose(curves: Sequence[Curve], caption: style.Caption) -> Figure:
    """Compose energies and, where there are any, voltages and clusters.

    The figure is 180 mm wide, or 88 mm with energies alone.

    Parameters
    ----------
    curves
        The surfaces, one at least.
    caption
        Small print: case, cutoff, k-points, functional.
    """
    voltages = any(curve.voltage for curve in curves)
    clusters = any(curve.clustering for curve in curves)
    draws = [draw_energies]
    full = caption + "Bars: every placement; lines: the lowest of each number of adatoms."
    if voltages:
        draws.append(draw_voltages)
        full += (
            "Voltages are without entropy and zero-point energy; below the dashed line bulk metal "
            "is lower."
        )
    else:
        full += "No voltages are shown: the energy of the bulk metal is not computed."
    if clusters:
        draws.append(draw_clusters)
    page = style.WIDTH_MM if len(draws) > 1 else style.COLUMN_MM
    wide = (page - 15.0 * len(draws) - style.MARGIN) / len(draws)
    columns = min(len(curves), 3 if len(draws) > 1 else 2)
    lines = 2 * math.ceil(len(curves) / columns)
    with style.page(page, HEIGHT + 20.0 + KEY * lines, full) as figure:
        for number, draw in enumerate(draws):
            left = 14.0 + number * (wide + 15.0)
            style.letter(figure, left - 12.0, style.MARGIN, "abc"[number])
            draw(style.place(figure, left, 7.0, wide, HEIGHT), curves)
        # Curves can lie anywhere in their axes: their key stands below.
        key = style.place(figure, 14.0, HEIGHT + 18.0, page - 16.0, KEY * lines)
        key.set_axis_off()
        key.legend(*figure.axes[0].get_legend_handles_labels(), loc="upper left", ncols=columns)
    return figure
