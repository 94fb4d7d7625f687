"""Sensitivity of the adsorption energy: by how much it moves when one choice is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sensitivity:
    """Adsorption energies of a base and of variants that differ from it in one choice each.

    Attributes
    ----------
    choices
        What is different in each variant, such as 'dft.xc RPBE'.
    base
        For each site the energy of the base, eV; None where there is none yet.
    energies
        For each site an energy per variant, eV; None where there is none (yet).

    Raises
    ------
    ValueError
        If a site has not one energy per variant.
    """

    choices: tuple[str, ...]
    base: Mapping[str, float | None]
    energies: Mapping[str, tuple[float | None, ...]]

    def __post_init__(self) -> None:
        for site in self.base:
            if len(self.energies[site]) != len(self.choices):
                raise ValueError(
                    f"{site}: found {len(self.energies[site])} energies; "
                    f"allowed: {len(self.choices)}, one for each variant"
                )

    def changes(self, site: str) -> tuple[float | None, ...]:
        """Return the energies of a site's variants less that of the base, eV."""
        base = self.base[site]
        energies = self.energies[site]
        return tuple(None if e is None or base is None else e - base for e in energies)
