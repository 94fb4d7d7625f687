"""Steps and cycles of a cell, by cellpy: capacities, efficiencies, mean currents and voltages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.measured.cycling import (
    RESTING,
    Curve,
    Cycle,
    HalfCycle,
    Signs,
    capacities,
    directions,
    number,
    since_start,
)
from workflows.measured.cellpy_library import new_cell, quiet
from workflows.measured.series import Column

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("charge", "discharge")


@dataclass(frozen=True, eq=False)
class Statistics:
    """What cellpy finds in a measurement.

    Attributes
    ----------
    halves
        All half-cycles, in the order of time.
    cycles
        Those with charge and discharge.
    points, steps
        cellpy's tables of points and of steps.
    """

    halves: tuple[HalfCycle, ...]
    cycles: tuple[Cycle, ...]
    points: pd.DataFrame
    steps: pd.DataFrame

    def curves(self, number: int) -> tuple[Curve, Curve]:
        """Return charge and discharge of a cycle."""
        charge, discharge = (self._curve(number, kind) for kind in KINDS)
        return charge, discharge

    def _curve(self, number: int, kind: str) -> Curve:
        steps = self.steps[(self.steps["cycle"] == number) & (_kinds(self.steps) == kind)]
        of_cycle = self.points[self.points["cycle_index"] == number]
        rows = of_cycle[of_cycle["step_index"].isin(steps["step"])]
        return Curve(rows[f"{kind}_capacity"].to_numpy(), rows["voltage"].to_numpy())


def statistics(columns: Mapping[str, Column]) -> Statistics:
    """Let cellpy make its tables of steps and of cycles, and take the half-cycles from them.

    Parameters
    ----------
    columns
        time_h, voltage_V and current_mA (positive: charge); from the file of a cycler also cycle,
        step, charge_mAh and discharge_mAh. Each has shape (n,).

    Raises
    ------
    ValueError
        The time falls, or no current flows.
    """
    signs = directions(columns["time_h"], columns["current_mA"])
    discharged_first = signs[signs != 0][0] < 0
    largest = float(np.abs(columns["current_mA"]).max())
    with quiet():
        cell = new_cell()
        cell.data.raw = _frame(columns, signs)
        cell.data.raw_units.update({"current": "mA", "charge": "mAh", "voltage": "V"})
        cell.nom_cap_specifics = "absolute"
        cell.cycle_mode = "anode" if discharged_first else "full_cell"
        least = {"current_hard": RESTING * largest, "stable_charge_hard": 1e-9}
        cell.make_step_table(override_raw_limits=least)
        cell.make_summary(find_end_voltage=False)
    halves = _half_cycles(cell.data.steps, cell.data.summary)
    efficiencies = cell.data.summary["coulombic_efficiency"] / 100.0
    cycles = [
        Cycle(n, halves[n, "charge"], halves[n, "discharge"], float(efficiencies[n]))
        for n in efficiencies.index.tolist()
        if all((n, kind) in halves for kind in KINDS)
    ]
    in_order = sorted(halves.values(), key=lambda half: half.start)
    return Statistics(tuple(in_order), tuple(cycles), cell.data.raw, cell.data.steps)


def _frame(columns: Mapping[str, Column], signs: Signs) -> pd.DataFrame:
    """Return a measurement as cellpy takes it; what the file does not count is counted here."""
    import pandas as pd

    time, current = columns["time_h"], columns["current_mA"]
    if "cycle" in columns:
        cycle, step = (columns[name].astype(np.int64) for name in ("cycle", "step"))
    else:
        cycle, step = number(signs)
    if "charge_mAh" in columns:
        # Arbin's may run on over all cycles; cellpy takes them as those of the cycle.
        charge, discharge = (
            since_start(columns[name], cycle) for name in ("charge_mAh", "discharge_mAh")
        )
    else:
        charge, discharge = capacities(time, current, signs, cycle)
    return pd.DataFrame(
        {
            "data_point": np.arange(1, len(time) + 1),
            "test_time": 3600.0 * time,
            "cycle_index": cycle,
            "step_index": step,
            "voltage": columns["voltage_V"],
            "current": current,
            "charge_capacity": charge,
            "discharge_capacity": discharge,
        }
    )


def _half_cycles(steps: pd.DataFrame, summary: pd.DataFrame) -> dict[tuple[int, str], HalfCycle]:
    """Return, by number of the cycle and kind, its steps with current as one half-cycle."""
    found = {}
    kinds = _kinds(steps)
    flowing = steps[kinds.isin(KINDS)]
    for (n, kind), rows in flowing.groupby(["cycle", kinds]):
        starts = rows["test_time_first"]
        seconds = (rows["test_time_last"] - starts).to_numpy()
        weights = seconds if seconds.any() else np.ones(len(rows))
        found[int(n), str(kind)] = HalfCycle(
            start=float(starts.min()) / 3600,
            current=float(np.average(rows["current_avr"], weights=weights)),
            capacity=float(summary.at[n, f"{kind}_capacity"]),
            voltage=float(np.average(rows["voltage_avr"], weights=weights)),
        )
    return found


def _kinds(steps: pd.DataFrame) -> pd.Series[str]:
    """Return each step's type, the same whether at constant current or at constant voltage."""
    return steps["type"].str.removeprefix("cv_")
