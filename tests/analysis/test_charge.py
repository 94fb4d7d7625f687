"""Densities against Gaussians, whose integrals are known."""

from math import erf, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.charge import (
    Density,
    charge_transfer,
    coarsen,
    difference,
    plane_average,
    shape_for,
)
from tests.lattices import grid_points, hexagonal_cell, lattice_gaussian, rectangular_cell

CELL = np.diag([6.0, 7.0, 16.0])
SHAPE = (24, 28, 64)
WIDTH = 0.6


def gaussian(electrons: float, height: float) -> Density:
    """Give a round Gaussian of so many electrons at the middle of the cell at a height."""
    x, y, z = (
        np.arange(n) * length / n - centre
        for n, length, centre in zip(SHAPE, np.diag(CELL), (3.0, 3.5, height), strict=True)
    )
    squares = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2
    peak = electrons / (2 * pi * WIDTH**2) ** 1.5
    return Density(peak * np.exp(-squares / (2 * WIDTH**2)), CELL)


def random_density(shape: tuple[int, int, int]) -> Density:
    return Density(np.random.default_rng(7).random(shape), CELL)


def cell(*rows: tuple[float, float, float]) -> NDArray[np.float64]:
    return np.array(rows)


def test_integral_of_a_gaussian_is_its_electrons() -> None:
    assert gaussian(11.0, 8.0).integral() == pytest.approx(11.0, abs=1e-5)


def test_integral_in_a_slanted_cell() -> None:
    # a constant 2 e/angstrom^3 in a cell of 2 x 3 x 4 angstrom^3, sheared
    slanted = cell((2.0, 0.0, 0.0), (1.0, 3.0, 0.0), (0.5, 0.5, 4.0))
    assert Density(np.full((3, 4, 5), 2.0), slanted).integral() == pytest.approx(48.0)


def test_integral_in_a_left_handed_cell_is_positive() -> None:
    mirrored = cell((0.0, 3.0, 0.0), (2.0, 0.0, 0.0), (0.0, 0.0, 4.0))
    assert Density(np.ones((2, 2, 2)), mirrored).integral() == pytest.approx(24.0)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        gaussian(1.0, 8.0).values[0, 0, 0] = 1.0


def test_values_are_a_copy() -> None:
    values = np.ones((2, 2, 2))
    density = Density(values, CELL)
    values[0, 0, 0] = 5.0
    assert density.values[0, 0, 0] == 1.0


