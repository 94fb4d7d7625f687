"""The whole chain with real GPAW, through the real command, in the smallest case there is."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ase.db
import numpy as np
import pytest
from ase.io import read
from ase.io.cube import read_cube
from ase.units import Bohr
from pymatgen.core import Structure
from pymatgen.io.common import VolumetricData

from workflows.campaign.directory import read_campaign
from workflows.case.reading import read as read_case
from workflows.preflight.computable import require_computable
from workflows.preflight.resources import estimate_needs
from workflows.report.database import write_database
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

pytestmark = pytest.mark.slow

SITES = ("bridge", "hollow", "top-V", "top-N")


def sodiophile(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflows.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the smoke case once; return its directory and what was printed."""
    root = tmp_path_factory.mktemp("smoke") / "a run"
    done = sodiophile("run", "smoke", "--into", root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root, done.stdout


@pytest.fixture
def root(run: tuple[Path, str]) -> Path:
    return run[0]


@pytest.fixture
def results(root: Path) -> Any:
    return json.loads((root / "results.json").read_text())


def values(root: Path, task: str) -> Any:
    return json.loads((root / task / "result.json").read_text())["values"]


def test_all_sites_have_held_and_free_energies(results: Any) -> None:
    assert results["complete"]
    assert [(s["site"], s["relaxation"]) for s in results["sites"]] == [
        (site, how) for site in SITES for how in ("held", "free")
    ]
    assert all(-5.0 < site["adsorption_energy"] < 0.0 for site in results["sites"])
    assert all(site["problem"] is None for site in results["sites"])


def test_adsorption_energies_are_differences_of_total_energies(root: Path, results: Any) -> None:
    clean, atom = values(root, "VN-slab")["energy"], values(root, "Na-atom")["energy"]
    for site in results["sites"]:
        task = f"VN-{site['site']}-{site['relaxation']}"
        total, bare = values(root, task)["energy"], values(root, f"{task}-basin")["energy"]
        assert site["adsorption_energy"] == pytest.approx(total - bare - atom, abs=1e-9)
        assert site["against_clean"] == pytest.approx(total - clean - atom, abs=1e-9)
        # a 1x1 cell has nowhere to reconstruct to: the slab that Na leaves behind is the clean one
        assert site["reconstruction_energy"] == pytest.approx(0.0, abs=0.01)


def test_every_slab_with_a_flat_vacuum_has_its_work_functions(results: Any) -> None:
    checks = results["slab_checks"]
    assert 2.0 < checks["VN-slab"]["work_function_above"] < 6.0
    assert {check["vacuum_flatness"] <= 0.1 for check in checks.values()} == {True, False}
    for check in checks.values():
        # without enough vacuum, on this side or the other, there is no level to take one from
        assert (check["dipole_step"] is None) == (check["vacuum_flatness"] > 0.1)
    rumpled = results["slab_checks"]["VN-slab"]["rumpling"]["1"]
    assert 0.0 < rumpled < 1.0  # nitrogen outward


def test_the_adatom_gives_electrons_to_the_surface(results: Any) -> None:
    for found in results["density_differences"].values():
        assert 0.0 < found["bader_charge"] < 1.0


def test_na_on_na_stands_beside_the_published_value(results: Any) -> None:
    held = results["metal_sites"][0]
    assert held["surface"] == "Na(001)"
    assert held["published"] == -0.860
    assert held["difference"] == pytest.approx(held["adsorption_energy"] + 0.860)


def test_published_values_are_shown_but_never_ours(results: Any) -> None:
    published = {s["site"]: s["published"] for s in results["sites"]}
    assert published == {"bridge": -1.564, "hollow": -1.457, "top-V": -1.830, "top-N": -1.358}
    assert all(abs(s["difference"]) > 1e-3 for s in results["sites"])


def test_numbers_are_marked_as_not_physical(run: tuple[Path, str], results: Any) -> None:
    assert results["physical"] is False
    assert "not physical" in run[1].lower()
    assert "not physical" in (run[0] / "figures" / "fig5.svg").read_text()


def test_held_atoms_keep_their_site_and_forces_are_small(root: Path) -> None:
    for site in SITES:
        held = values(root, f"VN-{site}-held")
        assert held["ended_at"] == site
        assert held["fmax"] <= 0.2
        assert 1.0 < held["height"] < 4.0


def test_relaxed_lies_below_start(root: Path) -> None:
    frames = read(root / "VN-top-V-held" / "relaxation.extxyz", ":")
    assert len(frames) > 1
    assert frames[-1].get_potential_energy() < frames[0].get_potential_energy()


def test_lattices_come_from_their_equations_of_state(results: Any) -> None:
    host, metal = results["lattices"]["host"], results["lattices"]["metal"]
    assert 3.9 < host["lattice_constant"] < 4.4
    assert 200.0 < host["bulk_modulus"] < 700.0
    assert 4.0 < metal["lattice_constant"] < 4.5
    assert host["source"] == "equation of state"


def test_the_slab_is_stoichiometric_and_its_lowest_layer_stayed(root: Path) -> None:
    built, relaxed = (read(root / "VN-slab" / f"{name}.extxyz") for name in ("built", "relaxed"))
    assert built.get_chemical_formula() == "N2V2"
    moved = np.linalg.norm(relaxed.positions - built.positions, axis=1)
    lowest = built.positions[:, 2] < built.positions[:, 2].mean()
    assert moved[lowest].max() < 1e-9
    assert moved[~lowest].max() > 1e-3


def test_density_differences_integrate_to_nothing(results: Any) -> None:
    for site in SITES:
        assert abs(results["density_differences"][site]["integral"]) < 1e-3


def test_cubes_are_in_the_units_of_the_format(root: Path) -> None:
    # ASE reads lengths as bohr; the density it leaves alone: electrons per cubic bohr
    with (root / "VN-top-V-density" / "difference.cube").open() as file:
        cube = read_cube(file)
    atoms, density = cube["atoms"], cube["data"]
    relaxed = read(root / "VN-top-V-held" / "relaxed.extxyz")
    assert atoms.positions == pytest.approx(relaxed.positions, abs=1e-4)
    assert atoms.cell.lengths() == pytest.approx(relaxed.cell.lengths(), abs=1e-3)
    voxel = atoms.get_volume() / Bohr**3 / density.size
    z = np.arange(density.shape[2]) * atoms.cell[2, 2] / density.shape[2]
    profile = density.sum(axis=(0, 1)) * voxel / (z[1] * 1.0)  # electrons per angstrom
    assert profile == pytest.approx(
        np.array(values(root, "VN-top-V-density")["plane_average"]), abs=1e-4
    )


def test_the_csv_holds_the_same_numbers(root: Path, results: Any) -> None:
    with (root / "energies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    for row, site in zip(rows, results["sites"], strict=False):
        assert row["site"] == site["site"]
        assert float(row["adsorption_energy_eV"]) == pytest.approx(
            site["adsorption_energy"], abs=1e-6
        )


# ---- opened by other programs -------------------------------------------------------------------


def test_the_database_holds_sites_with_energies_and_forces(root: Path, results: Any) -> None:
    with ase.db.connect(root / "results.db") as database:
        rows = {row.task: row for row in database.select()}
        assert database.metadata["key_descriptions"]["height"][2] == "Ang"
    assert len(rows) == 12
    for site in results["sites"]:
        row = rows[f"VN-{site['site']}-{site['relaxation']}"]
        for key in ("adsorption_energy", "published", "height", "ended_at", "energy"):
            assert row[key] == site[key]
        assert (row.surface, row.quality, row.physical) == ("VN(001)", "smoke", False)
        relaxed = read(root / row.task / "relaxation.extxyz", index=-1)
        assert row.toatoms().get_potential_energy() == site["energy"]
        assert row.forces == pytest.approx(relaxed.get_forces(), abs=1e-9)
        assert row.positions == pytest.approx(relaxed.positions, abs=1e-7)
        # of what is free to move, as it was asked for; the lowest layer is held
        assert row.fmax == pytest.approx(values(root, row.task)["fmax"], abs=1e-6)
        assert row.fmax < 0.2 < np.linalg.norm(row.forces, axis=1).max()


def test_the_database_answers_the_ase_command(root: Path) -> None:
    columns = "task,adsorption_energy,published"
    query = "surface=VN(001),relaxation=held,adsorption_energy<0"
    command = [sys.executable, "-m", "ase", "db", root / "results.db", query, "--columns", columns]
    done = subprocess.run([*map(str, command), "--csv"], capture_output=True, text=True, check=True)
    rows = [line.split(", ") for line in done.stdout.splitlines()]
    assert rows[0] == ["task", "adsorption_energy", "published"]
    assert sorted((row[0], float(row[2])) for row in rows[1:]) == [
        ("VN-bridge-held", -1.564),
        ("VN-hollow-held", -1.457),
        ("VN-top-N-held", -1.358),
        ("VN-top-V-held", -1.83),
    ]


def test_the_same_results_give_the_same_rows(root: Path) -> None:
    def rows() -> list[dict[str, Any]]:
        with ase.db.connect(root / "results.db") as database:
            found = [vars(row) for row in database.select()]
        return [{k: str(v) for k, v in row.items() if k != "mtime"} for row in found]

    before, case = rows(), read_case(root / "case.toml")
    write_database(Evaluation(Results(survey(plan(case), root), case), root))
    assert rows() == before


@pytest.mark.parametrize("name", ["VN-slab/built", "VN-slab/relaxed", "VN-top-V-held/relaxed"])
def test_pymatgen_reads_the_structures_as_they_are(root: Path, name: str) -> None:
    ours = read(root / f"{name}.extxyz")
    theirs = Structure.from_file(root / f"{name}.cif")
    assert len(theirs) == len(ours)
    assert theirs.lattice.parameters == pytest.approx(ours.cell.cellpar(), abs=1e-6)
    for atom in ours:  # theirs are in another order
        (found,) = theirs.get_sites_in_sphere(atom.position, 1e-4)
        assert found.specie.symbol == atom.symbol


def test_pymatgen_reads_the_density_difference_as_it_is(root: Path, results: Any) -> None:
    cube = VolumetricData.from_cube(root / "VN-top-V-density" / "difference.cube")
    relaxed = read(root / "VN-top-V-held" / "relaxed.extxyz")
    assert [site.specie.symbol for site in cube.structure] == relaxed.get_chemical_symbols()
    assert cube.structure.lattice.abc == pytest.approx(relaxed.cell.lengths(), abs=1e-5)
    assert cube.structure.cart_coords == pytest.approx(relaxed.positions, abs=1e-5)
    with (root / "VN-top-V-density" / "difference.cube").open() as file:
        data = read_cube(file)["data"]
    assert cube.data["total"] == pytest.approx(data)
    # its values are electrons per cubic bohr: over the cell they come to what we say
    electrons = data.mean() * cube.structure.volume / Bohr**3
    said = results["density_differences"]["top-V"]["integral"]
    assert electrons == pytest.approx(said, abs=1e-6)


# ---- running ------------------------------------------------------------------------------------


def test_memory_was_what_had_been_estimated(root: Path) -> None:
    needs = estimate_needs(require_computable(read_campaign(root), "case.toml"))
    for task, estimate in needs.tasks.items():
        used = values(root, task)["peak_memory"]
        assert 0.5 < used / estimate.memory() < 1.7, f"{task}: {used / 1e6:.0f} MB"


def test_seconds_in_gpaw_are_part_of_those_of_the_process(root: Path) -> None:
    for task in read_campaign(root).tasks:
        effort = values(root, task)
        computed = "same_as" not in effort
        assert (effort["gpaw_seconds"] > 0.0) == computed
        assert (effort["scf_iterations"] > 0) == computed
        assert effort["gpaw_seconds"] < effort["process_seconds"]


def test_every_figure_is_there_in_every_format(root: Path) -> None:
    stems = ["fig5", *(f"fig5{letter}" for letter in "abcdefghij"), "figS17", "figS18"]
    stems += ["lattice", "potentials", "profiles"]
    heads = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for stem in stems:
        for suffix, head in heads.items():
            assert (root / "figures" / f"{stem}.{suffix}").read_bytes().startswith(head)


def test_the_terminal_ends_with_table_and_figure(run: tuple[Path, str]) -> None:
    root, printed = run
    assert "top-V" in printed
    assert "-1.830" in printed
    assert str(root / "figures" / "fig5.png") in printed.splitlines()[-1]


def test_a_second_run_computes_nothing(root: Path) -> None:
    def stamps() -> dict[Path, int]:
        kept = ("gpaw-*.txt", "result.json", "steps.jsonl")
        return {p: p.stat().st_mtime_ns for pattern in kept for p in root.glob(f"*/{pattern}")}

    before = stamps()
    again = sodiophile("run", "smoke", "--into", root)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "started" not in again.stdout
    assert len(before) > 40
    assert stamps() == before


def test_status_says_that_all_is_done(root: Path) -> None:
    status = sodiophile("status", root)
    assert status.returncode == 0
    assert "37 of 37 tasks done" in status.stdout


def test_a_result_edited_by_hand_is_noticed_and_not_used(root: Path) -> None:
    path = root / "VN-top-V-free" / "result.json"
    original = path.read_bytes()
    path.write_bytes(original.replace(b'"energy": -', b'"energy": -9', 1))
    try:
        report = sodiophile("report", root)
        assert report.returncode == 1
        assert "VN-top-V-free: stale (its result is damaged" in report.stdout
        table = json.loads((root / "results.json").read_text())
        (site,) = [s for s in table["sites"] if s["site"] == "top-V" and s["relaxation"] == "free"]
        assert site["adsorption_energy"] is None
    finally:
        path.write_bytes(original)
    assert "37 of 37 tasks done" in sodiophile("status", root).stdout
