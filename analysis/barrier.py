"""How high an adatom must climb from one minimum to the next: an estimate from held sites."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import product

import numpy as np

SAME_LEVEL = 1e-9  # eV


@dataclass(frozen=True)
class SiteNet:
    """Where the sites of a surface lie, in units of a length of its cell.

    Attributes
    ----------
    cell
        Sides of the rectangular surface cell.
    sites
        Name and place of each site in the cell; names come more than once.
    step
        Sites no farther apart than this have no other site between them.
    """

    cell: tuple[float, float]
    sites: tuple[tuple[str, float, float], ...]
    step: float


def rocksalt_001(cation: str, anion: str) -> SiteNet:
    """Return the sites of rock salt (001), in units of the distance between like atoms."""
    quarters = tuple(("bridge", x, y) for x, y in product((0.25, 0.75), repeat=2))
    tops = ((f"top-{cation}", 0.0, 0.0), (f"top-{anion}", 0.5, 0.5))
    return SiteNet((1.0, 1.0), (*tops, ("hollow", 0.5, 0.0), ("hollow", 0.0, 0.5), *quarters), 0.51)


def square_001(symbol: str) -> SiteNet:
    """Return the sites of bcc or fcc (001), in units of the distance between neighbours in it."""
    bridges = (("bridge", 0.5, 0.0), ("bridge", 0.0, 0.5))
    return SiteNet((1.0, 1.0), ((f"top-{symbol}", 0.0, 0.0), ("hollow", 0.5, 0.5), *bridges), 0.71)


def bcc_110(symbol: str) -> SiteNet:
    """Return the sites of bcc (110), in units of the lattice constant."""
    height = math.sqrt(2.0)
    off = 0.25 / height  # of a hollow from the long bridge beside it
    atoms = ((0.0, 0.0), (0.5, 0.5 * height))
    long_bridges = ((0.5, 0.0), (0.0, 0.5 * height))
    sites = [(f"top-{symbol}", x, y) for x, y in atoms]
    sites += [("long-bridge", x, y) for x, y in long_bridges]
    sites += [("hollow", x, y + sign * off) for x, y in long_bridges for sign in (-1.0, 1.0)]
    sites += [("short-bridge", x, y * height) for x, y in product((0.25, 0.75), repeat=2)]
    return SiteNet((1.0, height), tuple(sites), 0.54)


@dataclass(frozen=True)
class Barrier:
    """The lowest way from a minimum to the next one of its kind, over sites with known energies.

    Attributes
    ----------
    minimum
        Site of lowest energy.
    over
        Highest site on the way.
    energy
        Of that site less that of the minimum, eV.
    """

    minimum: str
    over: str
    energy: float


def lowest_way(net: SiteNet, energies: Mapping[str, float], minima: Set[str]) -> Barrier | None:
    """Find the way from the lowest minimum to the next one of its kind that climbs least.

    It leads from site to site. Two minima are never neighbours on it: there is a pass between them
    of which nothing is known.

    Parameters
    ----------
    net
        Where the sites lie.
    energies
        Of the sites with the adatom held there, eV; on any common scale.
    minima
        Sites where a free adatom stays; the site of lowest energy if there is none.

    Returns
    -------
    Barrier or None
        None if no way leads over sites with known energies.
    """
    if not energies:
        return None
    stays = {site for site in minima if site in energies} or {
        min(energies, key=energies.__getitem__)
    }
    lowest = min(stays, key=energies.__getitem__)
    for over in sorted(energies, key=energies.__getitem__):
        open_sites = {s for s, e in energies.items() if e <= energies[over] + SAME_LEVEL}
        if lowest in open_sites and _reaches_its_image(net, lowest, open_sites, stays):
            return Barrier(lowest, over, energies[over] - energies[lowest])
    return None


def _reaches_its_image(net: SiteNet, lowest: str, open_sites: Set[str], stays: Set[str]) -> bool:
    """Tell whether a way over open sites leads from a site to another one of its name."""
    copies = [
        (name, np.array([x + net.cell[0] * i, y + net.cell[1] * j]))
        for i, j in product((-1, 0, 1), repeat=2)
        for name, x, y in net.sites
        if name in open_sites
    ]
    first = next(
        n for n, (name, place) in enumerate(copies) if name == lowest and (place >= 0).all()
    )
    seen, waiting = {first}, [first]
    while waiting:
        name, place = copies[waiting.pop()]
        for number, (other, there) in enumerate(copies):
            between_minima = name in stays and other in stays
            near = np.linalg.norm(place - there) <= net.step
            if number in seen or other == name or between_minima or not near:
                continue
            if other == lowest:
                return True
            seen.add(number)
            waiting.append(number)
    return False
