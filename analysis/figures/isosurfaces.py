"""Surfaces of constant charge-density difference, and the value to draw them at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label, map_coordinates
from skimage.measure import marching_cubes

if TYPE_CHECKING:
    from analysis.charge import Density

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP = 0.15  # angstrom between the points the surface is traced on
MOST_POINTS = 128  # along one axis, however large the region
AROUND = 4.5  # angstrom beyond a region within which a body that crosses its wall is completed
FADE = 0.9  # angstrom beyond a region over which a body that goes on without end fades


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh: vertices (n, 3) in angstrom, faces (m, 3), outward normals (n, 3).

    `visible` (n,) is 1 within the region that was traced, and on the whole of a body that ends; on
    one that goes on without end it falls to 0 outside the region.
    """

    vertices: Array
    faces: Ints
    normals: Array
    visible: Array

    @property
    def area(self) -> float:
        """Give the area in angstrom^2."""
        return float(np.linalg.norm(_face_vectors(self.vertices, self.faces), axis=1).sum() / 2.0)

    @property
    def volume(self) -> float:
        """Give the volume enclosed, in angstrom^3."""
        return _volume(self.vertices, self.faces)


@dataclass(frozen=True)
class Region:
    """The part of a periodic density to trace: lowest and highest scaled coordinates (3,).

    They are in units of the rows of `frame_cv` (3, 3), angstrom; of the cell's vectors if None.
    """

    low: tuple[float, float, float] = (0.0, 0.0, 0.0)
    high: tuple[float, float, float] = (1.0, 1.0, 1.0)
    frame_cv: Array | None = None

    def frame(self, density: Density) -> Array:
        """Give the vectors that span it, as rows (3, 3), angstrom."""
        return density.cell_cv if self.frame_cv is None else self.frame_cv


def heights(vectors_cv: Array) -> Array:
    """Give the distances between opposite faces of a cell (n, n), in its unit."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(vectors_cv), axis=0))


def enclosing_isovalue(densities: Sequence[Density], fraction: float = 0.5) -> float:
    """Give the value v above which |difference| holds a fraction of all charge moved.

    Points with |difference| >= v hold `fraction` of the integral of |difference|, over all the
    densities together: one value serves all sites, and adapts to weak and strong bonds alike.
    It is rounded to two digits, so that the value printed is the value drawn.

    Parameters
    ----------
    densities
        Charge-density differences, e/angstrom^3.
    fraction
        Between 0 and 1.

    Returns
    -------
    Value in e/angstrom^3; 0 where no charge moves.
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"fraction must lie between 0 and 1, not {fraction}")
    if not densities:
        raise ValueError("no density to take an isovalue from")
    size = np.concatenate([np.abs(density.values).ravel() for density in densities])
    weight = np.concatenate([np.full(d.values.size, _voxel(d)) for d in densities])
    order = np.argsort(size)[::-1]
    # q(v) = integral of |drho| where |drho| >= v
    held = np.cumsum(size[order] * weight[order])
    if held[-1] <= 0.0:
        return 0.0
    value = size[order][np.searchsorted(held, fraction * held[-1])]
    return float(f"{value:.1e}")


def trace(density: Density, isovalue: float, region: Region | None = None) -> tuple[Mesh, Mesh]:
    """Trace where the difference is +isovalue and where it is -isovalue.

    The density goes on periodically. A body with its middle in the region is shown whole and
    closed, though it crosses the wall, and one with its middle outside is left out. A body that
    goes on without end has no edge of its own: it is traced `FADE` beyond the wall, and fades.

    Parameters
    ----------
    density
        Charge-density difference, e/angstrom^3.
    isovalue
        Positive, e/angstrom^3.
    region
        One whole cell if not given.

    Returns
    -------
    Meshes around accumulation and around depletion, in angstrom; empty where none reaches so far.

    Raises
    ------
    ValueError
        If the isovalue is not positive.
    """
    if isovalue <= 0.0:
        raise ValueError(f"isovalue must be positive, not {isovalue} e/angstrom^3")
    region = region or Region()
    wide = _widened(density, region)
    values = sample(density, wide)
    return (
        _trace_sign(values, isovalue, density, region, wide),
        _trace_sign(-values, isovalue, density, region, wide),
    )


def _trace_sign(
    values: Array, isovalue: float, density: Density, region: Region, wide: Region
) -> Mesh:
    """Trace one sign of the sampled values (nx, ny, nz): bodies that end, then those that go on."""
    ending, endless = _sorted_bodies(values, isovalue, region, wide)
    closed = _mesh(ending, isovalue, density, wide)
    open_ended = _faded(_mesh(endless, isovalue, density, wide), density, region)
    return _joined(closed, open_ended)


def _widened(density: Density, region: Region) -> Region:
    """Give the region with `AROUND` more on its four lateral sides."""
    more = AROUND / heights(region.frame(density)) * [1.0, 1.0, 0.0]
    low, high = np.array(region.low) - more, np.array(region.high) + more
    return Region((low[0], low[1], low[2]), (high[0], high[1], high[2]), region.frame_cv)


