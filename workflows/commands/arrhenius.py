"""`sodiophile arrhenius`: activation energies from measured charge-transfer resistances."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from workflows.commands import DONE
from workflows.commands.arguments import add_into
from workflows.report.arrhenius import fit_file
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the measured data and where to write the fits."""
    verb.add_argument(
        "data",
        metavar="DATA.csv",
        type=Path,
        help="measured data: columns temperature_K, R_ct_ohm, electrode",
    )
    add_into(verb)


def execute(arguments: Namespace) -> int:
    """Fit the data; return the exit code."""
    for line in fit_file(arguments.data, arguments.into):
        say(line)
    return DONE
