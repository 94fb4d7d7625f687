"""The figure of electrons: no panel is empty, and what is left out is explained."""

from dataclasses import replace

import numpy as np

from analysis.figures import electrons
from analysis.localisation import bonding_plane
from tests.analysis.test_figures import K_ON_MGO, assert_legible, draw, letters, text_of, vn_slab


def systems(change: float | None) -> list[electrons.System]:
    energies = np.linspace(-8.0, 2.0, 30).tolist()
    along, z = np.linspace(-4.5, 4.5, 20).tolist(), np.linspace(3.0, 10.0, 15).tolist()
    atoms = vn_slab()
    clean, adatom = (
        electrons.System(
            name, system, energies, dict.fromkeys(groups, np.square(energies).tolist()),
            bonding_plane(system, 0), along, z, np.full((15, 20), 0.5).tolist(), None,
        )
        for name, system, groups in (("", atoms[:-1], ["V d"]), ("top-V", atoms, ["adatom s"]))
    )  # fmt: skip
    return [clean, replace(adatom, change=change)]


def test_without_work_functions_their_panel_is_left_out() -> None:
    with_bars, without = (electrons.compose(systems(c), K_ON_MGO) for c in (0.3, None))
    assert (letters(with_bars), letters(without)) == (list("abcde"), list("abcd"))
    assert without.get_figheight() < with_bars.get_figheight()
    assert "the vacuum is too narrow" in text_of(without)
    assert "the vacuum is too narrow" not in text_of(with_bars)
    for figure in (with_bars, without):
        assert_legible(figure)


def test_no_atom_at_the_edge_of_a_cut_is_named() -> None:
    figure = electrons.compose(systems(None), K_ON_MGO)
    draw(figure)
    cuts = [ax for ax in figure.axes if ax.get_xlabel() == "along the cut (Å)"]
    assert len(cuts) == 2
    for ax in cuts:
        inside = ax.get_window_extent()
        assert ax.texts
        for text in ax.texts:
            box = text.get_window_extent()
            assert inside.x0 <= box.x0 <= box.x1 <= inside.x1