def _sorted_bodies(
    values: Array, isovalue: float, region: Region, wide: Region
) -> tuple[Array, Array]:
    """Give values with only the bodies that end and belong to the region, and the endless ones."""
    lines = [np.linspace(wide.low[k], wide.high[k], values.shape[k]) for k in range(2)]
    # Bodies that touch at a corner count as one: marching cubes may join them.
    bodies, _ = label(values >= isovalue, structure=np.ones((3, 3, 3)))
    ending, endless = values.copy(), values.copy()
    for body, box in enumerate(find_objects(bodies), start=1):
        here = bodies[box] == body
        spans = [lines[k][box[k]] for k in range(2)]
        middle = [float(spans[k][np.nonzero(here)[k]].mean()) for k in range(2)]
        belongs = all(region.low[k] <= middle[k] <= region.high[k] for k in range(2))
        cut = _touches_walls(box, values.shape)
        # What reaches the walls goes on if it is as wide as a cell, and is a copy's part if not.
        goes_on = cut and any(np.ptp(span) >= 1.0 for span in spans)
        if cut or not belongs:
            ending[box][here] = 0.5 * isovalue
        if not goes_on:
            endless[box][here] = 0.5 * isovalue
    return ending, endless


def _touches_walls(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Say whether a box of grid points reaches one of the four lateral walls."""
    return any(box[k].start == 0 or box[k].stop == shape[k] for k in range(2))


def _faded(mesh: Mesh, density: Density, region: Region) -> Mesh:
    """Give a mesh that fades outside the region, without the faces that cannot be seen."""
    frame_cv = region.frame(density)
    scaled = np.linalg.solve(frame_cv.T, mesh.vertices.T).T[:, :2]
    low, high = np.array(region.low[:2]), np.array(region.high[:2])
    outside = np.maximum(np.maximum(low - scaled, scaled - high), 0.0)
    away = (outside * heights(frame_cv)[:2]).max(axis=1, initial=0.0)
    visible = np.clip(1.0 - away / FADE, 0.0, 1.0)
    faces = mesh.faces[visible[mesh.faces].max(axis=1, initial=0.0) > 0.0]
    used, numbers = np.unique(faces, return_inverse=True)
    faces = numbers.reshape(faces.shape).astype(np.int64)
    return Mesh(mesh.vertices[used], faces, mesh.normals[used], visible[used])


def _joined(one: Mesh, two: Mesh) -> Mesh:
    return Mesh(
        np.concatenate([one.vertices, two.vertices]),
        np.concatenate([one.faces, two.faces + len(one.vertices)]),
        np.concatenate([one.normals, two.normals]),
        np.concatenate([one.visible, two.visible]),
    )


def _below(values: Array, isovalue: float) -> float:
    """Give a value so far below the isovalue that a surface closes right at its neighbours."""
    return isovalue - 20.0 * float(values.max())


def sample(density: Density, region: Region, step: float = STEP) -> Array:
    """Give the density on an even grid over a region, by periodic cubic splines.

    Parameters
    ----------
    density
        Density in e/angstrom^3.
    region
        The part of it that is sampled.
    step
        Largest distance between points, angstrom, as long as they do not become too many.

    Returns
    -------
    ndarray, shape (nx, ny, nz)
        Density in e/angstrom^3, both ends of the region included.
    """
    frame_cv = region.frame(density)
    lengths = np.linalg.norm(frame_cv, axis=1)
    low, high = np.array(region.low), np.array(region.high)
    counts = np.clip(np.ceil((high - low) * lengths / step).astype(int) + 1, 8, MOST_POINTS)
    lines = [np.linspace(low[axis], high[axis], counts[axis]) for axis in range(3)]
    scaled = np.stack(np.meshgrid(*lines, indexing="ij"))
    if region.frame_cv is not None:
        to_cell = (frame_cv @ np.linalg.inv(density.cell_cv)).T
        scaled = np.tensordot(to_cell, scaled, axes=1)
    points = scaled * np.array(density.shape)[:, None, None, None]
    return np.asarray(map_coordinates(density.values, points, order=3, mode="grid-wrap"))


def _mesh(values: Array, isovalue: float, density: Density, region: Region) -> Mesh:
    """Trace one sign of the sampled values (nx, ny, nz) and close it at the region's walls."""
    if values.max() <= isovalue:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64), np.zeros((0, 3)), np.zeros(0))
    walled = np.pad(values, 1, constant_values=_below(values, isovalue))
    corners, triangles, _, _ = marching_cubes(walled, isovalue)
    low, high = np.array(region.low), np.array(region.high)
    scaled = low + (corners - 1.0) / (np.array(values.shape) - 1.0) * (high - low)
    vertices = np.asarray(scaled @ region.frame(density), np.float64)
    faces = triangles.astype(np.int64)
    # Marching cubes knows no handedness: turn the faces so that the normals point outwards.
    if _volume(vertices, faces) < 0.0:
        faces = faces[:, ::-1]
    return Mesh(vertices, faces, vertex_normals(vertices, faces), np.ones(len(vertices)))


def vertex_normals(vertices: Array, faces: Ints) -> Array:
    """Give unit normals (n, 3) at the vertices, mean of the faces around, weighted by area."""
    across = _face_vectors(vertices, faces)
    normals = np.column_stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ]
    )
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0.0, normals / np.where(lengths > 0.0, lengths, 1.0), [0.0, 0.0, 1.0])


def _face_vectors(vertices: Array, faces: Ints) -> Array:
    """Give normals (m, 3) of the faces, as long as twice their area."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.asarray(np.cross(b - a, c - a))


def _volume(vertices: Array, faces: Ints) -> float:
    """Give the signed volume inside the faces in angstrom^3."""
    a, b, c = (vertices[faces[:, corner]] - vertices[:1] for corner in range(3))
    # V = 1/6 sum a.(b x c)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _voxel(density: Density) -> float:
    """Give the volume of one grid point in angstrom^3."""
    return abs(float(np.linalg.det(density.cell_cv))) / density.values.size
