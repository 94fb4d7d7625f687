"""Figure 5 of the paper as a whole and panel by panel, and the supplement's S17 and S18."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import atoms as pictures_of
from analysis.figures import isosurfaces, raster, scene, style
from analysis.figures.arrhenius import draw_arrhenius
from analysis.figures.bars import draw_adsorption_bars, nice, site_names
from analysis.figures.profile import draw_profile

if TYPE_CHECKING:
    from analysis.adsorption import Table
    from analysis.arrhenius import Fit
    from analysis.charge import Density

TOP_LETTERS = "abcd"
FRONT_LETTERS = "fghi"
EDGE = 2.0  # mm of white at the border of the page
GAP = 1.2  # mm between pictures
COLUMN = (style.WIDTH_MM - 2.0 * EDGE - 3.0 * GAP) / 4.0  # mm, width of a picture
ROW_GAP = 1.5  # mm between rows
HEAD = 5.0  # mm for letter and title above a picture
TALLEST = 58.0  # mm, height of a picture
LEGEND = 6.0  # mm, height of the key
PLOTS = 46.0  # mm, height of the axes of e and j
CAPTION_POINT = 6.0
_LINE = 1.3  # line spacing over the type size

Kind = Literal["atoms", "difference"]


@dataclass(frozen=True)
class SitePicture:
    """One adsorption site: slab with adatom (the last atom), and its density difference."""

    site: str
    atoms: Atoms
    difference: Density | None = None


@dataclass(frozen=True)
class Row:
    """A row of pictures: what is shown, from where, and its letters."""

    kind: Kind
    direction: scene.Direction
    letters: str


TOP = Row("atoms", "top", TOP_LETTERS)
FRONT = Row("difference", "front", FRONT_LETTERS)
S17_ROWS = (Row("atoms", "front", "abcd"), Row("atoms", "side", "efgh"))
S18_ROWS = (Row("difference", "side", "abcd"), Row("difference", "top", "efgh"))


@dataclass(frozen=True)
class Sheet:
    """What all panels of a figure share: sites, pictures and scenes by site, isovalue, dpi."""

    sites: tuple[str, ...]
    pictures: Mapping[str, SitePicture]
    scenes: Mapping[tuple[Row, str], scene.Scene]
    isovalue: float | None
    dpi: float

    def extent(self, row: Row) -> raster.Extent:
        """Give the common extent in angstrom of one row, so that all sites share a scale."""
        extents = [view.extent for (other, _), view in self.scenes.items() if other == row]
        if not extents:
            return -3.5, 3.5, -3.5, 3.5
        left, right, bottom, top = zip(*extents, strict=True)
        return min(left), max(right), min(bottom), max(top)

    @property
    def elements(self) -> list[str]:
        """Give the elements for the key."""
        return pictures_of.elements_of([picture.atoms for picture in self.pictures.values()])


def sheet(
    pictures: Sequence[SitePicture],
    sites: Sequence[str],
    rows: Sequence[Row],
    isovalue: float | None,
    dpi: float,
) -> Sheet:
    """Gather what panels share; the isovalue (e/angstrom^3) follows from all densities if None."""
    named = {picture.site: picture for picture in pictures}
    # Four columns: rock salt has four sites, and so has the paper.
    shown = tuple(sites[:4])
    densities = [p.difference for p in pictures if p.difference is not None]
    if isovalue is None and densities:
        isovalue = isosurfaces.enclosing_isovalue(densities)
    scenes: dict[tuple[Row, str], scene.Scene] = {}
    for row in rows:
        for site in shown:
            picture = named.get(site)
            if picture is None or (row.kind == "difference" and picture.difference is None):
                continue
            density = picture.difference if row.kind == "difference" else None
            scenes[row, site] = scene.build(picture.atoms, row.direction, density, isovalue)
    return Sheet(shown, named, scenes, isovalue, dpi)


def compose(
    pictures: Sequence[SitePicture],
    table: Table,
    *,
    caption: str,
    physical: bool,
    fits: Mapping[str, Fit] | None = None,
    isovalue: float | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Compose figure 5, 180 mm wide: a-d from above, f-i differences, e energies, j Arrhenius.

    Parameters
    ----------
    pictures
        The sites computed; a site of the table or the paper without one says so in its panel.
    table
        Adsorption energies in eV.
    caption
        Small print: case, cell, cutoff, k-points, functional.
    physical
        Whether the settings allow conclusions; if not, the figure says so across its face.
    fits
        Arrhenius fits per electrode; without, the published slopes are drawn.
    isovalue
        Of the surfaces, e/angstrom^3; by `isosurfaces.enclosing_isovalue` if not given.
    dpi
        Pixels per inch of the rendered pictures.
    """
    shared = sheet(pictures, site_names(table), (TOP, FRONT), isovalue, dpi)
    text = _small_print(caption, shared)
    rows = (TOP, FRONT)
    heights, scale = _row_heights(shared, rows)
    fixed = EDGE + len(rows) * (HEAD + ROW_GAP) + LEGEND + 13.0 + PLOTS + 11.0
    with style.context():
        figure = style.new_figure(style.WIDTH_MM, fixed + sum(heights) + _print_height(text))
        y = EDGE
        for row, height in zip(rows, heights, strict=True):
            _draw_row(figure, shared, row, y=y, height=height, scale=scale)
            y += HEAD + height + ROW_GAP
        _draw_key(figure, shared, EDGE, y, style.WIDTH_MM - 2.0 * EDGE, differences=True)
        y += LEGEND + 2.0
        _draw_plots(figure, table, fits, y)
        _print(figure, text, y + 11.0 + PLOTS + 11.0)
        if not physical:
            style.watermark(figure)
    return figure


