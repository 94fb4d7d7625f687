"""The directory of a run: whose it is, and what happens when its case file is damaged."""

import json
from pathlib import Path

import pytest

from tests.paths import TINY
from tests.workflows.campaign.test_sweep import sweep
from workflows.campaign.campaign import Campaign, alone
from workflows.campaign.directory import CASE, read_campaign, require_own, write_campaign
from workflows.case.reading import parse
from workflows.system.files import read_signed, write_signed
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder

TEXT = TINY.read_text()


def campaign(text: str) -> Campaign:
    return alone(parse(text.encode(), "case.toml"), text.encode())


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Return a run of the tiny case with two tasks begun and one byte too many in its case file."""
    root = tmp_path / "run"
    root.mkdir()
    for name in ("Na-atom", "VN-lattice"):
        task = campaign(TEXT).tasks[name]
        TaskFolder(root / name, task.kind).open_for(task.origin({}))
    (root / CASE).write_text(f"={TEXT}")
    return root


def test_a_damaged_case_file_is_repaired_by_its_own_case(damaged: Path) -> None:
    own = campaign(TEXT)
    require_own(own, damaged)
    write_campaign(own, damaged)
    assert read_campaign(damaged).members[0].case == own.members[0].case
    assert (damaged / f"{CASE}.before-1").read_text() == f"={TEXT}"


@pytest.mark.parametrize(
    ("old", "new", "task"),
    [
        ("box = ", "box = 1", "Na-atom"),  # 7.0 -> 17.0
        ('anion = "N"', 'anion = "C"', "VN-lattice"),
    ],
)
def test_another_case_is_refused_and_touches_nothing(
    damaged: Path, old: str, new: str, task: str
) -> None:
    text = TEXT.replace(old, new).replace("top-N", "top-C")
    before = {path: path.read_bytes() for path in damaged.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=f"case.toml: damaged, and {task} was not computed for"):
        require_own(campaign(text), damaged)
    assert {path: path.read_bytes() for path in damaged.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"everything"', '"nothing"'),
        ('"tiny-1x1": {', '"../tiny": {'),
        ('"convergence": null', '"convergence": {"over": "name", "tolerance": 1.0}'),
        ('"convergence": null', '"convergence": {"over": "cutoff", "tolerance": "1"}'),
    ],
)
def test_a_signed_record_that_makes_no_sense_is_damaged(tmp_path: Path, old: str, new: str) -> None:
    root = tmp_path / "run"
    root.mkdir()
    write_campaign(sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2"]'), root)
    record = json.dumps(read_signed(root / "campaign.json"))
    assert old in record
    write_signed(root / "campaign.json", json.loads(record.replace(old, new)))
    with pytest.raises(UserError, match=r"campaign.json: damaged; the command that made"):
        read_campaign(root)


def test_a_damaged_record_of_several_cases_leaves_them_their_names(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    own = sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2"]')
    write_campaign(own, root)
    (root / "campaign.json").write_text("{}")
    with pytest.raises(UserError, match="holds case 'tiny-"):
        require_own(sweep(tmp_path, "[axes]\nslab.layers = [3, 4]"), root)
    require_own(own, root)
    write_campaign(own, root)
    assert read_campaign(root) == own
