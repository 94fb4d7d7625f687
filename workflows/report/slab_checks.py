"""What a relaxed slab says of itself: work functions, a flat vacuum, how its layers moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.potential import WorkFunctions, work_functions
from structures.relaxation import layer_relaxations, rumpling
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import FACES, Task

EDGE = 0.5  # angstrom at each end of the cell that the dipole correction's jump is spread over


FLAT = 0.02  # eV: a vacuum level that varies by more is none


def slab_check(
    task: Task, values: Mapping[str, Any], lattice_constant: float, anion: str
) -> dict[str, Any]:
    """Return the checks of a relaxed slab, with or without adatom.

    Parameters
    ----------
    task
        A task that relaxed a slab.
    values
        What it found.
    lattice_constant
        Of the bulk crystal, angstrom.
    anion
        The host's anion: rumpling is how far it stands out of its layers.

    Returns
    -------
    dict
        `fmax` (eV/angstrom, of the final SCF), `layer_relaxations` (see
        `structures.relaxation.Spacing`), `rumpling` by layer (angstrom; host only), and, where
        there is vacuum enough, `work_function_above` and `_below`, `dipole_step` and
        `vacuum_flatness` (eV).
    """
    atoms = from_json(values["structure"])
    spacing = lattice_constant / (2.0 if FACES[task.surface].miller == "001" else math.sqrt(2.0))
    moved = [asdict(change) for change in layer_relaxations(atoms, spacing)]
    found: dict[str, Any] = {"fmax": values["fmax"], "layer_relaxations": moved}
    if task.surface == "host":
        found["rumpling"] = {str(layer): out for layer, out in rumpling(atoms, anion).items()}
    both = work_functions_of(values)
    if both is not None:
        found |= {
            "work_function_above": both.above.work_function,
            "work_function_below": both.below.work_function,
            "dipole_step": both.dipole_step,
            "vacuum_flatness": max(both.above.flatness, both.below.flatness),
        }
    return found


def work_functions_of(values: Mapping[str, Any]) -> WorkFunctions | None:
    """Return a relaxed slab's work functions (eV), or None if it has too little vacuum."""
    field = values.get("electrostatics")
    if field is None:
        return None
    z_a = from_json(values["structure"]).positions[:, 2]
    ends = float(z_a.min()), float(z_a.max())
    try:
        return work_functions(field["z"], field["potential"], field["fermi_level"], ends, edge=EDGE)
    except ValueError:
        return None
