"""`sodiophile timing`: where a run's time went."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.report.timing import left_out, task_times, time_table
from workflows.tasks.status import survey_recorded
from workflows.terminal.console import console, say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run."""
    add_directory(verb)


def execute(arguments: Namespace) -> int:
    """Print the times of all finished tasks; return the exit code."""
    states = survey_recorded(read_campaign(arguments.directory).tasks, arguments.directory)
    spent = task_times(states)
    console().print(time_table(spent))
    for line in left_out(spent, states):
        say(line)
    return DONE
