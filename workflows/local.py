"""The graph on this machine: tasks side by side, each a process, until nothing is left to do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from workflows.case import CASE, Case, CaseError, read, shown
from workflows.caution import warn
from workflows.machine import cores
from workflows.needs import require_room
from workflows.stop import Stopped, stoppable
from workflows.store import TaskFolder, lock, set_aside, write_bytes
from workflows.tasks import State, Task, plan, survey
from workflows.worker import FAILED

TICK = 0.2  # seconds between looks at the workers
REFUSED = 2  # exit code of a worker that could not work: its last line says why
PATIENCE = 6.0  # seconds that workers get to end after being told to; less than stop.GRACE


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
    """A case being computed in a directory."""

    case: Case
    root: Path
    jobs: int
    view: View
    workers: dict[str, Worker] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)

    def go(self, walltime: float | None) -> dict[str, State]:
        """Work until every task is done or cannot be; return the state of each.

        Raises
        ------
        Stopped
            A signal or the wall-clock limit came; the workers have ended; the same call goes on.
        """
        tasks = plan(self.case)
        with stoppable(walltime):
            try:
                return self._loop(tasks)
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
                states = survey(tasks, self.root)

    def _others(self, states: Mapping[str, State]) -> bool:
        """Tell whether others work here: workers of a killed run that are still ending, say."""
        return any(s.status == "running" and name not in self.workers for name, s in states.items())

    def _startable(self, states: Mapping[str, State]) -> list[tuple[str, State]]:
        free = self.jobs - len(self.workers)
        wanted = ("ready", "stale", "failed")
        ready = [
            (name, state)
            for name, state in states.items()
            if state.status in wanted and name not in self.attempted
        ]
        return ready[: max(free, 0)]

    def _start(self, state: State) -> Worker:
        folder = TaskFolder(self.root / state.task.name)
        log = self.root / "logs" / f"{state.task.name}.txt"
        log.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "workflows.cli", "task", str(folder.path), "--with-parent"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # its closing tells the worker that we are gone
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to pass on
            )
        return Worker(state.task, process, log)

    def _show(self, states: Mapping[str, State]) -> None:
        now = dict(states)
        for name, worker in self.workers.items():
            progress = TaskFolder(self.root / name).progress()
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


def run(
    case: Case, content: bytes, root: Path, *, jobs: int | None, view: View, walltime: float | None
) -> dict[str, State]:
    """Compute a case in a directory; `content` is the case file's, kept there for later.

    `jobs` tasks side by side; as many as cores and memory allow if None. `walltime` in seconds.

    Raises
    ------
    CaseError
        The directory belongs to another case, or memory or disk do not suffice.
    Locked
        Another `run` works there.
    Stopped
        A signal or the wall-clock limit came.
    """
    require_own(case, root)
    chosen, forecast = require_room(case, root, jobs, cores())
    root.mkdir(parents=True, exist_ok=True)
    with lock(root / ".lock", shown(root)):
        write_case(content, root)
        warn(case, root / CASE)
        view.note(forecast)
        return Run(case, root, chosen, view).go(walltime)


def require_own(case: Case, root: Path) -> None:
    """Refuse a directory that holds something else than a run of this case."""
    if root.exists() and not root.is_dir():
        raise CaseError(
            f"{shown(root)}: not a directory; allowed: a new directory or one of an earlier run"
        )
    if not (root / CASE).exists():
        if root.is_dir() and any(_is_foreign(path) for path in root.iterdir()):
            raise CaseError(f"{shown(root)}: holds other files; allowed: a new or empty directory")
        return
    try:
        other = read(root / CASE)
    except CaseError:
        return  # damaged: it is set aside and written again
    if other.name != case.name:
        raise CaseError(
            f"{shown(root)}: holds case {other.name!r}, not {case.name!r}; "
            "allowed: another directory"
        )


def _is_foreign(path: Path) -> bool:
    ours = ("arrhenius.csv", "arrhenius.json", "figures")  # `arrhenius` may have come first
    return not path.name.startswith(".") and path.name not in ours


def write_case(content: bytes, root: Path) -> None:
    """Keep the case file in the run's directory; one that differs is set aside."""
    path = root / CASE
    if path.exists():
        if path.read_bytes() == content:
            return
        set_aside(path, "before")
    write_bytes(path, content)
