"""The symmetry of slabs: all of it is found, displacements keep it, a grid sees its part of it."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from hypothesis import given
from hypothesis import strategies as st

from structures.sites import displace_lateral, place_adatom
from structures.slab import bcc110_slab, rocksalt_slab
from structures.symmetry import Symmetry, find_symmetry, held_atoms


def slab(cell: str = "2x2", layers: int = 3, held_layers: int = 1) -> Atoms:
    return rocksalt_slab(
        "V", "N", 4.2, layers=layers, cell=cell, vacuum=6.0, held_layers=held_layers
    )


def sodium_on(site: str, cell: str = "2x2") -> Atoms:
    return place_adatom(slab(cell), "Na", site)


@pytest.mark.parametrize(
    ("cell", "number"), [("1x1", 8), ("2x2", 4 * 8), ("3x3", 9 * 8), ("2x1", 2 * 4), ("sqrt2", 16)]
)
def test_a_clean_slab_has_fourfold_axes_and_its_translations(cell: str, number: int) -> None:
    assert len(find_symmetry(slab(cell))) == number


@pytest.mark.parametrize(
    ("site", "number"), [("top-V", 8), ("top-N", 8), ("hollow", 4), ("bridge", 2)]
)
def test_an_adatom_leaves_what_turns_its_site_into_itself(site: str, number: int) -> None:
    for cell in ("1x1", "2x2", "3x3"):
        assert len(find_symmetry(sodium_on(site, cell))) == number


def test_the_close_packed_face_of_bcc_is_centred() -> None:
    face = bcc110_slab("Na", 4.2, layers=3, cell="1x1", vacuum=6.0, held_layers=1)
    assert len(find_symmetry(face)) == 2 * 4


def test_a_slab_has_two_like_sides_unless_one_is_held() -> None:
    assert len(find_symmetry(slab("1x1", held_layers=0))) == 16
    assert len(find_symmetry(slab("1x1", held_layers=1))) == 8


def test_held_atoms_are_those_of_fix_atoms() -> None:
    assert held_atoms(slab("1x1", layers=2)).tolist() == [1, 1, 0, 0]


def test_atoms_with_other_moments_are_not_alike() -> None:
    magnetic = slab("1x1", held_layers=0)
    moments = np.where(magnetic.symbols == "V", np.arange(6) + 1.0, 0.0)
    magnetic.set_initial_magnetic_moments(moments)
    assert len(find_symmetry(magnetic)) == 8


@pytest.mark.parametrize(("shift", "number"), [(1e-6, 8), (1e-3, 2)])
def test_noise_is_tolerated_and_a_displacement_is_not(shift: float, number: int) -> None:
    atoms = sodium_on("top-N")
    atoms.positions[-1, 0] += shift
    assert len(find_symmetry(atoms)) == number


def test_a_push_off_a_site_breaks_every_mirror() -> None:
    assert len(find_symmetry(displace_lateral(sodium_on("top-V"), 0.05))) == 1


def test_a_molecule_without_a_cell_has_the_identity_alone() -> None:
    symmetry = find_symmetry(molecule("H2O"))
    assert len(symmetry) == 1
    vectors = np.arange(9.0).reshape(3, 3)
    assert symmetry.project(vectors).tolist() == vectors.tolist()


def is_group(symmetry: Symmetry) -> bool:
    """Return whether any two operations after each other are one of them."""

    def key(rotation: np.ndarray, translation: np.ndarray) -> tuple[int, ...]:
        steps = (translation * 5040).round().astype(int) % 5040  # the grids here divide it
        return (*rotation.ravel().tolist(), *steps.tolist())

    operations = list(zip(symmetry.rotation_scc, symmetry.translation_sc, strict=True))
    keys = {key(r, t) for r, t in operations}
    return all(key(r1 @ r2, t1 @ r2 + t2) in keys for r1, t1 in operations for r2, t2 in operations)


@pytest.mark.parametrize("site", ["top-V", "top-N", "hollow", "bridge"])
@pytest.mark.parametrize("cell", ["1x1", "2x2", "sqrt2", "3x2"])
def test_what_a_grid_allows_is_a_group_and_carries_atoms_to_atoms(cell: str, site: str) -> None:
    atoms = sodium_on(site, cell)
    parts = {"1x1": (1, 1), "2x2": (2, 2), "sqrt2": (2, 2), "3x2": (3, 2)}[cell]
    symmetry = find_symmetry(atoms).on_grid((14 * parts[0], 14 * parts[1], 70))
    assert is_group(symmetry)
    scaled = atoms.get_scaled_positions()
    for r, t, image in zip(
        symmetry.rotation_scc, symmetry.translation_sc, symmetry.image_sa, strict=True
    ):
        apart = scaled @ r + t - scaled[image]
        assert abs(apart - apart.round()).max() < 1e-6
        assert sorted(image) == list(range(len(atoms)))
        assert (atoms.numbers[image] == atoms.numbers).all()


def test_a_grid_that_suits_the_surface_keeps_the_fourfold_axis_of_an_adatom() -> None:
    symmetry = find_symmetry(sodium_on("top-N"))
    assert len(symmetry.on_grid((28, 28, 70))) == 8
    assert len(symmetry.on_grid((27, 27, 70))) < 8  # a quarter of the cell is no grid point


def test_of_a_repeated_cell_a_grid_has_the_operations_about_the_origin() -> None:
    symmetry = find_symmetry(slab("2x2")).on_grid((28, 28, 70))
    assert len(symmetry) == 8
    assert not symmetry.translation_sc.any()


def test_an_adatom_alone_is_as_symmetric_as_the_grid_about_it() -> None:
    alone = sodium_on("top-V")[-1:]
    assert len(find_symmetry(alone).on_grid((28, 28, 70))) == 8
    alone.positions[0, 0] += 0.05
    assert len(find_symmetry(alone).on_grid((28, 28, 70))) == 2


@given(st.integers(0, 2**32 - 1))
def test_projected_displacements_keep_the_symmetry(seed: int) -> None:
    atoms = sodium_on("hollow")
    symmetry = find_symmetry(atoms)
    random = 0.1 * np.random.default_rng(seed).standard_normal((len(atoms), 3))
    kept = symmetry.project(random)
    assert symmetry.project(kept) == pytest.approx(kept, abs=1e-12)
    moved = atoms.copy()
    moved.positions += kept
    assert len(find_symmetry(moved)) >= len(symmetry)
    moved.positions += random
    assert len(find_symmetry(moved)) == 1