def panels(
    pictures: Sequence[SitePicture],
    table: Table,
    *,
    caption: str,
    physical: bool,
    fits: Mapping[str, Fit] | None = None,
    isovalue: float | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> dict[str, Figure]:
    """Draw every panel of figure 5 on a figure of its own, by letter; parameters as `compose`."""
    shared = sheet(pictures, site_names(table), (TOP, FRONT), isovalue, dpi)
    found: dict[str, Figure] = {}
    for row in (TOP, FRONT):
        for letter, site in zip(row.letters, shared.sites, strict=False):
            found[letter] = _picture_panel(shared, row, letter, site, caption, physical=physical)
    found["e"] = _plot_panel(
        "e", 120.0, lambda ax: draw_adsorption_bars(ax, table), caption, physical=physical
    )
    found["j"] = _plot_panel(
        "j", 75.0, lambda ax: draw_arrhenius(ax, fits), caption, physical=physical
    )
    return dict(sorted(found.items()))


def arrhenius_panel(fits: Mapping[str, Fit]) -> Figure:
    """Draw measured resistances and their fits on a figure of its own, 85 mm wide.

    Parameters
    ----------
    fits
        Arrhenius fits per electrode; energies in kJ/mol, temperatures in K.
    """
    caption = "T / R_ct = A exp(−E_a / RT), fitted to measured charge-transfer resistances."
    return _plot_panel("", 85.0, lambda ax: draw_arrhenius(ax, fits), caption, physical=True)


def s17(
    pictures: Sequence[SitePicture],
    *,
    caption: str,
    physical: bool,
    sites: Sequence[str] | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the sites from the front and from the side, as in figure S17; see `compose`."""
    shared = sheet(pictures, sites or [p.site for p in pictures], S17_ROWS, None, dpi)
    return _supplement(shared, S17_ROWS, caption, physical=physical)


def s18(
    pictures: Sequence[SitePicture],
    *,
    caption: str,
    physical: bool,
    sites: Sequence[str] | None = None,
    isovalue: float | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the differences from the side and from above, as in figure S18; see `compose`."""
    shared = sheet(pictures, sites or [p.site for p in pictures], S18_ROWS, isovalue, dpi)
    return _supplement(shared, S18_ROWS, caption, physical=physical)


def profiles(
    pictures: Sequence[SitePicture],
    *,
    caption: str,
    physical: bool,
    sites: Sequence[str] | None = None,
) -> Figure:
    """Draw the plane-averaged differences of up to four sites side by side; see `compose`."""
    shared = sheet(pictures, sites or [p.site for p in pictures], (), None, style.RESOLUTION_DPI)
    text = _lines(caption, style.WIDTH_MM)
    with style.context():
        figure = style.new_figure(style.WIDTH_MM, 60.0 + _print_height(text))
        width = (style.WIDTH_MM - EDGE) / 4.0
        drawn: list[Axes] = []
        for number, site in enumerate(shared.sites):
            left = EDGE + number * width
            style.letter(figure, left, EDGE, "abcd"[number])
            style.write(figure, left + 5.0, EDGE + 0.6, nice(site))
            ax = style.place(figure, left + 12.0, 11.0, width - 13.5, 36.0)
            picture = shared.pictures.get(site)
            if picture is None or picture.difference is None:
                style.say_missing(ax, "not computed")
                continue
            draw_profile(ax, picture.difference, picture.atoms)
            drawn.append(ax)
        # One scale: the sites are there to be compared.
        low, high = zip(*(ax.get_ylim() for ax in drawn), strict=True) if drawn else ((), ())
        for ax in drawn:
            ax.set_ylim(min(low), max(high))
        for ax in drawn[1:]:
            ax.set_ylabel("")
        _print(figure, text, 58.0)
        if not physical:
            style.watermark(figure)
    return figure


def _supplement(shared: Sheet, rows: Sequence[Row], caption: str, *, physical: bool) -> Figure:
    """Compose rows of pictures with their key and small print."""
    differences = any(row.kind == "difference" for row in rows)
    text = _small_print(caption, shared) if differences else _lines(caption, style.WIDTH_MM)
    heights, scale = _row_heights(shared, rows)
    total = EDGE + len(rows) * (HEAD + ROW_GAP) + sum(heights) + LEGEND + 2.0 + _print_height(text)
    with style.context():
        figure = style.new_figure(style.WIDTH_MM, total)
        y = EDGE
        for row, height in zip(rows, heights, strict=True):
            _draw_row(figure, shared, row, y=y, height=height, scale=scale)
            y += HEAD + height + ROW_GAP
        _draw_key(figure, shared, EDGE, y, style.WIDTH_MM - 2.0 * EDGE, differences=differences)
        _print(figure, text, y + LEGEND + 2.0)
        if not physical:
            style.watermark(figure)
    return figure


def _row_heights(shared: Sheet, rows: Sequence[Row]) -> tuple[list[float], float]:
    """Give the heights in mm of rows of pictures, all drawn with one scale, mm per angstrom."""
    extents = [pictures_of.padded(shared.extent(row)) for row in rows]
    scale = min(
        min(COLUMN / (right - left), TALLEST / (top - bottom))
        for left, right, bottom, top in extents
    )
    return [scale * (top - bottom) for _, _, bottom, top in extents], scale


def _draw_row(
    figure: Figure, shared: Sheet, row: Row, *, y: float, height: float, scale: float
) -> None:
    """Draw a row of pictures with letters and titles from y (mm) down."""
    left, right, bottom, top = shared.extent(row)
    # All rows have one scale: a narrow view is widened to the column.
    more = 0.5 * max(0.0, COLUMN / scale - (right - left))
    extent = (left - more, right + more, bottom, top)
    drawn = [number for number, site in enumerate(shared.sites) if (row, site) in shared.scenes]
    first = min(drawn, default=0)
    for number, site in enumerate(shared.sites):
        x = EDGE + number * (COLUMN + GAP)
        style.letter(figure, x, y, row.letters[number])
        style.write(figure, x + 5.0, y + 0.7, nice(site))
        ax = style.place(figure, x, y + HEAD, COLUMN, height)
        # One scale in all pictures: one length bar a row is enough.
        _draw_picture(ax, shared, row, site, extent, bar=number == first)


def _draw_picture(
    ax: Axes, shared: Sheet, row: Row, site: str, extent: raster.Extent, *, bar: bool = True
) -> None:
    """Draw one site on its axes, or say that it is missing."""
    view, picture = shared.scenes.get((row, site)), shared.pictures.get(site)
    if view is None or picture is None:
        style.say_missing(ax, "not computed" if picture is None else "density not computed")
        return
    pictures_of.draw_scene(ax, view, extent=extent, dpi=shared.dpi, bar=bar)
    value, density = shared.isovalue or 0.0, picture.difference
    if row.kind == "difference" and density is not None:
        pictures_of.say_if_weak(ax, density, value)


def _draw_plots(figure: Figure, table: Table, fits: Mapping[str, Fit] | None, y: float) -> None:
    """Draw e and j side by side from y (mm) down."""
    style.letter(figure, EDGE, y, "e")
    draw_adsorption_bars(style.place(figure, 14.0, y + 11.0, 104.0, PLOTS), table)
    style.letter(figure, 122.0, y, "j")
    draw_arrhenius(style.place(figure, 134.0, y + 5.0, 44.0, PLOTS + 6.0), fits)


def _draw_key(
    figure: Figure, shared: Sheet, x: float, y: float, width: float, *, differences: bool
) -> None:
    """Draw the key of elements and surfaces at x, y (mm)."""
    ax = style.place(figure, x, y, width, LEGEND)
    if not shared.pictures:
        ax.set_axis_off()
        return
    pictures_of.draw_legend(ax, shared.elements, differences=differences, dpi=shared.dpi)


def _picture_panel(
    shared: Sheet, row: Row, letter: str, site: str, caption: str, *, physical: bool
) -> Figure:
    """Draw one picture on a figure of its own, 85 mm wide."""
    width = 85.0
    extent = shared.extent(row)
    left, right, bottom, top = pictures_of.padded(extent)
    height = min(90.0, (width - 2.0 * EDGE) * (top - bottom) / (right - left))
    text = _small_print(caption, shared if row.kind == "difference" else None, width)
    with style.context():
        figure = style.new_figure(width, EDGE + HEAD + height + LEGEND + 2.0 + _print_height(text))
        style.letter(figure, EDGE, EDGE, letter)
        style.write(figure, EDGE + 5.0, EDGE + 0.7, nice(site))
        ax = style.place(figure, EDGE, EDGE + HEAD, width - 2.0 * EDGE, height)
        _draw_picture(ax, shared, row, site, extent)
        y = EDGE + HEAD + height
        _draw_key(figure, shared, EDGE, y, width - 2.0 * EDGE, differences=row.kind == "difference")
        _print(figure, text, y + LEGEND + 2.0)
        if not physical:
            style.watermark(figure)
    return figure


def _plot_panel(
    letter: str, width: float, draw: Callable[[Axes], Axes], caption: str, *, physical: bool
) -> Figure:
    """Draw a plot on a figure of its own, width in mm."""
    text = _lines(caption, width)
    with style.context():
        figure = style.new_figure(width, 80.0 + _print_height(text))
        style.letter(figure, EDGE, EDGE, letter)
        head = 14.0 if letter else 5.0
        draw(style.place(figure, 14.0, head, width - 17.0, 68.0 - head))
        _print(figure, text, 79.0)
        if not physical:
            style.watermark(figure)
    return figure


def _small_print(caption: str, shared: Sheet | None, width: float = style.WIDTH_MM) -> list[str]:
    """Give the caption in lines, with what the surfaces mean if there are any."""
    parts = [caption.strip()]
    if shared is not None and shared.isovalue:
        parts.append(
            f"Charge-density differences at ±{shared.isovalue:g} e Å⁻³ "
            "(yellow: accumulation, cyan: depletion)."
        )
    parts.append("Dashed: the cell that repeats.")
    return _lines(" ".join(parts), width)


def _lines(text: str, width: float) -> list[str]:
    """Break small print into lines for a figure of a width in mm."""
    return style.wrapped(text, CAPTION_POINT, width - 2.0 * EDGE)


def _print_height(lines: Sequence[str]) -> float:
    """Give the height in mm of small print, with the margin under it."""
    return len(lines) * _LINE * CAPTION_POINT * style.MM_PER_INCH / 72.0 + EDGE


def _print(figure: Figure, lines: Sequence[str], y: float) -> None:
    """Write the small print from y (mm) down."""
    style.write(
        figure,
        EDGE,
        y,
        "\n".join(lines),
        fontsize=CAPTION_POINT,
        color=style.MUTED,
        linespacing=_LINE,
    )
