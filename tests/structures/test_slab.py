"""The (001) slab against the bulk it is cut from."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from structures.slab import bcc110_slab, metal_slab, rocksalt_slab

A_VN, A_NA = 4.12, 4.19
DEFAULTS: dict[str, Any] = {"layers": 4, "cell": "2x2", "vacuum": 7.0, "held_layers": 2}
CELLS = {
    "1x1": 1,
    "2x2": 4,
    "3x2": 6,
    "sqrt2": 2,
    "2 1/-1 2": 5,
    "2 1/0 2": 4,
}  # cells of the 1x1 surface in each


def vn(**changes: Any) -> Atoms:
    options = DEFAULTS | changes
    return rocksalt_slab("V", "N", A_VN, **options)


def na(structure: str = "bcc", **changes: Any) -> Atoms:
    options = DEFAULTS | changes
    return metal_slab("Na", structure, A_NA, **options)


BUILDERS = [
    pytest.param(vn, id="rocksalt"),
    pytest.param(na, id="bcc"),
    pytest.param(lambda **changes: na("fcc", **changes), id="fcc"),
]


@pytest.mark.parametrize(("cell", "multiple"), CELLS.items())
@pytest.mark.parametrize("layers", [1, 2, 5])
def test_atoms_per_layer(cell: str, multiple: int, layers: int) -> None:
    options: dict[str, Any] = {"cell": cell, "layers": layers, "held_layers": 0}
    assert len(vn(**options)) == 2 * layers * multiple
    assert len(na(**options)) == layers * multiple


@pytest.mark.parametrize("cell", CELLS)
def test_every_layer_is_stoichiometric(cell: str) -> None:
    slab = vn(cell=cell)
    for tag in (1, 2, 3, 4):
        symbols = list(slab.symbols[slab.get_tags() == tag])
        assert symbols.count("V") == symbols.count("N") == CELLS[cell]


@pytest.mark.parametrize(
    ("slab", "sides"),
    [
        (vn(cell="1x1"), (A_VN / math.sqrt(2), A_VN / math.sqrt(2))),
        (vn(cell="3x2"), (3 * A_VN / math.sqrt(2), 2 * A_VN / math.sqrt(2))),
        (vn(cell="sqrt2"), (A_VN, A_VN)),
        (na(cell="1x1"), (A_NA, A_NA)),
        (na("fcc", cell="1x1"), (A_NA / math.sqrt(2), A_NA / math.sqrt(2))),
    ],
)
def test_cell_vectors_that_are_orthogonal_lie_along_the_axes(
    slab: Atoms, sides: tuple[float, float]
) -> None:
    expected = np.diag([*sides, slab.cell[2, 2]])
    np.testing.assert_allclose(slab.cell.array, expected, atol=1e-12)


@pytest.mark.parametrize("build", BUILDERS)
def test_layers_are_half_a_cube_apart_between_the_vacuum(build: Callable[..., Atoms]) -> None:
    slab = build(layers=4, vacuum=7.0)
    spacing = (A_VN if "V" in slab.symbols else A_NA) / 2
    for tag, layer in zip((4, 3, 2, 1), range(4), strict=True):
        z = slab.positions[slab.get_tags() == tag, 2]
        np.testing.assert_allclose(z, 7.0 + layer * spacing)
    assert slab.cell[2, 2] == pytest.approx(3 * spacing + 14.0)
    assert slab.pbc.tolist() == [True, True, False]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("build", "neighbours", "bond"),
    [
        pytest.param(vn, 6, A_VN / 2, id="rocksalt"),
        pytest.param(na, 8, A_NA * math.sqrt(3) / 2, id="bcc"),
        pytest.param(lambda **changes: na("fcc", **changes), 12, A_NA / math.sqrt(2), id="fcc"),
    ],
)
def test_inner_atoms_have_bulk_neighbours(
    build: Callable[..., Atoms], neighbours: int, bond: float, cell: str
) -> None:
    slab = build(cell=cell).repeat((3, 3, 1))
    centre = slab.cell.sum(axis=0) / 2
    inner = np.linalg.norm(slab.positions - centre, axis=1).argmin()
    distances = np.linalg.norm(slab.positions - slab.positions[inner], axis=1)
    first_shell = np.abs(distances - bond) < 1e-6
    assert first_shell.sum() == neighbours
    assert (distances < bond - 1e-6).sum() == 1  # itself


@pytest.mark.parametrize("cell", CELLS)
def test_unlike_atoms_are_neighbours_in_rocksalt(cell: str) -> None:
    slab = vn(cell=cell).repeat((2, 2, 1))
    distances = slab.get_all_distances(mic=True)
    first, second = np.nonzero(np.abs(distances - A_VN / 2) < 1e-6)
    assert len(first) > 0
    assert (slab.numbers[first] != slab.numbers[second]).all()


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("held", [0, 1, 3, 4])
def test_only_the_lowest_layers_are_held(build: Callable[..., Atoms], held: int) -> None:
    slab = build(layers=4, held_layers=held)
    fixed = {index for constraint in slab.constraints for index in constraint.get_indices()}
    z_limit = slab.positions[:, 2].min() + (held - 0.5) * A_VN / 2
    assert fixed == set(np.flatnonzero(slab.positions[:, 2] < z_limit))


def test_slab_with_nothing_held_has_no_constraint() -> None:
    assert vn(held_layers=0).constraints == []


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("build", BUILDERS)
def test_atoms_are_ordered_by_layer_then_position(build: Callable[..., Atoms], cell: str) -> None:
    slab = build(cell=cell)
    keys = [(z, y, x) for x, y, z in np.round(slab.positions, 6).tolist()]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0, "held_layers": 0}, "layers is 0: it must be at least 1"),
        ({"held_layers": 5}, "held_layers is 5: it must be 0 to 4"),
        ({"held_layers": -1}, "held_layers is -1: it must be 0 to 4"),
        ({"vacuum": 0.0}, "vacuum is 0.0 angstrom: it must be positive"),
        ({"cell": "2by2"}, "surface cell is '2by2'"),
    ],
)
@pytest.mark.parametrize("build", BUILDERS)
def test_bad_input_is_named(
    build: Callable[..., Atoms], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)


# ---- bcc (110) ----------------------------------------------------------------------------------

OPTIONS_110: dict[str, Any] = {"layers": 3, "cell": "2x1", "vacuum": 7.0, "held_layers": 1}
CELLS_110 = {"1x1": 2, "2x1": 4, "2x2": 8, "3x2": 12}  # atoms of a layer in each


def na110(**changes: Any) -> Atoms:
    return bcc110_slab("Na", A_NA, **OPTIONS_110 | changes)


@pytest.mark.parametrize(("cell", "atoms"), CELLS_110.items())
def test_bcc110_cell_and_layers(cell: str, atoms: int) -> None:
    slab = na110(cell=cell, layers=4)
    n, m = map(int, cell.split("x"))
    sides = [n * A_NA, m * A_NA * math.sqrt(2), 3 * A_NA / math.sqrt(2) + 14.0]
    np.testing.assert_allclose(slab.cell.array, np.diag(sides), atol=1e-12)
    assert np.bincount(slab.get_tags()).tolist() == [0, *[atoms] * 4]
    for tag in (1, 2, 3, 4):
        z = slab.positions[slab.get_tags() == tag, 2]
        np.testing.assert_allclose(z, 7.0 + (4 - tag) * A_NA / math.sqrt(2))
    (hold,) = slab.constraints
    assert set(hold.get_indices()) == set(np.flatnonzero(slab.get_tags() == 4))


@pytest.mark.parametrize("cell", CELLS_110)
def test_bcc110_inner_atoms_have_the_neighbours_of_the_bulk(cell: str) -> None:
    slab = na110(cell=cell, layers=5).repeat((3, 3, 1))
    inner = np.linalg.norm(slab.positions - slab.cell.sum(axis=0) / 2, axis=1).argmin()
    distances = np.linalg.norm(slab.positions - slab.positions[inner], axis=1)
    assert (np.abs(distances - A_NA * math.sqrt(3) / 2) < 1e-6).sum() == 8
    assert (np.abs(distances - A_NA) < 1e-6).sum() == 6
    assert (distances < A_NA + 1e-6).sum() == 1 + 8 + 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0, "held_layers": 0}, "layers is 0: it must be at least 1"),
        ({"held_layers": 4}, "held_layers is 4: it must be 0 to 3"),
        ({"vacuum": 0.0}, "vacuum is 0.0 angstrom: it must be positive"),
        ({"cell": "sqrt2"}, "'sqrt2': on bcc .110. it must be 'NxM'"),
        ({"cell": "2by2"}, "surface cell is '2by2'"),
    ],
)
def test_bcc110_bad_input_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        na110(**changes)
