"""`sodiophile prescreen`, with ASE's EMT in the place of the pretrained potential."""

from pathlib import Path

import pytest

from tests.workflows.prescreen.emt import HOSTS, NAME, potential, write_sweep
from workflows.campaign.directory import require_own
from workflows.campaign.sweep import gather
from workflows.cli import main
from workflows.commands import prescreen


@pytest.fixture(autouse=True)
def with_emt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prescreen, "potential_name", lambda: NAME)
    monkeypatch.setattr(prescreen, "load_potential", potential)


def test_it_orders_hosts_and_leaves_the_directory_to_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, into = write_sweep(tmp_path), tmp_path / "into"
    assert main(["prescreen", str(path), "--into", str(into)]) == 0
    out = capsys.readouterr().out
    assert f"tiny-NiC: by {NAME}" in out
    assert f"pre-screen by {NAME}, not DFT" in out
    assert {p.name for p in into.iterdir()} == {
        ".lock", "figures", "prescreen.csv", "prescreen.json",
    }  # fmt: skip
    require_own(gather([str(path)]), into)  # a run may begin there
    assert main(["prescreen", str(path), "--into", str(into)]) == 0
    assert "tiny-NiC: by" not in capsys.readouterr().out  # nothing to compute


@pytest.mark.parametrize(
    ("axes", "error"),
    [
        ('adatom = ["Al", { adatom = "Ni" }]', "adatom: found several; allowed: one"),
        ('host = [{ cation = "V" }]', "anion"),
    ],
)
def test_mistakes_are_lines_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], axes: str, error: str
) -> None:
    head = HOSTS if axes.startswith("adatom") else 'base = "tiny.toml"\n[axes]\n'
    path, into = write_sweep(tmp_path, head + axes + "\n"), tmp_path / "into"
    assert main(["prescreen", str(path), "--into", str(into)]) == 2
    assert error in capsys.readouterr().err
    assert not into.exists()


def test_a_directory_with_other_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, into = write_sweep(tmp_path), tmp_path / "into"
    into.mkdir()
    (into / "thesis.tex").write_text("mine")
    assert main(["prescreen", str(path), "--into", str(into)]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert [p.name for p in into.iterdir()] == ["thesis.tex"]
