"""Figures S17 and S18 of the paper's supplement, and more of the density differences."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import sheet as sheets
from analysis.figures import style
from analysis.figures.bars import nice
from analysis.figures.plane_average import draw_plane_average
from analysis.figures.sheet import LEGEND, Row, Sheet, SitePicture

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 4  # pictures in a row


def s17(
    pictures: Sequence[SitePicture],
    sites: Sequence[str],
    caption: style.Caption,
    *,
    dpi: float = style.RESOLUTION_DPI,
) -> Figure:
    """Draw the sites from the front and from the side, as in figure S17, 180 mm wide.

    Parameters
    ----------
    pictures
        The sites computed.
    sites
        Names of up to four sites, from left to right; one without a picture is named as missing.
    caption, dpi
        As in `analysis.figures.fig5.compose`.
    """
    front, side = Row("atoms", "front", ""), Row("atoms", "side", "")
    rows = _lettered(len(sites), front, side)
    shared = sheets.sheet(pictures, sites, rows, None, dpi)
    return _compose(shared, rows, caption)


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
    return _compose(shared, rows, caption)


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
    for names in ([picture.site for picture in host], [picture.site for picture in metal]):
        for start in range(0, len(names), LONGEST):
            sites = tuple(names[start : start + LONGEST])
            before = sum(len(row.letters) for row in rows)
            letters = LETTERS[before : before + len(sites)]
            rows.append(Row("difference", "front", letters, sites))
    pictures = [*host, *metal]
    shared = sheets.sheet(pictures, [p.site for p in pictures], rows, isovalue, dpi)
    return _compose(shared, rows, caption)


def plane_averages(
    pictures: Sequence[SitePicture], sites: Sequence[str], caption: style.Caption
) -> Figure:
    """Draw the plane-averaged differences of up to four sites side by side; see `s17`."""
    named = {picture.site: picture for picture in pictures}
    with style.page(style.WIDTH_MM, 58.0, caption) as figure:
        width = (style.WIDTH_MM - style.MARGIN) / max(sheets.LEAST_COLUMNS, len(sites))
        drawn: list[Axes] = []
        for number, site in enumerate(sites):
            left = style.MARGIN + number * width
            style.letter(figure, left, style.MARGIN, LETTERS[number])
            style.write(figure, left + 5.0, style.MARGIN + 0.6, nice(site))
            ax = style.place(figure, left + 12.0, 11.0, width - 13.5, 36.0)
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
    for ax in drawn[1:]:
        ax.set_ylabel("")


def _lettered(sites: int, first: Row, second: Row) -> tuple[Row, Row]:
    """Give two rows letters that follow one another."""
    return (
        Row(first.kind, first.direction, LETTERS[:sites]),
        Row(second.kind, second.direction, LETTERS[sites : 2 * sites]),
    )


def _compose(shared: Sheet, rows: Sequence[Row], caption: style.Caption) -> Figure:
    """Compose rows of pictures with their key."""
    differences = any(row.kind == "difference" for row in rows)
    words = shared.difference_caption if differences else sheets.OUTLINE
    heights, _ = sheets.row_heights(shared, rows)
    height = sheets.rows_height(heights) + LEGEND + 2.0
    with style.page(style.WIDTH_MM, height, caption + words) as figure:
        y = sheets.draw_rows(figure, shared, rows)
        sheets.draw_key(figure, shared, y, differences=differences)
    return figure
