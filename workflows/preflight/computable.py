"""Whether cases can be computed; their structures are built here, once for all that follows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ase import Atoms

from workflows.campaign.campaign import Campaign
from workflows.campaign.sweep import gather
from workflows.case.hosts import CrystalHost
from workflows.case.reading import find
from workflows.case.schema import DFT, Case
from workflows.dft.datasets import (
    require_cutoff,
    require_hubbard,
    require_moments,
    require_setups,
)
from workflows.dft.dispersion import require_dispersion
from workflows.dft.functionals import require_functionals
from workflows.steps.initial import Structures, probed_slab, structures
from workflows.system.messages import UserError, naming, shown
from workflows.tasks.graph import Task, structure_name
from workflows.tasks.records import ProbeInputs


@dataclass(frozen=True)
class Computable:
    """Cases that can be computed.

    Attributes
    ----------
    campaign
        The cases and their tasks.
    structures
        The unrelaxed structures of each case, by its name.
    source
        Where the cases come from, for messages: a file, or several.
    """

    campaign: Campaign
    structures: Mapping[str, Structures]
    source: str

    def atoms(self, task: str) -> Atoms:
        """Return the unrelaxed structure that a task is about; `task` is its folder's name."""
        of = self.campaign.tasks[task]
        if of.kind == "probe":
            return probed_slab(cast("Task[ProbeInputs]", of))
        built = self.structures[self.campaign.case_of(task).name]
        return built[of.structure].atoms

    def ideal(self, task: str) -> Atoms | None:
        """Return the ideal slab that gives a task's surface its sites; None on a known net."""
        of, case = self.campaign.tasks[task], self.campaign.case_of(task)
        if of.surface != "host" or not isinstance(case.host, CrystalHost):
            return None
        return self.structures[case.name][structure_name(case, "host", "slab")].atoms


def gather_computable(names_or_paths: Sequence[str]) -> Computable:
    """Return the cases of presets, case files and sweep files, all of which can be computed.

    Parameters
    ----------
    names_or_paths
        Names of presets, and paths of case files and sweep files.

    Raises
    ------
    UserError
        With one line per problem: file, field, what was found, what is allowed.
    """
    source = shown(find(names_or_paths[0])) if len(names_or_paths) == 1 else "cases"
    return require_computable(gather(names_or_paths), source)


def require_computable(campaign: Campaign, source: str) -> Computable:
    """Build the structures of all cases and refuse cases that cannot be computed.

    Parameters
    ----------
    source
        What messages name as the origin of the cases.

    Raises
    ------
    UserError
        A PAW data set is not installed, the cutoff is useless for one, dispersion has no parameters
        for the functional, or an adatom finds no place.
    """
    built = {}
    with naming(source):
        for case in (member.case for member in campaign.members):
            with naming(case.name if campaign.shared else ""):
                built[case.name] = computable_structures(case)
    return Computable(campaign, built, source)


def computable_structures(case: Case) -> Structures:
    """Return the unrelaxed structures of a case that can be computed; see `require_computable`."""
    require_functionals(case)
    _require_computable(case.dft, case.elements)
    if case.refine is not None:
        try:
            _require_computable(case.refined.dft, case.elements)
        except UserError as error:  # the fields have the same names there
            raise UserError(re.sub(r"^dft\.", "refine.", str(error), flags=re.M)) from None
    return structures(case)


def _require_computable(dft: DFT, elements: Sequence[str]) -> None:
    require_setups(dft, elements)
    require_cutoff(dft, elements)
    require_hubbard(dft)
    require_moments(dft)
    require_dispersion(dft)
