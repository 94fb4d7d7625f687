"""Pictures of spheres and translucent surfaces by an orthographic depth buffer.

Everything here is in camera coordinates: x to the right, y up, z towards the viewer, in angstrom.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Extent = tuple[float, float, float, float]

_LIGHT = np.array([-0.42, 0.55, 0.72])
LIGHT = _LIGHT / np.linalg.norm(_LIGHT)
_HALFWAY = LIGHT + np.array([0.0, 0.0, 1.0])
HALFWAY = _HALFWAY / np.linalg.norm(_HALFWAY)
_DEPTH_BITS = 22  # depth steps in the sorting key: finer than a pixel in any picture


@dataclass(frozen=True)
class Spheres:
    """Spheres: centres (n, 3) and radii (n,) in angstrom, colours (n, 3) in 0..1."""

    centres: Array
    radii: Array
    colours: Array


@dataclass(frozen=True)
class Surface:
    """A triangle mesh: vertices and outward normals (n, 3), faces (m, 3), colour (3,), opacity.

    `visible` (n,), from 0 to 1, is the share of the opacity at each vertex; all of it if None.
    """

    vertices: Array
    faces: Ints
    normals: Array
    colour: tuple[float, float, float]
    opacity: float
    visible: Array | None = None


class Canvas:
    """Colour times opacity, opacity, and depth per pixel; row 0 is the lowest."""

    def __init__(self, extent: Extent, pixels_per_angstrom: float) -> None:
        left, right, bottom, top = extent
        self.scale = pixels_per_angstrom
        self.corner = np.array([left, bottom])
        self.width = max(1, round((right - left) * self.scale))
        self.height = max(1, round((top - bottom) * self.scale))
        self.colour: Floats = np.zeros((self.height, self.width, 3), np.float32)
        self.opacity: Floats = np.zeros((self.height, self.width), np.float32)
        self.depth: Floats = np.full((self.height, self.width), -np.inf, np.float32)

    def pixels(self, points: Array) -> Array:
        """Convert points (n, 3) in angstrom to x, y in pixels and z in angstrom."""
        xy = (points[:, :2] - self.corner) * self.scale
        return np.column_stack([xy, points[:, 2]])


def render(
    spheres: Spheres,
    surfaces: list[Surface],
    extent: Extent,
    pixels_per_angstrom: float,
    supersampling: int = 2,
) -> NDArray[np.uint8]:
    """Render opaque spheres and translucent surfaces, hidden by depth, as an image.

    Parameters
    ----------
    spheres, surfaces
        The scene in camera coordinates (angstrom).
    extent
        Left, right, bottom and top of the picture in angstrom.
    pixels_per_angstrom
        Of the finished image.
    supersampling
        Pixels averaged along each axis to smooth the edges.

    Returns
    -------
    Image (height, width, 4), red, green, blue, opacity in 0..255, row 0 at the top.
    """
    canvas = Canvas(extent, pixels_per_angstrom * supersampling)
    draw_spheres(canvas, spheres)
    draw_surfaces(canvas, surfaces)
    return _finish(canvas, supersampling)


def shade(normals: Floats, colour: Array | tuple[float, float, float], gloss: float) -> Floats:
    """Light a colour (3,) on unit normals (..., 3): Lambert, a highlight, a darker rim."""
    # I = c (ambient + diffuse n.L) + gloss (n.H)^p
    diffuse = np.clip(normals @ LIGHT.astype(np.float32), 0.0, None)
    highlight = np.clip(normals @ HALFWAY.astype(np.float32), 0.0, None) ** 60
    rim = 1.0 - 0.35 * np.clip(1.0 - normals[..., 2] / 0.45, 0.0, 1.0)
    body = (0.52 + 0.55 * diffuse) * rim
    lit = body[..., None] * np.asarray(colour, np.float32) + gloss * highlight[..., None]
    return np.asarray(np.clip(lit, 0.0, 1.0), np.float32)


def draw_spheres(canvas: Canvas, spheres: Spheres) -> None:
    """Draw spheres exactly, per pixel, the nearest one on top."""
    stamps: dict[Any, tuple[Floats, Floats]] = {}
    for centre, radius, colour in zip(
        canvas.pixels(spheres.centres), spheres.radii, spheres.colours, strict=True
    ):
        # Equal spheres share one shaded stamp: the centre may then be half a fine pixel off.
        key = (float(radius), *colour.tolist())
        if key not in stamps:
            stamps[key] = _stamp(float(radius) * canvas.scale, colour)
        height, image = stamps[key]
        _press(canvas, centre, height / np.float32(canvas.scale), image)


def _stamp(radius: float, colour: Array) -> tuple[Floats, Floats]:
    """Give height above the centre (pixels; -inf outside) and colour of a sphere's pixels."""
    half = int(np.ceil(radius))
    line = np.arange(-half, half + 1, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    inside = radius**2 - x**2 - y**2
    height = np.sqrt(np.clip(inside, 0.0, None)).astype(np.float32)
    normals = (np.stack([x, y, height], axis=-1) / radius).astype(np.float32)
    image = shade(normals, colour, gloss=0.5)
    return np.where(inside > 0.0, height, -np.inf).astype(np.float32), image


def _press(canvas: Canvas, centre: Array, height: Floats, image: Floats) -> None:
    """Press a stamp on the canvas at a centre (pixels, pixels, angstrom) where it is nearest."""
    half = height.shape[0] // 2
    column, row = (int(np.floor(value)) - half for value in centre[:2])
    rows = slice(max(0, row), max(0, min(canvas.height, row + height.shape[0])))
    columns = slice(max(0, column), max(0, min(canvas.width, column + height.shape[1])))
    cut = (
        slice(rows.start - row, rows.stop - row),
        slice(columns.start - column, columns.stop - column),
    )
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    depth = height[cut] + np.float32(centre[2])
    nearer = depth > canvas.depth[rows, columns]
    np.copyto(canvas.depth[rows, columns], depth, where=nearer)
    np.copyto(canvas.colour[rows, columns], image[cut], where=nearer[..., None])
    np.copyto(canvas.opacity[rows, columns], 1.0, where=nearer)


def draw_surfaces(canvas: Canvas, surfaces: list[Surface]) -> None:
    """Lay translucent surfaces over what is drawn, farthest first, where nothing hides them."""
    parts = [part for surface in surfaces if (part := _fragments(canvas, surface)) is not None]
    if not parts:
        return
    pixel, depth, colour, opacity = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(pixel):  # all of them are hidden, or smaller than a pixel
        return
    span = max(float(np.ptp(depth)), 1e-6)
    steps = ((depth - depth.min()) * ((2**_DEPTH_BITS - 1) / span)).astype(np.int64)
    order = np.argsort((pixel << _DEPTH_BITS) | steps)
    pixel, colour, opacity = pixel[order], colour[order], opacity[order]
    first = np.flatnonzero(np.diff(pixel, prepend=-1))
    rank = np.arange(len(pixel)) - np.repeat(first, np.diff(first, append=len(pixel)))
    flat_colour = canvas.colour.reshape(-1, 3)
    flat_opacity = canvas.opacity.reshape(-1)
    for layer in range(int(rank.max()) + 1):
        here = rank == layer
        where, a = pixel[here], opacity[here]
        # "over": C <- a c + (1 - a) C, with C already multiplied by its opacity
        flat_colour[where] = (1.0 - a)[:, None] * flat_colour[where] + a[:, None] * colour[here]
        flat_opacity[where] = (1.0 - a) * flat_opacity[where] + a


def _fragments(canvas: Canvas, surface: Surface) -> tuple[Ints, Floats, Floats, Floats] | None:
    """Give pixel, depth, colour and opacity of the visible pixels of a surface's front faces."""
    if not len(surface.faces):
        return None
    corners = canvas.pixels(surface.vertices)[surface.faces]
    # Only faces turned to the viewer: a closed glassy body then tints once, not twice.
    front = _twice_area(corners) > 1e-9
    corners, faces = corners[front], surface.faces[front]
    triangle, x, y = _covered(corners, canvas.width, canvas.height)
    if not len(triangle):
        return None
    pixel = y * canvas.width + x
    depth = _interpolate(corners, corners[:, :, 2:], triangle, x, y)[:, 0]
    seen = depth > canvas.depth.reshape(-1)[pixel]
    triangle, x, y, pixel, depth = triangle[seen], x[seen], y[seen], pixel[seen], depth[seen]
    normals = _interpolate(corners, surface.normals[faces], triangle, x, y)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    colour = shade(normals, surface.colour, gloss=0.22)
    # A skin seen at a slant is crossed on a longer way, so it looks denser there.
    slant = 1.0 - np.clip(normals[:, 2], 0.0, 1.0)
    opacity = surface.opacity + (1.0 - surface.opacity) * 0.55 * slant**2
    if surface.visible is not None:
        opacity *= _interpolate(corners, surface.visible[faces][:, :, None], triangle, x, y)[:, 0]
    return pixel, depth, colour, opacity.astype(np.float32)


def _twice_area(corners: Array) -> Array:
    """Give twice the signed area (m,) of projected triangles (m, 3, 3); positive is front."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _covered(corners: Array, width: int, height: int) -> tuple[Ints, Ints, Ints]:
    """Give triangle number, column and row of every pixel whose centre lies in a triangle."""
    low = np.clip(np.ceil(corners[:, :, 1].min(axis=1) - 0.5), 0, height).astype(np.int64)
    high = np.clip(np.ceil(corners[:, :, 1].max(axis=1) - 0.5), 0, height).astype(np.int64)
    triangle, row = _spread(low, high)
    left = np.full(len(row), -np.inf)
    right = np.full(len(row), np.inf)
    for edge in range(3):
        start, end = corners[triangle, edge], corners[triangle, (edge + 1) % 3]
        rise = end[:, 1] - start[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            cross = start[:, 0] + (end[:, 0] - start[:, 0]) * (row + 0.5 - start[:, 1]) / rise
        # Counter-clockwise corners: the inside lies left of rising edges, right of falling ones.
        right = np.where(rise > 0.0, np.minimum(right, cross), right)
        left = np.where(rise < 0.0, np.maximum(left, cross), left)
    begin = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
    stop = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int64)
    span, column = _spread(begin, stop)
    return triangle[span], column, row[span]


def _spread(begin: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Give, for ranges begin..stop, the number of the range and the value, one after another."""
    counts = np.clip(stop - begin, 0, None)
    owner = np.repeat(np.arange(len(begin)), counts)
    ahead = np.repeat(np.cumsum(counts) - counts, counts)
    return owner, np.arange(len(owner)) - ahead + begin[owner]


def _interpolate(corners: Array, values: Array, triangle: Ints, column: Ints, row: Ints) -> Floats:
    """Interpolate corner values (m, 3, k) of triangles linearly to pixel centres (p,): (p, k)."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = _twice_area(corners)[:, None]
    rise_one, rise_two = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    # The plane v = v0 + gx (x - x0) + gy (y - y0) through three corners
    gx = (rise_one * two[:, 1:2] - rise_two * one[:, 1:2]) / twice
    gy = (rise_two * one[:, 0:1] - rise_one * two[:, 0:1]) / twice
    start = values[:, 0]
    dx = (column + 0.5 - corners[triangle, 0, 0]).astype(np.float32)[:, None]
    dy = (row + 0.5 - corners[triangle, 0, 1]).astype(np.float32)[:, None]
    return np.asarray(
        start.astype(np.float32)[triangle]
        + gx.astype(np.float32)[triangle] * dx
        + gy.astype(np.float32)[triangle] * dy
    )


def _finish(canvas: Canvas, supersampling: int) -> NDArray[np.uint8]:
    """Average the fine pixels and give straight (not premultiplied) colours, row 0 on top."""
    colour, opacity = (
        _averaged(canvas.colour, supersampling),
        _averaged(canvas.opacity, supersampling),
    )
    # White under transparent pixels, so that no dark seam shows when the image is resampled.
    clear = opacity <= 0.0
    colour /= np.where(clear, 1.0, np.maximum(opacity, 1e-6))[..., None]
    colour[clear] = 1.0
    straight = np.empty((*opacity.shape, 4), np.uint8)
    straight[..., :3] = np.round(255.0 * np.clip(colour, 0.0, 1.0))
    straight[..., 3] = np.round(255.0 * opacity)
    return straight[::-1]


def _averaged(fine: Floats, n: int) -> Floats:
    """Give the means of squares of n by n pixels."""
    rows, columns = fine.shape[0] // n * n, fine.shape[1] // n * n
    total: Floats = np.zeros_like(fine[:rows:n, :columns:n])
    for i, j in product(range(n), repeat=2):
        total += fine[i:rows:n, j:columns:n]
    return total / np.float32(n * n)
