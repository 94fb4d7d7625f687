"""Bader's partition: every atom has the electrons of the region that it is the summit of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.charge import SAME_CELL, Array, Density

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.sparse import csr_array


def populations(density: Density, positions: ArrayLike) -> Array:
    """Count the electrons of each atom, divided where the density has no slope across.

    Every voxel hands its electrons uphill, split among its neighbours as the flow through their
    common faces; all end on summits, and each summit belongs to the atom nearest to it. A voxel on
    a border is shared, so that the grid's directions are not preferred and the error falls as the
    square of the grid step.

    Parameters
    ----------
    density
        All-electron density in e/angstrom^3 with shape (nx, ny, nz), its cell right-angled and
        along x, y and z.
    positions
        Atoms in angstrom with shape (n, 3).

    Returns
    -------
    ndarray, shape (n,)
        Electrons of each atom; together those of the cell.

    Raises
    ------
    ValueError
        If the cell is not right-angled along x, y and z, or there are no atoms.

    References
    ----------
    M. Yu and D. R. Trinkle, J. Chem. Phys. 134, 064111 (2011), eqs. 5-9: the weight method. Here
    its weights are not stored, voxel by atom, but the electrons passed on in one solve.
    """
    from scipy.sparse.linalg import spsolve_triangular
    from scipy.spatial import KDTree

    lengths_c = _edges(density)
    atoms_av = np.asarray(positions, dtype=float)
    if atoms_av.ndim != 2 or atoms_av.shape[1] != 3 or len(atoms_av) == 0:
        msg = f"positions have shape {atoms_av.shape}: (n, 3) with an atom at least is needed"
        raise ValueError(msg)
    uphill = np.argsort(density.values, axis=None, kind="stable")
    passed, summit = _passed_on(density, lengths_c, uphill)
    # y = n + J^T y: what arrives at a voxel, its own included; from the lowest voxel to the highest
    arrived = spsolve_triangular(
        passed, density.values.ravel()[uphill], lower=True, unit_diagonal=True, overwrite_A=True
    )
    summits_i = uphill[summit[uphill]]
    electrons = arrived[summit[uphill]] * density.voxel_volume
    places = np.stack(np.unravel_index(summits_i, density.shape), axis=1) / density.shape
    tree = KDTree(atoms_av % lengths_c % lengths_c, boxsize=lengths_c)
    _, nearest = tree.query(places * lengths_c)
    shared = np.bincount(nearest, weights=electrons, minlength=len(atoms_av))
    return np.asarray(shared, dtype=np.float64)


def _edges(density: Density) -> Array:
    """Give the three edges in angstrom of a right-angled cell along x, y and z."""
    edges: Array = np.diag(density.cell_cv)
    slant = float(np.abs(density.cell_cv - np.diag(edges)).max())
    if slant > SAME_CELL or edges.min() <= 0.0:
        msg = f"cell {density.cell_cv.tolist()} must be right-angled, its vectors along x, y and z"
        raise ValueError(msg)
    return edges


def _passed_on(
    density: Density, lengths_c: Array, uphill: NDArray[np.intp]
) -> tuple[csr_array, NDArray[np.bool_]]:
    """Give 1 - J^T in the order of rising density, and which voxels (flat) are summits.

    J holds the share (no unit) that each voxel hands to each of its neighbours.
    """
    from scipy.sparse import csr_array

    size = density.values.size
    rank = np.empty(size, dtype=np.int32)
    rank[uphill] = np.arange(size, dtype=np.int32)
    total_R = np.zeros(density.shape)
    for rise in _rises(density, lengths_c):
        total_R += rise
    total = total_R.ravel()
    rows, columns, shares = [], [], []
    for (axis, step), rise in zip(_STEPS, _rises(density, lengths_c), strict=True):
        climbs = np.flatnonzero(rise)
        columns.append(rank[climbs])
        rows.append(np.roll(rank.reshape(density.shape), -step, axis).ravel()[climbs])
        shares.append(rise.ravel()[climbs] / total[climbs])
    everyone = np.arange(size, dtype=np.int32)
    matrix = csr_array(
        (
            np.concatenate([*(-share for share in shares), np.ones(size)]),
            (np.concatenate([*rows, everyone]), np.concatenate([*columns, everyone])),
        ),
        shape=(size, size),
    )
    return matrix, total == 0.0


_STEPS = [(axis, step) for axis in range(3) for step in (1, -1)]


def _rises(density: Density, lengths_c: Array) -> Iterator[Array]:
    """Give the flow to each of the six neighbours, zero where they are not higher."""
    for axis, step in _STEPS:
        h = lengths_c[axis] / density.shape[axis]
        # flow through the face: (rho' - rho) / h times its area, dV / h; dV is common to all
        rise = np.roll(density.values, -step, axis) - density.values
        yield np.maximum(rise, 0.0) / h**2
