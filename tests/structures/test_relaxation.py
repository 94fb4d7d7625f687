"""Layer distances and rumpling of slabs whose atoms were moved by known lengths."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from structures.crystals import crystal_of
from structures.relaxation import layer_relaxations, repeated_moves, rumpling
from structures.sites import place_adatom
from structures.slab import metal_slab, rocksalt_slab
from structures.terminations import (
    choose_termination,
    cut_slab,
    find_terminations,
    stack_layers,
)
from tests.hosts import RUTILE

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


def test_moves_of_the_smallest_cell_are_repeated_in_any_supercell() -> None:
    stack = stack_layers(crystal_of(RUTILE), (1, 1, 0))
    ends = choose_termination(find_terminations(stack), "O-Ti2O2")
    cut: dict[str, Any] = {"layers": 4, "vacuum": 6.0, "held_layers": 0}
    small = cut_slab(stack, ends, cell=np.eye(2), **cut)
    moved_av = np.random.default_rng(2).normal(size=(len(small), 3)) * 0.1
    relaxed = small.copy()
    relaxed.positions += moved_av
    for matrix in ([[2, 0], [0, 2]], [[3, 0], [0, 1]], [[1, 1], [-1, 1]], [[2, 1], [-1, 2]]):
        supercell = cut_slab(stack, ends, cell=matrix, **cut)
        found = supercell.copy()
        found.positions += repeated_moves(small, moved_av, supercell, np.array(matrix))
        # Distances between atoms, periodic images included, are those of the small cell.
        number = next(
            n
            for n, atom in enumerate(supercell)
            if np.allclose(distances(supercell, n), distances(small, 0), atol=1e-6)
        )
        assert np.sort(distances(found, number)) == pytest.approx(distances(relaxed, 0), abs=1e-6)


def distances(slab: Atoms, number: int) -> np.ndarray:
    """Return the distances of an atom to all others within 4 angstrom, images included, sorted."""
    first, far = neighbor_list("id", slab, 4.0)
    return np.sort(far[first == number])
