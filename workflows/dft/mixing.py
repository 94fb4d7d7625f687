"""What one ionic step of a relaxation teaches the next: where the density goes, how it responds.

GPAW begins every ionic step with a new density mixer, and with the density of the old
wavefunctions, of which it moves what its atomic partial waves describe. On metal slabs that costs
half of all SCF iterations (docs/measurements.md). Imported with GPAW only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from gpaw.dft import MSR1
from gpaw.mixer.msr1 import MSR1Mixer
from gpaw.new.basis import create_basis
from gpaw.new.density import atomic_occupation_numbers

STEP = 0.1  # of the residual that is added to a density where nothing is known of its response


MOST = 25  # secants kept; in single precision, half the memory of what GPAW's own mixer keeps


NOISE = 1e-3  # added to the overlap of each secant with itself, which is 1: what it is not sure of


class Secants:
    """Changes of the density between SCF iterations, with the changes of the residual they made.

    They tell how a system's electrons respond, which hardly changes as atoms move a little: kept
    from one ionic step to the next, they spare each step from learning it anew.
    """

    steps: list[tuple[np.ndarray, np.ndarray]]
    residuals: list[np.ndarray]
    overlaps: np.ndarray

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with nothing."""
        self.steps, self.residuals, self.overlaps = [], [], np.zeros((0, 0))

    def add(
        self, step: tuple[np.ndarray, np.ndarray], residual: np.ndarray, overlaps: np.ndarray
    ) -> None:
        """Add a secant, given its residual's overlaps with those here and, last, with itself."""
        if not overlaps[-1] > 0.0:
            return  # nothing changed: nothing was learnt
        nt_sX, D_asii = step
        self.steps.append((nt_sX.astype(np.float32), D_asii))
        self.residuals.append(residual.astype(np.float32))
        n = len(self.steps)
        grown = np.zeros((n, n))
        grown[:-1, :-1] = self.overlaps
        grown[-1, :] = grown[:, -1] = overlaps
        oldest = max(0, n - MOST)
        del self.steps[:oldest], self.residuals[:oldest]
        self.overlaps = grown[oldest:, oldest:]

    def shares(self, overlaps: np.ndarray) -> np.ndarray:
        """Return of each secant how much of it brings a residual with these overlaps nearest to 0.

        Least squares, as in D. G. Anderson, J. ACM 12, 547 (1965).
        """
        norms = np.sqrt(np.diag(self.overlaps))
        matrix = self.overlaps / np.outer(norms, norms) + NOISE * np.eye(len(norms))
        return np.linalg.solve(matrix, overlaps / norms) / norms


