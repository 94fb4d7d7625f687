"""What a run will need, estimated before it starts: memory and time per task, disk in total.

The estimate counts plane-wave coefficients and grid arrays, the two that grow with the system. The
factors of memory were fitted to GPAW 26.7 on slabs of 3 to 25 atoms and are good to about a third;
those of time are in core_time.py.
"""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms
from ase.units import Bohr, Hartree

from analysis.functionals import BEEF
from structures.magnetism import has_open_shell
from workflows.case.schema import DFT, Case
from workflows.dft.datasets import valence_electrons
from workflows.dft.functionals import van_der_waals_bytes
from workflows.dft.parameters import grid_points, is_slab
from workflows.preflight.computable import Computable
from workflows.preflight.core_time import (
    TYPICAL_ITERATIONS,
    core_hours_in_words,
    count_kpoints,
    hardness,
    seconds_per_iteration,
)
from workflows.system.messages import UserError, in_bytes, shown
from workflows.tasks.graph import Task, images_of, settings_of, translations_of
from workflows.tasks.records import Kind

MB = 1e6


INTERPRETER = 150 * MB  # python with GPAW, ASE and numpy


WAVES = 2.6  # copies of the wavefunctions: the eigensolver's search directions and residuals


GRIDS = 14  # copies of the fine grid: density, potential, mixing history


CUBE_BYTES = 14  # per grid point in a cube file


FIGURES = 60 * MB


# Times a task's typical time: the time of a job has to suffice for that. One of the measured tasks
# took 6 times its typical time, and cores differ.
HARDSHIP = 25


@dataclass(frozen=True)
class TaskNeeds:
    """What one task needs.

    Attributes
    ----------
    kind
        The kind of task.
    size
        Plane waves x bands x k-points x spins.
    iteration
        Seconds that an SCF iteration takes on one core.
    hardness
        How many times the typical number of iterations it takes.
    grid
        Bytes of one array on the density's grid.
    van_der_waals
        Bytes that the non-local correlation of BEEF-vdW takes.
    disk
        Bytes of the files that it writes.
    systems
        How many systems it has in memory at once: of a band, its images.
    """

    kind: Kind
    size: float
    iteration: float
    hardness: float
    grid: float
    disk: float
    van_der_waals: float = 0.0
    systems: int = 1

    @property
    def core_seconds(self) -> float:
        """Return the typical time on one core, good to `core_time.ERROR_FACTOR`."""
        return TYPICAL_ITERATIONS[self.kind] * self.size_in_seconds

    @property
    def size_in_seconds(self) -> float:
        """Return the time on one core over the typical number of iterations of its kind."""
        return self.hardness * self.iteration

    def memory(self, ranks: int = 1) -> float:
        """Return the memory on so many MPI ranks, all of them together, bytes."""
        # Ranks share images and k-points, and with them the wavefunctions; all else each has for
        # itself.
        held = math.ceil(self.systems / min(self.systems, ranks))
        each = INTERPRETER + GRIDS * self.grid * held + self.van_der_waals
        return ranks * each + WAVES * 16 * self.size * self.systems

    def seconds(self, ranks: int = 1) -> float:
        """Return a generous estimate of the time on so many MPI ranks: for the limit of a job."""
        return HARDSHIP * self.core_seconds / ranks


@dataclass(frozen=True)
class Needs:
    """What each task needs, by its folder, and the disk (bytes) of the whole run."""

    tasks: Mapping[str, TaskNeeds]
    disk: float

    @property
    def sizes(self) -> dict[str, float]:
        """Return the size of each task's system, which its time grows with."""
        return {name: task.size_in_seconds for name, task in self.tasks.items()}

    @property
    def core_seconds(self) -> float:
        """Return the typical time of all tasks on one core."""
        return sum(task.core_seconds for task in self.tasks.values())

    def largest(self, jobs: int) -> float:
        """Return the memory of the `jobs` tasks that need most, side by side, bytes."""
        return sum(sorted(self._memories, reverse=True)[:jobs])

    def jobs_that_fit(self, free: float) -> int:
        """Return how many tasks fit side by side into `free` bytes, whichever they are."""
        sums = itertools.accumulate(sorted(self._memories, reverse=True))
        return sum(memory <= free for memory in sums)

    @property
    def _memories(self) -> list[float]:
        return [task.memory() for task in self.tasks.values()]


def estimate_needs(cases: Computable) -> Needs:
    """Estimate what cases will need, from their unrelaxed structures."""
    campaign = cases.campaign
    tasks = {
        folder: _task_needs(campaign.case_of(folder), task, cases.atoms(folder))
        for folder, task in campaign.tasks.items()
    }
    figures = FIGURES * len(campaign.members) if campaign.goal == "everything" else 0.0
    return Needs(tasks, figures + sum(task.disk for task in tasks.values()))


