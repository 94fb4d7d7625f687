"""Hosts in order by a potential, beside DFT."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.figures.prescreen import compose, draw_order, draw_parity
from analysis.figures.style import Caption
from analysis.prescreen import Pair, ScreenedHost, agreement, order_hosts, pair_up
from analysis.ranking import rank_hosts
from tests.analysis.test_ranking import table

SCREENED = order_hosts(
    [
        ScreenedHost("TiC", "Na", {"hollow": 0.1, "top-Ti": 0.5}, {}),
        ScreenedHost("ScN", "Na", {}, {"hollow": "Na ended inside the slab"}),
        ScreenedHost("VN", "Na", {"hollow": -0.6, "top-V": -0.1, "top-N": -0.7}, {}),
        ScreenedHost("MgO", "Na", {"hollow": 1.4}, {}),
    ]
)
COMPUTED = rank_hosts(  # with a cohesive energy of -1.1 eV
    {
        "VN": table("VN", {"hollow": -1.9, "top-V": -1.1, "top-N": None}),
        "TiC": table("TiC", {"hollow": -0.9}),
        "ZrN": table("ZrN", {"hollow": -3.0}),
        "MgO": table("MgO", {"hollow": 0.1}, cohesive=None),
    }
)


def test_the_strongest_comes_first_and_who_has_none_last() -> None:
    assert [host.label for host in SCREENED] == ["VN", "TiC", "MgO", "ScN"]
    assert [host.site for host in SCREENED] == ["top-N", "hollow", "hollow", None]


def test_pairs_are_the_sites_that_have_both() -> None:
    pairs = pair_up(SCREENED, COMPUTED)
    found = {(p.label, p.site): (p.screened, p.computed, p.best) for p in pairs}
    assert found.keys() == {("VN", "hollow"), ("VN", "top-V"), ("TiC", "hollow")}
    assert found["VN", "hollow"] == pytest.approx((-0.6, -0.8, True))
    assert found["VN", "top-V"] == pytest.approx((-0.1, 0.0, False))
    assert found["TiC", "hollow"] == pytest.approx((0.1, 0.2, True))


def test_agreement() -> None:
    found = agreement(pair_up(SCREENED, COMPUTED))
    assert found.mean == pytest.approx((0.2 - 0.1 - 0.1) / 3)
    assert found.largest == pytest.approx(0.2)
    assert (found.in_order, found.pairs_of_hosts) == (1, 1)


def test_marks_are_the_energies() -> None:
    drawn = {
        float(x)
        for line in draw_order(Figure().add_subplot(), SCREENED).lines
        if line.get_marker() == "s"
        for x in np.ravel(line.get_xdata())
    }
    assert drawn == {-0.6, -0.1, -0.7, 0.1, 0.5, 1.4}
    parity = draw_parity(Figure().add_subplot(), pair_up(SCREENED, COMPUTED))
    points = {
        (float(np.ravel(line.get_xdata())[0]), float(np.ravel(line.get_ydata())[0]))
        for line in parity.lines
        if line.get_marker() == "s"
    }
    assert sorted(points) == [pytest.approx(p) for p in ((-0.8, -0.6), (0.0, -0.1), (0.2, 0.1))]
    assert {text.get_text() for text in parity.texts} == {"VN", "TiC"}


@pytest.mark.parametrize("pairs", [(), pair_up(SCREENED, COMPUTED)])
def test_it_is_never_shown_as_dft(pairs: tuple[Pair, ...]) -> None:
    figure = compose(SCREENED, pairs, "EMT", Caption("Four hosts."))
    assert len(figure.axes) == 1 + bool(pairs)
    assert figure.axes[0].get_title(loc="left") == "pre-screen by EMT, not DFT"
