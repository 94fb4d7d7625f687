"""Exported files: other programs read what the run found, in their units, atom by atom."""

import io
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.vasp import VaspChargeDensity
from ase.io import read
from pymatgen.core import Structure
from pymatgen.io.common import VolumetricData
from pymatgen.io.vasp import Chgcar, Poscar

import sodiophile
from analysis.charge import Density
from analysis.cube import write_cube
from tests.paths import ROOT, TINY
from tests.some_tasks import compute
from tests.workflows.report import finished_run
from workflows.cli import main
from workflows.report.export import deliver, plan_export, write_chgcar, write_poscar

LAPTOP = ROOT / "examples" / "laptop"


@pytest.fixture(scope="module")
def run() -> sodiophile.Run:
    return sodiophile.load(LAPTOP)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, run: sodiophile.Run) -> Path:
    into = tmp_path_factory.mktemp("export")
    paths = run.export(into, site="top-V")
    assert [path.name for path in paths] == ["POSCAR-VN-top-V", "CHGCAR-VN-top-V"]
    assert {path.name for path in into.iterdir()} == {path.name for path in paths}
    return into


def atoms_by_place(structure: Structure, atoms: Atoms) -> list[str]:
    """Return the element that a structure has at the place of each atom."""
    found = []
    for position in atoms.positions:
        (site,) = structure.get_sites_in_sphere(position, 1e-4)
        found.append(site.specie.symbol)
    return found


# ---- POSCAR --------------------------------------------------------------------------------------


def test_a_poscar_is_the_relaxed_structure(exported: Path, run: sodiophile.Run) -> None:
    atoms = run.structure("top-V", "held")
    by_ase = read(exported / "POSCAR-VN-top-V", format="vasp")
    by_ase.set_constraint()
    for found in (
        Poscar.from_file(str(exported / "POSCAR-VN-top-V")).structure,
        Structure.from_ase_atoms(by_ase),
    ):
        assert found.lattice.matrix == pytest.approx(np.array(atoms.cell), abs=1e-9)
        assert atoms_by_place(found, atoms) == atoms.get_chemical_symbols()
        assert len(found) == len(atoms)


def test_a_poscar_has_each_element_once_and_what_is_held(exported: Path) -> None:
    poscar = Poscar.from_file(str(exported / "POSCAR-VN-top-V"))
    assert (poscar.site_symbols, poscar.natoms) == (["V", "N", "Na"], [12, 12, 1])
    free = np.array(poscar.selective_dynamics)
    z = poscar.structure.cart_coords[:, 2]
    lowest = z < z.min() + 1.0
    assert lowest.sum() == 8
    assert not free[lowest].any()
    assert free[~lowest][:-1].all()
    assert free[-1].tolist() == [False, False, True]  # Na may move only up and down


def test_files_say_what_they_are_of(exported: Path) -> None:
    for path in exported.iterdir():
        first = path.read_text().splitlines()[0]
        assert first == "Na at top-V on VN, x and y held, case laptop (laptop settings)"


# ---- CIF and extended XYZ ------------------------------------------------------------------------


def test_cif_and_extended_xyz_are_the_relaxed_structure(
    tmp_path: Path, run: sodiophile.Run
) -> None:
    paths = run.export(tmp_path, site="top-V", formats=["extxyz", "cif"])
    assert [path.name for path in paths] == ["VN-top-V.cif", "VN-top-V.extxyz"]
    atoms = run.structure("top-V", "held")
    for path in paths:
        found = read(path)
        assert found.get_chemical_symbols() == atoms.get_chemical_symbols()
        assert found.get_all_distances(mic=True) == pytest.approx(
            atoms.get_all_distances(mic=True), abs=1e-4
        )
    held = [index for one in read(paths[1]).constraints if one.mask.any() for index in one.index]
    bottom = [atom.index for atom in atoms if atom.tag == 3]
    assert sorted(held) == [*bottom, len(atoms) - 1]


# ---- CHGCAR --------------------------------------------------------------------------------------


