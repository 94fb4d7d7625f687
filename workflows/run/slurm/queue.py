"""The scheduler: which jobs were submitted for each task, and which are still alive."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from workflows.system.files import read_signed, write_signed
from workflows.system.messages import UserError, one_line, shown
from workflows.tasks.journal import whole_records
from workflows.tasks.status import State

JOBS = "jobs.json"  # the ids of every task's jobs, in a run's directory


NEW_JOBS = "jobs.jsonl"  # those of a submission that is not over: a line for each job


COMMAND_LIMIT = 120.0  # seconds that a command of the scheduler may take


MOST_LINES = 40  # tasks whose jobs are shown


class Job(TypedDict):
    """A job that was submitted, and the tasks that it does."""

    job: str
    tasks: list[str]


@dataclass(frozen=True)
class Queue:
    """The jobs that were submitted for each task, and the state of those that are still alive."""

    ledger: Mapping[str, list[str]]
    alive: Mapping[str, str]

    def alive_of(self, name: str) -> list[str]:
        """Return the jobs of a task that are queued or running."""
        return [job for job in self.ledger.get(name, ()) if job in self.alive]

    def can_finish(self, state: State) -> bool:
        """Tell whether the jobs of a task may still do it: then others can wait for the last."""
        jobs = self.ledger.get(state.task.name, [""])
        tried = state.status == "failed" and jobs[0] not in self.alive
        return jobs[-1] in self.alive and not tried

    def lines(self) -> Iterator[str]:
        """Yield a line for each task that has jobs."""
        for name in self.ledger:
            jobs = ", ".join(f"{job} {self.alive[job]}" for job in self.alive_of(name))
            if jobs:
                yield f"{name}: {jobs}"


def ask(root: Path) -> Queue:
    """Ask the scheduler which of a run's jobs are alive.

    Raises
    ------
    UserError
        The scheduler is not there or refuses, or the record of the jobs is damaged.
    """
    ledger = _read_ledger(root)
    told = call(["squeue", "--me", "--noheader", "--format=%i %T"])
    alive = dict(line.split(maxsplit=1) for line in told.splitlines() if line.strip())
    return Queue(ledger, {job: s.lower() for job, s in alive.items() if s != "COMPLETING"})


def describe_jobs(states: Mapping[str, State], root: Path) -> tuple[list[str], list[str]]:
    """Describe the jobs of a run that was submitted.

    Returns
    -------
    idle
        Tasks that are to be computed, but have no job any more.
    lines
        Words about all jobs for a person to read; both are empty for a run on this machine.
    """
    if not ((root / JOBS).exists() or (root / NEW_JOBS).exists()):
        return [], []
    try:
        queue = ask(root)
    except UserError as error:
        return [], [f"jobs: not known ({error})"]
    every = list(queue.lines())
    lines = every[:MOST_LINES]
    if len(every) > MOST_LINES:
        lines.append(f"and {len(every) - MOST_LINES} more tasks with jobs")
    ready = [name for name, state in states.items() if state.status in ("ready", "stale")]
    idle = [name for name in ready if not queue.alive_of(name)]
    if idle:
        few = ", ".join(idle[:MOST_LINES]) + (" ..." if len(idle) > MOST_LINES else "")
        lines.append(f"no job for {few}: `submit` again resumes")
    return idle, lines


def _read_ledger(root: Path) -> dict[str, list[str]]:
    fresh: dict[str, list[str]] = {}
    for record in whole_records(root / NEW_JOBS, Job):
        for name in record["tasks"]:
            fresh.setdefault(name, []).append(record["job"])
    if not (root / JOBS).exists():
        return fresh
    data = read_signed(root / JOBS)
    if data is None:
        raise UserError(
            f"{shown(root / JOBS)}: damaged, so it is not known which jobs belong to the run; "
            "cancel them with scancel, then delete the file"
        )
    jobs: dict[str, list[str]] = data["jobs"]
    return {**jobs, **fresh}


def close_ledger(root: Path) -> None:
    """Put the jobs of a submission to those of earlier ones; broken off, it can be done again."""
    ledger = _read_ledger(root)
    if ledger:
        write_signed(root / JOBS, {"jobs": ledger})
    (root / NEW_JOBS).unlink(missing_ok=True)


def job_id(command: list[str]) -> str:
    """Submit a job with `sbatch --parsable` and return its id."""
    job = call(command).strip().split(";")[0]  # 'id;cluster' where there are several clusters
    if not job.isdigit():
        raise UserError(f"sbatch: found {one_line(job)[:60]!r}; allowed: the id of a job")
    return job


def call(command: list[str]) -> str:
    """Return what a command of the scheduler prints."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_LIMIT, check=False
        )
    except FileNotFoundError:
        raise UserError(
            f"{command[0]}: no such command; allowed: a machine that can submit Slurm jobs"
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]}: no answer in {COMMAND_LIMIT:.0f} s; try again") from None
    if done.returncode:
        raise UserError(f"{command[0]}: {one_line(done.stderr)[:500] or 'failed'}")
    return done.stdout
