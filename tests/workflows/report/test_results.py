"""Results into numbers for people: by hand arithmetic, and never without what is missing."""

import csv
import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import ase.db
import numpy as np
import pytest
from rich.console import Console

from analysis.charge import Density
from analysis.cube import write_cube
from tests import made_up as made
from tests.made_up import STRUCTURE
from workflows.case.reading import find
from workflows.case.schema import Case, Checks
from workflows.report.database import write_database
from workflows.report.results import NOT_PHYSICAL, Report, energies_csv, write_tables
from workflows.tasks.atoms_json import to_json
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import Task, plan
from workflows.tasks.status import survey
from workflows.terminal.energy_table import energy_table

ATOM, BULK_NA = -0.25, -1.33  # eV; cohesive energy -1.08
SLABS = {"VN": -100.0, "TiN": -120.0, "Na": -10.0, "Na110": -20.0}
ADSORPTION = {"bridge": -1.5, "hollow": -1.4, "top-V": -1.8, "top-N": -1.3, "top-Ti": -1.1}
ON_NA = {"Na": -0.8, "Na110": -0.9}
BY_LEAVING = -0.05  # eV that a free adatom gains
LEANS, FALLS, LEANING = "hollow", -0.04, 0.2  # the slab that is left behind there, eV and angstrom
OF_THE_DIPOLE = 0.03  # eV
PAPER = {"bridge": -1.564, "hollow": -1.457, "top-V": -1.830, "top-N": -1.358}


def case(preset: str = "laptop", host: str = "V") -> Case:
    data = tomllib.loads(find(preset).read_text(encoding="utf-8"))
    data["host"]["cation"] = host
    data["slab"] |= {"cell": "2x2", "layers": 3, "held_layers": 1}
    data["slab"]["sites"] = ["bridge", "hollow", f"top-{host}", "top-N"]
    data["metal_slab"]["sites"] = ["hollow"]
    data.pop("metal_slab_110", None)
    data["dft"]["kpoints"].pop("metal_slab_110", None)
    data["dft"] |= {"cutoff": 400.0, "xc": "PBE", "setups": {}}
    return Case.model_validate(data | {"name": f"{preset}-{host}"})


def made_up(task: Task) -> dict[str, Any]:
    """Return values as a task would find them, with energies that are easy to subtract."""
    surface, kind, site = task.structure.partition("-")[0], task.kind, task.site
    found: dict[str, Any] = {"energy": ATOM}
    if kind == "lattice":
        energy, constant = (BULK_NA, 4.2) if surface == "Na" else (-18.0, 4.12)
        found = {"energy": energy, "atoms": 1, "lattice_constant": constant}
    elif kind == "slab":
        found = {"energy": SLABS[surface]}
    elif kind == "density":
        found = {"integral": 1e-4, "charge_moved": 0.6, "bader_charge": 0.7, "boundary": 5.0}
    elif kind in ("basin", "uncorrected"):
        found = made_up_check(surface, kind, site)
    elif kind in ("held", "free"):
        energy = SLABS[surface] + ATOM + ON_NA.get(surface, ADSORPTION.get(site, 0.0))
        found = {
            "energy": energy + (BY_LEAVING if kind == "free" else 0.0),
            "nearest": {"Na": 3.3} if surface in ON_NA else {"N": 2.5, surface[:-1]: 3.0},
            "ended_at": "hollow" if (site, kind) == ("bridge", "free") else site,
            "saddle": (site, kind) == ("top-N", "free"),
        }
    return found


def made_up_check(surface: str, kind: str, site: str) -> dict[str, Any]:
    if kind == "uncorrected":
        adsorbed = ATOM + ADSORPTION[site] + OF_THE_DIPOLE if site else 0.0
        return {"energy": SLABS[surface] + adsorbed}
    tipped = STRUCTURE[:-1]
    falls = site == LEANS and not surface.startswith("Na")
    tipped.positions[1, 2] += LEANING if falls else 0.0
    energy = SLABS[surface] + (FALLS if falls else 0.0)
    return {"energy": energy, "structure": to_json(tipped)}


def density() -> Density:
    return Density(np.arange(24.0).reshape(2, 3, 4), np.diag([3.0, 3.0, 12.0]))


