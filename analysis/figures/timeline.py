"""When each task of a run was at work: a line for each of those that ran side by side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.timeline import Span, busy, lanes

LANE_MM, ABOVE_MM, BELOW_MM = 24.0, 9.0, 11.0  # of a line of tasks; over and under all of them
LEFT_MM, RIGHT_MM = 16.0, 4.0
MARGIN_MM = 0.3  # least room on each side of a task's name
COLOURS = (style.OURS_PALE, "#f5c9a8")  # of neighbours by turns, so that each task is seen


def compose(spans: Sequence[Span], caption: style.Caption) -> Figure:
    """Compose the timeline, 180 mm wide.

    Parameters
    ----------
    spans
        One at least.
    caption
        What was computed.
    """
    found = lanes(spans)
    length = max(span.end for span in spans)
    tall = LANE_MM * len(found)
    wide = style.WIDTH_MM - LEFT_MM - RIGHT_MM
    unit, name = (3600.0, "hours") if length >= 5400.0 else (60.0, "minutes")
    with style.page(style.WIDTH_MM, ABOVE_MM + tall + BELOW_MM, caption) as figure:
        ax = style.place(figure, LEFT_MM, ABOVE_MM, wide, tall)
        for number, lane in enumerate(found):
            scaled = [Span(s.name, s.start / unit, s.seconds / unit) for s in lane]
            _draw(ax, number, scaled, wide * unit / length)
        ax.set_xlim(0.0, length / unit)
        ax.set_ylim(len(found) - 0.5, -0.5)
        ax.set_yticks(range(len(found)), [f"{100 * busy(lane, length):.0f} %" for lane in found])
        ax.tick_params(axis="y", length=0.0)
        ax.set_xlabel(f"time since the first task began ({name})")
        ax.set_title("tasks that ran side by side; left: share of the time at work", loc="left")
    return figure


def _draw(ax: Axes, number: int, lane: Sequence[Span], scale: float) -> None:
    """Draw one line of tasks; `scale` is the length on paper (mm) of a unit of the axis."""
    for turn, span in enumerate(lane):
        ax.barh(
            number, span.seconds, left=span.start, height=0.8, facecolor=COLOURS[turn % 2],
            edgecolor="white", lw=0.4,
        )  # fmt: skip
        rotation = _rotation(span.name, scale * span.seconds - 2 * MARGIN_MM)
        if rotation is not None:
            ax.text(
                span.start + 0.5 * span.seconds, number, span.name, ha="center", va="center",
                fontsize=style.SMALLEST_POINT, rotation=rotation,
            )  # fmt: skip


def _rotation(name: str, room: float) -> float | None:
    """Return how a name is turned to fit into a bar with this room, mm; None if it does not fit."""
    width = style.text_width(name, style.SMALLEST_POINT)
    if width <= room:
        return 0.0
    height = style.SMALLEST_POINT / 72.0 * style.MM_PER_INCH
    return 90.0 if height <= room and width <= 0.72 * LANE_MM else None
