"""How many MPI ranks each task can use: they share images and irreducible k-points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from ase import Atoms

from structures import sites
from workflows.case.schema import Case
from workflows.dft import kpoints
from workflows.dft.installation import has_scalapack
from workflows.preflight.computable import Computable
from workflows.steps.context import system_of
from workflows.steps.relaxations import PUSHES
from workflows.system.messages import UserError
from workflows.tasks.graph import Task, images_of, settings_of


def usable_ranks(cases: Computable, names: Iterable[str]) -> dict[str, float]:
    """Return the largest number of MPI ranks that each of some tasks can use.

    It follows from the unrelaxed structures. With ScaLAPACK, GPAW can distribute bands and plane
    waves, too: then there is no limit.

    Parameters
    ----------
    names
        The tasks, by their folders.
    """
    if has_scalapack():
        return dict.fromkeys(names, math.inf)
    campaign = cases.campaign
    return {
        name: _fewest_shares(
            campaign.case_of(name), campaign.tasks[name], cases.atoms(name), cases.ideal(name)
        )
        for name in names
    }


def _fewest_shares(case: Case, task: Task, atoms: Atoms, ideal: Atoms | None) -> int:
    dft, system = settings_of(case, task), system_of(case, task)
    shares = min(kpoints.usable_ranks(dft, system, part) for part in _systems(task, atoms, ideal))
    return shares * images_of(task)  # a group of ranks for each


def _systems(task: Task, atoms: Atoms, ideal: Atoms | None) -> list[Atoms]:
    """Return the structures that a task calculates: their symmetries and k-points differ."""
    kind = task.of or task.kind
    if kind == "free":
        return [sites.displace_lateral(atoms, PUSHES[0], ideal)]
    if kind in ("basin", "hop"):  # no image has more symmetry than the clean slab
        return [atoms[:-1]]
    if kind == "density":
        free = atoms.copy()
        free.set_constraint()
        return [free, free[:-1], free[-1:]]
    return [atoms]


def require_usable(cases: Computable, ranks: Mapping[str, int]) -> None:
    """Refuse more MPI ranks than a task can use.

    Parameters
    ----------
    ranks
        Numbers of MPI ranks asked for, by task.

    Raises
    ------
    UserError
        In one line: every such task, and what it can use.
    """
    most = usable_ranks(cases, [name for name, asked in ranks.items() if asked > 1])
    beyond = [
        f"{name}: found {ranks[name]}, allowed: 1 to {most[name]}"
        for name in most
        if ranks[name] > most[name]
    ]
    if beyond:
        raise UserError(f"more MPI ranks than irreducible k-points and spins: {'; '.join(beyond)}")