def finish(
    root: Path, case: Case, without: tuple[str, ...] = (), moved: Density | None = None
) -> None:
    """Make the folders of a finished run, as far as it can be without some tasks."""
    cube = io.StringIO()
    write_cube(cube, moved or density(), STRUCTURE, "made up")
    lost = set(without)
    for task in plan(case).values():
        if task.name in lost or lost & set(task.needs):
            lost.add(task.name)
            continue
        files = {"difference.cube": cube.getvalue()} if task.kind == "density" else {}
        made.finish(task, root, files, **made_up(task))


def report(root: Path, case: Case) -> Report:
    return Report(case, survey(plan(case), root))


def written(report: Report, root: Path) -> dict[str, Any]:
    """Return results.json as another program reads it: no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    results, _ = write_tables(report, root)
    data: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"), parse_constant=refuse)
    return data


def row(data: dict[str, Any], site: str, relaxation: str, where: str = "sites") -> dict[str, Any]:
    (found,) = [s for s in data[where] if (s["site"], s["relaxation"]) == (site, relaxation)]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a finished run; tests read it and leave it as it is."""
    path = tmp_path_factory.mktemp("run")
    finish(path, case())
    return path


@pytest.fixture(scope="module")
def data(root: Path) -> dict[str, Any]:
    return written(report(root, case()), root)


# ---- results.json -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "relaxation", "energy"),
    [
        ("top-V", "held", -1.8),  # -102.05 - (-100.00) - (-0.25)
        ("top-V", "free", -1.85),
        ("bridge", "held", -1.5),
        ("top-N", "held", -1.3),
    ],
)
def test_adsorption_energies(
    data: dict[str, Any], site: str, relaxation: str, energy: float
) -> None:
    assert row(data, site, relaxation)["adsorption_energy"] == pytest.approx(energy)


def test_adsorption_energy_on_the_metal(data: dict[str, Any]) -> None:
    assert row(data, "hollow", "held", "metal_sites")["adsorption_energy"] == pytest.approx(-0.8)


