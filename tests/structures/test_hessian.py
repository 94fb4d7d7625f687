"""The model Hessian against what any Hessian must be, and against what it is for."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc100, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixedLine
from ase.optimize import BFGS
from ase.units import Bohr, Hartree

from structures.hessian import FLOOR, HELD, free_hessian, model_hessian
from structures.slab import rocksalt_slab


@pytest.fixture
def slab() -> Atoms:
    slab = rocksalt_slab("V", "N", 4.13, layers=3, cell="2x2", vacuum=6.0, held_layers=1)
    slab.rattle(0.1, seed=1)
    return slab


def test_it_is_symmetric(slab: Atoms) -> None:
    hessian = model_hessian(slab)
    assert hessian.shape == (72, 72)
    assert hessian == pytest.approx(hessian.T, abs=1e-12)


def test_no_direction_is_softer_than_the_floor(slab: Atoms) -> None:
    assert np.linalg.eigvalsh(model_hessian(slab)).min() >= FLOOR - 1e-9


def test_moving_everything_together_costs_the_floor_alone(slab: Atoms) -> None:
    shift = np.tile([0.3, -0.2, 0.5], len(slab))
    assert model_hessian(slab) @ shift == pytest.approx(FLOOR * shift, abs=1e-9)


def test_a_bond_has_lindhs_stiffness() -> None:
    # N2 at 1.10 A: k = 0.45 exp(0.28 (2.87^2 - r^2)) hartree/bohr^2 with r = 2.0787 bohr
    pair = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.10]])
    stiffness = 0.45 * np.exp(0.28 * (2.87**2 - 2.07870**2)) * Hartree / Bohr**2
    stretch = np.array([0, 0, -1, 0, 0, 1]) / np.sqrt(2)
    # the stretch coordinate moves both ends: twice the bond's stiffness
    assert stretch @ model_hessian(pair) @ stretch == pytest.approx(2 * stiffness + FLOOR, rel=1e-4)


def test_bending_a_lone_bond_costs_the_floor_alone() -> None:
    hessian = model_hessian(molecule("N2"))
    sideways = np.array([1.0, 0, 0, -1.0, 0, 0])
    assert hessian @ sideways == pytest.approx(FLOOR * sideways, abs=1e-9)


def test_what_is_held_takes_no_part(slab: Atoms) -> None:
    hessian, free = model_hessian(slab), free_hessian(slab)
    held = np.repeat(slab.get_tags() == slab.get_tags().max(), 3)
    assert 0 < held.sum() < len(held)
    assert free[np.ix_(~held, ~held)] == pytest.approx(hessian[np.ix_(~held, ~held)])
    assert free[np.ix_(held, held)] == pytest.approx(HELD * np.eye(held.sum()))
    assert abs(free[np.ix_(held, ~held)]).max() == 0.0


def test_an_atom_on_a_line_is_free_along_it() -> None:
    pair = Atoms("N2", positions=[[0, 0, 0], [0.3, 0.2, 1.0]])
    line = np.array([1.0, 2.0, 2.0]) / 3.0
    pair.set_constraint([FixAtoms([0]), FixedLine(1, line)])
    free, whole = free_hessian(pair), model_hessian(pair)
    along, across = np.append([0.0] * 3, line), np.array([0, 0, 0, 0, 1.0, -1.0]) / np.sqrt(2)
    assert along @ free @ along == pytest.approx(along @ whole @ along)
    assert free @ across == pytest.approx(HELD * across)


def test_without_constraints_all_is_free(slab: Atoms) -> None:
    slab.set_constraint()
    assert free_hessian(slab) == pytest.approx(model_hessian(slab))


def test_it_saves_steps() -> None:
    def steps(*, with_model: bool) -> int:
        slab = fcc100("Cu", (2, 2, 3), vacuum=6.0)
        slab.rattle(0.08, seed=3)
        slab.calc = EMT()
        optimizer = BFGS(slab, logfile=None)
        if with_model:
            optimizer.H0 = model_hessian(slab)
        optimizer.run(fmax=0.01, steps=200)
        return int(optimizer.nsteps)

    assert steps(with_model=True) < steps(with_model=False)
