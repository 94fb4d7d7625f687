"""From the settings of a case and the kind of a system to the parameters of GPAW."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import Bohr, Hartree
from typing_extensions import TypedDict

from structures.symmetry import TOLERANCE, find_symmetry
from workflows.case.schema import DFT, SCF
from workflows.dft.interface import IsolatedAtom, System

# An isolated atom's time goes into the density: few SCF iterations. A crystal's or a slab's goes
# into wavefunctions: many cheap ones, with more empty bands than GPAW takes (docs/measurements.md).
OF_ATOM = {"name": "davidson", "niter": 2}
OF_CRYSTAL = {"name": "davidson", "niter": 1}
EMPTY_BANDS = 4
EMPTY_BANDS_PER_ATOM = 1.5  # more

# Times the tolerance of the eigenstates, far from the minimum: forces are then off by a hundredth
# of an eV/angstrom. The last step of a relaxation is never rough.
ROUGH = 10.0


class Convergence(TypedDict):
    """GPAW's criteria of self-consistency, per valence electron: eV, electrons, eV^2."""

    energy: float
    density: float
    eigenstates: float


class GPAWParameters(TypedDict, total=False):
    """Keyword arguments of gpaw.GPAW; energies in eV, lengths in angstrom."""

    mode: dict[str, Any]
    xc: str
    setups: dict[str, str]
    occupations: dict[str, Any]
    eigensolver: dict[str, Any]
    convergence: Convergence
    maxiter: int
    symmetry: dict[str, Any]
    hund: bool
    spinpol: bool
    kpts: dict[str, Any]
    nbands: int
    parallel: dict[str, int]
    gpts: tuple[int, int, int]
    poissonsolver: dict[str, str]


def gpaw_parameters(
    settings: DFT,
    system: System,
    atoms: Atoms,
    *,
    rough: bool = False,
    share_kpoints_only: bool = False,
) -> GPAWParameters:
    """Return the parameters of GPAW for a system.

    Parameters
    ----------
    settings
        DFT settings of the case; k-points and dipole correction are those of `system`.
    system
        What kind of system it is.
    atoms
        Its structure, with constraints.
    rough
        Whether forces that are off by a hundredth of an eV/angstrom will do.
    share_kpoints_only
        Whether MPI ranks share k-points and spins, but neither bands nor plane waves.
    """
    parameters: GPAWParameters = {
        "mode": {"name": "pw", "ecut": settings.cutoff},
        "xc": settings.xc,
        "setups": setups_with_hubbard(settings),
        "occupations": occupations(smearing_width(settings, system)),
        "convergence": convergence(settings.scf, rough=rough),
        "maxiter": settings.scf.max_iterations,
    }
    if isinstance(system, IsolatedAtom):
        parameters |= {"hund": True, "eigensolver": OF_ATOM}
    else:
        parameters |= {
            "kpts": {"size": system.kpoints, "gamma": True},
            "eigensolver": OF_CRYSTAL,
            "nbands": -empty_bands(atoms),  # GPAW: negative means empty ones
        }
        if system.polarised:
            parameters["spinpol"] = True
        if is_slab(atoms):
            grid = grid_points(atoms, settings.cutoff, system.translations)
            parameters |= {"gpts": grid, "symmetry": symmetry(atoms, grid)}
            if system.dipole_correction:
                parameters["poissonsolver"] = {"dipolelayer": "xy"}
    if share_kpoints_only:
        parameters["parallel"] = {"domain": 1, "band": 1}
    return parameters


def setups_with_hubbard(settings: DFT) -> dict[str, str]:
    """Return PAW data sets by element as GPAW takes them, with a Hubbard U (eV): '5:d,3.0'."""
    of_u = {symbol: f":{of.orbital},{of.U!r}" for symbol, of in settings.hubbard.items()}
    symbols = [*settings.setups, *(symbol for symbol in of_u if symbol not in settings.setups)]
    return {symbol: settings.setups.get(symbol, "") + of_u.get(symbol, "") for symbol in symbols}


def smearing_width(settings: DFT, system: System) -> float:
    """Return the Fermi-Dirac width, eV: none for an atom, whose levels Hund's rule fills whole."""
    return 0.0 if isinstance(system, IsolatedAtom) else settings.smearing


def occupations(width: float) -> dict[str, Any]:
    """Return Fermi-Dirac occupations of this width, eV, as a parameter of GPAW."""
    return {"name": "fermi-dirac", "width": width}


def convergence(scf: SCF, *, rough: bool = False) -> Convergence:
    """Return when self-consistency is reached; `rough` as for `gpaw_parameters`."""
    return {
        "energy": scf.energy,
        "density": scf.density,
        "eigenstates": scf.eigenstates * (ROUGH if rough else 1.0),
    }


def empty_bands(atoms: Atoms) -> int:
    """Return the number of empty bands of a crystal or slab."""
    return math.ceil(EMPTY_BANDS + EMPTY_BANDS_PER_ATOM * len(atoms))


def is_slab(atoms: Atoms) -> bool:
    """Tell whether a structure is periodic along its first two cell vectors alone."""
    return bool(atoms.pbc[:2].all() and not atoms.pbc[2])


def symmetry(slab: Atoms, grid: tuple[int, int, int]) -> dict[str, Any]:
    """Return the operations of a slab that its grid allows, for GPAW (gpaw.dft.Symmetry).

    GPAW itself looks for operations about the origin alone, where an adatom need not be. Nor does
    it know constraints: it would take a slab that is held on one side for one with two like sides.
    """
    found = find_symmetry(slab).on_grid(grid)
    return {
        "rotations": found.rotation_scc.tolist(),
        "translations": found.translation_sc.tolist(),
        "atommaps": found.image_sa.tolist(),
        # The operations were moved onto the grid by up to the tolerance that they were found with.
        "tolerance": 3 * TOLERANCE,
    }


def grid_points(
    atoms: Atoms, cutoff: float, translations: tuple[int, int] = (1, 1)
) -> tuple[int, int, int]:
    """Return the wavefunction grid: fine enough for the density, and good for FFT.

    The rule is GPAW's own for a structure without symmetry: h = pi / sqrt(4 E_cut) in atomic units.
    It is applied to each part into which a surface's translations divide a cell vector, so that
    like atoms see the grid alike, and supercells have the grid of their 1x1 cell.

    Parameters
    ----------
    atoms
        Structure; of a slab the grid is the same with and without its adatom.
    cutoff
        Cutoff of the plane waves, eV.
    translations
        Number of parts of the first two cell vectors.

    Returns
    -------
    tuple of int
        Number of points along each cell vector.
    """
    from gpaw.fftw import get_efficient_fft_size

    spacing = math.pi / math.sqrt(4 * cutoff / Hartree) * Bohr
    lengths = np.linalg.norm(atoms.cell, axis=1)
    nx, ny, nz = (
        parts * int(get_efficient_fft_size(math.ceil(length / parts / spacing)))
        for length, parts in zip(lengths, (*translations, 1), strict=True)
    )
    return nx, ny, nz
