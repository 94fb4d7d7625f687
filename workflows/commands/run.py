"""`sodiophile run`: compute cases on this machine, then their table and figure."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.campaign import Campaign
from workflows.commands.arguments import add_cases, add_into, add_limits
from workflows.commands.report import show_results
from workflows.preflight.computable import gather_computable
from workflows.preflight.resources import campaign_needs
from workflows.run.local import run
from workflows.run.time_left import Remaining
from workflows.system.messages import shown
from workflows.system.signals import Stopped
from workflows.system.signals import say as warn
from workflows.terminal.console import console
from workflows.terminal.progress import view


def add_arguments(verb: ArgumentParser) -> None:
    """Add the cases, where to compute them, and how much of the machine to use."""
    add_cases(verb)
    add_into(verb)
    add_limits(verb)


def execute(arguments: Namespace) -> int:
    """Compute the cases; return the exit code."""
    return compute(gather_computable(arguments.cases), arguments)


def compute(campaign: Campaign, arguments: Namespace) -> int:
    """Compute cases into `arguments.into` and show what came out; return the exit code."""
    root, terminal = arguments.into, console()
    time_left = Remaining(campaign_needs(campaign).sizes)
    try:
        with view(terminal, shown(root), time_left) as shows:
            states = run(
                campaign, root, jobs=arguments.jobs, view=shows, walltime=arguments.walltime
            )
    except Stopped as stop:
        warn(f"{stop.reason}; nothing is lost: the same command goes on from here")
        return stop.exit_code
    return show_results(campaign, states, root)
