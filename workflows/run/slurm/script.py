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
from workflows.preflight.rank_limits import require_usable
from workflows.preflight.resources import Needs, estimate_needs
from workflows.run.program import program
from workflows.run.slurm.cluster import Profile, require_known
from workflows.system.messages import UserError, naming, shown
from workflows.tasks.graph import Task

SPARE = 1.5  # memory asked for over the estimate, which is good to a third


MARGIN = 120.0  # seconds before the end of a job at which its task stops, or a quarter of its time


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
    log = str(log_path(root, task.name)).replace("%", "%%")  # %j is the job's id
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
    limit = settings.seconds - min(MARGIN, settings.seconds / 4)
    folders = [str(root / name) for name in names]
    return [*settings.launch, *program(), "task", *folders, "--walltime", _clock(limit)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@dataclass(frozen=True)
class Scripts:
    """Makes the job scripts of a campaign."""

    cases: Computable
    profile: Profile
    root: Path
    needs: Needs

    @property
    def campaign(self) -> Campaign:
        """Return the cases whose tasks the jobs do."""
        return self.cases.campaign

    def text(self, names: Sequence[str]) -> str:
        """Return the script of a job that does these tasks one after the other."""
        first, *others = names
        task, case = self.campaign.tasks[first], self.campaign.case_of(first)
        settings = self.profile.of(task)
        seconds = sum(self.needs.tasks[name].seconds(settings.ranks) for name in names)
        memory = max(self.needs.tasks[name].memory(settings.ranks) for name in names)
        root = self.root.absolute()
        return script(task, case, settings.within(seconds), root, memory, others=others)


def scripts(cases: Computable, profile: Profile, root: Path, source: str) -> Scripts:
    """Return what makes the job scripts.

    Parameters
    ----------
    root
        The directory of the run.
    source
        What messages name as the origin of the profile.

    Raises
    ------
    UserError
        The profile has settings for a task that is not there, or the path cannot be in a script.
    """
    campaign = cases.campaign
    require_known(profile, campaign.tasks, source)
    ranks = {name: profile.of(task).ranks for name, task in campaign.tasks.items()}
    with naming(source):
        _require_ranks(cases, ranks, profile)
    absolute = root.absolute()
    if not str(absolute).isprintable() or "\\" in str(absolute):  # sbatch takes such a line apart
        raise UserError(f"{shown(absolute)}: allowed: a path without line breaks and backslashes")
    return Scripts(cases, profile, root, estimate_needs(cases))


def _require_ranks(cases: Computable, ranks: Mapping[str, int], profile: Profile) -> None:
    """Refuse more ranks than the tasks can use, and several that nothing starts."""
    for name, task in cases.campaign.tasks.items():
        if ranks[name] > 1 and profile.of(task).launcher == "none":
            raise UserError(
                f"ranks: found {ranks[name]} for {name} without a launcher; allowed: 1, or a "
                "launcher such as 'srun --mpi=pmix' or 'mpiexec'"
            )
    require_usable(cases, ranks)


def script_path(root: Path, names: Sequence[str]) -> Path:
    """Return where the script of a job that does these tasks lies."""
    more = f".and-{len(names) - 1}-more" if len(names) > 1 else ""
    return root.absolute() / SCRIPTS / f"{names[0]}{more}.sh"
