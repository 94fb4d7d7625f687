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

from workflows.case import CASE, Case, CaseError, naming, one_line, shown
from workflows.profile import Profile, require_known
from workflows.store import lock, read_signed, write_signed, write_text
from workflows.tasks import State, Task, plan, survey

JOBS = "jobs.json"  # the ids of every task's jobs, in a run's directory
SCRIPTS = "jobs"  # and the folder of its scripts
SPARE = 1.5  # memory asked for over the estimate, which is good to a third
MARGIN = 120.0  # seconds before the end of a job at which its task stops, or a quarter of its time
COMMAND_LIMIT = 120.0  # seconds that a command of the scheduler may take

Submit = Callable[[list[str]], str]


# ---- text ---------------------------------------------------------------------------------------


def script(task: Task, case: Case, profile: Profile, root: Path, memory: float) -> str:
    """Return the job script of a task; `memory` (bytes) is its estimate, `root` is absolute.

    It can be given to sbatch by hand. Its arguments are passed on to `sodiophile task`.
    """
    settings = profile.of(task)
    lines = ["#!/bin/bash -l", f"# {task.title}"]
    lines += [f"#SBATCH {option}" for option in _options(task, case, settings, root, memory)]
    lines += ["", "set -e"]
    lines += [f"module load {shlex.quote(name)}" for name in settings.modules]
    lines += [f"export {key}={shlex.quote(text)}" for key, text in settings.environment.items()]
    # exec: signals and the exit code are the task's own
    lines.append(f'exec {shlex.join(_command(task, settings, root))} "$@"')
    return "\n".join(lines) + "\n"


