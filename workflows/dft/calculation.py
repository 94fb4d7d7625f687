"""GPAW on one system: energies and forces, densities, potentials, moments."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from analysis.charge import Density
from analysis.localisation import Localisation
from workflows.case.schema import DFT
from workflows.dft.dispersion import dispersion, dispersion_stress
from workflows.dft.electrons import densities_of_states, localisation
from workflows.dft.functionals import beef_contributions, energy_change
from workflows.dft.installation import has_scalapack
from workflows.dft.interface import (
    AtomsCollide,
    DensitiesOfStates,
    Electrostatics,
    NotConverged,
    Periodic,
    SCFProgress,
    System,
    TooManyRanks,
)
from workflows.dft.parameters import convergence, gpaw_parameters, smearing_width
from workflows.dft.retry_ladder import Change, climb
from workflows.dft.team import collective, team

ANEW = "a new start"  # what is recorded where moved atoms with spin were begun again


class Calculation:
    """A GPAW calculator for one system that retries when self-consistency fails.

    Parameters
    ----------
    settings
        The case's DFT settings; k-points and dipole correction are those of `system`.
    system
        What kind of system it is.
    new_log
        Returns a path for GPAW's text output that is not taken yet.
    progress
        Called after every SCF iteration.
    """

    def __init__(
        self,
        settings: DFT,
        system: System,
        new_log: Callable[[], Path],
        progress: SCFProgress = lambda **_: None,
    ) -> None:
        self._settings, self._system = settings, system
        self._new_log = new_log
        self._progress = progress
        self._calc: Any = None
        self._mixer: Any = None
        self._rough = False
        self.scf_iterations = 0
        self.seconds = 0.0  # in GPAW
        self.retries: list[str] = []

    def __getstate__(self) -> dict[str, Any]:
        """Return what another MPI rank needs for the same calculation: all but what writes."""
        return self.__dict__ | {
            "_calc": None,
            "_mixer": None,
            "_new_log": _no_log,
            "_progress": _not_said,
        }

    @property
    def _has_spin(self) -> bool:
        return isinstance(self._system, Periodic) and self._system.polarised

    @collective
    def __call__(self, atoms: Atoms, *, rough: bool = False) -> tuple[float, np.ndarray]:
        """Return the energy extrapolated to zero smearing (eV) and forces (eV/angstrom, (n, 3)).

        Both include the dispersion that the settings ask for.
        `rough` asks for forces that are good enough far from the minimum (`ROUGH`).

        Raises
        ------
        NotConverged
            Self-consistency was not reached on any rung of the ladder.
        AtomsCollide
            Two atoms are (nearly) at the same place.
        """
        self._require(rough=rough)
        system = self.converge(atoms)
        with self._clocked():
            energy, forces = float(system.get_potential_energy()), np.array(system.get_forces())
        if self._settings.dispersion == "none":
            return energy, forces
        attraction, pulls = dispersion(atoms, self._settings.dispersion, self._settings.xc)
        return energy + attraction, forces + pulls

    @collective
    def stress(self) -> np.ndarray:
        """Return the stress of the last crystal, eV/angstrom^3, dispersion included; (3, 3)."""
        from ase.stress import voigt_6_to_full_3x3_stress

        with self._clocked():
            stress_vv: np.ndarray = np.array(voigt_6_to_full_3x3_stress(self._calc.get_stress()))
        if self._settings.dispersion == "none":
            return stress_vv
        atoms = self._calc.atoms
        stress_vv += dispersion_stress(atoms, self._settings.dispersion, self._settings.xc)
        return stress_vv

    @collective
    def converge(self, atoms: Atoms) -> Atoms:
        """Return a copy of the system with its self-consistent calculator; errors as above."""
        from gpaw.new.symmetry import SymmetryBrokenError

        atoms = atoms.copy()
        if not self._has_spin:
            atoms.set_initial_magnetic_moments(None)  # GPAW would take them for a wish
        system = atoms.copy()
        system.set_constraint()  # forces are wanted as they are
        try:
            self._converge(system, atoms)
        except SymmetryBrokenError:
            # The structure has left the symmetry that it began with: begin again with the new one.
            self._calc = None
            self._converge(system, atoms)
        return system

    def _converge(self, system: Atoms, atoms: Atoms) -> None:
        with _gpaw_errors(), self._clocked():
            if self._calc is None:
                self._calc = self._make(atoms)
            moved = self._move(system)
            system.calc = self._calc
            if moved and self._has_spin and not self._attempt(system, Change()):
                # Moments that went astray seldom come back: begin again with those of the atoms.
                self.retries.append(ANEW)
                self._calc = self._make(atoms)
                system.calc = self._calc
            if not climb(functools.partial(self._attempt, system), self.retries):
                raise NotConverged(
                    f"not self-consistent after {self.scf_iterations} SCF iterations; "
                    f"tried: {', '.join(self.retries)}"
                )

    def _move(self, system: Atoms) -> bool:
        """Move the calculator's atoms where a system of the same atoms has other places.

        Returns whether it has.
        """
        from ase.calculators.calculator import compare_atoms

        from workflows.dft import mixing

        if not self._calc.initialized:
            return False
        # Moments are where a calculation starts from: this one has begun.
        changes = compare_atoms(self._calc.atoms, system, excluded_properties={"initial_magmoms"})
        if changes != ["positions"]:
            return False
        if self._has_spin:
            self._mixer.forget()  # moments respond too unevenly to be learnt
        mixing.move(self._calc, system)
        return True

    @collective
    def all_electron_density(self, refinement: int = 2) -> Density:
        """Return the all-electron density of the last system, e/angstrom^3.

        `refinement` multiplies the grid of the wavefunctions along each axis.
        """
        with self._clocked():
            density_R = self._calc.get_all_electron_density(gridrefinement=refinement)
        return Density(np.ascontiguousarray(density_R), np.array(self._calc.atoms.cell))

    @collective
    def electrostatics(self) -> Electrostatics:
        """Return heights z (angstrom), the potential of an electron (eV) and the Fermi level (eV).

        The potential is averaged over the plane at each height; both are lists of equal length.
        """
        potential_z = self._calc.get_electrostatic_potential().mean(axis=(0, 1))
        height = float(self._calc.atoms.cell[2, 2])
        z = np.arange(len(potential_z)) * height / len(potential_z)
        return {
            "z": z.tolist(),
            "potential": potential_z.tolist(),
            "fermi_level": float(self._calc.get_fermi_level()),
        }

    @collective
    def densities_of_states(
        self, energies: Sequence[float], groups: Mapping[str, Sequence[int]], width: float
    ) -> DensitiesOfStates:
        """Return densities of states, states/eV; see `workflows.dft.interface.Calculation`."""
        with self._clocked():
            return densities_of_states(self._calc, energies, groups, width)

    @collective
    def localisation(self) -> Localisation:
        """Return the electron localisation function of the last system."""
        with self._clocked():
            return Localisation(localisation(self._calc), np.array(self._calc.atoms.cell))

    @collective
    def magnetic_moment(self) -> float:
        """Return the total magnetic moment of the last system, Bohr magnetons."""
        return float(self._calc.get_magnetic_moment())

    @collective
    def magnetic_moments(self) -> list[float]:
        """Return the moment inside each atom's PAW sphere, of the last system, Bohr magnetons."""
        return [float(moment) for moment in self._calc.get_magnetic_moments()]

    @collective
    def functionals(self, names: Sequence[str]) -> dict[str, float]:
        """Return the energy (eV) of the last system by functional, the calculation's own first.

        They are on its density, extrapolated to zero smearing, and without dispersion.
        """
        with self._clocked():
            own = float(self._calc.get_potential_energy())
            others = {name: own + energy_change(self._calc, name) for name in names}
        return {self._settings.xc: own} | others

    @collective
    def beef_contributions(self) -> list[float]:
        """Return what the ensemble of BEEF-vdW is made of, eV (workflows/dft/functionals.py)."""
        with self._clocked():
            return beef_contributions(self._calc)

    @collective
    def write(self, path: Path) -> None:
        """Write the last system with its wavefunctions as a .gpw file, for any GPAW to read."""
        from gpaw.dft import MSR1

        # Who reads the file has none but GPAW's own mixers.
        parameters = self._calc.dft.params
        ours, parameters.mixer = parameters.mixer, MSR1()
        try:
            self._calc.write(str(path), mode="all")
        finally:
            parameters.mixer = ours

    def _make(self, atoms: Atoms) -> Any:
        from gpaw import GPAW

        from workflows.dft.mixing import Learning

        # Without ScaLAPACK GPAW would fail where it shares out bands and plane waves, too.
        parameters = gpaw_parameters(
            self._settings,
            self._system,
            atoms,
            rough=self._rough,
            share_kpoints_only=team().comm.size > 1 and not has_scalapack(),
        )
        self._mixer = Learning()
        calc = GPAW(
            txt=str(self._new_log()),
            communicator=team().comm,
            mixer=self._mixer,
            **parameters,
        )
        calc.hooks["scf_step"] = self._count
        return calc

    def _require(self, *, rough: bool) -> None:
        """Set how far self-consistency must be reached; a looser answer is then none."""
        if rough == self._rough:
            return
        self._rough = rough
        if self._calc is not None:
            self._calc.dft.change(convergence=convergence(self._settings.scf, rough=rough))

    def _count(self, context: Any) -> None:
        team().agree()
        self.scf_iterations += 1
        start = time.perf_counter()
        self._progress(scf=int(context.niter))
        self.seconds -= time.perf_counter() - start  # ours, not GPAW's

    @contextmanager
    def _clocked(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    def _attempt(self, atoms: Atoms, change: Change) -> bool:
        """Make a change and try to reach self-consistency; return whether that worked."""
        from gpaw import KohnShamConvergenceError

        if changed := change.parameters(smearing_width(self._settings, self._system)):
            self._calc.dft.change(**changed)
            self._calc.dft.results = {}  # the energy of other settings is not an answer
        try:
            atoms.get_potential_energy()
        except KohnShamConvergenceError:
            self._mixer.forget()
            return False
        return True


def _no_log() -> Path:
    return Path(os.devnull)


def _not_said(**_: Any) -> None:
    pass


@contextmanager
def _gpaw_errors() -> Iterator[None]:
    """Turn GPAW's refusal of a structure into ours; everything else is a bug and stays one."""
    from gpaw import BadParallelization
    from gpaw.utilities import AtomsTooClose

    try:
        yield
    except BadParallelization:
        raise TooManyRanks(f"found {team().comm.size} MPI ranks; allowed: fewer") from None
    except AtomsTooClose as error:
        raise AtomsCollide(f"two atoms are too close: {error}") from None
