"""The adsorption energy over a setting of the calculation, and how far it is from converged."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.convergence import Convergence
from analysis.figures import style

HEIGHT_MM = 66.0


def draw_energies(ax: Axes, study: Convergence) -> Axes:
    """Draw the adsorption energy of every site over the setting.

    Parameters
    ----------
    ax
        Axes to draw on.
    study
        Energies in eV.
    """
    _draw(ax, study, {site: study.energies[site] for site in study.energies}, 1.0)
    ax.set_ylabel("adsorption energy (eV)")
    ax.legend(loc="best")
    return ax


def draw_differences(ax: Axes, study: Convergence) -> Axes:
    """Draw how far the energies are from those of the largest value, with the tolerance, in meV.

    Parameters
    ----------
    ax
        Axes to draw on.
    study
        Energies and tolerance in eV.
    """
    within = 1000.0 * study.tolerance
    ax.axhspan(-within, within, color=style.OURS_PALE, alpha=0.5, lw=0.0, zorder=0)
    ax.axhline(0.0, color=style.INK, lw=0.5)
    _draw(ax, study, {site: study.differences(site) for site in study.energies}, 1000.0)
    ax.set_ylabel(f"less that at {study.values[-1]} (meV)")
    if study.recommended is not None:
        ax.axvline(study.sizes[study.recommended], color=style.MUTED, lw=0.8, dashes=(3.0, 2.0))
    return ax


def _draw(
    ax: Axes, study: Convergence, energies: dict[str, tuple[float | None, ...]], scale: float
) -> None:
    for (site, found), (colour, marker) in zip(energies.items(), style.series(), strict=False):
        points = [(x, scale * e) for x, e in zip(study.sizes, found, strict=True) if e is not None]
        ax.plot(
            [x for x, _ in points],
            [e for _, e in points],
            color=colour,
            marker=marker,
            label=site,
            clip_on=False,
        )
    ax.set_xticks(study.sizes, study.values)
    ax.margins(x=0.06)
    ax.set_xlabel(study.over)


def compose(study: Convergence, caption: style.Caption) -> Figure:
    """Compose the figure of a study: energies, differences, the recommendation; 180 mm wide.

    Parameters
    ----------
    study
        Energies in eV.
    caption
        What was varied, and the settings.
    """
    full = replace(caption, text=f"{study.sentence()}. {caption.text}")
    with style.page(style.WIDTH_MM, HEIGHT_MM, full) as figure:
        draw_energies(style.place(figure, 16.0, 5.0, 70.0, 48.0), study)
        draw_differences(style.place(figure, 106.0, 5.0, 70.0, 48.0), study)
    return figure
