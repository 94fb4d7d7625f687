"""What each kind of task does: parents' results in, values and files out.

Every function takes a `Bench`: the task, its settings, its folder, its parents' values, and how to
calculate. None of them knows the DFT code behind `Bench.calculation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.eos import EquationOfState
from ase.io import write
from ase.units import GPa

from analysis.bader import populations
from analysis.charge import Density, charge_transfer, difference, plane_average
from structures import bulk, sites
from structures.diffraction import powder_pattern
from structures.slab import bcc110_slab, metal_slab, rocksalt_slab
from workflows.calculator import AtomsCollide, Calculation, NotConverged
from workflows.case import Case
from workflows.cubes import write_difference
from workflows.history import History
from workflows.relax import OutOfSteps, relax
from workflows.store import DENSITY, EFFORT, TaskFolder, file_digest
from workflows.structure import from_json, to_json
from workflows.tasks import Kind, Task, own_name

DESORBED_BEYOND = 5.0  # angstrom from every slab atom
BROKEN_BEYOND = 1.5  # angstrom that a slab atom has moved from where it started
# angstrom: a free adatom starts this far off its site, or it would sit on a saddle by symmetry; and
# once more farther where it stayed all the same, the forces of a flat saddle being below fmax
PUSHES = (0.05, 0.2)
SAME_BASIN = 0.1  # angstrom: slabs whose atoms are this close to each other relax to the same one
STRAINS = (
    0.97,
    0.985,
    1.0,
    1.015,
    1.03,
)  # lattice constants of the equation of state, times its centre
POINT = {"lattice_constant", "energy"}  # what the journal of an equation of state holds
RECENTRINGS = 6  # moves of the centre before the search for a minimum is given up


class TaskFailed(Exception):
    """The task has no number to give; `reason` is a short name, the message a line for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Bench:
    """What a task works with."""

    task: Task
    case: Case
    folder: TaskFolder
    parents: Mapping[str, Mapping[str, Any]]
    report: Callable[..., None]
    calculations: list[Calculation] = field(default_factory=list)

    @property
    def parent(self) -> Mapping[str, Any]:
        """Return the values of the task that this one goes on from: the first that it needs."""
        return self.parents[own_name(self.task.needs[0])]

    @property
    def kpoints(self) -> tuple[int, int, int] | None:
        """Return the task's grid of k-points; None for an isolated system."""
        kpoints = self.task.inputs["dft"]["kpoints"]
        return tuple(kpoints) if kpoints else None

    def calculation(
        self, kpoints: tuple[int, int, int] | None = None, *, hund: bool = False
    ) -> Calculation:
        """Return a calculator with the task's settings and a log file of its own.

        `kpoints` instead of the task's own are for a cell of another size.
        """
        dipole = self.task.inputs["dft"].get("dipole_correction", False)
        calculation = Calculation(
            self.case.dft.model_copy(update={"dipole_correction": dipole}),
            kpoints or self.kpoints,
            lambda: self.folder.next_log("gpaw"),
            self.report,
            hund=hund,
        )
        self.calculations.append(calculation)
        return calculation

    def history(self, stem: str = "steps") -> History:
        """Return the journal of the task's finished steps, or of another relaxation in it."""
        return History(self.folder / f"{stem}.jsonl")


@dataclass(frozen=True)
class Outcome:
    """What a task found: values (JSON data; docs/results.md) and the names of its files."""

    values: dict[str, Any]
    files: tuple[str, ...] = ()


def carry_out(bench: Bench) -> Outcome:
    """Do the task.

    Raises
    ------
    TaskFailed
        The task cannot give a number; the reasons are listed in docs/results.md.
    """
    try:
        outcome = STEPS[bench.task.kind](bench)
    except NotConverged as error:
        raise TaskFailed("scf-not-converged", str(error)) from None
    except OutOfSteps as error:
        raise TaskFailed("out-of-steps", str(error)) from None
    except AtomsCollide as error:
        raise TaskFailed("atoms-too-close", str(error)) from None
    return Outcome(_effort(bench) | outcome.values, outcome.files)


# ---- lattice ------------------------------------------------------------------------------------


