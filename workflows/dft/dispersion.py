"""London dispersion on top of DFT: three models, by the packages of their authors (no GPAW)."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from workflows.case.schema import DFT
from workflows.system.messages import UserError

Model = Literal["d3bj", "d3zero", "d4"]


MODELS: tuple[Model, ...] = get_args(Model)


# the package that each model comes from
PACKAGES: dict[Model, str] = {"d3bj": "dftd3", "d3zero": "dftd3", "d4": "dftd4"}


# The package of D4 takes every cell as periodic along z, too, and gets the atomic charges from an
# Ewald sum that errs in slender cells. So it is given cells at least this high (angstrom), repeated
# sideways until none is more slender than this: adsorption energies are then converged to 1e-3 eV.
LEAST_HEIGHT, MOST_SLENDER = 30.0, 5.5


def dispersion(atoms: Atoms, model: Model, xc: str) -> tuple[float, np.ndarray]:
    """Return the dispersion energy and forces of a structure, with the packages' own parameters.

    Parameters
    ----------
    atoms
        Structure (angstrom); periodic where its `pbc` says so.
    model
        ``'d3bj'`` and ``'d3zero'``: pairs only (J. Chem. Phys. 132, 154104 (2010); J. Comput. Chem.
        32, 1456 (2011)). ``'d4'``: with charge-dependent coefficients and a three-body term
        (J. Chem. Phys. 150, 154122 (2019); periodic: Phys. Chem. Chem. Phys. 22, 8499 (2020)).
    xc
        Functional, such as ``'PBE'``.

    Returns
    -------
    energy : float
        eV.
    forces : numpy.ndarray
        eV/angstrom, unconstrained, of shape (number of atoms, 3).
    """
    system = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if model == "d4" and atoms.pbc[:2].all() and not atoms.pbc[2]:
        system = _high_and_wide(system)
    system.calc = _calculator(model, xc)
    energy = float(system.get_potential_energy()) * len(atoms) / len(system)
    return energy, np.array(system.get_forces())[: len(atoms)]


def dispersion_stress(atoms: Atoms, model: Model, xc: str) -> np.ndarray:
    """Return the stress of a crystal by dispersion, eV/angstrom^3, of shape (3, 3).

    Parameters
    ----------
    atoms, model, xc
        As for `dispersion`; periodic in three dimensions.
    """
    system = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
    system.calc = _calculator(model, xc)
    return np.array(system.get_stress(voigt=False))


def _calculator(model: Model, xc: str) -> Calculator:
    """Return the calculator of a model's package."""
    from dftd3.ase import DFTD3
    from dftd4.ase import DFTD4

    return DFTD4(method=xc) if model == "d4" else DFTD3(method=xc, damping=model)


def _high_and_wide(slab: Atoms) -> Atoms:
    """Return a slab in a cell in which the package's sums for it are converged."""
    high = slab.copy()
    high.cell[2, 2] = height = max(LEAST_HEIGHT, slab.cell[2, 2])
    widths = 1.0 / np.linalg.norm(slab.cell.reciprocal()[:2], axis=1)  # of an oblique cell, too
    nx, ny = (math.ceil(height / MOST_SLENDER / width) for width in widths)
    return high.repeat((nx, ny, 1))  # the slab's own atoms are the first ones


def dispersion_energies(atoms: Atoms, xc: str) -> dict[str, float]:
    """Return the dispersion energy of each model that has parameters for a functional, eV.

    Rounded to 1e-6 eV: the packages' sums differ beyond it from one machine to another.
    """
    return {
        model: round(dispersion(atoms, model, xc)[0], 6)
        for model in MODELS
        if has_parameters(model, xc)
    }


def has_parameters(model: Model, xc: str) -> bool:
    """Tell whether a model was fitted for a functional."""
    from dftd3.interface import RationalDampingParam, ZeroDampingParam
    from dftd4.interface import DampingParam

    parameters = {"d3bj": RationalDampingParam, "d3zero": ZeroDampingParam, "d4": DampingParam}
    try:
        parameters[model](method=xc)
    except RuntimeError:  # the packages' answer to a functional that they do not know
        return False
    return True


def require_dispersion(dft: DFT) -> None:
    """Refuse a model of dispersion that has no parameters for the functional.

    Raises
    ------
    UserError
        With what was found and what is allowed.
    """
    if dft.dispersion != "none" and not has_parameters(dft.dispersion, dft.xc):
        fitted = ", ".join(repr(model) for model in MODELS if has_parameters(model, dft.xc))
        also = f", {fitted}" if fitted else ""
        raise UserError(
            f"dft.dispersion: found {dft.dispersion!r}, which has no parameters for {dft.xc}; "
            f"allowed with {dft.xc}: 'none'{also}"
        )
