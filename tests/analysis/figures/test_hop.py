"""The figure of hops: no panel is empty, and a map that is missing is explained."""

import pytest

from analysis.barrier import SiteNet, bcc_110, rocksalt_001, square_001
from analysis.figures import hop
from tests.analysis.test_figures import K_ON_MGO, assert_legible, letters, text_of

ENERGIES = {"top-V": 0.24, "top-N": 0.0, "bridge": 0.06, "hollow": 0.07, "short-bridge": 0.1}
ENERGIES |= {"long-bridge": 0.0, "top-Na": 0.2}


def a_hop(surface: str, net: SiteNet, *held: str) -> hop.Drawn:
    distances, energies = [0.0, 0.9, 1.8, 2.7, 3.6], [0.0, 0.03, 0.063, 0.02, 0.0]
    known = {site: ENERGIES[site] for site in held}
    return hop.Drawn(surface, distances, energies, 0.07 if held else None, net, known)


VN = a_hop("VN(001)", rocksalt_001("V", "N"), "top-V", "top-N", "bridge", "hollow")
NA = a_hop("Na(001)", square_001("Na"), "hollow")
NA_110 = a_hop("Na(110)", bcc_110("Na"), "long-bridge")
MAPPED = a_hop("Na(110)", bcc_110("Na"), "long-bridge", "short-bridge", "hollow", "top-Na")
NO_MAP = "the adatom is held at fewer than two sites"


@pytest.mark.parametrize(
    ("hops", "panels", "wide", "missing"),
    [
        ([VN], "ab", 180.0, ""),
        ([NA], "a", 88.0, "Na(001)"),
        ([NA, NA_110], "ab", 180.0, "Na(001) and Na(110)"),
        ([VN, NA], "abc", 180.0, "Na(001)"),
        ([VN, NA, NA_110], "abcd", 180.0, "Na(001) and Na(110)"),
        ([VN, NA, MAPPED], "abcde", 180.0, "Na(001)"),
    ],
)
def test_hops_without_a_map_close_up(
    hops: list[hop.Drawn], panels: str, wide: float, missing: str
) -> None:
    figure = hop.compose(hops, K_ON_MGO)
    assert letters(figure) == list(panels)
    assert len(figure.axes) == len(panels)  # colour bars belong to their maps
    assert all(ax.lines for ax in figure.axes)
    assert figure.get_figwidth() * 25.4 == pytest.approx(wide)
    assert (f"No map of {missing}: {NO_MAP}" in text_of(figure)) == bool(missing)
    assert_legible(figure, beside=True)
