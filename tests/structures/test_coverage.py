"""Placements of several adatoms, against numbers that can be counted by hand."""

import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii

from structures.coverage import (
    CLOSEST,
    distinct_placements,
    layers_of_adatoms,
    place_adatoms,
    place_cluster,
    placements,
    places_of,
)
from structures.slab import metal_slab, rocksalt_slab


def host(cell: str = "2x2", constant: float = 4.13) -> Atoms:
    return rocksalt_slab("V", "N", constant, layers=2, cell=cell, vacuum=8.0, held_layers=1)


@pytest.mark.parametrize(
    ("cell", "site", "counts"),
    [
        # a square net of four: one alone, a pair side by side or diagonal, one hole, full
        ("2x2", "top-N", [1, 2, 1, 1]),
        ("sqrt2", "top-V", [1, 1]),
        # nine: pairs are side by side or diagonal, all images together (necklaces of a torus)
        ("3x3", "top-N", [1, 2]),
        # five: each has the other four as its neighbours
        ("2 1/-1 2", "top-N", [1, 1, 1, 1, 1]),
        # the 2x2 lattice in an oblique cell
        ("2 2/0 2", "top-N", [1, 2, 1, 1]),
    ],
)
def test_placements_that_no_symmetry_joins(cell: str, site: str, counts: list[int]) -> None:
    slab = host(cell)
    places = places_of(slab, [site])
    found = [distinct_placements(slab, places, n + 1, 99) for n in range(len(counts))]
    assert list(map(len, found)) == counts


def test_adatoms_that_are_spread_out_come_first_and_no_more_than_asked_for() -> None:
    slab = host("3x3")
    places = places_of(slab, ["top-N"])
    first, second = distinct_placements(slab, places, 2, 9)
    atoms = [place_adatoms(slab, "Na", places[list(chosen)]) for chosen in (first, second)]
    apart = [one.get_distance(-1, -2, mic=True) for one in atoms]
    side = 4.13 / np.sqrt(2)
    assert apart == pytest.approx([side * np.sqrt(2), side])
    assert distinct_placements(slab, places, 2, 1) == [first]


def test_adatoms_all_but_on_top_of_each_other_are_left_out() -> None:
    slab = host("1x1", 3.4)  # 2.4 angstrom wide
    places = places_of(slab, ["top-N", "top-V"])
    assert CLOSEST > 3.4 / 2
    assert distinct_placements(slab, places, 2, 9) == []


def test_too_many_placements_are_refused() -> None:
    slab = host("4x4")
    with pytest.raises(ValueError, match="more than 20000 placements"):
        distinct_placements(slab, places_of(slab, ["top-N", "top-V"]), 8, 5)


def test_one_more_than_fit_lies_upon_the_others() -> None:
    slab = host()
    found = list(placements(slab, places_of(slab, ["top-N"]), 7, 1))
    assert [(one.name, one.on_top) for one in found] == [
        ("1-a", 0), ("2-a", 0), ("3-a", 0), ("4-a", 0), ("5-a", 1),
    ]  # fmt: skip
    full = place_adatoms(slab, "Na", found[-1].places, on_top=1)
    assert layers_of_adatoms(full) == 2
    assert layers_of_adatoms(full[:-1]) == 1
    assert layers_of_adatoms(slab) == 0
    # in the hollow of the layer below: as far from four adatoms
    distances = full.get_distances(-1, range(len(slab), len(full) - 1), mic=True)
    assert np.ptp(distances) < 0.02


@pytest.mark.parametrize(("count", "layers"), [(2, 1), (3, 1), (4, 2)])
def test_a_cluster_is_compact(count: int, layers: int) -> None:
    slab = metal_slab(
        "Na", "bcc", 4.2, layers=2, cell="3x3", vacuum=8.0, held_layers=1
    )  # fmt: skip
    atoms = place_cluster(slab, "Na", (0.5, 0.5), count)
    cluster = atoms[len(slab) :]
    bond = 2 * covalent_radii[11]
    flat = cluster.positions[:, :2]
    base = [np.linalg.norm(a - b) for i, a in enumerate(flat[:3]) for b in flat[:i]]
    assert base == pytest.approx([bond] * len(base))
    assert layers_of_adatoms(atoms) == layers
    everything = atoms.get_all_distances(mic=True)[len(slab) :, len(slab) :]
    assert everything[everything > 0].min() > 0.99 * bond
