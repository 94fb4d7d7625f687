"""Structures, densities and series as plain data that a browser draws."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.charge import Density
from analysis.figures import isosurfaces, scene
from analysis.figures.colours import element_colours

Array = NDArray[np.float64]

STEP = 0.2  # angstrom between the points that the browser traces surfaces on
REACH = 6.0  # isovalues can be chosen up to this many times the first one, and down to 1/REACH
BELOW, ABOVE = 1.5, 3.5  # angstrom of density shown under the lowest atom and over the adatom
WIDTH, HEIGHT = 600.0, 250.0  # of a chart, in its own units
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 12.0, 44.0  # margins of its axes


class Ball(TypedDict):
    """An atom: symbol, position (3,) and radius in angstrom, colour as #rrggbb."""

    symbol: str
    at: list[float]
    radius: float
    colour: str


class Volume(TypedDict):
    """A density difference on an even grid.

    ``shape`` (nx, ny, nz) and ``values`` (little-endian 16-bit integers in base64, z fastest) times
    ``unit`` in e/angstrom^3; ``origin`` (3,) and ``steps`` (3, 3) in angstrom.
    """

    shape: list[int]
    values: str
    unit: float
    origin: list[float]
    steps: list[list[float]]


class Model(TypedDict):
    """What is drawn of a slab and its adatom.

    ``bonds``: pairs of indices of ``atoms``; ``cell``: corners (4, 3) in angstrom of the cell
    around the adatom at the height of the topmost layer; ``volume``: its density difference.
    """

    atoms: list[Ball]
    bonds: list[list[int]]
    cell: list[list[float]]
    volume: NotRequired[Volume]


def structure(atoms: Atoms) -> Model:
    """Give what is drawn of a slab and its adatom (the last atom): spheres and sticks.

    Parameters
    ----------
    atoms
        Slab and adatom, angstrom.

    Returns
    -------
    Model
        Without the density difference.
    """
    patch = scene.window(atoms)
    shown = scene.show(atoms, patch)
    colours = element_colours(atoms.symbols)
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) + patch.centre
    top = np.full(4, atoms.positions[:-1, 2].max())
    cell = np.column_stack([corners @ patch.frame_cv, top])
    return {
        "atoms": [
            {
                "symbol": chemical_symbols[number],
                "at": np.round(place, 3).tolist(),
                "radius": round(scene.radius_of(number), 3),
                "colour": to_hex(colours[chemical_symbols[number]]),
            }
            for number, place in zip(shown.numbers.tolist(), shown.positions, strict=True)
        ],
        "bonds": scene.bonded(shown).tolist(),
        "cell": np.round(cell, 3).tolist(),
    }


def volume(density: Density, atoms: Atoms, isovalue: float) -> Volume:
    """Give a density difference in one cell, for a browser to trace its surfaces.

    Values are held to what the largest isovalue needs and stored in 16 bits: the step between two
    of them is below a thousandth of the isovalue. The four lateral walls are zero, which closes
    the surfaces there.

    Parameters
    ----------
    density
        Charge-density difference, e/angstrom^3.
    atoms
        Slab and adatom (the last atom), angstrom.
    isovalue
        The one first shown, e/angstrom^3.

    Returns
    -------
    Volume
        The difference from `BELOW` the lowest atom to `ABOVE` the adatom.
    """
    patch = scene.window(atoms)
    tall = float(atoms.cell.lengths()[2])
    low = max((atoms.positions[:, 2].min() - BELOW) / tall, 0.0)
    high = min((atoms.positions[:, 2].max() + ABOVE) / tall, 1.0)
    (x0, y0), (x1, y1) = patch.centre - 0.5, patch.centre + 0.5
    region = isosurfaces.Region((x0, y0, low), (x1, y1, high))
    values = isosurfaces.sample(density, region, STEP)
    values[[0, -1]] = values[:, [0, -1]] = 0.0
    most = 2.0 * REACH * isovalue
    unit = most / np.iinfo(np.int16).max
    whole = np.round(np.clip(values, -most, most) / unit).astype("<i2")
    span = np.array(region.high) - np.array(region.low)
    steps = (span / (np.array(values.shape) - 1))[:, None] * density.cell_cv
    return {
        "shape": list(values.shape),
        "values": b64encode(whole.tobytes()).decode(),
        "unit": unit,
        "origin": (np.array(region.low) @ density.cell_cv).tolist(),
        "steps": steps.tolist(),
    }


