"""Figure 5 of the paper as a whole and panel by panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import paper
from analysis.figures import atoms as pictures_of
from analysis.figures import sheet as sheets
from analysis.figures import style
from analysis.figures.arrhenius import draw_arrhenius, explanation
from analysis.figures.bars import (
    draw_adsorption_bars,
    labels_height,
    legend_height,
    marks_in_words,
    nice,
    site_names,
)
from analysis.figures.sheet import HEAD, Row, Sheet, SitePicture

if TYPE_CHECKING:
    from analysis.adsorption import Table
    from analysis.arrhenius import Fit

PLOTS = 46.0  # mm, height of the axes of the energies
ABOVE, BELOW = 11.0, 11.0  # mm over these axes, for the legend, and under them
BESIDE = 60.0  # mm from the right border to the axes of the energies where both plots are shown
WIDEST = 55.0  # mm for the bars of a site
PANEL, BARS = 85.0, 120.0  # mm, width of a picture and of the energies on a figure of their own


@dataclass(frozen=True)
class Letters:
    """The letters of the panels."""

    top: str
    energies: str
    differences: str
    arrhenius: str

    @property
    def rows(self) -> tuple[Row, Row]:
        """Give the rows of pictures: the sites from above, their differences from the front."""
        return Row("atoms", "top", self.top), Row("difference", "front", self.differences)


def letters(sites: int) -> Letters:
    """Give the letters for a number of sites: the paper's for four, else from left to right."""
    if sites == 4:
        return Letters("abcd", "e", "fghi", "j")
    names, twice = style.LETTERS, 2 * sites
    return Letters(names[:sites], names[twice], names[sites:twice], names[twice + 1])


@dataclass(frozen=True)
class Content:
    """What figure 5 shows.

    Attributes
    ----------
    table
        Adsorption energies in eV.
    pictures
        The sites computed, traced at `isovalue`; a site without one is named as missing.
    isovalue
        Of the surfaces, e/angstrom^3; None without any.
    fits
        Arrhenius fits per electrode. Without any, the published slopes are drawn for the paper's
        system, and nothing for another one.
    """

    table: Table
    pictures: Sequence[SitePicture] = ()
    isovalue: float | None = None
    fits: Mapping[str, Fit] = field(default_factory=dict)

    @property
    def sites(self) -> list[str]:
        """Give the sites, from left to right."""
        return site_names(self.table)

    @property
    def letters(self) -> Letters:
        """Give the letters of the panels."""
        return letters(len(self.sites))

    @property
    def has_lines(self) -> bool:
        """Tell whether there are Arrhenius lines to show: measured ones, or the paper's own."""
        return bool(self.fits) or paper.is_system(self.table.host, self.table.adatom)

    @property
    def panels(self) -> str:
        """Give the letters of all panels that there are."""
        named = self.letters
        last = named.arrhenius if self.has_lines else ""
        every = named.top + named.energies + named.differences + last
        return "".join(sorted(every, key=style.LETTERS.index))

    def sheet(self, dpi: float) -> Sheet:
        """Gather what the pictures share."""
        return sheets.sheet(
            self.pictures, self.sites, self.letters.rows, self.isovalue, dpi, wide=self.has_lines
        )


def compose(
    content: Content, caption: style.Caption, *, dpi: float = style.RESOLUTION_DPI
) -> Figure:
    """Compose figure 5: sites from above, differences, energies, Arrhenius lines.

    It is 180 mm wide, or 88 mm for one or two sites.

    Parameters
    ----------
    content
        What is shown.
    caption
        System, cell, cutoff, k-points, functional.
    dpi
        Pixels per inch of the rendered pictures.
    """
    shared, named = content.sheet(dpi), content.letters
    heights, _ = sheets.line_heights(shared)
    key = sheets.key_height(shared, differences=True) + 2.0
    bars = _bars_width(content, shared.width)
    above = max(ABOVE, legend_height(content.table, bars) + 2.0)
    below = BELOW + labels_height(content.table, bars)
    total = sheets.lines_height(heights) + key + above + PLOTS + below
    full = caption + shared.difference_caption
    if marks := marks_in_words(content.table):
        full += f"({named.energies}) {marks}"
    if content.has_lines:
        full += f"({named.arrhenius}) {explanation(content.fits)}"
    with style.page(shared.width, total, full) as figure:
        y = sheets.draw_lines(figure, shared)
        sheets.draw_key(figure, shared, y, differences=True)
        _draw_plots(figure, content, y + key, above, bars)
    return figure


