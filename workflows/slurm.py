"""The graph on a cluster: each task a chain of Slurm jobs, each edge a dependency.

The first job of a chain does the task. The others follow it whatever became of it (afterany) and
run the same command: they go on where it was stopped, and end at once if the task is done or has
failed. Tasks that need this one wait for its last job (afterok). No process of ours has to live
while jobs wait.
"""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.campaign import Campaign, case_files, require_own, write_campaign
from workflows.case import Case, CaseError, naming, one_line, shown
from workflows.history import History, whole_records
from workflows.profile import Profile, require_known
from workflows.store import lock, read_signed, write_signed, write_text
from workflows.tasks import State, Task, survey

if TYPE_CHECKING:
    from workflows.needs import Needs

JOBS = "jobs.json"  # the ids of every task's jobs, in a run's directory
NEW_JOBS = "jobs.jsonl"  # those of a submission that is not over: a line for each job
SCRIPTS = "jobs"  # and the folder of its scripts
SPARE = 1.5  # memory asked for over the estimate, which is good to a third
MARGIN = 120.0  # seconds before the end of a job at which its task stops, or a quarter of its time
COMMAND_LIMIT = 120.0  # seconds that a command of the scheduler may take

Submit = Callable[[list[str]], str]


# ---- text ---------------------------------------------------------------------------------------


def script(
    task: Task,
    case: Case,
    settings: Profile,
    root: Path,
    memory: float,
    *,
    others: Iterable[str] = (),
) -> str:
    """Return the job script of a task with these settings, which have a time.

    `memory` (bytes) is the estimate for the task, `root` is absolute.

    It can be given to sbatch by hand. Its arguments are passed on to `sodiophile task`. `others`
    are tasks with the same settings that the job does after this one.
    """
    lines = ["#!/bin/bash -l", f"# {task.title}"]
    lines += [f"#SBATCH {option}" for option in _options(task, case, settings, root, memory)]
    lines += ["", "set -e"]
    lines += [f"module load {shlex.quote(name)}" for name in settings.modules]
    lines += [f"export {key}={shlex.quote(text)}" for key, text in settings.environment.items()]
    # exec: signals and the exit code are the task's own
    lines.append(f'exec {shlex.join(_command([task.name, *others], settings, root))} "$@"')
    return "\n".join(lines) + "\n"


def _options(task: Task, case: Case, settings: Profile, root: Path, memory: float) -> Iterator[str]:
    log = str(root / "logs" / f"{task.name}.txt").replace("%", "%%")  # %j is the job's id
    wanted = {
        "job-name": f"{case.name}-{task.name}",
        "output": log,
        "open-mode": "append",
        "ntasks": str(settings.ranks),
        "ntasks-per-node": str(settings.ranks_per_node or ""),
        "cpus-per-task": "1",
        "mem": settings.memory or f"{math.ceil(SPARE * memory / 1e8) * 100}M",
        "time": settings.time,
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
    }
    yield from (f"--{key}={shlex.quote(text)}" for key, text in wanted.items() if text)
    yield from map(shlex.quote, settings.options)