def test_total_energy_is_as_computed(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["energy"] == -102.05


def test_cohesive_energy(data: dict[str, Any]) -> None:
    assert data["references"]["cohesive_energy"] == pytest.approx(-1.08)  # -1.33 - (-0.25)


def test_energy_against_the_metal(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["against_metal"] == pytest.approx(-0.72)  # -1.80 - (-1.08)


@pytest.mark.parametrize("site", PAPER)
def test_published_energies_and_our_difference_from_them(data: dict[str, Any], site: str) -> None:
    found = row(data, site, "held")
    assert found["published"] == PAPER[site]
    ours = ADSORPTION[site] - (FALLS if site == LEANS else 0.0)
    assert found["difference"] == pytest.approx(ours - PAPER[site])


def test_an_energy_is_against_the_slab_that_the_adatom_leaves_behind(data: dict[str, Any]) -> None:
    tipped, plain = row(data, LEANS, "held"), row(data, "top-V", "held")
    assert tipped["adsorption_energy"] == pytest.approx(ADSORPTION[LEANS] - FALLS)
    assert tipped["against_clean"] == pytest.approx(ADSORPTION[LEANS])
    assert tipped["reconstruction_energy"] == pytest.approx(FALLS)
    assert tipped["reconstruction_displacement"] == pytest.approx(LEANING)
    assert plain["adsorption_energy"] == plain["against_clean"] == pytest.approx(-1.8)
    assert plain["against_lowest"] == pytest.approx(-1.8 - FALLS)  # the lowest is hollow's
    assert plain["reconstruction_energy"] == pytest.approx(0.0)
    assert {tipped["reference"], plain["reference"]} == {"same basin"}
    assert row(data, "hollow", "held", "metal_sites")["against_lowest"] == pytest.approx(
        ON_NA["Na"]
    )
    notes = [line for line in data["notes"] if "leaves another slab" in line]
    assert notes == [
        "VN(001): the adatom leaves another slab than the clean one behind: "
        "hollow held -40 meV, hollow free -40 meV from it (an atom up to 0.20 Å away); "
        "against_clean has the energies against the clean slab"
    ]


def test_every_relaxed_slab_is_checked(data: dict[str, Any]) -> None:
    checks = data["slab_checks"]
    assert {"VN-slab", "Na-slab", "VN-hollow-held", "VN-hollow-held-basin"} <= checks.keys()
    assert checks["VN-hollow-held-basin"]["rumpling"] == {"1": pytest.approx(LEANING)}
    assert checks["VN-slab"]["fmax"] == 0.02
    assert "rumpling" not in checks["Na-slab"]


def test_energies_without_the_dipole_correction(data: dict[str, Any]) -> None:
    assert row(data, "top-V", "held")["without_dipole"] == pytest.approx(-1.8 + OF_THE_DIPOLE)
    assert row(data, "top-V", "free")["without_dipole"] is None


def test_without_the_slab_of_its_basin_an_energy_says_so(tmp_path: Path) -> None:
    plain = case().model_copy(update={"checks": Checks(same_basin=False)})
    finish(tmp_path, plain)
    report = Report(plain, survey(plan(plain), tmp_path))
    site = next(s for s in report.table().sites if s.site == LEANS)
    assert (site.reference, site.reconstruction_energy) == ("clean slab", None)
    assert site.adsorption_energy == pytest.approx(ADSORPTION[LEANS])
    assert "checks.same_basin is off" in report.notes()[-1]


def test_published_energy_of_bare_sodium(data: dict[str, Any]) -> None:
    found = row(data, "hollow", "held", "metal_sites")
    assert (found["published"], found["difference"]) == (-0.860, pytest.approx(0.06))


def test_where_the_adatom_is(data: dict[str, Any]) -> None:
    found = row(data, "bridge", "free")
    assert (found["ended_at"], found["site_offset"]) == ("hollow", 0.01)
    assert (found["height"], found["nearest"]) == (2.1, {"N": 2.5, "V": 3.0})


def test_saddles_are_marked(data: dict[str, Any]) -> None:
    assert [s["site"] for s in data["sites"] if s["saddle"]] == ["top-N"]


def test_lattice_and_its_spacings(data: dict[str, Any]) -> None:
    lattice = data["lattices"]["host"]
    assert (lattice["lattice_constant"], lattice["source"]) == (4.12, "equation of state")
    assert lattice["d_200"] == pytest.approx(2.06)
    assert lattice["d_111"] == pytest.approx(4.12 / 3**0.5)
    d_111, d_200, d_220 = lattice["spacings"][:3]
    assert (d_111["published"], d_200["published"], d_220["published"]) == (2.3, 2.0, None)
    assert d_200["difference"] == pytest.approx(0.06)
    assert [ring["named_by_paper"] for ring in lattice["spacings"]] == [True] * 2 + [False] + [
        True
    ] * 2
    assert data["lattices"]["metal"]["spacings"] is None


def test_references(data: dict[str, Any]) -> None:
    assert data["references"]["atom_energy"] == -0.25
    assert data["references"]["clean_slabs"] == {"host": -100.0, "metal": -10.0}


def test_density_differences_name_their_files(data: dict[str, Any], root: Path) -> None:
    found = data["density_differences"]["top-V"]
    assert (found["integral"], found["charge_moved"], found["boundary"]) == (1e-4, 0.6, 5.0)
    assert (found["bader_charge"], data["units"]["bader_charge"]) == (0.7, "electrons")
    assert (root / found["cube"]).is_file()


def test_the_verdict_is_the_comparison_of_like_with_like(data: dict[str, Any]) -> None:
    assert data["binds_more_strongly_than_metal"] is True
    assert data["verdict"] == (
        "VN binds Na more strongly than Na does: -1.85 eV (top-V, free) against "
        "-0.85 eV (hollow, free); laptop settings"
    )


def test_the_order_is_the_papers(data: dict[str, Any]) -> None:
    assert "agrees with the paper: top-V < bridge < hollow < top-N" in data["agreement_with_paper"]


def test_a_whole_run_misses_nothing(data: dict[str, Any]) -> None:
    assert (data["complete"], data["missing"]) == (True, [])


def test_settings_versions_and_time_come_along(data: dict[str, Any]) -> None:
    assert data["case"]["dft"]["cutoff"] == 400.0
    assert data["made_with"] == {"gpaw": "26.7"}
    assert data["seconds"] == 60.0 * len(plan(case()))


def test_every_number_has_its_unit(data: dict[str, Any]) -> None:
    site = {key for s in data["sites"] for key, value in s.items() if isinstance(value, float)}
    assert site <= set(data["units"])
    assert {k for k in data["density_differences"]["top-V"] if k != "cube"} <= set(data["units"])


def test_the_case_comes_back(data: dict[str, Any]) -> None:
    assert Case.model_validate(data["case"]) == case()


def test_again_it_is_the_same(root: Path) -> None:
    write_tables(report(root, case()), root)
    before = (root / "results.json").read_bytes(), (root / "energies.csv").read_bytes()
    write_tables(report(root, case()), root)
    assert ((root / "results.json").read_bytes(), (root / "energies.csv").read_bytes()) == before


# ---- energies.csv -------------------------------------------------------------------------------


def rows(root: Path, case: Case) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(energies_csv(report(root, case).table()))))


