"""One hexagonal lattice in two cells, and Gaussians on it: analytic references for any cell."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def hexagonal_cell(side: float, height: float) -> Array:
    """Give the primitive cell, 120 degrees, c along the normal; angstrom."""
    return np.array([[side, 0, 0], [-side / 2, side * 3**0.5 / 2, 0], [0, 0, height]])


def rectangular_cell(side: float, height: float) -> Array:
    """Give the rectangle that holds two primitive cells; angstrom."""
    return np.diag([side, side * 3**0.5, height])


def grid_points(shape: tuple[int, int, int], cell_cv: Array) -> Array:
    """Give the places of a grid's points, shape (nx, ny, nz, 3), angstrom."""
    scaled = np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij")
    return np.asarray(np.stack(scaled, axis=-1) @ cell_cv)


def lattice_gaussian(
    place: npt.ArrayLike, width: float, side: float = 4.0
) -> Callable[[Array], Array]:
    """Give a function of places (..., 3): one electron, a Gaussian, on each hexagonal point.

    Not periodic along z: `place` and `width` (angstrom) must keep it off the ends of the cell.
    """

    def density(points: Array) -> Array:
        first_v, second_v, _ = hexagonal_cell(side, 1.0)
        total = np.zeros(points.shape[:-1])
        # enough images for every point of a cell that begins at the origin
        for i in range(-4, 9):
            for j in range(-4, 9):
                apart = points - (np.asarray(place, float) + i * first_v + j * second_v)
                total += np.exp(-np.square(apart).sum(axis=-1) / (2 * width**2))
        return np.asarray(total / (2 * np.pi * width**2) ** 1.5)

    return density
