"""Rows of pictures of adsorption sites that share one scale, and the key below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import atoms as pictures_of
from analysis.figures import raster, scene, style
from analysis.figures.bars import nice

if TYPE_CHECKING:
    from analysis.charge import Density

GAP = 1.2  # mm between pictures
ROW_GAP = 1.5  # mm between rows
HEAD = 5.0  # mm for letter and title above a picture
TALLEST = 58.0  # mm, height of a picture
LEGEND = 6.0  # mm, height of the key
LEAST_COLUMNS = 3  # fewer sites do not make larger pictures
OUTLINE = "Dashed: the cell that repeats."
EMPTY = (-3.5, 3.5, -3.5, 3.5)  # angstrom, of a row without any picture


@dataclass(frozen=True)
class SitePicture:
    """One adsorption site: slab with adatom (the last atom), its density difference and surfaces.

    `surfaces` are those of the difference, see `traced`.
    """

    site: str
    atoms: Atoms
    difference: Density | None = None
    surfaces: scene.Surfaces | None = None


def traced(picture: SitePicture, isovalue: float | None) -> SitePicture:
    """Give a picture with the surfaces of its density difference.

    Parameters
    ----------
    picture
        With or without a density difference.
    isovalue
        Of the surfaces, e/angstrom^3; None or 0 for none.
    """
    if picture.difference is None or not isovalue:
        return replace(picture, surfaces=None)
    surfaces = scene.trace(picture.difference, picture.atoms, isovalue)
    return replace(picture, surfaces=surfaces)


@dataclass(frozen=True)
class Row:
    """A row of pictures: what is shown, from where, its letters; its sites, all of them if None."""

    kind: Literal["atoms", "difference"]
    direction: scene.Direction
    letters: str
    sites: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Sheet:
    """What all panels of a figure share.

    Attributes
    ----------
    sites
        All of them; from left to right in rows that do not choose.
    columns
        In the longest row, `LEAST_COLUMNS` at least.
    pictures
        By site, as far as they are there.
    scenes
        By row and site.
    isovalue
        Of the surfaces, e/angstrom^3; None without any.
    dpi
        Pixels per inch of the rendered pictures.
    """

    sites: tuple[str, ...]
    columns: int
    pictures: Mapping[str, SitePicture]
    scenes: Mapping[tuple[Row, str], scene.Scene]
    isovalue: float | None
    dpi: float

    @property
    def column(self) -> float:
        """Give the width of a picture in mm."""
        room = style.WIDTH_MM - 2.0 * style.MARGIN - (self.columns - 1) * GAP
        return room / self.columns

    def extent(self, row: Row) -> raster.Extent:
        """Give the common extent in angstrom of one row, so that all sites share a scale."""
        extents = [view.extent for (other, _), view in self.scenes.items() if other == row]
        if not extents:
            return EMPTY
        left, right, bottom, top = zip(*extents, strict=True)
        return min(left), max(right), min(bottom), max(top)

    @property
    def elements(self) -> list[str]:
        """Give the elements for the key."""
        return pictures_of.elements_of([picture.atoms for picture in self.pictures.values()])

    @property
    def difference_caption(self) -> str:
        """Give the sentences of the caption on the surfaces and the dashed lines."""
        if not self.isovalue:
            return OUTLINE
        return (
            f"Charge-density differences at ±{self.isovalue:g} e Å⁻³ (yellow: accumulation, "
            f"cyan: depletion; surfaces that continue in the next cell fade). {OUTLINE}"
        )


def sheet(
    pictures: Sequence[SitePicture],
    sites: Sequence[str],
    rows: Sequence[Row],
    isovalue: float | None,
    dpi: float,
) -> Sheet:
    """Gather what the panels of a figure share.

    Parameters
    ----------
    pictures
        The sites computed, traced at `isovalue`.
    sites
        The columns, from left to right.
    rows
        What is shown of each site, from top to bottom.
    isovalue
        Of the surfaces, e/angstrom^3; None without any.
    dpi
        Pixels per inch of the rendered pictures.
    """
    named = {picture.site: picture for picture in pictures}
    scenes: dict[tuple[Row, str], scene.Scene] = {}
    for row in rows:
        for site in row.sites or sites:
            picture = named.get(site)
            if picture is None or (row.kind == "difference" and picture.difference is None):
                continue
            surfaces = picture.surfaces if row.kind == "difference" else None
            scenes[row, site] = scene.build(picture.atoms, row.direction, surfaces)
    columns = max(LEAST_COLUMNS, *(len(row.sites or sites) for row in rows))
    return Sheet(tuple(sites), columns, named, scenes, isovalue, dpi)


def row_heights(shared: Sheet, rows: Sequence[Row]) -> tuple[list[float], float]:
    """Give the heights in mm of rows of pictures, all drawn with one scale, mm per angstrom."""
    extents = [pictures_of.padded(shared.extent(row)) for row in rows]
    scale = min(
        min(shared.column / (right - left), TALLEST / (top - bottom))
        for left, right, bottom, top in extents
    )
    return [scale * (top - bottom) for _, _, bottom, top in extents], scale


def rows_height(heights: Sequence[float]) -> float:
    """Give the room in mm that `draw_rows` takes for pictures of these heights."""
    return style.MARGIN + sum(HEAD + height + ROW_GAP for height in heights)


def draw_rows(figure: Figure, shared: Sheet, rows: Sequence[Row]) -> float:
    """Draw rows of pictures from the top of a page down; return the height taken, mm."""
    heights, scale = row_heights(shared, rows)
    y = style.MARGIN
    for row, height in zip(rows, heights, strict=True):
        _draw_row(figure, shared, row, y=y, height=height, scale=scale)
        y += HEAD + height + ROW_GAP
    return y


def _draw_row(
    figure: Figure, shared: Sheet, row: Row, *, y: float, height: float, scale: float
) -> None:
    """Draw a row of pictures with letters and titles from y (mm) down."""
    left, right, bottom, top = shared.extent(row)
    # All rows have one scale: a narrow view is widened to the column.
    more = 0.5 * max(0.0, shared.column / scale - (right - left))
    extent = (left - more, right + more, bottom, top)
    sites = row.sites or shared.sites
    drawn = [number for number, site in enumerate(sites) if (row, site) in shared.scenes]
    first = min(drawn, default=0)
    for number, site in enumerate(sites):
        x = style.MARGIN + number * (shared.column + GAP)
        style.letter(figure, x, y, row.letters[number])
        style.write(figure, x + 5.0, y + 0.7, nice(site))
        ax = style.place(figure, x, y + HEAD, shared.column, height)
        # One scale in all pictures: one length bar a row is enough.
        draw_picture(ax, shared, row, site, extent, bar=number == first)


def draw_picture(
    ax: Axes, shared: Sheet, row: Row, site: str, extent: raster.Extent, *, bar: bool = True
) -> None:
    """Draw one site on its axes, or write that it is missing.

    Parameters
    ----------
    ax
        Axes to draw on.
    shared
        What all panels of the figure share.
    row, site
        Which of its scenes.
    extent
        Left, right, bottom, top in angstrom around the adatom.
    bar
        Whether to draw the length bar.
    """
    view, picture = shared.scenes.get((row, site)), shared.pictures.get(site)
    if view is None or picture is None:
        style.note_missing(ax, "not computed" if picture is None else "density not computed")
        return
    pictures_of.draw_scene(ax, view, extent=extent, dpi=shared.dpi, bar=bar)
    if row.kind == "difference" and picture.difference is not None:
        pictures_of.note_if_weak(ax, picture.difference, shared.isovalue or 0.0)


def draw_key(
    figure: Figure, shared: Sheet, y: float, *, differences: bool, width: float = style.WIDTH_MM
) -> None:
    """Draw the key of elements and surfaces.

    Parameters
    ----------
    figure
        The page.
    shared
        What all panels of the figure share.
    y
        Top of the key, mm from the top of the page.
    differences
        Whether the key has accumulation and depletion.
    width
        Of the page, mm.
    """
    ax = style.place(figure, style.MARGIN, y, width - 2.0 * style.MARGIN, LEGEND)
    if not shared.pictures:
        ax.set_axis_off()
        return
    pictures_of.draw_legend(ax, shared.elements, differences=differences, dpi=shared.dpi)
