"""`sodiophile plating`: nucleation overpotentials from the voltage at the start of plating."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.commands import DONE
from workflows.commands.arguments import add_measured, between
from workflows.measured.plating import measure_plating
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the curves and where their plateau is."""
    add_measured(verb, "time_h (or time_s), voltage_V (current_mA, electrode)")
    verb.add_argument(
        "--plateau",
        metavar="LOW,HIGH",
        type=between,
        help="h since plating began (default: from half to nine tenths of the step)",
    )


def execute(arguments: Namespace) -> int:
    """Measure the overpotentials; return the exit code."""
    for line in measure_plating(
        arguments.data, arguments.into, arguments.electrode, arguments.plateau
    ):
        say(line)
    return DONE
