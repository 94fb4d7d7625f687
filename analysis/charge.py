"""Electron densities on a periodic grid: their difference, their profile, the charge moved."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SAME_CELL = 1e-6  # angstrom


@dataclass(frozen=True, eq=False)
class Density:
    """An electron density on the uniform grid of a periodic cell.

    Grid point (i, j, k) lies at ``i/nx a1 + j/ny a2 + k/nz a3`` and stands for one voxel around it.

    Attributes
    ----------
    values
        Density in e/angstrom^3 with shape (nx, ny, nz); read-only.
    cell_cv
        Cell vectors as rows in angstrom with shape (3, 3); read-only.
    units
        Of the values.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite or the cell has no volume.
    """

    values: Array
    cell_cv: Array
    units: ClassVar[str] = "e/angstrom^3"

    def __post_init__(self) -> None:
        values = _read_only(self.values, "density")
        cell_cv = _read_only(self.cell_cv, "cell")
        if values.ndim != 3 or values.size == 0:
            msg = f"density has shape {values.shape}: (nx, ny, nz) with no zero is needed"
            raise ValueError(msg)
        if cell_cv.shape != (3, 3):
            msg = f"cell has shape {cell_cv.shape}: (3, 3) is needed"
            raise ValueError(msg)
        if np.linalg.matrix_rank(cell_cv) < 3:
            msg = f"cell {cell_cv.tolist()} has no volume: three independent vectors are needed"
            raise ValueError(msg)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "cell_cv", cell_cv)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of grid points (nx, ny, nz)."""
        nx, ny, nz = self.values.shape
        return nx, ny, nz

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in angstrom^3."""
        # dV = |det(cell)| / (nx ny nz)
        return float(abs(np.linalg.det(self.cell_cv))) / self.values.size

    def integral(self) -> float:
        """Integrate over the cell.

        Returns
        -------
        float
            Number of electrons.
        """
        # N = sum_ijk rho_ijk dV
        return float(self.values.sum()) * self.voxel_volume

    def __sub__(self, other: "Density") -> "Density":
        """Subtract a density in e/angstrom^3; ValueError unless grid and cell are the same."""
        if self.shape != other.shape:
            msg = f"densities on different grids cannot be subtracted: {self.shape}, {other.shape}"
            raise ValueError(msg)
        apart = float(np.abs(self.cell_cv - other.cell_cv).max())
        if apart > SAME_CELL:
            msg = (
                f"densities in different cells (by {apart:.2g} angstrom) cannot be subtracted: "
                f"{self.cell_cv.tolist()}, {other.cell_cv.tolist()}"
            )
            raise ValueError(msg)
        return Density(self.values - other.values, self.cell_cv)


@dataclass(frozen=True)
class ChargeMoved:
    """The electrons that crossed a plane between surface and adatom.

    Attributes
    ----------
    electrons
        Number of electrons moved; positive is from the adatom's side toward the surface.
    boundary
        Height of the plane in angstrom.
    """

    electrons: float
    boundary: float


def difference(total: Density, slab: Density, adatom: Density) -> Density:
    """Compute where electrons gather and where they leave as the adatom binds.

    Parameters
    ----------
    total
        Density of the slab with its adatom in e/angstrom^3.
    slab
        Density of the slab alone in e/angstrom^3, its atoms where they are in `total`.
    adatom
        Density of the adatom alone in e/angstrom^3, where it is in `total`.

    Returns
    -------
    Density
        Difference in e/angstrom^3; positive where electrons gather.

    Raises
    ------
    ValueError
        If the grids or the cells differ.

    References
    ----------
    Shown in Nanoscale Horiz., 2022, 7, 899, Fig. 5f-i.
    """
    # drho = rho(Na/VN) - rho(VN) - rho(Na)
    return total - slab - adatom


def plane_average(density: Density) -> tuple[Array, Array]:
    """Integrate a density over the planes parallel to the surface.

    Parameters
    ----------
    density
        Density in e/angstrom^3 with shape (nx, ny, nz).

    Returns
    -------
    z : ndarray, shape (nz,)
        Height of each plane along the third cell vector in angstrom.
    lambda_z : ndarray, shape (nz,)
        Electrons per height in e/angstrom.

    Raises
    ------
    ValueError
        If the third cell vector is not perpendicular to the first two.
    """
    a_v, b_v, c_v = density.cell_cv
    height = float(np.linalg.norm(c_v))
    tilt = max(abs(float(v @ c_v)) / float(np.linalg.norm(v)) for v in (a_v, b_v))
    if tilt > SAME_CELL:
        msg = (
            f"third cell vector {c_v.tolist()} leans by {tilt:.2g} angstrom along the surface: "
            "it must be perpendicular to the first two"
        )
        raise ValueError(msg)
    nz = density.shape[2]
    area = float(np.linalg.norm(np.cross(a_v, b_v)))
    # lambda(z) = integral of rho(x, y, z) dx dy = area * mean of rho over the plane
    return np.arange(nz) * height / nz, area * density.values.mean(axis=(0, 1))


def charge_transfer(density: Density, z_surface: float, z_adatom: float) -> ChargeMoved:
    """Count the electrons that crossed the gap between the top layer and the adatom.

    The boundary is where the region around the adatom ends: going down from the adatom, the first
    plane at which the plane average changes sign, so that the running integral has its first
    extremum there. Beyond it the surface's own response sets in, which is no transfer. The count
    depends on this choice of plane, as every partition of a density between atoms does. Slab and
    adatom must lie in one piece in the cell, the vacuum at its top and bottom.

    Parameters
    ----------
    density
        Density difference in e/angstrom^3 with shape (nx, ny, nz).
    z_surface
        Height of the top layer in angstrom.
    z_adatom
        Height of the adatom in angstrom.

    Returns
    -------
    ChargeMoved
        Electrons moved, positive toward the surface, and the boundary in angstrom.

    Raises
    ------
    ValueError
        If the heights are not in order inside the cell, no boundary lies between them or the third
        cell vector is not perpendicular to the first two.
    """
    z, lambda_z = plane_average(density)
    height = float(np.linalg.norm(density.cell_cv[2]))
    if not 0.0 <= z_surface < z_adatom <= height:
        msg = (
            f"surface at {z_surface} and adatom at {z_adatom} angstrom: "
            f"the surface must lie below the adatom, both between 0 and {height:g}"
        )
        raise ValueError(msg)
    dz = height / len(z)
    boundaries = z + dz / 2
    # q(z*) = -integral of lambda(z) dz from z* to the top of the cell
    moved = -(lambda_z.sum() - np.cumsum(lambda_z)) * dz
    in_gap = np.flatnonzero((boundaries >= z_surface) & (boundaries <= z_adatom))
    if in_gap.size == 0:
        msg = f"no boundary between {z_surface} and {z_adatom} angstrom: the grid step is {dz:.3g}"
        raise ValueError(msg)
    # the plane average below and above each boundary; a change of sign between them is an extremum
    turns = in_gap[lambda_z[in_gap] * lambda_z[(in_gap + 1) % len(z)] <= 0.0]
    best = turns[-1] if turns.size else in_gap[np.argmax(np.abs(moved[in_gap]))]
    return ChargeMoved(electrons=float(moved[best]), boundary=float(boundaries[best]))


def shape_for(density: Density, max_spacing: float) -> tuple[int, int, int]:
    """Find the smallest grid whose points are no further apart than asked.

    Parameters
    ----------
    density
        Density in e/angstrom^3.
    max_spacing
        Largest distance between grid points along a cell vector in angstrom.

    Returns
    -------
    tuple of int
        Number of points (nx, ny, nz), never more than the density has.

    Raises
    ------
    ValueError
        If the spacing is not a positive number.
    """
    if not max_spacing > 0.0:
        msg = f"largest spacing is {max_spacing} angstrom: a positive number is needed"
        raise ValueError(msg)
    lengths = np.linalg.norm(density.cell_cv, axis=1)
    # n = ceil(|a| / h), less what rounding adds
    wanted = np.maximum(np.ceil(lengths / max_spacing - 1e-9), 1)
    nx, ny, nz = (int(n) for n in np.minimum(wanted, density.shape))
    return nx, ny, nz


def coarsen(density: Density, shape: tuple[int, int, int]) -> Density:
    """Average a density onto a coarser grid that holds the same number of electrons.

    Each new value is the mean over the new, larger voxel around its point, so nothing rings and
    no sign appears that was not there.

    Parameters
    ----------
    density
        Density in e/angstrom^3.
    shape
        New number of points (nx, ny, nz), none above the old; any ratio is allowed.

    Returns
    -------
    Density
        Density in e/angstrom^3 on the new grid.

    Raises
    ------
    ValueError
        If the shape is not three numbers from 1 to the old ones.
    """
    if len(shape) != 3 or not all(
        1 <= new <= old for new, old in zip(shape, density.shape, strict=True)
    ):
        msg = f"new grid {tuple(shape)} is not allowed: three numbers from 1 to {density.shape}"
        raise ValueError(msg)
    x, y, z = (_overlaps(new, old) for new, old in zip(shape, density.shape, strict=True))
    # rho'_abc = sum_ijk X_ai Y_bj Z_ck rho_ijk
    values = np.einsum("ai,bj,ck,ijk->abc", x, y, z, density.values, optimize=True)
    return Density(values, density.cell_cv)


def _overlaps(new: int, old: int) -> Array:
    """Give the part of each new voxel (rows) that each old one (columns) fills, periodic."""
    new_at = np.arange(new)[:, np.newaxis] / new
    old_at = np.arange(old)[np.newaxis, :] / old
    apart = np.abs(new_at - old_at)
    # intervals of widths v >= w, centres d apart, share min(w, (v + w)/2 - d), at least 0
    reach = (1.0 / new + 1.0 / old) / 2.0
    shared = sum(np.clip(reach - d, 0.0, 1.0 / old) for d in (apart, 1.0 - apart))
    return np.asarray(shared * new)


def _read_only(numbers: ArrayLike, name: str) -> Array:
    array = np.array(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        msg = f"{name} holds a number that is not finite: all must be"
        raise ValueError(msg)
    array.setflags(write=False)
    return array
