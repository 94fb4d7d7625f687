"""Spin in tables and page: moments where there are any, a warning where they were left out."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from analysis.cube import write_cube
from tests import made_up as made
from tests.made_up import STRUCTURE
from tests.workflows.report.finished_run import (
    case,
    density,
    evaluation,
    finish,
    made_up,
    row,
    written,
)
from workflows.case.schema import Case, Spin
from workflows.report.page import write_page
from workflows.report.tables import energies_csv
from workflows.report.wording import notes
from workflows.tasks.atoms_json import to_json
from workflows.tasks.graph import plan
from workflows.terminal.energy_table import report_text

MOMENTS: dict[str, Any] = {"magnetic_moment": 1.1, "magnetic_moments": [1.0, -0.04, 0.01]}
MAGNETIC: dict[str, Any] = MOMENTS | {"energy": -1.03, "non_magnetic_energy": -1.0}


def spin(**changes: Any) -> Case:
    of = case()
    return of.model_copy(update={"dft": of.dft.model_copy(update={"spin": Spin(**changes)})})


def finish_with_spin(root: Path, of: Case) -> None:
    """Make the folders of a run whose probe of the host found a moment."""
    cube = io.StringIO()
    write_cube(cube, density(), STRUCTURE, "made up")
    for task in plan(of).values():
        values: dict[str, Any] = made_up(task)
        if task.kind == "probe":
            values = MAGNETIC if task.surface == "host" else {}
        elif task.surface == "host" and task.kind in ("slab", "held"):
            values |= MOMENTS | {"non_magnetic_energy": values["energy"] + 0.2}
        files = {"difference.cube": cube.getvalue()} if task.kind == "density" else {}
        made.finish(task, root, files, **values)


@pytest.mark.parametrize(("magnetic", "warned"), [(True, 1), (False, 0)])
def test_a_moment_that_was_left_out_is_warned_of(
    tmp_path: Path, magnetic: bool, warned: int
) -> None:
    of = spin(polarised=False)
    finish(tmp_path, of)
    if magnetic:
        made.finish(plan(of)["VN-probe"], tmp_path, **MAGNETIC)
    found = evaluation(tmp_path, of)
    lines = [line for line in found.warnings if line.startswith("dft.spin.polarised: found false")]
    assert len(lines) == warned
    assert not any("without spin" in line for line in found.warnings)  # the rule of thumb
    if magnetic:
        assert lines[0].endswith(
            "the probe of clean VN(001) found up to 1.00 Bohr magnetons on V, 30 meV below the "
            "non-magnetic state of its 1x1 cell: the energies are those of a non-magnetic state; "
            'usual: "auto"'
        )
        assert lines[0] in written(tmp_path, of)["warnings"]
        assert lines[0] in report_text(found)
        assert "found up to 1.00 Bohr magnetons" in write_page(found, tmp_path).read_text()


def test_moments_are_in_every_table(tmp_path: Path) -> None:
    of = spin()
    finish_with_spin(tmp_path, of)
    found, data = evaluation(tmp_path, of), written(tmp_path, of)
    site = row(data, "top-V", "held")
    assert site["magnetic_moment"] == 1.1
    assert site["against_non_magnetic"] == pytest.approx(-0.2)
    assert "magnetic_moment" not in row(data, "hollow", "held", "metal_sites")
    assert data["magnetism"]["VN-slab"] == {
        **MOMENTS,
        "symbols": STRUCTURE.get_chemical_symbols(),
        "against_non_magnetic": pytest.approx(-0.2),
        "starts": {},
    }
    text = report_text(found)
    assert "VN-top-V-held" in text
    assert "V 1.00, N -0.04, Na 0.01" in text
    assert "VN(001): computed with spin, because the probe found up to 1.00" in text
    assert "Na(001): computed without spin; the probe of the clean slab found no moment" in text
    (line, *_) = csv.DictReader(io.StringIO((tmp_path / "energies.csv").read_text()))
    assert (line["magnetic_moment_muB"], line["against_non_magnetic_eV"]) == (
        "1.100000",
        "-0.200000",
    )
    page = write_page(found, tmp_path).read_text()
    assert '<h2 id="moments-title">Magnetic moments</h2>' in page


def test_without_spin_there_is_no_column_of_moments(tmp_path: Path) -> None:
    of = spin(polarised=False)
    finish(tmp_path, of, without=("VN-probe", "Na-probe"))
    found, data = evaluation(tmp_path, of), written(tmp_path, of)
    assert "magnetism" not in data
    assert "magnetic_moment" not in energies_csv(found.table, {})
    assert "Magnetic moments" not in report_text(found)
    assert "moments-title" not in write_page(found, tmp_path).read_text()
    assert not [line for line in notes(found) if "spin" in line]


def test_the_probe_of_the_slab_is_a_row_of_its_own(tmp_path: Path) -> None:
    of = spin(polarised=False)
    finish(tmp_path, of, without=("Na-probe",))
    starts = {"ferromagnetic": -1.03, "alternating": -1.01}
    made.finish(
        plan(of)["VN-probe"], tmp_path, **MAGNETIC, starts=starts, structure=to_json(STRUCTURE)
    )
    magnetism = written(tmp_path, of)["magnetism"]
    assert list(magnetism) == ["VN-probe"]
    assert magnetism["VN-probe"]["starts"] == starts
