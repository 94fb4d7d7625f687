"""Lines of pictures of adsorption sites that share one scale, and the key below them."""

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
LEGEND = 6.0  # mm, height of a line of the key
LONGEST = 4  # pictures in a line
LEAST_COLUMNS = 3  # on a wide page: fewer sites do not make larger pictures
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
    """A view of sites: what is shown, from where, its letters; its sites, all of them if None.

    More than `LONGEST` sites stand in several lines.
    """

    kind: Literal["atoms", "difference"]
    direction: scene.Direction
    letters: str
    sites: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Place:
    """A picture in a line: its view, its site and its letter."""

    row: Row
    site: str
    letter: str


def balanced(sites: int) -> list[int]:
    """Give how many of so many sites stand in each line, `LONGEST` at most."""
    lines = max(1, -(-sites // LONGEST))
    return [sites // lines + (line < sites % lines) for line in range(lines)]


def lines_of(rows: Sequence[Row], sites: Sequence[str]) -> list[list[Place]]:
    """Give the lines in which the pictures of rows stand.

    A line for each row, or several where it is long; one for all rows where they show one view of
    few sites, or two views of a single one.
    """
    places = [
        [
            Place(row, site, letter)
            for site, letter in zip(row.sites or sites, row.letters, strict=True)
        ]
        for row in rows
    ]
    together = [place for line in places for place in line]
    one_view = len({(row.kind, row.direction) for row in rows}) == 1
    if len(together) <= (LONGEST if one_view else 2):
        return [together]
    lines = []
    for line in places:
        start = 0
        for length in balanced(len(line)):
            lines.append(line[start : start + length])
            start += length
    return lines


@dataclass(frozen=True)
class Sheet:
    """What all panels of a figure share.

    Attributes
    ----------
    sites
        All of them; from left to right in rows that do not choose.
    lines
        Of pictures, from top to bottom.
    width
        Of the page, mm: of one column where no line has more than two pictures.
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
    lines: Sequence[Sequence[Place]]
    width: float
    pictures: Mapping[str, SitePicture]
    scenes: Mapping[tuple[Row, str], scene.Scene]
    isovalue: float | None
    dpi: float

    @property
    def column(self) -> float:
        """Give the width of a picture in mm."""
        columns = max(1, *(len(line) for line in self.lines))
        if self.width > style.COLUMN_MM:
            columns = max(columns, LEAST_COLUMNS)
        return (self.width - 2.0 * style.MARGIN - (columns - 1) * GAP) / columns

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
    *,
    wide: bool = False,
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
    wide
        Whether the page has two columns of the journal even if few pictures stand on it.
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
    lines = lines_of(rows, sites)
    wide = wide or max(len(line) for line in lines) > 2
    width = style.WIDTH_MM if wide else style.COLUMN_MM
    return Sheet(tuple(sites), lines, width, named, scenes, isovalue, dpi)


def line_heights(shared: Sheet) -> tuple[list[float], float]:
    """Give the heights in mm of lines of pictures, all drawn with one scale, mm per angstrom."""
    extents = {place.row: pictures_of.padded(shared.extent(place.row)) for place in _all(shared)}
    scales = [
        min(shared.column / (right - left), TALLEST / (top - bottom))
        for left, right, bottom, top in extents.values()
    ]
    scale = min(scales, default=1.0)  # where there is no site
    tall = {row: scale * (top - bottom) for row, (_, _, bottom, top) in extents.items()}
    return [max((tall[place.row] for place in line), default=0.0) for line in shared.lines], scale


def _all(shared: Sheet) -> list[Place]:
    return [place for line in shared.lines for place in line]


def lines_height(heights: Sequence[float]) -> float:
    """Give the room in mm that `draw_lines` takes for pictures of these heights."""
    return style.MARGIN + sum(HEAD + height + ROW_GAP for height in heights)


def draw_lines(figure: Figure, shared: Sheet) -> float:
    """Draw lines of pictures from the top of a page down; return the height taken, mm."""
    heights, scale = line_heights(shared)
    y = style.MARGIN
    for line, height in zip(shared.lines, heights, strict=True):
        _draw_line(figure, shared, line, y=y, height=height, scale=scale)
        y += HEAD + height + ROW_GAP
    return y


def _draw_line(
    figure: Figure, shared: Sheet, line: Sequence[Place], *, y: float, height: float, scale: float
) -> None:
    """Draw a line of pictures with letters and titles from y (mm) down."""
    drawn = [
        number for number, place in enumerate(line) if (place.row, place.site) in shared.scenes
    ]
    first = min(drawn, default=0)
    for number, place in enumerate(line):
        x = style.MARGIN + number * (shared.column + GAP)
        style.letter(figure, x, y, place.letter)
        style.title(figure, x + 5.0, y, nice(place.site), shared.column - 5.0)
        ax = style.place(figure, x, y + HEAD, shared.column, height)
        left, right, bottom, top = shared.extent(place.row)
        # All pictures have one scale: a narrow view is widened to the column.
        more = 0.5 * max(0.0, shared.column / scale - (right - left))
        extent = (left - more, right + more, bottom, top)
        # One length bar a line is enough.
        draw_picture(ax, shared, place.row, place.site, extent, bar=number == first)


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


def key_lines(shared: Sheet, width: float, *, differences: bool) -> list[list[str]]:
    """Give the entries of the key in lines no wider than a page of `width` mm."""
    entries = pictures_of.key_entries(shared.elements, differences=differences)
    lines: list[list[str]] = [[]]
    for entry in entries:
        longer = sum(map(pictures_of.key_step, [*lines[-1], entry]))
        if lines[-1] and longer > width - 2.0 * style.MARGIN + pictures_of.KEY_GAP:
            lines.append([])
        lines[-1].append(entry)
    return lines


def key_height(shared: Sheet, *, differences: bool, width: float | None = None) -> float:
    """Give the height of the key, mm; parameters as for `draw_key`."""
    return LEGEND * len(key_lines(shared, width or shared.width, differences=differences))


def draw_key(
    figure: Figure, shared: Sheet, y: float, *, differences: bool, width: float | None = None
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
        Of the page, mm; that of the sheet if not given.
    """
    width = width or shared.width
    for number, entries in enumerate(key_lines(shared, width, differences=differences)):
        top = y + number * LEGEND
        ax = style.place(figure, style.MARGIN, top, width - 2.0 * style.MARGIN, LEGEND)
        if not shared.pictures:
            ax.set_axis_off()
            return
        pictures_of.draw_legend(ax, shared.elements, entries, dpi=shared.dpi)