def _lattice(bench: Bench) -> Outcome:
    """Fit a Birch-Murnaghan equation of state to energies about the guessed lattice constant."""
    history = bench.history()
    points = [record for record in history.records if record.keys() == POINT]
    energies = {point["lattice_constant"]: point["energy"] for point in points}
    centre = bench.task.inputs["lattice_guess"]
    for _ in range(RECENTRINGS):
        constants = [round(centre * strain, 6) for strain in STRAINS]
        for number, constant in enumerate(constants):
            if constant not in energies:
                energy, _forces = bench.calculation()(_crystal(bench.task, constant))
                energies[constant] = energy
                history.append({"lattice_constant": constant, "energy": energy})
            bench.report(step=number + 1, steps=len(constants))
        centre = min(constants, key=energies.__getitem__)
        if centre not in (constants[0], constants[-1]):
            found = _fit(bench.task, constants, energies)
            crystal = _crystal(bench.task, found["lattice_constant"])
            lines = [asdict(line) for line in powder_pattern(crystal)]
            return Outcome(found | {"pattern": lines})
    raise TaskFailed(
        "no-minimum", f"no minimum of the energy near {bench.task.inputs['lattice_guess']} Å"
    )


def _crystal(task: Task, constant: float) -> Atoms:
    if task.surface == "host":
        cation, anion = task.inputs["elements"]
        return bulk.rocksalt(cation, anion, constant)
    (symbol,) = task.inputs["elements"]
    return bulk.metal(symbol, task.inputs["structure"], constant)


def _fit(task: Task, constants: list[float], energies: Mapping[float, float]) -> dict[str, Any]:
    volumes = [_crystal(task, constant).get_volume() for constant in constants]
    eos = EquationOfState(volumes, [energies[c] for c in constants], eos="birchmurnaghan")
    volume, energy, modulus = eos.fit(warn=False)
    # V is proportional to a^3, whichever cell of the crystal it is taken of
    constant = constants[0] * (volume / volumes[0]) ** (1 / 3)
    return {
        "lattice_constant": float(constant),
        "bulk_modulus": float(modulus / GPa),
        "energy": float(energy),
        "atoms": len(task.inputs["elements"]),
        "lattice_constants": constants,
        "energies": [energies[c] for c in constants],
    }


# ---- isolated atom ------------------------------------------------------------------------------


def _atom(bench: Bench) -> Outcome:
    """Compute the spin-polarised isolated atom, filled by Hund's rule."""
    atoms = bulk.isolated_atom(bench.task.inputs["element"], bench.task.inputs["box"])
    calculation = bench.calculation(hund=True)
    energy, _ = calculation(atoms)
    values = {"energy": energy, "magnetic_moment": calculation.magnetic_moment()}
    return Outcome(values)


# ---- relaxations --------------------------------------------------------------------------------


def clean_slab(task: Task, lattice_constant: float, cell: str | None = None) -> Atoms:
    """Build the unrelaxed slab that a slab task relaxes, or the same in another cell."""
    inputs = task.inputs
    slab = inputs["slab"] | ({"cell": cell} if cell else {})
    if task.surface == "host":
        cation, anion = inputs["elements"]
        return rocksalt_slab(cation, anion, lattice_constant, **slab)
    (symbol,) = inputs["elements"]
    if task.surface == "metal_110":
        return bcc110_slab(symbol, lattice_constant, **slab)
    return metal_slab(symbol, inputs["structure"], lattice_constant, **slab)


def _slab(bench: Bench) -> Outcome:
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
    kx, ky, kz = bench.kpoints or (1, 1, 1)
    # k-points of the same density; for whole multiples of the cell they are the very same ones
    calculation = bench.calculation((round(kx * repeats[0]), round(ky * repeats[1]), kz))
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


def _repeats(slab: Atoms, small: Atoms) -> tuple[float, float]:
    """Return how many times wider a cell is than a small one along x and y."""
    x, y = slab.cell.lengths()[:2] / small.cell.lengths()[:2]
    return round(float(x), 6), round(float(y), 6)


def _held(bench: Bench) -> Outcome:
    """Relax the adatom at its site, its x and y held: the energy that belongs to the site."""
    slab = from_json(bench.parent["structure"])
    start = sites.place_adatom(slab, bench.task.inputs["adatom"], bench.task.site)
    return _relax_adatom(bench, sites.hold_lateral(start))


def _basin(bench: Bench) -> Outcome:
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


def _uncorrected(bench: Bench) -> Outcome:
    """Compute a relaxed system's energy without the dipole correction."""
    calculation = bench.calculation()
    energy, _ = calculation(from_json(bench.parent["structure"]))
    return Outcome({"energy": energy})


