"""Settings -> GPAW. Only this module and its own `mixing` import gpaw: none else knows of it."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.units import Bohr, Hartree

from analysis.charge import Density
from workflows.case import DFT, CaseError
from workflows.machine import forget_launcher, launched_ranks
from workflows.mpi import Team

Notify = Callable[..., None]

# An isolated atom's time goes into the density: few SCF iterations. A crystal's or a slab's goes
# into wavefunctions: many cheap ones, with more empty bands than GPAW takes (docs/performance.md).
OF_ATOM = {"name": "davidson", "niter": 2}
OF_CRYSTAL = {"name": "davidson", "niter": 1}
EMPTY_BANDS = 4
EMPTY_BANDS_PER_ATOM = 1.5  # more

# Times the tolerance of the eigenstates, far from the minimum: forces are then off by a hundredth
# of an eV/angstrom. The last step of a relaxation is never rough.
ROUGH = 10.0

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


class TooManyRanks(CaseError):
    """There are more MPI ranks than can share the k-points (bands, plane waves) of a system."""


# raised on all MPI ranks or on none
AGREED = (NotConverged, AtomsCollide, TooManyRanks)


# ---- MPI ----------------------------------------------------------------------------------------


@functools.cache
def team() -> Team:
    """Return the MPI ranks that this process is one of; called before anything else of GPAW.

    Raises
    ------
    CaseError
        Started as several ranks, which GPAW does not see.
    """
    import ase.parallel
    import gpaw
    from gpaw import cgpaw

    launched = launched_ranks()
    if launched and not cgpaw.have_mpi:
        if launched > 1:
            raise CaseError(
                f"found {launched} MPI ranks; allowed: 1, GPAW was compiled without MPI"
            )
        forget_launcher()
    elif launched and gpaw.GPAW_MPI_BACKEND is None:
        gpaw.GPAW_MPI_BACKEND = "cgpaw"  # as `gpaw python` does

    from gpaw.mpi import broadcast, world

    if (launched or 1) > 1 and world.size == 1:
        raise CaseError(
            f"started as {launched} MPI ranks, each of which sees itself alone; allowed: the "
            "launcher that belongs to the MPI that GPAW was compiled with"
        )
    if world.size > 1:  # for ASE, rank 0 is alone: it optimizes and writes files
        ase.parallel.world.comm = ase.parallel.DummyMPI()
    return Team(world, lambda data: broadcast(data, comm=world), AGREED)


P = ParamSpec("P")
R = TypeVar("R")


def collective(
    method: Callable[Concatenate[Calculation, P], R],
) -> Callable[Concatenate[Calculation, P], R]:
    """Make a method of `Calculation` one that all MPI ranks call when rank 0 does."""

    @functools.wraps(method)
    def on_all_ranks(calculation: Calculation, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with team().calling(calculation, method.__name__, args, kwargs):
            return method(calculation, *args, **kwargs)

    return on_all_ranks


# ---- a calculation ------------------------------------------------------------------------------


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
            "_notify": _not_said,
        }

    @collective
    def __call__(self, atoms: Atoms, *, rough: bool = False) -> tuple[float, np.ndarray]:
        """Return the energy extrapolated to zero smearing (eV) and forces (eV/angstrom, (n, 3)).

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
            return float(system.get_potential_energy()), np.array(system.get_forces())

    @collective
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
            self._move(system)
            system.calc = self._calc
            self._climb(system)

    def _move(self, system: Atoms) -> None:
        """Move the calculator's atoms where a system of the same atoms has other places."""
        from ase.calculators.calculator import compare_atoms

        from workflows import mixing

        if self._calc.initialized and compare_atoms(self._calc.atoms, system) == ["positions"]:
            mixing.move(self._calc, system)

    @collective
    def all_electron_density(self, refinement: int = 2) -> Density:
        """Return the all-electron density of the last system, e/angstrom^3.

        `refinement` multiplies the grid of the wavefunctions along each axis.
        """
        with self._clocked():
            density_R = self._calc.get_all_electron_density(gridrefinement=refinement)
        return Density(np.ascontiguousarray(density_R), np.array(self._calc.atoms.cell))

    @collective
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

    @collective
    def magnetic_moment(self) -> float:
        """Return the total magnetic moment of the last system, Bohr magnetons."""
        return float(self._calc.get_magnetic_moment())

    def _make(self, atoms: Atoms) -> Any:
        from gpaw import GPAW

        from workflows.mixing import Learning

        self._mixer = Learning()
        calc = GPAW(txt=str(self._new_log()), mixer=self._mixer, **self._parameters(atoms))
        calc.hooks["scf_step"] = self._count
        return calc

    def _require(self, *, rough: bool) -> None:
        """Set how far self-consistency must be reached; a looser answer is then none."""
        if rough == self._rough:
            return
        self._rough = rough
        if self._calc is not None:
            self._calc.dft.change(convergence=self._convergence())

    def _convergence(self) -> dict[str, float]:
        wanted: dict[str, float] = self._settings.scf.model_dump(exclude={"max_iterations"})
        return wanted | {"eigenstates": wanted["eigenstates"] * (ROUGH if self._rough else 1.0)}

    def shares(self, atoms: Atoms) -> int:
        """Return how many MPI ranks can share a system's irreducible k-points and spins."""
        from gpaw.dft import Parameters
        from gpaw.mpi import serial_comm

        parameters = Parameters(**self._parameters(atoms))
        symmetries = parameters.symmetry.build(atoms, setup_ids=atoms.numbers)
        kpoints = parameters.kpts.build(atoms).reduce(symmetries, strict=False, comm=serial_comm)
        return len(kpoints) * (2 if self._hund else 1)

    def _parameters(self, atoms: Atoms) -> dict[str, Any]:
        dft = self._settings
        parameters: dict[str, Any] = {
            "mode": {"name": "pw", "ecut": dft.cutoff},
            "xc": dft.xc,
            "setups": dict(dft.setups),
            "occupations": {"name": "fermi-dirac", "width": dft.smearing},
            "eigensolver": OF_ATOM,
            "convergence": self._convergence(),
            "maxiter": dft.scf.max_iterations,
            # GPAW does not know ASE's constraints. Held atoms are told apart, or a mirror plane
            # through a slab that is held on one side would tie its two surfaces together.
            "symmetry": {"extra_ids": _held(atoms)},
        }
        if self._hund:
            # An atom's levels are sharp: without smearing, Hund's rule fills them whole.
            parameters |= {"hund": True, "occupations": {"name": "fermi-dirac", "width": 0.0}}
        if self._kpoints is not None:
            empty = math.ceil(EMPTY_BANDS + EMPTY_BANDS_PER_ATOM * len(atoms))
            parameters |= {
                "kpts": {"size": self._kpoints, "gamma": True},
                "eigensolver": OF_CRYSTAL,
                "nbands": -empty,  # GPAW: negative means empty ones
            }
        if team().size > 1 and not has_scalapack():
            # Else GPAW shares out bands and plane waves too, and fails where it lacks libraries.
            parameters["parallel"] = {"domain": 1, "band": 1}
        if not atoms.pbc[2] and atoms.pbc[:2].all():
            # The same grid for a slab with and without adatom, whatever their symmetries.
            parameters["gpts"] = grid_points(atoms, dft.cutoff)
            if dft.dipole_correction:
                parameters["poissonsolver"] = {"dipolelayer": "xy"}
        return parameters

    def _count(self, context: Any) -> None:
        team().agree()
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
            self._mixer.forget()
            return False
        return True


