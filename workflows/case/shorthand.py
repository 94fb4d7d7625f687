"""Shorthand of a case file, written out before anything is checked.

A case with shorthand is the very same as one that is written out: `sites = "all"`, a matrix or a
distance between images instead of a cell's name, a spacing of k-points instead of a grid.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from structures.supercell import supercell_name, surface_cell
from workflows.system.messages import brief

WIDEST_CELL = 9  # times the surface's own cell
IMAGES = (2.5, 60.0)  # angstrom, distance between periodic images of the adatom
SPACING = (0.05, 1.0)  # 1/angstrom, of k-points
MATRIX = "[[2, 1], [-1, 2]]"
CELL = (
    f"a cell such as '2x2' or {MATRIX}, or a distance between images from {IMAGES[0]:g} to "
    f"{IMAGES[1]:g} Å"
)
GRID = "three whole numbers from 1 to 50"
SPACED_GRID = f"{GRID}, or a spacing from {SPACING[0]:g} to {SPACING[1]:g} 1/Å"

_ROUNDING = 1e-6  # a spacing that is met to so many digits is met


class _Surface(NamedTuple):
    """Names of a surface in a case: its crystal, slab and k-points."""

    crystal: str
    slab: str


_SURFACES = (
    _Surface("host", "slab"), _Surface("metal", "metal_slab"), _Surface("metal", "metal_slab_110"),
)  # fmt: skip


def written_out(data: object) -> object:
    """Return the data of a case file without shorthand; what is no shorthand is left as it is.

    Parameters
    ----------
    data
        What the TOML parser has returned.

    Raises
    ------
    ValueError
        With one line per field that is out of bounds.
    """
    if not isinstance(data, dict):
        return data
    case = copy.deepcopy(data)
    problems = [
        *(line for surface in _SURFACES for line in _slab(case, surface)),
        *(line for table in ("dft", "refine") for line in _kpoints(case, table)),
    ]
    if problems:
        raise ValueError("\n".join(problems))
    return case


def _slab(case: Mapping[str, Any], surface: _Surface) -> Iterator[str]:
    """Write out a slab's sites and cell; yield a line for a cell out of bounds."""
    slab = case.get(surface.slab)
    if not isinstance(slab, MutableMapping):
        return
    if slab.get("sites") == "all":
        slab["sites"] = _all_sites(case, surface)
    distance, unit = slab.get("cell"), _unit_cell(case, surface)
    if isinstance(distance, list):
        yield from _named(slab, f"{surface.slab}.cell")
    if not _is_number(distance) or unit is None:
        return
    times = [math.ceil(distance / length - _ROUNDING) for length in unit]
    if IMAGES[0] <= distance <= IMAGES[1] and max(times) <= WIDEST_CELL:
        slab["cell"] = f"{times[0]}x{times[1]}"
    else:
        most = WIDEST_CELL * min(unit)
        yield f"{surface.slab}.cell: found {distance:g}; allowed: {CELL}, here {most:.1f} Å at most"


def _named(slab: MutableMapping[str, Any], field: str) -> Iterator[str]:
    """Write a cell that is a matrix by its name; yield a line for one that is no cell."""
    found = slab["cell"]
    shapes = [len(row) if isinstance(row, list) else 0 for row in found]
    if shapes != [2, 2] or not all(type(number) is int for row in found for number in row):
        allowed = f"two rows of two whole numbers, such as {MATRIX}"
        yield f"{field}: found {brief(found)}; allowed: {allowed}"
        return
    try:
        slab["cell"] = supercell_name(found)
    except ValueError as error:
        yield f"{field}: found {brief(found)}, {error}"


def _all_sites(case: Mapping[str, Any], surface: _Surface) -> list[str]:
    if surface.crystal == "host":
        host = case.get("host")
        ions = [host.get(ion) for ion in ("cation", "anion")] if isinstance(host, dict) else []
        return ["bridge", "hollow", *(f"top-{ion}" for ion in ions)]
    bridges = ["bridge"] if surface.slab == "metal_slab" else ["long-bridge", "short-bridge"]
    return ["hollow", *bridges, f"top-{case.get('adatom')}"]


def _kpoints(case: Mapping[str, Any], table: str) -> Iterator[str]:
    """Write out the k-points of a table; yield a line for each spacing out of bounds."""
    section = case.get(table)
    grids = section.get("kpoints") if isinstance(section, dict) else None
    if not isinstance(grids, MutableMapping):
        return
    for surface in _SURFACES:
        for key, lengths in (
            (f"{surface.crystal}_bulk", _bulk_reciprocal(case, surface.crystal)),
            (_grid_of(surface), _slab_reciprocal(case, surface)),
        ):
            spacing = grids.get(key)
            if not _is_number(spacing) or lengths is None:
                continue
            if SPACING[0] <= spacing <= SPACING[1]:
                grids[key] = [max(1, math.ceil(b / spacing - _ROUNDING)) for b in lengths]
            else:
                yield f"{table}.kpoints.{key}: found {spacing:g}; allowed: {SPACED_GRID}"


def _grid_of(surface: _Surface) -> str:
    return "host_slab" if surface.crystal == "host" else surface.slab


def _lattice(case: Mapping[str, Any], crystal: str) -> float | None:
    """Return a crystal's lattice constant, angstrom, given or guessed."""
    table = case.get(crystal)
    if not isinstance(table, dict):
        return None
    found = table.get("lattice_constant", table.get("lattice_guess"))
    return float(found) if _is_number(found) and found > 0 else None


def _structure(case: Mapping[str, Any], crystal: str) -> str:
    usual = {"host": "rocksalt", "metal": "bcc"}[crystal]
    return str(case[crystal].get("structure", usual))


def _unit_cell(case: Mapping[str, Any], surface: _Surface) -> tuple[float, float] | None:
    """Return the sides of a surface's own cell, angstrom."""
    constant = _lattice(case, surface.crystal)
    if constant is None:
        return None
    if surface.slab == "metal_slab_110":
        return constant, constant * math.sqrt(2)
    side = constant if _structure(case, surface.crystal) == "bcc" else constant / math.sqrt(2)
    return side, side


def _bulk_reciprocal(case: Mapping[str, Any], crystal: str) -> tuple[float, float, float] | None:
    """Return the lengths of the primitive cell's reciprocal vectors, 1/angstrom."""
    constant = _lattice(case, crystal)
    if constant is None:
        return None
    # |b| = 2 pi sqrt(2)/a of body-centred and 2 pi sqrt(3)/a of face-centred lattices
    length = math.sqrt(2 if _structure(case, crystal) == "bcc" else 3) * math.tau / constant
    return length, length, length


def _slab_reciprocal(
    case: Mapping[str, Any], surface: _Surface
) -> tuple[float, float, float] | None:
    """Return the lengths of a slab's reciprocal vectors, 1/angstrom, 0 along z."""
    unit = _unit_cell(case, surface)
    slab = case.get(surface.slab)
    cell = slab.get("cell") if isinstance(slab, dict) else None
    if unit is None or not isinstance(cell, str):
        return None
    try:
        cell_cv = surface_cell(cell) @ np.diag(unit)
    except ValueError:
        return None
    # b_i . a_j = 2 pi delta_ij: the columns of the inverse matrix
    first, second = math.tau * np.linalg.norm(np.linalg.inv(cell_cv), axis=0)
    return float(first), float(second), 0.0


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
