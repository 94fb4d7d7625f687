"""Surface supercells by name: their matrix, and the translations of the surface in them."""

import numpy as np
import pytest
from ase import Atoms

from structures.slab import bcc110_slab, rocksalt_slab
from structures.supercell import (
    image_distance,
    laid_along_x,
    primitive_translations,
    side_lengths,
    supercell_name,
    surface_cell,
)
from structures.symmetry import find_symmetry


@pytest.mark.parametrize(
    ("cell", "matrix"),
    [
        ("1x1", [[1, 0], [0, 1]]),
        ("3x2", [[3, 0], [0, 2]]),
        ("12x10", [[12, 0], [0, 10]]),
        ("sqrt2", [[1, 1], [-1, 1]]),
        ("2 1/-1 2", [[2, 1], [-1, 2]]),
        ("-2 0/0 -2", [[-2, 0], [0, -2]]),
    ],
)
def test_surface_cell_matrix(cell: str, matrix: list[list[int]]) -> None:
    assert surface_cell(cell).tolist() == matrix
    assert cell == "12x10" or supercell_name(matrix) == cell


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2], [2, 4]], "vectors are parallel"),
        ([[0, 0], [0, 0]], "vectors are parallel"),
        ([[0, 1], [1, 0]], r"left-handed; allowed: its rows exchanged, \[\[1, 0\], \[0, 1\]\]"),
        ([[10, 0], [0, 1]], "too large"),
        ([[9, 9], [-9, 9]], "too large"),
        ([[10**30, 0], [0, 1]], "too large"),
    ],
)
def test_a_matrix_that_is_no_cell_is_refused(matrix: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        supercell_name(matrix)


HEXAGONAL = [[3.0, 0.0], [-1.5, 1.5 * 3**0.5]]


def test_lengths_in_a_hexagonal_lattice_are_those_of_its_root_cells() -> None:
    assert side_lengths("2 1/-1 1", HEXAGONAL) == pytest.approx([27**0.5] * 2)  # √3 x √3
    assert image_distance("2 1/-1 1", HEXAGONAL) == pytest.approx(27**0.5)
    assert image_distance("1 0/5 1", HEXAGONAL) == pytest.approx(3.0)  # a slanted 1x1
    assert image_distance("3x2", [[1.0, 0.0], [0.0, 2.0]]) == pytest.approx(3.0)


def test_vectors_are_turned_and_not_bent() -> None:
    turned_cv = laid_along_x([[1.0, 2.0], [-3.0, 1.0]])
    assert turned_cv @ turned_cv.T == pytest.approx(np.array([[5.0, -1.0], [-1.0, 10.0]]))
    assert turned_cv[0, 1] == 0.0
    assert turned_cv[1, 1] > 0.0


@pytest.mark.parametrize("cell", ["", "2", "0x2", "2x-2", "2 x 2", "2x2x2", "sqrt3", "²x2", "1 2"])
def test_unknown_surface_cell_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"surface cell is .*: it must be 'NxM'"):
        surface_cell(cell)


def slab(cell: str, face: str) -> Atoms:
    if face == "110":
        return bcc110_slab("Na", 4.2, layers=3, cell=cell, vacuum=6.0, held_layers=1)
    return rocksalt_slab("V", "N", 4.2, layers=3, cell=cell, vacuum=6.0, held_layers=1)


@pytest.mark.parametrize(
    ("cell", "face", "parts"),
    [
        ("1x1", "001", (1, 1)),
        ("2x2", "001", (2, 2)),
        ("3x2", "001", (3, 2)),
        ("sqrt2", "001", (2, 2)),
        ("2 1/-1 2", "001", (5, 5)),
        ("2 1/0 2", "001", (2, 4)),
        ("1x1", "110", (2, 2)),
        ("2x1", "110", (4, 2)),
    ],
)
def test_translations_are_those_of_the_slab(cell: str, face: str, parts: tuple[int, int]) -> None:
    assert primitive_translations(cell, face) == parts
    symmetry = find_symmetry(slab(cell, face))
    is_translation = (symmetry.rotation_scc == np.eye(3)).all(axis=(1, 2))
    steps = symmetry.translation_sc[is_translation, :2] * parts
    assert abs(steps - steps.round()).max() < 1e-6
    for axis in (0, 1):  # and no fewer parts would do
        assert np.gcd.reduce([*steps[:, axis].round().astype(int), parts[axis]]) == 1
