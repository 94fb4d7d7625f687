"""Pictures of the slab with its adatom on matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from analysis.figures import raster, scene, style
from analysis.figures.colours import ACCUMULATION, DEPLETION, element_colours

if TYPE_CHECKING:
    from analysis.charge import Density

BAR = 3.0  # angstrom, the length bar
BAR_ROOM = 1.3  # angstrom kept free under a picture for the bar
LEGEND_RADIUS = 1.25  # mm
LEGEND_POINT = 6.5


def note_if_weak(ax: Axes, density: Density, isovalue: float) -> None:
    """Write on a picture if the difference nowhere reaches the isovalue, both in e/angstrom^3."""
    if 0.0 < isovalue < float(np.abs(density.values).max()):
        return
    ax.text(
        0.5,
        0.99,
        f"|Δρ| nowhere above {isovalue:g} e Å⁻³",
        transform=ax.transAxes,
        ha="center",
        va="top",
        fontsize=style.SMALLEST_POINT,
        color=style.MUTED,
    )


def padded(extent: raster.Extent) -> raster.Extent:
    """Give the extent (angstrom) with room for the length bar underneath."""
    left, right, bottom, top = extent
    return left, right, bottom - BAR_ROOM, top


def draw_scene(
    ax: Axes,
    view: scene.Scene,
    *,
    extent: raster.Extent | None = None,
    dpi: float = style.RESOLUTION_DPI,
    bar: bool = True,
) -> Axes:
    """Draw a scene at the scale the axes allow, with the cell and the length bar as lines.

    Parameters
    ----------
    ax
        Axes to draw on; their size decides the scale.
    view
        The scene, angstrom.
    extent
        Left, right, bottom, top in angstrom around the adatom; all there is to see if not given.
    dpi
        Pixels per inch of the rendered picture.
    bar
        Whether to draw the length bar.
    """
    limits = padded(extent or view.extent)
    across, down = map(style.inches, style.size_mm(ax))
    # The picture fills the axes in one direction and is centred in the other.
    scale = min(across / (limits[1] - limits[0]), down / (limits[3] - limits[2]))
    spare = 0.5 * (across / scale - (limits[1] - limits[0]))
    left, right = limits[0] - spare, limits[1] + spare
    rest = 0.5 * (down / scale - (limits[3] - limits[2]))
    bottom, top = limits[2] - rest, limits[3] + rest
    frame = (left, right, bottom, top)
    picture = view.picture(frame, scale * dpi)  # a pixel of it is one of the figure
    ax.imshow(picture, extent=frame, aspect="auto", zorder=1.0, interpolation="none")
    # Upright borders of the cell stand behind the atoms; its base lies over them.
    depth = 2.0 if view.flat else 0.5
    for line in view.outline:
        ax.plot(line[:, 0], line[:, 1], color=style.INK, lw=0.6, dashes=(4.0, 2.5), zorder=depth)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_axis_off()
    if bar:
        _length_bar(ax, limits)
    if view.symbol:
        x, y = view.adatom
        ax.text(
            x,
            y,
            view.symbol,
            color=view.letters,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=3.0,
        )
    return ax


def _length_bar(ax: Axes, limits: raster.Extent) -> None:
    """Draw the bar in the lower left corner, its length written beside it."""
    x, y = limits[0] + 0.35, limits[2] + 0.35 * BAR_ROOM
    ax.plot([x, x + BAR], [y, y], color=style.INK, lw=1.4, solid_capstyle="butt", zorder=3.0)
    ax.text(x + BAR + 0.25, y, f"{BAR:g} Å", fontsize=6.0, ha="left", va="center", zorder=3.0)


def elements_of(structures: Sequence[Atoms]) -> list[str]:
    """Give the elements of slabs in the order of the first, the adatom's last."""
    seen: dict[str, None] = {}
    last: dict[str, None] = {}
    for atoms in structures:
        seen |= dict.fromkeys(chemical_symbols[number] for number in atoms.numbers[:-1])
        last[chemical_symbols[atoms.numbers[-1]]] = None
    return [symbol for symbol in seen if symbol not in last] + list(last)


SURFACES = {"accumulation": ACCUMULATION, "depletion": DEPLETION}
KEY_GAP = 4.0  # mm between entries of the key


def key_entries(elements: Sequence[str], *, differences: bool) -> list[str]:
    """Give the entries of the key: elements and, if asked, both kinds of surface."""
    return [*elements, *(SURFACES if differences else ())]


def key_step(entry: str) -> float:
    """Give the width in mm that an entry of the key takes, with the gap behind it."""
    return 2.0 * LEGEND_RADIUS + 0.5 + KEY_GAP + style.text_width(entry, LEGEND_POINT)


def draw_legend(
    ax: Axes,
    elements: Sequence[str],
    entries: Sequence[str] | None = None,
    *,
    dpi: float = style.RESOLUTION_DPI,
) -> Axes:
    """Draw a line of the key: a ball for each element or kind of surface.

    Parameters
    ----------
    ax
        Axes to draw on; their size decides where the entries stand.
    elements
        Symbols of all elements of the picture: their colours depend on one another.
    entries
        Of this line, see `key_entries`; all elements if not given.
    dpi
        Pixels per inch of the rendered balls.
    """
    colours = element_colours(elements) | {
        name: to_rgb(colour) for name, colour in SURFACES.items()
    }
    entries = elements if entries is None else entries
    width, height = style.size_mm(ax)
    steps = [key_step(name) for name in entries]
    starts = np.cumsum([0.0, *steps]) + max(0.0, 0.5 * (width - sum(steps) + KEY_GAP))
    centres = np.array([[x + LEGEND_RADIUS, 0.5 * height, 0.0] for x in starts[:-1]])
    balls = raster.Spheres(
        centres.reshape(-1, 3),
        np.full(len(entries), LEGEND_RADIUS),
        np.array([colours[name] for name in entries]).reshape(-1, 3),
    )
    frame = (0.0, width, 0.0, height)
    ax.imshow(raster.render(balls, [], frame, dpi / style.MM_PER_INCH), extent=frame, aspect="auto")
    for name, x in zip(entries, starts, strict=False):
        ax.text(
            x + 2.0 * LEGEND_RADIUS + 0.9,
            0.5 * height,
            name,
            fontsize=LEGEND_POINT,
            va="center_baseline",
        )
    ax.set_axis_off()
    return ax
