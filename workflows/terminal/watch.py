"""Watching a run from outside, wherever it runs: files are read, nothing is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from workflows.campaign.campaign import Campaign
from workflows.preflight.computable import require_computable
from workflows.preflight.resources import estimate_needs
from workflows.run.local import View
from workflows.run.time_left import Remaining
from workflows.system.messages import UserError, shown
from workflows.tasks.folder import FAILURE, INPUTS, RESULT, TaskFolder
from workflows.tasks.graph import Task
from workflows.tasks.status import State, survey_recorded
from workflows.terminal.progress import view

PAUSE = 1.0  # seconds between looks


SETTLED = ("done", "failed", "blocked")


def watch_campaign(campaign: Campaign, root: Path, console: Console) -> Mapping[str, State]:
    """Show a directory's cases live, with an estimate of the remaining time; see `watch`."""
    try:
        sizes = estimate_needs(require_computable(campaign, shown(root))).sizes
    except UserError:  # computed elsewhere, with data sets that are not installed here, say
        sizes = {}
    with view(console, shown(root), Remaining(sizes)) as shows:
        return watch(campaign.tasks, root, shows)


def watch(
    tasks: Mapping[str, Task], root: Path, view: View, pause: float = PAUSE
) -> Mapping[str, State]:
    """Show a run until every task is done or cannot be done, or Ctrl-C.

    Parameters
    ----------
    pause
        Seconds between looks at the files.

    Returns
    -------
    dict
        The last state of every task, by folder.
    """
    states: Mapping[str, State] = {}
    seen: object = None
    with _interrupted() as stop:
        while not stop.is_set():
            now = [_mark(task.folder(root)) for task in tasks.values()]
            if now != seen:  # only then: to believe a result, all of its files are read
                seen, states = now, survey_recorded(tasks, root)
            states = {name: _refreshed(state, root) for name, state in states.items()}
            view.show(states)
            if all(state.status in SETTLED for state in states.values()):
                break
            stop.wait(pause)
    return states


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets: an exception amid drawing would leave the screen torn."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _mark(folder: TaskFolder) -> tuple[object, ...]:
    """Return what differs when the status of a task has changed."""
    times = [_changed(folder / name) for name in (RESULT, FAILURE, INPUTS)]
    return (*times, folder.is_running())


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _refreshed(state: State, root: Path) -> State:
    if state.status != "running":
        return state
    return replace(state, progress=state.task.folder(root).progress())