def panel(
    content: Content, letter: str, caption: style.Caption, *, dpi: float = style.RESOLUTION_DPI
) -> Figure:
    """Draw one panel of figure 5 on a figure of its own.

    Parameters
    ----------
    letter
        One of `content.panels`.
    content, caption, dpi
        As in `compose`.
    """
    named = content.letters
    if letter == named.arrhenius:
        return arrhenius_panel(content.fits, letter)
    if letter == named.energies:
        return _plot_panel(
            letter,
            BARS,
            caption + marks_in_words(content.table),
            lambda ax: draw_adsorption_bars(ax, content.table),
            below=labels_height(content.table, BARS - 17.0),
        )
    row = next(row for row in named.rows if letter in row.letters)
    return _picture_panel(content.sheet(dpi), row, letter, caption)


def arrhenius_panel(fits: Mapping[str, Fit], letter: str = "") -> Figure:
    """Draw measured resistances and their fits, or the published slopes, 85 mm wide.

    Parameters
    ----------
    fits
        Arrhenius fits per electrode; energies in kJ/mol, temperatures in K.
    letter
        Of the panel; none if empty.
    """
    # Measured or published, whatever the settings of a calculation: never marked.
    caption = style.Caption(explanation(fits))
    return _plot_panel(letter, PANEL, caption, lambda ax: draw_arrhenius(ax, fits))


def _bars_width(content: Content, page: float) -> float:
    """Give the width in mm of the axes of the energies on a page of a width in mm."""
    room = page - 14.0 - (BESIDE + 2.0 if content.has_lines else style.MARGIN)
    return room if page <= style.COLUMN_MM else min(room, WIDEST * len(content.sites))


def _draw_plots(figure: Figure, content: Content, y: float, above: float, width: float) -> None:
    """Draw the energies and, if there are any, the Arrhenius lines from y (mm) down."""
    named = content.letters
    style.letter(figure, style.MARGIN, y, named.energies)
    draw_adsorption_bars(style.place(figure, 14.0, y + above, width, PLOTS), content.table)
    if content.has_lines:
        left = style.WIDTH_MM - BESIDE + 2.0
        style.letter(figure, left, y, named.arrhenius)
        ax = style.place(figure, left + 12.0, y + above - 6.0, BESIDE - 16.0, PLOTS + 6.0)
        draw_arrhenius(ax, content.fits)


def _picture_panel(shared: Sheet, row: Row, letter: str, caption: style.Caption) -> Figure:
    """Draw one picture on a figure of its own, 85 mm wide."""
    site = shared.sites[row.letters.index(letter)]
    inner = PANEL - 2.0 * style.MARGIN
    extent = shared.extent(row)
    left, right, bottom, top = pictures_of.padded(extent)
    height = min(90.0, inner * (top - bottom) / (right - left))
    differences = row.kind == "difference"
    full = caption + (shared.difference_caption if differences else sheets.OUTLINE)
    y = style.MARGIN + HEAD + height
    key = sheets.key_height(shared, differences=differences, width=PANEL)
    with style.page(PANEL, y + key + 2.0, full) as figure:
        style.letter(figure, style.MARGIN, style.MARGIN, letter)
        style.title(figure, style.MARGIN + 5.0, style.MARGIN, nice(site), inner - 5.0)
        ax = style.place(figure, style.MARGIN, style.MARGIN + HEAD, inner, height)
        sheets.draw_picture(ax, shared, row, site, extent)
        sheets.draw_key(figure, shared, y, differences=differences, width=PANEL)
    return figure


def _plot_panel(
    letter: str,
    width: float,
    caption: style.Caption,
    draw: Callable[[Axes], Axes],
    *,
    below: float = 0.0,
) -> Figure:
    """Draw a plot on a figure of its own, width and room below in mm."""
    with style.page(width, 79.0 + below, caption) as figure:
        style.letter(figure, style.MARGIN, style.MARGIN, letter)
        head = 14.0 if letter else 5.0
        draw(style.place(figure, 14.0, head, width - 17.0, 68.0 - head))
    return figure
