"""What the results add up to: density differences, two faces of the metal."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.made_up import STRUCTURE
from tests.workflows.report.finished_run import (
    case,
    density,
    evaluation,
    finish,
)
from workflows.case.reading import find
from workflows.case.schema import Case
from workflows.report.evaluation import Evaluation
from workflows.report.tables import energies_csv, results_json
from workflows.report.wording import caption


def test_a_density_difference_is_read_back(root: Path) -> None:
    picture = evaluation(root, case()).pictures["top-V"]
    assert picture.difference is not None
    assert np.allclose(picture.difference.values, density().values, atol=1e-5)
    assert picture.atoms == STRUCTURE


def test_without_a_density_there_is_the_structure(tmp_path: Path) -> None:
    finish(tmp_path, case(), without=("VN-top-V-density",))
    picture = evaluation(tmp_path, case()).pictures["top-V"]
    assert (picture.difference, picture.atoms) == (None, STRUCTURE)


def test_without_both_there_is_nothing(tmp_path: Path) -> None:
    found = evaluation(tmp_path, case())
    assert "top-V" not in found.pictures
    assert found.first_isovalue is None


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Give the report of a finished run with the metal's (110) face, too."""
    data = tomllib.loads(find("laptop").read_text(encoding="utf-8"))
    data["metal_slab_110"] = data["metal_slab"] | {"cell": "2x1", "sites": ["hollow"]}
    data["dft"]["kpoints"]["metal_slab_110"] = [3, 4, 1]
    path = tmp_path_factory.mktemp("faces")
    finish(path, Case.model_validate(data))
    return evaluation(path, Case.model_validate(data))


def test_both_faces_are_in_the_table(two_faces: Evaluation) -> None:
    rows = [(s.surface, s.relaxation, s.published) for s in two_faces.table.metal_sites]
    assert rows == [
        (surface, relaxation, -0.860)
        for surface in ("Na(001)", "Na(110)")
        for relaxation in ("held", "free")
    ]
    slabs = results_json(two_faces)["references"]["clean_slabs"]
    assert slabs == {"host": -100.0, "metal": -10.0, "metal_110": -20.0}
    assert "Na(110),hollow,held,-0.900000,-0.860000" in energies_csv(two_faces.table, {})


def test_the_verdict_names_the_face_that_binds_most(two_faces: Evaluation) -> None:
    assert "against -0.95 eV (hollow on Na(110), free)" in two_faces.table.verdict()
    references = {s.surface: s.binding for s in two_faces.table.metal_references}
    assert references == pytest.approx({"Na(001)": -0.85, "Na(110)": -0.95})


def test_the_caption_says_that_the_papers_face_is_not_known(
    two_faces: Evaluation,
) -> None:
    text = caption(two_faces.case, published=True).text
    assert "their settings, and the face of their Na, are not known" in text
