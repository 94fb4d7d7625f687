"""The graph on a cluster: each task, or a bundle of them, a Slurm job, each edge a dependency.

A job that runs out of time queues itself again under its own id and resumes; tasks that need it
wait for its success (afterok). Where compute nodes may not call the scheduler, jobs follow each job
instead, whatever became of it (afterany), and run the same command: they resume where it was
stopped, and end at once if the task is done or has failed; other tasks wait for the last one. No
process of ours has to live while jobs wait.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from workflows.campaign.directory import LOGS, SCRIPTS, require_own, working_in, write_campaign
from workflows.preflight.core_time import core_hours_in_words
from workflows.preflight.setting_warnings import all_warnings
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.queue import (
    NEW_JOBS,
    Job,
    Queue,
    ask,
    call,
    close_ledger,
    cluster_name,
    directory_of,
    submit_job,
)
from workflows.run.slurm.script import Scripts, script_path
from workflows.system.files import write_text
from workflows.system.messages import in_bytes, naming
from workflows.system.signals import say
from workflows.tasks.graph import Task
from workflows.tasks.journal import Journal
from workflows.tasks.status import State, survey

Submit = Callable[[list[str]], str]


def sbatch(path: Path, after: Sequence[str], *, continuation: bool) -> list[str]:
    """Return the command that submits a script.

    Parameters
    ----------
    path
        The script.
    after
        Conditions for the start, such as 'afterok:12'.
    continuation
        Whether the job resumes what another one began.
    """
    waits = [f"--dependency={','.join(after)}", "--kill-on-invalid-dep=yes"] if after else []
    return ["sbatch", "--parsable", *waits, str(path), *["--continuation"][: int(continuation)]]


def chain(
    path: Path,
    parents: Iterable[str],
    leftovers: Iterable[str],
    followers: int,
    submit: Submit,
    *,
    condition: str = "afterok",
) -> Iterator[str]:
    """Submit the jobs of a task; yield their ids.

    Parameters
    ----------
    path
        The job script.
    parents
        The last jobs of the tasks that it needs, which must have met the `condition`.
    leftovers
        Jobs of its own that may still be ending.
    followers
        How many jobs follow the first one, each after the one before it.
    submit
        Submits a job and returns its id.
    """
    needed = [f"{condition}:{job}" for job in parents]
    ended = [f"afterany:{job}" for job in leftovers]
    for number in range(followers + 1):
        job = submit(sbatch(path, [*needed, *ended], continuation=number > 0))
        yield job
        ended = [f"afterany:{job}"]


# ---- what is to be submitted --------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What is to be submitted.

    Attributes
    ----------
    bundles
        The tasks of each job, in the order of submission.
    states
        The state of each task that is to be submitted.
    queued
        The last job of each task that is not done, but still in the queue.
    """

    bundles: tuple[tuple[str, ...], ...]
    states: Mapping[str, State]
    queued: Mapping[str, str]

    def summary(self, texts: Scripts) -> str:
        """Return a line about all jobs: their number, core-hours, and the largest memory."""
        settings = {names: texts.of(names) for names in self.bundles}
        jobs = sum(1 + of.followers for of in settings.values())
        tries = {names: 1 + of.continuations for names, of in settings.items()}
        hours = sum(tries[names] * of.ranks * of.seconds for names, of in settings.items()) / 3600
        typical = sum(texts.needs.tasks[name].core_seconds for name in self.states)
        memory = max((texts.memory(names) for names in self.bundles), default=0.0)
        return (
            f"{jobs} jobs for {len(self.states)} tasks: {core_hours_in_words(typical)} on one rank "
            f"each, at most {_hours(hours)} by their time limits; "
            f"up to {in_bytes(memory)} of memory each"
        )


def plan_jobs(states: Mapping[str, State], texts: Scripts, queue: Queue, bundle: int) -> Plan:
    """Return what is to be submitted: all tasks that are neither done nor queued.

    Parameters
    ----------
    states
        The state of each task, by folder, each after those that it needs.
    texts
        The job scripts.
    queue
        The jobs that are alive.
    bundle
        How many tasks share a job.
    """
    queued: dict[str, str] = {}
    todo: dict[str, State] = {}
    for name, state in states.items():
        if state.status == "done":
            continue
        if queue.can_finish(state) and todo.keys().isdisjoint(state.task.needs):
            queued[name] = queue.jobs[name][-1]
        else:
            todo[name] = state
    tasks = [state.task for state in todo.values()]
    return Plan(tuple(bundles(tasks, texts.settings, bundle)), todo, queued)


def bundles(
    tasks: Sequence[Task], settings: Mapping[str, Profile], size: int
) -> Iterator[tuple[str, ...]]:
    """Group tasks by `size`, each group after those that it needs.

    Tasks of a group are on one level of the graph, so none needs another, and ask for the same.

    Parameters
    ----------
    tasks
        The tasks, each after those that it needs.
    settings
        What the job of each task requests.
    size
        Number of tasks in a group.
    """
    if size == 1:
        yield from ((task.name,) for task in tasks)
        return
    level: dict[str, int] = {}
    alike: dict[tuple[int, str], list[str]] = {}
    for task in tasks:
        level[task.name] = 1 + max((level.get(need, 0) for need in task.needs), default=0)
        asked = settings[task.name].model_dump_json(exclude={"tasks"})
        alike.setdefault((level[task.name], asked), []).append(task.name)
    for key in sorted(alike, key=lambda key: key[0]):
        names = alike[key]
        yield from (tuple(names[start : start + size]) for start in range(0, len(names), size))