def test_csv_has_a_line_for_every_site_and_relaxation(root: Path) -> None:
    found = [(r["surface"], r["site"], r["relaxation"]) for r in rows(root, case())]
    expected = [("VN(001)", site, r) for site in PAPER for r in ("held", "free")]
    assert found == [*expected, ("Na(001)", "hollow", "held"), ("Na(001)", "hollow", "free")]


def test_csv_has_the_numbers(root: Path) -> None:
    (found,) = [r for r in rows(root, case()) if (r["site"], r["relaxation"]) == ("top-V", "held")]
    numbers = {
        "adsorption_energy_eV": -1.8, "published_eV": -1.83, "difference_eV": 0.03,
        "against_metal_eV": -0.72, "total_energy_eV": -102.05, "height_A": 2.1,
        "nearest_N_A": 2.5, "nearest_V_A": 3.0, "site_offset_A": 0.01,
    }  # fmt: skip
    assert {key: float(found[key]) for key in numbers} == pytest.approx(numbers)
    assert found["nearest_Na_A"] == ""  # no other sodium is near
    assert (found["ended_at"], found["quality"], found["problem"]) == ("top-V", "laptop", "")


# ---- runs that are not whole --------------------------------------------------------------------


def test_a_new_run_has_no_numbers_and_says_so(tmp_path: Path) -> None:
    data = written(report(tmp_path, case()), tmp_path)
    assert data["complete"] is False
    assert "VN-lattice: ready" in data["missing"]
    assert "VN-slab: waiting (for VN-lattice)" in data["missing"]
    assert {s["adsorption_energy"] for s in data["sites"]} == {None}
    assert data["verdict"] == "no verdict: no adsorption energy of Na on VN and Na"
    assert data["lattices"]["host"] == {
        "name": "VN", "lattice_constant": None, "source": "missing", "bulk_modulus": None,
        "pattern": None, "spacings": [], "d_200": None, "d_111": None,
    }  # fmt: skip
    assert (data["made_with"], data["seconds"]) == ({}, 0)


def test_without_the_atom_there_are_no_adsorption_energies(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("Na-atom",))
    data = written(report(tmp_path, case()), tmp_path)
    found = row(data, "top-V", "held")
    assert found["energy"] == -102.05
    assert (found["adsorption_energy"], found["against_metal"]) == (None, None)
    assert found["problem"] == "the isolated atom's energy is missing"
    assert data["references"]["cohesive_energy"] is None


def test_without_the_bulk_metal_nothing_is_referred_to_it(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("Na-lattice",))
    found = row(written(report(tmp_path, case()), tmp_path), "top-V", "held")
    assert found["adsorption_energy"] == pytest.approx(-1.8)
    assert found["against_metal"] is None


