"""`sodiophile converge`: one setting varied, and the value at which energies are converged."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.convergence import AXES, study
from workflows.commands.arguments import add_case, add_into, add_limits, positive
from workflows.commands.run import compute
from workflows.preflight.computable import require_computable


def add_arguments(verb: ArgumentParser) -> None:
    """Add the case, the setting to vary and its values."""
    add_case(verb)
    add_into(verb)
    verb.add_argument(
        "--over",
        required=True,
        choices=tuple(AXES),
        help="the setting to vary; the others stay as they are",
    )
    verb.add_argument(
        "--values", metavar="A,B,...", help="its values (default: some around the case's)"
    )
    verb.add_argument("--site", metavar="SITE", help="one site, such as top-V (default: all)")
    verb.add_argument(
        "--tolerance",
        type=positive,
        metavar="E",
        default=0.02,
        help="how near to the last value energies must be, eV (default: 0.02)",
    )
    add_limits(verb)


def execute(arguments: Namespace) -> int:
    """Compute the cases of the study; return the exit code."""
    campaign = study(
        arguments.case, arguments.over, arguments.values, arguments.site, arguments.tolerance
    )
    return compute(require_computable(campaign, arguments.case), arguments)
