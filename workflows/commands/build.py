"""`sodiophile build`: structures to look at before hours are spent on them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from workflows.case.hosts import CrystalHost
from workflows.case.reading import find, read
from workflows.case.structure_files import file_format
from workflows.commands import DONE
from workflows.commands.arguments import CASE_HELP, add_into, count
from workflows.preflight.computable import computable_structures
from workflows.preflight.setting_warnings import warnings
from workflows.preflight.structure_files import build
from workflows.system.messages import UserError, naming, shown
from workflows.system.signals import say as warn
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the case or crystal, which face of a crystal, and where to write the structures."""
    verb.add_argument(
        "case", metavar="CASE", help=f"{CASE_HELP}; or a crystal (CIF, POSCAR, extended XYZ)"
    )
    add_into(verb)
    verb.add_argument(
        "--miller",
        nargs=3,
        type=int,
        metavar=("H", "K", "L"),
        help="of a crystal: list the distinct terminations of this face, and their sites",
    )
    verb.add_argument(
        "--layers", type=count, metavar="N", help="of a crystal: number of atomic layers of slabs"
    )


def execute(arguments: Namespace) -> int:
    """Write the structures; return the exit code."""
    if _is_crystal(arguments.case):
        return _build_faces(arguments)
    if arguments.miller or arguments.layers:
        raise UserError(
            f"{shown(arguments.case)}: found with --miller or --layers; "
            "allowed: the file of a crystal with these"
        )
    path = find(arguments.case)
    case = read(path)
    with naming(shown(path)):
        built = computable_structures(case)
    for line in build(built, arguments.into):
        say(line)
    if isinstance(case.host, CrystalHost):
        from workflows.report.faces import write_case_picture  # matplotlib takes a second to import

        for line in write_case_picture(case, built, arguments.into):
            say(line)
    for line in warnings(case, built):
        warn(f"warning: {shown(path)}: {line}")
    return DONE


def _is_crystal(name: str) -> bool:
    try:
        file_format(Path(name).name)
    except ValueError:
        return False
    return True


def _build_faces(arguments: Namespace) -> int:
    from workflows.report.faces import write_faces  # matplotlib takes a second to import

    if not arguments.miller:
        raise UserError(f"{shown(arguments.case)}: a crystal; allowed: with --miller H K L")
    h, k, l = arguments.miller  # noqa: E741
    for line in write_faces(Path(arguments.case), (h, k, l), arguments.layers, arguments.into):
        say(line)
    return DONE
