"""Settings -> the parameters of GPAW: which solver, bands and grid a system gets."""

from __future__ import annotations

import math

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.units import Bohr, Hartree

# An isolated atom's time goes into the density: few SCF iterations. A crystal's or a slab's goes
# into wavefunctions: many cheap ones, with more empty bands than GPAW takes (docs/measurements.md).
OF_ATOM = {"name": "davidson", "niter": 2}


OF_CRYSTAL = {"name": "davidson", "niter": 1}


EMPTY_BANDS = 4


EMPTY_BANDS_PER_ATOM = 1.5  # more


# Times the tolerance of the eigenstates, far from the minimum: forces are then off by a hundredth
# of an eV/angstrom. The last step of a relaxation is never rough.
ROUGH = 10.0


def held_atoms(atoms: Atoms) -> list[int]:
    """Return 1 for every atom that a FixAtoms constraint holds, 0 for the others."""
    held = np.zeros(len(atoms), dtype=int)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            held[constraint.index] = 1
    return [int(h) for h in held]


def grid_points(atoms: Atoms, cutoff: float) -> tuple[int, int, int]:
    """Return the wavefunction grid for a cutoff (eV): fine enough for the density, good for FFT.

    The rule is GPAW's own for a structure without symmetry: h = pi / sqrt(4 E_cut) in atomic units.
    """
    from gpaw.fftw import get_efficient_fft_size

    spacing = math.pi / math.sqrt(4 * cutoff / Hartree) * Bohr
    lengths = np.linalg.norm(atoms.cell, axis=1)
    nx, ny, nz = (int(get_efficient_fft_size(math.ceil(length / spacing))) for length in lengths)
    return nx, ny, nz
