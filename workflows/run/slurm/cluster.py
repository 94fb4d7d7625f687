"""The profile of a cluster: what a job requests, and how it starts a task.

A profile is a TOML file, checked like a case file; it changes no number. Two examples are in
`workflows/run/slurm/profiles`.
"""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from workflows.case.fields import Section, matching
from workflows.case.reading import MAX_BYTES, checked, read_file
from workflows.system.messages import UserError, naming, nearest, shown
from workflows.system.signals import parse_walltime
from workflows.tasks.graph import Task

MOST_HOURS = 2400  # of a job


LONGEST_DEFAULT = 24  # hours of a job whose time is not given


LAUNCHERS = ("srun", "mpiexec", "mpirun")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("allowed: text on one line")
    return text


def _launcher(text: str) -> str:
    try:
        program, *_ = shlex.split(text)
    except ValueError:  # no word, or a quote without end
        program = ""
    if text != "none" and Path(program).name not in LAUNCHERS:
        raise ValueError(
            "allowed: 'none', or 'srun', 'mpiexec' or 'mpirun' and its options, such as "
            "'srun --mpi=pmix'"
        )
    return text


def _not_too_short(time: str) -> str:
    hours, minutes, _ = map(int, time.split(":"))
    if not 1 <= 60 * hours + minutes <= 60 * MOST_HOURS:
        raise ValueError(f"allowed: 0:01:00 to {MOST_HOURS}:00:00")
    return time


Word = Annotated[str, matching(r"[!-~]{1,200}", "text without spaces")]


Variable = Annotated[str, matching("[A-Za-z_][A-Za-z0-9_]{0,99}", "the name of a variable")]


Line = Annotated[str, AfterValidator(_printable)]


# Options of sbatch that a profile has keys for, or that would break the scheme: one job, found
# again by its id, name and directory, for the tasks in its script.
OF_THE_PROFILE = (
    "time", "mem", "mem-per-cpu", "mem-per-gpu", "ntasks", "ntasks-per-node", "partition",
    "account", "qos", "constraint", "mail-user", "mail-type", "requeue", "no-requeue",
)  # fmt: skip


OF_THE_SCHEME = (
    "array", "dependency", "kill-on-invalid-dep", "job-name", "output", "error", "input",
    "open-mode", "chdir", "parsable", "quiet", "test-only", "wait", "wrap", "clusters", "hold",
    "uid", "gid", "help", "usage", "version",
)  # fmt: skip


def _harmless(option: str) -> str:
    name = re.split("[= ]", option, maxsplit=1)[0][2:]
    for known in OF_THE_PROFILE:
        if known.startswith(name):  # sbatch takes the beginning of a name for the whole
            raise ValueError(f"--{known} has a key of its own in the profile")
    for known in OF_THE_SCHEME:
        if known.startswith(name):
            raise ValueError(
                f"--{known} is set by `submit`, or breaks its scheme; allowed: other options of "
                "sbatch, such as '--exclusive'"
            )
    return option


Option = Annotated[
    str,
    AfterValidator(_printable),
    matching("--[a-z].*", "an option, such as '--exclusive'"),
    AfterValidator(_harmless),
]


# of sbatch's --mail-type
Occasion = Literal["BEGIN", "END", "FAIL", "REQUEUE", "TIME_LIMIT", "TIME_LIMIT_80", "ALL"]


Time = Annotated[
    str,
    matching("[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]", "H:MM:SS, such as '4:00:00'"),
    AfterValidator(_not_too_short),
]


Memory = Annotated[str, matching("[1-9][0-9]{0,6}[MG]", "such as '4G' or '800M'")]


class Override(Section):
    """What a job requests; in a profile's `tasks`, for one task or one kind of task."""

    time: Time | None = None  # else from the size of the task's system, see `within`
    memory: Memory | None = None  # else from the estimate of preflight/resources.py
    ranks: Annotated[int, Field(ge=1, le=10_000)] = 1  # of MPI, for a task
    ranks_per_node: Annotated[int, Field(ge=1, le=10_000)] | None = None
    launcher: Annotated[Line, AfterValidator(_launcher)] = "none"
    # How often a task resumes when the time of its job is up: in the same job, which queues itself
    # again, or, where compute nodes may not call the scheduler (requeue = false), in the next one.
    requeue: bool = True
    continuations: Annotated[int, Field(ge=0, le=50)] = 2
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    mail_user: Word | None = None
    mail_type: Annotated[tuple[Occasion, ...], Field(strict=False)] = ()
    modules: Annotated[tuple[Word, ...], Field(strict=False)] = ()
    environment: dict[Variable, Line] = Field(default={})
    options: Annotated[tuple[Option, ...], Field(strict=False)] = ()  # more for sbatch


class Profile(Override):
    """A cluster: what every job requests, and what the jobs of single tasks request instead."""

    tasks: dict[str, Override] = Field(default={})

    def of(self, task: Task) -> Profile:
        """Return the settings of one task: by its name, else its kind, else those of every job."""
        changes = [self.tasks[key] for key in (task.kind, task.label) if key in self.tasks]
        merged = {k: getattr(o, k) for o in changes for k in o.model_fields_set}
        return self.model_copy(update=merged)

    def within(self, seconds: float) -> Profile:
        """Return settings with a time: the profile's, or whole hours for a number of seconds.

        It is a day at most, the limit of many queues: a task that needs more resumes.
        """
        hours = min(max(math.ceil(seconds / 3600), 1), LONGEST_DEFAULT)
        return self if self.time else self.model_copy(update={"time": f"{hours}:00:00"})

    def with_ranks(self, ranks: int) -> Profile:
        """Return the settings with another number of MPI ranks."""
        per_node = self.ranks_per_node and min(self.ranks_per_node, ranks)
        return self.model_copy(update={"ranks": ranks, "ranks_per_node": per_node})

    @property
    def followers(self) -> int:
        """Return how many jobs follow each one, to resume where it ran out of time."""
        return 0 if self.requeue else self.continuations

    @property
    def launch(self) -> list[str]:
        """Return the words of the command that starts a task's MPI ranks; none without launcher."""
        if self.launcher == "none":
            return []
        program, *options = shlex.split(self.launcher)
        srun = Path(program).name == "srun"
        count = [f"--ntasks={self.ranks}"] if srun else ["-n", str(self.ranks)]
        return [program, *count, *options]

    @property
    def seconds(self) -> float:
        """Return the wall-clock time of a job, seconds; of settings that have one."""
        if self.time is None:
            raise ValueError("these settings have no time yet: see `within`")
        return parse_walltime(self.time)


def read_profile(path: Path) -> Profile:
    """Read a profile from a TOML file.

    Raises
    ------
    UserError
        With one line per problem: file, field, what was found, what is allowed.
    """
    return checked(Profile, read_file(path, MAX_BYTES, "a TOML file of a cluster"), shown(path))


def require_known(profile: Profile, tasks: dict[str, Task], source: str) -> None:
    """Refuse a profile with settings for tasks that there are not.

    Parameters
    ----------
    source
        What messages name as the origin of the profile.

    Raises
    ------
    UserError
        A key of the profile's `tasks` is neither the name nor the kind of a task.
    """
    names = [name for task in tasks.values() for name in (task.kind, task.label)]
    allowed = [*dict.fromkeys(names[::2]), *dict.fromkeys(names[1::2])]
    for key in profile.tasks:
        if key not in allowed:
            with naming(source):
                raise UserError(
                    f"tasks.{shown(key)}: unknown task{nearest(key, allowed)}; "
                    f"allowed: {', '.join(allowed)}"
                )
