"""How many MPI ranks each task can use: those that can share the k-points of all its systems."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from ase import Atoms

from structures import sites
from workflows.build import structures
from workflows.calculator import Calculation, has_scalapack
from workflows.case import Case, CaseError
from workflows.needs import structure_name
from workflows.steps import OFF_SYMMETRY
from workflows.tasks import Task, plan


def usable_ranks(case: Case, names: Iterable[str]) -> dict[str, float]:
    """Return the largest number of MPI ranks of some of a case's tasks, from unrelaxed structures.

    Where GPAW has ScaLAPACK it can share out bands and plane waves, too: then there is no limit.
    """
    if has_scalapack():
        return dict.fromkeys(names, math.inf)
    built = {stem: atoms for stem, atoms, _ in structures(case)}
    tasks = plan(case)
    return {name: _least(case, tasks[name], built[structure_name(tasks[name])]) for name in names}


def _least(case: Case, task: Task, atoms: Atoms) -> int:
    grid = task.inputs["dft"]["kpoints"]
    kpoints = tuple(grid) if grid else None
    calculation = Calculation(case.dft, kpoints, Path, hund=task.kind == "atom")
    return min(calculation.shares(system) for system in _systems(task, atoms))


def _systems(task: Task, atoms: Atoms) -> list[Atoms]:
    """Return what a task calculates; symmetries differ, and with them the k-points."""
    if task.kind == "free":
        return [sites.displace_lateral(atoms, OFF_SYMMETRY)]
    if task.kind == "density":
        free = atoms.copy()
        free.set_constraint()
        return [free, free[:-1], free[-1:]]
    return [atoms]


def require_usable(case: Case, ranks: Mapping[str, int]) -> None:
    """Refuse more MPI ranks than a task can use; `ranks` are those asked for, by task.

    Raises
    ------
    CaseError
        In one line: every such task, and what it can use.
    """
    several = [name for name, number in ranks.items() if number > 1]
    if not several:
        return
    most = usable_ranks(case, several)
    beyond = [
        f"{name}: found {ranks[name]}, allowed: 1 to {most[name]}"
        for name in several
        if ranks[name] > most[name]
    ]
    if beyond:
        raise CaseError(f"more MPI ranks than irreducible k-points and spins: {'; '.join(beyond)}")
