"""Relaxations: clean slabs, the adatom held and free, the slab that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from structures import sites
from workflows.dft.interface import Periodic, System
from workflows.steps.context import Bench, Outcome, TaskFailed
from workflows.steps.cubes import keep_density
from workflows.steps.initial import clean_slab, write_structure
from workflows.steps.optimize import relax
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.folder import EFFORT
from workflows.tasks.graph import own_name

DESORBED_BEYOND = 5.0  # angstrom from every slab atom


BROKEN_BEYOND = 1.5  # angstrom that a slab atom has moved from where it started


# angstrom: a free adatom starts this far off its site, or it would sit on a saddle by symmetry; and
# once more farther where it stayed all the same, the forces of a flat saddle being below fmax
PUSHES = (0.05, 0.2)


SAME_BASIN = 0.1  # angstrom: slabs whose atoms are this close to each other relax to the same one


def relax_clean_slab(bench: Bench) -> Outcome:
    """Relax a clean slab, in its smallest cell first."""
    constant = float(bench.task.inputs["lattice_constant"] or bench.parent["lattice_constant"])
    built = clean_slab(bench.task, constant)
    files = write_structure(bench.folder, "built", built)
    start = _from_smallest_cell(bench, built, constant)
    outcome = _relax(bench, start, watch=lambda atoms: _keep_slab_whole(atoms, built))
    return Outcome({"lattice_constant": constant} | outcome.values, (*files, *outcome.files))


def _from_smallest_cell(bench: Bench, built: Atoms, constant: float) -> Atoms:
    """Return the slab with its layers where they relax to in the 1x1 cell, for little work."""
    repeats = _repeats(built, clean_slab(bench.task, constant, "1x1"))
    if repeats == (1, 1):
        return built
    small = clean_slab(bench.task, constant, "1x1")
    calculation = bench.calculation(_repeated(bench.system, repeats))
    relaxed = relax(
        small,
        calculation,
        bench.history("smallest-cell"),
        fmax=bench.case.relax.fmax,
        max_steps=bench.case.relax.max_steps,
        report=partial(bench.report, part="1x1 cell"),
        watch=lambda atoms: _keep_slab_whole(atoms, small),
        effort=lambda: calculation.scf_iterations,
    )
    # one atom of each element in a layer: it is told by both
    rise = {
        (atom.tag, atom.symbol): atom.z - before.z
        for atom, before in zip(relaxed.atoms, small, strict=True)
    }
    start = built.copy()
    start.positions[:, 2] += [rise[atom.tag, atom.symbol] for atom in built]
    return start


def _repeated(system: System, repeats: tuple[float, float]) -> System:
    """Return the system in a cell so many times smaller along x and y.

    Its k-points have the same density; for whole multiples of the cell they are the very same ones.
    """
    if not isinstance(system, Periodic):
        raise TypeError("only a periodic system has a smallest cell")
    kx, ky, kz = system.kpoints
    return replace(system, kpoints=(round(kx * repeats[0]), round(ky * repeats[1]), kz))


def _repeats(slab: Atoms, small: Atoms) -> tuple[float, float]:
    """Return how many times wider a cell is than a small one along x and y."""
    x, y = slab.cell.lengths()[:2] / small.cell.lengths()[:2]
    return round(float(x), 6), round(float(y), 6)


def relax_held(bench: Bench) -> Outcome:
    """Relax the adatom at its site, its x and y held: the energy that belongs to the site."""
    slab = from_json(bench.parent["structure"])
    start = sites.place_adatom(slab, bench.task.inputs["adatom"], bench.task.site)
    return _relax_adatom(bench, sites.hold_lateral(start))


def relax_bare_slab(bench: Bench) -> Outcome:
    """Relax the slab again from where its adatom left it.

    A slab that an adatom has tipped into a deeper minimum must be compared with a clean slab in
    the same minimum, or the adsorption energy hides a reconstruction.
    """
    start = from_json(bench.parent["structure"])[:-1]
    same = _same_basin(bench, start)
    if same is not None:
        return Outcome(same)
    outcome = _relax(bench, start, watch=lambda atoms: _keep_slab_whole(atoms, start))
    return Outcome(outcome.values | {"start": to_json(start)}, outcome.files)


def _same_basin(bench: Bench, start: Atoms) -> dict[str, Any] | None:
    """Return the values of a needed basin task that began (nearly) where this one would."""
    for name in map(own_name, bench.task.needs[1:]):
        values = bench.parents[name]
        if sites.largest_displacement(start, from_json(values["start"])) < SAME_BASIN:
            found = {key: value for key, value in values.items() if key not in EFFORT}
            return found | {"same_as": name}
    return None


def relax_free(bench: Bench) -> Outcome:
    """Relax the adatom from its site, free to leave: where it goes."""
    for number, push in enumerate(PUSHES, 1):
        outcome = _pushed(bench, push, "steps" if number == 1 else f"steps-{number}")
        if not outcome.values["saddle"]:
            break
    return Outcome(outcome.values | {"pushed": push}, outcome.files)


def _pushed(bench: Bench, push: float, journal: str) -> Outcome:
    """Relax the adatom from `push` angstrom beside its site; say whether it stays on a saddle."""
    held = from_json(bench.parent["structure"])
    try:
        start = sites.displace_lateral(sites.release(held), push)
    except ValueError:
        raise TaskFailed("no-sites", "the top layer has reconstructed: it has no sites") from None
    outcome = _relax_adatom(bench, start, journal)
    first = bench.history(journal).records[0]
    curvature = _curvature(start.positions[-1] - held.positions[-1], first)
    stayed = outcome.values["ended_at"] == bench.task.site
    saddle = bool(stayed and outcome.values["site_offset"] < 2 * push and curvature < 0.0)
    return Outcome(outcome.values | {"site_curvature": curvature, "saddle": saddle}, outcome.files)


def _curvature(push: np.ndarray, first: Mapping[str, Any]) -> float:
    """Return the curvature (eV/angstrom^2) along a push off a site: negative on a saddle."""
    # k = -F.d / |d|^2, with the force that the adatom feels after the push d
    force = np.array(first["forces"][-1])
    return float(-force @ push / (push @ push))


def _relax_adatom(bench: Bench, start: Atoms, journal: str = "steps") -> Outcome:
    def watch(atoms: Atoms) -> None:
        state = sites.bound_state(atoms, desorbed_beyond=DESORBED_BEYOND)
        if state != "adsorbed":
            symbol = atoms[-1].symbol
            raise TaskFailed(state.replace(" ", "-"), f"{symbol} ended {_PLACES[state]}")
        _keep_slab_whole(atoms, start)

    outcome = _relax(bench, start, watch, journal)
    atoms = from_json(outcome.values["structure"])
    ended_at, offset = _where(atoms)
    where = {
        "height": sites.adatom_height(atoms),
        "nearest": sites.nearest_distances(atoms),
        "image_distance": sites.nearest_image_distance(atoms),
        "ended_at": ended_at,
        "site_offset": offset,
    }
    return Outcome(outcome.values | where, outcome.files)


def _where(atoms: Atoms) -> tuple[str | None, float | None]:
    """Return the site where the adatom is and its offset; None where there are no sites left."""
    try:
        match = sites.find_site(atoms)
    except ValueError:  # the top layer has reconstructed and has none
        return None, None
    return match.name, match.offset


_PLACES = {
    "desorbed": f"more than {DESORBED_BEYOND} Å from every atom of the slab",
    "absorbed": "inside the slab",
    "too close": "on top of another atom",
}


def _keep_slab_whole(atoms: Atoms, start: Atoms) -> None:
    moved = sites.largest_displacement(atoms, start)
    if moved > BROKEN_BEYOND:
        raise TaskFailed("slab-broken", f"an atom of the slab moved {moved:.2f} Å from its place")


def _relax(
    bench: Bench, start: Atoms, watch: Callable[[Atoms], None], journal: str = "steps"
) -> Outcome:
    calculation = bench.calculation()
    history = bench.history(journal)
    relaxed = relax(
        start,
        calculation,
        history,
        fmax=bench.case.relax.fmax,
        max_steps=bench.case.relax.max_steps,
        report=bench.report,
        watch=watch,
        effort=lambda: calculation.scf_iterations,
    )
    calculation.converge(relaxed.atoms)  # nothing to do, unless the last step is of an earlier run
    frames = [_frame(start, record) for record in history.records]
    write(bench.folder / "relaxation.extxyz", frames, format="extxyz")
    files = ("relaxation.extxyz", *write_structure(bench.folder, "relaxed", relaxed.atoms))
    values = {
        "energy": relaxed.energy,
        "fmax": relaxed.fmax,
        "steps": relaxed.steps,
        "structure": to_json(relaxed.atoms),
        "electrostatics": calculation.electrostatics(),
    }
    if bench.task.kind == "held" and bench.task.surface == "host":
        values |= keep_density(bench, calculation)
    return Outcome(values | _iterations(bench), files)


def _frame(start: Atoms, record: Mapping[str, Any]) -> Atoms:
    atoms = start.copy()
    atoms.set_constraint()  # positions are to be exactly the journal's
    atoms.positions[:] = record["positions"]
    atoms.calc = SinglePointCalculator(
        atoms, energy=record["energy"], forces=np.array(record["forces"])
    )
    return atoms


def _iterations(bench: Bench) -> dict[str, int]:
    """Return the SCF iterations of all the task's relaxations, those before a stop included."""
    stems = sorted(path.stem for path in bench.folder.path.glob("*.jsonl"))
    records = (record for stem in stems for record in bench.history(stem).records)
    return {"scf_iterations": sum(record.get("scf_iterations", 0) for record in records)}
