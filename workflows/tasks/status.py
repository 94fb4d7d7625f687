"""How far each task is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workflows.tasks.folder import RESULT, Result, TaskFolder
from workflows.tasks.graph import EARLIER_RECIPES, RECIPE, Task
from workflows.tasks.records import Progress

Status = Literal["done", "running", "failed", "blocked", "stale", "waiting", "ready"]


@dataclass(frozen=True)
class State:
    """How far a task is.

    Attributes
    ----------
    note
        What a person wants to know of it, in words.
    result
        What it found, if it is done.
    progress
        How far it is, if it is running.
    seconds
        Time that it took, seconds; None if it is neither done nor failed.
    recipe
        The version of the way that tasks compute their numbers that its result is of.
    """

    task: Task
    status: Status
    note: str = ""
    result: Result | None = None
    progress: Progress = field(default_factory=Progress)
    seconds: float | None = None
    recipe: int = RECIPE


def survey_recorded(tasks: Mapping[str, Task], root: Path) -> dict[str, State]:
    """Find out how far each task is, for reading: results of an earlier recipe count as done.

    They do so only where all results of the directory are of that one recipe: two are never shown
    beside each other. To continue a run, use `survey`. See there for the arguments.
    """
    found = {task.folder(root).recipe() for task in tasks.values()} - {None}
    (recipe,) = found if len(found) == 1 else (RECIPE,)
    return survey(tasks, root, recipe=recipe if recipe in EARLIER_RECIPES else RECIPE)


def survey(
    tasks: Mapping[str, Task],
    root: Path,
    known: Mapping[str, State] | None = None,
    *,
    recipe: int = RECIPE,
) -> dict[str, State]:
    """Find out how far each task is, from its folder; writes nothing.

    Parameters
    ----------
    tasks
        The tasks by name, each after those that it needs.
    root
        The directory of the run.
    known
        An earlier survey: what was done then is not looked at again.
    recipe
        The recipe that results must be of.

    Returns
    -------
    dict
        The state of each task, in the same order.
    """
    states: dict[str, State] = {}
    for task in tasks.values():
        before = known.get(task.name) if known else None
        if before is not None and before.status == "done":
            states[task.name] = before
        else:
            states[task.name] = _look(task, task.folder(root), states, recipe)
    return states


def _look(task: Task, folder: TaskFolder, states: Mapping[str, State], recipe: int) -> State:
    parents = {name: states[name] for name in task.needs}
    results = {name: state.result for name, state in parents.items() if state.result}
    if len(results) < len(parents):
        return _not_yet(task, parents)
    fingerprint = task.fingerprint(results, recipe)
    result = folder.result(fingerprint)
    if result is not None:
        return State(task, "done", result=result, seconds=result.seconds, recipe=recipe)
    if folder.is_running():
        return State(task, "running", progress=folder.progress())
    failure = folder.failure(fingerprint)
    if failure is not None:
        note = f"{failure.reason}: {failure.message}"
        return State(task, "failed", note, seconds=failure.seconds)
    return _unfinished(task, folder, fingerprint)


def _not_yet(task: Task, parents: Mapping[str, State]) -> State:
    lost = [name for name, state in parents.items() if state.status in ("failed", "blocked")]
    if lost:
        return State(task, "blocked", f"needs {', '.join(lost)}, which failed")
    missing = [name for name, state in parents.items() if state.result is None]
    return State(task, "waiting", f"for {', '.join(missing)}")


def _unfinished(task: Task, folder: TaskFolder, fingerprint: str) -> State:
    if folder.is_link:
        return State(task, "stale", "its folder is a link, which is not followed; remove the link")
    if not folder.has_contents():
        return State(task, "ready")
    started_from = folder.started_from()
    if started_from is None:
        return State(task, "stale", "its record of inputs is damaged; it will be computed afresh")
    if started_from != fingerprint:
        older = folder.recipe() not in (None, RECIPE)
        what = "it is of another version of the program" if older else "its inputs have changed"
        return State(task, "stale", f"{what}; it will be computed afresh")
    if os.path.lexists(folder / RESULT):
        return State(task, "stale", "its result is damaged; it will be computed again")
    return State(task, "ready", "begun; resumes after its last finished step")


def recipe_of(states: Mapping[str, State]) -> int:
    """Return the recipe of all results that a survey found; today's if it found none."""
    return next((s.recipe for s in states.values() if s.status == "done"), RECIPE)


def earlier_version(states: Mapping[str, State]) -> str:
    """Return a line where results of an earlier recipe are shown; "" where they are today's."""
    recipe = recipe_of(states)
    if recipe == RECIPE:
        return ""
    return (
        f"computed by an earlier version (recipe {recipe}, today's is {RECIPE}): `sodiophile run` "
        "computes everything again"
    )


def summary(states: Mapping[str, State]) -> str:
    """Return a line that gives the number of tasks done, and what is next."""
    done = sum(state.status == "done" for state in states.values())
    line = f"{done} of {len(states)} tasks done"
    for status in ("running", "failed", "blocked", "stale", "ready", "waiting"):
        names = [name for name, state in states.items() if state.status == status]
        if names:
            line += f"; {status}: {', '.join(names[:4])}" + (" ..." if len(names) > 4 else "")
    return line
