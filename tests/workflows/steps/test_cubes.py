"""Density differences as files: whole, small, and neither lost nor mistaken on the way."""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from scipy.ndimage import gaussian_filter

from analysis.charge import Density
from analysis.cube import read_cube
from tests.made_up import STRUCTURE
from tests.workflows.report.finished_run import (
    case,
    evaluation,
    finish,
)
from workflows.campaign.campaign import alone
from workflows.report.tables import results_json, write_tables
from workflows.run.clean import carry_out, plan_cleaning
from workflows.steps import cubes
from workflows.steps.cubes import CUBE, SMALL
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

SITE = "top-V"
SHAPE = (32, 30, 128)


@pytest.fixture
def moved() -> Density:
    """Give a smooth density difference (e/angstrom^3) on a fine grid, of no electrons in all."""
    noise = np.random.default_rng(5).normal(size=SHAPE)
    values = gaussian_filter(noise, 3.0, mode="wrap")
    return Density(0.05 * values / abs(values).max(), np.array(STRUCTURE.cell))


@pytest.fixture
def root(tmp_path: Path, moved: Density) -> Path:
    finish(tmp_path, case(), moved=moved)
    return tmp_path


def small(root: Path) -> list[str]:
    """Make the cubes small; return the tasks whose cube it was."""
    states = survey(plan(case()), root)
    cleaning = plan_cleaning(alone(case()), states, root, small_cubes=True)
    carry_out(cleaning, states)
    return list(cleaning.cubes)


def test_a_small_cube_takes_the_place_of_the_whole_one(root: Path, moved: Density) -> None:
    folder = root / f"VN-{SITE}-density"
    whole = (folder / CUBE).stat().st_size
    assert len(small(root)) == 5  # four on the host, one on the metal
    assert not (folder / CUBE).exists()
    assert (folder / SMALL).stat().st_size < whole / 10
    picture = evaluation(root, case()).pictures[SITE]
    density = picture.difference
    assert density is not None
    assert np.all(np.diag(density.cell_cv) / density.shape < cubes.SPACING + 1e-6)
    assert density.integral() == pytest.approx(moved.integral(), abs=1e-3)
    assert abs(density.values).max() == pytest.approx(abs(moved.values).max(), rel=0.2)


def test_everything_else_is_as_it_was(root: Path) -> None:
    before, energies = survey(plan(case()), root), results_json(evaluation(root, case()))
    small(root)
    after, later = survey(plan(case()), root), results_json(evaluation(root, case()))
    assert [s.status for s in after.values()] == [s.status for s in before.values()]
    assert later["sites"] == energies["sites"]
    whole, coarse = (data["density_differences"][SITE] for data in (energies, later))
    assert whole is not None
    assert coarse is not None
    assert coarse["cube"] == f"VN-{SITE}-density/{SMALL}"
    for key in ("charge_moved", "bader_charge", "boundary"):
        assert coarse[key] == whole[key]


@pytest.mark.parametrize("make_small", [False, True])
def test_the_integral_is_that_of_the_file_that_is_there(root: Path, make_small: bool) -> None:
    if make_small:
        small(root)
    row = results_json(evaluation(root, case()))["density_differences"][SITE]
    assert row is not None
    path = root / row["cube"]
    content = gzip.decompress(path.read_bytes()) if make_small else path.read_bytes()
    density, _ = read_cube(io.StringIO(content.decode()))
    assert row["integral"] == density.integral()
    assert row["integral"] != 1e-4  # what the task found, on its own grid


def test_twice_is_once_and_an_interrupted_one_is_ended(root: Path) -> None:
    folder = root / f"VN-{SITE}-density"
    whole = (folder / CUBE).read_bytes()
    small(root)
    content = (folder / SMALL).read_bytes()
    assert small(root) == []
    (folder / CUBE).write_bytes(whole)  # killed before the whole one was dropped
    assert small(root) != []
    assert not (folder / CUBE).exists()
    assert (folder / SMALL).read_bytes() == content


def test_without_the_switch_cubes_stay_whole(root: Path) -> None:
    states = survey(plan(case()), root)
    carry_out(plan_cleaning(alone(case()), states, root), states)
    assert (root / f"VN-{SITE}-density" / CUBE).is_file()


def test_a_damaged_small_cube_is_no_result(root: Path) -> None:
    small(root)
    path = root / f"VN-{SITE}-density" / SMALL
    path.write_bytes(path.read_bytes()[:-20])
    assert evaluation(root, case()).pictures[SITE].difference is None
    assert survey(plan(case()), root)[f"VN-{SITE}-density"].status != "done"


def test_ase_reads_the_small_one(root: Path) -> None:
    small(root)
    atoms = read(root / f"VN-{SITE}-density" / SMALL)
    assert isinstance(atoms, Atoms)
    assert atoms.get_chemical_symbols() == STRUCTURE.get_chemical_symbols()


def test_tables_name_the_small_one(root: Path) -> None:
    small(root)
    write_tables(evaluation(root, case()), root)
    results = json.loads((root / "results.json").read_text(encoding="utf-8"))
    assert results["density_differences"][SITE]["cube"].endswith(SMALL)
    folder = TaskFolder(root / f"VN-{SITE}-density", "density")
    result = folder.result()
    assert result is not None
    assert set(result.files) == {SMALL}
