"""`eis`, `tafel`, `plating` and `cycling` from the command line: synthetic data, known answers."""

import csv
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic_cells import (
    FREQUENCIES,
    Cycled,
    arbin,
    butler_volmer,
    csv_text,
    dip,
    full_cell,
    maccor,
    mpr,
    neware,
    pec,
    resistance,
    spectrum,
    symmetric_cell,
)
from workflows.cli import main
from workflows.measured import cellpy_library

TEMPERATURES = (293.15, 303.15, 313.15)


@pytest.fixture
def _no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out: they take seconds, and are drawn in tests of their own."""
    for module in ("eis", "tafel", "plating", "cycling"):
        target = f"workflows.measured.{module}.save"
        monkeypatch.setattr(target, lambda _, into, name: [into / name])
    monkeypatch.setattr("workflows.report.arrhenius.save", lambda _, into, name: [into / name])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main([*arguments, "--into", "out"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line of a refusal; nothing was written."""
    try:
        code: object = main([*arguments, "--into", "out"])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert not Path("out").exists()
    return err.removesuffix("\n")


def table(name: str) -> list[dict[str, str]]:
    with Path("out", name).open(newline="") as file:
        return list(csv.DictReader(file))


def spectra(temperatures: tuple[float, ...] = TEMPERATURES, energy: float = 61.0) -> str:
    """Return spectra of an electrode with this activation energy, kJ/mol."""
    found = [spectrum(0.003, resistance(t, energy), seed=int(t)) for t in temperatures]
    z = np.concatenate(found)
    return csv_text(
        {
            "frequency_Hz": np.tile(FREQUENCIES, len(temperatures)),
            "Z_real_ohm": z.real,
            "Z_imag_ohm": z.imag,
            "temperature_K": np.repeat(temperatures, len(FREQUENCIES)),
            "electrode": ["Na/VN"] * len(z),
        }
    )


