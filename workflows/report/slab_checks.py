"""Checks of a relaxed slab: work functions, a flat vacuum, how its layers moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import NotRequired, TypedDict, cast

from analysis.potential import Potential, WorkFunctions, work_functions
from structures.defects import as_built_of
from structures.relaxation import layer_relaxations, rumpling
from workflows.report.results import Results
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import FACES
from workflows.tasks.records import RelaxedValues, Surface

EDGE = 0.5  # angstrom at each end of the cell that the dipole correction's jump is spread over


FLAT = 0.02  # eV: a vacuum level that varies by more is worth a note


class LayerChange(TypedDict):
    """The spacing of two neighbouring layers, see `structures.relaxation.Spacing`.

    `distance` and its `change` from the bulk in angstrom; `percent` is the change over the bulk.
    """

    upper: int
    lower: int
    distance: float
    change: float
    percent: float


class SlabCheck(TypedDict):
    """The checks of a relaxed slab, with or without adatom.

    `fmax` in eV/angstrom, of the final SCF. `rumpling` by layer in angstrom: how far the anion
    stands out of its layers, of the host only. Where there is vacuum enough, `vacuum_flatness` in
    eV; work functions and `dipole_step` in eV, None where the vacuum is not flat.
    """

    fmax: float
    layer_relaxations: list[LayerChange]
    rumpling: NotRequired[dict[str, float]]
    work_function_above: NotRequired[float | None]
    work_function_below: NotRequired[float | None]
    dipole_step: NotRequired[float | None]
    vacuum_flatness: NotRequired[float]


def slab_checks(results: Results) -> dict[str, SlabCheck]:
    """Return the checks of every relaxed slab whose lattice constant is known, by task."""
    return {
        state.task.label: slab_check(values, spacing, anion_of(results, state.task.surface))
        for state, values in results.relaxed()
        if (spacing := bulk_spacing(results, state.task.surface)) is not None
    }


def anion_of(results: Results, surface: Surface) -> str:
    """Return the anion of a surface; "" for a metal."""
    return results.case.host.anion if surface == "host" else ""


def bulk_spacing(results: Results, surface: Surface) -> float | list[float] | None:
    """Return the distance between layers in the bulk, or that of each pair, angstrom.

    None if it is not known yet. The upper pairs come first.
    """
    clean, constant = results.slab(surface), results.lattice_constant(surface)
    if clean is not None and "ideal" in clean:
        return [one.distance for one in layer_relaxations(from_json(clean["ideal"]), 1.0)]
    if constant is None:
        return None
    return constant / (2.0 if FACES[surface].miller == "001" else math.sqrt(2.0))


def slab_check(values: RelaxedValues, spacing: float | Sequence[float], anion: str) -> SlabCheck:
    """Return the checks of one relaxed slab.

    Parameters
    ----------
    values
        What its task found.
    spacing
        Distance between layers in the bulk, angstrom, or that of each pair, the upper ones first.
    anion
        The anion; "" where there is none.
    """
    atoms = from_json(values["structure"])
    changes = layer_relaxations(atoms, spacing)
    moved = [cast("LayerChange", asdict(change)) for change in changes]
    found: SlabCheck = {"fmax": values["fmax"], "layer_relaxations": moved}
    if anion:
        # In a 1x1 cell, a vacancy leaves its layer without cations or anions; other faces than
        # rock salt's (001) have layers of one element.
        with suppress(ValueError):
            out = rumpling(as_built_of(atoms), anion)
            found["rumpling"] = {str(layer): height for layer, height in out.items()}
    both = work_functions_of(values)
    if both is not None:
        found["work_function_above"] = both.above.work_function
        found["work_function_below"] = both.below.work_function
        found["dipole_step"] = both.dipole_step
        found["vacuum_flatness"] = both.flatness
    return found


def potential_of(values: RelaxedValues) -> Potential | None:
    """Return the potential (eV) along z (angstrom) of a relaxed slab; None in older results."""
    field = values.get("electrostatics")
    return None if field is None else Potential(**field)


def work_functions_of(values: RelaxedValues) -> WorkFunctions | None:
    """Return a relaxed slab's work functions (eV), or None if it has too little vacuum."""
    along_z = potential_of(values)
    if along_z is None:
        return None
    z_a = from_json(values["structure"]).positions[:, 2]
    try:
        return work_functions(along_z, (float(z_a.min()), float(z_a.max())), edge=EDGE)
    except ValueError:
        return None
