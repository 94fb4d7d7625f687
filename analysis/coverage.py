"""More and more adatoms on a surface: what each gains, against the atom and against the metal.

Energies are total energies of one and the same cell, eV.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Growth = Literal["apart", "layer", "clumps"]

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

    def preferred(self) -> Growth | None:
        """Return how the adatoms of many cells lie when their energy is lowest; None: not decided.

        Apart, one in each cell; in one layer, denser than that; or in clumps: compact clusters, a
        second layer, the bulk metal. At least a cluster or a denser coverage must be known.
        """
        gains: dict[Growth, list[float | None]] = {"apart": [0.0], "layer": [], "clumps": []}
        for count in self.energies:
            if count > 1:
                gains["layer" if self.layers[count] == 1 else "clumps"].append(self.crowding(count))
        gains["clumps"] += [self.clustering(n) for n in self.clusters]
        if 1 not in self.energies or not (gains["layer"] or gains["clumps"]):
            return None
        gains["clumps"].append(self.voltage(1))  # times e: what it loses in the bulk metal
        known = {
            growth: min(energies)
            for growth, some in gains.items()
            if (energies := [gain for gain in some if gain is not None])
        }
        best, *others = sorted(known, key=lambda growth: known[growth])
        return best if all(known[o] - known[best] >= ALIKE for o in others) else None
