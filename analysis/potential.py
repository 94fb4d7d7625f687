"""The electrostatic potential along the surface normal: vacuum levels and work functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.charge import Array

WINDOW = 1.0  # angstrom of vacuum that a level is taken over
FLAT_ENOUGH = 0.1  # eV: a potential that varies by more over the window has no vacuum level


@dataclass(frozen=True)
class Potential:
    """The electrostatic potential of a slab along its normal.

    Attributes
    ----------
    z
        Heights of the planes in rising order, angstrom, with shape (n,).
    potential
        Plane-averaged potential energy of an electron, eV, with shape (n,).
    fermi_level
        Fermi level on the same scale, eV.
    """

    z: ArrayLike
    potential: ArrayLike
    fermi_level: float


@dataclass(frozen=True)
class Side:
    """The vacuum on one side of a slab.

    Attributes
    ----------
    window
        Lowest and highest z of the planes that the level is taken over, angstrom.
    level
        Mean potential energy of an electron there, eV.
    work_function
        Level less the Fermi level, eV; None where the potential is not flat enough for a level.
    flatness
        Highest less lowest potential in the window, eV; a good vacuum has a few meV.
    """

    window: tuple[float, float]
    level: float
    work_function: float | None
    flatness: float


@dataclass(frozen=True)
class WorkFunctions:
    """Both sides of a slab; they differ where it has a dipole that is corrected for."""

    below: Side
    above: Side

    @property
    def dipole_step(self) -> float | None:
        """Level above less level below, eV; None where one of them is not flat enough."""
        if self.above.work_function is None or self.below.work_function is None:
            return None
        return self.above.level - self.below.level

    @property
    def flatness(self) -> float:
        """Highest less lowest potential in a window, eV, of the side where it varies more."""
        return max(self.above.flatness, self.below.flatness)


def work_functions(
    along_z: Potential,
    z_atoms: tuple[float, float],
    *,
    edge: float = 0.0,
    window: float = WINDOW,
) -> WorkFunctions:
    """Take the vacuum levels at the ends of the cell, the furthest from the atoms.

    Parameters
    ----------
    along_z
        Potential and Fermi level, eV.
    z_atoms
        Heights of the lowest and the highest atom, angstrom.
    edge
        Part of the cell that is left out at each end, angstrom: where the jump of a dipole
        correction is spread over several planes.
    window
        Thickness of the vacuum that each level is the mean of, angstrom.

    Raises
    ------
    ValueError
        If the shapes differ, a number is not finite, the heights do not rise, or a window holds
        fewer than two planes or an atom.
    """
    z_z, v_z = (np.asarray(row, dtype=float) for row in (along_z.z, along_z.potential))
    fermi_level = along_z.fermi_level
    if z_z.ndim != 1 or z_z.shape != v_z.shape or z_z.size < 2:
        raise ValueError(f"z has shape {z_z.shape}, the potential {v_z.shape}: both must be (n,)")
    if not (np.isfinite(z_z).all() and np.isfinite(v_z).all() and np.isfinite(fermi_level)):
        raise ValueError("heights, potential or Fermi level hold a number that is not finite")
    if (np.diff(z_z) <= 0.0).any():
        raise ValueError("heights are not in rising order")
    low, high = float(z_z[0]) + edge, float(z_z[-1]) - edge
    if low + window >= min(z_atoms) or high - window <= max(z_atoms):
        raise ValueError(
            f"atoms from {min(z_atoms):g} to {max(z_atoms):g} angstrom leave no vacuum of "
            f"{window:g} angstrom between {low:g} and {high:g}"
        )
    return WorkFunctions(
        below=_side(z_z, v_z, fermi_level, low, low + window),
        above=_side(z_z, v_z, fermi_level, high - window, high),
    )


def _side(z_z: Array, v_z: Array, fermi_level: float, low: float, high: float) -> Side:
    slack = 1e-9  # angstrom: rounding must not decide which planes there are
    there = v_z[(z_z >= low - slack) & (z_z <= high + slack)]
    if there.size < 2:
        raise ValueError(f"{there.size} planes from {low:g} to {high:g} angstrom: 2 are needed")
    level, flatness = float(there.mean()), float(np.ptp(there))
    work_function = level - fermi_level if flatness <= FLAT_ENOUGH else None
    return Side((low, high), level, work_function, flatness)
