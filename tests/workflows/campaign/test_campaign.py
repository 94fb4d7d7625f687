"""Several cases at once: what they share, and a real run of two."""

import csv
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.paths import TINY
from tests.workflows.campaign.test_sweep import sweep
from workflows.campaign.campaign import Campaign, alone
from workflows.campaign.directory import read_campaign, require_own, write_campaign
from workflows.case.reading import read
from workflows.cli import main
from workflows.system.messages import UserError
from workflows.tasks.graph import plan

CASE = read(TINY)
# seconds count here: no equation of state, and few steps
QUICK = (
    TINY.read_text()
    .replace("= 4.07", "= 4.07\nlattice_constant = 4.07")
    .replace("fmax = 0.2", "fmax = 1.0")
    .replace("host_slab = [2, 2, 1]", "host_slab = [1, 1, 1]")
)


def test_equal_tasks_are_one_folder_and_different_ones_are_not(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2"]')
    one, other = (set(names.values()) for names in campaign.names)
    common = {campaign.tasks[folder].label for folder in one & other}
    of_metal = {"Na-atom", "Na-slab", "Na-hollow-held", "Na-hollow-free", "Na-hollow-density"}
    assert common == {"Na-probe", "VN-lattice", *of_metal}
    assert len(campaign.tasks) == len(one | other) == 2 * len(plan(CASE)) - len(common)
    for names, member in zip(campaign.names, campaign.members, strict=True):
        for name, task in plan(member.case).items():
            shared = campaign.tasks[names[name]]
            assert shared.inputs == task.inputs
            assert shared.needs == tuple(names[need] for need in task.needs)


def test_whatever_a_task_comes_from_tells_its_folder(tmp_path: Path) -> None:
    """A change far up the chain reaches the last task, whose own inputs are the same."""
    campaign = sweep(tmp_path, "[axes]\ndft.kpoints.host_bulk = [[2, 2, 2], [3, 3, 3]]")
    for one, other in combinations(campaign.names, 2):
        assert one["VN-top-V-density"] != other["VN-top-V-density"]
        assert one["Na-atom"] == other["Na-atom"]


def test_a_task_is_computed_from_the_same_alone_and_shared(tmp_path: Path) -> None:
    """The folder's name is no part of the fingerprint: results can be taken from run to run."""
    campaign = sweep(tmp_path, "[axes]\nslab.layers = [2]")
    for name, task in plan(campaign.members[0].case).items():
        shared = campaign.tasks[campaign.names[0][name]]
        assert shared.label == name
        assert not task.needs or shared.needs != task.needs
        assert shared.origin(_Same()) == task.origin(_Same())


class _Same(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        return type("Result", (), {"digest": "0"})


def test_a_directory_remembers_its_cases_in_order(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["sqrt2", "1x1"]')
    root = tmp_path / "run"
    root.mkdir()
    write_campaign(campaign, root)
    again = read_campaign(root)
    assert again == campaign
    assert list(again.tasks) == list(campaign.tasks)
    fewer = Campaign(campaign.members[:1], True)
    require_own(fewer, root)
    write_campaign(fewer, root)
    assert len(read_campaign(root).members) == 1
    with pytest.raises(UserError, match="several cases, not of one case"):
        require_own(alone(CASE), root)
    with pytest.raises(UserError, match="holds case 'tiny-sqrt2', not 'tiny-layers3'"):
        require_own(sweep(tmp_path, "[axes]\nslab.layers = [3]"), root)
    (root / "campaign.json").write_text("{}")
    with pytest.raises(UserError, match=r"campaign.json: damaged"):
        read_campaign(root)


def test_a_directory_of_one_case_has_the_names_that_it_always_had() -> None:
    assert list(alone(CASE).tasks) == list(plan(CASE))
    assert alone(CASE).tasks == plan(CASE)


@pytest.mark.slow
def test_two_cases_compute_what_they_share_once_and_each_has_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(QUICK)
    (tmp_path / "sweep.toml").write_text(
        'base = "tiny.toml"\ngoal = "adsorption"\n[axes]\nslab.sites = [["top-V"], ["hollow"]]\n'
    )
    root = tmp_path / "run"
    assert main(["run", str(tmp_path / "sweep.toml"), "--into", str(root), "--jobs", "2"]) == 0
    assert len(list(root.glob("Na-atom.*"))) == 1
    assert len(list(root.glob("VN-slab.*"))) == 1
    assert len(list(root.glob("VN-*-held.*"))) == 2
    with (root / "energies.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["site"] for row in rows] == ["top-V", "hollow"]
    for row in rows:
        alone_ = json.loads((root / row["case"] / "results.json").read_text())
        (site,) = alone_["sites"]
        assert float(row["adsorption_energy_eV"]) == pytest.approx(
            site["energy"]
            - alone_["references"]["clean_slabs"]["host"]
            - alone_["references"]["atom_energy"],
            abs=1e-6,
        )
    capsys.readouterr()
    assert main(["status", str(root)]) == 0
    assert "4 of 4 tasks done" in capsys.readouterr().out
