"""Whether cases can be computed: data sets, cutoffs, structures."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.campaign.campaign import Campaign
from workflows.campaign.sweep import gather
from workflows.case.reading import find
from workflows.dft.datasets import require_cutoff, require_setups
from workflows.steps.initial import structures
from workflows.system.messages import naming, shown


def gather_computable(names_or_paths: Sequence[str]) -> Campaign:
    """Return the campaign of presets, case files and sweep files, all of which can be computed.

    Raises
    ------
    UserError
        With one line per problem: file, field, what was found, what is allowed.
    """
    campaign = gather(names_or_paths)
    with naming(shown(find(names_or_paths[0])) if len(names_or_paths) == 1 else "cases"):
        require_computable(campaign)
    return campaign


def require_computable(campaign: Campaign) -> None:
    """Refuse cases without PAW data sets, with a useless cutoff, or without room for an adatom."""
    for case in (member.case for member in campaign.members):
        with naming(case.name if campaign.shared else ""):
            require_setups(case.dft, case.elements)
            require_cutoff(case.dft, case.elements)
            structures(case)
