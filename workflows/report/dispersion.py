"""What dispersion adds: the energies of finished relaxations with each model, without any DFT."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from ase import Atoms

from analysis.adsorption import Site, adsorption_energy, cohesive_energy
from analysis.dispersion import LABELS, NONE
from workflows.case.schema import Case
from workflows.dft.dispersion import dispersion_energies
from workflows.steps.initial import crystal
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.finished import Finished
from workflows.tasks.graph import Task
from workflows.tasks.records import LatticeInputs, LatticeValues, RelaxedValues

DISPUTED = (
    "A spread, not a correction: D3 has the coefficients of neutral atoms, and was found to fail "
    "for Na⁺ in water (arXiv:2303.17273)."
)


Energies = dict[str, float]  # eV, by model of dispersion; 'none' is plain DFT


class SpreadRow(NamedTuple):
    """A held adatom: energies (eV) by model, then the same against the metal."""

    surface: str
    site: str
    energies: Sequence[float | None]


class Spread(NamedTuple):
    """The energies of held adatoms with each model of dispersion, and how to read them."""

    labels: Sequence[str]
    rows: Sequence[SpreadRow]
    caveat: str = DISPUTED


def spread(sites: Iterable[Site]) -> Spread:
    """Return the energies of all held adatoms with each model; no rows without two models."""
    held = [site for site in sites if site.relaxation == "held"]
    models = [model for model in LABELS if any(model in site.by_dispersion for site in held)]
    rows = [
        SpreadRow(
            site.surface,
            site.site,
            [
                energies.get(model)
                for energies in (site.by_dispersion, site.against_metal_by_dispersion)
                for model in models
            ],
        )
        for site in held
        if len(models) > 1
    ]
    return Spread([LABELS[model] for model in models], rows)


def adsorption_energies(
    case: Case, with_adatom: RelaxedValues, slab: RelaxedValues, atom_energy: float
) -> Energies:
    """Return a site's adsorption energy with each model at the fixed relaxed structures.

    Parameters
    ----------
    case
        The case.
    with_adatom, slab
        What the relaxations of the slab with adatom and of the bare slab found.
    atom_energy
        Energy of the isolated adatom, eV; it has no dispersion.

    Returns
    -------
    dict
        eV, by model.
    """
    whole, bare = _of_relaxed(case, with_adatom), _of_relaxed(case, slab)
    return {model: adsorption_energy(whole[model], bare[model], atom_energy) for model in whole}


def against_metal(energies: Mapping[str, float], cohesive: Energies) -> Energies:
    """Return adsorption energies less the cohesive energy of the metal with the same model, eV."""
    return {model: e - cohesive[model] for model, e in energies.items() if model in cohesive}


def cohesive_energies(case: Case, found: Finished) -> Energies:
    """Return the metal's cohesive energy with each model (eV per atom); empty if not known."""
    bulk, atom, task = found.lattice("metal"), found.atom(), found.state("metal", "lattice")
    if bulk is None or atom is None or task is None:
        return {}

    def unit_cell() -> Atoms:
        return crystal(cast("Task[LatticeInputs]", task.task), bulk["lattice_constant"])

    return {
        model: cohesive_energy(energy / bulk["atoms"], atom["energy"])
        for model, energy in _energies(case, bulk, unit_cell).items()
    }


def _of_relaxed(case: Case, values: RelaxedValues) -> Energies:
    return _energies(case, values, lambda: from_json(values["structure"]))


def _energies(
    case: Case, values: RelaxedValues | LatticeValues, structure: Callable[[], Atoms]
) -> Energies:
    """Return a system's energy with each model, whichever it was computed with, eV.

    The `structure` is only needed where the values lack its dispersion.
    """
    known = values.get("dispersion")
    added = _computed(json.dumps(to_json(structure())), case.dft.xc) if known is None else known
    plain = values["energy"] - added.get(case.dft.dispersion, 0.0)
    return {NONE: plain} | {model: plain + energy for model, energy in added.items()}


@functools.cache  # results of earlier versions lack it, and D4 takes seconds
def _computed(structure: str, xc: str) -> Mapping[str, float]:
    return dispersion_energies(from_json(json.loads(structure)), xc)
