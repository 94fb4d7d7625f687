"""Lattice spacings and the powder diffraction pattern, to hold a lattice against experiment."""

import math
from dataclasses import dataclass

from ase import Atoms

from structures._checks import check_length
from structures._spglib import without_deprecation


@dataclass(frozen=True)
class Reflection:
    """One line of a powder pattern.

    Attributes
    ----------
    hkl
        Miller indices of the lattice planes, in the conventional cell.
    d_spacing
        Distance between the planes, angstrom.
    two_theta
        Scattering angle, degrees.
    intensity
        Height relative to the strongest line, 0 to 100.
    """

    hkl: tuple[int, int, int]
    d_spacing: float
    two_theta: float
    intensity: float


def interplanar_spacing(lattice_constant: float, hkl: tuple[int, int, int]) -> float:
    """Compute the distance between the (hkl) planes of a cubic lattice.

    Parameters
    ----------
    lattice_constant
        Edge a of the cube, angstrom.
    hkl
        Miller indices, not all zero.

    Returns
    -------
    float
        d = a / √(h² + k² + l²), angstrom.

    Raises
    ------
    ValueError
        If the lattice constant is not positive and finite, or all indices are zero.
    """
    check_length("lattice_constant", lattice_constant)
    if not any(hkl):
        raise ValueError(f"hkl is {hkl}: one index at least must not be zero")
    return lattice_constant / math.hypot(*hkl)


def powder_pattern(bulk: Atoms, wavelength: str = "CuKa") -> list[Reflection]:
    """Compute the X-ray powder pattern of a crystal up to 2θ = 90°.

    Parameters
    ----------
    bulk
        Crystal, periodic in three dimensions; any cell of it will do.
    wavelength
        Radiation, such as 'CuKa', 'CuKa1' or 'MoKa'.

    Returns
    -------
    list of Reflection
        In order of increasing angle.

    Raises
    ------
    ValueError
        If the radiation is unknown or the crystal is not periodic.

    References
    ----------
    pymatgen's XRDCalculator, after M. De Graef and M. E. McHenry, Structure of Materials (2012).
    """
    # pymatgen takes seconds to import: only who wants a pattern waits for it.
    from pymatgen.analysis.diffraction.xrd import WAVELENGTHS, XRDCalculator
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    if wavelength not in WAVELENGTHS:
        raise ValueError(
            f"wavelength is {wavelength!r}: it must be one of {', '.join(WAVELENGTHS)}"
        )
    if not bulk.pbc.all():
        raise ValueError(f"{bulk.symbols} is periodic along {bulk.pbc.sum()} of 3 cell vectors")
    structure = AseAtomsAdaptor.get_structure(bulk)
    # Miller indices mean what a paper means by them only in the conventional cell.
    with without_deprecation():  # pymatgen calls spglib
        conventional = SpacegroupAnalyzer(structure).get_conventional_standard_structure()
    pattern = XRDCalculator(wavelength).get_pattern(conventional)
    return [
        Reflection(tuple(families[0]["hkl"]), float(d_spacing), float(two_theta), float(height))
        for families, d_spacing, two_theta, height in zip(
            pattern.hkls, pattern.d_hkls, pattern.x, pattern.y, strict=True
        )
    ]
