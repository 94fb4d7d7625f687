"""Tasks of a run on as few lines as ran side by side, and how busy each line was."""

import itertools

import matplotlib.pyplot as plt
import pytest

from analysis.figures.style import Caption
from analysis.figures.timeline import compose
from analysis.timeline import Span, busy, lanes

SPANS = [
    Span("VN-lattice", 0.0, 20.0), Span("Na-lattice", 0.0, 2.0), Span("VN-slab", 20.5, 300.0),
    Span("Na-slab", 11.0, 200.0), Span("VN-top-V-held", 321.0, 79.0),
]  # fmt: skip


def test_tasks_share_a_line_unless_they_run_side_by_side() -> None:
    first, second = lanes(list(reversed(SPANS)))
    assert {span.name for span in first + second} == {span.name for span in SPANS}
    for lane in (first, second):
        assert all(a.end <= b.start for a, b in itertools.pairwise(lane))


def test_a_line_is_busy_while_its_tasks_work() -> None:
    assert busy([Span("a", 0.0, 30.0), Span("b", 50.0, 30.0)], 100.0) == pytest.approx(0.6)
    assert busy([], 0.0) == 0.0


def test_long_tasks_have_their_names_and_short_ones_none() -> None:
    figure = compose(SPANS, Caption("Case smoke.", physical=False))
    ax = figure.axes[0]
    assert len(ax.patches) == len(SPANS)
    names = {text.get_text() for text in ax.texts}
    assert names >= {"VN-slab", "Na-slab", "VN-top-V-held"}
    assert "Na-lattice" not in names
    assert ax.get_xlabel() == "time since the first task began (minutes)"
    shares = sorted(label.get_text() for label in ax.get_yticklabels())
    assert shares == ["100 %", "50 %"]
    plt.close(figure)
