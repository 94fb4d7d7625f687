"""The path of lowest energy between two minima by nudged elastic band; can be killed and resumed.

Every energy that was computed is journalled, in order. A resumed search asks for the same
structures in the same order, and takes from the journal what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from ase.mep.neb import NEB, NEBOptimizer
from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from workflows.steps.optimize import SAME_PLACE, OutOfSteps
from workflows.tasks.folder import OnProgress
from workflows.tasks.journal import Journal
from workflows.tasks.records import Count, Energy, Force, Length

CLIMB = 3.0  # times fmax: below this the highest image climbs
SPRING = 1.0  # eV/angstrom^2, between neighbouring images


class Evaluation(TypedDict):
    """An image of the band: its `image` number from 1, energy (eV), and forces (eV/angstrom)."""

    image: Count
    energy: Energy
    positions: list[list[Length]]
    forces: list[list[Force]]


class Evaluate(Protocol):
    """Energy and forces of images of the band."""

    def __call__(self, image: int, images: Sequence[Atoms], /) -> list[tuple[float, np.ndarray]]:
        """Return energy (eV) and unconstrained forces (eV/angstrom, (number of atoms, 3)) of each.

        `image` is the number of the first one, from 1; the others follow it.
        """


@dataclass(frozen=True)
class Path:
    """A path of lowest energy.

    Attributes
    ----------
    images
        The structures from minimum to minimum, ends included.
    energies
        Of each, eV.
    fmax
        Largest force on an atom of any image, across the path; of the highest one also along it.
    iterations
        Of the band.
    """

    images: list[Atoms]
    energies: list[float]
    fmax: float
    iterations: int


def find_path(
    ends: tuple[Atoms, Atoms],
    end_energies: tuple[float, float],
    images: int,
    evaluate: Evaluate,
    journal: Journal[Evaluation],
    *,
    fmax: float,
    max_steps: int,
    at_once: int = 1,
    on_progress: OnProgress = lambda **_: None,
    check: Callable[[Sequence[Atoms]], None] = lambda _: None,
    start: Sequence[Atoms] | None = None,
) -> Path:
    """Find the path of lowest energy by a climbing-image nudged elastic band.

    Parameters
    ----------
    ends
        Both minima, the atoms in the same order; constraints are obeyed.
    end_energies
        Their energies, eV.
    images
        Number of structures between them.
    evaluate
        Gives energies and forces.
    journal
        Journal of the search; one that is not empty is resumed.
    fmax
        Largest allowed force, eV/angstrom.
    max_steps
        Largest number of iterations.
    at_once
        Number of images that are handed to `evaluate` together.
    on_progress
        Called after every iteration with `step`, `fmax` and `trend`.
    check
        Called with the band after every iteration; what it raises ends the search.
    start
        The first band, ends included; interpolated by image-dependent pair potentials if None.

    Raises
    ------
    OutOfSteps
        After `max_steps` without reaching `fmax`.

    References
    ----------
    E. Makri, C. Ortner and J. R. Kermode, J. Chem. Phys. 150, 094109 (2019), optimizer;
    G. Henkelman, B. P. Uberuaga and H. Jonsson, J. Chem. Phys. 113, 9901 (2000), climbing image;
    G. Henkelman and H. Jonsson, J. Chem. Phys. 113, 9978 (2000), improved tangent;
    S. Smidstrup et al., J. Chem. Phys. 140, 214106 (2014), IDPP.
    """
    band = [one.copy() for one in start] if start else _between(ends, images)
    ask = _Journalled(evaluate, journal, band, at_once)
    for number, atoms in enumerate(band[1:-1], 1):
        atoms.calc = _Image(number, ask)
    for atoms, energy in zip((band[0], band[-1]), end_energies, strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((len(atoms), 3)))
    neb = NEB(band, k=SPRING, climb=False, method="improvedtangent")
    trend: list[float] = []

    def after_iteration() -> None:
        check(band)
        trend.append(optimizer.largest)
        on_progress(step=ask.asked // images, fmax=trend[-1], trend=list(trend))

    # With climbing the force is another one: the optimizer begins afresh.
    for climb, enough in ((False, CLIMB * fmax), (True, fmax)):
        neb.climb = climb
        optimizer = _Optimizer(neb, logfile=None)
        optimizer.attach(after_iteration)
        # it computes the band where it begins, unless that is known, and once for each step
        optimizer.run(fmax=enough, steps=max_steps - max(ask.asked // images, 1))
        if optimizer.largest > enough:
            raise OutOfSteps(
                f"fmax is {optimizer.largest:.3f} eV/Å after {ask.asked // images} iterations of "
                f"the band, {fmax} was asked for"
            )
    energies = [float(atoms.get_potential_energy()) for atoms in band]
    return Path([_bare(atoms) for atoms in band], energies, optimizer.largest, ask.asked // images)


def _between(ends: tuple[Atoms, Atoms], images: int) -> list[Atoms]:
    first, last = ends
    band = [first.copy(), *(first.copy() for _ in range(images)), last.copy()]
    NEB(band, method="improvedtangent").interpolate(method="idpp", mic=False)
    return band


def _bare(atoms: Atoms) -> Atoms:
    bare = atoms.copy()
    bare.calc = None
    return bare


class _Optimizer(NEBOptimizer):  # type: ignore[misc]  # ASE has no types
    """ASE's, which stops by the largest force on an atom instead of the largest component."""

    largest = np.inf

    def get_residual(self, F: np.ndarray | None = None, X: object = None) -> float:  # noqa: ARG002
        """Return the largest force, eV/angstrom; of the last band without forces."""
        if F is not None:
            self.largest = float(np.linalg.norm(F.reshape(-1, 3), axis=1).max())
        return self.largest


