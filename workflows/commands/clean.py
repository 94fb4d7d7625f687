"""`sodiophile clean`: delete files of a run that can be regenerated."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.run.clean import clean
from workflows.tasks.status import survey
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run, and how far to go."""
    add_directory(verb)
    verb.add_argument(
        "--small-cubes",
        action="store_true",
        help="also make the density differences coarse and compressed, for good: for an archive",
    )


def execute(arguments: Namespace) -> int:
    """Delete the files; return the exit code."""
    root = arguments.directory
    states = survey(read_campaign(root).tasks, root)
    for line in clean(root, states, small_cubes=arguments.small_cubes):
        say(line)
    return DONE
