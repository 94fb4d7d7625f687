"""Faces of a crystal: each termination from above, with its sites, and from the side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import covalent_radii
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from analysis.figures import style
from analysis.figures.colours import element_colours

COLUMN = 58.0  # mm, width of a termination
VIEW = 46.0  # mm, height of the view from above; that from the side has at most as much
TITLE_MM, LINE_MM, GAP_MM = 7.0, 3.2, 2.0  # heights: title, line of site names, between the views
BALL = 0.75  # radius of an atom in the picture, of its covalent radius
REACH = 4.5  # angstrom shown about the middle of the cell, at least
BESIDE = 1.5  # angstrom shown above and below a slab
LINE = 46  # characters of site names in a line
DEEPEST = 0.65  # how far the colour of the deepest atom goes towards white


@dataclass(frozen=True)
class Face:
    """A termination of a crystal's face.

    Attributes
    ----------
    title
        What stands above its views.
    slab
        Slab of n atoms in its smallest cell, tags counting layers from the top.
    site_names
        Names of its sites.
    site_sv
        A place of each site, x and y, angstrom; shape (number of sites, 2).
    """

    title: str
    slab: Atoms
    site_names: tuple[str, ...]
    site_sv: npt.NDArray[np.float64]


def compose(faces: Sequence[Face]) -> Figure:
    """Draw the terminations side by side.

    Parameters
    ----------
    faces
        One or more terminations.

    Returns
    -------
    Figure
        From above with numbered sites and the cell, from the side underneath, names of the sites.
    """
    keys = [_key(face) for face in faces]
    side = VIEW * max(tall / reach for reach, tall in map(_side, faces))
    key_mm = LINE_MM * max(map(len, keys))
    height = TITLE_MM + VIEW + side + key_mm + 3 * GAP_MM
    figure = Figure((style.inches(COLUMN) * len(faces), style.inches(height)))
    symbols = sorted({symbol for face in faces for symbol in face.slab.get_chemical_symbols()})
    grid = figure.add_gridspec(
        3, len(faces), height_ratios=(VIEW, side, key_mm), wspace=0.05,
        hspace=3 * GAP_MM / (VIEW + side + key_mm),  # of the mean height of the rows
        left=0.02, right=0.98, bottom=GAP_MM / height, top=1.0 - TITLE_MM / height,
    )  # fmt: skip
    for column, (face, lines) in enumerate(zip(faces, keys, strict=True)):
        above = figure.add_subplot(grid[0, column])
        draw_from_above(above, face, symbols)
        above.set_title(face.title, fontsize=style.SMALLEST_POINT + 1)
        draw_from_the_side(figure.add_subplot(grid[1, column]), face, symbols)
        key = figure.add_subplot(grid[2, column])
        key.set_axis_off()
        key.text(
            0.5, 1.0, "\n".join(lines), ha="center", va="top", fontsize=style.SMALLEST_POINT
        )  # fmt: skip
    return figure


def _key(face: Face) -> list[str]:
    """Return the names of the sites with their numbers, in lines."""
    # a no-break space keeps a name beside its number
    names = "   ".join(
        f"{number}\N{NO-BREAK SPACE}{name}" for number, name in enumerate(face.site_names, 1)
    )
    return textwrap.wrap(names, LINE, break_long_words=False, break_on_hyphens=False)


def _side(face: Face) -> tuple[float, float]:
    """Return how far a view from the side reaches along the surface and in height, angstrom."""
    tall = 0.5 * float(np.ptp(face.slab.positions[:, 2])) + BESIDE
    return max(REACH, tall), tall


def draw_from_above(ax: Axes, face: Face, symbols: Sequence[str]) -> Axes:
    """Draw a slab from above: atoms paler the deeper they lie, the cell, numbers at the sites.

    Parameters
    ----------
    ax
        Axes to draw on.
    face
        The termination.
    symbols
        All elements of the picture: their colours depend on one another.
    """
    slab = face.slab
    middle = slab.cell[:2, :2].sum(axis=0) / 2
    reach = max(REACH, float(np.linalg.norm(slab.cell[:2, :2], axis=1).max()) * 0.75)
    images = _repeated(slab, middle, reach)
    _draw_atoms(ax, images, (0, 1), images.positions[:, 2], symbols)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ slab.cell[:2, :2]
    ax.plot(*corners.T, color=style.INK, lw=0.8, dashes=(4.0, 2.5), zorder=3.0)
    for number, site_v in enumerate(face.site_sv, 1):
        ax.text(
            site_v[0], site_v[1], str(number), ha="center", va="center", zorder=4.0,
            fontsize=style.SMALLEST_POINT, fontweight="bold", color=style.INK,
            bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": style.SECOND, "lw": 0.8},
        )  # fmt: skip
    return _framed(ax, middle, reach, reach)


def draw_from_the_side(ax: Axes, face: Face, symbols: Sequence[str]) -> Axes:
    """Draw a slab along its cell's second direction; arguments as for `draw_from_above`."""
    slab = face.slab
    middle = slab.cell[:2, :2].sum(axis=0) / 2
    z = slab.positions[:, 2]
    reach, tall = _side(face)
    images = _repeated(slab, middle, reach)
    images = images[abs(images.positions[:, 1] - middle[1]) <= slab.cell[1, 1] / 2 + 1e-3]
    _draw_atoms(ax, images, (0, 2), -images.positions[:, 1], symbols)
    return _framed(ax, np.array([middle[0], (z.min() + z.max()) / 2]), reach, tall)


def _repeated(slab: Atoms, middle: npt.NDArray[np.float64], reach: float) -> Atoms:
    """Return a slab's atoms and images within so far (angstrom) of a point, as a square."""
    across = slab.cell[0, 0] * slab.cell[1, 1]  # angstrom^2; the first vector lies along x
    times = [
        int(np.ceil(2 * reach * length / across)) + 1
        for length in np.linalg.norm(slab.cell[[1, 0], :2], axis=1)
    ]
    images = slab.copy()
    images.set_constraint()
    images = images.repeat((2 * times[0] + 1, 2 * times[1] + 1, 1))
    images.positions -= times[0] * slab.cell[0] + times[1] * slab.cell[1]
    inside = (abs(images.positions[:, :2] - middle) < reach + 1.5).all(axis=1)
    return images[inside]


def _draw_atoms(
    ax: Axes,
    atoms: Atoms,
    axes: tuple[int, int],
    towards_a: npt.NDArray[np.float64],
    symbols: Sequence[str],
) -> None:
    """Draw atoms as discs, those nearest to the viewer last and in full colour."""
    colours = element_colours(symbols)
    nearness_a = 1.0 - (towards_a.max() - towards_a) / max(float(np.ptp(towards_a)), 1.0)
    discs, fills = [], []
    for atom in np.argsort(towards_a, kind="stable"):
        radius = BALL * covalent_radii[atoms.numbers[atom]]
        discs.append(Circle(tuple(atoms.positions[atom, axes]), radius))
        pale = DEEPEST * (1.0 - nearness_a[atom])
        fills.append(np.array(colours[atoms.symbols[atom]]) * (1 - pale) + pale)
    ax.add_collection(
        PatchCollection(discs, facecolors=fills, edgecolors=style.INK, linewidths=0.4, zorder=1.0)
    )


def _framed(ax: Axes, middle: npt.NDArray[np.float64], reach: float, tall: float) -> Axes:
    ax.set_xlim(middle[0] - reach, middle[0] + reach)
    ax.set_ylim(middle[1] - tall, middle[1] + tall)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
