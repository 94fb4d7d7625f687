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
from pydantic import ValidationError

from structures._arrays import FloatArray
from structures.supercell import supercell_name, surface_cell
from workflows.case.hosts import (
    CRYSTAL,
    VACUUM,
    CrystalHost,
    host_kind,
    ideal_slab,
    layers_of,
    sites_of,
)
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
    """Write out a slab's layers, cell and sites; yield a line for a cell out of bounds."""
    slab = case.get(surface.slab)
    if not isinstance(slab, MutableMapping):
        return
    host = _crystal_host(case, surface)
    if host is not None and host.slab is not None and "layers" not in slab:
        slab["layers"] = _layers(host)
    yield from _cell(case, surface, slab)
    if slab.get("sites") == "all":
        slab["sites"] = _all_sites(case, surface, slab)


def _cell(
    case: Mapping[str, Any], surface: _Surface, slab: MutableMapping[str, Any]
) -> Iterator[str]:
    distance, unit = slab.get("cell"), _unit_cell(case, surface)
    if isinstance(distance, list):
        yield from _named(slab, f"{surface.slab}.cell")
    if not _is_number(distance) or unit is None:
        return
    times = [math.ceil(distance / length - _ROUNDING) for length in _heights(unit)]
    if IMAGES[0] <= distance <= IMAGES[1] and max(times) <= WIDEST_CELL:
        slab["cell"] = f"{times[0]}x{times[1]}"
    else:
        most = WIDEST_CELL * min(_heights(unit))
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


def _layers(host: CrystalHost) -> int:
    try:
        return layers_of(host)
    except ValueError:
        return 1  # it is no slab: the check of the case reports it


def _all_sites(case: Mapping[str, Any], surface: _Surface, slab: Mapping[str, Any]) -> list[str]:
    if surface.crystal == "metal":
        bridges = ["bridge"] if surface.slab == "metal_slab" else ["long-bridge", "short-bridge"]
        return ["hollow", *bridges, f"top-{case.get('adatom')}"]
    host = _crystal_host(case, surface)
    if host is not None:
        try:
            return list(sites_of(host, slab["layers"], slab["cell"]))
        except (KeyError, TypeError, ValueError):
            return ["all"]  # there is no such slab: the check of the case reports it
    table = case.get("host")
    ions = [table.get(ion) for ion in ("cation", "anion")] if isinstance(table, dict) else []
    return ["bridge", "hollow", *(f"top-{ion}" for ion in ions)]


def _crystal_host(case: Mapping[str, Any], surface: _Surface) -> CrystalHost | None:
    """Return the host if it is a crystal or a slab from a file, or an element, and sound."""
    table = case.get("host")
    if surface.crystal != "host" or host_kind(table) != CRYSTAL:
        return None
    try:
        return CrystalHost.model_validate(table)
    except ValidationError:
        return None  # the check of the case reports it


def _kpoints(case: Mapping[str, Any], table: str) -> Iterator[str]:
    """Write out the k-points of a table; yield a line for each spacing out of bounds."""
    section = case.get(table)
    grids = section.get("kpoints") if isinstance(section, dict) else None
    if not isinstance(grids, MutableMapping):
        return
    for surface in _SURFACES:
        for key, lengths in (
            (f"{surface.crystal}_bulk", _bulk_reciprocal(case, surface)),
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


def _unit_cell(case: Mapping[str, Any], surface: _Surface) -> FloatArray | None:
    """Return the vectors of a surface's own cell as rows, shape (2, 2), angstrom."""
    host = _crystal_host(case, surface)
    if host is not None:
        try:
            return np.asarray(ideal_slab(host, 1, "1x1", VACUUM, 0).cell[:2, :2])
        except ValueError:
            return None
    constant = _lattice(case, surface.crystal)
    if constant is None:
        return None
    if surface.slab == "metal_slab_110":
        return np.diag([constant, constant * math.sqrt(2)])
    side = constant if _structure(case, surface.crystal) == "bcc" else constant / math.sqrt(2)
    return np.diag([side, side])


def _heights(cell_cv: FloatArray) -> FloatArray:
    """Return the distances between a cell's opposite sides, angstrom.

    Adatoms are then that far apart at least, whatever the angle of the cell.
    """
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(cell_cv), axis=0))


def _bulk_reciprocal(case: Mapping[str, Any], surface: _Surface) -> FloatArray | None:
    """Return the lengths of the primitive cell's reciprocal vectors, 1/angstrom."""
    host = _crystal_host(case, surface)
    if host is not None:
        if not host.has_lattice_task:
            return None
        return np.asarray(math.tau * np.linalg.norm(host.primitive.cell.reciprocal(), axis=1))
    constant = _lattice(case, surface.crystal)
    if constant is None:
        return None
    # |b| = 2 pi sqrt(2)/a of body-centred and 2 pi sqrt(3)/a of face-centred lattices
    root = math.sqrt(2 if _structure(case, surface.crystal) == "bcc" else 3)
    return np.full(3, root * math.tau / constant)


def _slab_reciprocal(case: Mapping[str, Any], surface: _Surface) -> FloatArray | None:
    """Return the lengths of a slab's reciprocal vectors, 1/angstrom, 0 along z."""
    unit = _unit_cell(case, surface)
    slab = case.get(surface.slab)
    cell = slab.get("cell") if isinstance(slab, dict) else None
    if unit is None or not isinstance(cell, str):
        return None
    try:
        cell_cv = surface_cell(cell) @ unit
    except ValueError:
        return None
    return np.append(math.tau * np.linalg.norm(np.linalg.inv(cell_cv), axis=0), 0.0)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
