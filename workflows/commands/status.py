"""`sodiophile status`: how far every task of a run is, wherever it runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.run.slurm.queue import describe_jobs
from workflows.system.messages import shown
from workflows.tasks.status import earlier_version, summary, survey_recorded
from workflows.terminal.console import console, say
from workflows.terminal.logs import ends_of_logs
from workflows.terminal.progress import status_table


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run, and whether to stay and watch it."""
    add_directory(verb)
    verb.add_argument(
        "--watch", action="store_true", help="keep showing it live, wherever it runs, until Ctrl-C"
    )


def execute(arguments: Namespace) -> int:
    """Show the tasks; return the exit code."""
    root = arguments.directory
    campaign = read_campaign(root)
    say(f"{campaign.title} in {shown(root)}")
    if arguments.watch:
        # Not at the top: it needs the structures, and `status` alone answers at once.
        from workflows.terminal.watch import watch_campaign

        states = watch_campaign(campaign, root, console())
    else:
        states = survey_recorded(campaign.tasks, root)
        console().print(status_table(states))
    idle, lines = describe_jobs(states, root)
    failed = [name for name, state in states.items() if state.status == "failed"]
    ends = ends_of_logs([*failed, *idle], root)
    for line in filter(None, [*lines, *ends, summary(states), earlier_version(states)]):
        say(line)
    return DONE
