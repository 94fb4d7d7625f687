"""Slabs with a vacancy or a foreign atom: case file, structures, tasks, and real calculations."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from structures.defects import defect_of
from structures.sites import place_adatom
from tests.paths import TINY
from tests.some_tasks import compute
from workflows.case.reading import parse
from workflows.case.schema import Case
from workflows.cli import main
from workflows.preflight.setting_warnings import warnings
from workflows.steps.initial import structures
from workflows.system.messages import UserError
from workflows.tasks.atoms_json import check_structure, from_json, to_json
from workflows.tasks.folder import Result
from workflows.tasks.graph import plan

TEXT = re.sub(" *#.*", "", TINY.read_text(encoding="utf-8"))
VACANCY, OXYGEN = 'element = "N"', 'element = "N"\nsubstitute = "O"'


def text(defect: str, sites: str = '"top-V"', *changes: tuple[str, str]) -> str:
    """Return the tiny case with a defect, some sites and other pieces replaced."""
    found = TEXT.replace('sites = ["top-V"]', f"sites = [{sites}]\n[slab.defect]\n{defect}", 1)
    for old, new in changes:
        assert old in found
        found = found.replace(old, new, 1)
    return found


def case(*arguments: Any) -> Case:
    return parse(text(*arguments).encode(), "a.toml")


PHYSICAL = ('quality = "smoke"', 'quality = "production"')
WIDE = ('cell = "1x1"', 'cell = "2x2"')


# ---- the case file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("defect", "sites", "line"),
    [
        ('element = "C"', '"top-V"', "slab.defect.element: found 'C'; allowed: V, N"),
        (
            'element = "N"\nsubstitute = "N"',
            '"top-V"',
            "slab.defect.substitute: found 'N', the element that it replaces; allowed: another "
            "element, or none for a vacancy",
        ),
        ('element = "Xx"', '"top-V"', "slab.defect.element: found 'Xx'; not a chemical element"),
        ('substitute = "O"', '"top-V"', "slab.defect.element: missing"),
        (
            VACANCY,
            '"top-N"',
            "slab.sites: found 'top-N' (did you mean 'top-V'?); allowed: bridge, hollow, top-V, "
            "vacancy",
        ),
        (
            OXYGEN,
            '"vacancy"',
            "slab.sites: found 'vacancy'; allowed: bridge, hollow, top-V, top-O",
        ),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], defect: str, sites: str, line: str
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text(defect, sites))
    for verb in ("build", "run"):
        assert main([verb, str(path), "--into", str(tmp_path / "out")]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"{path}: {line}")
        assert told.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_a_foreign_element_without_data_set_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text('element = "N"\nsubstitute = "Fr"'))
    assert main(["build", str(path), "--into", str(tmp_path / "out")]) == 2
    assert "dft.setups.Fr: found none for PBE" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_metal_has_no_defect() -> None:
    bad = TEXT.replace('sites = ["hollow"]', f'sites = ["hollow"]\n[metal_slab.defect]\n{VACANCY}')
    with pytest.raises(UserError, match=r"metal_slab\.defect: unknown key"):
        parse(bad.encode(), "a.toml")


def test_settings_of_the_foreign_element_can_be_given() -> None:
    found = case(OXYGEN, '"top-O"', ('setups = { V = "5" }', 'setups = { V = "5", O = "s" }'))
    slab = plan(found)["VN-slab"].inputs["dft"]["setups"]
    assert slab == {"V": "5", "O": "s"}
    assert plan(found)["VN-lattice"].inputs["dft"]["setups"] == {"V": "5"}


def test_coverage_of_a_slab_with_a_defect_is_refused() -> None:
    more = text(VACANCY, '"top-V"', WIDE) + '\n[coverage]\nhost = ["top-V"]\n'
    with pytest.raises(UserError, match=r"coverage\.host: found top-V with \[slab\.defect\]"):
        parse(more.encode(), "a.toml")


@pytest.mark.parametrize(
    ("cell", "warned"), [("1x1", "100 %"), ("sqrt2", "50 %"), ("2x2", ""), ("3x2", "")]
)
def test_a_defect_that_is_a_layer_is_warned_about(cell: str, warned: str) -> None:
    found = case(VACANCY, '"top-V"', PHYSICAL, ('cell = "1x1"', f'cell = "{cell}"'))
    lines = [line for line in warnings(found, structures(found)) if "slab.defect" in line]
    assert len(lines) == bool(warned)
    assert all(warned in line for line in lines)


# ---- structures and tasks -----------------------------------------------------------------------


def test_build_prints_which_atom_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text(VACANCY, '"top-V", "vacancy"', WIDE))
    assert main(["build", str(path), "--into", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    slab = structures(case(VACANCY, '"top-V"', WIDE))["VN-slab"].atoms
    defect = defect_of(slab)
    assert defect is not None
    x, y, z = defect.place_v
    assert "15 atoms" in printed
    assert (
        "N vacancy in the place of atom 13 (counted from 0) of the perfect slab, "
        f"x, y, z = {x:.3f}, {y:.3f}, {z:.3f} Å; 1 of 4 N of the top layer"
    ) in printed
    assert "VN-vacancy.cif, .extxyz: 16 atoms" in printed
    assert "to the defect: 2.4" in printed
    assert 'defect="N vacancy" defect_place="' in (tmp_path / "out/VN-slab.extxyz").read_text()


def test_tasks_with_a_defect_have_it_among_their_inputs_and_data_sets() -> None:
    perfect, vacancy, oxygen = (plan(each) for each in (parse(TEXT.encode(), "a.toml"),
                                                        case(VACANCY), case(OXYGEN)))  # fmt: skip
    assert "defect" not in perfect["VN-slab"].inputs
    parents = {"VN-lattice": Result("parent", {"energy": -1.0}, {}, 1.0, {})}
    fingerprints = {each["VN-slab"].fingerprint(parents) for each in (perfect, vacancy, oxygen)}
    assert len(fingerprints) == 3
    assert vacancy["VN-slab"].inputs["defect"] == {"element": "N", "substitute": None}  # type: ignore[typeddict-item]
    for name, with_oxygen in oxygen.items():
        of_host = name.startswith("VN") and name not in ("VN-lattice", "VN-probe")
        assert ("O" in with_oxygen.elements) == of_host
    assert oxygen["VN-top-V-held"].elements[-1] == "Na"


def test_a_foreign_atom_has_a_starting_moment() -> None:
    polarised = ("polarised = false", "polarised = true")
    for defect, elements in ((OXYGEN, {"V", "N", "O"}), (VACANCY, {"V", "N"})):
        spin = plan(case(defect, '"top-V"', polarised))["VN-slab"].inputs["dft"]["spin"]
        assert set(spin["moments"]) == elements


def test_a_defect_travels_in_the_json_of_a_structure() -> None:
    built = structures(case(OXYGEN, '"top-O"', WIDE))["VN-top-O"].atoms
    data = check_structure(to_json(built))
    again, before = defect_of(from_json(data)), defect_of(built)
    assert again is not None
    assert before is not None
    assert again.label == "O for N"
    assert list(again.place_v) == list(before.place_v)


@pytest.mark.parametrize(
    "info",
    [
        {"defect": "N vacancy"},
        {"defect": "N vacancy", "defect_place": [0.0, 0.0]},
        {"defect": "N vacancy", "defect_place": [0.0, 0.0, float("nan")]},
        {"defect": "\x1b[2J", "defect_place": [0.0, 0.0, 0.0]},
        {"defect": "N vacancy", "defect_place": [0.0, 0.0, 0.0], "more": 1},
        {"other": 1},
        [],
        "text",
    ],
)
def test_other_notes_in_a_structure_are_refused(info: Any) -> None:
    built = structures(case(VACANCY, '"top-V"', WIDE))["VN-top-V"].atoms
    with pytest.raises(ValueError, match="info: not that of a structure of ours"):
        check_structure(to_json(built) | {"info": info})


def test_an_adatom_finds_its_site_on_a_relaxed_slab_with_a_vacancy() -> None:
    built = structures(case(VACANCY, '"top-V"', WIDE))["VN-slab"].atoms
    slab = from_json(to_json(built))
    assert len(place_adatom(slab, "Na", "vacancy")) == len(slab) + 1


# ---- real calculations --------------------------------------------------------------------------


QUICK = (
    ("lattice_guess = 4.07", "lattice_guess = 4.07\nlattice_constant = 4.13"),
    ('cell = "1x1"', 'cell = "sqrt2"'),
    ("held_layers = 1", "held_layers = 2"),  # rigid: Na alone moves
    ("host_slab = [2, 2, 1]", "host_slab = [1, 1, 1]"),
    ("same_basin = false", "same_basin = true"),
    ("metal_slab = [1, 1, 1]\n", ""),
)


def without_metal_slab(case_file: str) -> str:
    start, end = case_file.index("[metal_slab]"), case_file.index("[atom]")
    return case_file[:start] + case_file[end:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defect", "site", "formula"),
    [
        (OXYGEN, "top-O", {"V": 4, "N": 3, "O": 1}),
        (VACANCY, "vacancy", {"V": 4, "N": 3}),
    ],
)
def test_energies_are_against_the_same_defective_slab(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    defect: str,
    site: str,
    formula: dict[str, int],
) -> None:
    root, held_task = tmp_path / "run", f"VN-{site}-held"
    tasks = ("VN-probe", "Na-atom", "VN-slab", held_task, f"{held_task}-basin")
    compute(root, without_metal_slab(text(defect, f'"{site}"', *QUICK)), tasks)
    assert main(["report", str(root)]) == 1, capsys.readouterr()  # not all tasks are done
    results = json.loads((root / "results.json").read_text(encoding="utf-8"))
    held = next(s for s in results["sites"] if s["relaxation"] == "held")
    with_adatom, bare, atom = (
        json.loads((root / name / "result.json").read_text())["values"]
        for name in (held_task, f"{held_task}-basin", "Na-atom")
    )
    known = with_adatom["energy"] - bare["energy"] - atom["energy"]
    assert held["adsorption_energy"] == pytest.approx(known)
    assert from_json(bare["structure"]).symbols.formula.count() == formula
    assert held["ended_at"] == site
    # straight above the defect, which lies in the top layer
    assert held["defect_distance"] == pytest.approx(held["height"], abs=1e-3)
    label = "O for N" if "O" in formula else "N vacancy"
    assert any(f"with a defect ({label}, 1 of 2 N" in line for line in results["notes"])
    inputs = json.loads((root / "VN-slab" / "inputs.json").read_text())["inputs"]
    assert ("O" in inputs["data_sets"]) == ("O" in formula)
    assert results["barriers"] == []
