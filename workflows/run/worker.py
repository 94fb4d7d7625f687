"""One task in this process: what `run`, `submit` and `task` use. Safe to repeat at any time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from workflows.campaign.directory import campaign_of_task
from workflows.case.schema import Case
from workflows.dft.band import Band
from workflows.dft.calculation import Calculation
from workflows.dft.dispersion import dispersion_energies
from workflows.dft.installation import libraries
from workflows.dft.team import PATIENCE, team
from workflows.preflight.computable import require_computable
from workflows.preflight.rank_limits import require_usable
from workflows.steps import carry_out
from workflows.steps.context import TaskContext, TaskFailed
from workflows.steps.initial import crystal
from workflows.system.files import Locked, digest, lock
from workflows.system.machine import age, peak_memory, versions
from workflows.system.messages import UserError, naming, shown
from workflows.system.signals import Stopped, say, stoppable
from workflows.tasks.atoms_json import from_json
from workflows.tasks.cut import lattice_of
from workflows.tasks.finished import Finished
from workflows.tasks.folder import Failure, ProgressWriter, Result
from workflows.tasks.graph import Task
from workflows.tasks.records import Effort, LatticeInputs, LatticeValues, Values
from workflows.tasks.status import State, survey

REFUSED = 2  # exit code of a task that could not be computed here: its last line is the reason


FAILED = 3  # exit code of a task that has no number to give


def run_task(path: Path, walltime: float | None = None, *, continuation: bool = False) -> int:
    """Do a task unless it is done; return the exit code.

    Of several MPI ranks, rank 0 calls this, and the others follow it (workflows/dft/team.py).

    Parameters
    ----------
    path
        The task's folder in a run's directory.
    walltime
        Seconds after which to stop; without limit if None.
    continuation
        Whether to leave the task alone if it has failed: this resumes what ran out of time.

    Returns
    -------
    int
        0 if the task is done, `FAILED` if it has no number to give.

    Raises
    ------
    UserError
        The folder is not a task of a run or is a link, the tasks that it needs are not done, or
        there are more MPI ranks than it can use.
    Locked
        Another process works on it.
    Stopped
        A signal or the wall-clock limit came; the same call resumes.
    """
    root = path.parent
    campaign = campaign_of_task(path)  # once: settings and fingerprint must be of the same file
    case = campaign.case_of(path.name)
    states = survey(campaign.tasks, root)
    state = states[path.name]
    if state.status == "done":
        return 0
    if state.status in ("waiting", "blocked"):
        raise UserError(f"{shown(path)}: {state.status}: {state.note}; run what it needs first")
    if state.status == "failed" and continuation:
        say(f"{path.name}: {state.note}")
        return FAILED
    ranks = team()
    if ranks.size > 1:
        cases = require_computable(campaign, shown(root))
        with naming(shown(root)):
            require_usable(cases, {path.name: ranks.size})
    state.task.folder(root).make()
    grace = PATIENCE if ranks.size > 1 else None
    try:
        with lock(path / ".lock", f"task {path.name}"), stoppable(walltime, ranks.stop, grace):
            return _work(case, state, states, root)
    except Stopped as stop:
        say(f"{path.name}: {stop.reason}; the same command resumes after the last finished step")
        raise


def run_tasks(
    paths: Sequence[Path], walltime: float | None = None, *, continuation: bool = False
) -> int:
    """Do tasks one after the other, within one wall-clock limit; return the worst exit code.

    A task that cannot be done does not keep the others from being done; see `run_task` for the
    arguments.
    """
    if len(paths) == 1:
        return run_task(paths[0], walltime, continuation=continuation)
    end = None if walltime is None else time.monotonic() + walltime
    worst = 0
    for path in paths:
        left = None if end is None else end - time.monotonic()
        try:
            code = run_task(path, left, continuation=continuation)
        except (UserError, Locked) as error:
            say(str(error))
            code = REFUSED
        worst = max(worst, code)
    return worst


def _work(case: Case, state: State, states: dict[str, State], root: Path) -> int:
    task, folder = state.task, state.task.folder(root)
    results = {name: states[name].result for name in task.needs}
    parents = {name: result for name, result in results.items() if result is not None}
    origin = task.origin(parents)
    fingerprint = digest(origin)
    for moved in folder.open_for(origin):
        say(f"{task.name}: earlier contents set aside as {moved.name}")
    context = TaskContext(
        task,
        case,
        folder,
        fingerprint,
        Finished({name: states[name] for name in task.needs}),
        ProgressWriter(folder),
        Calculation,
        Band,
    )
    start = time.perf_counter()
    try:
        outcome = carry_out(context)
    except TaskFailed as error:
        spent = time.perf_counter() - start
        folder.fail(fingerprint, Failure(error.reason, str(error), spent))
        say(f"{task.name}: {error.reason}: {error}")
        return FAILED
    seconds = time.perf_counter() - start
    since_start = age()
    process: Effort = {
        "peak_memory": peak_memory(),
        "process_started": time.time() - since_start,
        "process_seconds": since_start,
        "cpu_seconds": time.process_time(),
    }
    added = _dispersion(task, case, outcome.values)
    values = cast("Values", {**outcome.values, **process, **added})
    sets = {f"PAW set of {symbol}": sha[:12] for symbol, sha in origin["data_sets"].items()}
    made_with = versions() | libraries() | sets
    folder.finish(Result(fingerprint, values, folder.digests(outcome.files), seconds, made_with))
    return 0


def _dispersion(task: Task, case: Case, values: Values) -> dict[str, dict[str, float]]:
    """Return the dispersion energies (eV) of the structure that a task found, by model.

    No number of the task depends on them: tables show them beside its energy.
    """
    found = cast("Mapping[str, Any]", values)
    if task.kind == "lattice":
        atoms = crystal(
            cast("Task[LatticeInputs]", task), lattice_of(cast("LatticeValues", values))
        )
    elif "structure" in found and task.kind not in ("density", "probe"):
        atoms = from_json(found["structure"])
    else:
        return {}
    return {"dispersion": dispersion_energies(atoms, case.dft.xc)}
