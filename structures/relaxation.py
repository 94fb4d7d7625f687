"""How a slab's atoms have moved: distances of layers, rumpling, moves in a supercell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from structures._arrays import FloatArray, IntArray
from structures._checks import check_length

_SAME_PLACE = 0.01  # angstrom


@dataclass(frozen=True)
class Spacing:
    """The distance between two neighbouring layers, counted from the surface.

    Attributes
    ----------
    upper, lower
        Numbers of the layers; 1 is the top.
    distance
        Between their mean heights, angstrom.
    change
        Distance less that in the bulk, angstrom.
    percent
        Change in percent of the distance in the bulk; negative is a contraction.
    """

    upper: int
    lower: int
    distance: float
    change: float
    percent: float


def layer_relaxations(slab: Atoms, bulk_spacing: float | Sequence[float]) -> list[Spacing]:
    """Compare each interlayer distance with the bulk's.

    Parameters
    ----------
    slab
        Relaxed slab; tags count the layers from the top, 1. Atoms with tag 0 (an adatom) are
        left out.
    bulk_spacing
        Distance between layers in the bulk, angstrom: a/2 for (001) of rock salt, bcc and fcc; or
        that of each pair, from the surface down.

    Returns
    -------
    list of Spacing
        From the surface down; none for a single layer.

    Raises
    ------
    ValueError
        If a distance is not positive, the slab has no layers, or another number of distances.
    """
    if isinstance(bulk_spacing, float):
        check_length("bulk_spacing", bulk_spacing)
    height = {layer: float(slab.positions[here, 2].mean()) for layer, here in _layers(slab)}
    found = []
    pairs = list(zip(list(height)[:-1], list(height)[1:], strict=True))
    if isinstance(bulk_spacing, float):
        bulk_spacing = [bulk_spacing] * len(pairs)
    for (upper, lower), spacing in zip(pairs, bulk_spacing, strict=True):
        distance = height[upper] - height[lower]
        change = distance - spacing
        found.append(Spacing(upper, lower, distance, change, 100.0 * change / spacing))
    return found


def rumpling(slab: Atoms, anion: str) -> dict[int, float]:
    """Measure how far the anions of each layer stand above its cations.

    Parameters
    ----------
    slab
        Relaxed rock-salt slab, tagged as for `layer_relaxations`.
    anion
        Symbol of the anion; all other atoms of a layer are its cations.

    Returns
    -------
    dict
        Mean z of the anions less that of the cations by layer, angstrom; positive where the
        anions lie higher, in the top layer outward.

    Raises
    ------
    ValueError
        If a layer lacks anions or cations, or the slab has no layers.
    """
    found = {}
    symbols = np.array(slab.get_chemical_symbols())
    for layer, here in _layers(slab):
        anions, cations = here & (symbols == anion), here & (symbols != anion)
        if not (anions.any() and cations.any()):
            present = ", ".join(sorted(set(symbols[here])))
            raise ValueError(f"layer {layer} has {present}: {anion} and a cation are needed")
        z = slab.positions[:, 2]
        found[layer] = float(z[anions].mean() - z[cations].mean())
    return found


def repeated_moves(
    small: Atoms, moved_av: FloatArray, supercell: Atoms, matrix: IntArray
) -> FloatArray:
    """Find for each atom of a supercell how far the atom that it repeats has moved.

    Parameters
    ----------
    small
        Unrelaxed slab of n atoms; its first cell vector lies along x.
    moved_av
        How far its atoms have moved, shape (n, 3), angstrom.
    supercell
        Unrelaxed slab of m atoms, which repeats the small one; its first cell vector lies along x,
        too, so that it may be turned against the small one.
    matrix
        Vectors of the supercell in units of those of the small cell, shape (2, 2).

    Returns
    -------
    ndarray of shape (m, 3)
        Moves, angstrom, along the axes of the supercell.

    Raises
    ------
    ValueError
        If the supercell does not repeat the small slab.
    """
    small_cv = np.asarray(small.cell[:2, :2])
    x, y = matrix[0] @ small_cv
    turn_vv = np.array([[x, -y], [y, x]]) / np.hypot(x, y)  # from the supercell to the small cell
    place_av = supercell.positions[:, :2] @ turn_vv.T
    apart_aac = (place_av[:, None] - small.positions[:, :2]) @ np.linalg.inv(small_cv)
    apart_aac -= apart_aac.round()
    lateral_aa = np.linalg.norm(apart_aac @ small_cv, axis=-1)
    height_aa = supercell.positions[:, None, 2] - small.positions[:, 2]
    unlike_aa = (supercell.get_tags()[:, None] != small.get_tags()) | (
        supercell.numbers[:, None] != small.numbers
    )
    distance_aa = np.where(unlike_aa, np.inf, np.hypot(lateral_aa, height_aa))
    if distance_aa.min(axis=1).max() > _SAME_PLACE:
        raise ValueError("the supercell does not repeat the small slab")
    repeated_av = moved_av[distance_aa.argmin(axis=1)]
    repeated_av[:, :2] = repeated_av[:, :2] @ turn_vv
    return np.asarray(repeated_av)


def _layers(slab: Atoms) -> list[tuple[int, np.ndarray]]:
    """Give each layer's number and which atoms are in it, from the surface down."""
    tags = slab.get_tags()
    numbers = [int(tag) for tag in np.unique(tags) if tag > 0]
    if not numbers:
        raise ValueError(f"{slab.symbols} has no layers: tags must count them from the top, 1")
    return [(number, tags == number) for number in numbers]
