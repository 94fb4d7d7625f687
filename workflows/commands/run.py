"""`sodiophile run`: compute cases on this machine, then their table and figure."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.commands.arguments import add_cases, add_into, add_limits
from workflows.commands.report import show_results
from workflows.preflight.computable import Computable, gather_computable
from workflows.preflight.resources import estimate_needs
from workflows.report.options import Options
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


def compute(cases: Computable, arguments: Namespace) -> int:
    """Compute cases into `arguments.into` and show what came out; return the exit code."""
    root, needs = arguments.into, estimate_needs(cases)
    try:
        with view(console(), shown(root), Remaining(needs.sizes)) as shows:
            states = run(
                cases, needs, root, jobs=arguments.jobs, view=shows, walltime=arguments.walltime
            )
    except Stopped as stop:
        warn(f"{stop.reason}; nothing is lost; the same command resumes")
        return stop.exit_code
    return show_results(cases.campaign, states, root, Options(), cases.structures)
