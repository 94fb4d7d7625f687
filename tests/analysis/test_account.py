"""From ours to theirs: sums by hand, and a figure that shows them."""

import pytest
from matplotlib.figure import Figure

from analysis.account import Account, Choice
from analysis.figures.account import compose
from analysis.figures.style import Caption

ACCOUNT = Account(
    plain={"top-V": -0.9, "hollow": -1.1, "bridge": -1.0},
    published={"top-V": -1.8, "hollow": -1.4},
    choices=(
        Choice("D3", "dispersion", True, {"top-V": -0.3, "hollow": -0.35}),
        Choice("D4", "dispersion", True, {"top-V": -0.2, "hollow": -0.2}),
        Choice("5 layers", "refinement", True, {"top-V": 0.05}),
        Choice("4 layers", "refinement", False, {"top-V": 0.04}),
        Choice("RPBE", "alternative", False, {"top-V": 0.1, "hollow": 0.12}),
    ),
)


def test_what_is_left_counts_one_model_and_every_counted_refinement() -> None:
    # -1.8 + 0.9 - 0.05 + 0.3 and + 0.2
    assert ACCOUNT.left("top-V") == pytest.approx((-0.75, -0.65))
    # -1.4 + 1.1 + 0.2 and + 0.35: no refinement is known there
    assert ACCOUNT.left("hollow") == pytest.approx((-0.1, 0.05))
    assert ACCOUNT.gap("top-V") == pytest.approx(-0.9)
    assert ACCOUNT.counted("top-V") == ["D3", "D4", "5 layers"]
    assert ACCOUNT.counted("hollow") == ["D3", "D4"]


def test_sites_have_both_energies() -> None:
    assert ACCOUNT.sites == ("top-V", "hollow")


def test_without_choices_all_of_the_gap_is_left() -> None:
    bare = Account(ACCOUNT.plain, ACCOUNT.published, ())
    assert bare.left("top-V") == pytest.approx((-0.9, -0.9))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_the_figure_has_every_number_and_says_what_is_not_computed() -> None:
    figure = compose(ACCOUNT, Caption("All of it."))
    first, second = figure.axes
    assert [t.get_text() for t in first.get_yticklabels()] == [
        "published less ours", "D3", "D4", "5 layers", "4 layers", "RPBE",
        "left with all that is counted",
    ]  # fmt: skip
    shown = [text.get_text() for text in first.texts]
    assert shown == ["−0.90", "−0.30", "−0.20", "+0.05", "+0.04", "+0.10", "−0.75 to −0.65"]
    assert [text.get_text() for text in second.texts].count("not computed") == 2
    figure.canvas.draw()
    for ax in figure.axes:
        box = ax.get_window_extent()
        for text in ax.texts:
            words = text.get_window_extent()
            assert words.x0 > box.x0 - 12
            assert words.x1 < box.x1 + 12
