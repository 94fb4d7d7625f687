"""Synthetic measurements of cells, from formulas with known answers: nothing here was measured."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.measured.circuit import impedance

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# R_s; then R in ohm, τ in s, and α of the SEI and of charge transfer
SERIES, SEI, CHARGE_TRANSFER = 5.0, (40.0, 1e-4, 0.9), (120.0, 0.05, 0.8)
FREQUENCIES = np.geomspace(1e5, 0.1, 43)
GAS_CONSTANT = 8.314462618  # J/(mol K)


def noisy(z: Complex, noise: float, seed: int = 3) -> Complex:
    """Add normal noise of a size relative to |Z| (root mean square of its modulus)."""
    random = np.random.default_rng(seed)
    parts = random.normal(size=(2, len(z)))
    made: Complex = z + noise * np.abs(z) * (parts[0] + 1j * parts[1]) / np.sqrt(2.0)
    return made


def spectrum(noise: float = 0.005, charge_transfer: float = 120.0, seed: int = 3) -> Complex:
    """Return the impedance in ohm at FREQUENCIES of the circuit above, with another R_ct."""
    z = impedance(FREQUENCIES, SERIES, [SEI, (charge_transfer, *CHARGE_TRANSFER[1:])])
    return noisy(z, noise, seed)


def resistance(temperature: float, energy: float, prefactor: float = 1e10) -> float:
    """Return R_ct in ohm of T/R_ct = A exp(-E_a/(R T)), E_a in kJ/mol."""
    return float(temperature * np.exp(1e3 * energy / (GAS_CONSTANT * temperature)) / prefactor)


def butler_volmer(eta: Real, exchange: float, transfer: float = 0.5) -> Real:
    """Return i in mA/cm^2 over η in V at 298.15 K, for one electron."""
    x = eta * 96485.33212 / (GAS_CONSTANT * 298.15)
    return exchange * (np.exp(transfer * x) - np.exp(-(1.0 - transfer) * x))


def dip(depth: float, plateau: float, noise: float = 0.0, seed: int = 1) -> tuple[Real, Real]:
    """Return hours and volts: 6 minutes of rest above zero, then 2 h of plating with a dip.

    The voltage falls to `plateau - depth` at 0.02 h, then rises to `plateau` (below zero).
    """
    hours = np.arange(0.0, 2.1, 0.001)
    t = hours - 0.1
    falling = (plateau - depth) * t / 0.02
    rising = plateau - depth * np.exp(-(t - 0.02) / 0.05)
    volts = np.where(t < 0.0, 0.05, np.where(t < 0.02, falling, rising))
    return hours, volts + noise * np.random.default_rng(seed).normal(size=len(hours))


def symmetric_cell(
    currents: Sequence[float], overpotential: float = 0.05, fails_after: int | None = None
) -> tuple[Real, Real, Real]:
    """Return hours, volts and mA of a cell: a cycle for each current (mA), 1 mAh each way.

    |V| is `overpotential` times the current over the first one; from half-cycle `fails_after` on
    (counted from 0) it is a tenth of that.
    """
    hours, volts, milliamperes = [], [], []
    start = 0.0
    for half, current in enumerate(
        c for pair in zip(currents, currents, strict=True) for c in pair
    ):
        sign = -1.0 if half % 2 == 0 else 1.0
        t = np.linspace(0.0, 1.0 / current, 60)
        size = overpotential * current / currents[0]
        if fails_after is not None and half >= fails_after:
            size *= 0.1
        hours.append(start + t)
        volts.append(sign * size * (1.0 + 0.05 * np.exp(-t)))
        milliamperes.append(np.full(60, sign * current))
        start += float(t[-1])
    return np.concatenate(hours), np.concatenate(volts), np.concatenate(milliamperes)


def full_cell(capacities: Sequence[float], currents: Sequence[float]) -> tuple[Real, Real, Real]:
    """Return hours, volts and mA: a cycle for each discharge capacity (mAh) and current (mA).

    Each charge takes 1 % more than the discharge gives; the voltage is that of a plateau at 3.4 V.
    """
    hours, volts, milliamperes = [], [], []
    start = 0.0
    for capacity, current in zip(capacities, currents, strict=True):
        for sign, passed in ((1.0, 1.01 * capacity), (-1.0, capacity)):
            x = np.linspace(0.0, 1.0, 80)
            hours.append(start + x * passed / current)
            volts.append(3.4 + sign * (0.02 + 0.02 * current + 0.5 * x**8 - 0.1 * np.exp(-30 * x)))
            milliamperes.append(np.full(80, sign * current))
            start = float(hours[-1][-1]) + 0.05
            # a rest of 3 minutes
            hours.append(start - np.array([0.04, 0.01]))
            volts.append(np.full(2, 3.4))
            milliamperes.append(np.zeros(2))
    return np.concatenate(hours), np.concatenate(volts), np.concatenate(milliamperes)


def csv_text(columns: Mapping[str, Iterable[object]]) -> str:
    """Return columns of equal length as CSV."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