def _free(bench: Bench) -> Outcome:
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
        values |= _keep_density(bench, calculation)
    return Outcome(values | _iterations(bench), files)


def _frame(start: Atoms, record: Mapping[str, Any]) -> Atoms:
    atoms = start.copy()
    atoms.set_constraint()  # positions are to be exactly the journal's
    atoms.positions[:] = record["positions"]
    atoms.calc = SinglePointCalculator(
        atoms, energy=record["energy"], forces=np.array(record["forces"])
    )
    return atoms


def _effort(bench: Bench) -> dict[str, Any]:
    """Return what GPAW took in this process: all the task's calculations together."""
    made = bench.calculations
    return {
        "scf_iterations": sum(calculation.scf_iterations for calculation in made),
        "gpaw_seconds": sum(calculation.seconds for calculation in made),
        "retries": [retry for calculation in made for retry in calculation.retries],
    }


def _iterations(bench: Bench) -> dict[str, int]:
    """Return the SCF iterations of all the task's relaxations, those before a stop included."""
    stems = sorted(path.stem for path in bench.folder.path.glob("*.jsonl"))
    records = (record for stem in stems for record in bench.history(stem).records)
    return {"scf_iterations": sum(record.get("scf_iterations", 0) for record in records)}


def write_structure(folder: Path | TaskFolder, stem: str, atoms: Atoms) -> tuple[str, ...]:
    """Write a structure as `stem`.cif and `stem`.extxyz into a folder; return the names."""
    plain = atoms.copy()
    plain.set_constraint()
    names = []
    for suffix in ("cif", "extxyz"):
        names.append(f"{stem}.{suffix}")
        write(folder / names[-1], plain, format=suffix)
    return tuple(names)


# ---- charge-density difference ------------------------------------------------------------------


def _density(bench: Bench) -> Outcome:
    """Subtract from the density those of slab and adatom, each alone where it is in the whole."""
    atoms = from_json(bench.parent["structure"])
    atoms.set_constraint()  # single points; the grid is the same for all three
    densities = _kept_density(bench, atoms)
    parts = {"total": atoms, "slab": atoms[:-1], "adatom": atoms[-1:]}
    for name in densities:
        del parts[name]
    for number, (name, part) in enumerate(parts.items()):
        bench.report(step=number + 1, steps=len(parts), part=name)
        calculation = bench.calculation()
        calculation.converge(part)
        densities[name] = calculation.all_electron_density()
    electrons = populations(densities["total"], atoms.positions)
    moved = difference(densities["total"], densities["slab"], densities["adatom"])
    title = f"{bench.task.title}, case {bench.case.name}"
    cube = write_difference(bench.folder, moved, atoms, title)
    z, profile = plane_average(moved)
    surface = atoms.positions[atoms.get_tags() == 1, 2].mean()
    transfer = charge_transfer(moved, float(surface), float(atoms.positions[-1, 2]))
    values = {
        "integral": moved.integral(),
        "charge_moved": transfer.electrons,
        "boundary": transfer.boundary,
        # nuclear charge less all electrons of its basin: positive has lost them
        "bader_charge": float(atoms.numbers[-1] - electrons[-1]),
        "z": z.tolist(),
        "plane_average": profile.tolist(),
        "structure": to_json(atoms),
    }
    return Outcome(values, (cube,))


def _keep_density(bench: Bench, calculation: Calculation) -> dict[str, str]:
    """Keep the density of a held adatom's system: it saves the density difference an SCF."""
    path = bench.folder / DENSITY
    np.save(path, calculation.all_electron_density().values)
    return {"density": file_digest(path)}


def _kept_density(bench: Bench, atoms: Atoms) -> dict[str, Density]:
    """Return the whole system's density, if it is kept and as it was written."""
    path = bench.folder.path.parent / bench.task.needs[0] / DENSITY
    if not path.is_file() or file_digest(path) != bench.parent.get("density"):
        return {}
    return {"total": Density(np.load(path, allow_pickle=False), np.array(atoms.cell))}


STEPS: dict[Kind, Callable[[Bench], Outcome]] = {
    "lattice": _lattice,
    "atom": _atom,
    "slab": _slab,
    "held": _held,
    "free": _free,
    "basin": _basin,
    "uncorrected": _uncorrected,
    "density": _density,
}
