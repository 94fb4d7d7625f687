"""The lattice and atoms of a crystal, relaxed by forces and stress."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from structures.crystals import conventional_from, primitive_cell
from structures.symmetry import Symmetry, find_symmetry
from workflows.steps.context import Outcome, TaskContext
from workflows.steps.lattice import pattern_of
from workflows.steps.optimize import OutOfSteps
from workflows.steps.spin import begin
from workflows.tasks.atoms_json import to_json
from workflows.tasks.cut import conventional_from as conventional_of
from workflows.tasks.journal import Journal
from workflows.tasks.records import Energy, LatticeInputs, LatticeValues

STRESS = 0.1 * GPa  # eV/angstrom^3: largest component that is left
SAME = 1e-6  # angstrom: cells and places of a journalled step that is resumed

# Strain components xx, yy, zz, yz, xz, xy that are free
FREE = {"whole": (True,) * 6, "in-plane": (True, True, False, False, False, True)}


class CellStep(TypedDict):
    """A step: `energy` (eV), `forces` (eV/angstrom) and `stress` (eV/angstrom^3) of a cell.

    `cell` and `positions` in angstrom.
    """

    energy: Energy
    cell: list[list[float]]
    positions: list[list[float]]
    forces: list[list[float]]
    stress: list[list[float]]


def relax_cell(context: TaskContext[LatticeInputs]) -> Outcome[LatticeValues]:
    """Relax a crystal, its cell by stress, with BFGS; its symmetry is kept.

    Every step is computed anew in the plane waves of its own cell, so that the cutoff is the same.

    Raises
    ------
    OutOfSteps
        Forces and stress did not fall below their limits.
    """
    inputs, limit = context.task.inputs, context.case.relax.max_steps
    crystal = conventional_of(inputs, inputs["lattice_guess"])
    primitive = primitive_cell(crystal)
    atoms, _ = begin(context, primitive)
    journal = context.journal(CellStep)
    atoms.calc = Journalled(context, journal, find_symmetry(primitive, tolerance=1e-3))
    free_c = np.array(FREE[inputs["relaxed_cell"]])
    optimizer = BFGS(FrechetCellFilter(atoms, mask=free_c), logfile=None)
    fmax = inputs["fmax"]
    for number in range(limit):
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        stress = float(abs(atoms.get_stress()[free_c]).max())
        context.on_progress(step=number + 1, fmax=force)
        if force <= fmax and stress <= STRESS:
            whole = inputs["relaxed_cell"] == "whole"
            values = _values(crystal, primitive, atoms, stress, number + 1, whole=whole)
            return Outcome(values)
        optimizer.step()
    raise OutOfSteps(
        f"fmax is {force:.3f} eV/Å and the stress {stress / GPa:.2f} GPa after {limit} steps; "
        f"{fmax} and {STRESS / GPa:g} were asked for"
    )


def _values(
    crystal: Atoms, primitive: Atoms, atoms: Atoms, stress: float, steps: int, *, whole: bool
) -> LatticeValues:
    energy = float(atoms.get_potential_energy())
    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
    relaxed = conventional_from(primitive, crystal, bare)
    return {
        "lattice_constant": float(relaxed.cell.lengths()[0]),
        "energy": energy,
        "atoms": len(atoms),
        "pattern": pattern_of(relaxed) if whole else [],  # none of a layer in vacuum
        "structure": to_json(relaxed),
        "stress": stress / GPa,
        "steps": steps,
    }


class Journalled(Calculator):  # type: ignore[misc]  # ASE has no types
    """Energy, forces and stress of each step, from the journal if it is an earlier one.

    Forces and stress are made symmetric: noise must not break the crystal's symmetry.

    Parameters
    ----------
    context
        What makes the calculations.
    journal
        Steps so far.
    symmetry
        Of the crystal.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def __init__(
        self, context: TaskContext[LatticeInputs], journal: Journal[CellStep], symmetry: Symmetry
    ) -> None:
        super().__init__()
        self._context, self._journal, self._symmetry = context, journal, symmetry
        self._number = 0

    def calculate(
        self,
        atoms: Any = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Look up or compute a step; see ase.calculators.calculator.Calculator."""
        super().calculate(atoms, properties, system_changes)
        number, journal = self._number, self._journal
        self._number += 1
        if number < len(journal) and not _is_of(journal.records[number], atoms):
            journal.cut(number)
        if number == len(journal):
            journal.append(self._compute(atoms))
        step = journal.records[number]
        self.results = {
            "energy": step["energy"],
            "forces": np.array(step["forces"]),
            "stress": full_3x3_to_voigt_6_stress(np.array(step["stress"])),
        }

    def _compute(self, atoms: Atoms) -> CellStep:
        calculation = self._context.calculation()
        energy, forces_av = calculation(atoms)
        stress_vv = calculation.stress()
        if not (
            np.isfinite(energy) and np.isfinite(forces_av).all() and np.isfinite(stress_vv).all()
        ):
            raise ValueError("the energy, a force or the stress is not a finite number")
        return {
            "energy": float(energy),
            "cell": atoms.cell.tolist(),
            "positions": atoms.positions.tolist(),
            "forces": self._symmetric_forces(forces_av, np.asarray(atoms.cell)).tolist(),
            "stress": self._symmetric_stress(stress_vv, np.asarray(atoms.cell)).tolist(),
        }

    def _symmetric_forces(self, forces_av: np.ndarray, cell_cv: np.ndarray) -> np.ndarray:
        found = self._symmetry
        return Symmetry(cell_cv, found.rotation_scc, found.translation_sc, found.image_sa).project(
            forces_av
        )

    def _symmetric_stress(self, stress_vv: np.ndarray, cell_cv: np.ndarray) -> np.ndarray:
        rotations = [
            np.linalg.inv(cell_cv) @ rotation_cc @ cell_cv
            for rotation_cc in self._symmetry.rotation_scc
        ]
        mean_vv = np.mean([turn.T @ stress_vv @ turn for turn in rotations], axis=0)
        return np.asarray((mean_vv + mean_vv.T) / 2)


def _is_of(step: CellStep, atoms: Atoms) -> bool:
    if len(step["positions"]) != len(atoms):
        return False
    apart = abs(np.array(step["cell"]) - atoms.cell).max()
    return bool(max(apart, abs(np.array(step["positions"]) - atoms.positions).max()) < SAME)
