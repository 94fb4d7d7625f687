"""More and more adatoms on a surface: what each gains, against the atom and against the metal.

Energies are total energies of one and the same cell, eV.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ALIKE = 0.01  # eV per atom: a smaller difference decides nothing


@dataclass(frozen=True)
class Surface:
    """A surface with different numbers of adatoms.

    Attributes
    ----------
    clean
        Energy of the slab without adatoms.
    energies
        The lowest energy with each number of adatoms.
    layers
        In how many layers the adatoms of these lie.
    clusters
        The energy of a cluster of each number of adatoms.
    atom
        Energy of an isolated atom; None if it is not known.
    metal
        Energy of an atom of the bulk metal; None if it is not known.
    """

    clean: float
    energies: Mapping[int, float]
    layers: Mapping[int, int]
    clusters: Mapping[int, float]
    atom: float | None = None
    metal: float | None = None

    def average(self, count: int) -> float | None:
        """Return the mean adsorption energy of so many adatoms, eV per atom; negative binds."""
        if self.atom is None or count not in self.energies:
            return None
        # E = [E(n) - E(0) - n E_atom] / n
        return (self.energies[count] - self.clean) / count - self.atom

    def differential(self, count: int) -> float | None:
        """Return the adsorption energy of the last of so many adatoms, eV; negative binds."""
        step = self._step(count)
        return None if step is None or self.atom is None else step - self.atom

    def voltage(self, count: int) -> float | None:
        """Return the mean voltage against the metal of so many adatoms, V.

        Of the reaction n M+ + n e- + slab -> M_n/slab against M+/M; without entropy and zero-point
        energy. Aydinol et al., Phys. Rev. B 56, 1354 (1997), Eq. 2.
        """
        if self.metal is None or count not in self.energies:
            return None
        # V = -[E(n) - E(0) - n E_metal] / (n e)
        return self.metal - (self.energies[count] - self.clean) / count

    def voltage_step(self, count: int) -> float | None:
        """Return the voltage (V) against the metal at which the last of so many adatoms comes."""
        step = self._step(count)
        return None if step is None or self.metal is None else self.metal - step

    def _step(self, count: int) -> float | None:
        before = self.clean if count == 1 else self.energies.get(count - 1)
        if before is None or count not in self.energies:
            return None
        return self.energies[count] - before

    @property
    def second_layer(self) -> int | None:
        """The least number of adatoms whose lowest structure has two layers; None if none has."""
        return min((n for n, layers in self.layers.items() if layers > 1), default=None)

    @property
    def plating(self) -> int | None:
        """The least number of adatoms the last of which binds less than in the bulk metal."""
        steps = ((n, self.voltage_step(n)) for n in sorted(self.energies))
        return next((n for n, volts in steps if volts is not None and volts < 0.0), None)

    def clustering(self, count: int) -> float | None:
        """Return what separate adatoms gain by forming a cluster, eV per atom; negative: they do.

        A separate adatom is one in the cell.
        """
        return self._against_separate(self.clusters.get(count), count)

    def crowding(self, count: int) -> float | None:
        """Return what separate adatoms gain by lying so many in a cell, eV per atom."""
        return self._against_separate(self.energies.get(count), count)

    def _against_separate(self, energy: float | None, count: int) -> float | None:
        if energy is None or 1 not in self.energies:
            return None
        # [E(n together) - E(0)] / n - [E(1) - E(0)]
        return (energy - self.clean) / count - (self.energies[1] - self.clean)

    def spreads(self) -> bool | None:
        """Tell whether adatoms stay apart; None if that is not decided.

        They do if nothing that was computed is lower, per atom: no cluster, no denser coverage and
        not the bulk metal. At least a cluster or a denser coverage must be known.
        """
        together = [self.clustering(n) for n in self.clusters]
        together += [self.crowding(n) for n in self.energies if n > 1]
        gains = [gain for gain in together if gain is not None]
        if not gains:
            return None
        in_metal = self.voltage(1)  # times e: what a separate adatom loses in the bulk metal
        lowest = min(gains if in_metal is None else [*gains, in_metal])
        return None if abs(lowest) < ALIKE else lowest > 0.0
