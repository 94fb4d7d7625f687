"""A case's results with the energies of its single points in the place of the relaxations' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from workflows.report.results import Results
from workflows.tasks.graph import WITH_ENERGY, Task
from workflows.tasks.records import SinglePointValues, Values
from workflows.tasks.status import State


def final_results(results: Results) -> Results:
    """Return the results whose energies count: refined where the case has [refine]."""
    return results if results.case.refine is None else refined_results(results)


def refined_results(results: Results) -> Results:
    """Return a case's results as if all of it had been computed with the settings of [refine].

    Structures and all that is read from them stay; each total energy (eV) is that of the single
    point. A task whose single point is missing counts as not done, so that no energies of
    different settings meet.

    Parameters
    ----------
    results
        Of a case with [refine].
    """
    return Results(dict(_refined_states(results)), results.case.refined)


def _refined_states(results: Results) -> Iterator[tuple[str, State]]:
    for name, state in results.states.items():
        if state.task.kind in WITH_ENERGY:
            single_point = results.refined(state.task)
            yield name, state if single_point is None else _refined(state, single_point)


def _refined(state: State, single_point: State) -> State:
    """Return the state of a task with the energy of its single point."""
    label = single_point.task.label
    inputs = {**state.task.inputs, "dft": single_point.task.inputs["dft"]}
    task = replace(state.task, name=label, inputs=cast("Any", inputs))
    if state.result is None:
        return state
    if single_point.result is None:
        note = f"its single point {label}" + (f": {single_point.note}" * bool(single_point.note))
        return State(task, single_point.status, note)
    energy = cast("SinglePointValues", single_point.result.values)["energy"]
    values = _with_energy(state.result.values, energy, state.task, task)
    return replace(state, task=task, result=replace(state.result, values=values))


def _with_energy(values: Values, energy: float, relaxed: Task, refined: Task) -> Values:
    """Return values with another energy (eV), and nothing that belongs to the former one."""
    changed: dict[str, Any] = {**values, "energy": energy}
    changed.pop("non_magnetic_energy", None)
    if relaxed.inputs["dft"]["xc"] != refined.inputs["dft"]["xc"]:
        changed.pop("dispersion", None)
    return cast("Values", changed)
