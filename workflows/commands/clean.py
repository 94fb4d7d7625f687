"""`sodiophile clean`: delete files of a run that can be regenerated."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import nullcontext

from workflows.campaign.directory import read_campaign, working_in
from workflows.commands import DONE, INCOMPLETE
from workflows.commands.arguments import add_directory
from workflows.run.clean import carry_out, plan_cleaning
from workflows.tasks.status import survey_recorded
from workflows.terminal.console import confirmed, say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run, and how far to go."""
    add_directory(verb)
    verb.add_argument(
        "--dry-run", action="store_true", help="list what would be deleted; delete nothing"
    )
    verb.add_argument("--yes", action="store_true", help="delete without asking")
    verb.add_argument(
        "--set-aside",
        action="store_true",
        help="also delete contents set aside: damaged files, and results of other inputs",
    )
    verb.add_argument(
        "--small-cubes",
        action="store_true",
        help="also make the density differences coarse and compressed; this cannot be undone",
    )


def execute(arguments: Namespace) -> int:
    """List the files, ask, and delete them; return the exit code."""
    root = arguments.directory
    campaign = read_campaign(root)
    with nullcontext() if arguments.dry_run else working_in(root):
        states = survey_recorded(campaign.tasks, root)
        cleaning = plan_cleaning(
            campaign,
            states,
            root,
            set_aside=arguments.set_aside,
            small_cubes=arguments.small_cubes,
        )
        for line in cleaning.lines():
            say(line)
        if arguments.dry_run or cleaning.is_empty:
            return DONE
        if not (arguments.yes or confirmed("delete them?")):
            say("nothing is deleted")
            return INCOMPLETE
        carry_out(cleaning, states)
    return DONE
