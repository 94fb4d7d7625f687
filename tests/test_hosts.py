"""Cases whose host is any face of a crystal, an element, or a slab from a file."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, molecule
from ase.io import write

from structures.terminations import slab_as_given
from tests.hosts import CRYSTALS, case_file
from tests.paths import ROOT, TINY
from workflows.case.hosts import CrystalHost
from workflows.case.reading import contents, parse, read
from workflows.case.schema import Case
from workflows.cli import main
from workflows.preflight.computable import computable_structures
from workflows.preflight.setting_warnings import warnings
from workflows.system.messages import UserError
from workflows.tasks.graph import plan, surface_label

AL = 'file = "Al.cif"\nmiller = [1, 1, 1]\n'
TIO2 = 'file = "TiO2.cif"\nmiller = [1, 1, 0]\n'
VN = 'file = "VN.cif"\nmiller = [1, 1, 1]\n'
GRAPHENE = 'file = "graphene.cif"\nmiller = [0, 0, 1]\nrelax_cell = "in-plane"\n'
WIDER = ('cell = "1x1"', 'cell = "2x2"')
ONE_LAYER = ("layers = 2\n", "layers = 1\n")


def case(folder: Path, host: str, *changes: tuple[str, str]) -> Case:
    return read(case_file(folder / "case", host, *changes))


def refusal(folder: Path, host: str, *changes: tuple[str, str]) -> str:
    """Return the one line that refuses a case."""
    with pytest.raises(UserError) as error:
        case(folder, host, *changes)
    assert str(error.value).count("\n") == 0
    return str(error.value)


# ---- the structure in the case ------------------------------------------------------------------


def test_a_case_keeps_the_crystal_of_its_file_and_its_own_comments(tmp_path: Path) -> None:
    path = case_file(tmp_path, AL)
    path.write_text("# why aluminium\n" + path.read_text())
    content = contents(path)
    assert content.startswith(b"# why aluminium")
    for file in tmp_path.glob("*.cif"):
        file.unlink()
    kept = parse(content, "kept")
    assert isinstance(kept.host, CrystalHost)
    assert kept.host.crystal.source == "Al.cif"
    assert len(kept.host.crystal.symbols) == 4
    (tmp_path / "kept.toml").write_bytes(content)
    assert contents(tmp_path / "kept.toml") == content


def test_a_host_on_one_line_keeps_its_crystal_too(tmp_path: Path) -> None:
    path = case_file(tmp_path, AL)
    head, _, rest = path.read_text().partition("[host]")
    line = 'host = { file = "Al.cif", miller = [1, 1, 1] }\n'
    path.write_text(head + line + rest[rest.index("[metal]") :])
    assert parse(contents(path), "kept").host.formula == "Al"


def test_rock_salt_has_no_crystal(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_bytes(TINY.read_bytes())
    assert contents(path) == TINY.read_bytes()


# ---- sites and tasks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "changes", "label", "sites"),
    [
        (AL, (), "Al(111)", ("bridge", "hollow-fcc", "hollow-hcp", "top-Al")),
        ('element = "Ag"\nmiller = [1, 1, 1]\n', (), "Ag(111)",
         ("bridge", "hollow-fcc", "hollow-hcp", "top-Ag")),
        ('element = "Ag"\nmiller = [0, 0, 1]\n', (), "Ag(001)", ("bridge", "hollow", "top-Ag")),
        ('element = "Mg"\nmiller = [0, 0, 1]\n', (), "Mg(001)",
         ("bridge", "hollow-fcc", "hollow-hcp", "top-Mg")),
        ('element = "Fe"\nmiller = [1, 1, 0]\nlattice_guess = 2.83\n', (WIDER,), "Fe(110)",
         ("hollow", "long-bridge", "short-bridge", "top-Fe")),
        (GRAPHENE, (WIDER, ONE_LAYER), "C(001)", ("bridge", "hollow", "top-C")),
        ('file = "VN.cif"\nmiller = [0, 0, 1]\n', (), "VN(001)",
         ("bridge", "hollow", "top-N", "top-V")),
        (TIO2 + 'termination = "O-Ti2O2"\n', (("layers = 2", "layers = 3"),), "TiO2(110)",
         ("bridge-O-O", "bridge-O-Ti", "bridge-Ti-Ti", "hollow", "top-O", "top-Ti")),
    ],
)  # fmt: skip
def test_all_sites_of_a_face(
    tmp_path: Path, host: str, changes: Any, label: str, sites: tuple[str, ...]
) -> None:
    found = case(tmp_path, host, *changes)
    assert surface_label(found, "host") == label
    assert found.slab.sites == sites
    built = computable_structures(found)
    adatoms = [one for stem, one in built.items() if stem.endswith(sites)]
    assert len(adatoms) == len(sites)
    assert all(one.atoms[-1].symbol == "Na" for one in adatoms)


def test_another_face_of_the_adatoms_own_metal_has_tasks_of_its_own(tmp_path: Path) -> None:
    found = case(tmp_path, 'element = "Na"\nmiller = [1, 1, 1]\n', ("layers = 2", "layers = 4"))
    tasks = plan(found)
    assert tasks["Na111-slab"].needs[0] == "Na111-lattice"
    assert tasks["Na111-lattice"].surface == "host"
    assert {"top-Na-1", "top-Na-2"} < set(found.slab.sites)
    assert surface_label(found, "host") == "Na(111)"


def test_a_cubic_lattice_is_of_an_equation_of_state_and_others_of_stress(tmp_path: Path) -> None:
    tasks = plan(case(tmp_path / "Al", AL))
    assert "relaxed_cell" not in tasks["Al-lattice"].inputs
    assert tasks["Al111-slab"].needs == ("Al-lattice",)
    assert tasks["Al111-top-Al-free"].needs == ("Al111-top-Al-held", "Al111-slab")
    for host, whole in (('element = "Mg"\nmiller = [0, 0, 1]\n', "whole"), (GRAPHENE, "in-plane")):
        changes = (WIDER, ONE_LAYER) if host == GRAPHENE else ()
        tasks = plan(case(tmp_path / whole, host, *changes))
        (lattice,) = (t for t in tasks.values() if t.kind == "lattice" and t.surface == "host")
        assert dict(lattice.inputs)["relaxed_cell"] == whole
    given = plan(case(tmp_path / "given", AL + "relax_cell = false\n"))
    assert not [task for task in given.values() if task.kind == "lattice"]


def test_a_lattice_is_the_same_task_for_every_face(tmp_path: Path) -> None:
    one, other = (
        plan(case(tmp_path / face, f'file = "Al.cif"\nmiller = [{",".join(face)}]\n'))
        for face in ("111", "001")
    )
    assert one["Al-lattice"].inputs == other["Al-lattice"].inputs
    assert one["Al111-slab"].inputs != other["Al001-slab"].inputs


def test_a_slab_from_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    slab = fcc111("Al", (1, 1, 3), vacuum=8.0)
    slab.info.clear()
    slab.positions[-1, 2] += 0.2
    slab.pbc = True
    path = case_file(tmp_path, 'slab = "slab.extxyz"\n', ("layers = 2\n", ""))
    write(tmp_path / "slab.extxyz", slab)
    found = read(path)
    assert (found.slab.layers, surface_label(found, "host")) == (3, "Al(slab)")
    tasks = plan(found)
    assert not [task for task in tasks.values() if task.kind == "lattice"]
    built = computable_structures(found)["Al-slab"].atoms
    heights = np.sort(built.positions[:, 2])
    assert np.diff(heights) == pytest.approx(np.diff(np.sort(slab.positions[:, 2])))
    assert heights[0] == pytest.approx(found.slab.vacuum)
    assert refused_layers(tmp_path, path)


def refused_layers(folder: Path, path: Path) -> bool:
    other = folder / "other.toml"
    other.write_text(path.read_text().replace("[slab]\n", "[slab]\nlayers = 4\n"))
    with pytest.raises(UserError, match=r"slab.layers: found 4; allowed: 3, which the slab has"):
        read(other)
    return True


def test_a_slab_across_the_edge_of_its_cell_is_not_torn() -> None:
    slab = fcc111("Al", (1, 1, 3), vacuum=6.0)
    slab.pbc = True
    whole = slab_as_given(slab, cell=np.eye(2), vacuum=5.0, held_layers=1)
    slab.positions[:, 2] -= slab.positions[1, 2]
    slab.wrap()
    torn = slab_as_given(slab, cell=np.eye(2), vacuum=5.0, held_layers=1)
    assert torn.positions[:, 2] == pytest.approx(whole.positions[:, 2], abs=1e-5)
    assert list(torn.get_tags()) == [3, 2, 1]


def test_a_distance_and_a_spacing_hold_in_a_hexagonal_cell(tmp_path: Path) -> None:
    spacing = 0.5
    found = case(
        tmp_path, AL, ('cell = "1x1"', "cell = 6.0"),
        ("host_slab = [\n    2,\n    2,\n    1,\n]", f"host_slab = {spacing}"),
        ("host_bulk = [\n    2,\n    2,\n    2,\n]", f"host_bulk = {spacing}"),
    )  # fmt: skip
    slab = computable_structures(found)["Al111-slab"].atoms
    assert found.slab.cell == "3x3"  # sides of 2.86, whose opposite ones are 2.48 apart
    grid = found.dft.kpoints.host_slab
    lengths = 2 * math.pi * slab.cell.reciprocal().lengths()
    assert grid[2] == 1
    for length, number in zip(lengths[:2], grid[:2], strict=True):
        assert length / number <= spacing < length / max(1, number - 1) or number == 1


def test_the_hosts_in_the_docs_are_read(tmp_path: Path) -> None:
    text = (ROOT / "docs/faces.md").read_text(encoding="utf-8")
    hosts = re.findall(r"^```toml\n\[host\]\n(.*?)^```", text, re.M | re.S)
    assert len(hosts) == 4
    for number, host in enumerate(hosts):
        of_layer = (WIDER, ONE_LAYER) if "graphene" in host else ()
        path = case_file(tmp_path / str(number), host, *of_layer)
        slab = fcc111("Al", (1, 1, 2), vacuum=8.0)
        slab.info.clear()
        write(path.parent / "slab.extxyz", slab)
        assert isinstance(read(path).host, CrystalHost)


# ---- what is refused ----------------------------------------------------------------------------

GRID = "[\n    2,\n    2,\n    2,\n]"
REFUSED: list[tuple[str, tuple[tuple[str, str], ...], str]] = [
    ('file = "none.cif"\nmiller = [1, 1, 1]\n', (), "found 'none.cif', no such file beside"),
    ('file = "../Al.cif"\nmiller = [1, 1, 1]\n', (), "host.file: found '../Al.cif'; allowed: the"),
    ('file = "/etc/passwd"\nmiller = [1, 1, 1]\n', (), "host.file: found '/etc/passwd'; allowed"),
    ('file = "link.cif"\nmiller = [1, 1, 1]\n', (), "found 'link.cif', not a regular file"),
    ('file = "folder.cif"\nmiller = [1, 1, 1]\n', (), "found 'folder.cif', not a regular file"),
    ('file = "empty.cif"\nmiller = [1, 1, 1]\n', (), "found 'empty.cif': empty; allowed: CIF"),
    ('file = "huge.cif"\nmiller = [1, 1, 1]\n', (), "larger than 1000000 bytes"),
    ('file = "disordered.cif"\nmiller = [1, 1, 1]\n', (), "with occupancy 0.5; allowed: an occup"),
    ('file = "close.vasp"\nmiller = [1, 1, 1]\n', (), "from each other; allowed: atoms that do no"),
    ('file = "molecule.xyz"\nmiller = [1, 1, 1]\n', (), "found a molecule: no cell that repeats"),
    ('slab = "molecule.xyz"\n', (), "host.slab: found 'molecule.xyz': found no cell that repeats"),
    ('file = "Al.txt"\nmiller = [1, 1, 1]\n', (), "a file of another format; allowed: CIF (.cif)"),
    ('file = "Al.cif"\n', (), "host.miller: missing; allowed: three whole numbers from -6 to 6"),
    ('file = "Al.cif"\nmiller = [0, 0, 0]\n', (), "host.miller: found [0, 0, 0]; allowed: three"),
    ('file = "Al.cif"\nmiller = [7, 0, 0]\n', (), "host.miller: found [7, 0, 0]; allowed: three"),
    (TIO2, (), "host.termination: missing; allowed: 'O-Ti2O2', 'O-O' (polar)"),
    (TIO2 + 'termination = "O-Ti2O3"\n', (), "found 'O-Ti2O3' (did you mean 'O-Ti2O2'?); allowed"),
    (AL, (('sites = "all"', 'sites = ["hollow-fc"]'),), "(did you mean 'hollow-fcc'?); allowed: b"),
    (AL, (("layers = 2", "layers = 40"), ('"1x1"', '"4x4"')), "a slab of more than 500 atoms"),
    (AL, (("layers = 2", "layers = 0"),), "slab.layers: found 0; allowed: at least 1"),
    (AL + 'element = "Al"\n', (), "host.element: found with file; allowed: one of file, slab, ele"),
    (AL + "relax_cell = 1\n", (), "host.relax_cell: found 1; allowed: true, false or 'in-plane'"),
    (AL + 'cation = "Al"\n', (), "host.cation: unknown key; allowed: file, slab, element"),
    (AL + 'structure = "fcc"\n', (), "host.structure: found with file; allowed: with element"),
    (GRAPHENE.replace('"in-plane"', "true"), (ONE_LAYER,), "12.0 Å of empty space along the third"),
    ('slab = "Al.cif"\nmiller = [1, 1, 1]\n', (), "host.miller: found with slab; allowed: with fi"),
    ('element = "Xx"\nmiller = [1, 1, 1]\n', (), "host.element: found 'Xx', not a chemical"),
    ('element = "Sn"\nmiller = [1, 1, 1]\n', (), "host.structure: missing; allowed: 'bcc', 'fcc'"),
    ('element = "Na"\nmiller = [0, 0, 1]\n', (), "host: found Na(001); allowed: another host or f"),
    (AL, ((f"host_bulk = {GRID}", ""),), "dft.kpoints.host_bulk: missing; this key must be given"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "changes", "line"), REFUSED, ids=[line for *_, line in REFUSED])
def test_what_cannot_be_a_host_is_refused_in_a_line_and_nothing_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    host: str,
    changes: tuple[tuple[str, str], ...],
    line: str,
) -> None:
    folder, into = tmp_path / "case", tmp_path / "run"
    path = case_file(folder, host, *changes)
    wrong_files(folder)
    assert main(["run", str(path), "--into", str(into)]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert any(line in one for one in said), said
    assert len(said) <= 2  # the second one may be another field's
    assert not into.exists()


def wrong_files(folder: Path) -> None:
    write(folder / "Al.cif", CRYSTALS["Al"])
    (folder / "link.cif").symlink_to(folder / "Al.cif")
    (folder / "folder.cif").mkdir()
    (folder / "Al.txt").write_text("Al\n")
    (folder / "empty.cif").write_text("\n")
    (folder / "huge.cif").write_text("#" * 2_000_000)
    whole = (folder / "Al.cif").read_text()
    (folder / "disordered.cif").write_text(whole.replace("1.0000", "0.5"))
    write(folder / "close.vasp", Atoms("Al2", [[0, 0, 0], [0, 0, 0.3]], cell=[4, 4, 4], pbc=True))
    write(folder / "molecule.xyz", molecule("H2O"), format="xyz")


def test_another_file_beside_the_crystal_of_a_case_is_refused(tmp_path: Path) -> None:
    path = case_file(tmp_path, AL)
    changed = contents(path).replace(b'file = "Al.cif"', b'file = "Ag.cif"')
    with pytest.raises(UserError, match=r"host.file: found 'Ag.cif' with \[host.crystal\] of 'Al"):
        parse(changed, "case")


def test_what_only_rock_salt_has_is_refused(tmp_path: Path) -> None:
    for number, (table, field) in enumerate(
        [
            ('[slab.defect]\nelement = "Al"\n', "slab.defect"),
            ('[coverage]\nhost = ["bridge"]\n', "coverage.host"),
            ('[hop]\nhost = "bridge"\n', "hop.host"),
        ]
    ):
        line = refusal(tmp_path / str(number), AL, ("[atom]", f"{table}[atom]"))
        assert f": {field}: found " in line
        assert line.endswith("with a rock salt")


# ---- warnings -----------------------------------------------------------------------------------

PHYSICAL = ('quality = "smoke"', 'quality = "laptop"')


def lines(found: Case) -> list[str]:
    return warnings(found, computable_structures(found))


def test_polar_faces_and_low_cutoffs_are_warned_about(tmp_path: Path) -> None:
    polar = case(tmp_path / "polar", VN + 'termination = "N"\n', PHYSICAL)
    assert any(
        line.startswith("host.termination: found 'N' of VN(111), polar") for line in lines(polar)
    )
    unpolar = case(tmp_path / "001", 'file = "VN.cif"\nmiller = [0, 0, 1]\n', PHYSICAL)
    assert not any("Tasker" in line or "Pulay" in line for line in lines(unpolar))
    layers = case(tmp_path / "Mg", 'element = "Mg"\nmiller = [0, 0, 1]\n', PHYSICAL)
    assert any("Pulay stress" in line for line in lines(layers))


def test_a_polar_face_is_named_where_a_case_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = TIO2 + 'termination = "O-O"\n'
    path = case_file(tmp_path / "case", host, ('sites = "all"', 'sites = ["top-O-1"]'))
    assert main(["build", str(path), "--into", str(tmp_path / "look")]) == 0
    said = capsys.readouterr().out
    assert "TiO2(110), termination O-O, symmetry mm2, Tasker type 3, polar" in said
    picture = tmp_path / "look" / "TiO2110-slab.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "top-O-2" in next(line for line in said.splitlines() if "TiO2110-slab.png" in line)


# ---- with real GPAW -----------------------------------------------------------------------------


def sodiophile(*arguments: object) -> str:
    command = [sys.executable, "-m", "workflows.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def values(root: Path, task: str) -> Any:
    return json.loads((root / task / "result.json").read_text())["values"]


OF_SLAB = ("host_slab = " + GRID.replace("2,\n]", "1,\n]"), "host_slab = [1, 1, 1]")
ONE_SITE = 'sites = "all"'
QUICK = ("fmax = 0.2", "fmax = 0.5")


@pytest.mark.slow
def test_a_metal_is_run_reported_and_run_again_without_computing(tmp_path: Path) -> None:
    path = case_file(tmp_path / "case", AL, (ONE_SITE, 'sites = ["hollow-fcc"]'), QUICK)
    root = tmp_path / "run"
    assert "hollow-fcc" in sodiophile("run", path, "--into", root, "--jobs", "1")
    for file in (tmp_path / "case").glob("*.cif"):
        file.unlink()  # the directory has all that it needs
    assert "7 of 7 tasks done" in sodiophile("status", root)
    results = json.loads((root / "results.json").read_text())
    assert results["complete"]
    assert {(s["surface"], s["site"]) for s in results["sites"]} == {("Al(111)", "hollow-fcc")}
    lattice = values(root, "Al-lattice")
    assert lattice["atoms"] == 1
    spacing = lattice["lattice_constant"] / 3**0.5
    (pair,) = results["slab_checks"]["Al111-slab"]["layer_relaxations"]
    assert pair["distance"] - pair["change"] == pytest.approx(spacing)
    before = {p: p.stat().st_mtime_ns for p in root.glob("*/result.json")}
    sodiophile("report", root)
    path.write_bytes((root / "case.toml").read_bytes())
    sodiophile("run", path, "--into", root)
    assert {p: p.stat().st_mtime_ns for p in root.glob("*/result.json")} == before


def held_sites_alone(folder: Path, *systems: str) -> Path:
    """Write a sweep over hosts, with the case in `folder` as its base, that computes no more."""
    path = folder / "sweep.toml"
    lines = "".join(f"  {{ {system} }},\n" for system in systems)
    path.write_text(f'base = "case.toml"\ngoal = "adsorption"\n[axes]\nsystem = [\n{lines}]\n')
    return path


@pytest.mark.slow
def test_a_layer_is_relaxed_in_its_plane(tmp_path: Path) -> None:
    sites = (ONE_SITE, 'sites = ["hollow"]')
    path = case_file(tmp_path / "case", GRAPHENE, WIDER, ONE_LAYER, sites, QUICK)
    root = tmp_path / "run"
    sweep = held_sites_alone(path.parent, 'name = "layer", relax.fmax = 0.5')
    sodiophile("run", sweep, "--into", root, "--jobs", "1")
    (lattice,) = (values(root, task.name) for task in root.glob("C-lattice*"))
    assert lattice["stress"] < 0.1
    cell = np.reshape(lattice["structure"]["cell"]["__ndarray__"][2], (3, 3))
    assert cell[2] == pytest.approx([0.0, 0.0, 12.0])
    (held,) = (values(root, task.name) for task in root.glob("C001-hollow-held*"))
    assert 1.5 < held["height"] < 3.5


@pytest.mark.slow
def test_rock_salt_from_a_file_has_the_energies_of_the_built_in_one(tmp_path: Path) -> None:
    host = 'file = "VN.cif"\nmiller = [0, 0, 1]\n'
    base = case_file(tmp_path / "case", host, (ONE_SITE, 'sites = ["top-V"]'), QUICK)
    text = base.read_text().replace("cutoff = 200.0", 'cutoff = 200.0\nsetups = { V = "5" }')
    base.write_text(text.replace("smearing", "dipole_correction = false\nsmearing"))
    sweep = held_sites_alone(
        base.parent,
        'name = "file", host = { file = "VN.cif", miller = [0, 0, 1] }',
        'name = "built-in", host = { cation = "V", anion = "N", lattice_guess = 4.07 }',
    )
    root = tmp_path / "run"
    sodiophile("run", sweep, "--into", root)
    of_file, built_in = (
        json.loads((root / f"tiny-{name}" / "results.json").read_text())
        for name in ("file", "built-in")
    )
    for key in ("lattice_constant", "bulk_modulus"):
        expected = pytest.approx(built_in["lattices"]["host"][key], rel=1e-4)
        assert of_file["lattices"]["host"][key] == expected
    (one,), (other,) = (
        [site for site in results["sites"] if site["relaxation"] == "held"]
        for results in (of_file, built_in)
    )
    # both end within the fmax of QUICK, which leaves a height free by some 0.02 angstrom
    assert one["adsorption_energy"] == pytest.approx(other["adsorption_energy"], abs=5e-3)
    assert one["height"] == pytest.approx(other["height"], abs=2e-2)
    assert one["published"] is None
    assert other["published"] is not None
    rumpling = built_in["slab_checks"]["VN-slab"]["rumpling"]
    assert of_file["slab_checks"]["VN001-slab"]["rumpling"] == pytest.approx(rumpling, abs=5e-3)


@pytest.mark.slow
def test_an_oxide_is_run_and_reported(tmp_path: Path) -> None:
    path = case_file(
        tmp_path / "case", TIO2 + 'termination = "O-Ti2O2"\nrelax_cell = false\n',
        ("layers = 2", "layers = 3"), ("held_layers = 1", "held_layers = 2"),
        ("fmax = 0.2", "fmax = 1.0"), (ONE_SITE, 'sites = ["hollow"]'), OF_SLAB,
    )  # fmt: skip
    root = tmp_path / "run"
    sodiophile("run", path, "--into", root, "--jobs", "1")
    results = json.loads((root / "results.json").read_text())
    assert results["complete"]
    held, free = results["sites"]
    assert held["surface"] == free["surface"] == "TiO2(110)"
    assert held["adsorption_energy"] < 0.0
    assert results["lattices"]["host"]["source"] == "given in the case"
    assert (root / "figures" / "fig5.png").is_file()
