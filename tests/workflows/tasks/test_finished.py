"""Values are looked up by surface, site and relaxation, in the shipped case."""

from pathlib import Path
from typing import TypeVar

import pytest

from tests.paths import ROOT
from workflows.case.reading import read
from workflows.tasks.finished import Finished
from workflows.tasks.graph import plan
from workflows.tasks.status import survey_recorded

Found = TypeVar("Found")
LAPTOP = ROOT / "examples" / "laptop"


@pytest.fixture(scope="module")
def shipped() -> Finished:
    return Finished(survey_recorded(plan(read(LAPTOP / "case.toml")), LAPTOP))


def test_both_faces_of_the_metal_share_its_lattice(shipped: Finished) -> None:
    metal = shipped.lattice("metal")
    assert metal is not None
    assert metal == shipped.lattice("metal_110")
    assert metal["atoms"] == 1


def present(values: Found | None) -> Found:
    assert values is not None
    return values


def test_each_system_is_found(shipped: Finished) -> None:
    slab, atom = present(shipped.slab("host")), present(shipped.atom())
    held = present(shipped.adatom("host", "hollow", "held"))
    assert held["energy"] < slab["energy"] + atom["energy"]
    assert "saddle" in present(shipped.adatom("host", "hollow", "free"))
    assert "start" in present(shipped.bare_slab("host", "hollow", "held"))


def test_energies_without_dipole_correction_are_those_of_the_same_systems(
    shipped: Finished,
) -> None:
    slab, held = present(shipped.slab("host")), present(shipped.adatom("host", "top-N", "held"))
    without = present(shipped.without_dipole("host"))
    assert 0.0 < abs(without["energy"] - slab["energy"]) < 0.1
    without = present(shipped.without_dipole("host", "top-N", "held"))
    assert 0.0 < abs(without["energy"] - held["energy"]) < 0.1


def test_bare_slabs_are_the_clean_one_and_those_of_each_adatom(shipped: Finished) -> None:
    energies = [slab["energy"] for slab in shipped.bare_slabs("host")]
    assert present(shipped.slab("host"))["energy"] in energies
    assert len(energies) == 1 + 2 * 4


def test_what_a_case_does_not_ask_for_is_none(shipped: Finished) -> None:
    assert shipped.density("metal", "bridge") is None
    assert shipped.adatom("host", "top-Na", "held") is None


def test_what_is_not_done_is_none(tmp_path: Path) -> None:
    nothing = Finished(survey_recorded(plan(read(LAPTOP / "case.toml")), tmp_path))
    state = nothing.state("host", "slab")
    assert state is not None
    assert state.status == "waiting"
    assert nothing.slab("host") is None
