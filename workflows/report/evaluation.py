"""What a case's results add up to: worked out once, for tables, figures and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from analysis.adsorption import Table
from analysis.figures.isosurfaces import enclosing_isovalue
from analysis.figures.sheet import SitePicture
from analysis.labels import Readings, compare_labels
from analysis.lattice import Ring, rings
from workflows.campaign.campaign import Campaign
from workflows.case.schema import Case, Host
from workflows.preflight.setting_warnings import warnings
from workflows.report.barriers import SurfaceBarrier, barriers
from workflows.report.coverage import Filling, fillings
from workflows.report.electrons import Electrons, electronic_structures
from workflows.report.energies import adsorption_table
from workflows.report.hops import SurfaceHop, hops
from workflows.report.magnetism import spin_warnings, was_probed
from workflows.report.results import Results, results_of
from workflows.report.slab_checks import SlabCheck, slab_checks
from workflows.steps.cubes import read_difference
from workflows.steps.initial import Structures, structures
from workflows.tasks.graph import slab_of, surfaces
from workflows.tasks.records import Surface
from workflows.tasks.status import State, earlier_version


@dataclass(frozen=True)
class Evaluation:
    """What a case's results add up to; each part is worked out when it is first asked for.

    Attributes
    ----------
    results
        What the finished tasks found.
    root
        The directory with the tasks' folders.
    built
        The unrelaxed structures, where they are known; otherwise built when they are needed.
    """

    results: Results
    root: Path
    built: Structures | None = field(default=None, repr=False)

    @property
    def case(self) -> Case:
        """Return the case."""
        return self.results.case

    @cached_property
    def table(self) -> Table:
        """Return adsorption energies and conclusions."""
        return adsorption_table(self.results)

    @cached_property
    def barriers(self) -> tuple[SurfaceBarrier, ...]:
        """Return the barrier of diffusion on each surface, estimated from held sites."""
        return barriers(self.case, self.table)

    @cached_property
    def labels(self) -> Readings | None:
        """Return both readings of the published labels; None without all published sites."""
        held = [site for site in self.table.sites if site.relaxation == "held"]
        ours = {site.site: site.binding for site in held if site.binding is not None}
        published = {site.site: site.published for site in held if site.published is not None}
        return compare_labels(ours, published)

    @property
    def pictures(self) -> Mapping[str, SitePicture]:
        """Return structure and density difference (e/angstrom^3) of the host's sites, by name."""
        return self.pictures_on("host")

    def pictures_on(self, surface: Surface) -> Mapping[str, SitePicture]:
        """Return structure and density difference (e/angstrom^3) of a surface's sites, by name."""
        return self._pictures[surface]

    @cached_property
    def _pictures(self) -> Mapping[Surface, Mapping[str, SitePicture]]:
        return {
            surface: {
                site: picture
                for site in slab_of(self.case, surface).sites
                if (picture := self._picture(surface, site)) is not None
            }
            for surface in surfaces(self.case)
        }

    def _picture(self, surface: Surface, site: str) -> SitePicture | None:
        atoms, difference = self.results.site_structure(surface, site), None
        state = self.results.state(surface, "density", site)
        if state is not None and state.result is not None:
            folder = state.task.folder(self.root)
            difference, _ = read_difference(folder, state.result.files)
        return None if atoms is None else SitePicture(site, atoms, difference)

    @cached_property
    def first_isovalue(self) -> float | None:
        """Return the isovalue (e/angstrom^3) by the rule of Fig. 5, from the host; None without.

        See `analysis.figures.isosurfaces.enclosing_isovalue`.
        """
        found = (picture.difference for picture in self.pictures.values())
        densities = [density for density in found if density is not None]
        return enclosing_isovalue(densities) or None if densities else None

    @cached_property
    def electrons(self) -> tuple[Electrons, ...]:
        """Return the electronic structure of the clean host and of each site, if computed."""
        return tuple(electronic_structures(self.results))

    @cached_property
    def coverages(self) -> tuple[Filling, ...]:
        """Return what is known of each surface with more and more adatoms."""
        return tuple(fillings(self.results))

    @cached_property
    def hops(self) -> tuple[SurfaceHop, ...]:
        """Return what is known of hops on each surface of which a path is wanted."""
        return tuple(hops(self.results, self.table, self.barriers))

    @cached_property
    def checks(self) -> Mapping[str, SlabCheck]:
        """Return the checks of every relaxed slab, by task."""
        return slab_checks(self.results)

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """Return the diffraction rings (angstrom) of a rock salt whose lattice is known."""
        constant = self.results.lattice_constant("host")
        if constant is None or not isinstance(self.case.host, Host):
            return ()
        return tuple(rings(constant, self.case.host.formula))

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return a line for each setting that makes the numbers mean little."""
        built, probed = self.built or structures(self.case), was_probed(self.results)
        found = warnings(self.case, built, probed=probed)
        lines = earlier_version(self.results.states), *spin_warnings(self.results), *found
        return tuple(line for line in lines if line)


def evaluations(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    built: Mapping[str, Structures] | None = None,
) -> Iterator[Evaluation]:
    """Yield what the results of each case add up to, one at a time: each holds its densities.

    Parameters
    ----------
    campaign
        The cases.
    states
        The state of every task, by folder.
    root
        The directory of the run.
    built
        The unrelaxed structures of each case, by its name, where they are known.
    """
    for number, member in enumerate(campaign.members):
        of_case = (built or {}).get(member.case.name)
        yield Evaluation(results_of(campaign, number, states), root, of_case)
