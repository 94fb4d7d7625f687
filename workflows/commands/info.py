"""`sodiophile info`: versions, libraries, MPI ranks and PAW data sets."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.commands import DONE
from workflows.dft.team import team
from workflows.terminal.console import say
from workflows.terminal.info import lines, wanted


def add_arguments(verb: ArgumentParser) -> None:
    """Add whose PAW data sets to list."""
    help_ = "list the PAW data sets of these: symbols such as Na, presets, case files"
    verb.add_argument("wanted", metavar="ELEMENT|CASE", nargs="*", help=help_)


def execute(arguments: Namespace) -> int:
    """Print the facts, on one MPI rank of several; return the exit code."""
    paw_sets = wanted(arguments.wanted)
    for line in lines(paw_sets) if team().rank == 0 else ():
        say(line)
    return DONE
