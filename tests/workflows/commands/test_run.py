"""`sodiophile run`: what is known is handed on, not worked out again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.case.schema import Case
from workflows.cli import main
from workflows.run.local import Run
from workflows.steps import initial
from workflows.steps.initial import Built
from workflows.tasks.folder import TaskFolder
from workflows.tasks.records import Surface
from workflows.tasks.status import State, survey


def test_the_report_takes_the_states_that_a_run_ended_with_and_its_structures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at: list[str] = []
    look = TaskFolder.result

    def counting(self: TaskFolder, fingerprint: str | None = None) -> object:
        looked_at.append(self.name)
        return look(self, fingerprint)

    built: list[str] = []
    build = initial._surface_structures

    def building(case: Case, surface: Surface) -> Iterator[Built]:
        built.append(surface)
        return build(case, surface)

    def go(self: Run, walltime: float | None) -> dict[str, State]:
        states = survey(self.campaign.tasks, self.root)
        looked_at.clear()
        return states

    monkeypatch.setattr(TaskFolder, "result", counting)
    monkeypatch.setattr(initial, "_surface_structures", building)
    monkeypatch.setattr(Run, "go", go)
    root = tmp_path / "run"
    assert main(["run", str(TINY), "--into", str(root)]) == 1
    assert "missing: VN-slab: " in capsys.readouterr().out
    assert (root / "results.json").exists()
    assert looked_at == []
    assert built == ["host", "metal"]  # each once
