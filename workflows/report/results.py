"""The look-up: a case, how far its tasks are, and what the finished ones found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ase import Atoms

from workflows.campaign.campaign import Campaign
from workflows.case.schema import Case
from workflows.tasks.atoms_json import from_json
from workflows.tasks.finished import Finished
from workflows.tasks.graph import lattice_given
from workflows.tasks.records import Surface
from workflows.tasks.status import State


@dataclass(frozen=True)
class Results(Finished):
    """The results of one case, as far as they are there.

    `states` has the case's tasks by their names in the case.
    """

    case: Case

    def lattice_constant(self, surface: Surface) -> float | None:
        """Return the lattice constant (angstrom) of a surface's crystal, computed or given."""
        found = self.lattice(surface)
        given = lattice_given(self.case, surface)
        return given if found is None else found["lattice_constant"]

    def site_structure(self, surface: Surface, site: str) -> Atoms | None:
        """Return the structure (angstrom) of the adatom held at a site, if there."""
        density, held = self.density(surface, site), self.adatom(surface, site, "held")
        if density is not None:
            return from_json(density["structure"])
        return None if held is None else from_json(held["structure"])


def results_of(campaign: Campaign, number: int, states: Mapping[str, State]) -> Results:
    """Return the results of one case of a campaign.

    Parameters
    ----------
    campaign
        The cases.
    number
        Of the case, from 0.
    states
        Of all tasks, by folder.
    """
    return Results(campaign.states_of(number, states), campaign.members[number].case)