def _options(task: Task, case: Case, settings: Profile, root: Path, memory: float) -> Iterator[str]:
    log = str(root / "logs" / f"{task.name}.txt").replace("%", "%%")  # %j is the job's id
    wanted = {
        "job-name": f"{case.name}-{task.name}",
        "output": log,
        "open-mode": "append",
        "ntasks": str(settings.ranks),
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


def _command(task: Task, settings: Profile, root: Path) -> list[str]:
    launcher = ["srun", "--ntasks=1"] if settings.launcher == "srun" else []
    python = [sys.executable, "-m", "workflows.cli"]
    limit = settings.seconds - min(MARGIN, settings.seconds / 4)
    return [*launcher, *python, "task", str(root / task.name), "--walltime", _clock(limit)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def sbatch(path: Path, after: Sequence[str], *, continuation: bool) -> list[str]:
    """Return the command that submits a script, after conditions such as 'afterok:12'."""
    waits = [f"--dependency={','.join(after)}", "--kill-on-invalid-dep=yes"] if after else []
    return ["sbatch", "--parsable", *waits, str(path), *["--continuation"][: int(continuation)]]


def chain(
    path: Path, parents: Iterable[str], leftovers: Iterable[str], continuations: int, submit: Submit
) -> Iterator[str]:
    """Submit the jobs of a task; yield their ids.

    `parents` are the last jobs of the tasks that it needs; `leftovers` are jobs of its own that
    may still be ending.
    """
    needed = [f"afterok:{job}" for job in parents]
    ended = [f"afterany:{job}" for job in leftovers]
    for number in range(continuations + 1):
        job = submit(sbatch(path, [*needed, *ended], continuation=number > 0))
        yield job
        ended = [f"afterany:{job}"]


# ---- verbs --------------------------------------------------------------------------------------


def scripts(case: Case, profile: Profile, root: Path, source: str) -> dict[str, str]:
    """Return the job script of every task, by name.

    Raises
    ------
    CaseError
        The profile has settings for a task that is not there, or the path cannot be in a script.
    """
    from workflows.needs import needs  # builds structures: `status` does without

    tasks = plan(case)
    require_known(profile, tasks, source)
    root = root.absolute()
    if not str(root).isprintable() or "\\" in str(root):  # sbatch takes such a line apart
        raise CaseError(f"{shown(root)}: allowed: a path without line breaks and backslashes")
    memory = needs(case).memory
    return {name: script(task, case, profile, root, memory[name]) for name, task in tasks.items()}


def dry_run(case: Case, profile: Profile, root: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield every script that is still to do and the commands that would submit it."""
    states = survey(plan(case), root)
    commands: list[list[str]] = []

    def pretend(_name: str, command: list[str]) -> str:
        commands.append(command)
        return f"JOB{len(commands)}"

    for name, jobs in _chains(states, profile, root, Queue({}, {}), pretend):
        yield f"# ---- {_script_path(root, name)}\n{texts[name]}"
        yield from (f"# {shlex.join(command)}" for command in commands[-len(jobs) :])
        yield ""


def submit(
    case: Case, content: bytes, profile: Profile, root: Path, texts: Mapping[str, str]
) -> Iterator[str]:
    """Submit what is neither done nor queued; yield a line for each task.

    `content` is the case file's, kept in the directory as `run` does; `texts` are the scripts.

    Raises
    ------
    CaseError
        The directory belongs to another case, or the scheduler refuses; what was submitted is
        kept, and the same call submits the rest.
    Locked
        Another `submit` or a `run` works there.
    """
    # these import GPAW: `status` does without
    from workflows.caution import warn
    from workflows.local import require_own, write_case

    require_own(case, root)
    ask(root)  # without a scheduler nothing is written
    (root / SCRIPTS).mkdir(parents=True, exist_ok=True)
    (root / "logs").mkdir(exist_ok=True)
    with lock(root / ".lock", shown(root)):
        queue = ask(root)
        write_case(content, root)
        for name, text in texts.items():
            write_text(_script_path(root, name), text)
        warn(case, root / CASE)
        states = survey(plan(case), root)
        fresh: dict[str, list[str]] = {}

        def recorded(name: str, command: list[str]) -> str:
            job = _job_id(command)
            fresh.setdefault(name, []).append(job)
            _write_ledger(root, {**queue.ledger, **fresh})
            return job

        for name, jobs in _chains(states, profile, root, queue, recorded):
            yield f"{name}: {_jobs(jobs)}"


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
        _call(["scancel", *reversed([job for jobs in waiting.values() for job in jobs])])
    yield from (f"{name}: {_jobs(jobs)} cancelled" for name, jobs in waiting.items())


def _chains(
    states: Mapping[str, State],
    profile: Profile,
    root: Path,
    queue: Queue,
    submit_job: Callable[[str, list[str]], str],
) -> Iterator[tuple[str, list[str]]]:
    """Submit a chain for each task that is neither done nor queued; yield its name and jobs."""
    last: dict[str, str] = {}
    renewed: set[str] = set()
    for name, state in states.items():
        if state.status == "done":
            continue
        parents = [parent for parent in state.task.needs if parent in last]
        if queue.can_finish(state) and renewed.isdisjoint(parents):
            last[name] = queue.ledger[name][-1]
            continue
        leftovers = queue.alive_of(name)  # of a chain that cannot get to its end any more
        if leftovers:
            _call(["scancel", *reversed(leftovers)])
        path, follow = _script_path(root, name), profile.of(state.task).continuations
        with naming(name):
            after = [last[parent] for parent in parents]
            jobs = list(chain(path, after, leftovers, follow, partial(submit_job, name)))
        last[name] = jobs[-1]
        renewed.add(name)
        yield name, jobs


def _script_path(root: Path, name: str) -> Path:
    return root.absolute() / SCRIPTS / f"{name}.sh"


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
    if not (root / JOBS).exists():
        return {}
    data = read_signed(root / JOBS)
    if data is None:
        raise CaseError(
            f"{shown(root / JOBS)}: damaged, so it is not known which jobs belong to the run; "
            "cancel them with scancel, then delete the file"
        )
    jobs: dict[str, list[str]] = data["jobs"]
    return jobs


def _write_ledger(root: Path, ledger: Mapping[str, list[str]]) -> None:
    write_signed(root / JOBS, {"jobs": dict(ledger)})


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
