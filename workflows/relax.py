"""Relax any Atoms with any way to get energy and forces; can be killed and go on.

Every finished ionic step is journalled. Going on replays the journal through the optimizer, which
restores its Hessian exactly, so an interrupted relaxation takes the same steps as an uninterrupted
one and no finished step is computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import BFGS

from workflows.history import History

Evaluate = Callable[[Atoms], tuple[float, np.ndarray]]


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
    report: Callable[..., None] = lambda **news: None,
    watch: Callable[[Atoms], None] = lambda atoms: None,
) -> Relaxed:
    """Relax a structure with BFGS until no free atom feels more than `fmax`.

    Parameters
    ----------
    atoms
        Start; its constraints are obeyed. Not changed.
    evaluate
        Atoms -> (energy in eV, forces in eV/angstrom of shape (number of atoms, 3), unconstrained).
    history
        Journal of this relaxation's steps; one that is not empty is gone on with.
    fmax
        Largest allowed force, eV/angstrom.
    max_steps
        Largest number of steps, those in the journal included.
    report
        Called after every step with `step` and `fmax`.
    watch
        Called with the structure after every step; what it raises ends the relaxation.

    Raises
    ------
    OutOfSteps
        After `max_steps` without reaching `fmax`.
    """
    atoms = atoms.copy()
    optimizer = BFGS(atoms, logfile=None)
    for record in history.records:
        _move_on(optimizer, atoms)
        _restore(atoms, record)
    while True:
        if atoms.calc is not None:
            watch(atoms)
            largest = _largest_force(atoms)
            report(step=len(history), fmax=largest)
            if largest <= fmax:
                energy = float(atoms.get_potential_energy())
                atoms.calc = None
                return Relaxed(atoms, energy, largest, len(history))
        if len(history) >= max_steps:
            raise OutOfSteps(
                f"fmax is {largest:.3f} eV/Å after {len(history)} ionic steps, {fmax} was asked for"
            )
        _move_on(optimizer, atoms)
        history.append(_evaluate(atoms, evaluate))
        _restore(atoms, history.records[-1])


def _move_on(optimizer: Any, atoms: Atoms) -> None:
    """Take the optimizer's next step, except from a start that has no forces yet."""
    if atoms.calc is not None:
        optimizer.step()
        atoms.calc = None


def _evaluate(atoms: Atoms, evaluate: Evaluate) -> dict[str, Any]:
    energy, forces = evaluate(atoms)
    return {
        "energy": float(energy),
        "positions": atoms.positions.tolist(),
        "forces": np.asarray(forces, dtype=float).tolist(),
    }


def _restore(atoms: Atoms, record: dict[str, Any]) -> None:
    """Put atoms where the step was, with its energy and forces at hand."""
    atoms.positions[:] = record["positions"]
    atoms.calc = SinglePointCalculator(
        atoms, energy=record["energy"], forces=np.array(record["forces"])
    )


def _largest_force(atoms: Atoms) -> float:
    # Constrained forces: those on held atoms and held directions are zero.
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())
