"""`sodiophile build`: the structures of a case, to look at before hours are spent on them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.case.reading import find, read
from workflows.commands import DONE
from workflows.commands.arguments import add_case, add_into
from workflows.preflight.computable import computable_structures
from workflows.preflight.setting_warnings import warnings
from workflows.preflight.structure_files import build
from workflows.system.messages import naming, shown
from workflows.system.signals import say as warn
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
        built = computable_structures(case)
    for line in build(built, arguments.into):
        say(line)
    for line in warnings(case, built):
        warn(f"warning: {shown(path)}: {line}")
    return DONE
