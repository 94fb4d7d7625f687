"""Relaxations: clean slabs, the adatom held and free, the slab that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NotRequired, cast

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from typing_extensions import TypedDict

from structures import sites
from structures.defects import defect_distance
from structures.relaxation import repeated_moves
from structures.supercell import primitive_translations, surface_cell
from workflows.dft.interface import Calculation, Periodic, System
from workflows.steps.atoms_files import write_frames, write_structure
from workflows.steps.context import Outcome, TaskContext, TaskFailed, present
from workflows.steps.cubes import keep_density
from workflows.steps.initial import clean_slab, ideal_of, perfect_slab, with_defect
from workflows.steps.optimize import Step, relax
from workflows.steps.spin import begin, moments_of, non_magnetic_energy, start_from
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.cut import Lattice, lattice_of
from workflows.tasks.folder import RELAXATION
from workflows.tasks.graph import FACES, Task
from workflows.tasks.records import (
    EFFORT,
    AdatomInputs,
    AdatomValues,
    BareSlabInputs,
    BareSlabValues,
    RelaxedValues,
    SlabInputs,
    SlabValues,
)

DESORBED_BEYOND = 5.0  # angstrom from every slab atom


BROKEN_BEYOND = 1.5  # angstrom that a slab atom has moved from where it started


# angstrom: a free adatom starts this far off its site, or it would sit on a saddle by symmetry; and
# once more farther where it stayed all the same, the forces of a flat saddle being below fmax
PUSHES = (0.05, 0.2)


SAME_START = 0.1  # angstrom: bare slabs whose atoms start this close relax to the same minimum


@dataclass(frozen=True)
class RelaxedSystem:
    """A finished relaxation.

    Attributes
    ----------
    atoms
        The relaxed structure, with constraints.
    values
        What every relaxation gives.
    files
        Names of the files that were written.
    first
        The first ionic step.
    calculation
        Self-consistent for the relaxed structure.
    """

    atoms: Atoms
    values: RelaxedValues
    files: tuple[str, ...]
    first: Step
    calculation: Calculation


def relax_clean_slab(context: TaskContext[SlabInputs]) -> Outcome[SlabValues]:
    """Relax a clean slab, in its smallest cell first.

    Raises
    ------
    TaskFailed
        "slab-broken": an atom moved more than `BROKEN_BEYOND` angstrom.
    OutOfSteps
        The forces did not fall below fmax.
    """
    task = context.task
    lattice: Lattice
    if (constant := task.inputs["lattice_constant"]) is not None:
        lattice = constant
    else:
        found = present(context.needed.lattice(task.surface))
        constant, lattice = found["lattice_constant"], lattice_of(found)
    built, ideal = unrelaxed_slab(task, lattice)
    files = write_structure(context.folder.path, "built", built)
    start, starts = begin(context, _from_smallest_cell(context, built, lattice))
    relaxed = relax_system(context, start, lambda atoms: check_slab(atoms, built))
    values = {"lattice_constant": constant, **relaxed.values, **_beside(context, relaxed, starts)}
    if ideal is not None:
        values["ideal"] = to_json(ideal)
    return Outcome(cast("SlabValues", values), (*files, *relaxed.files))


def unrelaxed_slab(task: Task[SlabInputs], lattice: Lattice) -> tuple[Atoms, Atoms | None]:
    """Return the unrelaxed slab, and the ideal one that has its sites where there is such.

    Parameters
    ----------
    task
        The task that relaxes the slab.
    lattice
        Of the crystal that it is cut from, angstrom.

    Raises
    ------
    TaskFailed
        The relaxed crystal has no such face.
    """
    try:
        return clean_slab(task, lattice), ideal_of(task, lattice)
    except ValueError as error:  # relaxed, a crystal from a file may have other layers
        raise TaskFailed(
            "no-termination", f"the relaxed crystal has no such face: {error}"
        ) from None


def _from_smallest_cell(context: TaskContext[SlabInputs], built: Atoms, lattice: Lattice) -> Atoms:
    """Return the slab with its atoms where they relax to in the 1x1 cell, for little work."""
    small, perfect = (perfect_slab(context.task, lattice, cell) for cell in ("1x1", None))
    repeats = _repeats(built, small)
    if repeats == (1, 1):
        return built
    translations = primitive_translations("1x1", FACES[context.task.surface].miller)
    calculation = context.calculation(_repeated(context.system, repeats, translations))
    if context.spin is not None:
        small = start_from(context.spin, small)
    relaxed = relax(
        small,
        calculation,
        context.ionic_steps("smallest-cell"),
        fmax=context.case.relax.fmax,
        max_steps=context.case.relax.max_steps,
        on_progress=partial(context.on_progress, part="1x1 cell"),
        check=lambda atoms: check_slab(atoms, small),
        scf_iterations=lambda: calculation.scf_iterations,
        moments=_moments(context, calculation),
    )
    start = perfect.copy()
    matrix = surface_cell(context.task.inputs["slab"]["cell"])
    start.positions += repeated_moves(
        small, relaxed.atoms.positions - small.positions, perfect, matrix
    )
    start = with_defect(context.task, start)
    start.info = built.info  # the defect's place is that in the slab as it was cut
    return start


def _repeats(slab: Atoms, small: Atoms) -> tuple[float, float]:
    """Return how many times wider a cell is than a small one along x and y."""
    x, y = slab.cell.lengths()[:2] / small.cell.lengths()[:2]
    return round(float(x), 6), round(float(y), 6)


def _repeated(
    system: System, repeats: tuple[float, float], translations: tuple[int, int]
) -> System:
    """Return the system in a cell so many times smaller along x and y, with its translations.

    Its k-points and its grid have the same density; for whole multiples of the cell they are the
    very same ones.
    """
    if not isinstance(system, Periodic):
        raise TypeError("only a periodic system has a smallest cell")
    kx, ky, kz = system.kpoints
    kpoints = (round(kx * repeats[0]), round(ky * repeats[1]), kz)
    return replace(system, kpoints=kpoints, translations=translations)


def relax_held(context: TaskContext[AdatomInputs]) -> Outcome[AdatomValues]:
    """Relax the adatom at its site, its x and y held: the energy that belongs to the site.

    Raises
    ------
    TaskFailed
        "desorbed", "absorbed" or "too-close": the adatom did not stay on the surface;
        "slab-broken", as for the clean slab.
    OutOfSteps
        The forces did not fall below fmax.
    """
    task = context.task
    clean = present(context.needed.slab(task.surface))
    slab, ideal = from_json(clean["structure"]), _ideal(clean)
    try:
        placed = sites.place_adatom(slab, task.inputs["adatom"], task.site, ideal=ideal)
    except sites.NoSuchSite as error:  # relaxed, a crystal from a file may have others
        raise TaskFailed("no-sites", str(error)) from None
    start, starts = begin(context, sites.hold_lateral(placed))
    relaxed = _relax_adatom(context, start, ideal)
    found = {
        **relaxed.values,
        **_where(relaxed.atoms, ideal),
        "density": keep_density(context.folder, relaxed.calculation),
        **_beside(context, relaxed, starts),
    }
    return Outcome(cast("AdatomValues", found), relaxed.files)


def _ideal(clean: SlabValues) -> Atoms | None:
    """Return the ideal slab that has the sites of a clean one; None on a known net."""
    return from_json(clean["ideal"]) if "ideal" in clean else None


def _beside(
    context: TaskContext, relaxed: RelaxedSystem, starts: dict[str, float]
) -> dict[str, object]:
    """Return the energies of all starts, and that of the non-magnetic solution if asked for."""
    found: dict[str, object] = {"starts": starts} if starts else {}
    if context.spin is not None and context.spin["non_magnetic"]:
        found["non_magnetic_energy"] = non_magnetic_energy(context, relaxed.atoms)
    return found


def relax_free(context: TaskContext[AdatomInputs]) -> Outcome[AdatomValues]:
    """Relax the adatom from its site, free to leave: where it goes.

    It starts `PUSHES` angstrom beside the site; farther where it stayed on a saddle.

    Raises
    ------
    TaskFailed
        "no-sites": the top layer has reconstructed; else as for the held adatom.
    OutOfSteps
        The forces did not fall below fmax.
    """
    first, farther = PUSHES
    outcome = _relax_pushed(context, first, "steps")
    if outcome.values["saddle"]:
        outcome = _relax_pushed(context, farther, "steps-2")
    return outcome


def _relax_pushed(
    context: TaskContext[AdatomInputs], push: float, journal: str
) -> Outcome[AdatomValues]:
    """Relax the adatom from `push` angstrom beside its site; find whether it stays on a saddle."""
    task = context.task
    held = from_json(present(context.needed.adatom(task.surface, task.site, "held"))["structure"])
    clean = context.needed.slab(task.surface)
    ideal = None if clean is None else _ideal(clean)
    try:
        start = sites.displace_lateral(sites.release(held), push, ideal)
    except ValueError:
        raise TaskFailed("no-sites", "the top layer has reconstructed: it has no sites") from None
    relaxed = _relax_adatom(context, start, ideal, journal)
    where = _where(relaxed.atoms, ideal)
    curvature = _curvature(start.positions[-1] - held.positions[-1], relaxed.first)
    stayed = where["ended_at"] == task.site and (where["site_offset"] or 0.0) < 2 * push
    found = {"site_curvature": curvature, "saddle": stayed and curvature < 0.0, "pushed": push}
    return Outcome(cast("AdatomValues", {**relaxed.values, **where, **found}), relaxed.files)


def _curvature(push: np.ndarray, first: Step) -> float:
    """Return the curvature (eV/angstrom^2) along a push off a site: negative on a saddle."""
    # k = -F.d / |d|^2, with the force that the adatom feels after the push d
    force = np.array(first["forces"][-1])
    return float(-force @ push / (push @ push))


def relax_bare_slab(context: TaskContext[BareSlabInputs]) -> Outcome[BareSlabValues]:
    """Relax the slab again from where its adatom left it.

    A slab that an adatom has tipped into a deeper minimum must be compared with a clean slab in
    the same minimum, or the adsorption energy hides a reconstruction.

    Raises
    ------
    TaskFailed
        "slab-broken", as for the clean slab.
    OutOfSteps
        The forces did not fall below fmax.
    """
    task = context.task
    system = present(context.needed.adatom(task.surface, task.site, task.relaxation))
    start = from_json(system["structure"])[:-1]
    same = _from_same_start(context, start)
    if same is not None:
        return Outcome(same)
    begun, starts = begin(context, start)
    relaxed = relax_system(context, begun, lambda atoms: check_slab(atoms, start))
    tried = {"starts": starts} if starts else {}
    values = cast("BareSlabValues", {**relaxed.values, **tried, "start": to_json(start)})
    return Outcome(values, relaxed.files)


def _from_same_start(context: TaskContext[BareSlabInputs], start: Atoms) -> BareSlabValues | None:
    """Return the values of the held adatom's bare slab, if it began (nearly) where this one would.

    None for that slab itself.
    """
    task = context.task
    other = context.needed.state(task.surface, "basin", task.site, "held")
    values = context.needed.bare_slab(task.surface, task.site, "held")
    if other is None or values is None:
        return None
    if sites.largest_displacement(start, from_json(values["start"])) >= SAME_START:
        return None
    numbers = {key: value for key, value in values.items() if key not in EFFORT}
    return cast("BareSlabValues", numbers | {"same_as": other.task.label})


def _relax_adatom(
    context: TaskContext[AdatomInputs], start: Atoms, ideal: Atoms | None, journal: str = "steps"
) -> RelaxedSystem:
    return relax_system(context, start, lambda atoms: check_adatom(atoms, start, ideal), journal)


def check_adatom(atoms: Atoms, start: Atoms, ideal: Atoms | None) -> None:
    """Check that a relaxed adatom is still on its surface, and the slab whole.

    Parameters
    ----------
    atoms
        The relaxed slab, the adatom last.
    start
        The same before.
    ideal
        As for `structures.sites.bound_state`.

    Raises
    ------
    TaskFailed
        The adatom has left the surface or gone into it, or an atom of the slab its place.
    """
    state = sites.bound_state(atoms, desorbed_beyond=DESORBED_BEYOND, ideal=ideal)
    if state != "adsorbed":
        raise TaskFailed(state.replace(" ", "-"), f"{atoms[-1].symbol} ended {PLACES[state]}")
    check_slab(atoms, start)


PLACES = {
    "desorbed": f"more than {DESORBED_BEYOND} Å from every atom of the slab",
    "absorbed": "inside the slab",
    "too close": "on top of another atom",
}


class Place(TypedDict):
    """Where an adatom is; see AdatomValues."""

    height: float
    nearest: dict[str, float]
    image_distance: float
    ended_at: str | None
    site_offset: float | None
    defect_distance: NotRequired[float]


def _where(atoms: Atoms, ideal: Atoms | None) -> Place:
    """Return where the adatom is; no site and no offset where there are no sites left."""
    try:
        match = sites.find_site(atoms, ideal)
    except ValueError:  # the top layer has reconstructed and has none
        ended_at, offset = None, None
    else:
        ended_at, offset = match.name, match.offset
    place: Place = {
        "height": sites.adatom_height(atoms),
        "nearest": sites.nearest_distances(atoms),
        "image_distance": sites.nearest_image_distance(atoms),
        "ended_at": ended_at,
        "site_offset": offset,
    }
    if (far := defect_distance(atoms)) is not None:
        place["defect_distance"] = far
    return place


def check_slab(atoms: Atoms, start: Atoms) -> None:
    """Refuse a slab of which an atom has left its place."""
    moved = sites.largest_displacement(atoms, start)
    if moved > BROKEN_BEYOND:
        raise TaskFailed("slab-broken", f"an atom of the slab moved {moved:.2f} Å from its place")


def relax_system(
    context: TaskContext, start: Atoms, check: Callable[[Atoms], None], journal: str = "steps"
) -> RelaxedSystem:
    """Relax a system of a task from its start; `check` refuses what an ionic step leads to."""
    calculation = context.calculation()
    steps = context.ionic_steps(journal)
    relaxed = relax(
        start,
        calculation,
        steps,
        fmax=context.case.relax.fmax,
        max_steps=context.case.relax.max_steps,
        on_progress=context.on_progress,
        check=check,
        scf_iterations=lambda: calculation.scf_iterations,
        moments=_moments(context, calculation),
    )
    calculation.converge(relaxed.atoms)  # nothing to do, unless the last step is of an earlier run
    values: RelaxedValues = {
        "energy": relaxed.energy,
        "fmax": relaxed.fmax,
        "steps": relaxed.steps,
        "structure": to_json(relaxed.atoms),
        "electrostatics": calculation.electrostatics(),
    }
    if context.spin is not None:
        values |= cast("RelaxedValues", moments_of(calculation))
    files = (
        write_frames(context.folder / RELAXATION, [_frame(start, s) for s in steps.records]),
        *write_structure(context.folder.path, "relaxed", relaxed.atoms),
    )
    return RelaxedSystem(relaxed.atoms, values, files, steps.records[0], calculation)


def _moments(context: TaskContext, calculation: Calculation) -> Callable[[], list[float]] | None:
    """Return what gives the moments of a calculation's atoms; None without spin."""
    if context.spin is None:
        return None
    return lambda: moments_of(calculation)["magnetic_moments"]


def _frame(start: Atoms, step: Step) -> Atoms:
    atoms = start.copy()
    atoms.set_constraint()  # positions are to be exactly the journal's
    atoms.positions[:] = step["positions"]
    atoms.calc = SinglePointCalculator(
        atoms, energy=step["energy"], forces=np.array(step["forces"])
    )
    return atoms