def _task_needs(case: Case, task: Task, atoms: Atoms) -> TaskNeeds:
    translations = translations_of(case, task.surface) if is_slab(atoms) else (1, 1)
    n_c = grid_points(atoms, settings_of(case, task).cutoff, translations)
    grid = 8 * math.prod(n_c) * 8.0
    dft = settings_of(case, task)
    electrons = sum(valence_electrons(s, dft) for s in atoms.get_chemical_symbols())
    size, disk = _size(dft, task, atoms, electrons), _disk(case, task, atoms, grid)
    iteration = seconds_per_iteration(size, electrons, grid)
    hard = hardness(task.kind, len(atoms), slab=is_slab(atoms), spin=may_have_spin(task))
    needs = TaskNeeds(task.kind, size, iteration, hard, grid, disk)
    if (images := images_of(task)) > 1:
        return replace(needs, disk=disk * images, systems=images)
    asked = task.inputs.get("functionals")
    if not (isinstance(asked, list) and BEEF in asked):
        return needs
    nx, ny, nz = n_c
    of_beef = van_der_waals_bytes((2 * nx, 2 * ny, 2 * nz), atoms.pbc)
    return replace(needs, van_der_waals=of_beef)


def _size(dft: DFT, task: Task, atoms: Atoms, electrons: float) -> float:
    """Return the number of plane-wave coefficients of all wavefunctions."""
    cutoff = float(dft.cutoff / Hartree)
    volume = float(atoms.get_volume() / Bohr**3)
    # N = V k^3 / (6 pi^2) plane waves with k = sqrt(2 E_cut)
    plane_waves = volume * (2 * cutoff) ** 1.5 / (6 * math.pi**2)
    bands = 0.6 * electrons + 6
    grid = task.inputs["dft"]["kpoints"] or (1, 1, 1)
    kpoints = count_kpoints(grid)
    spins = 2 if "atom" in (task.kind, task.of) or may_have_spin(task) else 1
    return float(plane_waves * bands * kpoints * spins)


def may_have_spin(task: Task) -> bool:
    """Return whether a crystal or slab has spin, as far as that is known before its probe is done.

    Where a probe decides, those are taken to have it whose elements have an open d or f shell.
    """
    spin = task.inputs["dft"].get("spin")
    if spin is None:
        return False
    return "probes" not in spin or any(map(has_open_shell, spin["moments"]))


def _disk(case: Case, task: Task, atoms: Atoms, grid: float) -> float:
    if task.kind == "density":
        return grid / 8 * CUBE_BYTES
    steps = (
        case.relax.max_steps
        if task.kind in ("slab", "held", "free", "basin", "coverage", "hop")
        else 10
    )
    text = steps * (len(atoms) * 400 + 3000)  # journal, trajectory and log of every step
    if task.kind == "held":  # its all-electron density is kept
        return text + grid
    return text


def require_room(wanted: Needs, root: Path, jobs: int | None, cores: int) -> tuple[int, str]:
    """Return how many tasks to run side by side, and a line about what the run will need.

    Parameters
    ----------
    root
        The directory of the run.
    jobs
        How many tasks are asked for; as many as `cores` and free memory allow if None.

    Raises
    ------
    UserError
        The disk is too full, or the tasks do not fit into memory: all, or as many as `jobs`.
    """
    free_disk = shutil.disk_usage(_existing(root)).free
    if wanted.disk > free_disk:
        raise UserError(
            f"{shown(root)}: {in_bytes(free_disk)} of disk are free; this run needs up to "
            f"{in_bytes(wanted.disk)}"
        )
    free, tasks = free_memory(), len(wanted.tasks)
    fit = wanted.jobs_that_fit(free)
    asked = min(jobs or 1, tasks)
    if fit < asked:
        allowed = f"allowed: --jobs {fit} or less" if fit else "allowed: a smaller case"
        raise UserError(
            f"--jobs {jobs or 1}: {asked} tasks need about {in_bytes(wanted.largest(asked))} of "
            f"memory, {in_bytes(free)} are free; {allowed}"
        )
    chosen = asked if jobs else max(1, min(cores, fit))
    no_more = f" (--jobs {jobs}: there are no more)" if jobs and jobs > tasks else ""
    line = (
        f"{tasks} tasks, {chosen} side by side{no_more}; "
        f"about {in_bytes(wanted.largest(chosen))} of memory and {in_bytes(wanted.disk)} of disk; "
        f"{core_hours_in_words(wanted.core_seconds)} for all tasks"
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
