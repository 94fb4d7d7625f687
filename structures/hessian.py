"""A guess of a structure's Hessian: an optimizer's first steps know stiff bonds from soft ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.units import Bohr, Hartree

STRETCH = 0.45 * Hartree / Bohr**2  # eV/angstrom^2, Lindh's constant for bonds
FLOOR = 3.0  # eV/angstrom^2: no direction is taken to be softer, or a first step would overshoot
HELD = 70.0  # eV/angstrom^2, for directions in which nothing may move: ASE's guess for all
CUTOFF = 5.0  # angstrom; bonds longer than this have next to no stiffness
# Rows of the periodic table: hydrogen and helium, Li-Ne, and all heavier elements together.
ALPHA = np.array([[1.0000, 0.3949, 0.3949], [0.3949, 0.2800, 0.2800], [0.3949, 0.2800, 0.2800]])
LENGTH = np.array([[1.35, 2.10, 2.53], [2.10, 2.87, 3.40], [2.53, 3.40, 3.40]])


def free_hessian(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Guess the Hessian of the coordinates that constraints leave; held ones are stiff and apart.

    Else an optimizer lets what is held give way, and takes every bond to it for softer than it is.

    Parameters
    ----------
    atoms
        Structure of n atoms, with its constraints.

    Returns
    -------
    ndarray of shape (3n, 3n)
        Second derivatives of the energy, eV/angstrom^2; symmetric and positive definite.
    """
    free = np.eye(3 * len(atoms)).reshape(-1, len(atoms), 3)
    for direction_av in free:
        for constraint in atoms.constraints:
            constraint.adjust_forces(atoms, direction_av)
    projector = free.reshape(3 * len(atoms), -1)
    held = np.eye(3 * len(atoms)) - projector
    return projector @ model_hessian(atoms) @ projector.T + HELD * held


def model_hessian(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Guess the Hessian from bond lengths alone: Lindh's stretches, with a floor.

    Parameters
    ----------
    atoms
        Structure of n atoms.

    Returns
    -------
    ndarray of shape (3n, 3n)
        Second derivatives of the energy, eV/angstrom^2; symmetric and positive definite.

    References
    ----------
    R. Lindh, A. Bernhardsson, G. Karlstrom and P.-A. Malmqvist, Chem. Phys. Lett. 241, 423 (1995),
    Eq. 2 and Table 1; angles and torsions are left to the floor.
    """
    first, second, length, bond_pv = neighbor_list("ijdD", atoms, CUTOFF)
    row_a = np.digitize(atoms.numbers, [3, 11])
    rows = row_a[first], row_a[second]
    # k = k_r exp(alpha (r_ref^2 - r^2)), lengths in bohr
    stiffness = STRETCH * np.exp(ALPHA[rows] * (LENGTH[rows] ** 2 - (length / Bohr) ** 2))
    unit_pv = bond_pv / length[:, None]
    block_pvv = stiffness[:, None, None] * unit_pv[:, :, None] * unit_pv[:, None, :]
    n = len(atoms)
    hessian_aavv = np.zeros((n, n, 3, 3))
    np.add.at(hessian_aavv, (first, first), block_pvv)
    np.add.at(hessian_aavv, (first, second), -block_pvv)
    stretches = hessian_aavv.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
    return stretches + FLOOR * np.eye(3 * n)