# ---- eis ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_figure")
def test_spectra_give_resistances_and_the_activation_energy(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("eis.csv").write_text(spectra())
    lines = printed(capsys, "eis", "eis.csv")
    rows = table("impedance.csv")
    for row, temperature in zip(rows, TEMPERATURES, strict=True):
        assert float(row["temperature_K"]) == temperature
        error = float(row["R_ct_error_ohm"])
        assert abs(float(row["R_ct_ohm"]) - resistance(temperature, 61.0)) < 4 * error
        assert float(row["R_SEI_ohm"]) == pytest.approx(40.0, rel=0.05)
    (energy,) = [line for line in lines if "E_a" in line]
    assert energy.startswith("Na/VN: E_a = 61.0")
    assert energy.endswith("published 61.42 kJ/mol")


@pytest.mark.usefixtures("_no_figure")
def test_arrhenius_takes_the_table_that_eis_writes(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("eis.csv").write_text(spectra())
    lines = printed(capsys, "eis", "eis.csv")
    again = printed(capsys, "arrhenius", "out/arrhenius.csv")
    assert again[0] in lines


@pytest.mark.usefixtures("_no_figure")
def test_a_file_for_each_temperature(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for t in TEMPERATURES:
        text = spectra((t,)).replace("temperature_K", "note").replace("electrode", "cell")
        Path(f"{t}.csv").write_text(text)
    lines = printed(
        capsys, "eis", *(f"{t}.csv" for t in TEMPERATURES),
        "--temperature", ",".join(map(str, TEMPERATURES)), "--electrode", "Na/VN",
    )  # fmt: skip
    assert any(line.startswith("Na/VN: E_a = 61.0") for line in lines)


@pytest.mark.usefixtures("_no_figure")
def test_a_single_temperature_gives_no_activation_energy(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("eis.csv").write_text(spectra((303.15,)))
    assert printed(capsys, "eis", "eis.csv")[-1].startswith("no activation energy: R_ct at two")
    assert not Path("out/arrhenius.csv").exists()


@pytest.mark.usefixtures("_no_figure")
def test_resistances_that_are_not_determined_do_not_enter_the_activation_energy(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("eis.csv").write_text(spectra())
    lines = printed(capsys, "eis", "eis.csv", "--frequencies", "2000,100000")
    assert any("was not measured: R_ct is extrapolated" in line for line in lines)
    assert lines[-1].startswith("no activation energy")


@pytest.mark.usefixtures("_no_figure")
def test_frequencies_are_limited(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("eis.csv").write_text(spectra((303.15,)))
    printed(capsys, "eis", "eis.csv", "--frequencies", "1,10000")
    (row,) = table("impedance.csv")
    assert float(row["from_Hz"]) >= 1.0
    assert float(row["to_Hz"]) <= 10000.0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.csv"], "nowhere.csv: no such file; allowed: a CSV table or a Bio-Logic .mpr"),
        (["eis.csv", "--temperature", "25"], "eis.csv: found a temperature of 25; allowed: kelvin"),
        (["eis.csv", "--temperature", "0"], "sodiophile eis: argument --temperature: found '0'"),
        (
            ["eis.csv", "--frequencies", "5,1"],
            "sodiophile eis: argument --frequencies: found '5,1'",
        ),
        (["eis.csv", "--frequencies", "1,2"], "eis.csv: eis: found "),
        (
            ["eis.csv", "--electrode", "a,b"],
            "--electrode: found 2 values; allowed: one, or one for",
        ),
        (["tafel.csv"], "tafel.csv: column frequency_Hz is needed, found overpotential_V"),
    ],
)
def test_what_is_no_spectrum_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    text = spectra((303.15,)).replace("temperature_K", "note").replace("electrode", "cell")
    Path("eis.csv").write_text(text)
    Path("tafel.csv").write_text("overpotential_V,current_mA\n1,1\n")
    assert refused(capsys, "eis", *arguments).startswith(line)


def test_a_file_in_place_of_the_directory_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("plating.csv").write_text(plating())
    Path("out").touch()
    assert main(["plating", "plating.csv", "--into", "out"]) == 2
    assert capsys.readouterr().err.startswith("out: not a directory; allowed: ")


# ---- tafel --------------------------------------------------------------------------------------

ETA = np.linspace(-0.25, 0.25, 201)


@pytest.mark.usefixtures("_no_figure")
def test_exchange_current_density(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    current = butler_volmer(ETA, 0.2)
    columns = {"overpotential_V": ETA, "current_density_mA_per_cm2": current}
    Path("a.csv").write_text(csv_text(columns))
    lines = printed(capsys, "tafel", "a.csv", "--electrode", "bare Na")
    assert lines[0].startswith("bare Na, cathodic: i_0 = 0.19")
    assert lines[0].endswith(
        "from 100 to 200 mV); published 0.068 mA/cm² (Nanoscale Horiz., 2022, 7, 899)"
    )
    for row in table("tafel.csv"):
        assert float(row["i0_mA_per_cm2"]) == pytest.approx(0.2, rel=0.05)
        assert float(row["i0_with_reverse_reaction_mA_per_cm2"]) == pytest.approx(0.2, rel=1e-5)


@pytest.mark.usefixtures("_no_figure")
def test_currents_are_divided_by_the_area(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    current = 1.13 * butler_volmer(ETA, 0.2)
    Path("a.csv").write_text(csv_text({"voltage_V": ETA + 0.4, "current_mA": current}))
    printed(capsys, "tafel", "a.csv", "--area", "1.13")
    assert float(table("tafel.csv")[0]["i0_mA_per_cm2"]) == pytest.approx(0.2, rel=0.05)


def test_currents_without_an_area_are_refused(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.csv").write_text(csv_text({"overpotential_V": ETA, "current_mA": ETA}))
    line = refused(capsys, "tafel", "a.csv")
    assert line.startswith("a.csv: found currents without an area; allowed: --area CM2, or a")


def test_an_empty_window_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {"overpotential_V": ETA, "current_density_mA_per_cm2": ETA}
    Path("a.csv").write_text(csv_text(columns))
    line = refused(capsys, "tafel", "a.csv", "--window", "0.3,0.4")
    assert line.startswith("a.csv: a: found 0 cathodic and 0 anodic points from 300 to 400 mV; ")


# ---- plating ------------------------------------------------------------------------------------


def plating(depth: float = 0.030, plateau: float = -0.020) -> str:
    hours, volts = dip(depth, plateau)
    return csv_text({"time_h": hours, "voltage_V": volts})


@pytest.mark.usefixtures("_no_figure")
def test_nucleation_overpotential(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text(plating())
    (line, _) = printed(capsys, "plating", "a.csv", "--electrode", "Na/VN")
    assert line.startswith("Na/VN: nucleation overpotential 30.0 ± 0.0 mV (minimum -50.0 mV at ")
    assert line.endswith("; published 36 mV (Nanoscale Horiz., 2022, 7, 899)")
    (row,) = table("plating.csv")
    assert float(row["nucleation_overpotential_mV"]) == pytest.approx(30.0, abs=0.1)


def test_the_same_electrode_twice_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.csv").write_text(plating())
    line = refused(capsys, "plating", "a.csv", "a.csv")
    assert line.startswith("a.csv: a: found a second time; allowed: each electrode once")


def test_no_plating_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("time_h,voltage_V\n0,0.1\n1,0.1\n")
    assert refused(capsys, "plating", "a.csv").startswith("a.csv: a: found no negative voltage")


# ---- cycling ------------------------------------------------------------------------------------

needs_cellpy = pytest.mark.skipif(
    find_spec("cellpy") is None, reason="needs the extra `measured`: make measured"
)


def cycled(hours: np.ndarray, volts: np.ndarray, current: np.ndarray) -> str:
    return csv_text({"time_h": hours, "voltage_V": volts, "current_mA": current})


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_the_hour_when_a_symmetric_cell_fails(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.csv").write_text(cycled(*symmetric_cell([0.5] * 20)))
    Path("bad.csv").write_text(cycled(*symmetric_cell([0.5] * 20, fails_after=15)))
    good, bad, _ = printed(capsys, "cycling", "good.csv", "bad.csv")
    assert good == "good: symmetric cell, 20 cycles; no failure in 80 h"
    assert bad.startswith("bad: symmetric cell, 20 cycles; fails at 30 h (short circuit: 0.1 ")


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_capacity_and_retention_by_mass(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text(cycled(*full_cell([0.10, 0.098, 0.096], [0.5] * 3)))
    (line, _) = printed(capsys, "cycling", "a.csv", "--mass", "1")
    assert line.endswith("discharge capacity 96 mAh/g in the last one, 96.0 % of that of cycle 1")
    rows = table("cycles.csv")
    found = [float(row["discharge_capacity_mAh_per_g"]) for row in rows]
    assert found == pytest.approx([100.0, 98.0, 96.0])
    assert float(rows[-1]["efficiency_percent"]) == pytest.approx(100 / 1.01, abs=1e-3)


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_what_cellpy_exports_gives_the_same_capacities(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours, volts, current = full_cell([0.10, 0.098], [0.5] * 2)
    columns = {  # s, A and V, with more columns than are needed, divided by semicolons
        "data_point": np.arange(1, len(hours) + 1), "test_time": 3600 * hours,
        "step_index": np.ones(len(hours), dtype=int), "current": current / 1e3, "voltage": volts,
    }  # fmt: skip
    Path("cell_normal.csv").write_text(csv_text(columns).replace(",", ";"))
    printed(capsys, "cycling", "cell_normal.csv")
    found = [float(row["discharge_capacity_mAh"]) for row in table("cycles.csv")]
    assert found == pytest.approx([0.10, 0.098])


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_rate_steps_by_area(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text(cycled(*symmetric_cell([0.5] * 3 + [1.0] * 3)))
    lines = printed(capsys, "cycling", "a.csv", "--area", "2")
    assert lines[1].startswith("a: cycles 1-3 at 0.25 mA/cm²: 0.5 mAh/cm², polarization ")
    assert [row["current_mA_per_cm2"] for row in table("rates.csv")] == ["0.25", "0.5"]


@needs_cellpy
def test_half_a_cycle_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("time_h,voltage_V,current_mA\n0,1,1\n1,1,1\n")
    assert refused(capsys, "cycling", "a.csv").startswith("a.csv: a: found no whole cycle; allowed")


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_retention_refers_to_another_cycle(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text(cycled(*full_cell([0.10, 0.08, 0.06], [0.5] * 3)))
    (line, _) = printed(capsys, "cycling", "a.csv", "--reference", "2")
    assert line.endswith(", 75.0 % of that of cycle 2")
    assert [row["retention_percent"] for row in table("cycles.csv")] == [
        "125.000000", "100.000000", "75.000000",
    ]  # fmt: skip


@needs_cellpy
def test_a_reference_that_was_not_measured_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.csv").write_text(cycled(*full_cell([0.10, 0.08], [0.5] * 2)))
    line = refused(capsys, "cycling", "a.csv", "--reference", "3")
    assert line.startswith("a.csv: a: found reference cycle 3; allowed: 1 to 2")


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
def test_cycles_of_bio_logic(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("galvani", reason="needs the extra `measured`")
    hours, volts, current = full_cell([0.10, 0.09], [0.5] * 2)
    columns = {"time/s": 3600 * hours, "Ewe/V": volts, "<I>/mA": current}
    Path("a.mpr").write_bytes(mpr(columns))
    printed(capsys, "cycling", "a.mpr")
    found = [float(row["discharge_capacity_mAh"]) for row in table("cycles.csv")]
    assert found == pytest.approx([0.10, 0.09])


CELL = full_cell([0.10, 0.09], [0.5] * 2)
COUNTED = {(1, "C"): 0.2, (1, "D"): 0.16, (2, "C"): 0.16, (2, "D"): 0.12}


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
@pytest.mark.parametrize(
    ("cycler", "written"),
    [
        ("neware", neware(CELL, COUNTED)),
        ("neware-mA", neware(CELL, COUNTED, milli=True)),
        ("arbin-csv", arbin(CELL, COUNTED)),
        ("arbin-csv", arbin(CELL, COUNTED).replace(",", ";")),
        ("pec", pec(CELL, COUNTED)),
    ],
)
def test_a_cycler_counts_its_own_capacities(
    desk: Path, capsys: pytest.CaptureFixture[str], cycler: str, written: str
) -> None:
    Path("a.csv").write_text(written)
    (line, _) = printed(capsys, "cycling", "a.csv", "--cycler", cycler)
    assert line.startswith("a: full cell, 2 cycles; discharge capacity 0.12 mAh in the last one")
    rows = table("cycles.csv")
    assert [float(row["charge_capacity_mAh"]) for row in rows] == pytest.approx([0.2, 0.16])
    assert [float(row["efficiency_percent"]) for row in rows] == pytest.approx([80.0, 75.0])
    assert [float(row["current_mA"]) for row in rows] == pytest.approx([0.5, 0.5])
    assert float(rows[1]["start_h"]) == pytest.approx(CELL[0][164], abs=1e-5)


@needs_cellpy
@pytest.mark.usefixtures("_no_figure")
@pytest.mark.parametrize("cell", [CELL, symmetric_cell([0.5] * 3)])
def test_maccor_gives_the_same_as_csv(
    desk: Path, capsys: pytest.CaptureFixture[str], cell: Cycled
) -> None:
    Path("a.txt").write_text(maccor(cell), encoding="latin-1")
    Path("b.csv").write_text(cycled(*cell))
    printed(capsys, "cycling", "a.txt", "b.csv", "--cycler", "maccor,csv")
    rows = [list(row.values()) for row in table("cycles.csv")]
    theirs, ours = ([row[1:] for row in rows if row[0] == name] for name in "ab")
    assert len(ours) >= 2
    for row, other in zip(theirs, ours, strict=True):
        assert list(map(float, row)) == pytest.approx(list(map(float, other)), rel=1e-4)


@needs_cellpy
@pytest.mark.parametrize("cycler", ["neware", "maccor", "pec", "arbin-csv"])
def test_a_file_of_another_kind_is_one_line(
    desk: Path, capsys: pytest.CaptureFixture[str], cycler: str
) -> None:
    Path("a.csv").write_text(cycled(*CELL))
    line = refused(capsys, "cycling", "a.csv", "--cycler", cycler)
    assert line.startswith(f"a.csv: cellpy cannot read it as --cycler {cycler} (")


@needs_cellpy
def test_a_damaged_file_of_a_cycler_is_one_line_or_read(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = neware(CELL, COUNTED)
    start = text.index("2026", len(text) // 2)  # a date in the middle
    damaged = (
        text[:300],
        text.replace("0.5", "x", 3).replace("3.4", "inf", 1),
        text[:start] + "$(touch owned)" + text[start + 19 :],
        "\0" + text,
    )
    for n, content in enumerate(damaged):
        Path(f"{n}.csv").write_text(content)
        refused(capsys, "cycling", f"{n}.csv", "--cycler", "neware")
    assert not Path("owned").exists()


@needs_cellpy
def test_arbin_without_mdbtools_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.measured.cyclers.shutil.which", lambda _: None)
    Path("a.res").write_bytes(b"\0")
    line = refused(capsys, "cycling", "a.res", "--cycler", "arbin-res")
    assert line == "a.res: Arbin's .res files need mdb-export (the package mdbtools)"


def test_an_unknown_cycler_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "cycling", "a.h5", "--cycler", "arbin-h5")
    assert "argument --cycler: found 'arbin-h5'; allowed: csv, arbin-res," in line


def test_without_cellpy_the_commands_that_install_it_are_the_answer(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cellpy_library, "version", missing)
    line = refused(capsys, "cycling", "a.csv")
    assert "pip install 'sodiophile[measured]'" in line
    assert "make measured" in line


def test_another_cellpy_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellpy_library, "version", lambda _: "2.1.0")
    assert refused(capsys, "cycling", "a.csv").startswith("found cellpy 2.1.0, but 1.0.2 is needed")


def test_area_and_mass_together_are_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "cycling", "a.csv", "--area", "1", "--mass", "1")
    assert "argument --mass: not allowed with argument --area" in line


# ---- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "text", "stem"),
    [
        ("eis", spectra((303.15,)), "eis-na-vn"),
        ("plating", plating(), "plating"),
        (
            "tafel",
            csv_text({"overpotential_V": ETA, "current_density_mA_per_cm2": butler_volmer(ETA, 1)}),
            "tafel",
        ),
        pytest.param(
            "cycling", cycled(*symmetric_cell([0.5] * 3 + [1.0] * 3)), "cycling-symmetric",
            marks=needs_cellpy,
        ),
        pytest.param(
            "cycling", cycled(*full_cell([0.1] * 3, [0.5] * 3)), "cycling-full",
            marks=needs_cellpy,
        ),
    ],
)  # fmt: skip
def test_figures_are_written(
    desk: Path, capsys: pytest.CaptureFixture[str], verb: str, text: str, stem: str
) -> None:
    Path("a$x^$.csv").write_text(text)  # no formula, and must not be read as one
    lines = printed(capsys, verb, "a$x^$.csv")
    assert f"figure: out/figures/{stem}.png" in lines
    for suffix in ("png", "pdf", "svg"):
        assert Path(f"out/figures/{stem}.{suffix}").stat().st_size > 5_000
