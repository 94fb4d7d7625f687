"""How long a task takes on one core, from a model fitted to what was measured.

An SCF iteration spends its time on Fourier transforms and projections (plane waves x bands x
k-points), on products of matrices (the same x bands), and on the grid of density and potential. Of
the number of iterations only what is typical of a kind of task is known. Both fits, and how far
they are off, are in docs/performance.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workflows.tasks.records import Kind

# Seconds, least squares of the relative error over the single SCF cycles in docs/data/scaling.csv:
# one core, GPAW 26.7 with OpenBLAS and FFTW.
PER_COEFFICIENT = 4.0e-8
PER_COEFFICIENT_AND_ELECTRON = 7.2e-10
PER_GRID_BYTE = 1.8e-7


# How many such iterations a task takes, a slab having `TYPICAL_ATOMS`: geometric means over tasks
# of the measured cases of their time over that of one iteration. Moved atoms, forces and what a
# symmetry spares are in them, so they are not numbers of SCF iterations. "refined" and
# "functionals" count as the other single points, "coverage" as "held"; no whole "hop" was measured.
TYPICAL_ITERATIONS: dict[Kind, float] = {
    "probe": 59, "lattice": 149, "atom": 14, "slab": 104, "held": 117, "free": 89, "basin": 74,
    "density": 64, "uncorrected": 52, "refined": 52, "functionals": 52, "electrons": 78,
    "coverage": 117, "hop": 600,
}  # fmt: skip
TYPICAL_ATOMS = 13


# Times as many iterations where moved atoms have spin: their moments respond too unevenly to be
# learnt. Two sites on a small slab took 1.5 times as many, one on a larger slab 2.7 times.
WITH_SPIN = 2.0
MOVED: tuple[Kind, ...] = ("held", "free", "basin", "coverage", "hop")


# Either way. Five measured cases lie within 1.3, each predicted from the others, and one with light
# settings at 2.8; cores differ, and tighter criteria, spin or soft modes take more iterations.
ERROR_FACTOR = 3.0


def count_kpoints(grid: Sequence[int]) -> int:
    """Return the k-points of a Gamma-centred grid that differ, k and -k being the same."""
    own_opposites = math.prod(2 if n % 2 == 0 else 1 for n in grid)
    return (math.prod(grid) + own_opposites) // 2


def seconds_per_iteration(coefficients: float, electrons: float, grid: float) -> float:
    """Return the time of an SCF iteration on one core, seconds.

    Parameters
    ----------
    coefficients
        Plane waves x bands x k-points x spins.
    electrons
        Number of valence electrons, which the number of bands grows with.
    grid
        Bytes of one array on the density's grid.
    """
    each = PER_COEFFICIENT + PER_COEFFICIENT_AND_ELECTRON * electrons
    return each * coefficients + PER_GRID_BYTE * grid


def hardness(kind: Kind, atoms: int, *, slab: bool, spin: bool) -> float:
    """Return how many times `TYPICAL_ITERATIONS` a task takes.

    Parameters
    ----------
    kind
        Its kind.
    atoms
        Number of atoms; of slabs the iterations grow as its square root (fitted: 0.49).
    slab
        Whether it is about a slab.
    spin
        Whether that has spin.
    """
    of_size = math.sqrt(atoms / TYPICAL_ATOMS) if slab and kind != "probe" else 1.0
    return of_size * (WITH_SPIN if spin and kind in MOVED else 1.0)


def core_hours_in_words(seconds: float) -> str:
    """Return a line about an estimated time on one core, with how far it may be off."""
    hours = seconds / 3600
    low, high = hours / ERROR_FACTOR, hours * ERROR_FACTOR
    return f"an estimate of {_rounded(hours)} core-hours ({_rounded(low)} to {_rounded(high)})"


def _rounded(hours: float) -> str:
    """Return hours with two digits: an estimate has no more."""
    if hours < 0.1:
        return f"{hours:.2f}"
    digits = max(0, 1 - math.floor(math.log10(hours)))
    return f"{round(hours, 1 - math.floor(math.log10(hours))):,.{digits}f}"
