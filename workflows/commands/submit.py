"""`sodiophile submit`: compute cases on a cluster, every task as Slurm jobs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from workflows.commands import DONE
from workflows.commands.arguments import add_cases, add_into, count
from workflows.preflight.computable import gather_computable
from workflows.run.slurm.cluster import read_profile
from workflows.run.slurm.script import scripts
from workflows.run.slurm.submit import dry_run, submit
from workflows.system.messages import shown
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the cases, where to compute them, and what jobs ask for."""
    add_cases(verb)
    add_into(verb)
    verb.add_argument(
        "--profile",
        metavar="CLUSTER.toml",
        type=Path,
        required=True,
        help="what jobs request: time, memory, partition, ...",
    )
    verb.add_argument(
        "--bundle",
        type=count,
        metavar="N",
        default=1,
        help="tasks per job, one after the other (default: 1)",
    )
    verb.add_argument(
        "--dry-run", action="store_true", help="print the scripts; write and submit nothing"
    )


def execute(arguments: Namespace) -> int:
    """Submit what is neither done nor queued; return the exit code."""
    cases = gather_computable(arguments.cases)
    profile = read_profile(arguments.profile)
    texts = scripts(cases, profile, arguments.into, shown(arguments.profile))
    if arguments.dry_run:
        for line in dry_run(texts, arguments.bundle):
            say(line)
        return DONE
    submitted = 0
    for names, line in submit(texts, arguments.bundle):
        say(line)
        submitted += len(names)
    say(
        f"{submitted} of {len(cases.campaign.tasks)} tasks submitted; the others are done or queued"
    )
    return DONE
