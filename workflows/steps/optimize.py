"""Relax any Atoms with any way to get energy and forces; can be killed and resumed.

Every finished ionic step is journalled. A resumed relaxation takes the same way again with the
journal's energies and forces, which restores the optimizer's Hessian exactly: an interrupted
relaxation takes the same steps as an uninterrupted one, and no finished step is computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import BFGS
from numpy.typing import ArrayLike
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from structures.hessian import free_hessian
from structures.symmetry import find_symmetry
from workflows.tasks.folder import OnProgress
from workflows.tasks.journal import Journal
from workflows.tasks.records import Count, Electrons, Energy, Force, Length

SAME_PLACE = 0.01  # angstrom: how far a journalled step may lie from where the optimizer goes


NEAR = 2.0  # times fmax: forces below this are never rough, above it rough ones do


class Step(TypedDict):
    """A finished ionic step.

    `energy` in eV; `positions` (angstrom) and unconstrained `forces` (eV/angstrom) of shape
    (number of atoms, 3); `scf_iterations` that it took; of a system with spin the `moments` of its
    atoms, Bohr magnetons.
    """

    energy: Energy
    positions: list[list[Length]]
    forces: list[list[Force]]
    scf_iterations: NotRequired[Count]
    moments: NotRequired[list[Electrons]]


class Evaluate(Protocol):
    """Energy and forces of a structure."""

    def __call__(self, atoms: Atoms, /, *, rough: bool) -> tuple[float, np.ndarray]:
        """Return energy (eV) and unconstrained forces (eV/angstrom, (number of atoms, 3)).

        `rough`: forces that are off by a hundredth of an eV/angstrom or two will do.
        """


class OutOfSteps(Exception):
    """The forces did not fall below fmax within the allowed number of ionic steps."""


@dataclass(frozen=True)
class Relaxed:
    """A relaxed structure.

    Attributes
    ----------
    atoms
        The structure at the last step, with constraints and moments, without calculator.
    energy
        Total energy, eV.
    fmax
        Largest force on an atom that is free to move, eV/angstrom.
    steps
        Number of energy-and-force evaluations.
    """

    atoms: Atoms
    energy: float
    fmax: float
    steps: int


def relax(
    atoms: Atoms,
    evaluate: Evaluate,
    journal: Journal[Step],
    *,
    fmax: float,
    max_steps: int,
    on_progress: OnProgress = lambda **_: None,
    check: Callable[[Atoms], None] = lambda _: None,
    scf_iterations: Callable[[], int] = lambda: 0,
    moments: Callable[[], list[float]] | None = None,
) -> Relaxed:
    """Relax a structure with BFGS until no free atom feels more than `fmax`.

    The symmetry that the start has, that of its lattice included, is kept. With spin, a resumed
    relaxation starts from the moments of its last step.

    Parameters
    ----------
    atoms
        Start; its constraints are obeyed. Not changed.
    evaluate
        Gives energy and forces; asked for rough ones far from the minimum, never for the last.
    journal
        Journal of this relaxation's steps; one that is not empty is resumed, after the last step
        that is one of this relaxation.
    fmax
        Largest allowed force, eV/angstrom.
    max_steps
        Largest number of steps, those in the journal included.
    on_progress
        Called after every step with `step`, `fmax`, and `trend`: fmax after each step so far.
    check
        Called with the structure after every step; what it raises ends the relaxation.
    scf_iterations
        Returns the number of SCF iterations so far; what a step took is journalled with it.
    moments
        Returns the magnetic moment (Bohr magnetons) of each atom in the last structure; None
        without spin.

    Raises
    ------
    OutOfSteps
        After `max_steps` without reaching `fmax`.
    ValueError
        The energy or a force is not a finite number.
    """
    atoms = atoms.copy()
    symmetry, start_av = find_symmetry(atoms), atoms.positions.copy()
    optimizer = BFGS(atoms, logfile=None)
    optimizer.H0 = free_hessian(atoms)
    largest, trend = np.inf, list[float]()
    for number in range(max(max_steps, len(journal))):
        if number < len(journal) and not _fits(journal.records[number], atoms):
            journal.cut(number)
        if number == len(journal):
            before = scf_iterations()
            step = _evaluate(atoms, evaluate, fmax, rough=largest > NEAR * fmax)
            step["scf_iterations"] = scf_iterations() - before
            if moments is not None:
                step["moments"] = moments()
            journal.append(step)
        step = journal.records[number]
        _restore(atoms, step)
        check(atoms)
        largest = largest_force(atoms, step["forces"])
        trend.append(largest)
        on_progress(step=number + 1, fmax=largest, trend=list(trend))
        if largest <= fmax:
            energy = float(atoms.get_potential_energy())
            atoms.calc = None
            return Relaxed(atoms, energy, largest, number + 1)
        optimizer.step()
        # Noise must not add up: a plane-wave code uses a symmetry to 1e-5 angstrom, or not at all.
        atoms.positions[:] = start_av + symmetry.project(atoms.positions - start_av)
        atoms.calc = None
    raise OutOfSteps(
        f"fmax is {largest:.3f} eV/Å after {len(journal)} ionic steps, {fmax} was asked for"
    )


def _fits(step: Step, atoms: Atoms) -> bool:
    """Return whether a journalled step is that of these atoms at the place where they are."""
    rows = {len(step["positions"]), len(step["forces"]), len(step.get("moments", atoms))}
    columns = {len(row) for row in (*step["positions"], *step["forces"])}
    if rows != {len(atoms)} or columns != {3}:
        return False
    return bool((abs(np.array(step["positions"]) - atoms.positions) < SAME_PLACE).all())


def _evaluate(atoms: Atoms, evaluate: Evaluate, fmax: float, *, rough: bool) -> Step:
    energy, forces = evaluate(atoms, rough=rough)
    if rough and largest_force(atoms, forces) <= NEAR * fmax:
        energy, forces = evaluate(atoms, rough=False)
    if not (np.isfinite(energy) and np.isfinite(forces).all()):
        raise ValueError("the energy or a force is not a finite number")
    return {
        "energy": float(energy),
        "positions": atoms.positions.tolist(),
        "forces": np.asarray(forces, dtype=float).tolist(),
    }


def _restore(atoms: Atoms, step: Step) -> None:
    """Put atoms where the step was, with its energy and forces at hand."""
    atoms.positions[:] = step["positions"]
    if "moments" in step:
        atoms.set_initial_magnetic_moments(step["moments"])
    atoms.calc = SinglePointCalculator(
        atoms, energy=step["energy"], forces=np.array(step["forces"])
    )


def largest_force(atoms: Atoms, forces: ArrayLike) -> float:
    """Return the largest force on an atom, as far as it is free to move.

    Parameters
    ----------
    atoms
        The structure with its constraints.
    forces
        Unconstrained forces, eV/angstrom, of shape (number of atoms, 3).

    Returns
    -------
    float
        eV/angstrom; 0 where all atoms are held.
    """
    left = np.array(forces, dtype=float)
    for constraint in atoms.constraints:
        constraint.adjust_forces(atoms, left)
    return float(np.linalg.norm(left, axis=1).max())
