"""Measured files into columns: what is read, and how mistakes are named (synthetic data)."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic_cells import FREQUENCIES, csv_text, mpr, spectrum
from workflows.measured import series
from workflows.measured.series import Series, for_each, read_series
from workflows.system.messages import UserError

CURVE = "time_h,voltage_V,electrode\n0,-0.01,Na/VN\n1,-0.02,Na/VN\n0,-0.03,bare Na\n"
NEEDED = (["time_h"], ["voltage_V"])


def read(path: Path, *names: str) -> list[Series]:
    return read_series([path], names, NEEDED, ("current_mA",))


def written(tmp_path: Path, text: str | bytes, name: str = "cell 1.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as refused:
        read(path)
    line = str(refused.value)
    assert line.isprintable()
    assert line.startswith(f"{path}: ")
    assert len(line) < 500
    return line.removeprefix(f"{path}: ")


# ---- CSV ----------------------------------------------------------------------------------------


def test_electrodes_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    one, other = read(written(tmp_path, CURVE))
    assert (one.electrode, other.electrode) == ("Na/VN", "bare Na")
    assert one.columns["voltage_V"].tolist() == [-0.01, -0.02]


def test_without_a_column_the_file_names_the_electrode(tmp_path: Path) -> None:
    path = written(tmp_path, "time_h,voltage_V\n0,1\n")
    assert [one.electrode for one in read(path)] == ["cell 1"]
    assert [one.electrode for one in read(path, "Na/VN")] == ["Na/VN"]


@pytest.mark.parametrize(
    ("text", "hours", "milliamperes"),
    [
        ("time_h,voltage_V,current_mA\n2,1,3\n", 2.0, 3.0),
        ("time_s,voltage_V,current_A\n7200,1,0.003\n", 2.0, 3.0),
        ("time/s\tEwe/V\t<I>/mA\n7200\t1\t3\n", 2.0, 3.0),  # as EC-Lab exports it
        ("data_point;test_time;current;voltage\n1;7200;0.003;1\n", 2.0, 3.0),  # as cellpy does
        ("\ufefftime_h, voltage_V , current_mA\r\n2, 1, 3\r\n,,\r\n", 2.0, 3.0),
    ],
)
def test_units_and_names_of_other_programs(
    tmp_path: Path, text: str, hours: float, milliamperes: float
) -> None:
    (found,) = read(written(tmp_path, text))
    values = [found.columns[name][0] for name in ("time_h", "voltage_V", "current_mA")]
    assert values == pytest.approx([hours, 1.0, milliamperes])


def test_the_sign_of_the_imaginary_part(tmp_path: Path) -> None:
    path = written(tmp_path, "-Im(Z)/Ohm,Re(Z)/Ohm\n3,4\n")
    (found,) = read_series([path], [], (["Z_imag_ohm"], ["Z_real_ohm"]))
    assert (found.columns["Z_imag_ohm"][0], found.columns["Z_real_ohm"][0]) == (-3.0, 4.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column time_h is needed, found nothing"),
        ("time_h,U\n0,1\n", "column voltage_V is needed, found time_h, U"),
        ("time_h,voltage_V\n", "no data; allowed: at least one line below the names"),
        ("time_h,voltage_V\n0,1\n1,x\n", "line 3, column voltage_V: a number is needed, found 'x'"),
        ("time_h,voltage_V\n0,1\n1,nan\n", "line 3, column voltage_V: a number is needed, found"),
        ("time_h,voltage_V\n0,1_0\n", "line 2, column voltage_V: a number is needed, found '1_0'"),
        ("time_h,voltage_V\n0,1e999\n", "line 2, column voltage_V: a number is needed"),
        ("time_h,voltage_V\n0,-1e30\n", "line 2, column voltage_V: a number is needed"),
        ("time_h,voltage_V\n0\n", "line 2: 2 columns are needed, found 1"),
        ("time_h;voltage_V\n0;1,5\n", "line 2, column voltage_V: a number is needed, found '1,5'"),
        ("time_h,voltage_V,electrode\n0,1,\n", "column electrode: a name is needed in every line"),
        (b"\xff\xfe\x00", "not text in UTF-8; allowed: a CSV table or a Bio-Logic .mpr file"),
        ("time_h,voltage_V\n0,\"" + "9" * 200_000, "line 2: field larger than field limit"),
        ("time_h,voltage_V\n0,$(touch owned)\n", "line 2, column voltage_V: a number is needed"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(written(tmp_path, text)).startswith(message)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MAX_BYTES", 20)
    assert refusal(written(tmp_path, CURVE)).startswith("larger than 20 bytes")


def test_too_many_electrodes_are_another_column(tmp_path: Path) -> None:
    lines = "".join(f"0,1,cell {n}\n" for n in range(41))
    with pytest.raises(UserError, match="at most 40 names are allowed"):
        read(written(tmp_path, "time_h,voltage_V,electrode\n" + lines))


def test_one_value_for_all_files_or_one_for_each() -> None:
    paths = [Path("a"), Path("b")]
    assert for_each(["x"], paths, "--electrode") == ["x", "x"]
    assert for_each(["x", "y"], paths, "--electrode") == ["x", "y"]
    with pytest.raises(UserError, match="--electrode: found 3 values; allowed: one, or one for"):
        for_each(["x", "y", "z"], paths, "--electrode")


# ---- Bio-Logic ----------------------------------------------------------------------------------

Z = spectrum()
SPECTRUM = mpr({"freq/Hz": FREQUENCIES, "Re(Z)/Ohm": Z.real, "-Im(Z)/Ohm": -Z.imag})
CYCLE = mpr({"time/s": np.arange(5.0), "Ewe/V": -np.ones(5), "<I>/mA": np.full(5, -0.5)})


def test_a_spectrum_of_bio_logic(tmp_path: Path) -> None:
    pytest.importorskip("galvani", reason="needs the extra `measured`")
    needed = (["frequency_Hz"], ["Z_real_ohm"], ["Z_imag_ohm"])
    (found,) = read_series([written(tmp_path, SPECTRUM, "a.mpr")], [], needed)
    assert found.columns["frequency_Hz"] == pytest.approx(FREQUENCIES, rel=1e-6)
    measured = found.columns["Z_real_ohm"] + 1j * found.columns["Z_imag_ohm"]
    assert np.abs(measured - Z).max() < 1e-4


def test_cycles_of_bio_logic(tmp_path: Path) -> None:
    pytest.importorskip("galvani", reason="needs the extra `measured`")
    (found,) = read(written(tmp_path, CYCLE, "a.mpr"))
    assert found.columns["time_h"] == pytest.approx(np.arange(5.0) / 3600)
    assert found.columns["current_mA"].tolist() == [-0.5] * 5


def test_a_damaged_file_of_bio_logic_is_one_line_wherever_it_is_cut(tmp_path: Path) -> None:
    pytest.importorskip("galvani", reason="needs the extra `measured`")
    path = tmp_path / "a.mpr"
    for length in range(30, len(CYCLE), 7):
        path.write_bytes(CYCLE[:length])
        assert refusal(path)


def test_an_edited_file_of_bio_logic_is_one_line_or_read(tmp_path: Path) -> None:
    pytest.importorskip("galvani", reason="needs the extra `measured`")
    path, random = tmp_path / "a.mpr", np.random.default_rng(1)
    refused = 0
    for place in random.integers(30, len(CYCLE), 300):
        edited = bytearray(CYCLE)
        edited[place] = int(random.integers(256))
        path.write_bytes(bytes(edited))
        try:
            read(path)
        except UserError as error:
            refused += str(error).isprintable()
    assert refused > 100


def test_without_galvani_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("galvani"):
            raise ModuleNotFoundError(name)
        return found(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert refusal(written(tmp_path, CYCLE)) == (
        "Bio-Logic files need galvani, the extra `measured`; allowed: pip install "
        "'sodiophile[measured]', or in a checkout: make measured"
    )


def test_csv_text_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, csv_text({"time_h": [0.25], "voltage_V": [-1e-3]}))
    assert read(path)[0].columns["voltage_V"].tolist() == [-1e-3]
