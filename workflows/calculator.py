"""Settings -> GPAW. The only module that imports gpaw: everything else knows no DFT code."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.units import Bohr, Hartree

from analysis.charge import Density
from workflows.case import DFT, CaseError

Notify = Callable[..., None]

# On slabs a fifth less processor time than GPAW's default takes; figures in docs/performance.md.
EIGENSOLVER = {"name": "davidson", "niter": 2}

# What is tried when self-consistency is not reached. Each rung goes on from the wavefunctions and
# the density of the one before; its changes are made one after the other, and each must converge.
# A rung that leaves the settings asked for comes back to them, or there is no result.
LADDER: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (
    ("more iterations", ({},)),
    (
        "careful density mixing",
        ({"mixer": {"backend": "pulay", "beta": 0.02, "nmaxold": 8, "weight": 100.0}},),
    ),
    ("another eigensolver", ({"eigensolver": {"name": "ppcg"}},)),
    ("wider smearing and back", ({"smearing": 4.0}, {"smearing": 1.0})),  # times the setting
)


class NotConverged(Exception):
    """Self-consistency was not reached, not even on the last rung of the ladder."""


class AtomsCollide(Exception):
    """GPAW refuses the structure: two atoms are all but on top of each other."""


class Calculation:
    """A GPAW calculator for one system that retries when self-consistency fails.

    Parameters
    ----------
    settings
        The case's DFT settings.
    kpoints
        Gamma-centred grid of k-points, or None for an isolated system (Gamma only).
    new_log
        Returns a path for GPAW's text output that is not taken yet.
    notify
        Called with `scf=iteration` as GPAW iterates.
    hund
        An isolated atom: the spins apart, filled by Hund's rule, without smearing.
    """

    def __init__(
        self,
        settings: DFT,
        kpoints: tuple[int, int, int] | None,
        new_log: Callable[[], Path],
        notify: Notify = lambda **_: None,
        *,
        hund: bool = False,
    ) -> None:
        self._settings, self._kpoints, self._hund = settings, kpoints, hund
        self._new_log = new_log
        self._notify = notify
        self._calc: Any = None
        self.scf_iterations = 0
        self.seconds = 0.0  # in GPAW
        self.retries: list[str] = []

    def __call__(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        """Return the energy extrapolated to zero smearing (eV) and forces (eV/angstrom, (n, 3)).

        Raises
        ------
        NotConverged
            Self-consistency was not reached on any rung of the ladder.
        AtomsCollide
            Two atoms are (nearly) at the same place.
        """
        system = self.converge(atoms)
        with self._clocked():
            return float(system.get_potential_energy()), np.array(system.get_forces())

    def converge(self, atoms: Atoms) -> Atoms:
        """Return a copy of the system with its self-consistent calculator; errors as above."""
        from gpaw.new.symmetry import SymmetryBrokenError

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
            system.calc = self._calc
            self._climb(system)

    def all_electron_density(self, refinement: int = 2) -> Density:
        """Return the all-electron density of the last system, e/angstrom^3.

        `refinement` multiplies the grid of the wavefunctions along each axis.
        """
        with self._clocked():
            density_R = self._calc.get_all_electron_density(gridrefinement=refinement)
        return Density(np.ascontiguousarray(density_R), np.array(self._calc.atoms.cell))

    def electrostatics(self) -> dict[str, Any]:
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

    def magnetic_moment(self) -> float:
        """Return the total magnetic moment of the last system, Bohr magnetons."""
        return float(self._calc.get_magnetic_moment())

    def _make(self, atoms: Atoms) -> Any:
        from gpaw import GPAW

        calc = GPAW(txt=str(self._new_log()), **self._parameters(atoms))
        calc.hooks["scf_step"] = self._count
        return calc

    def _parameters(self, atoms: Atoms) -> dict[str, Any]:
        dft = self._settings
        parameters: dict[str, Any] = {
            "mode": {"name": "pw", "ecut": dft.cutoff},
            "xc": dft.xc,
            "setups": dict(dft.setups),
            "occupations": {"name": "fermi-dirac", "width": dft.smearing},
            "eigensolver": EIGENSOLVER,
            "convergence": dft.scf.model_dump(exclude={"max_iterations"}),
            "maxiter": dft.scf.max_iterations,
            # GPAW does not know ASE's constraints. Held atoms are told apart, or a mirror plane
            # through a slab that is held on one side would tie its two surfaces together.
            "symmetry": {"extra_ids": _held(atoms)},
        }
        if self._hund:
            # An atom's levels are sharp: without smearing, Hund's rule fills them whole.
            parameters |= {"hund": True, "occupations": {"name": "fermi-dirac", "width": 0.0}}
        if self._kpoints is not None:
            parameters["kpts"] = {"size": self._kpoints, "gamma": True}
        if not atoms.pbc[2] and atoms.pbc[:2].all():
            # The same grid for a slab with and without adatom, whatever their symmetries.
            parameters["gpts"] = grid_points(atoms, dft.cutoff)
            if dft.dipole_correction:
                parameters["poissonsolver"] = {"dipolelayer": "xy"}
        return parameters

    def _count(self, context: Any) -> None:
        self.scf_iterations += 1
        start = time.perf_counter()
        self._notify(scf=int(context.niter), scf_error=float(context.dens.error))
        self.seconds -= time.perf_counter() - start  # ours, not GPAW's

    @contextmanager
    def _clocked(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    def _climb(self, atoms: Atoms) -> None:
        """Reach self-consistency, climbing the ladder as far as needed."""
        if self._attempt(atoms):
            return
        for name, changes in LADDER:
            self.retries.append(name)
            if all(self._attempt(atoms, change) for change in changes):
                return
        raise NotConverged(
            f"not self-consistent after {self.scf_iterations} SCF iterations; "
            f"tried: {', '.join(self.retries)}"
        )

    def _attempt(self, atoms: Atoms, change: Mapping[str, Any] | None = None) -> bool:
        from gpaw import KohnShamConvergenceError

        if change:
            change = dict(change)
            if "smearing" in change:
                width = change.pop("smearing") * (0.0 if self._hund else self._settings.smearing)
                change["occupations"] = {"name": "fermi-dirac", "width": width}
            self._calc.dft.change(**change)
            self._calc.dft.results = {}  # the energy of other settings is not an answer
        try:
            atoms.get_potential_energy()
        except KohnShamConvergenceError:
            return False
        return True


@contextmanager
def _gpaw_errors() -> Iterator[None]:
    """Turn GPAW's refusal of a structure into ours; everything else is a bug and stays one."""
    from gpaw.utilities import AtomsTooClose

    try:
        yield
    except AtomsTooClose as error:
        raise AtomsCollide(f"two atoms are too close: {error}") from None


