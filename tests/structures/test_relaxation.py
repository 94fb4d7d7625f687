"""Layer distances and rumpling of slabs whose atoms were moved by known lengths."""

import pytest
from ase import Atoms

from structures.relaxation import layer_relaxations, rumpling
from structures.sites import place_adatom
from structures.slab import metal_slab, rocksalt_slab

A = 4.12


def vn() -> Atoms:
    return rocksalt_slab("V", "N", A, layers=4, cell="2x2", vacuum=6.0, held_layers=1)


def test_a_slab_cut_from_the_bulk_has_its_distances_and_is_flat() -> None:
    na = metal_slab("Na", "bcc", 4.2, layers=3, cell="1x1", vacuum=6.0, held_layers=1)
    for slab, spacing, layers in ((vn(), A / 2, 4), (na, 2.1, 3)):
        found = layer_relaxations(slab, spacing)
        assert [(s.upper, s.lower) for s in found] == [(n, n + 1) for n in range(1, layers)]
        assert [s.percent for s in found] == pytest.approx([0.0] * (layers - 1), abs=1e-9)
    assert rumpling(vn(), "N") == pytest.approx(dict.fromkeys((1, 2, 3, 4), 0.0), abs=1e-9)


def test_a_top_layer_that_sinks_and_rumples() -> None:
    slab = vn()
    top = slab.get_tags() == 1
    slab.positions[top & (slab.symbols == "N"), 2] += 0.10
    slab.positions[top & (slab.symbols == "V"), 2] -= 0.20
    first, second, _ = layer_relaxations(slab, A / 2)
    assert (first.distance, first.change) == pytest.approx((A / 2 - 0.05, -0.05))
    assert first.percent == pytest.approx(-100.0 * 0.05 / (A / 2))
    assert second.change == pytest.approx(0.0)
    assert rumpling(slab, "N")[1] == pytest.approx(0.30)


def test_an_adatom_is_no_layer() -> None:
    slab = place_adatom(vn(), "Na", "hollow")
    assert len(layer_relaxations(slab, A / 2)) == 3
    assert list(rumpling(slab, "N")) == [1, 2, 3, 4]


def test_what_has_no_layers_or_no_anions_is_refused() -> None:
    with pytest.raises(ValueError, match="no layers"):
        layer_relaxations(Atoms("Na"), 2.0)
    with pytest.raises(ValueError, match="layer 1 has N, V: O and a cation"):
        rumpling(vn(), "O")
    with pytest.raises(ValueError, match="bulk_spacing"):
        layer_relaxations(vn(), 0.0)
