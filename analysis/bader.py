"""Bader's partition: every atom has the electrons of the region that it is the summit of."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import ArrayLike, NDArray

from analysis.charge import Array, Density

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TOUCHING = 1e-6  # of the largest weight: voxels that share less than a face only touch


def populations(density: Density, positions: ArrayLike) -> Array:
    """Count the electrons of each atom, divided where the density has no slope across.

    Every voxel, the Voronoi cell of a grid point, hands its electrons uphill, split among its
    neighbours as the flow through their common faces; all end on summits, and each summit belongs
    to the atom nearest to it. A voxel on a border is shared, so that the grid's directions are not
    preferred and the error falls as the square of the grid step.

    Parameters
    ----------
    density
        All-electron density in e/angstrom^3 with shape (nx, ny, nz); any cell.
    positions
        Atoms in angstrom with shape (n, 3).

    Returns
    -------
    ndarray, shape (n,)
        Electrons of each atom; together those of the cell.

    Raises
    ------
    ValueError
        If there are no atoms.

    References
    ----------
    M. Yu and D. R. Trinkle, J. Chem. Phys. 134, 064111 (2011), eqs. 5-9: the weight method. Here
    its weights are not stored, voxel by atom, but the electrons passed on in one solve.
    """
    from scipy.sparse.linalg import spsolve_triangular

    atoms_av = np.asarray(positions, dtype=float)
    if atoms_av.ndim != 2 or atoms_av.shape[1] != 3 or len(atoms_av) == 0:
        msg = f"positions have shape {atoms_av.shape}: (n, 3) with an atom at least is needed"
        raise ValueError(msg)
    uphill = np.argsort(density.values, axis=None, kind="stable")
    passed, summit = _passed_on(density, uphill)
    # y = n + J^T y: what arrives at a voxel, its own included; from the lowest voxel to the highest
    arrived = spsolve_triangular(
        passed, density.values.ravel()[uphill], lower=True, unit_diagonal=True, overwrite_A=True
    )
    summits_i = uphill[summit[uphill]]
    electrons = arrived[summit[uphill]] * density.voxel_volume
    places_ic = np.stack(np.unravel_index(summits_i, density.shape), axis=1) / density.shape
    nearest = _nearest(places_ic @ density.cell_cv, atoms_av, density.cell_cv)
    shared = np.bincount(nearest, weights=electrons, minlength=len(atoms_av))
    return np.asarray(shared, dtype=np.float64)


def _nearest(places_iv: Array, atoms_av: Array, cell_cv: Array) -> NDArray[np.intp]:
    """Give the number of the atom nearest to each place, images included; all in angstrom."""
    from scipy.spatial import KDTree

    # In a reduced cell the nearest image lies in a cell next to the place's own.
    reduced_cv, _ = minkowski_reduce(cell_cv)
    inverse = np.linalg.inv(reduced_cv)
    images_ac = (atoms_av @ inverse % 1.0)[:, None] + np.array(list(product((-1, 0, 1), repeat=3)))
    _, found = KDTree(images_ac.reshape(-1, 3) @ reduced_cv).query(
        (places_iv @ inverse % 1.0) @ reduced_cv
    )
    return np.asarray(found) // 27


class Face(NamedTuple):
    """A face of a voxel: steps (3,) to the neighbour; area over distance and volume, 1/length^2."""

    steps: tuple[int, ...]
    weight: float


def voxel_faces(density: Density) -> list[Face]:
    """Give the faces of a grid point's Voronoi cell: six where the cell is right-angled."""
    from scipy.spatial import ConvexHull, Voronoi

    reduced_cv, change = minkowski_reduce(density.cell_cv / np.array(density.shape)[:, None])
    # The neighbours with a common face are among the next ones of the reduced lattice.
    steps = np.array(list(product((-1, 0, 1), repeat=3)))
    home = len(steps) // 2
    around = Voronoi(steps @ reduced_cv)
    faces = []
    for pair, corners in zip(around.ridge_points, around.ridge_vertices, strict=True):
        if home not in pair or -1 in corners:
            continue
        step = steps[pair[pair != home][0]]
        across = step @ reduced_cv
        # a pyramid on the face with its tip at the grid point: V = A/3 * |across|/2
        tip = np.vstack([around.vertices[corners], np.zeros(3)])
        area = 6.0 * ConvexHull(tip, qhull_options="QJ").volume / np.linalg.norm(across)
        weight = area / np.linalg.norm(across) / density.voxel_volume
        faces.append(Face(tuple((step @ change).tolist()), float(weight)))
    largest = max(face.weight for face in faces)
    return [face for face in faces if face.weight > TOUCHING * largest]


def _passed_on(density: Density, uphill: NDArray[np.intp]) -> tuple[csr_array, NDArray[np.bool_]]:
    """Give 1 - J^T in the order of rising density, and which voxels (flat) are summits.

    J holds the share (no unit) that each voxel hands to each of its neighbours.
    """
    from scipy.sparse import csr_array

    faces = voxel_faces(density)
    size = density.values.size
    rank = np.empty(size, dtype=np.int32)
    rank[uphill] = np.arange(size, dtype=np.int32)
    total_R = np.zeros(density.shape)
    for face in faces:
        total_R += _rise(density, face)
    total = total_R.ravel()
    rows, columns, shares = [], [], []
    for face in faces:
        rise = _rise(density, face).ravel()
        climbs = np.flatnonzero(rise)
        columns.append(rank[climbs])
        rows.append(_neighbours(rank.reshape(density.shape), face).ravel()[climbs])
        shares.append(rise[climbs] / total[climbs])
    everyone = np.arange(size, dtype=np.int32)
    matrix = csr_array(
        (
            np.concatenate([*(-share for share in shares), np.ones(size)]),
            (np.concatenate([*rows, everyone]), np.concatenate([*columns, everyone])),
        ),
        shape=(size, size),
    )
    return matrix, total == 0.0


def _rise(density: Density, face: Face) -> Array:
    """Give the flow through a face of all voxels, zero where the neighbour is not higher."""
    # (rho' - rho) / distance times the face's area; the volume of a voxel is common to all
    rise = _neighbours(density.values, face) - density.values
    return np.asarray(np.maximum(rise, 0.0) * face.weight)


def _neighbours(values_R: NDArray[Any], face: Face) -> NDArray[Any]:
    """Give what the neighbours across a face hold."""
    return np.roll(values_R, [-step for step in face.steps], axis=(0, 1, 2))
