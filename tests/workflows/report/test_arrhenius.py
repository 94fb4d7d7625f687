"""Measured resistances from a file to activation energies, in files and in words."""

import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.campaign.directory import RESISTANCES
from workflows.report.arrhenius import MAX_BYTES, fit_file, measured_fits, read_fits
from workflows.system.messages import UserError

KELVIN = (283.15, 293.15, 303.15, 313.15, 323.15)
HEAD = "temperature_K,R_ct_ohm,electrode\n"


def table(**electrodes: float) -> str:
    """Return a table of exact resistances for activation energies in kJ/mol."""
    lines = [
        f"{t},{t * math.exp(energy * 1000.0 / (8.314462618 * t)) / 1e10!r},{name}\n"
        for name, energy in electrodes.items()
        for t in KELVIN
    ]
    return HEAD + "".join(lines)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(table(first=61.42, second=72.96))
    return path


@pytest.fixture
def _no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figure out: it takes seconds, and is drawn in a test of its own."""
    monkeypatch.setattr("workflows.report.arrhenius.save", lambda _, into, name: [into / name])


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as refused:
        read_fits(path)
    line = str(refused.value)
    assert line.isprintable()
    assert len(line) < 600
    return line


# ---- what comes out -----------------------------------------------------------------------------


def test_activation_energies_come_back(data: Path) -> None:
    energies = {name: fit.activation_energy for name, fit in read_fits(data).items()}
    assert energies == pytest.approx({"first": 61.42, "second": 72.96}, rel=1e-9)


@pytest.mark.usefixtures("_no_figure")
def test_energies_are_told(data: Path, tmp_path: Path) -> None:
    lines = list(fit_file(data, tmp_path / "out"))
    assert lines[0] == "first: E_a = 61.42 ± 0.00 kJ/mol"


@pytest.mark.usefixtures("_no_figure")
def test_published_energy_is_told_beside(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(table(**{"Na/VN": 60.0}))
    line = next(fit_file(path, tmp_path / "out"))
    assert line == "Na/VN: E_a = 60.00 ± 0.00 kJ/mol; published 61.42 kJ/mol"


@pytest.mark.usefixtures("_no_figure")
def test_energies_are_written(data: Path, tmp_path: Path) -> None:
    list(fit_file(data, tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "arrhenius.json").read_text())
    assert found["second"]["activation_energy_kJ_per_mol"] == pytest.approx(72.96)


@pytest.mark.usefixtures("_no_figure")
def test_prefactor_is_written(data: Path, tmp_path: Path) -> None:
    list(fit_file(data, tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "arrhenius.json").read_text())
    assert found["first"]["log_prefactor_K_per_ohm"] == pytest.approx(10 * math.log(10))


@pytest.mark.usefixtures("_no_figure")
def test_two_points_have_no_uncertainty(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("".join(table(a=50.0).splitlines(keepends=True)[:3]))
    line = next(fit_file(path, tmp_path))
    assert line == "a: E_a = 50.00 (two points: no uncertainty) kJ/mol"
    found = json.loads((tmp_path / "arrhenius.json").read_text())
    assert found["a"]["activation_energy_error_kJ_per_mol"] is None


@pytest.mark.usefixtures("_no_figure")
def test_data_are_kept_for_a_run_in_the_same_directory(data: Path, tmp_path: Path) -> None:
    list(fit_file(data, tmp_path / "out"))
    fits = measured_fits(tmp_path / "out")
    assert fits.keys() == {"first", "second"}


def test_directory_without_data_has_no_fits(tmp_path: Path) -> None:
    assert measured_fits(tmp_path) == {}


@pytest.mark.usefixtures("_no_figure")
def test_other_data_are_set_aside(data: Path, tmp_path: Path) -> None:
    (tmp_path / RESISTANCES).write_text("mine")
    list(fit_file(data, tmp_path))
    assert (tmp_path / f"{RESISTANCES}.before-1").read_text() == "mine"


@pytest.mark.usefixtures("_no_figure")
def test_fitting_the_kept_data_again_changes_nothing(data: Path, tmp_path: Path) -> None:
    into = tmp_path / "out"
    list(fit_file(data, into))
    before = {path.name: path.read_bytes() for path in into.iterdir()}
    list(fit_file(into / RESISTANCES, into))
    assert {path.name: path.read_bytes() for path in into.iterdir()} == before


@pytest.mark.usefixtures("_no_figure")
def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(table(**{"\x1b[31mred": 50.0}))
    assert next(fit_file(path, tmp_path)).startswith(r"'\x1b[31mred': E_a = 50.00")


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "line 1: column temperature_K is needed once, found nothing"),
        ("a,b,c\n1,2,3\n", "line 1: column temperature_K is needed once, found a, b, c"),
        (HEAD, "table has no data"),
        (HEAD + "300,1\n", "line 2: 3 columns are needed, found 2"),
        (HEAD + "300,x,a\n", "line 2, column R_ct_ohm: a positive number is needed, found 'x'"),
        (HEAD + "300,-1,a\n", "line 2, column R_ct_ohm: a positive number is needed, found '-1'"),
        (HEAD + "300,nan,a\n", "line 2, column R_ct_ohm: a positive number is needed, found 'nan'"),
        (HEAD + "inf,1,a\n", "line 2, column temperature_K: a positive number is needed"),
        (HEAD + "300,1,\n", "line 2, column electrode: a name is needed, found nothing"),
        (HEAD + "300,1,a\n", "electrode 'a': temperatures [300.0] K: two or more different"),
        (HEAD + "300,1,a\n300,2,a\n", "electrode 'a': temperatures [300.0, 300.0] K: two or more"),
        (HEAD + "25,1,a\n35,2,a\n", "electrode 'a': temperature 25 is below 150: kelvin is"),
        (HEAD + "1e200,1,a\n1e201,2,a\n", "electrode 'a': no line can be drawn through these"),
        (HEAD + "300,1e-320,a\n310,2,a\n", "electrode 'a': no line can be drawn through these"),
        (HEAD + "x" * 200_000, "field larger than field limit"),
        (HEAD + f"{'9' * 100_000},1,a\n", "line 2, column temperature_K: a positive number is"),
    ],
)
def test_wrong_table_is_refused(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text)
    assert refusal(path).startswith(f"{path}: {line}")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"PK\x03\x04\x80", b"\x89PNG\r\n"])
def test_binary_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.xlsx"
    path.write_bytes(content)
    assert refusal(path).endswith("data.xlsx: not text in UTF-8; allowed: a CSV file")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    line = refusal(tmp_path / "a.csv")
    assert line.endswith("a.csv: no such file; allowed: a CSV file of measured resistances")


@pytest.mark.parametrize("path", ["/", "/dev/zero"])
def test_what_is_not_a_file_is_refused(path: str) -> None:
    assert refusal(Path(path)).startswith(f"{path}: not a file; allowed: a CSV file")


def test_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger than" in refusal(path)


def test_file_name_stays_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"new\nline\xff.csv")
    path.write_text("")
    assert r"new\nline\udcff.csv': line 1" in refusal(path)


def test_nothing_is_written_for_a_wrong_table(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("wrong")
    with pytest.raises(UserError):
        list(fit_file(path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_file_is_no_directory(data: Path) -> None:
    with pytest.raises(UserError, match=r"data\.csv: not a directory; allowed: "):
        list(fit_file(data, data))


CELLS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.text(max_size=5),
    st.sampled_from(["300", "310", "1", "1e308", "1e-320", "a", '"', "'", "\x00", "\r", "\u2028"]),
)


@settings(
    max_examples=int(os.environ.get("SODIOPHILE_FUZZ", "300")),
    derandomize=True,
    database=None,
    deadline=None,
)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4).map(",".join), max_size=6).map("\n".join))
def test_any_table_is_fitted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((HEAD + text).encode("utf-8", errors="surrogatepass"))
    energies, line = [0.0], str(path)
    try:
        energies = [fit.activation_energy for fit in read_fits(path).values()]
    except UserError as error:
        line = str(error)
    assert all(map(math.isfinite, energies))
    assert line.startswith(str(path))
    assert line.isprintable()
