"""Densities of states and electron localisation of a self-consistent GPAW calculation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase.units import Bohr
from numpy.typing import NDArray

from workflows.dft.interface import DensitiesOfStates

ORBITALS = "spdf"

# Electrons/bohr^3: where there are fewer, the localisation function is a quotient of noise.
# The value is that of the example in GPAW's own module.
LEAST_DENSITY = 1e-3

Array = NDArray[np.float64]


def densities_of_states(
    calc: Any, energies: Sequence[float], groups: Mapping[str, Sequence[int]], width: float
) -> DensitiesOfStates:
    """Return the total density of states, and those inside the spheres of groups of atoms.

    GPAW's own projection (DOSCalculator.raw_pdos) is not used: it adds up squared coefficients of
    projectors as if their partial waves were normalised and orthogonal. Those of Na 3p are neither,
    and would give it two electrons that it does not have. The electrons inside the sphere of the
    PAW data set are well defined.

    Parameters
    ----------
    calc
        A GPAW calculator, self-consistent.
    energies, groups, width
        See `workflows.dft.interface.Calculation`.
    """
    from gpaw.dos import DOSCalculator

    dos = DOSCalculator.from_calculator(calc)
    energies_e = np.array(energies)
    projected, radii = {}, {}
    for name, atoms in groups.items():
        setup = calc.setups[atoms[0]]
        radii[setup.symbol] = float(_radius(setup) * Bohr)
        for ell in sorted({ell for n, ell in zip(setup.n_j, setup.l_j, strict=True) if n > 0}):
            weight_skn = _electrons_inside(calc, atoms, ell, dos.eig_skn.shape) / len(atoms)
            curve = sum(
                dos.calculate(energies_e, eig_kn, weight_kn, width=width)
                for eig_kn, weight_kn in zip(dos.eig_skn, weight_skn, strict=True)
            )
            projected[f"{name} {ORBITALS[ell]}"] = _rounded(dos.degeneracy * curve)
    return {
        "energies": _rounded(energies_e),
        "total": _rounded(dos.raw_dos(energies_e, width=width)),
        "projected": projected,
        "radii": radii,
    }


def _electrons_inside(
    calc: Any, atoms: Sequence[int], ell: int, shape: tuple[int, int, int]
) -> Array:
    """Return the part of each state inside the spheres of some atoms with angular momentum `ell`.

    `shape` is spins, k-points, bands, as of what is returned.
    """
    weight_skn = np.zeros(shape)
    bands = calc.wfs.bd.get_slice()
    for wf in calc.wfs.kpt_u:
        for atom in atoms:
            if atom not in wf.projections:  # another MPI rank has it
                continue
            coefficient_ni = wf.projections[atom]
            channels, overlap_jj = _partial_waves(calc.setups[atom], ell)
            for m in range(2 * ell + 1):
                # w = sum_jj' P_j* P_j' <phi_j|phi_j'>, over radii inside the sphere
                coefficient_nj = coefficient_ni[:, [first + m for first in channels]]
                weight_skn[wf.s, wf.k, bands] += np.einsum(
                    "nj,jk,nk->n", coefficient_nj.conj(), overlap_jj, coefficient_nj
                ).real
    calc.world.sum(weight_skn)
    return weight_skn


def _partial_waves(setup: Any, ell: int) -> tuple[list[int], Array]:
    """Return the first projector of each partial wave with `ell`, and the waves' overlaps."""
    firsts, waves = [], []
    first = 0
    for j, l_of_j in enumerate(setup.l_j):
        if l_of_j == ell:
            firsts.append(first)
            waves.append(setup.data.phi_jg[j])
        first += 2 * l_of_j + 1
    grid = setup.data.rgd
    inside = grid.r_g < _radius(setup)
    volume_g = (grid.r_g**2 * grid.dr_g)[inside]
    wave_jg = np.array([wave[: len(volume_g)] for wave in waves])
    return firsts, np.einsum("jg,kg,g->jk", wave_jg, wave_jg, volume_g)


def _radius(setup: Any) -> float:
    """Return the radius (bohr) of the sphere outside of which all pseudo waves are true ones."""
    return float(max(setup.rcut_j))


def _rounded(values: Array) -> list[float]:
    return [float(value) for value in np.round(values, 6)]


def localisation(calc: Any) -> Array:
    """Return the electron localisation function of the smooth valence density.

    It is that of Becke and Edgecombe, J. Chem. Phys. 92, 5397 (1990), without the corrections
    inside the PAW spheres: between atoms it is what it should be, near nuclei it is not.

    Returns
    -------
    ndarray of shape (nx, ny, nz)
        From 0 to 1, on the grid of the wavefunctions; 0 where the density is below `LEAST_DENSITY`.
    """
    from gpaw.elf import elf_from_dft_calculation

    elf_R = elf_from_dft_calculation(calc, ncut=LEAST_DENSITY)
    return np.array(elf_R.gather(broadcast=True).data)
