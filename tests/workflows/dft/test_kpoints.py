"""How many MPI ranks have work to do."""

from ase.build import bulk

from structures.bulk import isolated_atom
from workflows.case.schema import DFT, KPoints
from workflows.dft.interface import IsolatedAtom, Periodic
from workflows.dft.kpoints import usable_ranks

GRID = (2, 2, 1)
SETTINGS = DFT(
    cutoff=200.0,
    kpoints=KPoints(host_bulk=(2, 2, 2), host_slab=GRID, metal_bulk=(2, 2, 2), metal_slab=GRID),
)


def test_symmetry_leaves_fewer_k_points() -> None:
    # of 4 x 4 x 4 k-points of a bcc crystal 8 are irreducible, and 36 without symmetry
    crystal = bulk("Na", "bcc", a=4.2)
    assert usable_ranks(SETTINGS, Periodic((4, 4, 4)), crystal) == 8
    pair = crystal.repeat((2, 1, 1))
    pair.positions[1] += [0.1, 0.2, 0.3]
    assert usable_ranks(SETTINGS, Periodic((4, 4, 4)), pair) > 30


def test_an_atom_has_two_spins() -> None:
    assert usable_ranks(SETTINGS, IsolatedAtom(), isolated_atom("Na", 9.0)) == 2
