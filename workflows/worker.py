"""One task in this process: the unit that every way of running uses. Safe to repeat at any time."""

from __future__ import annotations

import time
from pathlib import Path

from workflows.calculator import libraries
from workflows.case import CASE, Case, CaseError, read, shown
from workflows.machine import age, peak_memory, versions
from workflows.steps import Bench, TaskFailed, carry_out
from workflows.stop import say, stoppable
from workflows.store import Reporter, Result, TaskFolder, lock
from workflows.tasks import State, plan, survey

FAILED = 3  # exit code of a task that has no number to give


def run_task(path: Path, walltime: float | None = None, *, continuation: bool = False) -> int:
    """Do the task in folder `path` unless it is done; return the exit code.

    A `continuation` goes on with what ran out of time, and leaves alone what has failed.

    Raises
    ------
    CaseError
        The folder is not a task of a run, or the tasks that it needs are not done.
    Locked
        Another process works on it.
    Stopped
        A signal or the wall-clock limit came; the same call goes on later.
    """
    root = path.parent
    case = read(root / CASE)  # once: settings and fingerprint must be of the same file
    tasks = plan(case)
    if path.name not in tasks:
        raise CaseError(f"{shown(path)}: no such task; allowed: {', '.join(tasks)}")
    states = survey(tasks, root)
    state = states[path.name]
    if state.status == "done":
        return 0
    if state.status in ("waiting", "blocked"):
        raise CaseError(f"{shown(path)}: {state.status}: {state.note}; run what it needs first")
    if (ranks := libraries()["MPI ranks"]) != "1":
        raise CaseError(f"{shown(path)}: found {ranks} MPI ranks; allowed: 1, started without MPI")
    if state.status == "failed" and continuation:
        say(f"{path.name}: {state.note}")
        return FAILED
    path.mkdir(exist_ok=True)
    with lock(path / ".lock", f"task {path.name}"), stoppable(walltime):
        return _work(case, state, states, root)


def _work(case: Case, state: State, states: dict[str, State], root: Path) -> int:
    task, folder = state.task, TaskFolder(root / state.task.name)
    results = {name: states[name].result for name in task.needs}
    parents = {name: result for name, result in results.items() if result is not None}
    fingerprint = task.fingerprint(parents)
    for moved in folder.open_for(fingerprint, task.origin(parents)):
        say(f"{task.name}: earlier contents set aside as {moved.name}")
    bench = Bench(
        task,
        case,
        folder,
        {name: result.values for name, result in parents.items()},
        Reporter(folder),
    )
    start = time.perf_counter()
    try:
        outcome = carry_out(bench)
    except TaskFailed as error:
        folder.fail(fingerprint, error.reason, str(error), time.perf_counter() - start)
        say(f"{task.name}: {error.reason}: {error}")
        return FAILED
    seconds = time.perf_counter() - start
    values = outcome.values | {
        "peak_memory": peak_memory(),
        "process_seconds": age(),
        "cpu_seconds": time.process_time(),
    }
    made_with = versions() | libraries()
    folder.finish(Result(fingerprint, values, folder.digests(outcome.files), seconds, made_with))
    return 0
