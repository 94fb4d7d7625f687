"""`sodiophile timing`: where a run's time went."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.report.timing import left_out, task_times, time_table, timeline
from workflows.system.messages import UserError, shown
from workflows.tasks.status import survey_recorded
from workflows.terminal.console import console, say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run, and whether to draw."""
    add_directory(verb)
    verb.add_argument(
        "--figure", action="store_true", help="draw when each task was at work, in DIR/figures"
    )


def execute(arguments: Namespace) -> int:
    """Print the times of all finished tasks; return the exit code."""
    root = arguments.directory
    campaign = read_campaign(root)
    states = survey_recorded(campaign.tasks, root)
    spent = task_times(states)
    spans = timeline(spent) if arguments.figure else []
    if arguments.figure and not spans:
        raise UserError(
            f"--figure: found no task in {shown(root)} that records when it began; allowed: with "
            "one at least (results of earlier versions do not)"
        )
    console().print(time_table(spent))
    for line in left_out(spent, states):
        say(line)
    if arguments.figure:
        from workflows.report.timeline import save_timeline  # matplotlib takes a second to import

        say(f"figure: {shown(save_timeline(spans, campaign, root))}")
    return DONE
