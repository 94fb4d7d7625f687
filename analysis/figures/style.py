"""One look for all figures: sizes in millimetres, fonts, panel letters, caption, watermark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

MM_PER_INCH = 25.4
WIDTH_MM = 180.0  # two columns of the journal
SMALLEST_POINT = 6.0  # smallest type the journal allows at printed size
RESOLUTION_DPI = 600.0  # of the rendered pictures, at printed size

# Blue and vermilion of Okabe and Ito can be told apart with every kind of colour vision.
OURS = "#0072b2"
OURS_PALE = "#a9d2ec"
PAPER = "#b4b4b4"
SECOND = "#d55e00"
MUTED = "#767676"
INK = "#222222"

# Curves or marks of several sites in one plot: told apart by colour, and by shape without it.
_SERIES = (
    (OURS, "o"), (SECOND, "s"), ("#009e73", "D"), ("#cc79a7", "^"), ("#4d4d4d", "v"),
    ("#56b4e9", "P"), ("#e69f00", "X"), ("#6a3d9a", "*"),
)  # fmt: skip

COLUMN_MM = 88.0  # one column of the journal
LETTERS = ascii_lowercase + ascii_uppercase + "αβγδεζηθικλμνξπρστυφχψω"  # of panels, in order

WATERMARK = "not physical: smoke-test settings"

CAPTION = "caption"  # id of a page's caption in SVG files, with the height above it in points
CAPTION_POINT = SMALLEST_POINT
CAPTION_SPACING = 1.3  # line spacing over the type size
MARGIN = 2.0  # mm of white at the border of a page

# The typefaces that journals ask for; matplotlib brings the last one, which has every glyph.
TYPEFACES = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")


@lru_cache(maxsize=1)
def typefaces() -> tuple[str, ...]:
    """Give the installed typefaces; what a letter lacks in one is taken from the next."""
    installed = set(font_manager.fontManager.get_font_names())
    return tuple(name for name in TYPEFACES if name in installed)


def rc() -> dict[Any, Any]:
    """Give the matplotlib settings (lengths in points) that every figure is drawn with."""
    return {
        "font.family": list(typefaces()),
        "font.size": 7.0,
        "axes.labelsize": 7.0,
        "axes.titlesize": 7.0,
        "xtick.labelsize": 6.5,
        "ytick.labelsize": 6.5,
        "legend.fontsize": 6.0,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "legend.borderaxespad": 0.2,
        "mathtext.default": "regular",
        "text.hinting": "none",  # hinted letters are wider than `text_width` makes them
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "lines.linewidth": 1.0,
        "lines.markersize": 3.5,
        "hatch.linewidth": 0.5,
        "figure.dpi": 100.0,
        "savefig.dpi": RESOLUTION_DPI,
        "savefig.bbox": None,  # the size on paper is the size asked for
        "pdf.fonttype": 42,  # text stays text that an editor can open
        "ps.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "sodiophile",  # the same figure is the same file
    }


def context() -> AbstractContextManager[None]:
    """Give the context in which figures are drawn."""
    return rc_context(rc())


class PaperFigure(Figure):
    """A figure that is saved with the settings it was drawn with, whoever saves it."""

    def savefig(self, fname: Any, *, transparent: bool | None = None, **settings: Any) -> None:
        """Save under `context`, so that type stays type in PDF and SVG."""
        with context():
            super().savefig(fname, transparent=transparent, **settings)


def inches(millimetres: float) -> float:
    """Convert millimetres to inches."""
    return millimetres / MM_PER_INCH


def series() -> Iterator[tuple[str, str]]:
    """Give a colour and a marker for one site after another, from the start again at the end."""
    return cycle(_SERIES)


def new_figure(width_mm: float, height_mm: float) -> PaperFigure:
    """Give an empty white figure of this size in millimetres."""
    return PaperFigure(figsize=(inches(width_mm), inches(height_mm)), facecolor="white")


def text_width(text: str, points: float) -> float:
    """Give the printed width in mm of one line of type of a size in points."""
    widths = (_letter_width(character, typefaces()) for character in text)
    return points * sum(widths) / 72.0 * MM_PER_INCH


@lru_cache(maxsize=512)
def _letter_width(character: str, faces: tuple[str, ...]) -> float:
    """Give the width of a letter over the type size; kerning is left out."""
    font = FontProperties(family=list(faces), size=100.0)
    width, _, _ = text_to_path.get_text_width_height_descent(character, font, ismath=False)
    return float(width) / 100.0


def wrapped(text: str, points: float, width: float) -> list[str]:
    """Break text into lines no wider than `width` mm, inside a word where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if text_width(longer, points) <= width:
            line = longer
            continue
        lines += [line] if line else []
        line = word
        while text_width(line, points) > width:
            fits = next(n for n in range(len(line), 0, -1) if text_width(line[:n], points) <= width)
            lines, line = [*lines, line[:fits]], line[fits:]
    return [*lines, line] if line else lines


def broken(name: str, points: float, width: float) -> list[str]:
    """Break a name after its hyphens and blanks into lines no wider than `width` mm, if need be."""
    lines = [""]
    for part in re.findall(r"[^- ]*[- ]?", name):
        longer = lines[-1] + part
        if lines[-1] and text_width(longer.rstrip(), points) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return [line.rstrip() for line in lines]