def test_a_chgcar_is_the_density_difference_as_pymatgen_reads_it(
    exported: Path, run: sodiophile.Run
) -> None:
    density = run.density("top-V")
    chgcar = Chgcar.from_file(str(exported / "CHGCAR-VN-top-V"))
    volume = chgcar.structure.volume
    # the file has the cell to 1e-6 angstrom, and the volume from it
    assert chgcar.data["total"] / volume == pytest.approx(density.values, rel=1e-6, abs=1e-10)
    assert chgcar.structure.lattice.matrix == pytest.approx(density.cell_cv, abs=1e-5)
    # VASP: the mean over the grid is the number of electrons
    assert chgcar.data["total"].mean() == pytest.approx(density.integral(), abs=1e-8)


def test_a_chgcar_is_the_density_difference_as_ase_reads_it(
    exported: Path, run: sodiophile.Run
) -> None:
    read_back = VaspChargeDensity(str(exported / "CHGCAR-VN-top-V"))
    known = run.density("top-V").values
    assert read_back.chg[0] == pytest.approx(known, rel=1e-6, abs=1e-10)
    found = Structure.from_ase_atoms(read_back.atoms[0])
    atoms = run.structure("top-V", "held")
    assert atoms_by_place(found, atoms) == atoms.get_chemical_symbols()


def test_axes_and_signs_are_those_of_the_cube(tmp_path: Path) -> None:
    """Three different axes in a skewed cell: any that changes places is noticed."""
    cell = np.array([[3.0, 0.0, 0.0], [1.0, 4.0, 0.0], [0.0, 0.0, 7.0]])
    atoms = Atoms("NaV2", positions=[(1, 1, 5), (0.5, 1, 1), (2, 2, 1)], cell=cell, pbc=True)
    values = np.random.default_rng(1).normal(size=(4, 5, 6))
    values[0, 0, 0] = -0.0
    density = Density(values, cell)
    write_chgcar(tmp_path / "CHGCAR", density, atoms, "a test")
    stream = io.StringIO()
    write_cube(stream, density, atoms)
    (tmp_path / "a.cube").write_text(stream.getvalue())
    cube = VolumetricData.from_cube(tmp_path / "a.cube")
    chgcar = Chgcar.from_file(str(tmp_path / "CHGCAR"))
    # of a cube, pymatgen keeps e/bohr^3
    bohr = 0.529177210903
    assert chgcar.data["total"] / chgcar.structure.volume == pytest.approx(
        cube.data["total"] / bohr**3, abs=1e-7
    )
    assert chgcar.structure.lattice.matrix == pytest.approx(cube.structure.lattice.matrix, abs=1e-5)
    assert [site.specie.symbol for site in chgcar.structure] == ["Na", "V", "V"]


def test_atoms_of_an_element_stand_together_in_their_order(tmp_path: Path) -> None:
    atoms = Atoms("NaVNVNa", positions=[(0, 0, z) for z in range(5)], cell=[5, 5, 9], pbc=True)
    write_poscar(tmp_path / "POSCAR", atoms, "a test")
    poscar = Poscar.from_file(str(tmp_path / "POSCAR"))
    assert poscar.site_symbols == ["Na", "V", "N"]
    assert poscar.structure.cart_coords[:, 2] == pytest.approx([0, 4, 1, 3, 2])


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_writes_all_sites_and_the_clean_slab(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(LAPTOP), "--into", str(tmp_path / "a"), "--format", "poscar"]) == 0
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    sites = ("bridge", "hollow", "slab", "top-N", "top-V")
    assert names == [f"POSCAR-VN-{site}" for site in sites]
    assert f"{tmp_path}/a/POSCAR-VN-slab: relaxed structure\n" in capsys.readouterr().out


