"""The electron localisation function on the grid of a cell, and vertical cuts through it."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from analysis.charge import Array

UPRIGHT = 0.5  # angstrom: an atom this close beside the axis of a cut gives it no direction


@dataclass(frozen=True, eq=False)
class Localisation:
    """The electron localisation function (ELF) on the uniform grid of a periodic cell.

    Attributes
    ----------
    values
        From 0 to 1, 1/2 in a uniform electron gas; shape (nx, ny, nz). Grid point (i, j, k) lies at
        ``i/nx a1 + j/ny a2 + k/nz a3``.
    cell_cv
        Cell vectors as rows in angstrom with shape (3, 3).

    References
    ----------
    A. D. Becke and K. E. Edgecombe, J. Chem. Phys. 92, 5397 (1990).
    """

    values: Array
    cell_cv: Array

    def at(self, points_pv: Array) -> Array:
        """Interpolate linearly.

        Parameters
        ----------
        points_pv
            Places of shape (..., 3) in angstrom; the cell repeats in all directions.

        Returns
        -------
        ndarray of shape (...)
            From 0 to 1.
        """
        from scipy.ndimage import map_coordinates  # not at the top: `status` answers at once

        index_pc = points_pv @ np.linalg.inv(self.cell_cv) * self.values.shape
        return np.asarray(
            map_coordinates(self.values, np.moveaxis(index_pc, -1, 0), order=1, mode="grid-wrap")
        )


@dataclass(frozen=True)
class Plane:
    """A vertical plane.

    Attributes
    ----------
    origin
        x and y of a point in it, angstrom.
    direction
        x and y of its horizontal direction, of length 1.
    """

    origin: tuple[float, float]
    direction: tuple[float, float]

    def atoms_in(self, atoms: Atoms, reach: float, aside: float) -> list[tuple[int, float]]:
        """Return which atoms or images of them lie in the plane, and where.

        Parameters
        ----------
        atoms
            Periodic in the plane.
        reach, aside
            Largest distance from the origin along the plane, and from the plane, angstrom.

        Returns
        -------
        list of tuple
            Number of the atom, and its place along the plane, angstrom.
        """
        cell_cv = np.asarray(atoms.cell)[:2, :2]
        inverse = np.linalg.inv(cell_cv)
        # opposite borders of the cell are 1/|b| apart
        times = np.ceil((reach + aside) * np.linalg.norm(inverse, axis=0)).astype(int) + 1
        shifts_v = [
            np.array([i, j]) @ cell_cv
            for i in range(-times[0], times[0] + 1)
            for j in range(-times[1], times[1] + 1)
        ]
        scaled_ac = (atoms.positions[:, :2] - self.origin) @ inverse
        home_av = (scaled_ac - np.round(scaled_ac)) @ cell_cv
        dx, dy = self.direction
        found = []
        for number, home_v in enumerate(home_av):
            for x, y in home_v + shifts_v:
                if abs(y * dx - x * dy) <= aside and abs(x * dx + y * dy) <= reach:
                    found.append((number, float(x * dx + y * dy)))
        return found


def bonding_plane(atoms: Atoms, centre: int) -> Plane:
    """Return the vertical plane through an atom and the nearest one that is not under it.

    Parameters
    ----------
    atoms
        Slab, with or without adatom, periodic in the plane.
    centre
        Number of the atom.

    Raises
    ------
    ValueError
        There is no other atom beside it.
    """
    from_centre_av = atoms.positions - atoms.positions[centre]
    nearest_av, distance_a = find_mic(from_centre_av, atoms.cell, pbc=(True, True, False))
    beside_a = np.hypot(nearest_av[:, 0], nearest_av[:, 1])
    candidates = np.flatnonzero(beside_a > UPRIGHT)
    if not candidates.size:
        raise ValueError(f"no atom lies beside {atoms.symbols[centre]}")
    # Rounding keeps noise from choosing among atoms that are equally near.
    order = np.lexsort(
        (np.round(nearest_av[candidates, 0], 2), np.round(distance_a[candidates], 2))
    )
    nearest = candidates[order[0]]
    x, y = nearest_av[nearest, :2] / beside_a[nearest]
    cx, cy = atoms.positions[centre, :2]
    return Plane((float(cx), float(cy)), (float(x), float(y)))


def cut(field: Localisation, plane: Plane, along: Array, z: Array) -> Array:
    """Cut vertically through a localisation function.

    Parameters
    ----------
    field
        The function.
    plane
        Where the cut is.
    along
        Distances from its origin along its direction, angstrom, (n,).
    z
        Heights, angstrom, (m,).

    Returns
    -------
    ndarray of shape (m, n)
        From 0 to 1.
    """
    points = np.empty((len(z), len(along), 3))
    points[..., 0] = plane.origin[0] + along * plane.direction[0]
    points[..., 1] = plane.origin[1] + along * plane.direction[1]
    points[..., 2] = z[:, None]
    return field.at(points)
