"""Energies with other functionals on a density that is there, and the ensemble of BEEF-vdW.

GPAW 26.7 evaluates a functional on a converged density in plane waves, too, van der Waals density
functionals (by its own FFT) and meta-GGAs included.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from analysis.functionals import BEEF
from workflows.case.schema import Case
from workflows.system.messages import UserError

# How GPAW calls the functionals
NAMES = {
    "PBE": "PBE",
    "RPBE": "RPBE",
    "PBEsol": "PBEsol",
    BEEF: BEEF,
    "r2SCAN": "MGGA_X_R2SCAN+MGGA_C_R2SCAN",
}


# Arrays on its grid: 20 interpolating functions of the kernel, and what is made of them
INTERPOLATIONS = 26


WITHOUT_LIBXC = ("PBE", "RPBE")


def energy_change(calc: Any, functional: str) -> float:
    """Return the energy (eV) with a functional less that of the calculation, on its density."""
    with warnings.catch_warnings():
        # It is about self-consistency with a meta-GGA, and there is none here.
        warnings.filterwarnings("ignore", message="libxc should be compiled with --disable-fhc")
        return float(calc.get_xc_difference(NAMES[functional]))


def beef_contributions(calc: Any) -> list[float]:
    """Return what the ensemble of BEEF-vdW multiplies with its random coefficients, eV.

    The 30 Legendre polynomials of its exchange, then the LDA and the PBE correlation: energies of
    the density that is there, as gpaw.xc.bee has them for that of BEEF-vdW.
    """
    from gpaw.xc import XC
    from gpaw.xc.bee import BEE2
    from gpaw.xc.kernel import XCNull

    nothing, pbe = calc.get_xc_difference(XC(XCNull())), calc.get_xc_difference("GGA_C_PBE")
    # BEE2 adds the PBE correlation to the polynomial.
    exchange = [calc.get_xc_difference(XC(BEE2([4, 0, p, 1.0]))) - pbe for p in range(30)]
    correlation = [calc.get_xc_difference("LDA_C_PW") - nothing, pbe - nothing]
    return [float(energy) for energy in np.array([*exchange, *correlation])]


def van_der_waals_bytes(grid: tuple[int, int, int], pbc: Iterable[bool]) -> float:
    """Return the memory that the non-local correlation of BEEF-vdW takes, bytes.

    Parameters
    ----------
    grid
        Points of the density's grid along each axis.
    pbc
        Whether the system is periodic along each axis. Along others GPAW's FFT has a power of two.
    """
    points = math.prod(
        n if periodic else 1 << (n - 1).bit_length() for n, periodic in zip(grid, pbc, strict=True)
    )
    return 8.0 * points * INTERPOLATIONS


def require_functionals(case: Case) -> None:
    """Refuse functionals that GPAW has only with libxc where it was built without.

    Raises
    ------
    UserError
        With what was found and what is allowed.
    """
    import gpaw

    wanted = [name for name in case.checks.functionals if name not in WITHOUT_LIBXC]
    if wanted and not gpaw.get_libraries()["libxc"]:
        raise UserError(
            f"checks.functionals: found {wanted[0]!r}, with a GPAW that was built without libxc; "
            f"allowed: {', '.join(map(repr, WITHOUT_LIBXC))}"
        )
