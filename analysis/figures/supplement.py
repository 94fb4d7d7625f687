"""Figures S17 and S18 of the paper's supplement, and more of the density differences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import sheet as sheets
from analysis.figures import style
from analysis.figures.bars import nice
from analysis.figures.plane_average import draw_plane_average
from analysis.figures.sheet import Row, Sheet, SitePicture

PROFILE = 58.0  # mm, height of a line of plane averages


def s17(
    pictures: Sequence[SitePicture],
    sites: Sequence[str],
    caption: style.Caption,
    *,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the sites from the front and from the side, as in figure S17.

    Parameters
    ----------
    pictures
        The sites computed.
    sites
        Names of the sites, from left to right; one without a picture is named as missing.
    caption, dpi
        As in `analysis.figures.fig5.compose`.
    """
    front, side = Row("atoms", "front", ""), Row("atoms", "side", "")
    rows = _lettered(len(sites), front, side)
    shared = sheets.sheet(pictures, sites, rows, None, dpi)
    return _compose(shared, caption, differences=False)


def s18(
    pictures: Sequence[SitePicture],
    sites: Sequence[str],
    caption: style.Caption,
    *,
    isovalue: float | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the differences from the side and from above, as in figure S18; see `s17`.

    Parameters
    ----------
    pictures, sites, caption, dpi
        As in `s17`; the pictures traced at `isovalue`.
    isovalue
        Of the surfaces, e/angstrom^3.
    """
    side, top = Row("difference", "side", ""), Row("difference", "top", "")
    rows = _lettered(len(sites), side, top)
    shared = sheets.sheet(pictures, sites, rows, isovalue, dpi)
    return _compose(shared, caption, differences=True)


def host_and_metal(
    host: Sequence[SitePicture],
    metal: Sequence[SitePicture],
    caption: style.Caption,
    *,
    isovalue: float | None = None,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the differences on the host and on the adatom's own metal from the front; see `s18`.

    Parameters
    ----------
    host, metal
        Pictures traced at the same `isovalue`, which name their surface, too: 'Na(110) hollow'.
    caption, isovalue, dpi
        As in `s18`.
    """
    rows: list[Row] = []
    letters = iter(style.LETTERS)
    for pictures in filter(None, (host, metal)):
        sites = tuple(picture.site for picture in pictures)
        rows.append(Row("difference", "front", "".join(islice(letters, len(sites))), sites))
    every = [*host, *metal]
    shared = sheets.sheet(every, [p.site for p in every], rows, isovalue, dpi)
    return _compose(shared, caption, differences=True)


def plane_averages(
    pictures: Sequence[SitePicture], sites: Sequence[str], caption: style.Caption
) -> Figure:
    """Draw the plane-averaged differences of the sites side by side; see `s17`."""
    named = {picture.site: picture for picture in pictures}
    lines = sheets.balanced(len(sites))
    page = style.COLUMN_MM if max(lines) < sheets.LEAST_COLUMNS else style.WIDTH_MM
    with style.page(page, PROFILE * len(lines), caption) as figure:
        width = (page - style.MARGIN) / max(1, *lines)
        drawn: list[Axes] = []
        for number, site in enumerate(sites):
            line, column = divmod(number, max(lines))
            left, top = style.MARGIN + column * width, PROFILE * line
            style.letter(figure, left, top + style.MARGIN, style.LETTERS[number])
            style.title(figure, left + 5.0, top + style.MARGIN, nice(site), width - 7.0)
            ax = style.place(figure, left + 12.0, top + 11.0, width - 13.5, 36.0)
            picture = named.get(site)
            if picture is None or picture.difference is None:
                style.note_missing(ax, "not computed")
                continue
            draw_plane_average(ax, picture.difference, picture.atoms)
            drawn.append(ax)
        _share_scale(drawn)
    return figure


def _share_scale(drawn: Sequence[Axes]) -> None:
    """Give all axes the same y axis, named once: the sites are there to be compared."""
    if not drawn:
        return
    low, high = zip(*(ax.get_ylim() for ax in drawn), strict=True)
    for ax in drawn:
        ax.set_ylim(min(low), max(high))
    for ax in drawn:
        if ax.get_position().x0 > min(other.get_position().x0 for other in drawn) + 1e-6:
            ax.set_ylabel("")


def _lettered(sites: int, first: Row, second: Row) -> tuple[Row, Row]:
    """Give two rows letters that follow one another."""
    return (
        Row(first.kind, first.direction, style.LETTERS[:sites]),
        Row(second.kind, second.direction, style.LETTERS[sites : 2 * sites]),
    )


def _compose(shared: Sheet, caption: style.Caption, *, differences: bool) -> Figure:
    """Compose lines of pictures with their key."""
    words = shared.difference_caption if differences else sheets.OUTLINE
    heights, _ = sheets.line_heights(shared)
    height = sheets.lines_height(heights) + sheets.key_height(shared, differences=differences) + 2.0
    with style.page(shared.width, height, caption + words) as figure:
        y = sheets.draw_lines(figure, shared)
        sheets.draw_key(figure, shared, y, differences=differences)
    return figure
