"""The figure of coverage: no panel is empty, and what is left out is explained."""

from dataclasses import replace

import pytest

from analysis.figures import coverage, style
from tests.analysis.test_figures import K_ON_MGO, assert_legible, letters, text_of


@pytest.mark.parametrize("voltage", [{}, {1: 0.2, 2: -0.1}])
@pytest.mark.parametrize("clustering", [{}, {2: 0.1, 3: 0.08}])
def test_coverage_shows_what_is_known(
    voltage: dict[int, float], clustering: dict[int, float]
) -> None:
    average = {1: -1.3, 2: -1.1}
    curve = coverage.Curve(
        "VN(001)", 2, list(average.items()), average, {1: -1.3, 2: -0.9}, voltage, clustering
    )
    surfaces = ("VN(001)", "Na(001)", "Na(110)")
    figure = coverage.compose([replace(curve, surface=name) for name in surfaces], K_ON_MGO)
    panels = 1 + bool(voltage) + bool(clustering)
    assert letters(figure) == list("abc"[:panels])
    assert len(figure.axes) == panels + 1  # their key
    wide = style.WIDTH_MM if panels > 1 else style.COLUMN_MM
    assert figure.get_figwidth() * 25.4 == pytest.approx(wide)
    assert ("No voltages are shown" in text_of(figure)) == (not voltage)
    if clustering:
        assert figure.axes[-2].get_xticks().tolist() == [2, 3]
    assert_legible(figure)
