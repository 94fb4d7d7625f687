"""`sodiophile build CRYSTAL --miller`: lines, files and picture; mistakes are one line each."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import read, write
from matplotlib.image import imread

from workflows.cli import main


@pytest.fixture
def nitride(tmp_path: Path) -> Path:
    path = tmp_path / "VN.cif"
    write(path, bulk("VN", "rocksalt", a=4.13))
    return path


def build(path: Path, *arguments: str) -> int:
    return main(["build", str(path), "--into", str(path.parent / "out"), *arguments])


def test_polar_face_of_rocksalt(nitride: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(nitride, "--miller", "1", "1", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "VN(111): 1x1 cell 2.92 x 2.92 Å, 60.0°; 2 layers in 2.38 Å; 2 distinct terminations"
    )
    assert [line.split(":")[0].strip() for line in lines if "Tasker" in line] == ["N", "V"]
    assert sum("warning: polar" in line for line in lines) == 2
    assert "    sites: bridge, hollow-3-NNN-over-N, hollow-3-NNN-over-V, top-N" in lines
    out = nitride.parent / "out"
    slab = read(out / "VN-111-N.extxyz")
    # five layers, two like sides: N V N V N
    assert slab.get_chemical_formula() == "N3V2"
    assert slab.symbols[np.argsort(slab.positions[:, 2])].get_chemical_formula("reduce") == "NVNVN"


def test_picture_has_a_column_for_each_termination(nitride: Path) -> None:
    build(nitride, "--miller", "1", "1", "1")
    build(nitride, "--miller", "0", "0", "1", "--layers", "2")
    pictures = [imread(nitride.parent / "out" / f"VN-{m}.png") for m in ("111", "001")]
    polar, neutral = (picture[..., :3] for picture in pictures)
    assert polar.shape[1] == pytest.approx(2 * neutral.shape[1], abs=2)
    assert neutral.shape[0] < polar.shape[0]  # as high as the slab: two layers, and more
    # both columns are drawn on
    for half in np.array_split(polar, 2, axis=1):
        assert (half.min(axis=2) < 0.5).mean() > 0.02


def test_building_again_changes_nothing(nitride: Path) -> None:
    contents = []
    for _ in range(2):
        build(nitride, "--miller", "0", "0", "1")
        files = (nitride.parent / "out").iterdir()
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"VN-001-VN.cif", "VN-001-VN.extxyz", "VN-001.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a crystal; allowed: with --miller H K L"),
        (("--miller", "0", "0", "0"), "--miller: found [0, 0, 0]; allowed: three whole numbers"),
        (("--miller", "1", "1", "9"), "--miller: found [1, 1, 9]; allowed: three whole numbers"),
        (("--miller", "1", "1", "1", "--layers", "1000"), "--layers: found 1000; a slab of more"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    nitride: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(nitride, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (nitride.parent / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.cif", b"", "empty.cif: empty; allowed"),
        ("POSCAR", b"no\ncrystal", "POSCAR: no poscar that can be read"),
        ("none.cif", None, "none.cif: no such file"),
        ("large.cif", b"#" * 1_000_001, "large.cif: larger than 1000000 bytes"),
    ],
)
def test_files_that_are_no_crystal(
    tmp_path: Path,
    name: str,
    content: bytes | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert build(tmp_path / name, "--miller", "1", "0", "0") == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_molecule_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "water.xyz", molecule("H2O"))
    assert build(tmp_path / "water.xyz", "--miller", "1", "0", "0") == 2
    assert "found a molecule" in capsys.readouterr().err


def test_options_of_a_crystal_do_not_go_with_a_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["build", "smoke", "--into", str(tmp_path / "out"), "--miller", "1", "0", "0"]
    assert main(arguments) == 2
    assert "allowed: the file of a crystal with these" in capsys.readouterr().err
