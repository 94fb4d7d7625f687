"""The structures of a path, several at a time: each by a group of MPI ranks of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms

from workflows.dft.interface import Calculation
from workflows.dft.team import collective, team


class Answer(NamedTuple):
    """What the group of a structure found: energy (eV), forces (eV/angstrom), and its effort."""

    energy: float
    forces: np.ndarray
    scf_iterations: int
    seconds: float
    retries: list[str]


class Band:
    """Calculations of the images of a path; as many are made at once as there are MPI ranks.

    Parameters
    ----------
    calculations
        One for each image.

    Attributes
    ----------
    at_once
        Number of images that are computed at the same time.
    """

    def __init__(self, calculations: Sequence[Calculation]) -> None:
        self._calculations = calculations
        self.at_once = min(len(calculations), team().size)

    @collective
    def __call__(self, first: int, images: Sequence[Atoms]) -> list[tuple[float, np.ndarray]]:
        """Return energy (eV) and unconstrained forces (eV/angstrom, (n, 3)) of some images.

        Parameters
        ----------
        first
            Number of the first of them in the band, from 0; the others follow it.
        images
            Their structures, `at_once` or fewer.

        Raises
        ------
        NotConverged, AtomsCollide
            As for a calculation, of any image.
        """
        numbers = range(first, first + len(images))

        def work(group: int) -> dict[int, Answer]:
            # an image always has the same group, which has its wavefunctions
            mine = [number for number in numbers if number % self.at_once == group]
            return {number: self._answer(number, images[number - first]) for number in mine}

        answers: dict[int, Answer] = {}
        for of_group in team().in_groups(self.at_once, work):
            answers |= of_group
        for number, answer in answers.items():
            made = self._calculations[number]
            made.scf_iterations, made.seconds = answer.scf_iterations, answer.seconds
            made.retries[:] = answer.retries
        return [(answers[number].energy, answers[number].forces) for number in numbers]

    def _answer(self, number: int, atoms: Atoms) -> Answer:
        made = self._calculations[number]
        energy, forces = made(atoms)
        return Answer(energy, forces, made.scf_iterations, made.seconds, made.retries)