# ---- submission ---------------------------------------------------------------------------------


def dry_run(texts: Scripts, bundle: int = 1) -> Iterator[str]:
    """Yield what `submit` would do: totals, every script and command. Nothing is written.

    Parameters
    ----------
    texts
        The job scripts.
    bundle
        How many tasks share a job.
    """
    states = survey(texts.campaign.tasks, texts.root)
    for line in all_warnings(texts.cases):
        say(f"warning: {line}")
    plan = plan_jobs(states, texts, Queue({}, {}), bundle)
    yield from (f"# {line}" for line in (*texts.notes, plan.summary(texts), ""))
    commands: list[list[str]] = []

    def pretend(_names: Sequence[str], command: list[str]) -> str:
        commands.append(command)
        return f"JOB{len(commands)}"

    for names, jobs in chains(plan, texts, Queue({}, {}), pretend):
        yield f"# ---- {script_path(texts.root, names)}\n{texts.text(names)}"
        yield from (f"# {shlex.join(command)}" for command in commands[-len(jobs) :])
        yield ""


def submit(texts: Scripts, bundle: int = 1) -> Iterator[tuple[Sequence[str], str]]:
    """Submit what is neither done nor queued; yield the tasks of each job and a line about it.

    Lines about all jobs together come first, without tasks. The case files are kept in the
    directory, as `run` keeps them.

    Parameters
    ----------
    bundle
        How many tasks share a job.

    Raises
    ------
    UserError
        The directory belongs to other cases, or the scheduler refuses; what was submitted is
        kept, and the same call submits the rest.
    Locked
        Another `submit` or a `run` works there.
    """
    root = texts.root
    require_own(texts.campaign, root)
    ask(root)  # without a scheduler nothing is written
    (root / SCRIPTS).mkdir(parents=True, exist_ok=True)
    (root / LOGS).mkdir(exist_ok=True)
    with working_in(root):
        queue = ask(root)
        write_campaign(texts.campaign, root)
        for name in texts.campaign.tasks:
            write_text(script_path(root, [name]), texts.text([name]))
        for line in all_warnings(texts.cases):
            say(f"warning: {line}")
        plan = plan_jobs(survey(texts.campaign.tasks, root), texts, queue, bundle)
        if plan.bundles:
            yield from (((), line) for line in (*texts.notes, plan.summary(texts)))
        close_ledger(root)
        journal, cluster = Journal(root / NEW_JOBS, Job), cluster_name()

        def recorded(names: Sequence[str], command: list[str]) -> str:
            job: Job = {
                "id": submit_job(command),
                "name": texts.name(names),
                "tasks": list(names),
                "directory": directory_of(root),
                "cluster": cluster,
            }
            journal.append(job)
            return job["id"]

        try:
            for names, jobs in chains(plan, texts, queue, recorded, write=True):
                yield names, f"{_many(names)}: {_jobs(jobs)}"
        finally:
            close_ledger(root)


def cancel(root: Path) -> Iterator[str]:
    """Cancel the jobs of a run that are queued or running; yield a line for each task.

    Jobs are ours by the record, their name and their working directory; see `queue.ask`.

    Raises
    ------
    UserError
        The scheduler is not there or refuses.
    """
    queue = ask(root)
    waiting = {name: jobs for name in queue.jobs if (jobs := queue.alive_of(name))}
    if waiting:  # the last first, so that none starts because the one before it has ended
        ids = dict.fromkeys(job for jobs in waiting.values() for job in jobs)
        call(["scancel", *reversed(ids)])
    yield from (f"{name}: {_jobs(jobs)} cancelled" for name, jobs in waiting.items())
    if not waiting:
        yield from queue.lines()
        yield "no jobs are queued or running"


def chains(
    plan: Plan,
    texts: Scripts,
    queue: Queue,
    submit_one: Callable[[Sequence[str], list[str]], str],
    *,
    write: bool = False,
) -> Iterator[tuple[Sequence[str], list[str]]]:
    """Submit the jobs of a plan; yield the tasks and the ids of their jobs.

    Parameters
    ----------
    plan
        What is to be submitted.
    texts
        The job scripts.
    queue
        The jobs that are alive.
    submit_one
        Submits a job of some tasks by a command and returns its id.
    write
        Whether the script of a bundle is written before it is submitted.
    """
    last = dict(plan.queued)
    kept = {job for name in last for job in queue.alive_of(name)}
    # A bundle fails if one of its tasks does; what needs the others is to have its turn.
    condition = "afterok" if all(len(names) == 1 for names in plan.bundles) else "afterany"
    for names in plan.bundles:
        mine = [job for name in names for job in queue.alive_of(name)]
        alive = dict.fromkeys(job for job in mine if job not in kept)
        if alive:  # jobs that cannot do the task any more
            call(["scancel", *reversed(alive)])
        path = script_path(texts.root, names)
        if write and len(names) > 1:
            write_text(path, texts.text(names))
        needs = dict.fromkeys(need for name in names for need in plan.states[name].task.needs)
        after = dict.fromkeys(last[need] for need in needs if need in last)
        followers, submit_job_of = texts.settings[names[0]].followers, partial(submit_one, names)
        with naming(_many(names)):
            jobs = list(chain(path, after, alive, followers, submit_job_of, condition=condition))
        last |= dict.fromkeys(names, jobs[-1])
        yield names, jobs


def _many(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _jobs(jobs: Sequence[str]) -> str:
    return f"job{'s' if len(jobs) > 1 else ''} {', '.join(jobs)}"


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours < 10 else f"{math.ceil(hours):,}"
