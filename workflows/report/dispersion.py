"""What dispersion adds: the energies of finished relaxations with each model, without any DFT."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import cast

from ase import Atoms

from analysis.adsorption import adsorption_energy, cohesive_energy
from workflows.case.schema import Case
from workflows.dft.dispersion import dispersion_energies
from workflows.steps.initial import crystal
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.finished import Finished
from workflows.tasks.graph import Task
from workflows.tasks.records import LatticeInputs, LatticeValues, RelaxedValues

NONE = "none"


# How people write the models; in this order they are shown
LABELS = {NONE: "none", "d3bj": "D3(BJ)", "d3zero": "D3(0)", "d4": "D4"}


DISPUTED = (
    "A spread, not a correction: D3 has the coefficients of neutral atoms, and was found to fail "
    "for Na⁺ in water (arXiv:2303.17273)."
)


Energies = dict[str, float]  # eV, by model of dispersion; 'none' is plain DFT


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


def against_metal(energies: Energies, cohesive: Energies) -> Energies:
    """Return adsorption energies less the cohesive energy of the metal with the same model, eV."""
    return {model: e - cohesive[model] for model, e in energies.items() if model in cohesive}


def cohesive_energies(case: Case, found: Finished) -> Energies:
    """Return the metal's cohesive energy with each model (eV per atom); empty if not known."""
    bulk, atom, task = found.lattice("metal"), found.atom(), found.state("metal", "lattice")
    if bulk is None or atom is None or task is None:
        return {}
    atoms = crystal(cast("Task[LatticeInputs]", task.task), bulk["lattice_constant"])
    return {
        model: cohesive_energy(energy / bulk["atoms"], atom["energy"])
        for model, energy in _energies(case, bulk, atoms).items()
    }


def _of_relaxed(case: Case, values: RelaxedValues) -> Energies:
    return _energies(case, values, from_json(values["structure"]))


def _energies(case: Case, values: RelaxedValues | LatticeValues, atoms: Atoms) -> Energies:
    """Return a system's energy with each model, whichever it was computed with, eV."""
    known = values.get("dispersion")
    added = _computed(json.dumps(to_json(atoms)), case.dft.xc) if known is None else known
    plain = values["energy"] - added.get(case.dft.dispersion, 0.0)
    return {NONE: plain} | {model: plain + energy for model, energy in added.items()}


@functools.cache  # results of earlier versions lack it, and D4 takes seconds
def _computed(structure: str, xc: str) -> Mapping[str, float]:
    return dispersion_energies(from_json(json.loads(structure)), xc)
