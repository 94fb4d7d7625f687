"""Several adatoms on a slab: their distinct placements, and small clusters.

All of them come after the slab's atoms, with tag 0.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ase import Atom, Atoms
from ase.data import covalent_radii
from ase.geometry import find_mic

from structures._arrays import FloatArray
from structures.sites import site_positions, touching_z
from structures.symmetry import find_symmetry

CLOSEST = 2.5  # angstrom between adatoms: placements with closer ones are left out
MOST = 20_000  # placements that are compared before it is refused
SAME = 1e-3  # of a cell vector


def places_of(slab: Atoms, names: Sequence[str]) -> FloatArray:
    """Return where all sites of some names are.

    Parameters
    ----------
    slab
        Slab without adatom, unrelaxed.
    names
        Names of sites, see `structures.sites.site_names`.

    Returns
    -------
    ndarray of shape (s, 2)
        In units of the in-plane cell vectors, from 0 to 1.
    """
    xy_sv = np.concatenate([site_positions(slab, name) for name in names])
    places_sc = xy_sv @ np.linalg.inv(slab.cell[:2, :2])
    return np.asarray(np.round(places_sc - np.floor(places_sc + SAME), 6))


def distinct_placements(
    slab: Atoms, places_sc: FloatArray, count: int, most: int
) -> list[tuple[int, ...]]:
    """Return the ways to put adatoms on places of which no symmetry turns one into another.

    Parameters
    ----------
    slab
        Slab without adatom, unrelaxed; its symmetry is found by spglib.
    places_sc
        The places, shape (s, 2), in units of the in-plane cell vectors; all images by symmetry must
        be among them, as in `places_of`.
    count
        Number of adatoms.
    most
        Return no more than these; those whose adatoms are farthest apart come first.

    Returns
    -------
    list of tuple of int
        Numbers of the places that are taken, none closer to another than `CLOSEST` angstrom.

    Raises
    ------
    ValueError
        There are more than `MOST` placements to compare.
    """
    if math.comb(len(places_sc), count) > MOST:
        raise ValueError(
            f"{count} adatoms on {len(places_sc)} places: more than {MOST} placements to compare"
        )
    image_os = _images(slab, places_sc)
    distance_ss = _distances(slab, places_sc)
    found: dict[tuple[int, ...], float] = {}
    for chosen in combinations(range(len(places_sc)), count):
        apart = [distance_ss[i, j] for i, j in combinations(chosen, 2)]
        if apart and min(apart) < CLOSEST:
            continue
        same = min(tuple(sorted(image_s[list(chosen)])) for image_s in image_os)
        # As charges repel each other: adatoms that are spread out come first.
        found[tuple(map(int, same))] = sum(1.0 / d for d in apart)
    return sorted(found, key=lambda chosen: (round(found[chosen], 6), chosen))[:most]


def _images(slab: Atoms, places_sc: FloatArray) -> npt.NDArray[np.int64]:
    """Return the number of the place that each operation carries a place to, shape (o, s)."""
    symmetry = find_symmetry(slab)
    moved_osc = places_sc @ symmetry.rotation_scc[:, :2, :2] + symmetry.translation_sc[:, None, :2]
    apart_ossc = moved_osc[:, :, None] - places_sc
    apart_ossc -= apart_ossc.round()
    gap_oss = np.abs(apart_ossc).max(axis=-1)
    if (gap_oss.min(axis=-1) > SAME).any():
        raise ValueError("an operation of the slab carries a place to where there is none")
    return np.asarray(gap_oss.argmin(axis=-1))


def _distances(slab: Atoms, places_sc: FloatArray) -> FloatArray:
    """Return the distances between places, nearest images, angstrom, shape (s, s)."""
    flat_sv = np.pad(places_sc @ slab.cell[:2, :2], ((0, 0), (0, 1)))
    apart = (flat_sv[:, None] - flat_sv).reshape(-1, 3)
    _, distance = find_mic(apart, slab.cell, pbc=(True, True, False))
    return np.asarray(distance).reshape(len(places_sc), -1)


def place_adatoms(slab: Atoms, symbol: str, places_sc: npt.ArrayLike, *, on_top: int = 0) -> Atoms:
    """Put adatoms on a slab.

    Parameters
    ----------
    slab
        Slab without adatom.
    symbol
        Element of the adatoms.
    places_sc
        Where they are, shape (n, 2), in units of the in-plane cell vectors.
    on_top
        So many of them, the last ones, lie upon the others.

    Returns
    -------
    Atoms
        A copy of the slab with the adatoms, each as high as it touches what is below it.
    """
    xy_av = np.asarray(places_sc, dtype=float) @ slab.cell[:2, :2]
    atoms = slab.copy()
    for number, xy in enumerate(xy_av):
        below = atoms if number >= len(xy_av) - on_top else slab
        atoms.append(Atom(symbol, (*xy, touching_z(below, symbol, xy)), tag=0))
    return atoms


def place_cluster(slab: Atoms, symbol: str, centre_c: npt.ArrayLike, count: int) -> Atoms:
    """Put a compact cluster on a slab: a pair, a triangle, or a triangle with an atom upon it.

    Parameters
    ----------
    slab
        Slab without adatom.
    symbol
        Element of the cluster.
    centre_c
        Where its centre is, in units of the in-plane cell vectors.
    count
        Number of its atoms, 2 to 4; neighbours are two covalent radii apart.
    """
    bond = 2.0 * covalent_radii[Atom(symbol).number]
    base = min(count, 3)
    radius = bond / 2.0 if base == 2 else bond / math.sqrt(3.0)
    # Not along a mirror of the surface: it is free to turn.
    angle = math.pi / 8 + 2.0 * math.pi * np.arange(base) / base
    offset_av = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    offset_ac = offset_av @ np.linalg.inv(slab.cell[:2, :2])
    places_ac = np.asarray(centre_c, dtype=float) + offset_ac
    if count > base:
        places_ac = np.vstack([places_ac, np.asarray(centre_c, dtype=float)])
    return place_adatoms(slab, symbol, places_ac, on_top=count - base)


def place_above(slab: Atoms, places_sc: FloatArray) -> FloatArray:
    """Return where an adatom finds most room upon a layer of others.

    Parameters
    ----------
    slab
        Slab without adatom.
    places_sc
        Where the others are, shape (n, 2), in units of the in-plane cell vectors.

    Returns
    -------
    ndarray of shape (2,)
        In the same units.
    """
    n = 24  # points along each vector; multiples of 1/2, 1/3 and 1/4 are among them
    grid_pc = np.array([(i / n, j / n) for i in range(n) for j in range(n)])
    both = np.vstack([grid_pc, places_sc])
    distance = _distances(slab, both)[: len(grid_pc), len(grid_pc) :].min(axis=1)
    return np.asarray(grid_pc[int(np.argmax(np.round(distance, 6)))])


def layers_of_adatoms(atoms: Atoms, apart: float = 1.2) -> int:
    """Count in how many layers the adatoms lie.

    Parameters
    ----------
    atoms
        Slab with adatoms.
    apart
        Gap of height between two layers, angstrom.

    Returns
    -------
    int
        0 without adatoms.
    """
    heights = np.sort(atoms.positions[atoms.get_tags() == 0, 2])
    return 0 if not heights.size else 1 + int((np.diff(heights) > apart).sum())


class Placement(NamedTuple):
    """Adatoms on a slab.

    Attributes
    ----------
    name
        Their number and a letter, such as "2-a".
    places
        Where they are, in units of the in-plane cell vectors.
    on_top
        So many of them, the last ones, lie upon the others.
    """

    name: str
    places: list[list[float]]
    on_top: int = 0


def placements(slab: Atoms, places_sc: FloatArray, adatoms: int, most: int) -> Iterator[Placement]:
    """Yield the distinct placements of 1, 2, ... adatoms, at last with one upon a full layer.

    Parameters
    ----------
    slab, places_sc
        As for `distinct_placements`.
    adatoms
        Largest number of adatoms; a layer may be full before.
    most
        Number of placements of so many adatoms at most.
    """
    full: list[list[float]] = []
    for count in range(1, min(adatoms, len(places_sc)) + 1):
        found = distinct_placements(slab, places_sc, count, most)
        for letter, chosen in zip(_letters(), found, strict=False):
            places = places_sc[list(chosen)].tolist()
            full = places
            yield Placement(f"{count}-{letter}", places)
        if not found:
            break
    if full and len(full) < adatoms:
        above = place_above(slab, np.array(full)).tolist()
        yield Placement(f"{len(full) + 1}-a", [*full, above], on_top=1)


def _letters() -> Iterator[str]:
    for first in ("", *ascii_lowercase):
        for letter in ascii_lowercase:
            yield first + letter