class LearningMixer(MSR1Mixer):  # type: ignore[misc]
    """GPAW's mixer for the first SCF cycle; then Anderson's mixing with what was learnt from it."""

    def __init__(self, secants: Secants, **kwargs: Any) -> None:
        self._secants = secants
        super().__init__(**kwargs)

    def _initialize_history_(self) -> None:
        # GPAW calls it at the start and after every move of the atoms. What its own mixer keeps
        # is much, and needed in the first cycle only: it is made when that begins.
        self.histories: list[Any] = []
        self.nt_hsX = self.R_hsX = self.ntc_hsX = self.Rc_hsX = self.MRc_hsX = None
        if self.desc.comm.size > 1:
            self._secants.forget()  # atoms may have gone to other MPI ranks

    def reset(self) -> None:
        """Begin an SCF cycle."""
        self._learnt = bool(self._secants.steps)
        if not self._learnt and not self.histories:
            super()._initialize_history_()
        super().reset()
        self._given: tuple[np.ndarray, np.ndarray] | None = None
        self._before: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def _mix(self, nt_sX: Any, D_asii: Any, density: Any) -> float:
        """Replace the density by the next one to try; return the error in electrons."""
        error = np.inf
        if self._given is not None:
            given_sX, given_D = self._given
            residual_sX, residual_D = nt_sX.new(), D_asii.data - given_D
            residual_sX.data[:] = nt_sX.data - given_sX
            whole_sX = self.add_compensation_charge(residual_sX, residual_D, density)
            plain_sX, plain_D = given_sX + STEP * residual_sX.data, given_D + STEP * residual_D
            self._learn(plain_sX, plain_D, whole_sX)
            if self._learnt:
                error = float(self.calculate_charge_sloshing(whole_sX))
                nt_sX.data[:], D_asii.data[:] = plain_sX, plain_D
                self._respond(nt_sX, D_asii, whole_sX)
        if not self._learnt:
            error = super()._mix(nt_sX, D_asii, density)
        self._given = nt_sX.data.copy(), D_asii.data.copy()
        return error

    def _learn(self, plain_sX: np.ndarray, plain_D: np.ndarray, whole_sX: Any) -> None:
        """Keep what the last step did to the residual, and to where plain mixing would go."""
        if self._before is not None:
            before_sX, before_D, whole_before_sX = self._before
            change_sX = whole_sX.new()
            change_sX.data[:] = whole_sX.data - whole_before_sX
            overlaps = self._overlaps(change_sX, [*self._secants.residuals, change_sX.data])
            self._secants.add((plain_sX - before_sX, plain_D - before_D), change_sX.data, overlaps)
        self._before = plain_sX, plain_D, whole_sX.data

    def _respond(self, nt_sX: Any, D_asii: Any, whole_sX: Any) -> None:
        """Take from a density what the secants say of how its residual vanishes."""
        shares = self._secants.shares(self._overlaps(whole_sX, self._secants.residuals))
        self.world.broadcast(shares, 0)  # the same on all MPI ranks to the last bit
        for share, (step_sX, step_D) in zip(shares, self._secants.steps, strict=True):
            nt_sX.data -= share * step_sX
            D_asii.data -= share * step_D

    def _overlaps(self, residual_sX: Any, others: list[np.ndarray]) -> np.ndarray:
        weighed = self.metric(residual_sX).data
        overlaps = np.array([np.vdot(weighed, other) for other in others])
        self.desc.comm.sum(overlaps)
        return overlaps

    def __str__(self) -> str:
        return f"{super().__str__()}\n  then Anderson's, step {STEP}, up to {MOST} secants\n"


class Learning(MSR1):  # type: ignore[misc]
    """The same as a parameter of GPAW: for one system, whose response it comes to know."""

    name = "learning"

    def __init__(self) -> None:
        super().__init__()
        self._secants = Secants()

    def forget(self) -> None:
        """Begin with GPAW's mixer again: what was learnt did not help."""
        self._secants.forget()

    def cls(self, **kwargs: Any) -> LearningMixer:
        """Return a mixer, which knows what the one before it learnt."""
        return LearningMixer(self._secants, **kwargs)


def move(calc: Any, atoms: Atoms) -> None:
    """Move a calculator's atoms, and with each of them the density of its free atom.

    What is left for self-consistency is how the bonds change, not that the atoms have moved. With
    spins, and where MPI ranks share the grid, it is GPAW's own move.

    Parameters
    ----------
    calc
        GPAW's calculator, self-consistent for the same atoms at other places.
    atoms
        Atoms at their new places, in the same cell.
    """
    density = calc.dft.density
    if density.ncomponents > 1 or density.nt_sR.desc.comm.size > 1:
        calc.move_atoms(atoms)
        return
    bonds_sR, D_asii = density.nt_sR.data - _free_atoms(calc.dft, calc.atoms), density.D_asii.copy()
    calc.move_atoms(atoms)
    dft = calc.dft
    dft.density.nt_sR.data[:] = bonds_sR + _free_atoms(dft, atoms)
    dft.density.D_asii.data[:] = D_asii.data
    dft.density.normalize(dft.pot_calc.charge)
    dft.potential, dft.energies, _ = dft.pot_calc.calculate(
        dft.density, dft.ibzwfs, dft.potential.vHt_x
    )


def _free_atoms(dft: Any, atoms: Atoms) -> np.ndarray:
    """Return the superposed pseudo-densities of free atoms, valence and smooth core, 1/bohr^3."""
    density, wfs = dft.density, dft.ibzwfs
    nt_sR = density.nt_sR.new()
    nt_sR.data[:] = density.nct_R.data
    basis = create_basis(
        wfs.ibz, 1, atoms.pbc, nt_sR.desc, dft.setups, wfs.dtype, atoms.get_scaled_positions(),
        dft.comm, wfs.kpt_comm, wfs.band_comm,
    )  # fmt: skip
    neutral = {
        a: atomic_occupation_numbers(setup, np.zeros(3), 1, False, 0.0)
        for a, setup in enumerate(dft.setups)
    }
    basis.add_to_density(nt_sR.data, neutral)
    superposed: np.ndarray = nt_sR.data
    return superposed
