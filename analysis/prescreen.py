"""Hosts in order by a pretrained potential, and how far that order and its energies are DFT's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.ranking import RankedHost


@dataclass(frozen=True)
class ScreenedHost:
    """A host, with the adatom held at each of its sites, by a potential; energies in eV.

    Attributes
    ----------
    label
        What the host is called.
    adatom
        Symbol of the adatom.
    against_metal
        Energy of the adatom by site, less that of an atom of its metal, both by the potential.
    missing
        Why a site has none, by site.
    """

    label: str
    adatom: str
    against_metal: Mapping[str, float]
    missing: Mapping[str, str]

    @property
    def site(self) -> str | None:
        """The site that binds most strongly; None where no site has an energy."""
        return min(self.against_metal, key=self.against_metal.__getitem__, default=None)

    @property
    def lowest(self) -> float | None:
        """The energy of that site, eV."""
        return None if self.site is None else self.against_metal[self.site]


@dataclass(frozen=True)
class Pair:
    """A site that has both energies, each less that of an atom of the adatom's metal, eV."""

    label: str
    site: str
    screened: float
    computed: float
    best: bool
    """Whether it is the best site of its host by DFT."""


@dataclass(frozen=True)
class Agreement:
    """How a potential compares with DFT; energies in eV.

    Attributes
    ----------
    mean
        Mean of potential less DFT over all sites.
    largest
        Largest deviation from that mean.
    in_order
        Pairs of hosts whose best sites have the same order in both.
    pairs_of_hosts
        All pairs of hosts.
    """

    mean: float
    largest: float
    in_order: int
    pairs_of_hosts: int


def order_hosts(hosts: Sequence[ScreenedHost]) -> tuple[ScreenedHost, ...]:
    """Put hosts in order of their best site, the strongest first; those without energy last."""
    return tuple(sorted(hosts, key=lambda host: (host.lowest is None, host.lowest or 0.0)))


def pair_up(screened: Sequence[ScreenedHost], computed: Sequence[RankedHost]) -> tuple[Pair, ...]:
    """Return the sites of hosts of one label that have an energy by the potential and by DFT.

    Parameters
    ----------
    screened
        By the potential.
    computed
        By DFT; those without the energy of the metal are left out.
    """
    by_label = {host.label: host for host in computed}
    return tuple(
        Pair(host.label, site, energy, dft[site], site == by_label[host.label].site)
        for host in screened
        if host.label in by_label
        for dft in [by_label[host.label].against_metal_by_site]
        for site, energy in host.against_metal.items()
        if site in dft
    )


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Compare a potential with DFT.

    Parameters
    ----------
    pairs
        One at least.
    """
    off_p = np.array([pair.screened - pair.computed for pair in pairs])
    lowest: dict[str, tuple[float, float]] = {}
    for pair in pairs:
        screened, computed = lowest.get(pair.label, (np.inf, np.inf))
        lowest[pair.label] = min(screened, pair.screened), min(computed, pair.computed)
    orders = [(a[0] < b[0]) == (a[1] < b[1]) for a, b in combinations(lowest.values(), 2)]
    mean = float(off_p.mean())
    return Agreement(mean, float(abs(off_p - mean).max()), sum(orders), len(orders))
