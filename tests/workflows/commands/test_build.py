"""`sodiophile build`: what cannot be computed is not built either."""

import subprocess
import sys
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


def test_a_file_that_may_not_grow_is_one_line_with_its_own_name(tmp_path: Path) -> None:
    """The system refuses to write more than 100 bytes into a file: EFBIG."""
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "from workflows.cli import main\n"
        f"sys.exit(main(['build', {str(TINY)!r}, '--into', {str(tmp_path / 'out')!r}]))"
    )
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path}/out/VN-bulk.cif: File too large\n"
    assert list((tmp_path / "out").iterdir()) == []