def _no_log() -> Path:
    return Path(os.devnull)


def _not_said(**_: Any) -> None:
    pass


def has_scalapack() -> bool:
    """Tell whether bands and plane waves can be shared by MPI ranks, not only k-points."""
    from gpaw.utilities import compiled_with_sl

    return bool(compiled_with_sl())


@contextmanager
def _gpaw_errors() -> Iterator[None]:
    """Turn GPAW's refusal of a structure into ours; everything else is a bug and stays one."""
    from gpaw import BadParallelization
    from gpaw.utilities import AtomsTooClose

    try:
        yield
    except BadParallelization:
        raise TooManyRanks(f"found {team().size} MPI ranks; allowed: fewer") from None
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
    ranks = team().size

    import gpaw
    from gpaw import cgpaw
    from gpaw.fftw import have_fftw
    from gpaw.utilities import compiled_with_sl

    libxc = gpaw.get_libraries()["libxc"]
    mpi = bool(cgpaw.have_mpi)
    return {
        "libxc": str(libxc) if libxc else "no (GPAW's own functionals)",
        "BLAS": "linked" if hasattr(cgpaw, "mmm") else "no (scipy's)",
        "FFTW": "yes" if have_fftw() else "no (numpy's FFT)",
        "MPI": "yes" if mpi else "no",
        "ScaLAPACK": "yes" if mpi and compiled_with_sl() else "no",
        "MPI ranks": str(ranks),
    }


def setup_folders() -> str:
    """Return where the PAW data sets are."""
    import gpaw

    return ", ".join(map(str, gpaw.setup_paths))