def test_the_metal_is_exported_by_the_name_of_its_surface(tmp_path: Path) -> None:
    case = finished_run.case()
    moved = finished_run.density()
    finished_run.finish(tmp_path, case, moved=moved)
    found = finished_run.evaluation(tmp_path, case)
    exports = list(plan_export(found, ("poscar", "chgcar"), surface="Na(001)"))
    assert [export.name for export in exports] == [
        "POSCAR-Na-hollow", "CHGCAR-Na-hollow", "POSCAR-Na-slab",
    ]  # fmt: skip
    path = deliver(exports[1], tmp_path / "out")
    chgcar = Chgcar.from_file(str(path))
    assert chgcar.data["total"].mean() == pytest.approx(moved.integral(), rel=1e-9)
    assert path.read_text().startswith("Na at hollow on Na, x and y held, case laptop")


def test_a_file_of_the_same_name_is_set_aside(tmp_path: Path) -> None:
    command = ["export", str(LAPTOP), "--into", str(tmp_path), "--site", "clean"]
    assert main(command) == 0
    (tmp_path / "POSCAR-VN-slab").write_text("mine")
    assert main(command) == main(command) == 0
    assert (tmp_path / "POSCAR-VN-slab.before-1").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_it_costs_is_said_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "new"
    command = ["export", str(LAPTOP), "--into", str(into), "--site", "top-N"]
    assert main([*command, "--format", "gpw", "--dry-run"]) == 0
    said = capsys.readouterr().out
    # 3.4 min is what the same cycle without dipole correction took
    assert said.startswith(f"{into}/VN-top-N.gpw: an SCF cycle on one core, about 2 min; ")
    assert not into.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--site", "top-W"],
            "site: found 'top-W' (did you mean 'top-V'?); "
            "allowed: bridge, hollow, top-V, top-N, clean",
        ),
        (
            ["--site", "clean", "--format", "chgcar"],
            f"{LAPTOP}: VN(001): nothing to write as chgcar: not computed",
        ),
        (
            ["--surface", "Na(11)"],
            "surface: found 'Na(11)' (did you mean 'Na(110)'?); allowed: VN(001), Na(001), Na(110)",
        ),
        (
            ["--surface", "Na(110)", "--site", "top-N"],
            "site: found 'top-N'; allowed: long-bridge, clean",
        ),
        (["--case", "desktop"], "case: found 'desktop'; allowed: laptop"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["export", str(LAPTOP), "--into", str(tmp_path / "new"), *words]) == 2
    assert capsys.readouterr().err == f"{message}\n"
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way_of_the_directory_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["export", str(LAPTOP), "--into", str(tmp_path / "file")]) == 2
    assert "not a directory; allowed: a new or existing directory" in capsys.readouterr().err


def test_arguments_of_python_that_are_not_allowed(run: sodiophile.Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format: found 'vasp'; allowed: poscar, chgcar, cif, "):
        run.export(tmp_path, formats=["vasp"])
    assert not list(tmp_path.iterdir())


# ---- GPAW ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_gpw_file_is_the_converged_system(tmp_path: Path) -> None:
    from gpaw import GPAW

    tasks = ("VN-lattice", "VN-probe", "VN-slab", "VN-top-V-held")
    compute(tmp_path / "run", TINY.read_text(), tasks)
    run = sodiophile.load(tmp_path / "run")
    paths = run.export(tmp_path / "gpw", site="top-V", formats=["gpw"])
    assert [path.name for path in paths] == ["VN-top-V.gpw"]
    assert list((tmp_path / "gpw").iterdir()) == paths

    calc = GPAW(str(paths[0]), txt=None)
    atoms = calc.get_atoms()
    (known,) = (s for s in run.sites if (s.site, s.relaxation) == ("top-V", "held"))
    assert atoms.get_potential_energy() == pytest.approx(known.energy, abs=1e-3)  # no SCF
    assert atoms.positions == pytest.approx(run.structure("top-V").positions, abs=1e-7)
    # wavefunctions are there, and normalised on their grid
    psi = calc.get_pseudo_wave_function(band=0)
    assert psi.ndim == 3
    electrons = calc.get_all_electron_density(gridrefinement=2).mean() * atoms.get_volume()
    assert electrons == pytest.approx(sum(atoms.numbers), abs=0.02)
    assert calc.get_bz_k_points().shape == (4, 3)
