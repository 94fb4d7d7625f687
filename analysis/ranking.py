"""Hosts in order of how strongly they bind an adatom: which wet, which only bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.adsorption import Table
from analysis.dispersion import LABELS, NONE

Verdict = Literal["wets", "only binds", "does not bind", "not known"]


@dataclass(frozen=True)
class RankedHost:
    """A host, with the adatom held at each of its sites; energies in eV.

    Attributes
    ----------
    label
        What the host is called: its formula, or its case where a host occurs more than once.
    adatom
        Symbol of the adatom.
    site
        The site that binds most strongly; None where no site has an energy.
    energies
        Adsorption energy by site, of the sites that have one.
    against_metal
        The adsorption energy of the best site less the cohesive energy of the adatom's metal; None
        where that is not known.
    by_dispersion
        The same by model of dispersion.
    missing
        Sites without an energy.
    """

    label: str
    adatom: str
    site: str | None
    energies: Mapping[str, float]
    against_metal: float | None
    by_dispersion: Mapping[str, float]
    missing: tuple[str, ...]

    @property
    def adsorption_energy(self) -> float | None:
        """Adsorption energy of the best site, eV."""
        return None if self.site is None else self.energies[self.site]

    @property
    def against_metal_by_site(self) -> Mapping[str, float]:
        """Energy of each site less the cohesive energy of the metal, eV; empty if not known."""
        cohesive = self.cohesive_energy
        if cohesive is None:
            return {}
        return {site: energy - cohesive for site, energy in self.energies.items()}

    @property
    def site_spread(self) -> float | None:
        """How far the weakest site lies above the best one, eV; None without two sites."""
        if len(self.energies) < 2:
            return None
        return max(self.energies.values()) - min(self.energies.values())

    @property
    def dispersion_range(self) -> tuple[float, float] | None:
        """Lowest and highest energy against the metal, eV, over two or more dispersion models."""
        values = self.by_dispersion.values()
        return (min(values), max(values)) if len(values) > 1 else None

    @property
    def verdict(self) -> Verdict:
        """Whether a layer of the adatom is more stable on the host than as bulk metal."""
        energy = self.adsorption_energy
        if energy is None:
            return "not known"
        if energy >= 0.0:
            return "does not bind"
        if self.against_metal is None:
            return "not known"
        return _against(self.against_metal)

    @property
    def conclusion(self) -> str:
        """The verdict, and the other one where a model of dispersion turns it round."""
        if self.verdict not in ("wets", "only binds"):
            return self.verdict
        models = [model for model in self.by_dispersion if model != NONE]
        turned = [m for m in models if _against(self.by_dispersion[m]) != self.verdict]
        if not turned:
            return self.verdict
        which = "dispersion" if turned == models else ", ".join(LABELS[m] for m in turned)
        other = "only binds" if self.verdict == "wets" else "wets"
        return f"{self.verdict}; with {which} {other}"

    @property
    def cohesive_energy(self) -> float | None:
        """Energy of an atom in the adatom's metal less that of a free one, eV; None if unknown."""
        if self.adsorption_energy is None or self.against_metal is None:
            return None
        return self.adsorption_energy - self.against_metal


def _against(energy: float) -> Literal["wets", "only binds"]:
    return "wets" if energy < 0.0 else "only binds"


def rank_hosts(tables: Mapping[str, Table]) -> tuple[RankedHost, ...]:
    """Put hosts in order of the adsorption energy of their best site, the strongest first.

    Only held adatoms are compared: every host has them, and they stay at the site that names them.

    Parameters
    ----------
    tables
        The energies of each host by its label.

    Returns
    -------
    tuple of RankedHost
        Hosts without any energy come last.
    """
    hosts = [_ranked(label, table) for label, table in tables.items()]
    return tuple(sorted(hosts, key=lambda host: (host.adsorption_energy is None, _energy(host))))


def _energy(host: RankedHost) -> float:
    return host.adsorption_energy or 0.0


def _ranked(label: str, table: Table) -> RankedHost:
    held = [site for site in table.sites if site.relaxation == "held"]
    energies = {s.site: s.adsorption_energy for s in held if s.adsorption_energy is not None}
    best = table.strongest("held")
    return RankedHost(
        label=label,
        adatom=table.adatom,
        site=None if best is None else best.site,
        energies=energies,
        against_metal=None if best is None else best.against_metal,
        by_dispersion={} if best is None else dict(best.against_metal_by_dispersion),
        missing=tuple(site.site for site in held if site.site not in energies),
    )
