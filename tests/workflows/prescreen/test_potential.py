"""The pretrained potential: what happens without it, and the real one where it is installed."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from ase.build import bulk

from tests.workflows.prescreen.emt import write_sweep
from workflows.cli import main
from workflows.prescreen import potential
from workflows.prescreen.potential import load_potential


def test_without_it_the_command_that_installs_it_is_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(potential, "version", missing)
    into = tmp_path / "into"
    assert main(["prescreen", str(write_sweep(tmp_path)), "--into", str(into)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'sodiophile[mlip]'" in line
    assert not into.exists()


@pytest.mark.slow
def test_the_real_one_gives_the_lattice_of_VN_and_opens_no_file_of_the_users(  # noqa: N802
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sevenn", reason="needs the extra `mlip`")
    monkeypatch.chdir(tmp_path)
    Path(potential.MODEL).write_bytes(b"not a model")  # a file of that name would be unpickled
    loaded = load_potential()
    assert {"V", "N", "Na"} <= loaded.elements
    energies = {}
    for a in (4.05, 4.13, 4.21):
        atoms = bulk("VN", "rocksalt", a=a)
        atoms.calc = loaded.calculator
        energies[a] = atoms.get_potential_energy()
    assert min(energies, key=energies.__getitem__) == 4.13
