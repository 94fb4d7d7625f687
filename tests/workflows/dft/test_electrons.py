"""Densities of states and electron localisation with real GPAW, in a tiny cell."""

import numpy as np
import pytest
from ase import Atoms

from tests.workflows.dft.test_calculation import calculation
from workflows.dft.calculation import Calculation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nitrogen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Calculation, Atoms]:
    """Return a self-consistent N2, upright and one per cell of a sparse layer."""
    atoms = Atoms("N2", [[0, 0, 4.0], [0, 0, 5.1]], cell=[4, 4, 9], pbc=(1, 1, 0), tags=[2, 1])
    made = calculation(tmp_path_factory.mktemp("n2"), kpoints=(1, 1, 1))
    made.converge(atoms)
    return made, atoms


def test_states_below_the_fermi_level_are_the_electrons(
    nitrogen: tuple[Calculation, Atoms],
) -> None:
    made, _ = nitrogen
    energies = np.linspace(-30.0, 20.0, 2001)
    found = made.densities_of_states(energies.tolist(), {"N": [1]}, 0.1)
    filled = energies < 2.0  # the gap of N2 is wider than this
    electrons = np.trapezoid(np.array(found["total"])[filled], energies[filled])
    assert electrons == pytest.approx(10.0, abs=0.1)
    inside = {
        name: np.trapezoid(np.array(curve)[filled], energies[filled])
        for name, curve in found["projected"].items()
    }
    # part of the atom's five valence electrons are inside its sphere of 0.6 angstrom, s and p alike
    assert set(inside) == {"N s", "N p"}
    assert 1.0 < sum(inside.values()) < 5.0
    assert found["radii"] == {"N": pytest.approx(0.6, abs=0.1)}


def test_both_atoms_of_a_molecule_have_like_states(nitrogen: tuple[Calculation, Atoms]) -> None:
    made, _ = nitrogen
    energies = np.linspace(-20.0, 0.0, 101).tolist()
    found = made.densities_of_states(energies, {"lower": [0], "upper": [1]}, 0.3)
    upper, lower = (np.array(found["projected"][f"{name} p"]) for name in ("upper", "lower"))
    assert upper == pytest.approx(lower, abs=0.02 * upper.max())


def test_electrons_are_localised_in_lone_pairs_and_not_in_the_vacuum(
    nitrogen: tuple[Calculation, Atoms],
) -> None:
    made, atoms = nitrogen
    field = made.localisation()
    z = np.array([0.5, *np.arange(5.3, 6.7, 0.1)])  # in the vacuum; beyond the upper atom
    vacuum, *beyond = field.at(np.column_stack([0 * z, 0 * z, z]))
    assert field.values.min() >= 0.0
    assert field.values.max() <= 1.0
    assert vacuum == 0.0
    assert max(beyond) > 0.75  # in a uniform gas: 0.5
    assert np.allclose(field.cell_cv, atoms.cell)
