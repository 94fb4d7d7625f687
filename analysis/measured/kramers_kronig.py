"""The Kramers-Kronig check: whether the cell was linear and did not change while it was measured.

A chain of RC elements obeys the Kramers-Kronig relations whatever its resistances are. What such a
chain cannot describe, beyond the noise, was measured on a cell that drifted, for example.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from analysis.measured.circuit import Complex, Real, spectrum

FEWEST, PER_DECADE = 3, 7  # RC elements: of the shortest chain, and of the longest per decade
LARGEST = 0.01  # relative misfit up to which the check is passed


@dataclass(frozen=True, eq=False)
class Check:
    """How well a chain of RC elements describes a spectrum.

    Attributes
    ----------
    frequencies
        In Hz with shape (n,), falling.
    residuals
        (measured - chain)/|measured| with shape (n,).
    elements
        Number of RC elements.
    """

    frequencies: Real
    residuals: Complex
    elements: int

    @property
    def misfit(self) -> float:
        """Root mean square of the relative residuals, corrected for what the chain has fitted."""
        n = len(self.frequencies)
        # sqrt(2 s^2), s^2 = sum r^2/(2n - p) over real and imaginary parts
        return sqrt(2.0 * float(np.sum(np.abs(self.residuals) ** 2)) / _freedom(n, self.elements))

    @property
    def passed(self) -> bool:
        """Whether the spectrum obeys the Kramers-Kronig relations within 1 %."""
        return self.misfit <= LARGEST


def check(frequency: ArrayLike, z: ArrayLike) -> Check:
    """Fit chains of RC elements by linear least squares, and keep the best.

    That is the one with the least misfit per degree of freedom: longer ones follow the noise.

    Parameters
    ----------
    frequency
        In Hz with shape (n,).
    z
        Impedances in ohm with shape (n,).

    Returns
    -------
    Check
        Relative residuals and the number of elements.

    Raises
    ------
    ValueError
        As `analysis.measured.circuit.spectrum`.

    References
    ----------
    B. A. Boukamp, J. Electrochem. Soc., 1995, 142, 1885 (the chain, with up to seven elements per
    decade).
    """
    f, measured = spectrum(frequency, z)
    most = min(len(f), max(FEWEST, round(PER_DECADE * np.log10(f[0] / f[-1]))))
    chains = (Check(f, _chain(f, measured, m), m) for m in range(FEWEST, most + 1))
    return min(chains, key=lambda chain: chain.misfit)


def _freedom(n: int, elements: int) -> int:
    """Give the degrees of freedom: 2n real numbers less the parameters R, L, C and R_k."""
    return 2 * n - elements - 3


def _chain(f: Real, measured: Complex, elements: int) -> Complex:
    """Give the relative residuals of a chain of this many RC elements."""
    s, size = 2j * pi * f, np.abs(measured)
    times = np.geomspace(1.0 / (2.0 * pi * f[0]), 1.0 / (2.0 * pi * f[-1]), elements)
    # Z = R + jωL + 1/(jωC) + sum R_k/(1 + jωτ_k), in each column scaled to 1
    columns = [np.ones(len(f)), s / abs(s[0]), abs(s[-1]) / s]
    columns += [1.0 / (1.0 + s * time) for time in times]
    weighted = np.stack(columns, axis=1) / size[:, None]
    target = measured / size
    matrix = np.concatenate([weighted.real, weighted.imag])
    found = np.linalg.lstsq(matrix, np.concatenate([target.real, target.imag]), rcond=None)[0]
    residuals: Complex = target - weighted @ found
    return residuals
