"""`sodiophile info`: versions, libraries, MPI ranks and PAW data sets."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.commands import DONE
from workflows.dft.team import team
from workflows.terminal.console import say
from workflows.terminal.info import lines


def add_arguments(verb: ArgumentParser) -> None:
    """Add nothing: it has no arguments."""
    del verb


def execute(arguments: Namespace) -> int:
    """Print the facts, on one MPI rank of several; return the exit code."""
    del arguments
    for line in lines() if team().rank == 0 else ():
        say(line)
    return DONE
