"""The scheduler: which jobs were submitted for each task, and which are still alive.

Their record names the directory and the cluster that they belong to. In a copy of the directory, or
on another cluster, the jobs are not ours: no task counts as queued, and none is cancelled.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

from workflows.system.files import read_signed, write_signed
from workflows.system.messages import UserError, one_line, shown
from workflows.system.signals import say
from workflows.tasks.journal import whole_records
from workflows.tasks.status import State
from workflows.tasks.validation import checked

JOBS = "jobs.json"  # the jobs of every task, in a run's directory


NEW_JOBS = "jobs.jsonl"  # those of a submission that is not over: a line for each job


COMMAND_LIMIT = 120.0  # seconds that a command of the scheduler may take


MOST_LINES = 40  # tasks whose jobs are shown


class Job(TypedDict):
    """A job that was submitted: its id and name, its tasks, and what run and cluster it is of."""

    id: str
    name: str
    tasks: list[str]
    directory: str
    cluster: str


class Ledger(TypedDict):
    """The record of a run's jobs."""

    jobs: list[Job]


@dataclass(frozen=True)
class Queue:
    """The jobs that were submitted for each task, and the state of those that are still alive.

    Attributes
    ----------
    jobs
        The ids of each task's jobs, in the order in which they start.
    alive
        The state of each job that is queued or running, such as 'pending'.
    elsewhere
        The directory that the recorded jobs belong to, if it is another one.
    """

    jobs: Mapping[str, list[str]]
    alive: Mapping[str, str]
    elsewhere: str = ""

    def alive_of(self, name: str) -> list[str]:
        """Return the jobs of a task that are queued or running."""
        return [job for job in self.jobs.get(name, ()) if job in self.alive]

    def can_finish(self, state: State) -> bool:
        """Tell whether the jobs of a task may still do it: then others can wait for the last."""
        jobs = self.jobs.get(state.task.name, [""])
        tried = state.status == "failed" and jobs[0] not in self.alive
        return jobs[-1] in self.alive and not tried

    def lines(self) -> Iterator[str]:
        """Yield a line for each task that has jobs, or about jobs that are not ours."""
        if self.elsewhere:
            yield f"the jobs in {JOBS} are those of {shown(self.elsewhere)}, not of this directory"
        for name in self.jobs:
            jobs = ", ".join(f"{job} {self.alive[job]}" for job in self.alive_of(name))
            if jobs:
                yield f"{name}: {jobs}"


def ask(root: Path) -> Queue:
    """Ask the scheduler which of a run's jobs are alive.

    A job is ours if the record has it, for this directory, and the scheduler knows it by the
    recorded name and this working directory.

    Parameters
    ----------
    root
        The directory of the run.

    Raises
    ------
    UserError
        The scheduler is not there or refuses, the record of the jobs is damaged, or they were
        submitted on another cluster.
    """
    jobs, here = read_ledger(root), directory_of(root)
    told = call(["squeue", "--me", "--noheader", "--format=%i|%T|%j|%Z"])
    queued = {job: rest for job, _, rest in (line.partition("|") for line in told.splitlines())}
    ours = [job for job in jobs if job["directory"] == here]
    if ours and ours[0]["cluster"] != (cluster := cluster_name()):
        raise UserError(
            f"{shown(root / JOBS)}: jobs of cluster {ours[0]['cluster']!r}, this is {cluster!r}; "
            "allowed: the same command there"
        )
    of_tasks: dict[str, list[str]] = {}
    alive: dict[str, str] = {}
    for job in ours:
        for name in job["tasks"]:
            of_tasks.setdefault(name, []).append(job["id"])
        state, _, rest = queued.get(job["id"], "").strip().partition("|")
        name, _, directory = rest.partition("|")
        if name == job["name"] and directory == here and state != "COMPLETING":
            alive[job["id"]] = state.lower()
    elsewhere = jobs[-1]["directory"] if jobs and not ours else ""
    return Queue(of_tasks, alive, elsewhere)


def describe_jobs(states: Mapping[str, State], root: Path) -> tuple[list[str], list[str]]:
    """Describe the jobs of a run that was submitted.

    Parameters
    ----------
    states
        The state of each task, by folder.
    root
        The directory of the run.

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


# ---- the record ---------------------------------------------------------------------------------


def read_ledger(root: Path) -> list[Job]:
    """Return the jobs that were submitted from a directory, or from the one it is a copy of.

    Raises
    ------
    UserError
        The record is damaged.
    """
    path = root / JOBS
    try:
        kept = checked(Ledger, read_signed(path))["jobs"] if path.exists() else []
    except ValueError:
        raise UserError(
            f"{shown(root / JOBS)}: damaged, so it is not known which jobs belong to the run; "
            "cancel them with scancel, then delete the file"
        ) from None
    fresh = whole_records(root / NEW_JOBS, Job)
    again = {name for job in fresh for name in job["tasks"]}
    for job in kept:
        job["tasks"] = [name for name in job["tasks"] if name not in again]
    return [*(job for job in kept if job["tasks"]), *fresh]


def close_ledger(root: Path) -> None:
    """Add the jobs of a submission to the record of earlier ones; safe to repeat if interrupted.

    Parameters
    ----------
    root
        The directory of the run.
    """
    here = directory_of(root)
    ours = [job for job in read_ledger(root) if job["directory"] == here]
    if ours or (root / JOBS).exists():
        write_signed(root / JOBS, {"jobs": ours})
    (root / NEW_JOBS).unlink(missing_ok=True)


def directory_of(root: Path) -> str:
    """Return the directory of a run as jobs and their record name it."""
    return str(root.resolve())


# ---- commands -----------------------------------------------------------------------------------


def cluster_name() -> str:
    """Return the name of the cluster; empty if it has none."""
    found = re.search(r"^ClusterName\s*=\s*(\S+)", call(["scontrol", "show", "config"]), re.M)
    return found[1] if found else ""


def submit_job(command: list[str]) -> str:
    """Submit a job.

    Parameters
    ----------
    command
        The words of the command: `sbatch --parsable` and its arguments.

    Returns
    -------
    str
        The id of the job.

    Raises
    ------
    UserError
        The scheduler refuses.
    """
    job = call(command).strip().split(";")[0]  # 'id;cluster' where there are several clusters
    if not job.isdigit():
        raise UserError(f"sbatch: found {one_line(job)[:60]!r}; allowed: the id of a job")
    return job


def restarts() -> int:
    """Return how often the job that this process belongs to was queued again."""
    count = os.environ.get("SLURM_RESTART_COUNT", "")
    return int(count) if count.isascii() and count.isdigit() else 0


def queue_again(most: int) -> bool:
    """Queue the job that this process belongs to again, under its id, unless it was `most` times.

    The scheduler ends the process with it, so this prints what it does beforehand.

    Parameters
    ----------
    most
        How often the job may be queued again.

    Returns
    -------
    bool
        Whether it is.

    Raises
    ------
    UserError
        The scheduler refuses.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or restarts() >= most:
        return False
    say(f"job {job} is queued again")
    call(["scontrol", "requeue", job])
    return True


def call(command: list[str]) -> str:
    """Run a command of the scheduler.

    Parameters
    ----------
    command
        The words of the command.

    Returns
    -------
    str
        What it prints.

    Raises
    ------
    UserError
        There is no such command, it does not answer, or it fails.
    """
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
