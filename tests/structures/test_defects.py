"""Point defects: which atom it is, and that the sites keep their places."""

import numpy as np
import pytest
from ase import Atoms

from structures.defects import (
    as_built_of,
    defect_distance,
    defect_index,
    defect_of,
    make_defect,
)
from structures.sites import (
    displace_lateral,
    find_site,
    hold_lateral,
    place_adatom,
    site_names,
    site_position,
)
from structures.slab import rocksalt_slab

A = 4.12


def slab(cell: str = "2x2", layers: int = 3) -> Atoms:
    return rocksalt_slab("V", "N", A, layers=layers, cell=cell, vacuum=6.0, held_layers=1)


@pytest.mark.parametrize("element", ["V", "N"])
def test_a_vacancy_takes_one_atom_out_of_the_top_layer(element: str) -> None:
    perfect = slab()
    found = make_defect(perfect, element)
    assert len(found) == len(perfect) - 1
    top = found.symbols[found.get_tags() == 1]
    assert (list(top).count("V"), list(top).count("N")) == ((3, 4) if element == "V" else (4, 3))
    defect = defect_of(found)
    assert defect is not None
    assert (defect.element, defect.substitute) == (element, "")
    apart = np.linalg.norm(perfect.positions - defect.place_v, axis=1)
    assert perfect[int(apart.argmin())].symbol == element
    assert apart.min() == 0.0
    assert not np.any(np.linalg.norm(found.positions - defect.place_v, axis=1) < 1.0)
    # held atoms are those of the bottom layer still
    assert set(found.constraints[0].index) == set(np.flatnonzero(found.get_tags() == 3))


def test_a_substitute_takes_the_place_of_one_atom() -> None:
    perfect = slab()
    found = make_defect(perfect, "N", "O")
    index = defect_index(found)
    assert index is not None
    assert found.symbols[index] == "O"
    assert found.get_tags()[index] == 1
    assert list(found.symbols).count("O") == 1
    assert np.array_equal(found.positions, perfect.positions)
    assert list(as_built_of(found).symbols) == list(perfect.symbols)


def test_the_substitute_is_known_again_among_others_of_its_element() -> None:
    found = make_defect(slab(), "N", "V")
    index = defect_index(found)
    assert index is not None
    assert list(as_built_of(found).symbols) == list(slab().symbols)


@pytest.mark.parametrize("cell", ["sqrt2", "2x2", "3x2"])
def test_sites_of_a_perfect_slab_stay_and_the_vacancy_is_one_more(cell: str) -> None:
    perfect, found = slab(cell), make_defect(slab(cell), "N")
    assert site_names(found) == (*site_names(perfect), "vacancy")
    assert site_names(make_defect(perfect, "N", "O"))[-1] == "top-O"


@pytest.mark.parametrize(
    ("site", "lateral"),
    [
        ("vacancy", 0.0), ("bridge", A / 4), ("hollow", A / 8**0.5), ("top-V", A / 2),
        ("top-N", A / 2**0.5),
    ],
)  # fmt: skip
def test_each_site_is_the_nearest_of_its_name(site: str, lateral: float) -> None:
    found = make_defect(slab(), "N")
    atoms = hold_lateral(place_adatom(found, "Na", site))
    defect = defect_of(atoms)
    assert defect is not None
    assert np.linalg.norm(atoms.positions[-1, :2] - defect.place_v[:2]) == pytest.approx(lateral)
    apart = defect_distance(atoms)
    assert apart == pytest.approx(np.linalg.norm(atoms.positions[-1] - defect.place_v))
    match = find_site(atoms)
    assert match.name == site
    assert match.offset == pytest.approx(0.0, abs=1e-6)
    assert find_site(displace_lateral(atoms, 0.1)).offset == pytest.approx(0.1)


def test_sites_follow_atoms_that_moved_towards_the_vacancy() -> None:
    found = make_defect(slab(), "N")
    rng = np.random.default_rng(1)
    found.positions += rng.normal(scale=0.05, size=found.positions.shape)
    names = {find_site(place_adatom(found, "Na", site)).name for site in site_names(found)}
    assert names == set(site_names(found))


def test_copies_and_slices_keep_the_defect() -> None:
    atoms = place_adatom(make_defect(slab(), "N"), "Na", "top-V")
    for kept in (atoms.copy(), atoms[:-1]):
        assert defect_of(kept) is not None
    assert defect_of(slab()) is None
    assert defect_distance(place_adatom(slab(), "Na", "top-V")) is None


@pytest.mark.parametrize(("element", "substitute"), [("C", ""), ("N", "N"), ("N", "Xx")])
def test_what_is_no_defect_is_refused(element: str, substitute: str) -> None:
    with pytest.raises(ValueError, match=r"must|not a chemical element"):
        make_defect(slab(), element, substitute)


def test_sites_without_a_defect_are_where_they_were() -> None:
    centre = [A / 2**0.5, A / 2**0.5]  # of the 2x2 cell, where a V atom is
    assert site_position(slab(), "top-V") == pytest.approx(centre)
