"""How many MPI ranks can share the k-points of a system."""

from __future__ import annotations

from ase import Atoms

from workflows.case.schema import DFT
from workflows.dft.interface import IsolatedAtom, System
from workflows.dft.parameters import gpaw_parameters


def usable_ranks(settings: DFT, system: System, atoms: Atoms) -> int:
    """Return the number of irreducible k-points times that of spins: ranks that have work to do.

    Parameters
    ----------
    settings
        DFT settings of the case.
    system
        What kind of system it is.
    atoms
        Its structure, with constraints.
    """
    from gpaw.dft import Parameters
    from gpaw.mpi import serial_comm

    parameters = Parameters(**gpaw_parameters(settings, system, atoms))
    symmetries = parameters.symmetry.build(atoms, setup_ids=atoms.numbers)
    kpoints = parameters.kpts.build(atoms).reduce(symmetries, strict=False, comm=serial_comm)
    spins = 2 if isinstance(system, IsolatedAtom) else 1
    return len(kpoints) * spins
