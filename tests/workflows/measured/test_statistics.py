"""Steps and cycles by cellpy, of synthetic cells with known answers."""

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.paths import ROOT
from tests.synthetic_cells import csv_text, full_cell, symmetric_cell
from workflows.measured.cellpy_library import new_cell, quiet
from workflows.measured.statistics import Statistics, statistics

pytest.importorskip("cellpy", reason="needs the extra `measured`")


def found_in(hours: np.ndarray, volts: np.ndarray, current: np.ndarray) -> Statistics:
    return statistics({"time_h": hours, "voltage_V": volts, "current_mA": current})


def test_capacities_and_efficiency_of_a_full_cell() -> None:
    found = found_in(*full_cell([0.10, 0.09, 0.08], [0.5, 0.5, 0.5])).cycles
    assert [c.number for c in found] == [1, 2, 3]
    assert [c.discharge.capacity for c in found] == pytest.approx([0.10, 0.09, 0.08])
    assert [c.charge.capacity for c in found] == pytest.approx([0.101, 0.0909, 0.0808])
    assert [c.efficiency for c in found] == pytest.approx([1 / 1.01] * 3)


def test_efficiency_is_what_the_second_half_returns() -> None:
    hours, volts, current = full_cell([0.10, 0.09], [0.5, 0.5])
    found = found_in(hours, -volts, -current).cycles  # discharged first
    assert [c.efficiency for c in found] == pytest.approx([1 / 1.01] * 2)


def test_half_cycles_of_a_symmetric_cell() -> None:
    found = found_in(*symmetric_cell([0.5, 0.5, 2.0], overpotential=0.03))
    assert [h.start for h in found.halves] == pytest.approx([0.0, 2.0, 4.0, 6.0, 8.0, 8.5])
    assert [h.current for h in found.halves] == pytest.approx([-0.5, 0.5, -0.5, 0.5, -2.0, 2.0])
    assert [c.polarization for c in found.cycles] == pytest.approx([0.03, 0.03, 0.12], rel=0.05)
    assert [c.discharge.capacity for c in found.cycles] == pytest.approx([1.0] * 3)


def test_small_currents_and_capacities_are_not_taken_for_rests() -> None:
    hours, volts, current = symmetric_cell([0.5] * 3)
    found = found_in(hours, volts, 1e-6 * current).cycles
    assert [c.charge.capacity for c in found] == pytest.approx([1e-6] * 3)


def test_half_a_cycle_at_the_end_is_a_half_cycle_but_no_cycle() -> None:
    hours, volts, current = symmetric_cell([0.5] * 3)
    found = found_in(hours[:-60], volts[:-60], current[:-60])
    assert (len(found.halves), len(found.cycles)) == (5, 2)


def test_curves_begin_at_zero_and_end_at_the_capacity() -> None:
    charge, discharge = found_in(*full_cell([0.10, 0.09], [0.5, 0.5])).curves(2)
    assert (charge.capacities[0], discharge.capacities[0]) == (0.0, 0.0)
    assert charge.capacities[-1] == pytest.approx(0.0909)
    assert discharge.capacities[-1] == pytest.approx(0.09)
    assert len(discharge.voltages) == 80
    assert discharge.voltages[-1] < 3.0 < charge.voltages[-1]


def test_what_the_cycler_counted_is_taken() -> None:
    hours, volts, current = symmetric_cell([0.5] * 2)
    half = np.repeat(np.arange(4), 60)
    rising = np.tile(np.linspace(0.0, 1.0, 60), 4)
    charge = np.asarray(0.8 * (half // 2 + rising * (half % 2)), dtype=np.float64)  # runs on
    discharge = np.where(half % 2, 0.9, 0.9 * rising).astype(np.float64)  # begins anew
    columns = {
        "time_h": hours,
        "voltage_V": volts,
        "current_mA": current,
        "cycle": (7 + half // 2).astype(np.float64),
        "step": (1 + half % 2).astype(np.float64),
        "charge_mAh": charge,
        "discharge_mAh": discharge,
    }
    found = statistics(columns)
    assert [c.number for c in found.cycles] == [7, 8]
    assert [c.efficiency for c in found.cycles] == pytest.approx([8 / 9] * 2)


ALONE = """
import os, socket, sys

def refuse(*arguments):
    raise AssertionError("a connection")

socket.socket.connect = socket.socket.connect_ex = refuse
import workflows.measured.cycling
from workflows.cli import main

workflows.measured.cycling.save = lambda figure, into, name: [into / name]
assert main(["cycling", "a.csv", "--into", "out"]) == 0
assert "FROM_A_FILE" not in os.environ
"""


def test_cellpy_reads_and_writes_nothing_in_the_home_or_working_directory(tmp_path: Path) -> None:
    """It reads settings when it is imported, so that this needs a process of its own."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (home / ".cellpy_prms_me.conf").write_text("no: [settings")
    (work / ".env_cellpy").write_text("FROM_A_FILE=1\n")
    hours, volts, current = symmetric_cell([0.5] * 2)
    columns = {"time_h": hours, "voltage_V": volts, "current_mA": current}
    (work / "a.csv").write_text(csv_text(columns))
    made = {"HOME": str(home), "MPLCONFIGDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=work, env=os.environ | made, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a: symmetric cell, 2 cycles")
    assert [path.name for path in home.iterdir()] == [".cellpy_prms_me.conf"]
    assert {path.name for path in work.iterdir()} == {".env_cellpy", "a.csv", "out"}


def test_logs_and_warnings_of_the_program_are_as_before(
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), logging.root.manager.disable)
    with quiet():
        logging.critical("not printed")
        warnings.warn("not raised", stacklevel=1)
        assert new_cell() is not None
        subprocess.run([sys.executable, "-c", "import sys; print(1, file=sys.stderr)"], check=True)
    assert capfd.readouterr().err == ""
    assert (list(root.handlers), logging.root.manager.disable) == before
