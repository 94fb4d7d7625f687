"""`sodiophile build`: what cannot be computed is not built either."""

from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.cli import main


def test_an_element_without_paw_data_is_refused_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "francium.toml"
    text = TINY.read_text().replace('adatom = "Na"', 'adatom = "Fr"').replace("4.20", "5.70")
    case.write_text(text)
    assert main(["build", str(case), "--into", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told == f"{case}: dft.setups.Fr: found none for PBE; allowed: none is installed\n"
    assert not (tmp_path / "out").exists()
