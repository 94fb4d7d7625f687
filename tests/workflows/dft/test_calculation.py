"""Real GPAW on tiny cells: settings reach it, symmetry knows of holds, SCF failures are mended."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111
from dftd3.ase import DFTD3

from analysis.bader import populations
from analysis.charge import charge_transfer, difference
from analysis.potential import Potential, work_functions
from structures.bulk import isolated_atom, rocksalt
from structures.sites import place_adatom
from structures.slab import metal_slab, rocksalt_slab
from workflows.case.schema import DFT, SCF, HubbardU, KPoints
from workflows.dft.calculation import Calculation
from workflows.dft.datasets import require_setups, setups
from workflows.dft.interface import AtomsCollide, IsolatedAtom, NotConverged, Periodic
from workflows.dft.kpoints import usable_ranks
from workflows.dft.parameters import grid_points
from workflows.dft.retry_ladder import LADDER
from workflows.steps.optimize import Step, relax
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder
from workflows.tasks.journal import Journal

pytestmark = pytest.mark.slow

GRID = (2, 2, 1)
KPOINTS = KPoints(host_bulk=(2, 2, 2), host_slab=GRID, metal_bulk=(2, 2, 2), metal_slab=GRID)
TINY = DFT(cutoff=200.0, smearing=0.2, setups={"V": "5"}, kpoints=KPOINTS)


def sodium() -> Atoms:
    return bulk("Na", "bcc", a=4.2)


def calculation(
    folder: Path,
    settings: DFT = TINY,
    kpoints: tuple[int, int, int] | None = (2, 2, 2),
    translations: tuple[int, int] = (1, 1),
) -> Calculation:
    dipole = settings.dipole_correction
    system = Periodic(kpoints, dipole, translations) if kpoints else IsolatedAtom()
    return Calculation(settings, system, lambda: TaskFolder(folder, "slab").new_log("gpaw"))


def with_scf(**changes: Any) -> DFT:
    return TINY.model_copy(update={"scf": SCF(**changes)})


def test_the_settings_reach_gpaw(tmp_path: Path) -> None:
    calculation(tmp_path)(sodium())
    log = (tmp_path / "gpaw-1.txt").read_text()
    assert "'ecut': 200.0" in log or "ecut=200.0" in log
    assert "'size': (2, 2, 2)" in log or "size=(2, 2, 2)" in log
    assert "0.2" in log
    assert "PBE" in log


def test_forces_agree_with_energy_differences(tmp_path: Path) -> None:
    # F = -dE/dx; a gap and little smearing, so that free and extrapolated energy are the same
    dimer = Atoms("Na2", positions=[[3, 3, 2.6], [3, 3, 5.4]], cell=[6, 6, 8], pbc=True)
    sharp = with_scf(density=1e-6, energy=1e-6, eigenstates=1e-9).model_copy(
        update={"smearing": 0.01}
    )
    calc = calculation(tmp_path, sharp, (1, 1, 1))
    _, forces = calc(dimer)
    step = 0.02
    energies = []
    for sign in (-1, 1):
        moved = dimer.copy()
        moved.positions[1, 2] += sign * step
        energies.append(calc(moved)[0])
    slope = (energies[1] - energies[0]) / (2 * step)
    assert forces[1, 2] == pytest.approx(-slope, abs=0.02)


def test_the_isolated_atom_is_converged_with_its_box_and_with_the_cutoff(tmp_path: Path) -> None:
    # The box and cutoff of `laptop`, each against more of it, where it is quick: the cutoff in a
    # small box, as it has to do with the atom, and the box, for what is far from it, at a low one.
    def energy(box: float, cutoff: float) -> float:
        settings = TINY.model_copy(update={"cutoff": cutoff})
        return calculation(tmp_path, settings, None)(isolated_atom("Na", box))[0]

    assert energy(12.0, 250.0) == pytest.approx(energy(13.0, 250.0), abs=0.005)
    assert energy(8.0, 350.0) == pytest.approx(energy(8.0, 500.0), abs=0.005)


def test_a_slab_held_on_one_side_relaxes_without_breaking_symmetry(tmp_path: Path) -> None:
    # A flat slab has a mirror plane between its two faces; holding one face breaks it.
    slab = rocksalt_slab("V", "N", 4.2, layers=2, cell="1x1", vacuum=5.0, held_layers=1)
    calc = calculation(tmp_path, kpoints=GRID)
    calc(slab)
    slab.positions[slab.get_tags() == 1, 2] += [0.05, -0.05]
    energy, forces = calc(slab)
    assert np.isfinite(energy)
    assert abs(forces[:, :2]).max() < 0.02  # the square symmetry is used still


def test_a_supercell_of_a_slab_is_its_smallest_cell_repeated(tmp_path: Path) -> None:
    # The same k-points and the same grid: equivalent atoms feel the same force.
    small = rocksalt_slab("V", "N", 4.12, layers=2, cell="1x1", vacuum=5.0, held_layers=1)
    wide = rocksalt_slab("V", "N", 4.12, layers=2, cell="2x2", vacuum=5.0, held_layers=1)
    settings = with_scf(density=1e-5, eigenstates=1e-8).model_copy(update={"cutoff": 330.0})
    assert grid_points(wide, 330.0)[0] == 25  # and 28 with the translations, twice 14
    energy, forces = {}, {}
    for name, slab, kpoints, translations in (
        ("small", small, (2, 2, 1), (1, 1)),
        ("wide", wide, (1, 1, 1), (2, 2)),
    ):
        calc = calculation(tmp_path, settings, kpoints, translations)
        energy[name], forces[name] = calc(slab)
    assert energy["wide"] == pytest.approx(4 * energy["small"], abs=1e-4)
    for atom in small:
        like = (wide.get_tags() == atom.tag) & (wide.symbols == atom.symbol)
        assert forces["wide"][like] == pytest.approx(
            np.tile(forces["small"][atom.index], (4, 1)), abs=1e-3
        )


def test_an_adatom_away_from_the_origin_keeps_its_axis(tmp_path: Path) -> None:
    slab = rocksalt_slab("V", "N", 4.12, layers=2, cell="sqrt2", vacuum=5.0, held_layers=1)
    atoms = place_adatom(slab, "Na", "top-V")
    system = Periodic((3, 3, 1), True, (2, 2))
    assert abs(atoms.get_scaled_positions()[-1, :2] % 0.5).max() < 1e-6
    energy, forces = calculation(tmp_path, TINY, (3, 3, 1), (2, 2))(atoms)
    assert usable_ranks(TINY, system, atoms) == 3  # of nine k-points
    assert abs(forces[-1, :2]).max() < 1e-9
    atoms.positions[-1] += [0.002, 0.001, 0.0]  # no symmetry at all
    assert usable_ranks(TINY, system, atoms) == 5
    other_energy, other_forces = calculation(tmp_path, TINY, (3, 3, 1), (2, 2))(atoms)
    assert other_energy == pytest.approx(energy, abs=1e-3)
    assert other_forces == pytest.approx(forces, abs=0.02)


def test_all_electron_density_holds_all_electrons(tmp_path: Path) -> None:
    calc = calculation(tmp_path)
    calc.converge(sodium())
    assert calc.all_electron_density().integral() == pytest.approx(11.0, abs=1e-5)


def test_the_ladder_goes_on_from_where_scf_stopped(tmp_path: Path) -> None:
    few = calculation(tmp_path, with_scf(max_iterations=8))
    energy, _ = few(sodium())
    assert few.retries == ["more iterations"]
    assert energy == pytest.approx(calculation(tmp_path)(sodium())[0], abs=1e-4)


def test_a_step_goes_on_from_the_last_ones_density_and_response(tmp_path: Path) -> None:
    # Stiff nitrogen and soft sodium at the surface of a metal: charge sloshes.
    slab = rocksalt_slab("V", "N", 4.2, layers=2, cell="1x1", vacuum=5.0, held_layers=1)
    slab += Atoms("Na", positions=[[0.1, 0.2, slab.positions[:, 2].max() + 2.4]])
    calc = calculation(tmp_path, kpoints=GRID)
    calc(slab)
    taken = []
    for _ in range(4):
        before = calc.scf_iterations
        slab.positions[-1] += [0.02, 0.01, -0.04]
        energy, forces = calc(slab)
        taken.append(calc.scf_iterations - before)
    fresh = calculation(tmp_path, kpoints=GRID)
    cold_energy, cold_forces = fresh(slab)
    assert energy == pytest.approx(cold_energy, abs=1e-3)
    assert abs(forces - cold_forces).max() < 0.03
    assert max(taken[1:]) <= 0.7 * fresh.scf_iterations


def test_a_response_that_misleads_is_forgotten(tmp_path: Path) -> None:
    few = with_scf(max_iterations=25)
    pair = Atoms("Na2", positions=[[2, 2, 2], [3.7, 4.1, 4.3]], cell=[4, 4, 4.4], pbc=True)
    calc, fresh = (calculation(tmp_path, few, (1, 1, 1)) for _ in range(2))
    calc(pair)
    secants = calc._mixer._secants
    secants.steps = [(-30 * nt, -30 * D) for nt, D in secants.steps]
    pair.positions[1] += 0.03
    energy, _ = calc(pair)
    assert calc.retries == ["more iterations"]
    assert energy == pytest.approx(fresh(pair)[0], abs=1e-3)


def test_rough_forces_are_near_the_exact_ones_which_go_on_from_them(tmp_path: Path) -> None:
    slab = rocksalt_slab("V", "N", 4.2, layers=2, cell="1x1", vacuum=5.0, held_layers=1)
    calc, cold = calculation(tmp_path, kpoints=GRID), calculation(tmp_path, kpoints=GRID)
    _, rough = calc(slab, rough=True)
    taken = calc.scf_iterations
    energy, exact = calc(slab)
    cold_energy, cold_forces = cold(slab)
    assert energy == pytest.approx(cold_energy, abs=1e-3)
    assert abs(exact - cold_forces).max() < 0.02
    assert 1e-6 < abs(rough - exact).max() < 0.1
    assert taken < cold.scf_iterations


def test_the_ladder_ends_with_what_was_tried(tmp_path: Path) -> None:
    impossible = with_scf(max_iterations=1, density=1e-12, eigenstates=1e-16)
    with pytest.raises(NotConverged) as error:
        calculation(tmp_path, impossible)(sodium())
    for rung in LADDER:
        assert rung.name in str(error.value)


def test_atoms_on_top_of_each_other_are_refused(tmp_path: Path) -> None:
    pair = Atoms("Na2", positions=[[1, 1, 1], [1, 1, 1.001]], cell=[5, 5, 5], pbc=True)
    with pytest.raises(AtomsCollide, match="too close"):
        calculation(tmp_path, kpoints=(1, 1, 1))(pair)


def test_the_atom_has_the_moment_of_hunds_rule(tmp_path: Path) -> None:
    atom = Atoms("Na", positions=[[3.5, 3.5, 3.5]], cell=[7, 7, 7])
    calc = calculation(tmp_path, kpoints=None)
    calc(atom)
    assert calc.magnetic_moment() == pytest.approx(1.0, abs=1e-6)


def test_a_structure_that_leaves_its_symmetry_is_calculated_all_the_same(tmp_path: Path) -> None:
    pair = Atoms("Na2", positions=[[2, 2, 2], [4, 4, 4.2]], cell=[4, 4, 4.4], pbc=True)
    calc = calculation(tmp_path, kpoints=(1, 1, 1))
    calc(pair)
    pair.positions[1] += [0.03, 0.05, 0.1]
    energy, _ = calc(pair)
    fresh = calculation(tmp_path, kpoints=(1, 1, 1))(pair)[0]
    assert energy == pytest.approx(fresh, abs=1e-3)
    assert len(list(tmp_path.glob("gpaw-*.txt"))) == 3  # the earlier log is still there


def test_installed_data_sets_are_listed() -> None:
    assert setups("V", "PBE") == ["", "5"]


def test_a_data_set_that_is_not_installed_is_refused() -> None:
    settings = TINY.model_copy(update={"setups": {"V": "13"}})
    with pytest.raises(UserError, match=r"dft\.setups\.V: found '13' for PBE; allowed: .*'5'"):
        require_setups(settings, ["V", "N", "Na"])


def test_a_hubbard_u_raises_the_energy_of_partly_filled_d_states(tmp_path: Path) -> None:
    vn = rocksalt("V", "N", 4.15)
    with_u = TINY.model_copy(update={"hubbard": {"V": HubbardU(orbital="d", U=3.0)}})
    (plain, _), (raised, _) = (calculation(tmp_path, settings)(vn) for settings in (TINY, with_u))
    # U/2 sum (n - n^2) over the d states of both spins: above 0, and at most U/8 for each of 10
    assert 0.5 < raised - plain < 10 * 3.0 / 8
    log = (tmp_path / "gpaw-2.txt").read_text()
    assert "Hubbard: {U: 3.0" in log.replace("3.0000000000000004", "3.0")


def test_a_relaxation_has_the_energy_and_forces_of_dft_with_dispersion(tmp_path: Path) -> None:
    slab = metal_slab("Na", "bcc", 4.2, layers=2, cell="1x1", vacuum=5.0, held_layers=1)
    both = calculation(tmp_path, TINY.model_copy(update={"dispersion": "d3bj"}), GRID)
    journal = Journal(tmp_path / "steps.jsonl", Step)
    relaxed = relax(slab, both, journal, fmax=0.02, max_steps=20)
    plain, forces = calculation(tmp_path, TINY, GRID)(relaxed.atoms)
    bare = Atoms(relaxed.atoms)
    bare.set_constraint()
    bare.calc = DFTD3(method="PBE", damping="d3bj")
    added, pulls = bare.get_potential_energy(), bare.get_forces()
    assert added < -0.1
    assert abs(pulls[-1, 2]) > 0.01
    assert relaxed.energy == pytest.approx(plain + added, abs=1e-3)
    assert np.array(journal.records[-1]["forces"]) == pytest.approx(forces + pulls, abs=5e-3)


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
