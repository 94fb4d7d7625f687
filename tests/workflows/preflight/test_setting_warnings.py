"""Settings that make the numbers mean little are named, with what was found and what is usual."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from workflows.case.reading import find
from workflows.case.schema import Case
from workflows.preflight import setting_warnings
from workflows.steps.initial import structures


def case(preset: str = "laptop", **changes: Any) -> Case:
    data = tomllib.loads(find(preset).read_text(encoding="utf-8"))
    for name, value in changes.items():
        *tables, key = name.split("__")
        table = data
        for step in tables:
            table = table.setdefault(step, {})
        table[key] = value
    return Case.model_validate(data)


def warnings(case: Case, *, probed: bool = False) -> list[str]:
    return setting_warnings.warnings(case, structures(case), probed=probed)


def system(cation: str, anion: str, adatom: str, structure: str = "bcc") -> Case:
    """Return the laptop case for another system."""
    data = tomllib.loads(find("laptop").read_text(encoding="utf-8"))
    data["host"] |= {"cation": cation, "anion": anion}
    data["adatom"] = adatom
    data["metal"]["structure"] = structure
    data["slab"]["sites"] = ["hollow"]
    data["metal_slab"]["sites"] = ["hollow"]
    del data["metal_slab_110"], data["dft"]["kpoints"]["metal_slab_110"]
    return Case.model_validate(data)


def test_presets_for_results_have_none_but_that_of_spin() -> None:
    (line,) = warnings(case("laptop"))
    assert line.startswith("host: found VN with Na, computed without spin: V has an open 3d shell")
    assert warnings(case("laptop"), probed=True) == []  # then that is known
    assert warnings(case("production")) == []  # a probe decides


@pytest.mark.parametrize(
    ("cation", "anion", "adatom", "start"),
    [
        ("Mn", "O", "Na", "host: found MnO with Na, computed without spin: Mn has an open 3d"),
        ("Cr", "N", "Na", "host: found CrN with Na, computed without spin: Cr has an open 3d"),
        ("Gd", "N", "Na", "host: found GdN with Na, computed without spin: Gd has an open f"),
        ("Ti", "N", "Fe", "host: found TiN with Fe, computed without spin: Fe has an open 3d"),
        ("Mg", "O", "Na", "adatom: found 'Na' on MgO, computed without spin: on an insulator"),
        ("Sc", "N", "Ag", "adatom: found 'Ag' on ScN, computed without spin: on an insulator"),
        ("Mg", "O", "Ca", ""),  # closed shells on both sides
        ("Ti", "N", "Na", ""),
        ("Ti", "C", "Na", ""),
        ("Hf", "N", "K", ""),
    ],
)
def test_what_may_carry_a_moment_is_not_computed_without_a_word(
    cation: str, anion: str, adatom: str, start: str
) -> None:
    found = list(setting_warnings._spin(system(cation, anion, adatom)))
    assert [line[: len(start)] for line in found] == ([start] if start else [])


@pytest.mark.parametrize(
    ("polarised", "adatom", "start"),
    [
        ("auto", "Na", ""),
        ("auto", "Fe", "host: found VN with Fe, computed with spin only if the clean slab has a "),
        (True, "Fe", ""),
        (False, "Na", "host: found VN with Na, computed without spin: V has an open 3d shell"),
    ],
)
def test_where_a_probe_decides_only_the_adatom_is_in_doubt(
    polarised: Any, adatom: str, start: str
) -> None:
    of = system("V", "N", adatom)
    spin = of.dft.spin.model_copy(update={"polarised": polarised})
    with_spin = of.model_copy(update={"dft": of.dft.model_copy(update={"spin": spin})})
    found = list(setting_warnings._spin(with_spin))
    assert [line[: len(start)] for line in found] == ([start] if start else [])


@pytest.mark.parametrize(
    ("adatom", "structure", "end"),
    [
        ("Mg", "fcc", "is hcp (ASE's reference): energies against the metal are those against "
         "another crystal; hcp is not supported"),
        ("Na", "fcc", "another crystal; usual: 'bcc'"),
        ("Ca", "fcc", ""),
        ("Na", "bcc", ""),
    ],
)  # fmt: skip
def test_a_metal_that_crystallises_otherwise_is_named(
    adatom: str, structure: str, end: str
) -> None:
    found = list(setting_warnings._ground_state(system("Ti", "N", adatom, structure)))
    assert [line.endswith(end) for line in found] == ([True] if end else [])
    assert all(line.startswith(f"metal.structure: found {structure!r};") for line in found)


def test_smoke_is_one_line_whatever_it_sets() -> None:
    (line,) = warnings(case("smoke", dft__dipole_correction=False))
    assert line.startswith("quality: found 'smoke': not physical")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"slab__layers": 2}, "slab.layers: found 2: "),
        ({"slab__held_layers": 2}, "slab.held_layers: found 2 of 3: only the top layer "),
        ({"slab__held_layers": 3}, "slab.held_layers: found 3 of 3: a rigid slab, as cut"),
        ({"metal_slab__vacuum": 5.0}, "metal_slab.vacuum: found 5 Å on each side: "),
        ({"metal_slab__cell": "1x1", "dft__kpoints__metal_slab": [4, 4, 1]},
         "metal_slab.cell: found '1x1': Na is 4.20 Å from its images"),
        ({"dft__kpoints__host_slab": [2, 3, 1]},
         "dft.kpoints.host_slab: found [2, 3, 1], 0.54 1/Å apart: too coarse for the cell; "
         "usual: [3, 3, 1] or more"),
        ({"dft__kpoints__metal_bulk": [4, 4, 4]}, "dft.kpoints.metal_bulk: found [4, 4, 4], 0.53 "),
        ({"dft__dipole_correction": False}, "dft.dipole_correction: found false: "),
        ({"dft__smearing": 0.3}, "dft.smearing: found 0.3 eV: "),
        ({"dft__setups": {"V": "5"}}, "dft.setups.V: found '5', with 5 electrons in place of 13"),
        ({"dft__scf__density": 0.01}, "dft.scf.density: found 0.01: "),
        ({"relax__fmax": 0.5}, "relax.fmax: found 0.5 eV/Å: "),
        ({"atom__box": 9.0}, "atom.box: found 9 Å: the atom feels the walls"),
        ({"host__lattice_constant": 4.5}, "host.lattice_constant: found 4.5 Å, +9 % from "),
        ({"metal__lattice_constant": 4.2}, "metal.lattice_constant: found a given one: "),
    ],
)  # fmt: skip
def test_a_doubtful_setting_is_one_line(change: dict[str, Any], line: str) -> None:
    (found, _) = sorted(warnings(case(**change)), key=lambda text: "without spin" in text)
    assert found.startswith(line)


def test_a_cell_without_room_for_clusters_is_named() -> None:
    wanted = {"host": ["top-N"], "metal": ["hollow"], "clusters": 4}
    lines = warnings(case(coverage=wanted, metal_slab__cell="2x2"))
    assert [line for line in lines if line.startswith("coverage")] == [
        "coverage.clusters: found 4 with slab.cell = '2x2', in which a cluster touches its own "
        "image: none on VN(001); usual: a wider cell"
    ]


def test_vacuum_that_adatoms_upon_others_fill_is_named() -> None:
    wanted = {"host": ["top-N"], "adatoms": 5, "placements": 1}
    low, high = (warnings(case(coverage=wanted, slab__vacuum=v)) for v in (6.0, 9.0))
    (line,) = (line for line in low if "vacuum" in line)
    assert line.startswith("slab.vacuum: found 6 Å on each side: coverage-5-a leaves ")
    assert not [line for line in high if "vacuum" in line]


def test_a_data_set_that_is_not_installed_is_left_to_those_who_refuse_it() -> None:
    assert warnings(case(dft__setups={"V": "99"})) == warnings(case())


def test_they_are_said_once_on_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "thin.toml"
    text = find("laptop").read_text(encoding="utf-8").replace("layers = 3", "layers = 2", 1)
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "workflows.cli", "build", str(path), "--into"]
    done = subprocess.run(
        [*command, str(tmp_path / "built")], capture_output=True, text=True, check=True
    )
    line, spin = done.stderr.splitlines()
    assert line.startswith(f"warning: {path}: slab.layers: found 2: ")
    assert spin.startswith(f"warning: {path}: host: found VN with Na, computed without spin")
    assert "warning" not in done.stdout
