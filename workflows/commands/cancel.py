"""`sodiophile cancel`: cancel the Slurm jobs of a run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.run.slurm.submit import cancel
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run."""
    add_directory(verb)


def execute(arguments: Namespace) -> int:
    """Cancel the jobs; return the exit code."""
    read_campaign(arguments.directory)
    for line in cancel(arguments.directory):
        say(line)
    return DONE
