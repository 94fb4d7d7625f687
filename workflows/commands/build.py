"""`sodiophile build`: the structures of a case, to look at before hours are spent on them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.case.reading import find, read
from workflows.commands import DONE
from workflows.commands.arguments import add_case, add_into
from workflows.preflight.setting_warnings import warn
from workflows.preflight.structure_files import build
from workflows.steps.initial import structures
from workflows.system.messages import naming, shown
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the case and where to write its structures."""
    add_case(verb)
    add_into(verb)


def execute(arguments: Namespace) -> int:
    """Write the structures; return the exit code."""
    path = find(arguments.case)
    case = read(path)
    with naming(shown(path)):
        built = structures(case)
    for line in build(built, arguments.into):
        say(line)
    warn(case, path)
    return DONE