def title(figure: Figure, left: float, top: float, text: str, width: float) -> None:
    """Write a panel's title, 7 pt, or 6 pt in two lines where it is wider than `width` mm."""
    if text_width(text, 7.0) <= width:
        write(figure, left, top + 0.7, text)
        return
    lines = broken(text, SMALLEST_POINT, width)
    raised = 0.7 if len(lines) == 1 else -0.4
    write(figure, left, top + raised, "\n".join(lines), fontsize=SMALLEST_POINT, linespacing=1.05)


@dataclass(frozen=True)
class Caption:
    """What stands below a figure: what is shown, and how it was computed.

    `physical` tells whether the settings allow conclusions; if not, the figure is marked.
    """

    text: str
    physical: bool = True

    def __add__(self, text: str) -> Caption:
        """Return the caption with another sentence at its end."""
        return replace(self, text=f"{self.text} {text}")


@contextmanager
def page(width_mm: float, height_mm: float, caption: Caption) -> Iterator[Figure]:
    """Give an empty page to draw on; its caption follows below, a watermark above if it must.

    Parameters
    ----------
    width_mm, height_mm
        Size of what is drawn, without the caption, in millimetres.
    caption
        Broken into lines here.
    """
    lines = wrapped(caption.text, CAPTION_POINT, width_mm - 2.0 * MARGIN)
    printed = len(lines) * CAPTION_SPACING * CAPTION_POINT / 72.0 * MM_PER_INCH + MARGIN
    with context():
        figure = new_figure(width_mm, height_mm + printed)
        yield figure
        write(
            figure, MARGIN, height_mm, "\n".join(lines), fontsize=CAPTION_POINT, color=MUTED,
            linespacing=CAPTION_SPACING, gid=f"{CAPTION}-{72.0 * inches(height_mm):.2f}",
        )  # fmt: skip
        if not caption.physical:
            watermark(figure, height_mm)


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place in millimetres from the upper left corner of the figure."""
    across, down = (MM_PER_INCH * float(inch) for inch in figure.get_size_inches())
    return figure.add_axes(
        (left / across, 1.0 - (top + height) / down, width / across, height / down)
    )


def write(figure: Figure, left: float, top: float, text: str, **font: Any) -> None:
    """Write text with its upper left corner at a place in millimetres from the upper left."""
    across, down = (MM_PER_INCH * float(inch) for inch in figure.get_size_inches())
    figure.text(left / across, 1.0 - top / down, text, **({"va": "top", "ha": "left"} | font))


def letter(figure: Figure, left: float, top: float, name: str) -> None:
    """Write a panel letter, bold 9 pt, at a place in millimetres from the upper left."""
    write(figure, left, top, name, fontsize=9.0, fontweight="bold")


def size_mm(ax: Axes) -> tuple[float, float]:
    """Give width and height of axes in millimetres.

    Raises
    ------
    ValueError
        If the axes belong to no figure.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure, so their size is not known")
    box = ax.get_window_extent()
    scale = MM_PER_INCH / figure.dpi
    return float(box.width) * scale, float(box.height) * scale


def note_missing(ax: Axes, text: str) -> Axes:
    """Turn the axes into a quiet grey panel with a note on what is missing."""
    ax.set_axis_off()
    ax.set_facecolor("#f3f3f3")
    ax.add_patch(_backdrop(ax))
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return ax


def _backdrop(ax: Axes) -> Rectangle:
    """Give a pale rectangle over the whole axes (the patch of switched-off axes is not drawn)."""
    return Rectangle((0.0, 0.0), 1.0, 1.0, transform=ax.transAxes, facecolor="#f3f3f3", lw=0.0)


def watermark(figure: Figure, height_mm: float) -> None:
    """Mark a figure whose numbers must not be used.

    Across a wide page, above the caption of a narrow one, atop a single panel.

    Parameters
    ----------
    figure
        The page.
    height_mm
        Height of what is drawn, without the caption, in millimetres.
    """
    across, down = (float(inch) for inch in figure.get_size_inches())
    look: dict[str, Any] = {"fontweight": "bold", "color": "#b00020", "zorder": 1000.0}
    if across > 5.0:
        # As large as the width allows: a bold letter is about 0.65 of the type size wide.
        size = min(30.0, 0.9 * 72.0 * across / (0.65 * len(WATERMARK)))
        place_at: dict[str, Any] = {"ha": "center", "va": "center", "rotation": 20.0, "alpha": 0.25}
        figure.text(0.5, 0.5, WATERMARK, fontsize=size, **place_at, **look)
        return
    if across >= inches(COLUMN_MM) - 1e-6:
        text = {"ha": "right", "va": "bottom", "fontsize": SMALLEST_POINT}
        write(figure, MM_PER_INCH * across - MARGIN, height_mm - 0.3, WATERMARK, **text, **look)
        return
    # On a small panel pale type would be lost among the atoms: it stands beside the letter.
    top = 1.0 - inches(2.7) / down
    figure.text(1.0 - inches(2.0) / across, top, WATERMARK, ha="right", va="top", **look)


def mark(ax: Axes) -> None:
    """Write above axes of any figure that their numbers must not be used; see `watermark`."""
    ax.text(
        1.0, 1.0, WATERMARK, transform=ax.transAxes, ha="right", va="bottom", zorder=1000.0,
        fontsize=SMALLEST_POINT, fontweight="bold", color="#b00020",
    )  # fmt: skip
