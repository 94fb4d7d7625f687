"""Barriers of diffusion, as far as they lie in the energies of held sites."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.adsorption import Table
from analysis.barrier import Barrier, SiteNet, bcc_110, lowest_way, rocksalt_001, square_001
from workflows.case.schema import Case, Host
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import Surface


@dataclass(frozen=True)
class SurfaceBarrier:
    """The barrier on a surface; None where too few sites are known."""

    surface: str
    barrier: Barrier | None

    def sentence(self, adatom: str) -> str:
        """Return what is known in words, energies in eV."""
        if self.barrier is None:
            return (
                f"{self.surface}: no estimate of the barrier: {adatom} was held at no site "
                "between two minima"
            )
        found = self.barrier
        return (
            f"{self.surface}: estimate of the barrier by constraint, no relaxed path: from "
            f"{found.minimum} to the next over {found.over}, {found.energy:.2f} eV"
        )


def barriers(case: Case, table: Table) -> tuple[SurfaceBarrier, ...]:
    """Return the barrier on each surface, from the total energies of its held sites.

    Parameters
    ----------
    case
        Which surfaces there are.
    table
        Their sites. A minimum is a site where the free adatom stayed and is not on a saddle.

    Returns
    -------
    tuple of SurfaceBarrier
        One for each surface on a known net, without a defect, that has a held adatom's energy.
    """
    # Beside a defect, sites of one name are unlike: no way leads from one to the next of its name.
    perfect = (s for s in surfaces(case) if s != "host" or case.slab.defect is None)
    found = (_barrier(case, table, surface) for surface in perfect)
    return tuple(barrier for barrier in found if barrier is not None)


def _barrier(case: Case, table: Table, surface: Surface) -> SurfaceBarrier | None:
    net = net_of(case, surface)
    if net is None:
        return None
    name = surface_label(case, surface)
    sites = [s for s in table.all_sites if s.surface == name and s.problem is None]
    energies = {s.site: s.energy for s in sites if s.relaxation == "held" and s.energy is not None}
    if not energies:
        return None
    minima = {
        s.site for s in sites if s.relaxation == "free" and s.ended_at == s.site and not s.saddle
    }
    return SurfaceBarrier(name, lowest_way(net, energies, minima))


def net_of(case: Case, surface: Surface) -> SiteNet | None:
    """Return how the sites of a surface lie; None where only its symmetry is known."""
    if surface == "host":
        if not isinstance(case.host, Host):
            return None
        return rocksalt_001(case.host.cation, case.host.anion)
    return bcc_110(case.adatom) if surface == "metal_110" else square_001(case.adatom)
