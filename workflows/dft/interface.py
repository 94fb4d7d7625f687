"""What the rest of the program knows of the DFT code: what it is asked, and its refusals.

Imports no GPAW.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from analysis.charge import Density
from analysis.localisation import Localisation
from workflows.case.schema import DFT
from workflows.system.messages import UserError


class NotConverged(Exception):
    """Self-consistency was not reached, not even on the last rung of the ladder."""


class AtomsCollide(Exception):
    """GPAW refuses the structure: two atoms are all but on top of each other."""


class TooManyRanks(UserError):
    """There are more MPI ranks than can share the k-points (bands, plane waves) of a system."""


@dataclass(frozen=True)
class IsolatedAtom:
    """An atom alone in a box: spins apart, filled by Hund's rule without smearing, at Gamma."""


@dataclass(frozen=True)
class Periodic:
    """A crystal, or a slab with its vacuum along z.

    Attributes
    ----------
    kpoints
        Gamma-centred grid of k-points.
    dipole_correction
        Whether a slab's potential is flat on both sides, with a step in the vacuum between them.
    translations
        Into how many parts the surface's translations divide a slab's in-plane cell vectors
        (`structures.supercell.primitive_translations`): its grid is that of one part, repeated.
    polarised
        Whether it has spin, starting from the initial magnetic moments of its atoms.
    """

    kpoints: tuple[int, int, int]
    dipole_correction: bool = False
    translations: tuple[int, int] = (1, 1)
    polarised: bool = False


System = IsolatedAtom | Periodic


class Electrostatics(TypedDict):
    """The potential of an electron (eV), averaged over the plane at each height `z` (angstrom).

    Both lists are equally long; `fermi_level` in eV.
    """

    z: list[float]
    potential: list[float]
    fermi_level: float


class DensitiesOfStates(TypedDict):
    """Densities of states, states/eV, at `energies` (eV from the Fermi level).

    `total` is of the cell; `projected`, by group and orbital such as "V d", of an atom on average
    over the group, inside the sphere of its element's radius (`radii`, angstrom).
    """

    energies: list[float]
    total: list[float]
    projected: dict[str, list[float]]
    radii: dict[str, float]


class SCFProgress(Protocol):
    """Is called after every SCF iteration."""

    def __call__(self, *, scf: int) -> None:
        """Take the number of SCF iterations for the present structure."""


class Calculation(Protocol):
    """DFT for one system, whose atoms may move from call to call.

    Attributes
    ----------
    scf_iterations
        SCF iterations so far.
    seconds
        Time in the DFT code so far.
    retries
        What was tried where self-consistency was not reached at once, in order.
    """

    scf_iterations: int
    seconds: float
    retries: list[str]

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:
        """Compute energy and forces.

        Parameters
        ----------
        atoms
            The structure; constraints are not applied to forces.
        rough
            Forces that are off by a hundredth of an eV/angstrom or two will do.

        Returns
        -------
        energy, forces
            Energy extrapolated to zero smearing, eV; forces in eV/angstrom, of shape
            (number of atoms, 3).

        Raises
        ------
        NotConverged
            Self-consistency was not reached.
        AtomsCollide
            Two atoms are (nearly) at the same place.
        """

    def stress(self) -> np.ndarray:
        """Return the stress of the last crystal, eV/angstrom^3, of shape (3, 3).

        It includes dispersion; negative on the diagonal where the crystal would expand.
        """

    def converge(self, atoms: Atoms, /) -> Atoms:
        """Reach self-consistency for a structure and return a copy of it; raises as above."""

    def all_electron_density(self) -> Density:
        """Return the all-electron density of the last structure, electrons/angstrom^3."""

    def electrostatics(self) -> Electrostatics:
        """Return the potential along z of the last structure."""

    def densities_of_states(
        self, energies: Sequence[float], groups: Mapping[str, Sequence[int]], width: float
    ) -> DensitiesOfStates:
        """Return the densities of states of the last structure.

        Parameters
        ----------
        energies
            Where they are wanted, eV from the Fermi level.
        groups
            Numbers of atoms of one element by name; symmetry carries no atom out of its group.
        width
            Each state is a Gaussian exp(-(E / width)^2), normalised; eV.
        """

    def localisation(self) -> Localisation:
        """Return the electron localisation function of the last structure."""

    def functionals(self, names: Sequence[str], /) -> dict[str, float]:
        """Return the energy (eV) of the last structure by functional, its own one first.

        They are on its density, and without dispersion.
        """

    def beef_contributions(self) -> list[float]:
        """Return the 32 energies (eV) that the coefficients of the BEEF-vdW ensemble multiply."""

    def magnetic_moment(self) -> float:
        """Return the total magnetic moment of the last structure, Bohr magnetons."""

    def magnetic_moments(self) -> list[float]:
        """Return the moment inside the PAW sphere of each atom, Bohr magnetons.

        They are those of the last structure, and do not add up to the total moment.
        """


class NewCalculation(Protocol):
    """Makes the calculation of a system: the DFT code, as tasks are handed it."""

    def __call__(
        self,
        settings: DFT,
        system: System,
        new_log: Callable[[], Path],
        progress: SCFProgress,
        /,
    ) -> Calculation:
        """Return the calculation of one system.

        Parameters
        ----------
        settings
            DFT settings of the case; k-points and dipole correction are those of `system`.
        system
            What kind of system it is.
        new_log
            Returns a path for the DFT code's text output that is not taken yet.
        progress
            Called after every SCF iteration.
        """


class Band(Protocol):
    """DFT for the images of a path, of which `at_once` are computed at the same time."""

    at_once: int

    def __call__(self, first: int, images: Sequence[Atoms], /) -> list[tuple[float, np.ndarray]]:
        """Return energy (eV) and unconstrained forces (eV/angstrom) of consecutive images.

        Parameters
        ----------
        first
            Number of the first of them in the band, from 0.
        images
            Their structures, `at_once` or fewer.

        Raises
        ------
        NotConverged, AtomsCollide
            As for a calculation.
        """


class NewBand(Protocol):
    """Makes the band of some calculations: the DFT code, as tasks are handed it."""

    def __call__(self, calculations: Sequence[Calculation], /) -> Band:
        """Return the band that has a calculation for each image."""