@pytest.mark.parametrize(
    ("values", "cell_cv", "message"),
    [
        (np.ones((2, 2)), CELL, r"density has shape \(2, 2\)"),
        (np.ones((2, 0, 2)), CELL, r"density has shape \(2, 0, 2\)"),
        (np.full((2, 2, 2), np.nan), CELL, "density holds a number that is not finite"),
        (np.ones((2, 2, 2)), np.ones(3), r"cell has shape \(3,\)"),
        (np.ones((2, 2, 2)), np.ones((3, 3)), "has no volume"),
    ],
)
def test_bad_density_is_refused(
    values: NDArray[np.float64], cell_cv: NDArray[np.float64], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Density(values, cell_cv)


def test_parts_that_make_up_the_whole_leave_nothing() -> None:
    slab, adatom = gaussian(60.0, 4.0), gaussian(11.0, 8.0)
    total = Density(slab.values + adatom.values, CELL)
    assert np.abs(difference(total, slab, adatom).values).max() < 1e-12


def test_difference_is_positive_where_electrons_gather() -> None:
    slab, adatom = gaussian(60.0, 4.0), gaussian(11.0, 8.0)
    total = Density(slab.values + adatom.values + gaussian(1.0, 6.0).values, CELL)
    assert difference(total, slab, adatom).integral() == pytest.approx(1.0, abs=1e-5)


def test_different_grids_are_refused() -> None:
    with pytest.raises(ValueError, match=r"different grids .*\(2, 2, 2\), \(2, 2, 3\)"):
        random_density((2, 2, 2)) - random_density((2, 2, 3))


def test_different_cells_are_refused_and_named() -> None:
    ours, other = random_density((2, 2, 2)), Density(np.ones((2, 2, 2)), 1.01 * CELL)
    with pytest.raises(ValueError, match=r"by 0\.16 angstrom.*16\.0\]\], .*16\.16\]\]$"):
        ours - other


def test_plane_average_of_a_known_function() -> None:
    # rho = (1 + sin x') cos z' over area 42: the sine integrates to nothing
    x = 2 * pi * np.arange(24) / 24
    z = 2 * pi * np.arange(64) / 64
    values = np.broadcast_to((1 + np.sin(x))[:, None, None] * np.cos(z), SHAPE)
    _, lambda_z = plane_average(Density(values, CELL))
    assert lambda_z == pytest.approx(42.0 * np.cos(z))


def test_plane_heights() -> None:
    z, _ = plane_average(random_density((2, 2, 4)))
    assert z == pytest.approx([0.0, 4.0, 8.0, 12.0])


def test_plane_average_holds_all_electrons() -> None:
    density = random_density((3, 4, 5))
    z, lambda_z = plane_average(density)
    assert lambda_z.sum() * (z[1] - z[0]) == pytest.approx(density.integral())


def test_plane_average_of_a_slanted_surface_cell() -> None:
    # area of the hexagonal mesh: 9 sin 60 degrees
    hexagonal = cell((3.0, 0.0, 0.0), (1.5, 1.5 * 3**0.5, 0.0), (0.0, 0.0, 5.0))
    _, lambda_z = plane_average(Density(np.ones((2, 2, 2)), hexagonal))
    assert lambda_z == pytest.approx(9.0 * 3**0.5 / 2)


def test_a_hexagonal_cell_averages_like_the_rectangular_one() -> None:
    blob = lattice_gaussian([0.3, 0.2, 8.0], 0.6)
    found = []
    for cell_cv, shape in (
        (hexagonal_cell(4.0, 16.0), (30, 30, 64)),
        (rectangular_cell(4.0, 16.0), (30, 52, 64)),
    ):
        density = Density(blob(grid_points(shape, cell_cv)), cell_cv)
        z, lambda_z = plane_average(density)
        # e/angstrom of one lattice point: the rectangle holds two
        found.append(lambda_z / density.integral())
        exact = np.exp(-((z - 8.0) ** 2) / (2 * WIDTH**2)) / (WIDTH * (2 * pi) ** 0.5)
        assert found[-1] == pytest.approx(exact, abs=1e-4)
        moved = charge_transfer(
            density - Density(np.roll(density.values, 12, 2), cell_cv), 6.0, 10.0
        )
        assert abs(moved.electrons) == pytest.approx(density.integral(), rel=0.05)
        small = coarsen(density, shape_for(density, 0.3))
        assert small.integral() == pytest.approx(density.integral())
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_plane_average_refuses_a_leaning_cell() -> None:
    leaning = cell((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.2, 0.0, 5.0))
    with pytest.raises(ValueError, match=r"leans by 0\.2 angstrom"):
        plane_average(Density(np.ones((2, 2, 2)), leaning))


def moved_to(height: float) -> Density:
    """Give 0.7 electrons taken from an adatom at 10 angstrom and set down at a height."""
    return gaussian(0.7, height) - gaussian(0.7, 10.0)


def test_charge_moved_toward_the_surface_is_counted() -> None:
    # two Gaussians 4 angstrom apart; a share erf(2/(s sqrt 2)) of their charge does not overlap
    expected = 0.7 * erf(2.0 / (WIDTH * 2**0.5))
    found = charge_transfer(moved_to(6.0), 4.0, 10.0)
    assert found.electrons == pytest.approx(expected, abs=2e-3)


def test_charge_moved_away_from_the_surface_is_negative() -> None:
    to_adatom = gaussian(0.7, 10.0) - gaussian(0.7, 6.0)
    toward = charge_transfer(moved_to(6.0), 4.0, 10.0)
    assert charge_transfer(to_adatom, 4.0, 10.0).electrons == pytest.approx(-toward.electrons)


def test_boundary_lies_where_loss_turns_to_gain() -> None:
    step = 16.0 / 64
    assert charge_transfer(moved_to(6.0), 4.0, 10.0).boundary == pytest.approx(8.0, abs=step)


def test_the_surfaces_own_response_is_no_transfer() -> None:
    # below what is set down at 7, the surface shifts far more electrons about within itself
    response = Density(3.0 * (gaussian(1.0, 4.6).values - gaussian(1.0, 3.4).values), CELL)
    moved = Density(moved_to(7.0).values + response.values, CELL)
    alone = charge_transfer(moved_to(7.0), 4.0, 10.0)
    found = charge_transfer(moved, 4.0, 10.0)
    assert found.boundary == pytest.approx(alone.boundary, abs=0.3)
    assert found.electrons == pytest.approx(alone.electrons, abs=0.02)


def test_boundary_stays_between_surface_and_adatom() -> None:
    # the charge is taken from above the gap and set down below it
    found = charge_transfer(moved_to(2.0), 5.0, 7.0)
    assert 5.0 <= found.boundary <= 7.0


def test_no_charge_moves_in_a_density_of_zeros() -> None:
    assert charge_transfer(Density(np.zeros(SHAPE), CELL), 4.0, 10.0).electrons == 0.0


@pytest.mark.parametrize(("surface", "adatom"), [(8.0, 6.0), (-1.0, 6.0), (4.0, 17.0)])
def test_heights_out_of_order_are_refused(surface: float, adatom: float) -> None:
    with pytest.raises(ValueError, match="the surface must lie below the adatom"):
        charge_transfer(moved_to(6.0), surface, adatom)


def test_gap_narrower_than_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no boundary between 5\.0 and 5\.1 angstrom"):
        charge_transfer(moved_to(6.0), 5.0, 5.1)


@given(st.tuples(st.integers(1, 7), st.integers(1, 8), st.integers(1, 9)))
def test_coarsening_keeps_the_electrons(shape: tuple[int, int, int]) -> None:
    density = random_density((7, 8, 9))
    assert coarsen(density, shape).integral() == pytest.approx(density.integral(), rel=1e-12)


def test_coarsening_to_the_same_grid_changes_nothing() -> None:
    density = random_density((4, 5, 6))
    assert coarsen(density, (4, 5, 6)).values == pytest.approx(density.values)


def test_coarsening_by_hand() -> None:
    # new voxels of two old widths around points 0 and 2: (d/2 + a + b/2)/2, (b/2 + c + d/2)/2
    values = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4)
    coarse = coarsen(Density(values, CELL), (1, 1, 2))
    assert coarse.values.ravel() == pytest.approx([2.0, 3.0])