@dataclass(frozen=True)
class Line:
    """A named series of numbers: x and y of equal length, at least one."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Frame:
    """The borders of axes."""

    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Chart:
    """Lines laid out on axes; coordinates are of a picture `WIDTH` by `HEIGHT`, y down.

    Attributes
    ----------
    lines
        Name and points (n, 2) of each.
    x, y
        Place and text of each tick.
    level
        Place of the line at a marked value of y; None without.
    marks
        Place and name of the lines at marked values of x.
    frame
        Of the axes.
    """

    lines: list[tuple[str, list[list[float]]]]
    x: list[tuple[float, str]]
    y: list[tuple[float, str]]
    level: float | None
    marks: list[tuple[float, str]]
    frame: Frame = Frame()


def chart(
    lines: Sequence[Line],
    *,
    log: bool = False,
    level: float | None = None,
    marks: Sequence[tuple[str, float]] = (),
) -> Chart:
    """Lay lines out on axes.

    Parameters
    ----------
    lines
        At least one.
    log
        Whether y goes by powers of ten; all y must then be positive.
    level
        Value of y that is marked by a line of its own.
    marks
        Names and values of x that are marked by lines of their own.
    """
    x_all = np.concatenate([np.asarray(line.x, float) for line in lines])
    y_all = np.concatenate([np.asarray(line.y, float) for line in lines])
    y_all = y_all if level is None else np.append(y_all, level)
    y_of = np.log10 if log else np.asarray
    x_low, x_high = _limits(x_all, 0.02)
    y_low, y_high = _limits(y_of(y_all), 0.06)
    x_ticks = _ticks(x_low, x_high, whole=bool(np.all(x_all == np.round(x_all))))
    y_ticks = _powers(y_low, y_high) if log else _ticks(y_low, y_high, whole=False)

    def across(x: Any) -> Any:
        return LEFT + (np.asarray(x) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def down(y: Any) -> Any:
        return TOP + (y_high - np.asarray(y)) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    def points(line: Line) -> list[list[float]]:
        places = np.column_stack([across(line.x), down(y_of(np.asarray(line.y, float)))])
        rounded: list[list[float]] = places.round(1).tolist()
        return rounded

    return Chart(
        lines=[(line.name, points(line)) for line in lines],
        x=[(round(float(across(x)), 1), f"{x:g}") for x in x_ticks],
        y=[(round(float(down(y)), 1), f"{10.0**y:.2g}" if log else f"{y:g}") for y in y_ticks],
        level=None if level is None else round(float(down(y_of(level))), 1),
        marks=[(round(float(across(x)), 1), name) for name, x in marks],
    )


def _limits(values: Array, margin: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    more = margin * (high - low) or 0.5
    return low - more, high + more


def _ticks(low: float, high: float, *, whole: bool) -> list[float]:
    found = MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=whole).tick_values(low, high)
    return [round(float(t), 10) + 0.0 for t in found if low <= t <= high]


def _powers(low: float, high: float) -> list[float]:
    """Give the logarithms of 1, 2 and 5 times the powers of ten between two logarithms."""
    decades = range(int(np.floor(low)), int(np.ceil(high)))
    steps = (1.0, 2.0, 5.0) if high - low < 2.0 else (1.0,)
    found = [decade + float(np.log10(step)) for decade in decades for step in steps]
    return [tick for tick in found if low <= tick <= high]