def test_a_failed_site_has_no_number_but_its_reason(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-held",))
    made.fail(plan(case())["VN-top-V-held"], tmp_path, "desorbed", "Na ended far away")
    data = written(report(tmp_path, case()), tmp_path)
    held, free = (row(data, "top-V", relaxation) for relaxation in ("held", "free"))
    assert (held["energy"], held["adsorption_energy"], held["difference"]) == (None, None, None)
    assert held["problem"] == "failed: desorbed: Na ended far away"
    assert free["problem"] == "blocked: needs VN-top-V-held, which failed"
    assert "VN-top-V-held: failed (desorbed: Na ended far away)" in data["missing"]
    assert data["verdict"].startswith("VN binds Na more strongly than Na does: -1.55 eV (bridge")
    assert data["agreement_with_paper"].split("; ")[-2] == "top-V left out"


def test_an_edited_energy_is_missing_not_wrong(tmp_path: Path) -> None:
    finish(tmp_path, case())
    path = tmp_path / "VN-top-V-free" / "result.json"
    path.write_text(path.read_text().replace("-102.1", "-109.1"))
    found = row(written(report(tmp_path, case()), tmp_path), "top-V", "free")
    assert found["adsorption_energy"] is None
    assert found["problem"] == "stale: its result is damaged; it will be computed again"


# ---- quality and other systems ------------------------------------------------------------------


def test_smoke_numbers_are_marked_wherever_they_are(tmp_path: Path) -> None:
    finish(tmp_path, case("smoke"))
    smoke = report(tmp_path, case("smoke"))
    data = written(smoke, tmp_path)
    assert (data["quality"], data["physical"]) == ("smoke", False)
    assert data["verdict"].endswith("not physical: smoke settings")
    assert data["agreement_with_paper"].endswith("not physical: smoke settings")
    assert {r["quality"] for r in rows(tmp_path, case("smoke"))} == {"smoke"}
    assert NOT_PHYSICAL in shown(smoke)


def test_laptop_numbers_are_not_marked(root: Path, data: dict[str, Any]) -> None:
    assert (data["quality"], data["physical"]) == ("laptop", True)
    assert "NOT PHYSICAL" not in shown(report(root, case()))


def test_another_host_has_no_published_numbers(tmp_path: Path) -> None:
    finish(tmp_path, case(host="Ti"))
    data = written(report(tmp_path, case(host="Ti")), tmp_path)
    assert {(s["published"], s["difference"]) for s in data["sites"]} == {(None, None)}
    assert row(data, "top-Ti", "held")["adsorption_energy"] == pytest.approx(-1.1)
    assert data["agreement_with_paper"].startswith("order of sites not compared")
    assert data["metal_sites"][0]["published"] == -0.860


# ---- densities and captions ---------------------------------------------------------------------


def test_a_density_difference_is_read_back(root: Path) -> None:
    found, atoms = report(root, case()).density("top-V", root)
    assert found is not None
    assert np.allclose(found.values, density().values, atol=1e-5)
    assert atoms == STRUCTURE


def test_without_a_density_there_is_the_structure(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-density",))
    assert report(tmp_path, case()).density("top-V", tmp_path) == (None, STRUCTURE)


def test_without_both_there_is_nothing(tmp_path: Path) -> None:
    assert report(tmp_path, case()).density("top-V", tmp_path) == (None, None)


@pytest.mark.parametrize(
    "words", ["case laptop-V", "Na on VN(001), 2×2 cell", "3 layers (1 held)", "400 eV", "PBE"]
)
def test_the_caption_says_what_was_computed(root: Path, words: str) -> None:
    assert words.lower() in report(root, case()).caption().lower()


# ---- the terminal -------------------------------------------------------------------------------


def shown(report: Report) -> str:
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(energy_table(report))
    return console.export_text()


def line(text: str, *words: str) -> str:
    (found,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return found


@pytest.mark.parametrize(
    "cell", ["-1.800", "-1.850", "-1.830", "+0.030", "2.10", "N 2.50, V 3.00", "top-V (0.01 Å off)"]
)
def test_the_table_has_the_numbers(root: Path, cell: str) -> None:
    assert cell in line(shown(report(root, case())), "VN(001)", "top-V")


def test_the_table_says_where_a_free_adatom_went(root: Path) -> None:
    assert "hollow (0.01 Å off)" in line(shown(report(root, case())), "VN(001)", "bridge")


def test_the_table_says_that_an_adatom_rests_on_a_saddle(root: Path) -> None:
    assert "on a saddle" in line(shown(report(root, case())), "VN(001)", "top-N")


def test_the_table_has_no_numbers_for_a_failed_site(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-held",))
    made.fail(plan(case())["VN-top-V-held"], tmp_path, "desorbed", "Na [left] far away")
    found = line(shown(report(tmp_path, case())), "VN(001)", "top-V")
    assert "failed" in found
    assert "-1.8 " not in found
    assert "needs VN-top-V-held, which failed" in found


def test_the_table_of_a_new_run_can_be_shown(tmp_path: Path) -> None:
    assert "missing" in line(shown(report(tmp_path, case())), "VN(001)", "top-V")


# ---- results.db ---------------------------------------------------------------------------------


def test_the_database_holds_what_is_there(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-free", "Na-atom"))
    with ase.db.connect(write_database(report(tmp_path, case()), tmp_path)) as database:
        rows = {row.task: row.key_value_pairs for row in database.select()}
    kinds = [task.kind for task in plan(case()).values() if task.kind in ("slab", "held", "free")]
    assert len(rows) == len(kinds) - 1
    assert "adsorption_energy" not in rows["VN-top-V-held"]  # without the atom there is none
    assert rows["VN-top-V-held"]["published"] == -1.830
    assert rows["VN-top-V-held"]["charge_moved"] == 0.6
    assert rows["VN-slab"] == {
        "task": "VN-slab", "surface": "VN(001)", "quality": "laptop", "physical": True,
    }  # fmt: skip


def test_the_database_of_a_run_without_results_is_empty(tmp_path: Path) -> None:
    with ase.db.connect(write_database(report(tmp_path, case()), tmp_path)) as database:
        assert database.count() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]


# ---- two faces of the metal ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Give the report of a finished run with the metal's (110) face, too."""
    data = tomllib.loads(find("laptop").read_text(encoding="utf-8"))
    data["metal_slab_110"] = data["metal_slab"] | {"cell": "2x1", "sites": ["hollow"]}
    data["dft"]["kpoints"]["metal_slab_110"] = [3, 4, 1]
    path = tmp_path_factory.mktemp("faces")
    finish(path, Case.model_validate(data))
    return report(path, Case.model_validate(data))


def test_both_faces_are_in_the_table(two_faces: Report) -> None:
    rows = [(s.surface, s.relaxation, s.published) for s in two_faces.table().metal_sites]
    assert rows == [
        (surface, relaxation, -0.860)
        for surface in ("Na(001)", "Na(110)")
        for relaxation in ("held", "free")
    ]
    slabs = two_faces.as_json()["references"]["clean_slabs"]
    assert slabs == {"host": -100.0, "metal": -10.0, "metal_110": -20.0}
    assert "Na(110),hollow,held,-0.900000,-0.860000" in energies_csv(two_faces.table())


def test_the_verdict_names_the_face_that_binds_most(two_faces: Report) -> None:
    assert "against -0.95 eV (hollow on Na(110), free)" in two_faces.table().verdict()
    references = {s.surface: s.binding for s in two_faces.table().metal_references}
    assert references == pytest.approx({"Na(001)": -0.85, "Na(110)": -0.95})


def test_the_small_print_says_that_the_face_of_the_paper_is_not_known(two_faces: Report) -> None:
    assert "their settings, and the face of their Na, are not known" in two_faces.caption()


# ---- only like is subtracted from like ----------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ([3.0, 3.0, 14.0], "found grid spacing ("),
        ([6.0, 3.0, 12.0], "found k-point spacing ("),
    ],
)
def test_energies_of_other_cells_are_refused(tmp_path: Path, cell: list[float], names: str) -> None:
    finish(tmp_path, case())
    folder, other = TaskFolder(tmp_path / "VN-top-V-held", "held"), STRUCTURE.copy()
    other.set_cell(cell)
    found = folder.result()
    assert found is not None
    folder.finish(replace(found, values={**found.values, "structure": to_json(other)}))
    (site,) = [
        s for s in report(tmp_path, case()).table().sites
        if (s.site, s.relaxation) == ("top-V", "held")
    ]  # fmt: skip
    assert site.adsorption_energy is None
    assert site.problem is not None
    assert site.problem.startswith("only energies of equal settings may be subtracted")
    assert names in site.problem