def test_coarsening_leaves_the_peak_where_it_is() -> None:
    coarse = coarsen(gaussian(1.0, 8.0), (12, 14, 32))
    assert np.argwhere(coarse.values == coarse.values.max()).tolist() == [[6, 7, 16]]


def test_coarsening_makes_no_negative_density() -> None:
    spike = np.zeros((9, 9, 9))
    spike[4, 4, 4] = 1.0
    assert coarsen(Density(spike, CELL), (4, 5, 7)).values.min() >= 0.0


@pytest.mark.parametrize("shape", [(3, 2, 2), (0, 2, 2), (2, 2)])
def test_coarsening_refuses_other_grids(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"three numbers from 1 to \(2, 2, 2\)"):
        coarsen(random_density((2, 2, 2)), shape)


def test_shape_for_a_spacing() -> None:
    # 6/0.5, 7/0.5, 16/0.5
    assert shape_for(gaussian(1.0, 8.0), 0.5) == (12, 14, 32)


def test_shape_for_a_finer_spacing_is_the_shape_itself() -> None:
    assert shape_for(gaussian(1.0, 8.0), 0.01) == SHAPE


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan")])
def test_spacing_must_be_positive(spacing: float) -> None:
    with pytest.raises(ValueError, match="a positive number is needed"):
        shape_for(gaussian(1.0, 8.0), spacing)
