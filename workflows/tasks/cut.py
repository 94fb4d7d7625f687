"""Crystals and unrelaxed slabs, as a task's inputs have them."""

from __future__ import annotations

from typing import TypeAlias, cast

from ase import Atoms

from structures import bulk
from structures.crystals import primitive_cell
from structures.slab import bcc110_slab, metal_slab, rocksalt_slab
from structures.supercell import surface_cell
from structures.terminations import Miller, slab_as_given, slab_of_crystal
from workflows.tasks.atoms_json import from_json
from workflows.tasks.records import CrystalInputs, LatticeValues, ProbeInputs, SlabInputs, Surface

# What is known of a crystal's cell: its lattice constant (angstrom), or the relaxed conventional
# cell where a lattice constant alone does not give it
Lattice: TypeAlias = float | Atoms


def lattice_of(values: LatticeValues) -> Lattice:
    """Return the lattice that a task has found."""
    return from_json(values["structure"]) if "structure" in values else values["lattice_constant"]


def crystal_from(surface: Surface, inputs: CrystalInputs, lattice: Lattice) -> Atoms:
    """Build the primitive cell of a crystal.

    Parameters
    ----------
    surface
        A surface of it.
    inputs
        Of a task.
    lattice
        Its lattice.
    """
    if "crystal" in inputs:
        return primitive_cell(conventional_from(inputs, lattice))
    constant = cast("float", lattice)
    if surface == "host":
        cation, anion = inputs["elements"]
        return bulk.rocksalt(cation, anion, constant)
    (symbol,) = inputs["elements"]
    return bulk.metal(symbol, inputs["structure"], constant)


def conventional_from(inputs: CrystalInputs, lattice: Lattice) -> Atoms:
    """Return the conventional cell of a crystal from a file (or of an element), or such a slab."""
    if isinstance(lattice, Atoms):
        return lattice
    read = inputs["crystal"]
    crystal = Atoms(
        read["symbols"], cell=read["cell"], scaled_positions=read["positions"], pbc=True
    )
    crystal.set_cell(crystal.cell * (lattice / crystal.cell.lengths()[0]), scale_atoms=True)
    return crystal


def cut_slab(
    surface: Surface,
    inputs: SlabInputs | ProbeInputs,
    lattice: Lattice,
    cell: str | None = None,
) -> Atoms:
    """Cut a slab.

    Parameters
    ----------
    surface
        Which surface it has.
    inputs
        Of the task that relaxes or probes it.
    lattice
        Of the crystal that it is cut from.
    cell
        Another cell in the plane instead of that of the inputs, such as "1x1".

    Raises
    ------
    ValueError
        The crystal from a file does not have the face or termination of the inputs.
    """
    cut = inputs["slab"] if cell is None else {**inputs["slab"], "cell": cell}
    if "crystal" in inputs:
        crystal, matrix = conventional_from(inputs, lattice), surface_cell(cut["cell"])
        vacuum, held = cut["vacuum"], cut["held_layers"]
        if "miller" not in inputs:
            return slab_as_given(crystal, cell=matrix, vacuum=vacuum, held_layers=held)
        return slab_of_crystal(
            crystal,
            cast("Miller", tuple(inputs["miller"])),
            inputs["termination"],
            layers=cut["layers"],
            cell=matrix,
            vacuum=vacuum,
            held_layers=held,
        )
    constant = cast("float", lattice)
    if surface == "host":
        cation, anion = inputs["elements"]
        return rocksalt_slab(cation, anion, constant, **cut)
    (symbol,) = inputs["elements"]
    if surface == "metal_110":
        return bcc110_slab(symbol, constant, **cut)
    return metal_slab(symbol, inputs["structure"], constant, **cut)
