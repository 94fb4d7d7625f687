"""When each task of a run was at work, and how busy the lines were on which they ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A task at work: its name, its start after that of the run, and how long it took; seconds."""

    name: str
    start: float
    seconds: float

    @property
    def end(self) -> float:
        """Return when it ended, seconds after the start of the run."""
        return self.start + self.seconds


def lanes(spans: Sequence[Span]) -> list[list[Span]]:
    """Return tasks in as few lines as they need, each in the first line that is free.

    Parameters
    ----------
    spans
        In any order.
    """
    found: list[list[Span]] = []
    for span in sorted(spans, key=lambda each: each.start):
        free = (lane for lane in found if lane[-1].end <= span.start)
        lane = next(free, None)
        if lane is None:
            found.append(lane := [])
        lane.append(span)
    return found


def busy(lane: Sequence[Span], length: float) -> float:
    """Return the part of `length` (seconds) in which a line of tasks was at work, 0 to 1."""
    return sum(span.seconds for span in lane) / length if length > 0.0 else 0.0
