"""Relax any Atoms with any way to get energy and forces; can be killed and go on.

Every finished ionic step is journalled. Going on takes the same way again with the journal's
energies and forces, which restores the optimizer's Hessian exactly: an interrupted relaxation takes
the same steps as an uninterrupted one, and no finished step is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import BFGS

from structures.hessian import free_hessian
from workflows.tasks.journal import History

SAME_PLACE = 0.01  # angstrom: how far a journalled step may lie from where the optimizer goes


NEAR = 2.0  # times fmax: forces below this are never rough, above it rough ones do


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
        The structure at the last step, with constraints, without calculator.
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
    history: History,
    *,
    fmax: float,
    max_steps: int,
    report: Callable[..., None] = lambda **_: None,
    watch: Callable[[Atoms], None] = lambda _: None,
    effort: Callable[[], int] = lambda: 0,
) -> Relaxed:
    """Relax a structure with BFGS until no free atom feels more than `fmax`.

    Parameters
    ----------
    atoms
        Start; its constraints are obeyed. Not changed.
    evaluate
        Gives energy and forces; asked for rough ones far from the minimum, never for the last.
    history
        Journal of this relaxation's steps; one that is not empty is gone on with, up to the first
        step that is not one of this relaxation.
    fmax
        Largest allowed force, eV/angstrom.
    max_steps
        Largest number of steps, those in the journal included.
    report
        Called after every step with `step`, `fmax`, and `trend`: fmax after each step so far.
    watch
        Called with the structure after every step; what it raises ends the relaxation.
    effort
        Returns the number of SCF iterations so far; what a step took is journalled with it.

    Raises
    ------
    OutOfSteps
        After `max_steps` without reaching `fmax`.
    ValueError
        The energy or a force is not a finite number.
    """
    atoms = atoms.copy()
    optimizer = BFGS(atoms, logfile=None)
    optimizer.H0 = free_hessian(atoms)
    largest, trend = np.inf, list[float]()
    for step in range(max(max_steps, len(history))):
        if step < len(history) and not _fits(history.records[step], atoms):
            history.cut(step)
        if step == len(history):
            before = effort()
            record = _evaluate(atoms, evaluate, fmax, rough=largest > NEAR * fmax)
            history.append(record | {"scf_iterations": effort() - before})
        _restore(atoms, history.records[step])
        watch(atoms)
        largest = largest_force(atoms, history.records[step]["forces"])
        trend.append(largest)
        report(step=step + 1, fmax=largest, trend=list(trend))
        if largest <= fmax:
            energy = float(atoms.get_potential_energy())
            atoms.calc = None
            return Relaxed(atoms, energy, largest, step + 1)
        optimizer.step()
        atoms.calc = None
    raise OutOfSteps(
        f"fmax is {largest:.3f} eV/Å after {len(history)} ionic steps, {fmax} was asked for"
    )


def _fits(record: Mapping[str, Any], atoms: Atoms) -> bool:
    """Tell whether a journalled step is that of these atoms at the place where they are."""
    try:
        energy, positions, forces = (
            np.array(record[key], dtype=float) for key in ("energy", "positions", "forces")
        )
    except (KeyError, TypeError, ValueError):
        return False
    if energy.shape != () or not positions.shape == forces.shape == atoms.positions.shape:
        return False
    return _finite(energy, forces) and bool((abs(positions - atoms.positions) < SAME_PLACE).all())


def _finite(energy: Any, forces: Any) -> bool:
    return bool(np.isfinite(energy).all() and np.isfinite(forces).all())


def _evaluate(atoms: Atoms, evaluate: Evaluate, fmax: float, *, rough: bool) -> dict[str, Any]:
    energy, forces = evaluate(atoms, rough=rough)
    if rough and largest_force(atoms, forces) <= NEAR * fmax:
        energy, forces = evaluate(atoms, rough=False)
    if not _finite(energy, forces):
        raise ValueError("the energy or a force is not a finite number")
    return {
        "energy": float(energy),
        "positions": atoms.positions.tolist(),
        "forces": np.asarray(forces, dtype=float).tolist(),
    }


def _restore(atoms: Atoms, record: Mapping[str, Any]) -> None:
    """Put atoms where the step was, with its energy and forces at hand."""
    atoms.positions[:] = record["positions"]
    atoms.calc = SinglePointCalculator(
        atoms, energy=record["energy"], forces=np.array(record["forces"])
    )


def largest_force(atoms: Atoms, forces: Any) -> float:
    """Return the largest force (eV/angstrom) that constraints leave: none on what is held.

    `forces` are the unconstrained ones, eV/angstrom, of shape (number of atoms, 3).
    """
    left = np.array(forces, dtype=float)
    for constraint in atoms.constraints:
        constraint.adjust_forces(atoms, left)
    return float(np.linalg.norm(left, axis=1).max())
