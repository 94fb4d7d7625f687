"""`sodiophile run`: what is known is handed on, not worked out again."""

from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.cli import main
from workflows.run.local import Run
from workflows.tasks.folder import TaskFolder
from workflows.tasks.status import State, survey


def test_the_report_of_a_run_takes_the_states_that_the_run_ended_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at: list[str] = []
    look = TaskFolder.result

    def counting(self: TaskFolder, fingerprint: str | None = None) -> object:
        looked_at.append(self.name)
        return look(self, fingerprint)

    def go(self: Run, walltime: float | None) -> dict[str, State]:
        states = survey(self.campaign.tasks, self.root)
        looked_at.clear()
        return states

    monkeypatch.setattr(TaskFolder, "result", counting)
    monkeypatch.setattr(Run, "go", go)
    root = tmp_path / "run"
    assert main(["run", str(TINY), "--into", str(root)]) == 1
    assert "missing: VN-slab: " in capsys.readouterr().out
    assert (root / "results.json").exists()
    assert looked_at == []
