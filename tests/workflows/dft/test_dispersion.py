"""Dispersion: the packages' own numbers, forces as slopes of the energy, periodic along a slab."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from dftd3.ase import DFTD3
from dftd4.ase import DFTD4

from structures.bulk import isolated_atom
from structures.sites import place_adatom
from structures.slab import rocksalt_slab
from workflows.case.schema import DFT, KPoints
from workflows.dft.dispersion import (
    LEAST_HEIGHT,
    MODELS,
    Model,
    dispersion,
    dispersion_energies,
    require_dispersion,
)
from workflows.system.messages import UserError

GRID = (1, 1, 1)
SETTINGS = DFT(
    cutoff=400.0,
    kpoints=KPoints(host_bulk=GRID, host_slab=GRID, metal_bulk=GRID, metal_slab=GRID),
)


@pytest.fixture
def covered() -> Atoms:
    """Return Na above V of a slab of VN: an odd place, so that no force vanishes."""
    slab = rocksalt_slab("V", "N", 4.14, layers=2, cell="1x1", vacuum=7.0, held_layers=1)
    atoms = place_adatom(slab, "Na", "top-V")
    atoms.positions[-1] += (0.2, 0.1, 0.0)
    return atoms


def package(model: Model, atoms: Atoms) -> tuple[float, np.ndarray]:
    atoms = atoms.copy()
    atoms.set_constraint()
    atoms.calc = DFTD4(method="PBE") if model == "d4" else DFTD3(method="PBE", damping=model)
    return atoms.get_potential_energy(), atoms.get_forces()


@pytest.mark.parametrize("model", MODELS)
def test_a_crystal_has_the_energy_of_the_package(model: Model) -> None:
    sodium = bulk("Na", "bcc", a=4.2)
    assert dispersion(sodium, model, "PBE")[0] == pytest.approx(package(model, sodium)[0])


@pytest.mark.parametrize("model", ["d3bj", "d3zero"])
def test_a_slab_has_the_energy_and_forces_of_the_package(model: Model, covered: Atoms) -> None:
    energy, forces = dispersion(covered, model, "PBE")
    known, pulls = package(model, covered)
    assert energy == pytest.approx(known)
    assert forces == pytest.approx(pulls)
    assert abs(forces).max() > 1e-3


def test_d4_of_a_slab_is_that_of_the_package_in_a_high_and_wide_cell(covered: Atoms) -> None:
    assert covered.cell[2, 2] < LEAST_HEIGHT
    energy, forces = dispersion(covered, "d4", "PBE")
    high = covered.copy()
    high.cell[2, 2] = LEAST_HEIGHT
    known, pulls = package("d4", high.repeat((2, 2, 1)))
    assert energy == pytest.approx(known / 4)
    assert forces == pytest.approx(pulls[: len(covered)])


def test_d4_of_an_adsorption_is_converged_in_height_and_width(covered: Atoms) -> None:
    gained = [dispersion(atoms, "d4", "PBE")[0] for atoms in (covered, covered[:-1])]
    higher = covered.repeat((4, 4, 1))
    higher.cell[2, 2] = 40.0
    bare = higher.copy()[higher.numbers != covered.numbers[-1]]
    much = [package("d4", atoms)[0] / 16 for atoms in (higher, bare)]
    assert gained[0] - gained[1] == pytest.approx(much[0] - much[1], abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_a_slab_has_no_images_along_z(model: Model, covered: Atoms) -> None:
    higher = covered.copy()
    higher.cell[2, 2] += 5.0
    wider = dispersion(higher, model, "PBE")[0]
    assert dispersion(covered, model, "PBE")[0] == pytest.approx(wider, abs=1e-9)


@pytest.mark.parametrize("model", ["d3bj", "d3zero"])
def test_images_along_z_would_be_seen(model: Model, covered: Atoms) -> None:
    solid = covered.copy()
    solid.pbc = True
    solid.cell[2, 2] = 12.0
    assert package(model, solid)[0] < package(model, covered)[0] - 0.01


@pytest.mark.parametrize("model", MODELS)
def test_a_slab_is_periodic_in_its_plane(model: Model, covered: Atoms) -> None:
    single = dispersion(covered, model, "PBE")[0]
    four = dispersion(covered.repeat((2, 2, 1)), model, "PBE")[0]
    assert four == pytest.approx(4 * single, abs=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_forces_are_the_slope_of_the_energy(model: Model, covered: Atoms) -> None:
    _, forces = dispersion(covered, model, "PBE")
    step = 1e-3
    for atom, axis in ((len(covered) - 1, 2), (len(covered) - 1, 0), (0, 2)):
        ends = []
        for sign in (1.0, -1.0):
            moved = covered.copy()
            moved.set_constraint()
            moved.positions[atom, axis] += sign * step
            ends.append(dispersion(moved, model, "PBE")[0])
        slope = (ends[0] - ends[1]) / (2 * step)
        assert forces[atom, axis] == pytest.approx(-slope, abs=2e-5)


def test_an_isolated_atom_has_none() -> None:
    alone = isolated_atom("Na", 13.0)
    assert dispersion_energies(alone, "PBE") == {"d3bj": 0.0, "d3zero": 0.0, "d4": 0.0}


def test_only_models_with_parameters_are_there() -> None:
    sodium = bulk("Na", "bcc", a=4.2)
    assert dispersion_energies(sodium, "LDA") == {}
    assert set(dispersion_energies(sodium, "RPBE")) == set(MODELS)


def test_a_functional_without_parameters_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        require_dispersion(SETTINGS.model_copy(update={"xc": "LDA", "dispersion": "d4"}))
    assert str(refusal.value) == (
        "dft.dispersion: found 'd4', which has no parameters for LDA; allowed with LDA: 'none'"
    )
    require_dispersion(SETTINGS.model_copy(update={"xc": "RPBE", "dispersion": "d4"}))
    require_dispersion(SETTINGS.model_copy(update={"xc": "LDA"}))
