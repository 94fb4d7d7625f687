"""From a minimum of an adatom to the nearest equivalent one, by the symmetry of the clean slab."""

from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from structures.symmetry import find_symmetry

SAME = 0.3  # angstrom: minima this close are one
ALIKE = 0.2  # angstrom: hops whose lengths differ by less are counted as equally long


class Neighbour(NamedTuple):
    """An equivalent minimum.

    Attributes
    ----------
    atoms
        The structure there, its atoms in the order of the first one and near their places.
    length
        Lateral distance between the two adatoms, angstrom.
    minima
        Number of equivalent minima at this distance.
    """

    atoms: Atoms
    length: float
    minima: int


def neighbouring_minimum(atoms: Atoms, clean: Atoms, shell: int = 1) -> Neighbour:
    """Find a minimum that a symmetry of the clean slab carries an adatom's minimum to.

    Parameters
    ----------
    atoms
        Slab with adatom, relaxed.
    clean
        The slab without it, in the same cell with the same atoms; its symmetry is used.
    shell
        1 for the nearest equivalent minima, 2 for the next nearest, ...

    Raises
    ------
    ValueError
        There are fewer shells.
    """
    symmetry = find_symmetry(clean)
    scaled_ac = atoms.cell.scaled_positions(atoms.positions)
    vectors = [np.array((i, j, 0.0)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    found: list[tuple[bool, float, int, np.ndarray]] = []
    for number, rotation_cc in enumerate(symmetry.rotation_scc):
        step_c = scaled_ac[-1] @ rotation_cc + symmetry.translation_sc[number] - scaled_ac[-1]
        step_c[:2] -= step_c[:2].round()
        turns = bool((rotation_cc != np.eye(3)).any())
        for vector in vectors:
            step_v = (step_c + vector) @ atoms.cell
            length = float(np.hypot(step_v[0], step_v[1]))
            if length > SAME:
                found.append((turns, length, number, step_v))
    # An adatom is rarely quite on its site. Of operations that lead to one and the same minimum,
    # translations leave it on the same side; directions in the order of x and y.
    found.sort(key=lambda hop: (hop[0], round(hop[1], 2), *np.round(-hop[3], 2)))
    minima: list[tuple[float, int, np.ndarray]] = []
    for _, length, number, step_v in found:
        if all(np.hypot(*(step_v - other)[:2]) > SAME for _, _, other in minima):
            minima.append((length, number, step_v))
    shells: list[list[tuple[float, int, np.ndarray]]] = []
    for hop in sorted(minima, key=lambda hop: round(hop[0], 2)):
        if not shells or hop[0] - shells[-1][0][0] > ALIKE:
            shells.append([])
        shells[-1].append(hop)
    if len(shells) < shell:
        raise ValueError(f"there are {len(shells)} shells of equivalent minima, not {shell}")
    length, number, step_v = shells[shell - 1][0]
    moved_ac = scaled_ac @ symmetry.rotation_scc[number] + symmetry.translation_sc[number]
    carried = atoms.copy()
    carried.set_constraint()
    carried.positions[symmetry.image_sa[number]] = moved_ac[:-1] @ atoms.cell
    carried.positions[-1] = atoms.positions[-1] + step_v
    # Each atom of the slab near its place, whichever image it was carried to.
    off_av, _ = find_mic(carried.positions[:-1] - clean.positions, atoms.cell, pbc=(1, 1, 0))
    carried.positions[:-1] = clean.positions + off_av
    carried.set_constraint(atoms.constraints)
    return Neighbour(carried, length, len(shells[shell - 1]))
