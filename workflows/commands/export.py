"""`sodiophile export`: results as files of other programs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from workflows.campaign.directory import read_campaign
from workflows.commands import DONE
from workflows.commands.arguments import add_directory
from workflows.report.evaluation import Evaluation
from workflows.report.export import FORMATS, deliver, plan_export
from workflows.report.results import results_of
from workflows.system.messages import UserError, require_one_of, shown
from workflows.tasks.status import survey_recorded
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the run, where to write, and what."""
    add_directory(verb)
    verb.add_argument(
        "--into", metavar="DIR2", type=Path, required=True, help="directory for the files"
    )
    verb.add_argument(
        "--site", metavar="SITE", help="one site, or 'clean' for the bare slab (default: all)"
    )
    verb.add_argument(
        "--surface", metavar="NAME", help="a surface, such as 'Na(110)' (default: the host's)"
    )
    verb.add_argument(
        "--format",
        dest="formats",
        nargs="+",
        choices=FORMATS,
        default=FORMATS[:2],
        help="poscar: structure, chgcar: density difference (default: both); "
        "cif, extxyz: structure; "
        "gpw: GPAW's file with wavefunctions, for which an SCF cycle is computed",
    )
    verb.add_argument("--case", metavar="NAME", help="a case, where DIR holds several")
    verb.add_argument(
        "--dry-run", action="store_true", help="list the files and what they cost; write nothing"
    )


def execute(arguments: Namespace) -> int:
    """Write the files; return the exit code."""
    into: Path = arguments.into
    try:
        found = _evaluation(arguments.directory, arguments.case)
        exports = list(plan_export(found, arguments.formats, arguments.site, arguments.surface))
    except ValueError as error:
        raise UserError(str(error)) from None
    for export in exports:
        say(f"{shown(into / export.name)}: {export.note}")
        if not arguments.dry_run:
            deliver(export, into)
    return DONE


def _evaluation(root: Path, case: str | None) -> Evaluation:
    campaign = read_campaign(root)
    names = [member.case.name for member in campaign.members]
    if case is None and len(names) == 1:
        case = names[0]
    require_one_of("case", case, names)
    return Evaluation(
        results_of(campaign, names.index(str(case)), survey_recorded(campaign.tasks, root)), root
    )