class _Journalled:
    """Energy and forces of images, from the journal as far as it reaches; `asked` so many times."""

    def __init__(
        self, evaluate: Evaluate, journal: Journal[Evaluation], band: Sequence[Atoms], at_once: int
    ) -> None:
        self._evaluate, self._journal = evaluate, journal
        self._band, self._at_once = band, at_once
        self.asked = 0

    def __call__(self, image: int, atoms: Atoms) -> tuple[float, np.ndarray]:
        number = self.asked
        if number < len(self._journal) and not self._fits(number, image, atoms):
            self._journal.cut(number)
        if number == len(self._journal):
            self._compute(image)
        self.asked += 1
        record = self._journal.records[number]
        return record["energy"], np.array(record["forces"])

    def _compute(self, first: int) -> None:
        """Compute an image and those that will be asked for next, and journal them."""
        last = min(first + self._at_once, len(self._band) - 1)  # the ends are known
        images = [_bare(atoms) for atoms in self._band[first:last]]
        found = self._evaluate(first, images)
        if not all(np.isfinite(energy) and np.isfinite(forces).all() for energy, forces in found):
            raise ValueError("an energy or a force is not a finite number")
        for image, (atoms, (energy, forces)) in enumerate(
            zip(images, found, strict=True), start=first
        ):
            self._journal.append(
                {
                    "image": image,
                    "energy": float(energy),
                    "positions": atoms.positions.tolist(),
                    "forces": np.asarray(forces, dtype=float).tolist(),
                }
            )

    def _fits(self, number: int, image: int, atoms: Atoms) -> bool:
        record = self._journal.records[number]
        positions = np.array(record["positions"])
        return (
            record["image"] == image
            and positions.shape == atoms.positions.shape
            and bool((abs(positions - atoms.positions) < SAME_PLACE).all())
        )


class _Image(Calculator):  # type: ignore[misc]  # ASE has no types
    """What ASE asks for an image's energy and forces."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 (ASE's own form)

    def __init__(self, number: int, ask: _Journalled) -> None:
        super().__init__()
        self._number, self._ask = number, ask

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Get both at once."""
        super().calculate(atoms, properties, system_changes)
        energy, forces = self._ask(self._number, self.atoms)
        self.results = {"energy": energy, "forces": forces}
