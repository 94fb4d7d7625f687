"""Hops of the adatom between minima: rows, CSV, sentences, what the figure shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from analysis.adsorption import Table
from analysis.barrier import SiteNet
from analysis.figures.hop import Drawn
from analysis.hop import Hopping
from workflows.report.barriers import SurfaceBarrier, net_of
from workflows.report.csv_text import csv_text
from workflows.report.refinement import refined_results
from workflows.report.results import Results
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import HopValues, Surface

PATHS = "paths.csv"


class HopRow(TypedDict):
    """A hop: `barrier` (eV) along the path, and `by_constraint` from held sites, eV or None.

    With [refine] the barrier is that of single points at saddle and minimum, and `as_relaxed` that
    of the path, else None.

    `length` in angstrom to each of so many equivalent `minima`; `rate` in 1/s, all together,
    `diffusion_coefficient` in cm^2/s and `diffusion_length` in micrometres after 1 s, all with the
    assumed `prefactor` (1/s) at `temperature` (K).
    """

    surface: str
    site: str
    barrier: float
    as_relaxed: float | None
    by_constraint: float | None
    fmax: float
    length: float
    minima: int
    prefactor: float
    temperature: float
    rate: float
    diffusion_coefficient: float
    diffusion_length: float


@dataclass(frozen=True)
class SurfaceHop:
    """A hop on a surface.

    Attributes
    ----------
    surface, site
        Such as "VN(001)", and the site whose free adatom is at the minimum.
    values
        The path.
    hopping
        Rate and diffusion.
    as_relaxed
        The barrier with the relaxation's own settings, where that of `hopping` is refined.
    by_constraint
        The barrier as held sites have it, eV; None if they do not give one.
    net, held
        Where the sites of the surface lie; energies of the adatom held there, eV, from the minimum.
    """

    surface: str
    site: str
    values: HopValues
    hopping: Hopping
    as_relaxed: float | None
    by_constraint: float | None
    net: SiteNet
    held: Mapping[str, float]

    def sentence(self, adatom: str) -> str:
        """Return what is known in words."""
        hopping = self.hopping
        beside = (
            "" if self.by_constraint is None else f" ({self.by_constraint:.2f} eV by constraint)"
        )
        return (
            f"{self.surface}: {adatom} hops from {self.site} over {hopping.barrier:.2f} eV{beside}"
            f"; at {hopping.temperature:g} K {hopping.rate:.1e} times per second, "
            f"{hopping.diffusion_length():.2g} µm in 1 s, with an assumed prefactor of "
            f"{hopping.prefactor:.1e} per second"
        )


def hops(
    results: Results, table: Table, barriers: Sequence[SurfaceBarrier]
) -> Iterator[SurfaceHop]:
    """Yield the hop on each surface where its path is computed."""
    wanted = results.case.hop
    for surface in surfaces(results.case):
        site = getattr(wanted, surface) if wanted else None
        values = results.hop(surface, site) if site else None
        if wanted is None or site is None or values is None:
            continue
        label, net = surface_label(results.case, surface), net_of(results.case, surface)
        if net is None:
            continue
        path = values["energies"][0], max(values["energies"])
        counting = _counting(results, surface, site, path)
        if counting is None:
            continue
        minimum, saddle = counting
        known = next((one.barrier for one in barriers if one.surface == label), None)
        held = {
            of.site: of.energy - minimum
            for of in table.all_sites
            if of.surface == label and of.relaxation == "held" and of.energy is not None
        }
        hopping = Hopping(
            saddle - minimum, values["length"], values["minima"], 1e12 * wanted.prefactor,
            wanted.temperature,
        )  # fmt: skip
        yield SurfaceHop(
            label, site, values, hopping, None if counting is path else path[1] - path[0],
            known.energy if known else None, net, held,
        )  # fmt: skip


def _counting(
    results: Results, surface: Surface, site: str, path: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the energies (eV) of minimum and saddle that count; None if one is missing.

    `path` itself where [refine] changes nothing.
    """
    state = results.state(surface, "hop", site)
    if state is None or results.refined(state.task) is None:
        return path
    saddle = results.single_point(state.task)
    minimum = refined_results(results).adatom(surface, site, "free")
    return None if saddle is None or minimum is None else (minimum["energy"], saddle["energy"])


def hop_row(one: SurfaceHop) -> HopRow:
    """Return a hop as results.json has it."""
    hopping = one.hopping
    return {
        "surface": one.surface,
        "site": one.site,
        "barrier": hopping.barrier,
        "as_relaxed": one.as_relaxed,
        "by_constraint": one.by_constraint,
        "fmax": one.values["fmax"],
        "length": hopping.length,
        "minima": hopping.neighbours,
        "prefactor": hopping.prefactor,
        "temperature": hopping.temperature,
        "rate": hopping.rate,
        "diffusion_coefficient": hopping.diffusion_coefficient,
        "diffusion_length": hopping.diffusion_length(),
    }


def paths_csv(found: Sequence[SurfaceHop]) -> str:
    """Return the paths as CSV: a line per surface and image; angstrom, and eV from the minimum."""
    return csv_text(
        ["surface", "image", "distance_A", "energy_eV"],
        (
            [one.surface, number, distance, energy - one.values["energies"][0]]
            for one in found
            for number, (distance, energy) in enumerate(
                zip(one.values["distances"], one.values["energies"], strict=True)
            )
        ),
    )


def drawn(one: SurfaceHop) -> Drawn:
    """Return what the figure shows of a hop."""
    lowest = one.values["energies"][0]
    return Drawn(
        surface=one.surface,
        distances=one.values["distances"],
        energies=[energy - lowest for energy in one.values["energies"]],
        by_constraint=one.by_constraint,
        net=one.net,
        held=one.held,
    )
