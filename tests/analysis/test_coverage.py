"""Energies of a surface as it fills up, against sums by hand and the EMT potential."""

import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from analysis.coverage import Surface

BY_HAND = Surface(
    clean=-100.0,
    energies={1: -103.0, 2: -105.5, 3: -107.0, 4: -107.8},
    layers={1: 1, 2: 1, 3: 1, 4: 2},
    clusters={2: -105.0, 3: -107.5},
    atom=-0.2,
    metal=-1.3,
)


def test_averages_are_the_means_of_the_differentials() -> None:
    steps = [BY_HAND.differential(n) for n in (1, 2, 3, 4)]
    assert steps == pytest.approx([-2.8, -2.3, -1.3, -0.6])
    assert BY_HAND.average(4) == pytest.approx(sum(s for s in steps if s is not None) / 4)
    assert BY_HAND.average(1) == steps[0]


def test_voltages_are_against_the_metal() -> None:
    assert [BY_HAND.voltage_step(n) for n in (1, 2, 3, 4)] == pytest.approx([1.7, 1.2, 0.2, -0.5])
    assert BY_HAND.voltage(4) == pytest.approx((1.7 + 1.2 + 0.2 - 0.5) / 4)
    assert BY_HAND.plating == 4
    assert BY_HAND.second_layer == 4


def test_clusters_are_against_as_many_adatoms_that_are_alone() -> None:
    # -5.0 against 2 x -3.0; -7.5 against 3 x -3.0
    assert BY_HAND.clustering(2) == pytest.approx(0.5)
    assert BY_HAND.clustering(3) == pytest.approx(0.5)
    assert BY_HAND.preferred() == "apart"


def test_a_denser_coverage_counts_as_a_cluster_does() -> None:
    # per adatom -3.0, -2.75, -7/3, -1.95
    assert [BY_HAND.crowding(n) for n in (1, 2, 4)] == pytest.approx([0.0, 0.25, 1.05])
    islands = Surface(-100.0, {1: -103.0, 2: -106.4}, {1: 1, 2: 1}, {})
    assert islands.crowding(2) == pytest.approx(-0.2)
    assert islands.preferred() == "layer"
    mounds = Surface(-100.0, {1: -103.0, 2: -106.4}, {1: 1, 2: 2}, {})
    assert mounds.preferred() == "clumps"


def test_adatoms_that_are_lower_in_the_bulk_metal_clump() -> None:
    energies, layers = {1: -100.9, 2: -101.5}, {1: 1, 2: 1}
    assert Surface(-100.0, energies, layers, {}).preferred() == "apart"
    assert Surface(-100.0, energies, layers, {}, metal=-0.8).preferred() == "apart"
    assert Surface(-100.0, energies, layers, {}, metal=-1.1).preferred() == "clumps"


def test_a_layer_that_is_lower_than_the_bulk_metal_spreads() -> None:
    energies, layers = {1: -100.9, 2: -102.4}, {1: 1, 2: 1}
    assert Surface(-100.0, energies, layers, {}, metal=-1.1).preferred() == "layer"
    assert Surface(-100.0, energies, layers, {}, metal=-1.3).preferred() == "clumps"
    assert Surface(-100.0, energies, layers, {}, metal=-1.205).preferred() is None


@pytest.mark.parametrize(
    ("energy", "preferred"), [(-105.99, None), (-106.5, "clumps"), (-105.0, "apart")]
)
def test_less_than_a_hundredth_of_an_ev_decides_nothing(
    energy: float, preferred: str | None
) -> None:
    one = Surface(-100.0, {1: -103.0}, {1: 1}, {2: energy})
    assert one.preferred() == preferred


def test_what_is_not_computed_is_none() -> None:
    bare = Surface(-100.0, {1: -103.0, 3: -107.0}, {1: 1, 3: 1}, {})
    assert bare.differential(1) is bare.voltage_step(1) is bare.average(1) is None
    with_atom = Surface(-100.0, {1: -103.0, 3: -107.0}, {1: 1, 3: 1}, {}, atom=-0.2, metal=-1.3)
    assert with_atom.differential(3) is None
    assert with_atom.average(3) == pytest.approx(-7.0 / 3 + 0.2)
    assert bare.second_layer is bare.plating is None
    assert Surface(-100.0, {1: -103.0}, {1: 1}, {}, atom=-0.2, metal=-1.3).preferred() is None


def relaxed(*places: tuple[int, int]) -> float:
    """Return the EMT energy of Cu(001) with Cu adatoms in hollows of these squares."""
    atoms: Atoms = fcc100("Cu", (5, 5, 3), vacuum=8.0)
    for x, y in places:
        add_adsorbate(atoms, "Cu", 1.8, "hollow", offset=(x, y))
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.02, steps=200)
    return float(atoms.get_potential_energy())


def test_two_atoms_far_apart_do_not_feel_each_other_and_neighbours_attract() -> None:
    clean, one = relaxed(), relaxed((1, 1))
    far, near = relaxed((0, 0), (2, 2)), relaxed((1, 1), (2, 1))
    alone = Surface(clean, {1: one, 2: far}, {1: 1, 2: 1}, {2: near}, atom=0.0)
    single, second = alone.differential(1), alone.differential(2)
    assert single is not None
    assert second == pytest.approx(single, abs=0.03)
    # EMT: a bond between two copper atoms on the surface
    assert near < far - 0.1
    assert alone.clustering(2) == pytest.approx((near - clean) / 2 - single)
    assert alone.preferred() == "clumps"