# Identifiers of columns in Bio-Logic's files (galvani's table), and their types
MPR_COLUMNS = {"time/s": (4, "<f8"), "Ewe/V": (6, "<f4"), "<I>/mA": (11, "<f8"),
               "freq/Hz": (32, "<f4"), "Re(Z)/Ohm": (37, "<f4"),
               "-Im(Z)/Ohm": (38, "<f4")}  # fmt: skip


def mpr(columns: Mapping[str, Real]) -> bytes:
    """Return columns as a Bio-Logic .mpr file of version 2, with settings and data."""
    types = np.dtype([(name, MPR_COLUMNS[name][1]) for name in columns])
    records = np.empty(len(next(iter(columns.values()))), dtype=types)
    for name, values in columns.items():
        records[name] = values
    ids = b"".join(struct.pack("<H", MPR_COLUMNS[name][0]) for name in columns)
    head = struct.pack("<IB", len(records), len(columns)) + ids
    data = head.ljust(405, b"\0") + records.tobytes()
    magic = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + b"\0\0\0\0"
    return magic + _module(b"VMP Set   ", 0, b"\0" * 16) + _module(b"VMP data  ", 2, data)


def _module(name: bytes, version: int, content: bytes) -> bytes:
    head = name.ljust(10) + name.ljust(25) + struct.pack("<II", len(content), version) + b"11/25/26"
    return b"MODULE" + head + content


Cycled = tuple[Real, Real, Real]  # hours, volts, mA


