"""The text of job scripts."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import SCRIPTS, log_path
from workflows.case.schema import Case
from workflows.preflight.computable import Computable
from workflows.preflight.rank_limits import usable_ranks
from workflows.preflight.resources import Needs, estimate_needs
from workflows.run.program import program
from workflows.run.slurm.cluster import Profile, require_known
from workflows.run.slurm.queue import directory_of
from workflows.system.messages import UserError, few, shown
from workflows.tasks.graph import Task

SPARE = 1.5  # requested memory over the estimate, which is good to a third


MARGIN = 120.0  # seconds before the end of a job at which its task stops; at most a quarter of it


def script(
    task: Task,
    case: Case,
    settings: Profile,
    root: Path,
    memory: float,
    *,
    others: Iterable[str] = (),
) -> str:
    """Return the job script of a task, which can also be given to sbatch by hand.

    Its arguments are passed on to `sodiophile task`.

    Parameters
    ----------
    settings
        What the job requests; they have a time.
    root
        The directory of the run, an absolute path.
    memory
        The estimated memory of the task, bytes.
    others
        Tasks with the same settings that the job does after this one.
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
    log = str(log_path(root, task.name)).replace("%", "%%")  # %j is the job's id
    wanted = {
        "job-name": job_name(case, task),
        "chdir": directory_of(root),
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
        "mail-user": settings.mail_user,
        "mail-type": ",".join(settings.mail_type),
    }
    yield "--requeue" if settings.requeue else "--no-requeue"
    yield from (f"--{key}={shlex.quote(text)}" for key, text in wanted.items() if text)
    yield from map(shlex.quote, settings.options)


def _command(names: Iterable[str], settings: Profile, root: Path) -> list[str]:
    limit = settings.seconds - min(MARGIN, settings.seconds / 4)
    folders = [str(root / name) for name in names]
    again = ["--requeue", str(settings.continuations)] if settings.requeue else []
    return [*settings.launch, *program(), "task", *folders, "--walltime", _clock(limit), *again]


def job_name(case: Case, task: Task) -> str:
    """Return the name of the job that does a task, or a bundle that begins with it."""
    return f"{case.name}-{task.name}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@dataclass(frozen=True)
class Scripts:
    """The job scripts of a campaign, made when they are asked for.

    Attributes
    ----------
    cases
        The cases whose tasks the jobs do.
    settings
        What the job of each task requests, by the task's folder.
    needs
        What the tasks need.
    root
        The directory of the run.
    notes
        What a person should know before submitting, a line each.
    """

    cases: Computable
    settings: Mapping[str, Profile]
    needs: Needs
    root: Path
    notes: tuple[str, ...] = ()

    @property
    def campaign(self) -> Campaign:
        """Return the cases whose tasks the jobs do."""
        return self.cases.campaign

    def of(self, names: Sequence[str]) -> Profile:
        """Return what a job for these tasks requests, one after the other; it has a time."""
        settings = self.settings[names[0]]
        return settings.within(sum(self.needs.tasks[n].seconds(settings.ranks) for n in names))

    def memory(self, names: Sequence[str]) -> float:
        """Return the memory that such a job is estimated to need, bytes."""
        ranks = self.settings[names[0]].ranks
        return max(self.needs.tasks[name].memory(ranks) for name in names)

    def name(self, names: Sequence[str]) -> str:
        """Return the name of such a job."""
        return job_name(self.campaign.case_of(names[0]), self.campaign.tasks[names[0]])

    def text(self, names: Sequence[str]) -> str:
        """Return the script of such a job."""
        first, *others = names
        task, case = self.campaign.tasks[first], self.campaign.case_of(first)
        root = self.root.absolute()
        return script(task, case, self.of(names), root, self.memory(names), others=others)


def scripts(cases: Computable, profile: Profile, root: Path, source: str) -> Scripts:
    """Return the job scripts of a campaign; no task gets more MPI ranks than it can use.

    Parameters
    ----------
    root
        The directory of the run.
    source
        What messages name as the origin of the profile.

    Raises
    ------
    UserError
        The profile has settings for a task that is not there, or several ranks without a launcher,
        or the path of the directory cannot stand in a script.
    """
    tasks = cases.campaign.tasks
    require_known(profile, tasks, source)
    asked = {name: profile.of(task) for name, task in tasks.items()}
    for name, settings in asked.items():
        if settings.ranks > 1 and settings.launcher == "none":
            raise UserError(
                f"{source}: ranks: found {settings.ranks} for {name} without a launcher; allowed: "
                "1, or a launcher such as 'srun --mpi=pmix' or 'mpiexec'"
            )
    absolute = root.absolute()
    if not str(absolute).isprintable() or "\\" in str(absolute):  # sbatch takes such a line apart
        raise UserError(f"{shown(absolute)}: allowed: a path without line breaks and backslashes")
    usable = usable_ranks(cases, [name for name, of in asked.items() if of.ranks > 1])
    capped = {n: of.with_ranks(int(min(of.ranks, usable.get(n, 1)))) for n, of in asked.items()}
    notes = tuple(_notes_on_ranks(asked, capped))
    return Scripts(cases, capped, estimate_needs(cases), root, notes)


def _notes_on_ranks(asked: Mapping[str, Profile], capped: Mapping[str, Profile]) -> Iterator[str]:
    """Yield a line for each number of MPI ranks that is less than was asked for."""
    fewer: dict[tuple[int, int], list[str]] = {}
    for name, settings in asked.items():
        if capped[name].ranks < settings.ranks:
            fewer.setdefault((settings.ranks, capped[name].ranks), []).append(name)
    for (more, used), names in fewer.items():
        yield (
            f"MPI ranks: {used} instead of {more} for {few(names)}: "
            "no more irreducible k-points and spins to share"
        )


def script_path(root: Path, names: Sequence[str]) -> Path:
    """Return where the script of a job lies.

    Parameters
    ----------
    root
        The directory of the run.
    names
        The tasks that the job does.
    """
    more = f".and-{len(names) - 1}-more" if len(names) > 1 else ""
    return root.absolute() / SCRIPTS / f"{names[0]}{more}.sh"
