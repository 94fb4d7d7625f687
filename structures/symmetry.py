"""The symmetry of a slab: which operations turn it into itself, and displacements that keep it.

A plane-wave code can use no more of it than the operations that carry its grid onto itself.
"""

from dataclasses import dataclass

import numpy as np
import spglib
from ase import Atoms
from ase.constraints import FixAtoms

from structures._arrays import FloatArray, IntArray
from structures._spglib import without_deprecation

TOLERANCE = 1e-5  # angstrom: as far as an operation may carry an atom from another one's place


@dataclass(frozen=True)
class Symmetry:
    """A group of s operations on the n atoms of a cell.

    Attributes
    ----------
    cell_cv
        Cell vectors as rows, shape (3, 3), angstrom.
    rotation_scc
        Rotations and mirrors of scaled coordinates, shape (s, 3, 3): an operation carries r to
        r @ rotation + translation.
    translation_sc
        Translations in scaled coordinates, shape (s, 3).
    image_sa
        Number of the atom to whose place each atom is carried, shape (s, n).
    """

    cell_cv: FloatArray
    rotation_scc: IntArray
    translation_sc: FloatArray
    image_sa: IntArray

    def __len__(self) -> int:
        return len(self.rotation_scc)

    def project(self, vector_av: FloatArray) -> FloatArray:
        """Return the part of displacements or forces that all operations leave as it is.

        Parameters
        ----------
        vector_av
            A vector for each atom, shape (n, 3), in any unit.

        Returns
        -------
        ndarray of shape (n, 3)
            Their mean over all operations, in the same unit.
        """
        projected_av = np.zeros_like(vector_av)
        to_scaled_vc = np.linalg.inv(self.cell_cv)
        for rotation_cc, image_a in zip(self.rotation_scc, self.image_sa, strict=True):
            projected_av[image_a] += vector_av @ to_scaled_vc @ rotation_cc @ self.cell_cv
        return projected_av / len(self)

    def on_grid(self, size_c: tuple[int, int, int]) -> "Symmetry":
        """Return the operations that a plane-wave code can use on its grid.

        They carry every point of the grid to another one. Of a cell that repeats a smaller one,
        only those about the origin are returned: repetitions leave the k-points as they are.

        Parameters
        ----------
        size_c
            Number of grid points along each cell vector.
        """
        size = np.array(size_c)
        step_sc = self.translation_sc * size
        spacing_c = np.linalg.norm(self.cell_cv, axis=1) / size
        near_s = (abs(step_sc - step_sc.round()) * spacing_c < TOLERANCE).all(axis=1)
        exact_sc = step_sc.round() % size / size
        # Point m / N is carried to m R / N: N_j R_ij / N_i must be a whole number.
        maps_s = (self.rotation_scc * size % size[:, None] == 0).all(axis=(1, 2))
        chosen_s = maps_s & near_s
        if (self.rotation_scc == np.eye(3)).all(axis=(1, 2)).sum() > 1:
            chosen_s &= ~exact_sc.any(axis=1)
        return Symmetry(
            self.cell_cv, self.rotation_scc[chosen_s], exact_sc[chosen_s], self.image_sa[chosen_s]
        )


def find_symmetry(atoms: Atoms, tolerance: float = TOLERANCE) -> Symmetry:
    """Find the operations that turn a structure into itself, translations included.

    Atoms are alike if they are of the same element, with the same initial magnetic moment, and
    both held or both free: a relaxation keeps no symmetry that its constraints lack.

    Parameters
    ----------
    atoms
        Structure of n atoms; without a cell only the identity is found.
    tolerance
        How far an operation may carry an atom from another one's place, angstrom.

    Returns
    -------
    Symmetry
        Operations that carry each atom to within the tolerance of a like one and do not exchange a
        periodic cell vector with one that is not.
    """
    kind_a = _kinds(atoms)
    if atoms.cell.rank < 3:
        return _identity(np.eye(3), len(atoms))
    scaled_ac = atoms.cell.scaled_positions(atoms.positions)
    cell = (atoms.cell.tolist(), scaled_ac.tolist(), kind_a.tolist())
    with without_deprecation():
        found = spglib.get_symmetry(cell, symprec=tolerance)
    if found is None:
        return _identity(np.array(atoms.cell), len(atoms))
    # spglib multiplies columns from the left.
    rotation_scc = np.asarray(found["rotations"], dtype=np.int64).transpose(0, 2, 1)
    translation_sc = np.asarray(found["translations"], dtype=np.float64)
    keeps_s = ~rotation_scc[:, np.logical_xor.outer(atoms.pbc, atoms.pbc)].any(axis=1)
    rotation_scc, translation_sc = rotation_scc[keeps_s], translation_sc[keeps_s]
    moved_sac = scaled_ac @ rotation_scc + translation_sc[:, None]
    apart_saac = moved_sac[:, :, None] - scaled_ac
    apart_saac -= apart_saac.round()
    distance_saa = np.linalg.norm(apart_saac @ atoms.cell, axis=-1)
    distance_saa[:, kind_a[:, None] != kind_a] = np.inf
    return Symmetry(
        np.array(atoms.cell), rotation_scc, translation_sc, distance_saa.argmin(axis=-1)
    )


def _identity(cell_cv: FloatArray, atoms: int) -> Symmetry:
    return Symmetry(
        cell_cv, np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)), np.arange(atoms)[None]
    )


def _kinds(atoms: Atoms) -> IntArray:
    """Return a number for each atom, the same for like ones."""
    held_a = held_atoms(atoms)
    moment_a = np.round(atoms.get_initial_magnetic_moments(), 3)
    labels = np.column_stack([atoms.numbers, held_a, moment_a])
    return np.asarray(np.unique(labels, axis=0, return_inverse=True)[1]).reshape(len(atoms))


def held_atoms(atoms: Atoms) -> IntArray:
    """Return 1 for every atom that a FixAtoms constraint holds, 0 for the others; shape (n,)."""
    held_a = np.zeros(len(atoms), dtype=np.int64)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            held_a[constraint.index] = 1
    return held_a
