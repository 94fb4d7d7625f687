"""The graph on a cluster: each task a chain of Slurm jobs, each edge a dependency.

The first job of a chain does the task. The others follow it whatever became of it (afterany) and
run the same command: they go on where it was stopped, and end at once if the task is done or has
failed. Tasks that need this one wait for its last job (afterok). No process of ours has to live
while jobs wait.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from workflows.campaign.directory import LOGS, SCRIPTS, require_own, working_in, write_campaign
from workflows.preflight.setting_warnings import all_warnings
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.queue import NEW_JOBS, Job, Queue, ask, call, close_ledger, job_id
from workflows.run.slurm.script import Scripts, script_path
from workflows.system.files import write_text
from workflows.system.messages import naming
from workflows.system.signals import say
from workflows.tasks.graph import Task
from workflows.tasks.journal import Journal
from workflows.tasks.status import State, survey

Submit = Callable[[list[str]], str]


def sbatch(path: Path, after: Sequence[str], *, continuation: bool) -> list[str]:
    """Return the command that submits a script, after conditions such as 'afterok:12'."""
    waits = [f"--dependency={','.join(after)}", "--kill-on-invalid-dep=yes"] if after else []
    return ["sbatch", "--parsable", *waits, str(path), *["--continuation"][: int(continuation)]]


def chain(
    path: Path,
    parents: Iterable[str],
    leftovers: Iterable[str],
    continuations: int,
    submit: Submit,
    *,
    condition: str = "afterok",
) -> Iterator[str]:
    """Submit the jobs of a task; yield their ids.

    `parents` are the last jobs of the tasks that it needs, which must have met the `condition`;
    `leftovers` are jobs of its own that may still be ending.
    """
    needed = [f"{condition}:{job}" for job in parents]
    ended = [f"afterany:{job}" for job in leftovers]
    for number in range(continuations + 1):
        job = submit(sbatch(path, [*needed, *ended], continuation=number > 0))
        yield job
        ended = [f"afterany:{job}"]


def dry_run(texts: Scripts, bundle: int = 1) -> Iterator[str]:
    """Yield every script that is still to do and the commands that would submit it."""
    states = survey(texts.campaign.tasks, texts.root)
    for line in all_warnings(texts.cases):
        say(f"warning: {line}")
    commands: list[list[str]] = []

    def pretend(_names: Sequence[str], command: list[str]) -> str:
        commands.append(command)
        return f"JOB{len(commands)}"

    for names, jobs in _chains(
        states, texts.profile, texts.root, Queue({}, {}), pretend, bundle=bundle
    ):
        yield f"# ---- {script_path(texts.root, names)}\n{texts.text(names)}"
        yield from (f"# {shlex.join(command)}" for command in commands[-len(jobs) :])
        yield ""


def submit(texts: Scripts, bundle: int = 1) -> Iterator[tuple[Sequence[str], str]]:
    """Submit what is neither done nor queued; yield the tasks of each job and a line about it.

    The case files are kept in the directory as `run` does. `bundle` tasks share a job.

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
        states = survey(texts.campaign.tasks, root)
        close_ledger(root)
        journal = Journal(root / NEW_JOBS, Job)

        def recorded(names: Sequence[str], command: list[str]) -> str:
            job = job_id(command)
            journal.append({"job": job, "tasks": list(names)})
            return job

        def written(names: Sequence[str]) -> None:
            if len(names) > 1:
                write_text(script_path(root, names), texts.text(names))

        made = _chains(states, texts.profile, root, queue, recorded, bundle=bundle, prepare=written)
        try:
            for names, jobs in made:
                yield names, f"{_many(names)}: {_jobs(jobs)}"
        finally:
            close_ledger(root)


def cancel(root: Path) -> Iterator[str]:
    """Cancel all jobs of a run that are queued or running; yield a line for each task.

    Raises
    ------
    UserError
        The scheduler is not there or refuses.
    """
    queue = ask(root)
    waiting = {name: jobs for name in queue.ledger if (jobs := queue.alive_of(name))}
    if waiting:  # the last first, so that none starts because the one before it has ended
        ids = dict.fromkeys(job for jobs in waiting.values() for job in jobs)
        call(["scancel", *reversed(ids)])
    yield from (f"{name}: {_jobs(jobs)} cancelled" for name, jobs in waiting.items())


def _chains(
    states: Mapping[str, State],
    profile: Profile,
    root: Path,
    queue: Queue,
    submit_job: Callable[[Sequence[str], list[str]], str],
    *,
    bundle: int = 1,
    prepare: Callable[[Sequence[str]], None] = lambda _names: None,
) -> Iterator[tuple[Sequence[str], list[str]]]:
    """Submit a chain for each bundle of tasks that are neither done nor queued.

    Yields the tasks and their jobs; `prepare` is called before the jobs of a bundle are submitted.
    """
    last: dict[str, str] = {}
    todo: dict[str, State] = {}
    for name, state in states.items():
        if state.status == "done":
            continue
        if queue.can_finish(state) and todo.keys().isdisjoint(state.task.needs):
            last[name] = queue.ledger[name][-1]
        else:
            todo[name] = state
    # A bundle fails if one of its tasks does; those that need the others are to have their turn.
    condition = "afterok" if bundle == 1 else "afterany"
    kept = {job for name in last for job in queue.alive_of(name)}
    for names in bundles([state.task for state in todo.values()], profile, bundle):
        mine = [job for name in names for job in queue.alive_of(name)]
        alive = dict.fromkeys(job for job in mine if job not in kept)
        if alive:  # a chain that cannot get to its end any more
            call(["scancel", *reversed(alive)])
        prepare(names)
        needs = dict.fromkeys(need for name in names for need in todo[name].task.needs)
        after = dict.fromkeys(last[need] for need in needs if need in last)
        path = script_path(root, names)
        follow = profile.of(todo[names[0]].task).continuations
        with naming(_many(names)):
            jobs = list(
                chain(path, after, alive, follow, partial(submit_job, names), condition=condition)
            )
        last |= dict.fromkeys(names, jobs[-1])
        yield names, jobs


def bundles(tasks: Sequence[Task], profile: Profile, size: int) -> Iterator[Sequence[str]]:
    """Group tasks by `size`, each group after those that it needs.

    Tasks of a group are on one level of the graph, so none needs another, and ask for the same.
    """
    if size == 1:
        yield from ([task.name] for task in tasks)
        return
    level: dict[str, int] = {}
    alike: dict[tuple[int, str], list[str]] = {}
    for task in tasks:
        level[task.name] = 1 + max((level.get(need, 0) for need in task.needs), default=0)
        settings = profile.of(task).model_dump_json(exclude={"tasks"})
        alike.setdefault((level[task.name], settings), []).append(task.name)
    for key in sorted(alike, key=lambda key: key[0]):
        names = alike[key]
        yield from (names[start : start + size] for start in range(0, len(names), size))


def _many(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _jobs(jobs: Sequence[str]) -> str:
    return f"job{'s' if len(jobs) > 1 else ''} {', '.join(jobs)}"
