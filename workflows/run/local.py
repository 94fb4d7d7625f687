"""The graph on this machine: tasks side by side, a process each, until nothing is left to do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import log_path, require_own, working_in, write_campaign
from workflows.preflight.computable import Computable
from workflows.preflight.resources import Needs, require_room
from workflows.preflight.setting_warnings import all_warnings
from workflows.run.priority import chains
from workflows.run.program import program
from workflows.run.worker import FAILED, REFUSED
from workflows.system.machine import cores
from workflows.system.signals import Stopped, say, stoppable
from workflows.tasks.graph import Task
from workflows.tasks.status import State, survey

TICK = 0.2  # seconds between looks at the workers


PATIENCE = 6.0  # seconds that workers have to end after a signal; less than signals.GRACE


class View(Protocol):
    """Something that shows a run to a person."""

    def show(self, states: Mapping[str, State]) -> None:
        """Show how far every task is; called several times a second."""

    def note(self, line: str) -> None:
        """Show a line that stays."""


@dataclass
class Worker:
    """A process that works on a task."""

    task: Task
    process: subprocess.Popen[bytes]
    log: Path


@dataclass
class Run:
    """Cases that are being computed in a directory.

    Attributes
    ----------
    campaign, root
        The cases and the directory.
    jobs
        How many tasks run side by side.
    view
        Shows the progress.
    priority
        Of each task by its folder: the largest is started first.
    workers
        The processes that run, by the folder of their task.
    attempted
        The tasks that were started; none is started twice.
    """

    campaign: Campaign
    root: Path
    jobs: int
    view: View
    priority: Mapping[str, float] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)

    def go(self, walltime: float | None) -> dict[str, State]:
        """Work until every task is done or cannot be; return the state of each.

        Parameters
        ----------
        walltime
            Seconds after which to stop; without limit if None.

        Raises
        ------
        Stopped
            A signal or the wall-clock limit came; the workers have ended; the same call resumes.
        """
        with stoppable(walltime):
            try:
                return self._loop(self.campaign.tasks)
            except Stopped as stop:
                self._end_workers(stop)
                raise

    def _loop(self, tasks: Mapping[str, Task]) -> dict[str, State]:
        states = survey(tasks, self.root)
        while True:
            for name, state in self._startable(states):
                self.workers[name] = self._start(state)
                self.attempted.add(name)
            others = self._others(states)
            if not self.workers and not others:
                self.view.show(states)
                return states
            self._show(states)
            time.sleep(TICK)
            if self._reap() or others:
                states = survey(tasks, self.root, states)

    def _others(self, states: Mapping[str, State]) -> bool:
        """Tell whether others work here, such as workers of a killed run that are still ending."""
        return any(s.status == "running" and name not in self.workers for name, s in states.items())

    def _startable(self, states: Mapping[str, State]) -> list[tuple[str, State]]:
        free = self.jobs - len(self.workers)
        wanted = ("ready", "stale", "failed")
        ready = [
            (name, state)
            for name, state in states.items()
            if state.status in wanted and name not in self.attempted
        ]
        ready.sort(key=lambda found: -self.priority.get(found[0], 0.0))
        return ready[: max(free, 0)]

    def _start(self, state: State) -> Worker:
        folder = state.task.folder(self.root)
        log = log_path(self.root, state.task.name)
        log.parent.mkdir(exist_ok=True)
        command = [*program(), "task", str(folder.path), "--with-parent"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # a worker ends when it is closed, even by our death
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we pass it on
            )
        return Worker(state.task, process, log)

    def _show(self, states: Mapping[str, State]) -> None:
        now = dict(states)
        for name, worker in self.workers.items():
            progress = worker.task.folder(self.root).progress()
            now[name] = State(worker.task, "running", progress=progress)
        self.view.show(now)

    def _reap(self) -> bool:
        ended = [worker for worker in self.workers.values() if worker.process.poll() is not None]
        for worker in ended:
            del self.workers[worker.task.name]
            if worker.process.stdin:
                worker.process.stdin.close()
            if worker.process.returncode not in (0, FAILED):
                self._note_crash(worker)
        return bool(ended)

    def _note_crash(self, worker: Worker) -> None:
        lines = worker.log.read_text(encoding="utf-8", errors="replace").splitlines()
        code = worker.process.returncode
        if code == REFUSED:
            self.view.note(f"{worker.task.name}: {lines[-1] if lines else 'refused'}")
            return
        self.view.note(f"{worker.task.name}: ended unexpectedly (exit code {code}); {worker.log}:")
        for line in lines[-25:]:
            self.view.note(f"    {line}")

    def _end_workers(self, stop: Stopped) -> None:
        for worker in self.workers.values():
            worker.process.send_signal(stop.signal)
        deadline = time.monotonic() + PATIENCE
        for worker in self.workers.values():
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.process.stdin:
                worker.process.stdin.close()


def run(
    cases: Computable,
    needs: Needs,
    root: Path,
    *,
    jobs: int | None,
    view: View,
    walltime: float | None,
) -> dict[str, State]:
    """Compute cases in a directory; their files are kept there for later.

    Parameters
    ----------
    needs
        What the cases need, from `workflows.preflight.resources.estimate_needs`.
    root
        The directory.
    jobs
        How many tasks side by side; as many as cores and memory allow if None.
    view
        Shows the progress.
    walltime
        Seconds after which to stop; without limit if None.

    Returns
    -------
    dict
        The final state of every task by its folder, each with its result if it is done.

    Raises
    ------
    UserError
        The directory belongs to other cases, or memory or disk do not suffice.
    Locked
        Another `run` works there.
    Stopped
        A signal or the wall-clock limit came.
    """
    campaign = cases.campaign
    require_own(campaign, root)
    chosen, forecast = require_room(needs, root, jobs, cores())
    root.mkdir(parents=True, exist_ok=True)
    with working_in(root):
        write_campaign(campaign, root)
        for line in all_warnings(cases):
            say(f"warning: {line}")
        view.note(forecast)
        priority = chains(campaign.tasks, needs.sizes)
        return Run(campaign, root, chosen, view, priority).go(walltime)
