"""Neighbouring minima on surfaces whose nets are known."""

import numpy as np
import pytest
from ase import Atoms

from structures.hop import neighbouring_minimum
from structures.sites import place_adatom
from structures.slab import metal_slab, rocksalt_slab

CONSTANT = 4.13


def host(cell: str = "2x2") -> Atoms:
    return rocksalt_slab("V", "N", CONSTANT, layers=2, cell=cell, vacuum=6.0, held_layers=1)


@pytest.mark.parametrize(
    ("site", "shell", "length", "minima"),
    [
        ("top-N", 1, 1 / np.sqrt(2), 4),
        ("top-N", 2, 1.0, 4),
        ("hollow", 1, 0.5, 4),  # no translation leads there: the next hollow lies across
        ("bridge", 1, 0.5 / np.sqrt(2), 4),
    ],
)
@pytest.mark.parametrize("cell", ["1x1", "2x2"])
def test_length_and_number_of_hops(
    cell: str, site: str, shell: int, length: float, minima: int
) -> None:
    slab = host(cell)
    found = neighbouring_minimum(place_adatom(slab, "Na", site), slab, shell)
    assert found.length == pytest.approx(length * CONSTANT, abs=1e-3)
    assert found.minima == minima


@pytest.mark.parametrize("site", ["top-N", "hollow"])
def test_the_end_is_the_very_same_structure_elsewhere(site: str) -> None:
    slab = host()
    atoms = place_adatom(slab, "Na", site)
    rng = np.random.default_rng(0)
    atoms.positions += 0.05 * rng.standard_normal(atoms.positions.shape)
    end = neighbouring_minimum(atoms, slab).atoms

    def distances(one: Atoms) -> list[float]:
        """Return all distances between atoms of each pair of elements, in order."""
        apart = one.get_all_distances(mic=True)
        pairs = [
            (a, b, apart[i, j])
            for i, a in enumerate(one.symbols)
            for j, b in enumerate(one.symbols)
        ]
        return [distance for *_, distance in sorted(pairs)]

    assert distances(end) == pytest.approx(distances(atoms), abs=1e-6)
    # each atom of the slab is near its place, so that nothing crosses the cell on the way
    assert abs(end.positions[:-1] - atoms.positions[:-1]).max() < 0.5
    assert list(end.symbols) == list(atoms.symbols)


def test_an_adatom_beside_its_site_has_as_many_neighbours_as_one_on_it() -> None:
    slab = metal_slab("Na", "bcc", 4.2, layers=2, cell="1x1", vacuum=6.0, held_layers=1)
    atoms = place_adatom(slab, "Na", "hollow")
    atoms.positions[-1, :2] += (0.05, 0.02)
    found = neighbouring_minimum(atoms, slab)
    assert found.minima == 4
    assert found.length == pytest.approx(4.2)
    with pytest.raises(ValueError, match="shells of equivalent minima, not 99"):
        neighbouring_minimum(atoms, slab, 99)
