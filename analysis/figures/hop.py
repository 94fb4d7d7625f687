"""Energy along the hop from minimum to minimum, and over the surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator

from analysis.barrier import SiteNet
from analysis.figures import style
from analysis.landscape import landscape

HEIGHT = 44.0  # mm, of a row's axes
ROW = HEIGHT + 18.0  # mm, with what stands above and below them
ACROSS = 70.0  # mm, width of a path
BAR = 12.0  # mm, numbers and label of a colour bar
LEFT, MAP = (14.0, 106.0), 96.0  # mm, where a row's first and second path begin, and a map


@dataclass(frozen=True)
class Drawn:
    """A hop on a surface; energies in eV from the minimum.

    Attributes
    ----------
    surface
        Its name.
    distances, energies
        Of the adatom along the path, angstrom, and of each image.
    by_constraint
        The barrier as held sites have it; None if they do not give one.
    net, held
        Where the sites lie, and the energies of the adatom held there.
    """

    surface: str
    distances: Sequence[float]
    energies: Sequence[float]
    by_constraint: float | None
    net: SiteNet
    held: Mapping[str, float]


def draw_path(ax: Axes, hop: Drawn) -> Axes:
    """Draw the energy along the path, with a monotone curve between the images."""
    distance, energy = np.array(hop.distances), np.array(hop.energies)
    fine = np.linspace(distance[0], distance[-1], 200)
    ax.plot(fine, PchipInterpolator(distance, energy)(fine), color=style.OURS)
    ax.plot(distance, energy, "o", color=style.OURS, label="images")
    barrier = float(energy.max())
    ax.annotate(
        f"{barrier:.3f} eV", (distance[energy.argmax()], barrier), (0.0, 4.0), ha="center",
        textcoords="offset points", fontsize=style.SMALLEST_POINT,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip
    if hop.by_constraint is not None:
        ax.axhline(
            hop.by_constraint, color=style.SECOND, lw=0.8, ls="--", label="barrier by constraint"
        )
        ax.legend(loc="lower center")
    ax.margins(y=0.2)
    ax.set_xlabel("path of the adatom (Å)")
    ax.set_ylabel("energy (eV)")
    return ax


def draw_map(ax: Axes, hop: Drawn) -> Axes:
    """Draw the energy over two cells by two, from held sites; the sites as points, by name."""
    a, b = hop.net.cell
    width, height = 2.0 * a, 2.0 * b
    x, y = np.meshgrid(np.linspace(0.0, width, 121), np.linspace(0.0, height, 121))
    energy = landscape(hop.net, hop.held).at(np.stack([x, y], axis=-1))
    filled = ax.contourf(x, y, energy, levels=12, cmap="viridis")
    looks = style.series()
    for name, (_, marker) in zip(hop.held, looks, strict=False):
        places = np.array(
            [
                ((px % a) + i * a, (py % b) + j * b)
                for site, px, py in hop.net.sites
                if site == name
                for i in (0, 1, 2)
                for j in (0, 1, 2)
            ]
        )
        places = places[(places < [width + 1e-3, height + 1e-3]).all(axis=1)]  # borders included
        ax.plot(
            *places.T, marker, mfc="white", mec=style.INK, mew=0.5, ls="", label=name,
            clip_on=False, zorder=3.0,
        )  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlim(0.0, width)
    ax.set_ylim(0.0, height)
    ax.set_xticks([])
    ax.set_yticks([])
    across = style.size_mm(ax)[0] * min(1.0, width / height)
    ax.legend(loc="center left", bbox_to_anchor=(1.1 + BAR / across, 0.5))
    bar = ax.inset_axes((1.04, 0.0, 0.06, 1.0))
    ax.figure.colorbar(filled, cax=bar, label="energy (eV)")
    return ax


Panel: TypeAlias = tuple[Drawn, Callable[[Axes, Drawn], Axes]]

OF_PATHS = (
    "Paths: climbing-image nudged elastic band; the curve between its images only guides the eye."
)
OF_MAPS = (
    "Maps: smoothest periodic function through the energies of the adatom held at sites, from the "
    "minimum of the path; between sites it is interpolated."
)


def compose(hops: Sequence[Drawn], caption: style.Caption) -> Figure:
    """Compose path and map of each surface in a row; paths without a map stand side by side.

    The figure is 180 mm wide, or 88 mm for a single path.

    Parameters
    ----------
    hops
        One for each surface, at least one.
    caption
        Small print: case, cutoff, k-points, functional.
    """
    mapped = [hop for hop in hops if len(hop.held) > 1]
    others = [hop for hop in hops if hop not in mapped]
    rows: list[list[Panel]] = [[(hop, draw_path), (hop, draw_map)] for hop in mapped]
    rows += [[(hop, draw_path) for hop in others[n : n + 2]] for n in range(0, len(others), 2)]
    full = caption + OF_PATHS
    if mapped:
        full += OF_MAPS
    if others:
        names = " and ".join(hop.surface for hop in others)
        full += f"No map of {names}: the adatom is held at fewer than two sites there."
    wide = style.WIDTH_MM if max(map(len, rows)) > 1 else style.COLUMN_MM
    letters = iter(ascii_lowercase)
    with style.page(wide, ROW * len(rows) + 2.0, full) as figure:
        for number, row in enumerate(rows):
            top = 8.0 + ROW * number
            for column, (hop, draw) in enumerate(row):
                if draw is draw_map:
                    style.letter(figure, MAP - 6.0, top - 6.0, next(letters))
                    draw_map(style.place(figure, MAP, top, HEIGHT, HEIGHT), hop)
                    continue
                left = LEFT[column]
                style.letter(figure, left - 12.0, top - 6.0, next(letters))
                style.write(figure, left - 6.0, top - 5.5, hop.surface)
                draw_path(style.place(figure, left, top, ACROSS, HEIGHT), hop)
    return figure
