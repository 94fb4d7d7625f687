"""Convergence of the adsorption energy: from which value of a setting on it no longer changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Convergence:
    """Adsorption energies over one setting, from its smallest value to its largest.

    Attributes
    ----------
    over
        The setting, and how its values are written: 'cutoff' and ('250 eV', ...).
    sizes
        A number for each value that says how large it is, for the axis of a plot.
    energies
        For each site an energy per value, eV; None where there is none yet.
    tolerance
        How far an energy may be from that of the largest value, eV.
    """

    over: str
    values: tuple[str, ...]
    sizes: tuple[float, ...]
    energies: Mapping[str, tuple[float | None, ...]]
    tolerance: float

    def __post_init__(self) -> None:
        lengths = {len(self.values), len(self.sizes), *map(len, self.energies.values())}
        if len(lengths) != 1:
            raise ValueError(f"found {sorted(lengths)} entries; allowed: one for each value")

    def differences(self, site: str) -> tuple[float | None, ...]:
        """Return the energies of a site less that of the largest value, eV."""
        *_, last = energies = self.energies[site]
        return tuple(None if e is None or last is None else e - last for e in energies)

    def holds(self, number: int) -> bool:
        """Tell whether all sites are within the tolerance at the value of this number."""
        found = [self.differences(site)[number] for site in self.energies]
        # Decimal fractions have no exact binary form: a difference of 0.02 is within 0.02.
        return all(d is not None and abs(d) <= self.tolerance * (1 + 1e-9) for d in found)

    @property
    def recommended(self) -> int | None:
        """Return the number of the smallest value from which on all larger ones hold.

        None if only the largest holds, which it does by itself, or if energies are missing.
        """
        count = len(self.values)
        holding = [self.holds(number) for number in range(count)]
        found = next((n for n in range(count - 1) if all(holding[n:])), None)
        return found if self.energies else None

    def sentence(self) -> str:
        """Say which value is recommended, or why none is."""
        within = f"{1000 * self.tolerance:g} meV"
        sites = ", ".join(self.energies)
        if self.recommended is not None:
            return (
                f"recommended {self.over}: {self.values[self.recommended]}; from there on {sites} "
                f"stay{'s' if len(self.energies) == 1 else ''} within {within} of {self.values[-1]}"
            )
        missing = [
            value
            for number, value in enumerate(self.values)
            if any(energies[number] is None for energies in self.energies.values())
        ]
        if missing:
            return f"no {self.over} is recommended: energies are missing at {', '.join(missing)}"
        return (
            f"no {self.over} is recommended: none but the largest, {self.values[-1]}, is within "
            f"{within} of it; larger values are needed"
        )