def _of_a_cycler(cycled: Cycled) -> Iterable[tuple[int, float, float, float, int, int, str]]:
    """Yield point, s, V, mA, cycle, step (from 1 in each cycle) and 'C', 'D' or 'R' (rest)."""
    signs = np.sign(cycled[2])
    cycle, step, before, halves = 0, 0, 0.0, 0
    for n, (hours, volts, current, sign) in enumerate(zip(*cycled, signs, strict=True), 1):
        if sign != before or n == 1:
            halves += bool(sign)
            new = (halves + 1) // 2
            step = step + 1 if new == cycle else 1
            cycle, before = new, sign
        yield n, 3600 * hours, volts, current, cycle, step, {1: "C", -1: "D", 0: "R"}[int(sign)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{rest:06.3f}"


def neware(cycled: Cycled, capacities: Mapping[tuple[int, str], float], milli: bool = False) -> str:
    """Return cycles as a Neware file, with capacities in mAh by cycle and 'C' or 'D'.

    The file is in A and Ah, or in mA and mAh. The capacity of a step rises evenly to the one that
    is given, whatever the current is.
    """
    kinds = {"C": "CC Chg", "D": "CC DChg", "R": "Rest"}
    factor = 1e3 if milli else 1.0
    rows = [
        (n, cycle, step, kinds[state], _clock(seconds), _clock(seconds),
         factor * current / 1e3, volts, factor * size if state == "C" else 0.0,
         factor * size if state == "D" else 0.0, "2026-11-25 12:00:00")
        for n, seconds, volts, current, cycle, step, state, size in _counted(cycled, capacities)
    ]  # fmt: skip
    names = ("DataPoint", "Cycle Index", "Step Index", "Step Type", "Time", "Cumulative Time",
             "Current(A)", "Voltage(V)", "Chg. Cap.(Ah)", "DChg. Cap.(Ah)", "Date")  # fmt: skip
    text = csv_text(dict(zip(names, zip(*rows, strict=True), strict=True)))
    if milli:
        text = text.replace("(A)", "(mA)").replace("(Ah)", "(mAh)").replace("Cumulative", "Total")
    return text


def arbin(cycled: Cycled, capacities: Mapping[tuple[int, str], float]) -> str:
    """Return the same as a CSV file of Arbin, whose capacities stay where they are to the end."""
    rows, passed, last = [], {"C": 0.0, "D": 0.0}, {"C": 0.0, "D": 0.0}
    for n, seconds, volts, current, cycle, step, state, size in _counted(cycled, capacities):
        if state in passed:
            if size == 0.0:
                last[state] = passed[state]
            passed[state] = last[state] + size
        rows.append((n, "11/25/2026 12:00:00", seconds, seconds, cycle, step, current / 1e3,
                     volts, passed["C"], passed["D"]))  # fmt: skip
    names = ("Data_Point", "Date_Time", "Test_Time(s)", "Step_Time(s)", "Cycle_Index",
             "Step_Index", "Current(A)", "Voltage(V)", "Charge_Capacity(Ah)",
             "Discharge_Capacity(Ah)")  # fmt: skip
    return csv_text(dict(zip(names, zip(*rows, strict=True), strict=True)))


def pec(cycled: Cycled, capacities: Mapping[tuple[int, str], float]) -> str:
    """Return the same as a file of PEC, in mA, mV and mAh."""
    rows, kept, now = [], {"C": 0.0, "D": 0.0}, 0
    for _, seconds, volts, current, cycle, step, state, size in _counted(cycled, capacities):
        kept = kept if cycle == now else {"C": 0.0, "D": 0.0}
        now = cycle
        kept |= {state: size}
        rows.append((187, 1, 1, 1, 1, step, cycle, seconds, seconds, "2026-11-25 12:00:00",
                     "2026-11-25 12:00:00", 1e3 * volts, current, 1e3 * kept["C"],
                     1e3 * kept["D"], 0.0, 0.0))  # fmt: skip
    names = ("Test", "Cell", "Rack", "Shelf", "Position", "Step", "Cycle", "Total Time (Seconds)",
             "Step Time (Seconds)", "Real Time", "Position Start Time", "Voltage (mV)",
             "Current (mA)", "Charge Capacity (mAh)", "Discharge Capacity (mAh)",
             "Charge Capacity (mWh)", "Discharge Capacity (mWh)")  # fmt: skip
    head = "Test:,187\nStart Time:,11/25/2026 12:00\nEnd Time:,11/26/2026 12:00\n"
    return head + csv_text(dict(zip(names, zip(*rows, strict=True), strict=True)))


def _counted(
    cycled: Cycled, capacities: Mapping[tuple[int, str], float]
) -> Iterable[tuple[int, float, float, float, int, int, str, float]]:
    """Add to each point what has passed in its step, Ah."""
    points = list(_of_a_cycler(cycled))
    ends = {(cycle, step): n for n, *_, cycle, step, _ in points}
    starts = {(cycle, step): n for n, *_, cycle, step, _ in reversed(points)}
    for point in points:
        n, *_, cycle, step, state = point
        first, last = starts[cycle, step], ends[cycle, step]
        size = (n - first) / max(last - first, 1) * capacities.get((cycle, state), 0.0) / 1e3
        yield *point, size


def maccor(cycled: Cycled) -> str:
    """Return cycles as a Maccor file, whose currents have no sign; its capacities are zero."""
    names = ("Rec#", "Cyc#", "Step", "TestTime", "StepTime", "Amp-hr", "Watt-hr", "Amps", "Volts",
             "State", "ES", "DPt Time", "ACImp/Ohms", "DCIR/Ohms")  # fmt: skip
    lines = ["Today's Date:\t25 November 2026", "Filename:\tsynthetic", "Procedure:\tnone"]
    lines.append("\t".join(names))
    for n, seconds, volts, current, cycle, step, state in _of_a_cycler(cycled):
        days, rest = divmod(seconds, 86400)
        time = f"  {int(days)}d {_clock(rest)}"
        row = (n, cycle - 1, step, time, time, 0.0, 0.0, abs(current) / 1e3, volts, state, 1,
               "11/25/2026 12:00:00", 0.0, 0.0)  # fmt: skip
        lines.append("\t".join(map(str, row)))
    return "\n".join(lines) + "\n"