def _held(atoms: Atoms) -> list[int]:
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


def require_setups(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse PAW data sets that are not installed.

    Raises
    ------
    CaseError
        With a line for each element: what was found, what is allowed.
    """
    lines = []
    for symbol in elements:
        available = setups(symbol, dft.xc)
        wanted = dft.setups.get(symbol, "")
        if wanted not in available:
            names = [repr(name) if name else "the default (leave it out)" for name in available]
            allowed = ", ".join(names) or "none is installed"
            found = repr(wanted) if wanted else "none"
            lines.append(f"dft.setups.{symbol}: found {found} for {dft.xc}; allowed: {allowed}")
    if lines:
        raise CaseError("\n".join(lines))


# Radians of the fastest plane wave across the radius of the hardest augmentation sphere; below this
# its partial waves cannot be told apart, and energies are off by electronvolts.
RADIANS = 4.2


def least_cutoff(symbol: str, dft: DFT) -> float:
    """Return the cutoff (eV) below which an element's PAW data set is of no use at all."""
    radius = float(max(_setup(symbol, dft).rcut_j))
    hartree: float = 0.5 * (RADIANS / radius) ** 2
    return hartree * float(Hartree)


def valence_electrons(symbol: str, dft: DFT) -> int:
    """Return the number of valence electrons of an element's PAW data set."""
    return int(_setup(symbol, dft).Nv)


def _setup(symbol: str, dft: DFT) -> Any:
    return _read_setup(symbol, dft.xc, dft.setups.get(symbol, "paw"))


@functools.cache
def _read_setup(symbol: str, xc: str, name: str) -> Any:
    from gpaw.setup_data import SetupData

    return SetupData(symbol, xc, name)


def require_cutoff(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse a cutoff with which no energy means anything, not even in a smoke test.

    Raises
    ------
    CaseError
        With the element that needs most.
    """
    symbol = max(elements, key=lambda element: least_cutoff(element, dft))
    least = math.ceil(least_cutoff(symbol, dft))
    if dft.cutoff < least:
        raise CaseError(
            f"dft.cutoff: found {dft.cutoff:g}; allowed: at least {least} eV for the PAW data set "
            f"of {symbol} (converged results need about twice that)"
        )


def setups(symbol: str, xc: str) -> list[str]:
    """Return the names of an element's installed PAW data sets; the default one is ''."""
    import gpaw

    names = set()
    for folder in map(Path, gpaw.setup_paths):
        for path in folder.glob(f"{symbol}.*{xc}.gz"):
            parts = path.name.split(".")
            if parts[-2] == xc and len(parts) in (3, 4):
                names.add(parts[1] if len(parts) == 4 else "")
    return sorted(names)


def libraries() -> dict[str, str]:
    """Return what GPAW was built with and how it runs, for people and for the record."""
    import gpaw
    from gpaw import cgpaw
    from gpaw.fftw import have_fftw
    from gpaw.mpi import world
    from gpaw.utilities import compiled_with_sl

    libxc = gpaw.get_libraries()["libxc"]
    mpi = bool(cgpaw.have_mpi)
    return {
        "libxc": str(libxc) if libxc else "no (GPAW's own functionals)",
        "BLAS": "linked" if hasattr(cgpaw, "mmm") else "no (scipy's)",
        "FFTW": "yes" if have_fftw() else "no (numpy's FFT)",
        "MPI": "yes" if mpi else "no",
        "ScaLAPACK": "yes" if mpi and compiled_with_sl() else "no",
        "MPI ranks": str(world.size),
        "PAW data sets": ", ".join(str(path) for path in gpaw.setup_paths),
    }
