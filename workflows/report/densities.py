"""Density differences of the held adatom: their files, and the charge that moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, TypedDict

from analysis.adsorption import Site
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results
from workflows.steps.cubes import cube_of
from workflows.tasks.graph import slab_of, surface_label, surfaces
from workflows.tasks.records import Surface


class DifferenceRow(TypedDict):
    """A density difference: charges in electrons, `boundary` in angstrom, and its file.

    `integral` is that of the file; the charges were counted on the grid of the calculation.
    """

    integral: float | None
    charge_moved: float
    bader_charge: float | None
    boundary: float
    cube: str


class Charge(NamedTuple):
    """Electrons that moved from the adatom to the surface, and the adatom's Bader charge (e)."""

    moved: float
    bader: float | None


Charges: TypeAlias = Mapping[tuple[str, str], Charge]  # by surface, such as 'Na(110)', and site


def difference_row(found: Evaluation, surface: Surface, site: str) -> DifferenceRow | None:
    """Return what is known of a site's density difference; None if it is not computed."""
    values = found.results.density(surface, site)
    state = found.results.state(surface, "density", site)
    if values is None or state is None or state.result is None:
        return None
    picture = found.pictures_on(surface).get(site)
    density = picture.difference if picture else None
    return {
        "integral": density.integral() if density else None,
        "charge_moved": values["charge_moved"],
        "bader_charge": values.get("bader_charge"),
        "boundary": values["boundary"],
        "cube": f"{state.task.name}/{cube_of(state.result.files)}",
    }


def charges(results: Results) -> Charges:
    """Return the charge that moves at every site whose density difference is computed."""
    return {
        (surface_label(results.case, surface), site): Charge(
            values["charge_moved"], values.get("bader_charge")
        )
        for surface in surfaces(results.case)
        for site in slab_of(results.case, surface).sites
        if (values := results.density(surface, site)) is not None
    }


def charge_transfer(found: Evaluation) -> str:
    """Return how the charge that moves to the host differs from that on the adatom's own metal.

    Of each surface the site that binds the held adatom most strongly counts; "" where the charge
    there is not known of the host, or of no surface of the metal.
    """
    known = list(_strongest_sites(found))
    if len(known) < 2 or known[0][0].surface != surface_label(found.case, "host"):
        return ""
    (host, charge), others = known[0], known[1:]
    more = charge.moved > max(on_metal.moved for _, on_metal in others)
    moved = [f"{c.moved:.2f} ({site.site}, {site.relaxation})" for site, c in known]
    bader = ["unknown" if c.bader is None else f"{c.bader:+.2f}" for _, c in known]
    faces = [site.surface for site, _ in others]
    return (
        f"{host.surface} {'takes' if more else 'does not take'} more electrons from "
        f"{found.case.adatom} than {' and '.join(faces)} {'do' if len(faces) > 1 else 'does'}: "
        f"{moved[0]} against {' and '.join(moved[1:])}; Bader charge of {found.case.adatom} "
        f"{bader[0]} against {' and '.join(bader[1:])}"
    )


def _strongest_sites(found: Evaluation) -> Iterator[tuple[Site, Charge]]:
    """Yield each surface's strongest held site and its charge, where both are known."""
    known = charges(found.results)
    for surface in surfaces(found.case):
        site = found.table.strongest("held", surface_label(found.case, surface))
        charge = known.get((site.surface, site.site)) if site else None
        if site is not None and charge is not None:
            yield site, charge
