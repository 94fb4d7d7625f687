"""Energies and densities of structures that are not relaxed here."""

from __future__ import annotations

from analysis.bader import populations
from analysis.charge import charge_transfer, difference, plane_average
from structures import bulk
from workflows.steps.context import Bench, Outcome
from workflows.steps.cubes import kept_density, write_difference
from workflows.tasks.atoms_json import from_json, to_json


def compute_atom(bench: Bench) -> Outcome:
    """Compute the spin-polarised isolated atom, filled by Hund's rule."""
    atoms = bulk.isolated_atom(bench.task.inputs["element"], bench.task.inputs["box"])
    calculation = bench.calculation()
    energy, _ = calculation(atoms)
    values = {"energy": energy, "magnetic_moment": calculation.magnetic_moment()}
    return Outcome(values)


def compute_uncorrected(bench: Bench) -> Outcome:
    """Compute a relaxed system's energy without the dipole correction."""
    calculation = bench.calculation()
    energy, _ = calculation(from_json(bench.parent["structure"]))
    return Outcome({"energy": energy})


def compute_density_difference(bench: Bench) -> Outcome:
    """Subtract from the density those of slab and adatom, each alone where it is in the whole."""
    atoms = from_json(bench.parent["structure"])
    atoms.set_constraint()  # single points; the grid is the same for all three
    densities = kept_density(bench, atoms)
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
