"""Crystals as they come from files: checked, made symmetric, in the cell that indices refer to."""

from typing import Any

import numpy as np
import spglib
from ase import Atoms
from ase.build import make_supercell
from ase.data import covalent_radii
from ase.geometry.dimensionality.rank_determination import RDA
from ase.neighborlist import neighbor_list

from structures._spglib import without_deprecation
from structures.symmetry import find_symmetry

SYMMETRY_TOLERANCE = 0.01  # angstrom: files have a few decimals
MAX_ATOMS = 400

_TOO_CLOSE = 0.5  # of the sum of covalent radii
_BONDED = 1.3  # of the sum of covalent radii


def crystal_of(atoms: Atoms) -> Atoms:
    """Return a crystal that is held together by more than molecules' bonds, in its own symmetry.

    Parameters
    ----------
    atoms
        Structure, checked by `check_atoms`.

    Returns
    -------
    Atoms
        The conventional cell. It is the given one where that has as many atoms as the standard
        one, so that Miller indices mean what they mean there; else the standard one. The first
        cell vector lies along x, the second in the xy-plane.

    Raises
    ------
    ValueError
        If it is not periodic in three dimensions, or consists of molecules.
    """
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        raise ValueError("found a molecule: no cell that repeats in x, y and z; allowed: a crystal")
    if dimensionality(atoms) == 0:
        raise ValueError("found molecules that no bonds connect; allowed: a crystal")
    crystal = conventional_cell(_symmetrized(atoms))
    crystal.set_cell(crystal.cell.cellpar(), scale_atoms=True)
    crystal.wrap(eps=1e-6)
    return crystal


def dimensionality(atoms: Atoms) -> int:
    """Return in how many dimensions bonds go on without end: 0 for molecules, 2 for layers.

    Parameters
    ----------
    atoms
        Structure; atoms are bonded up to 1.3 times the sum of their covalent radii.
    """
    cutoffs = (_BONDED * covalent_radii[atoms.numbers]).tolist()
    found = RDA(len(atoms))
    for i, j, offset_c in zip(*neighbor_list("ijS", atoms, cutoffs), strict=True):
        if j >= i:  # each bond comes twice
            found.insert_bond(int(i), int(j), tuple(map(int, offset_c)))
    found.check()
    _, dimensions = found.get_components()
    return int(max(dimensions.values()))


def conventional_cell(atoms: Atoms) -> Atoms:
    """Return a crystal's conventional cell; see `crystal_of`.

    Raises
    ------
    ValueError
        If its symmetry cannot be determined.
    """
    cell = (atoms.cell.tolist(), atoms.get_scaled_positions().tolist(), atoms.numbers.tolist())
    standard = _standardized(cell)
    if len(standard[2]) == len(atoms):
        return atoms
    lattice_cv, scaled_ac, number_a = standard
    return Atoms(number_a, cell=lattice_cv, scaled_positions=scaled_ac, pbc=True)


def primitive_cell(crystal: Atoms) -> Atoms:
    """Return the primitive cell, with axes and positions as they are in the crystal.

    Raises
    ------
    ValueError
        If the symmetry cannot be determined.
    """
    cell = (
        crystal.cell.tolist(),
        crystal.get_scaled_positions().tolist(),
        crystal.numbers.tolist(),
    )
    with without_deprecation():
        found = spglib.standardize_cell(
            cell, to_primitive=True, no_idealize=True, symprec=SYMMETRY_TOLERANCE
        )
    if found is None:
        raise ValueError("its symmetry cannot be determined; allowed: a crystal")
    lattice_cv, scaled_ac, number_a = found
    return Atoms(number_a, cell=lattice_cv, scaled_positions=scaled_ac, pbc=True)


def conventional_from(primitive: Atoms, crystal: Atoms, relaxed: Atoms) -> Atoms:
    """Return a relaxed primitive cell as the conventional cell that it was taken from.

    Parameters
    ----------
    primitive
        Of `crystal`, see `primitive_cell`.
    crystal
        The conventional cell before the relaxation.
    relaxed
        The primitive cell after it.
    """
    repeats = np.rint(np.asarray(crystal.cell) @ np.linalg.inv(primitive.cell)).astype(int)
    return make_supercell(relaxed, repeats)


def is_fixed_by_symmetry(crystal: Atoms) -> bool:
    """Return whether a crystal is cubic and no atom can move without breaking its symmetry.

    Its energy then depends on the lattice constant alone.
    """
    a, b, c, *angles = crystal.cell.cellpar()
    if max(abs(a - b), abs(a - c)) > 1e-4 or max(abs(np.array(angles) - 90.0)) > 1e-4:
        return False
    symmetry = find_symmetry(crystal, tolerance=SYMMETRY_TOLERANCE)
    trial_av = np.random.default_rng(1).normal(size=(len(crystal), 3))
    rotation_scc = np.unique(symmetry.rotation_scc, axis=0)
    trace_s = rotation_scc.trace(axis1=1, axis2=2)
    threefold_s = (trace_s == 0) & (np.linalg.det(rotation_scc) > 0)
    cubic = threefold_s.sum() >= 8  # both ways about four axes
    return bool(cubic) and bool(abs(symmetry.project(trial_av)).max() < 1e-6)


def empty_space(crystal: Atoms) -> float:
    """Return the widest gap between atoms along the third cell vector's direction, angstrom.

    It is measured along the normal of the first two cell vectors.
    """
    normal_v = np.cross(crystal.cell[0], crystal.cell[1])
    normal_v /= np.linalg.norm(normal_v)
    period = abs(float(crystal.cell[2] @ normal_v))
    z_a = np.sort((crystal.positions @ normal_v) % period)
    return float(np.diff(z_a, append=z_a[0] + period).max())


def _symmetrized(atoms: Atoms) -> Atoms:
    """Return a crystal whose positions and cell have its symmetry to all digits."""
    from ase.spacegroup.symmetrize import refine_symmetry

    exact = atoms.copy()
    with without_deprecation():
        refine_symmetry(exact, symprec=SYMMETRY_TOLERANCE)
    return exact


def _standardized(cell: Any) -> Any:
    with without_deprecation():
        standard = spglib.standardize_cell(cell, symprec=SYMMETRY_TOLERANCE)
    if standard is None:
        raise ValueError("its symmetry cannot be determined; allowed: a crystal")
    return standard


def check_atoms(atoms: Atoms) -> None:
    """Raise ValueError, in one line, unless atoms of known elements lie at sensible places."""
    if not 0 < len(atoms) <= MAX_ATOMS:
        raise ValueError(f"found {len(atoms)} atoms; allowed: 1 to {MAX_ATOMS}")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell).all()):
        raise ValueError("found a number that is not finite; allowed: positions and cell in Å")
    if not (atoms.numbers > 0).all():
        raise ValueError("found an atom 'X' of no element; allowed: chemical elements")
    if atoms.pbc.any() and atoms.cell.rank == 3 and not 1.0 < atoms.get_volume() < 1e5:
        raise ValueError(f"found a cell of {atoms.get_volume():.3g} Å³; allowed: 1 to 100000 Å³")
    radius_a = covalent_radii[atoms.numbers]
    first_p, second_p, distance_p = neighbor_list("ijd", atoms, (_TOO_CLOSE * radius_a).tolist())
    if len(distance_p):
        closest = int(distance_p.argmin())
        pair = " and ".join(str(atoms.symbols[i[closest]]) for i in (first_p, second_p))
        raise ValueError(
            f"found {pair} {distance_p[closest]:.2f} Å from each other; allowed: atoms that do "
            "not overlap"
        )
