"""What a run will need: memory per task and disk in all, estimated before it starts.

The estimate counts plane-wave coefficients and grid arrays, the two that grow with the system; its
factors were fitted to GPAW 26.7 on slabs of 3 to 25 atoms and are good to about a third.
"""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from ase.units import Bohr, Hartree

from workflows.campaign.campaign import Campaign, alone
from workflows.case.schema import Case
from workflows.dft.datasets import valence_electrons
from workflows.dft.parameters import grid_points
from workflows.steps.initial import structures
from workflows.system.messages import UserError, shown
from workflows.tasks.graph import Kind, Task

MB = 1e6


INTERPRETER = 150 * MB  # python with GPAW, ASE and numpy


WAVES = 2.6  # copies of the wavefunctions: the eigensolver's search directions and residuals


GRIDS = 14  # copies of the fine grid: density, potential, mixing history


CUBE_BYTES = 14  # per grid point in a cube file


FIGURES = 60 * MB


# Seconds for a coefficient in an SCF iteration: about three times what a core took for a slab of 25
# atoms, since cores differ, and larger systems cost more for each.
PACE = 2e-6


HARDSHIP = 10  # times the typical SCF iterations: what the time of a job must suffice for


@dataclass(frozen=True)
class Needs:
    """Memory of each task and disk of the whole run, bytes.

    `sizes`: plane waves x bands x k-points; an SCF iteration's time grows with them.
    """

    memory: Mapping[str, float]
    disk: float
    sizes: Mapping[str, float]

    def seconds(self, task: Task, ranks: int = 1) -> float:
        """Return a generous estimate of a task's time, seconds: for the limit of its job."""
        return HARDSHIP * EFFORT[task.kind] * self.sizes[task.name] * PACE / ranks

    def largest(self, jobs: int) -> float:
        """Return the memory of the `jobs` hungriest tasks side by side, bytes."""
        return sum(sorted(self.memory.values(), reverse=True)[:jobs])

    def jobs_that_fit(self, free: float) -> int:
        """Return how many tasks fit side by side into so many bytes, whichever they be."""
        sums = itertools.accumulate(sorted(self.memory.values(), reverse=True))
        return sum(memory <= free for memory in sums)


def needs(case: Case) -> Needs:
    """Estimate what a case will need, from its unrelaxed structures."""
    return campaign_needs(alone(case))


def campaign_needs(campaign: Campaign, ranks: Mapping[str, int] | None = None) -> Needs:
    """Estimate what cases will need, from unrelaxed structures; `ranks` of MPI by task."""
    memory: dict[str, float] = {}
    sizes: dict[str, float] = {}
    disk = 0.0
    for member, names in zip(campaign.members, campaign.names, strict=True):
        case = member.case
        by_name = {name: atoms for name, atoms, _ in structures(case)}
        for folder in (folder for folder in names.values() if folder not in memory):
            task = campaign.tasks[folder]
            atoms = by_name[structure_name(task)]
            sizes[folder] = _size_of(case, task, atoms)
            memory[folder] = _memory(case, sizes[folder], atoms, (ranks or {}).get(folder, 1))
            disk += _disk(case, task, atoms)
        disk += FIGURES if campaign.goal == "everything" else 0.0
    return Needs(memory, disk, sizes)


def structure_name(task: Task) -> str:
    """Return the stem of the unrelaxed structure (`workflows.build`) that a task begins with."""
    return task.structure


def _size_of(case: Case, task: Task, atoms: Atoms) -> float:
    """Return the number of plane-wave coefficients of all wavefunctions."""
    cutoff = float(case.dft.cutoff / Hartree)
    volume = float(atoms.get_volume() / Bohr**3)
    # N = V k^3 / (6 pi^2) plane waves with k = sqrt(2 E_cut)
    plane_waves = volume * (2 * cutoff) ** 1.5 / (6 * math.pi**2)
    electrons = sum(valence_electrons(s, case.dft) for s in atoms.get_chemical_symbols())
    bands = 0.6 * electrons + 6
    grid = task.inputs["dft"]["kpoints"] or (1, 1, 1)
    kpoints = (math.prod(grid) + 1) // 2  # time reversal at least
    spins = 2 if task.kind == "atom" else 1
    return float(plane_waves * bands * kpoints * spins)


def _memory(case: Case, coefficients: float, atoms: Atoms, ranks: int) -> float:
    fine_grid = 8 * math.prod(grid_points(atoms, case.dft.cutoff)) * 8
    # ranks share the k-points, and with them the wavefunctions; all else each has for itself
    return float(ranks * (INTERPRETER + GRIDS * fine_grid) + WAVES * 16 * coefficients)


def _disk(case: Case, task: Task, atoms: Atoms) -> float:
    if task.kind == "density":
        return 8 * math.prod(grid_points(atoms, case.dft.cutoff)) * CUBE_BYTES
    steps = case.relax.max_steps if task.kind in ("slab", "held", "free", "basin") else 10
    text = steps * (len(atoms) * 400 + 3000)  # journal, trajectory and log of every step
    if task.kind == "held" and task.surface == "host":  # its all-electron density is kept
        return text + 8 * math.prod(grid_points(atoms, case.dft.cutoff)) * 8
    return text


def require_room(wanted: Needs, root: Path, jobs: int | None, cores: int) -> tuple[int, str]:
    """Return how many tasks to run side by side, and a line that says what the run will need.

    Raises
    ------
    UserError
        The disk is too full, or the tasks do not fit into memory: all, or as many as `jobs`.
    """
    free_disk = shutil.disk_usage(_existing(root)).free
    if wanted.disk > free_disk:
        raise UserError(
            f"{shown(root)}: {_size(free_disk)} of disk are free; this run needs up to "
            f"{_size(wanted.disk)}"
        )
    free = free_memory()
    fit = wanted.jobs_that_fit(free)
    if fit < (jobs or 1):
        allowed = f"allowed: --jobs {fit} or less" if fit else "allowed: a smaller case"
        raise UserError(
            f"--jobs {jobs or 1}: needs about {_size(wanted.largest(jobs or 1))} of memory, "
            f"{_size(free)} are free; {allowed}"
        )
    chosen = jobs or max(1, min(cores, fit))
    line = (
        f"{len(wanted.memory)} tasks, {chosen} side by side; about {_size(wanted.largest(chosen))} "
        f"of memory and {_size(wanted.disk)} of disk"
    )
    return chosen, line


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(p for p in (path, *path.parents) if p.is_dir())


def free_memory() -> float:
    """Return the memory that new processes can have, bytes; without limit where it is not known."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.inf
    sizes = dict(line.split(":", 1) for line in lines)
    return float(sizes["MemAvailable"].split()[0]) * 1024


def _size(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / MB:.0f} MB"


# Typical numbers of SCF iterations: means over the smoke case on VN; of 'basin' and 'uncorrected',
# those of one step.
EFFORT: dict[Kind, float] = {
    "lattice": 40, "atom": 15, "slab": 50, "held": 60, "free": 25, "density": 45,
    "basin": 20, "uncorrected": 20,
}  # fmt: skip
