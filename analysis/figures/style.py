"""One look for all figures: sizes in millimetres, fonts, colours, panel letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import cycle
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

# The paper's two isosurface colours; they also differ in lightness, so they survive in grey.
ACCUMULATION = "#f6cf12"
DEPLETION = "#22c3d6"

# Jmol's grey for V, a deep blue for N, far from the cyan surface. Na is violet, as in Jmol: the
# yellow that Na has in other programs is taken by the accumulation.
ELEMENTS = {"V": "#9aa3ad", "N": "#2b50d8", "Na": "#a259d9"}
OTHER_ELEMENT = "#c8c8c8"

# Blue and vermilion of Okabe and Ito can be told apart with every kind of colour vision.
OURS = "#0072b2"
OURS_PALE = "#a9d2ec"
PAPER = "#b4b4b4"
SECOND = "#d55e00"
MUTED = "#767676"
INK = "#222222"

# Curves or marks of several sites in one plot: told apart by colour, and by shape without it.
_SERIES = ((OURS, "o"), (SECOND, "s"), ("#009e73", "D"), ("#cc79a7", "^"), ("#4d4d4d", "v"))

WATERMARK = "not physical: smoke-test settings"
_FAMILIES = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")


@lru_cache(maxsize=1)
def family() -> str:
    """Give the first installed of the typefaces journals ask for (matplotlib brings the last)."""
    installed = set(font_manager.fontManager.get_font_names())
    return next((name for name in _FAMILIES if name in installed), _FAMILIES[-1])


def typefaces() -> list[str]:
    """Give the typeface, then the one to take single signs from that the first lacks (⁻, Å⁻¹)."""
    return list(dict.fromkeys([family(), _FAMILIES[-1]]))


def rc() -> dict[Any, Any]:
    """Give the matplotlib settings (lengths in points) that every figure is drawn with."""
    return {
        "font.family": typefaces(),
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
    return points * sum(map(_letter_width, text)) / 72.0 * MM_PER_INCH


@lru_cache(maxsize=512)
def _letter_width(character: str) -> float:
    """Give the width of a letter over the type size; kerning is left out."""
    font = FontProperties(family=typefaces(), size=100.0)
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


def say_missing(ax: Axes, text: str) -> Axes:
    """Turn the axes into a quiet grey panel that says what is not there."""
    ax.set_axis_off()
    ax.set_facecolor("#f3f3f3")
    ax.add_patch(_backdrop(ax))
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return ax


def _backdrop(ax: Axes) -> Rectangle:
    """Give a pale rectangle over the whole axes (the patch of switched-off axes is not drawn)."""
    return Rectangle((0.0, 0.0), 1.0, 1.0, transform=ax.transAxes, facecolor="#f3f3f3", lw=0.0)


def watermark(figure: Figure) -> None:
    """Write on the figure that its numbers must not be used: across a page, atop a small panel."""
    across, down = (float(inch) for inch in figure.get_size_inches())
    look: dict[str, Any] = {"fontweight": "bold", "color": "#b00020", "zorder": 1000.0}
    if across > 5.0:
        # As large as the width allows: a bold letter is about 0.65 of the type size wide.
        size = min(30.0, 0.9 * 72.0 * across / (0.65 * len(WATERMARK)))
        place_at: dict[str, Any] = {"ha": "center", "va": "center", "rotation": 20.0, "alpha": 0.25}
        figure.text(0.5, 0.5, WATERMARK, fontsize=size, **place_at, **look)
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
