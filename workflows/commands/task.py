"""`sodiophile task`: one task of a run, the unit that `run` and `submit` are made of."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from workflows.commands.arguments import add_walltime
from workflows.dft.team import team
from workflows.run.slurm.queue import queue_again, restarts
from workflows.run.worker import run_tasks
from workflows.system.messages import UserError
from workflows.system.refusals import is_refusal
from workflows.system.signals import OUT_OF_TIME, Stopped, end_with_parent, say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the folders of the tasks, and how they are done."""
    verb.add_argument(
        "tasks",
        metavar="DIR/TASK",
        type=Path,
        nargs="+",
        help="folder of the task in a run's directory; several are done one after the other",
    )
    add_walltime(verb)
    verb.add_argument("--continuation", action="store_true", help="skip the task if it has failed")
    verb.add_argument(
        "--requeue",
        type=int,
        metavar="N",
        default=0,
        help="when a Slurm job is out of time, queue it again, at most N times",
    )
    verb.add_argument(
        "--with-parent", action="store_true", help="stop when standard input is closed"
    )


def execute(arguments: Namespace) -> int:
    """Do the tasks one after the other; return the worst exit code."""
    sys.unraisablehook = _without_refusals
    if arguments.with_parent:
        end_with_parent()
    try:
        return team().work(
            lambda: run_tasks(
                [path.absolute() for path in arguments.tasks],
                arguments.walltime,
                continuation=arguments.continuation or restarts() > 0,
            )
        )
    except Stopped as stop:
        if stop.exit_code == OUT_OF_TIME and team().rank == 0:
            _queue_again(arguments.requeue)
        return stop.exit_code


def _queue_again(most: int) -> None:
    try:
        queue_again(most)
    except UserError as error:
        say(f"the job cannot be queued again ({error}); `submit` again resumes")


def _without_refusals(event: Any) -> None:
    """Leave out files that cannot be closed on a full disk: the first such error was reported."""
    if not is_refusal(event.exc_value):
        sys.__unraisablehook__(event)
