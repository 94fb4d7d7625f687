"""Energies with other functionals at the same structures, and the ensemble of BEEF-vdW."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.adsorption import Site, Table
from analysis.functionals import deviation
from workflows.report.results import Results
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import Surface
from workflows.tasks.status import State

CAVEAT = (
    "Each functional on the density of the case's own, at the same structures, without added "
    "dispersion; ± is the standard deviation of the BEEF-vdW ensemble."
)


class Energies(NamedTuple):
    """Energies (eV) by functional, and the contributions (eV) to that of the ensemble."""

    by_functional: dict[str, float]
    contributions: np.ndarray | None


def with_functionals(table: Table, results: Results) -> Table:
    """Return a table with the energies of other functionals, where they are known.

    Parameters
    ----------
    table
        Of these results.
    results
        Of a case with `checks.functionals`.
    """
    named = {surface_label(results.case, surface): surface for surface in surfaces(results.case)}
    cohesive = _cohesive(results)

    def known(site: Site) -> Site:
        energies = _adsorption(results, named[site.surface], site)
        if site.problem is not None or energies is None:
            return site
        return _with(site, energies, cohesive)

    return replace(
        table,
        sites=tuple(map(known, table.sites)),
        metal_sites=tuple(map(known, table.metal_sites)),
    )


def _with(site: Site, energies: Energies, cohesive: Energies | None) -> Site:
    found = replace(site, by_functional=energies.by_functional)
    if energies.contributions is not None:
        contributions = tuple(energies.contributions.tolist())
        found = replace(found, ensemble=contributions, deviation=deviation(contributions))
    if cohesive is None:
        return found
    against = {
        name: energy - cohesive.by_functional[name]
        for name, energy in energies.by_functional.items()
        if name in cohesive.by_functional
    }
    found = replace(found, against_metal_by_functional=against)
    if energies.contributions is None or cohesive.contributions is None:
        return found
    changes = (energies.contributions - cohesive.contributions).tolist()
    return replace(found, against_metal_deviation=deviation(changes))


def _adsorption(results: Results, surface: Surface, site: Site) -> Energies | None:
    """Return a site's adsorption energies, against the bare slab of its row; None if not known."""
    if site.reference == "same basin":
        bare = results.state(surface, "basin", site.site, site.relaxation)
    else:
        bare = results.state(surface, "slab")
    whole, atom = results.state(surface, site.relaxation, site.site), results.state("metal", "atom")
    # E_ads = E(slab + adatom) - E(slab) - E(adatom)
    return _sum(results, [(1.0, whole), (-1.0, bare), (-1.0, atom)])


def _cohesive(results: Results) -> Energies | None:
    """Return the metal's cohesive energies per atom; None if not known."""
    bulk, lattice = results.state("metal", "lattice"), results.lattice("metal")
    if lattice is None:
        return None
    # E_coh = E(bulk) / N - E(atom)
    return _sum(results, [(1.0 / lattice["atoms"], bulk), (-1.0, results.state("metal", "atom"))])


def _sum(results: Results, terms: Sequence[tuple[float, State | None]]) -> Energies | None:
    """Return the sum of tasks' energies with these weights; None where one is not known."""
    found = [results.single_point(state.task) if state else None for _, state in terms]
    known = [values for values in found if values is not None and "functionals" in values]
    if len(known) < len(terms):
        return None
    weights = [weight for weight, _ in terms]
    by_functional = {
        name: sum(w * of["functionals"][name] for w, of in zip(weights, known, strict=True))
        for name in known[0]["functionals"]
        if all(name in of["functionals"] for of in known)
    }
    ensembles = [of["ensemble"] for of in known if "ensemble" in of]
    whole = len(ensembles) == len(known)
    return Energies(by_functional, np.array(weights) @ np.array(ensembles) if whole else None)


def functional_names(sites: Iterable[Site]) -> list[str]:
    """Return the functionals that there are energies with, the case's own first."""
    return list(dict.fromkeys(name for site in sites for name in site.by_functional))


class FunctionalRow(NamedTuple):
    """A held adatom: energies (eV) by functional, their deviation; the same against the metal."""

    surface: str
    site: str
    energies: Sequence[float | None]
    against_metal: Sequence[float | None]


class Spread(NamedTuple):
    """The energies of held adatoms with each functional, and how to read them."""

    labels: Sequence[str]
    rows: Sequence[FunctionalRow]
    caveat: str = CAVEAT


def spread(sites: Iterable[Site]) -> Spread:
    """Return the energies of all held adatoms with each functional; no rows where none is known."""
    held = [site for site in sites if site.relaxation == "held" and site.by_functional]
    names = functional_names(held)
    rows = [
        FunctionalRow(
            site.surface,
            site.site,
            [*map(site.by_functional.get, names), site.deviation],
            [*map(site.against_metal_by_functional.get, names), site.against_metal_deviation],
        )
        for site in held
    ]
    return Spread([*names, "±"], rows)
