"""`sodiophile tafel`: exchange current densities from Tafel plots."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from analysis.measured.tafel import TEMPERATURE, WINDOW
from workflows.commands import DONE
from workflows.commands.arguments import add_measured, between, positive
from workflows.measured.tafel import fit_tafel
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the curves, the area and the range of the fit."""
    add_measured(
        verb,
        "overpotential_V (or voltage_V), current_density_mA_per_cm2 (or current_mA), electrode",
    )
    verb.add_argument(
        "--area", metavar="CM2", type=positive, help="of the electrode, for currents in mA"
    )
    verb.add_argument(
        "--window",
        metavar="LOW,HIGH",
        type=between,
        default=WINDOW,
        help="|overpotential| of the fit, V (default: {:g},{:g})".format(*WINDOW),
    )
    verb.add_argument(
        "--temperature",
        metavar="T",
        type=positive,
        default=TEMPERATURE,
        help=f"in K (default: {TEMPERATURE:g})",
    )


def execute(arguments: Namespace) -> int:
    """Fit the lines; return the exit code."""
    for line in fit_tafel(
        arguments.data,
        arguments.into,
        electrodes=arguments.electrode,
        area=arguments.area,
        window=arguments.window,
        temperature=arguments.temperature,
    ):
        say(line)
    return DONE
