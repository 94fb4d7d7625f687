"""Powder lines and diffraction rings of the computed lattice, beside the paper's spacings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import paper
from analysis.figures import style

if TYPE_CHECKING:
    from analysis.lattice import Ring

WIDTH = 130.0  # mm
HEIGHT = 95.0  # mm, without the caption
SMALL = style.SMALLEST_POINT


def name(hkl: Sequence[int]) -> str:
    """Write Miller indices, such as '(200)'."""
    return f"({''.join(map(str, hkl))})"


def draw_powder(ax: Axes, lines: Sequence[Mapping[str, Any]]) -> Axes:
    """Draw a powder pattern as sticks.

    Parameters
    ----------
    ax
        Axes to draw on.
    lines
        Records with `hkl`, `two_theta` (degrees) and `intensity` (0 to 100).
    """
    for line in lines:
        ax.plot([line["two_theta"]] * 2, [0.0, line["intensity"]], color=style.OURS, lw=1.4)
        ax.annotate(
            name(line["hkl"]),
            (line["two_theta"], line["intensity"]),
            (0.0, 2.5),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
        )
    ax.set_xlim(30.0, 90.0)
    ax.set_ylim(0.0, 115.0)
    ax.set_yticks([0, 50, 100])
    ax.set_xlabel("2θ (degrees), Cu Kα")
    ax.set_ylabel("intensity (strongest = 100)")
    return ax


def draw_rings(ax: Axes, rings: Sequence[Ring]) -> Axes:
    """Draw a quarter of the diffraction rings, radius 1/d, with the paper's printed spacings.

    Parameters
    ----------
    ax
        Axes to draw on, square.
    rings
        Spacings in angstrom.
    """
    quarter = np.linspace(0.0, np.pi / 2, 200)
    circle = np.cos(quarter), np.sin(quarter)
    # Names stand apart round the quarter, or those of neighbours would meet.
    angles = np.radians([66.0, 28.0, 45.0, 60.0, 22.0])
    for ring, angle in zip(rings, angles, strict=False):
        radius = 1.0 / ring.d_spacing
        unnamed = ring.named_by_paper is False
        ax.plot(
            *(radius * part for part in circle),
            color=style.OURS_PALE if unnamed else style.OURS,
            lw=1.2,
        )
        if ring.published is not None:
            published = 1.0 / ring.published
            ax.plot(*(published * part for part in circle), color=style.SECOND, lw=0.9, ls="--")
        ax.text(
            radius * np.cos(angle),
            radius * np.sin(angle),
            name(ring.hkl),
            fontsize=SMALL,
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    reach = 1.12 / min((ring.d_spacing for ring in rings), default=1.0)
    ax.set_xlim(0.0, reach)
    ax.set_ylim(0.0, reach)
    ax.set_aspect("equal")
    ax.set_xlabel("1/d (Å⁻¹)")
    ax.set_ylabel("1/d (Å⁻¹)")
    return ax


def compose(
    rings: Sequence[Ring], lines: Sequence[Mapping[str, Any]], caption: style.Caption
) -> Figure:
    """Compose pattern, rings and a table of the spacings, 130 mm wide.

    Parameters
    ----------
    rings
        The lattice's rings, angstrom; none if it is not known.
    lines
        The powder pattern, see `draw_powder`; none if it was not computed.
    caption
        Small print: case, cutoff, k-points, functional.
    """
    with style.page(WIDTH, HEIGHT, caption) as figure:
        style.letter(figure, 2.0, 2.0, "a")
        powder = style.place(figure, 14.0, 8.0, 50.0, 50.0)
        draw_powder(powder, lines) if lines else style.note_missing(powder, "not computed")
        style.letter(figure, 68.0, 2.0, "b")
        quarter = style.place(figure, 79.0, 8.0, 48.0, 50.0)
        draw_rings(quarter, rings) if rings else style.note_missing(quarter, "not computed")
        _write_table(figure, rings, 70.0)
    return figure


def _write_table(figure: Figure, rings: Sequence[Ring], top: float) -> None:
    """Write a column for each ring from `top` (mm) down: spacing, published, difference."""
    compared = any(ring.named_by_paper is not None for ring in rings)
    heads = ["ring", "d (Å)", "published (Å)", "difference (Å)", "named in the paper"]
    for row, head in enumerate(heads if compared else heads[:2]):
        colour = style.SECOND if row == 2 else style.OURS if row == 1 else style.INK
        style.write(figure, 6.0, top + 4.2 * row, head, color=colour, va="center")
        for column, ring in enumerate(rings):
            text = [
                name(ring.hkl),
                f"{ring.d_spacing:.3f}",
                _number(ring.published, f".{paper.LATTICE_DECIMALS}f"),
                # No more exact than the published number.
                _number(ring.difference, f"+.{paper.LATTICE_DECIMALS}f"),
                "yes" if ring.named_by_paper else "no",
            ][row]
            style.write(
                figure, 50.0 + 18.0 * column, top + 4.2 * row, text, ha="center", va="center"
            )
    if compared:
        note = f"dashed in b: published; pale: not named; the paper indexes by JCPDS {paper.JCPDS}"
        style.write(figure, 6.0, top + 21.2, note, fontsize=SMALL, color=style.MUTED)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
