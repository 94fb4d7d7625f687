"""Unrelaxed structures: crystals, clean slabs, the adatom on its sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from ase import Atoms

from structures import bulk
from structures.coverage import place_adatoms, place_cluster
from structures.defects import defect_distance, defect_of, make_defect
from structures.sites import nearest_distances, place_adatom
from structures.terminations import TASKER
from workflows.case.hosts import CrystalHost
from workflows.case.schema import Case
from workflows.system.messages import UserError
from workflows.tasks.cut import Lattice, crystal_from, cut_slab
from workflows.tasks.graph import (
    FACES,
    Task,
    coverage_tasks,
    crystal_of,
    face_of,
    lattice_given,
    lattice_guess,
    slab_of,
    slab_task,
    structure_name,
    surface_label,
    surfaces,
)
from workflows.tasks.records import (
    CoverageInputs,
    LatticeInputs,
    ProbeInputs,
    SlabInputs,
    Surface,
)


class Built(NamedTuple):
    """An unrelaxed structure.

    Attributes
    ----------
    stem
        Key of the structure, and stem of its files.
    atoms
        The structure, with its held layers as a constraint.
    remark
        What people are shown beside it: lattice constant or distances, angstrom.
    """

    stem: str
    atoms: Atoms
    remark: str = ""


Structures: TypeAlias = Mapping[str, Built]  # by stem, which a task has as `Task.structure`


def structures(case: Case) -> Structures:
    """Return everything that a case is about, unrelaxed.

    Lattice constants are those of the case file, or its guesses.

    Raises
    ------
    UserError
        An adatom finds no place.
    """
    atom = Built(
        structure_name(case, "metal", "atom"), bulk.isolated_atom(case.adatom, case.atom.box)
    )
    built = [b for surface in surfaces(case) for b in _surface_structures(case, surface)]
    if "metal" not in surfaces(case):
        built.append(_bulk_structure(case, "metal"))
    return {one.stem: one for one in (*built, atom)}


def _bulk_structure(case: Case, surface: Surface) -> Built:
    given = lattice_given(case, surface)
    constant = given or lattice_guess(case, surface)
    source = "given" if given else "the guess; a run computes it"
    remark = f", a = {constant:g} Å ({source})"
    return Built(structure_name(case, surface, "bulk"), _bulk(case, surface, constant), remark)


def _surface_structures(case: Case, surface: Surface) -> Iterator[Built]:
    constant = lattice_guess(case, surface)
    # both faces of the metal are cut from the same bulk
    if surface != "metal_110" and face_of(case, surface):
        yield _bulk_structure(case, surface)
    task = slab_task(case, surface)
    slab, perfect = clean_slab(task, constant), perfect_slab(task, constant)
    remark = _face_in_words(case, surface) + _defect_in_words(case, perfect, slab)
    ideal = ideal_of(task, constant)
    yield Built(structure_name(case, surface, "slab"), slab, remark)
    for site in slab_of(case, surface).sites:
        try:
            atoms = place_adatom(slab, case.adatom, site, ideal=ideal)
        except ValueError as error:
            why = str(error).removesuffix(": give a height")
            raise UserError(
                f"{FACES[surface].slab}.sites: found {site!r}, where no {case.adatom} fits on "
                f"{surface_label(case, surface)} with a = {constant:g} Å ({why}); "
                "allowed: lattice and vacuum that suit the atoms"
            ) from None
        nearest = ", ".join(f"{e} {d:.2f}" for e, d in nearest_distances(atoms).items())
        far = defect_distance(atoms)
        away = "" if far is None else f", to the defect: {far:.2f} Å"
        yield Built(structure_name(case, surface, site), atoms, f", nearest: {nearest} Å{away}")
    for coverage in coverage_tasks(case, surface):
        yield Built(coverage.structure, start_of(slab, coverage.inputs))


def _face_in_words(case: Case, surface: Surface) -> str:
    """Return the termination of a crystal from a file, for people; "" on other surfaces."""
    host = crystal_of(case, surface)
    chosen = host.chosen_termination if isinstance(host, CrystalHost) else None
    if chosen is None:
        return ""
    return (
        f"; {surface_label(case, surface)}, termination {chosen.name}, symmetry "
        f"{chosen.point_group}, Tasker {TASKER[chosen.tasker]}"
    )


def _defect_in_words(case: Case, perfect: Atoms, slab: Atoms) -> str:
    """Return which atom of the perfect slab a defect replaces, for people; "" without a defect."""
    defect = defect_of(slab)
    if defect is None:
        return ""
    index = int(np.linalg.norm(perfect.positions - defect.place_v, axis=1).argmin())
    x, y, z = np.round(defect.place_v, 3) + 0.0  # no -0.000
    return (
        f"; {defect.label} in the place of atom {index} (counted from 0) of the perfect slab, "
        f"x, y, z = {x:.3f}, {y:.3f}, {z:.3f} Å; "
        f"1 of {case.slab.equivalent_atoms} {defect.element} of the top layer"
    )


def _bulk(case: Case, surface: Surface, constant: float) -> Atoms:
    if surface == "host":
        return crystal_from(surface, slab_task(case, surface).inputs, constant)
    return bulk.metal(case.adatom, case.metal.structure, constant)


def crystal(task: Task[LatticeInputs], lattice: Lattice) -> Atoms:
    """Build the primitive cell of the crystal that a task is about.

    Parameters
    ----------
    task
        The task.
    lattice
        Its lattice.
    """
    return crystal_from(task.surface, task.inputs, lattice)


def ideal_of(task: Task[SlabInputs], lattice: Lattice) -> Atoms | None:
    """Return the perfect slab whose symmetry gives a surface its sites; None on a known net.

    Parameters
    ----------
    task
        The task that relaxes the clean slab.
    lattice
        Of the crystal that the slab is cut from.
    """
    return perfect_slab(task, lattice) if "crystal" in task.inputs else None


def clean_slab(task: Task[SlabInputs], lattice: Lattice) -> Atoms:
    """Build the unrelaxed slab that a task relaxes, with its defect if it has one.

    Parameters
    ----------
    task
        The task.
    lattice
        Of the crystal that the slab is cut from, angstrom.
    """
    return with_defect(task, perfect_slab(task, lattice))


def with_defect(task: Task[SlabInputs], slab: Atoms) -> Atoms:
    """Return a perfect slab with the defect that a task's slab has; itself if there is none."""
    defect = task.inputs.get("defect")
    if defect is None:
        return slab
    return make_defect(slab, defect["element"], defect["substitute"] or "")


def perfect_slab(
    task: Task[SlabInputs] | Task[ProbeInputs], lattice: Lattice, cell: str | None = None
) -> Atoms:
    """Build the unrelaxed slab that a task is about, without its defect.

    Parameters
    ----------
    task
        The task.
    lattice
        Of the crystal that the slab is cut from, angstrom.
    cell
        Another cell in the plane instead of the task's own, such as "1x1".
    """
    return cut_slab(task.surface, task.inputs, lattice, cell)


def probed_slab(task: Task[ProbeInputs]) -> Atoms:
    """Build the slab, in its smallest cell, that a probe computes."""
    constant = task.inputs["lattice_constant"]
    if constant is None:
        raise TypeError("a probe is of a given lattice")
    return perfect_slab(task, constant)


def start_of(slab: Atoms, inputs: CoverageInputs) -> Atoms:
    """Return where the adatoms of a task begin on a slab."""
    cluster = inputs.get("cluster")
    if cluster:
        return place_cluster(slab, inputs["adatom"], inputs["places"][0], cluster)
    return place_adatoms(slab, inputs["adatom"], inputs["places"], on_top=inputs["on_top"])
