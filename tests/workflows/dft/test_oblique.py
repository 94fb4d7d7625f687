"""Real GPAW in a hexagonal cell: densities, their difference, Bader charges, vacuum levels."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import add_adsorbate, fcc111

from analysis.bader import populations
from analysis.charge import charge_transfer, difference
from analysis.potential import Potential, work_functions
from tests.workflows.dft.test_calculation import calculation

pytestmark = pytest.mark.slow


def test_sodium_on_a_hexagonal_layer(tmp_path: Path) -> None:
    whole = fcc111("Al", (1, 1, 1), a=4.05, vacuum=5.0)
    add_adsorbate(whole, "Na", 2.6, "fcc")
    whole.center(vacuum=5.0, axis=2)
    whole.pbc = (True, True, False)
    assert whole.cell.angles()[2] == pytest.approx(60.0)
    densities = []
    for number, atoms in enumerate((whole, whole[:1], whole[1:])):
        (folder := tmp_path / str(number)).mkdir()
        calculated = calculation(folder, kpoints=(2, 2, 1))
        calculated.converge(atoms)
        densities.append(calculated.all_electron_density())
        if number == 0:
            along_z = calculated.electrostatics()
    assert densities[0].shape[0] == densities[0].shape[1]
    assert [density.integral() for density in densities] == pytest.approx([24, 13, 11], abs=1e-3)

    moved = difference(*densities)
    assert moved.integral() == pytest.approx(0.0, abs=1e-3)
    assert charge_transfer(moved, *whole.positions[:, 2]).electrons > 0.0

    electrons = populations(densities[0], whole.positions)
    assert electrons.sum() == pytest.approx(24.0, abs=1e-3)
    assert 10.0 < electrons[1] < 11.0  # sodium gives electrons to aluminium
    assert populations(densities[1], whole.positions[:1]) == pytest.approx([13.0], abs=1e-3)
    moved_by = whole.cell[0] * 2 - whole.cell[1]  # an image of the atoms is the same
    assert populations(densities[0], whole.positions + moved_by) == pytest.approx(electrons)

    heights = whole.positions[:, 2]
    levels = work_functions(
        Potential(along_z["z"], along_z["potential"], along_z["fermi_level"]),
        (heights.min(), heights.max()),
    )
    assert 1.0 < levels.above.level - along_z["fermi_level"] < 6.0
    assert np.ptp(along_z["z"]) < whole.cell[2, 2]
