"""How often an adatom hops over a barrier, and how far it gets."""

import math
from dataclasses import dataclass

from ase.units import kB


@dataclass(frozen=True)
class Hopping:
    """Hops between equivalent minima of a surface, by harmonic transition-state theory.

    Attributes
    ----------
    barrier
        Energy of the saddle less that of the minimum, eV.
    length
        Of a hop, angstrom.
    neighbours
        Number of minima that a hop can lead to.
    prefactor
        Attempts per second toward each of them, 1/s.
    temperature
        K.

    References
    ----------
    G. H. Vineyard, J. Phys. Chem. Solids 3, 121 (1957), Eq. 8.
    """

    barrier: float
    length: float
    neighbours: int
    prefactor: float
    temperature: float

    @property
    def rate(self) -> float:
        """Return the hops per second, in all directions together."""
        # Gamma = z nu exp(-E_a / k_B T)
        return self.neighbours * self.prefactor * math.exp(-self.barrier / (kB * self.temperature))

    @property
    def diffusion_coefficient(self) -> float:
        """Return the tracer diffusion coefficient of a random walk in a plane, cm^2/s."""
        # D = Gamma a^2 / 4
        return self.rate * (1e-8 * self.length) ** 2 / 4.0

    def diffusion_length(self, seconds: float = 1.0) -> float:
        """Return the root of the mean square displacement (micrometres) after so many seconds."""
        # L = sqrt(4 D t)
        return 1e4 * math.sqrt(4.0 * self.diffusion_coefficient * seconds)
