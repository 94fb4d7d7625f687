"""The electronic structure of a relaxed slab: densities of states, electron localisation."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from analysis.localisation import bonding_plane, cut
from workflows.steps.context import Outcome, TaskContext, present
from workflows.tasks.atoms_json import from_json
from workflows.tasks.records import ElectronsInputs, ElectronsValues

SPACING = 0.05  # eV between the energies of densities of states, at most a quarter of the width

# Angstrom: reach of a cut to both sides, below the top layer, and above the highest atom
BESIDE, BELOW, ABOVE = 4.5, 3.0, 2.5
STEP = 0.1  # angstrom between the points of a cut


def compute_electrons(context: TaskContext[ElectronsInputs]) -> Outcome[ElectronsValues]:
    """Compute densities of states and electron localisation of a relaxed system.

    Raises
    ------
    NotConverged
        Self-consistency was not reached.
    """
    task, inputs = context.task, context.task.inputs
    if task.site:
        structure = present(context.needed.adatom(task.surface, task.site, "held"))["structure"]
    else:
        structure = present(context.needed.slab(task.surface))["structure"]
    atoms = from_json(structure)
    calculation = context.calculation()
    calculation.converge(atoms)
    span = inputs["highest"] - inputs["lowest"]
    points = round(span / min(SPACING, inputs["width"] / 4)) + 1
    energies = np.linspace(inputs["lowest"], inputs["highest"], points).tolist()
    found = calculation.densities_of_states(energies, surface_groups(atoms), inputs["width"])
    top = atoms.get_tags() == 1
    # a clean slab is cut through the first atom of its top layer: in a host the cation
    plane = bonding_plane(atoms, len(atoms) - 1 if task.site else int(np.flatnonzero(top)[0]))
    along = np.arange(-BESIDE, BESIDE + STEP / 2, STEP)
    floor = atoms.positions[top, 2].mean() - BELOW
    z = np.arange(floor, atoms.positions[:, 2].max() + ABOVE, STEP)
    elf = cut(calculation.localisation(), plane, along, z)
    values: ElectronsValues = {
        "energies": found["energies"],
        "total": found["total"],
        "projected": found["projected"],
        "radii": found["radii"],
        "origin": list(plane.origin),
        "direction": list(plane.direction),
        "along": np.round(along, 3).tolist(),
        "z": np.round(z, 3).tolist(),
        "localisation": np.round(elf, 4).tolist(),
    }
    return Outcome(values)


def surface_groups(atoms: Atoms) -> dict[str, list[int]]:
    """Return the numbers of the atoms of each element in the top layer, and of "adatom"."""
    groups: dict[str, list[int]] = {}
    for number, atom in enumerate(atoms):
        if atom.tag <= 1:
            groups.setdefault(str(atom.symbol) if atom.tag else "adatom", []).append(number)
    return groups
