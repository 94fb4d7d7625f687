"""Unrelaxed slabs, cut from a crystal as a task's inputs have it."""

from __future__ import annotations

from ase import Atoms

from structures.slab import bcc110_slab, metal_slab, rocksalt_slab
from workflows.tasks.records import ProbeInputs, SlabInputs, Surface


def cut_slab(
    surface: Surface,
    inputs: SlabInputs | ProbeInputs,
    lattice_constant: float,
    cell: str | None = None,
) -> Atoms:
    """Cut a slab.

    Parameters
    ----------
    surface
        Which surface it has.
    inputs
        Of the task that relaxes or probes it.
    lattice_constant
        Of the crystal that it is cut from, angstrom.
    cell
        Another cell in the plane instead of that of the inputs, such as "1x1".
    """
    cut = inputs["slab"] if cell is None else {**inputs["slab"], "cell": cell}
    if surface == "host":
        cation, anion = inputs["elements"]
        return rocksalt_slab(cation, anion, lattice_constant, **cut)
    (symbol,) = inputs["elements"]
    if surface == "metal_110":
        return bcc110_slab(symbol, lattice_constant, **cut)
    return metal_slab(symbol, inputs["structure"], lattice_constant, **cut)