def _command(names: Iterable[str], settings: Profile, root: Path) -> list[str]:
    python = [sys.executable, "-m", "workflows.cli"]
    limit = settings.seconds - min(MARGIN, settings.seconds / 4)
    folders = [str(root / name) for name in names]
    return [*settings.launch, *python, "task", *folders, "--walltime", _clock(limit)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


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


# ---- verbs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scripts:
    """Makes the job scripts of a campaign."""

    campaign: Campaign
    profile: Profile
    root: Path
    needs: Needs

    def text(self, names: Sequence[str]) -> str:
        """Return the script of a job that does these tasks one after the other."""
        first, *others = names
        task, case = self.campaign.tasks[first], self.campaign.case_of(first)
        settings = self.profile.of(task)
        tasks = [self.campaign.tasks[name] for name in names]
        seconds = sum(self.needs.seconds(one, settings.ranks) for one in tasks)
        memory = max(self.needs.memory[name] for name in names)
        root = self.root.absolute()
        return script(task, case, settings.within(seconds), root, memory, others=others)


def scripts(campaign: Campaign, profile: Profile, root: Path, source: str) -> Scripts:
    """Return what makes the job scripts; `source` names the profile in errors.

    Raises
    ------
    CaseError
        The profile has settings for a task that is not there, or the path cannot be in a script.
    """
    from workflows.needs import campaign_needs  # builds structures: `status` does without

    require_known(profile, campaign.tasks, source)
    ranks = {name: profile.of(task).ranks for name, task in campaign.tasks.items()}
    with naming(source):
        _require_ranks(campaign, ranks, profile)
    absolute = root.absolute()
    if not str(absolute).isprintable() or "\\" in str(absolute):  # sbatch takes such a line apart
        raise CaseError(f"{shown(absolute)}: allowed: a path without line breaks and backslashes")
    return Scripts(campaign, profile, root, campaign_needs(campaign, ranks))


def _require_ranks(campaign: Campaign, ranks: Mapping[str, int], profile: Profile) -> None:
    """Refuse more ranks than the tasks can use, and several that nothing starts."""
    from workflows.ranks import require_usable

    for name, task in campaign.tasks.items():
        if ranks[name] > 1 and profile.of(task).launcher == "none":
            raise CaseError(
                f"ranks: found {ranks[name]} for {name} without a launcher; allowed: 1, or a "
                "launcher such as 'srun --mpi=pmix' or 'mpiexec'"
            )
    require_usable([(task, campaign.case_of(n)) for n, task in campaign.tasks.items()], ranks)


def dry_run(texts: Scripts, bundle: int = 1) -> Iterator[str]:
    """Yield every script that is still to do and the commands that would submit it."""
    states = survey(texts.campaign.tasks, texts.root)
    commands: list[list[str]] = []

    def pretend(_names: Sequence[str], command: list[str]) -> str:
        commands.append(command)
        return f"JOB{len(commands)}"

    for names, jobs in _chains(
        states, texts.profile, texts.root, Queue({}, {}), pretend, bundle=bundle
    ):
        yield f"# ---- {_script_path(texts.root, names)}\n{texts.text(names)}"
        yield from (f"# {shlex.join(command)}" for command in commands[-len(jobs) :])
        yield ""


def submit(texts: Scripts, bundle: int = 1) -> Iterator[tuple[Sequence[str], str]]:
    """Submit what is neither done nor queued; yield the tasks of each job and a line about it.

    The case files are kept in the directory as `run` does. `bundle` tasks share a job.

    Raises
    ------
    CaseError
        The directory belongs to other cases, or the scheduler refuses; what was submitted is
        kept, and the same call submits the rest.
    Locked
        Another `submit` or a `run` works there.
    """
    from workflows.caution import warn  # it imports GPAW: `status` does without

    root = texts.root
    require_own(texts.campaign, root)
    ask(root)  # without a scheduler nothing is written
    (root / SCRIPTS).mkdir(parents=True, exist_ok=True)
    (root / "logs").mkdir(exist_ok=True)
    with lock(root / ".lock", shown(root)):
        queue = ask(root)
        write_campaign(texts.campaign, root)
        for name in texts.campaign.tasks:
            write_text(_script_path(root, [name]), texts.text([name]))
        for case, path in case_files(texts.campaign, root):
            warn(case, path)
        states = survey(texts.campaign.tasks, root)
        _close_ledger(root)
        journal = History(root / NEW_JOBS)

        def recorded(names: Sequence[str], command: list[str]) -> str:
            job = _job_id(command)
            journal.append({"job": job, "tasks": list(names)})
            return job

        def written(names: Sequence[str]) -> None:
            if len(names) > 1:
                write_text(_script_path(root, names), texts.text(names))

        made = _chains(states, texts.profile, root, queue, recorded, bundle=bundle, prepare=written)
        try:
            for names, jobs in made:
                yield names, f"{_many(names)}: {_jobs(jobs)}"
        finally:
            _close_ledger(root)


def cancel(root: Path) -> Iterator[str]:
    """Cancel all jobs of a run that are queued or running; yield a line for each task.

    Raises
    ------
    CaseError
        The scheduler is not there or refuses.
    """
    queue = ask(root)
    waiting = {name: jobs for name in queue.ledger if (jobs := queue.alive_of(name))}
    if waiting:  # the last first, so that none starts because the one before it has ended
        ids = dict.fromkeys(job for jobs in waiting.values() for job in jobs)
        _call(["scancel", *reversed(ids)])
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
            _call(["scancel", *reversed(alive)])
        prepare(names)
        needs = dict.fromkeys(need for name in names for need in todo[name].task.needs)
        after = dict.fromkeys(last[need] for need in needs if need in last)
        path = _script_path(root, names)
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


def _script_path(root: Path, names: Sequence[str]) -> Path:
    more = f".and-{len(names) - 1}-more" if len(names) > 1 else ""
    return root.absolute() / SCRIPTS / f"{names[0]}{more}.sh"


def _many(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _jobs(jobs: Sequence[str]) -> str:
    return f"job{'s' if len(jobs) > 1 else ''} {', '.join(jobs)}"


# ---- the scheduler ------------------------------------------------------------------------------


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
    CaseError
        The scheduler is not there or refuses, or the record of the jobs is damaged.
    """
    ledger = _read_ledger(root)
    told = _call(["squeue", "--me", "--noheader", "--format=%i %T"])
    alive = dict(line.split(maxsplit=1) for line in told.splitlines() if line.strip())
    return Queue(ledger, {job: s.lower() for job, s in alive.items() if s != "COMPLETING"})


def _read_ledger(root: Path) -> dict[str, list[str]]:
    fresh: dict[str, list[str]] = {}
    for record in whole_records(root / NEW_JOBS):
        for name in record["tasks"]:
            fresh.setdefault(name, []).append(record["job"])
    if not (root / JOBS).exists():
        return fresh
    data = read_signed(root / JOBS)
    if data is None:
        raise CaseError(
            f"{shown(root / JOBS)}: damaged, so it is not known which jobs belong to the run; "
            "cancel them with scancel, then delete the file"
        )
    jobs: dict[str, list[str]] = data["jobs"]
    return {**jobs, **fresh}


def _close_ledger(root: Path) -> None:
    """Put the jobs of a submission to those of earlier ones; broken off, it can be done again."""
    ledger = _read_ledger(root)
    if ledger:
        write_signed(root / JOBS, {"jobs": ledger})
    (root / NEW_JOBS).unlink(missing_ok=True)


def _job_id(command: list[str]) -> str:
    job = _call(command).strip().split(";")[0]  # 'id;cluster' where there are several clusters
    if not job.isdigit():
        raise CaseError(f"sbatch: found {one_line(job)[:60]!r}; allowed: the id of a job")
    return job


def _call(command: list[str]) -> str:
    """Return what a command of the scheduler prints."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_LIMIT, check=False
        )
    except FileNotFoundError:
        raise CaseError(
            f"{command[0]}: no such command; allowed: a machine that can submit Slurm jobs"
        ) from None
    except subprocess.TimeoutExpired:
        raise CaseError(f"{command[0]}: no answer in {COMMAND_LIMIT:.0f} s; try again") from None
    if done.returncode:
        raise CaseError(f"{command[0]}: {one_line(done.stderr)[:500] or 'failed'}")
    return done.stdout
