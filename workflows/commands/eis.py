"""`sodiophile eis`: R_s, R_SEI and R_ct from impedance spectra, and the activation energy."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.commands import DONE
from workflows.commands.arguments import add_measured, between, positives
from workflows.measured.eis import FREQUENCIES, fit_spectra
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the spectra, their temperatures and the range of frequencies."""
    add_measured(verb, "frequency_Hz, Z_real_ohm, Z_imag_ohm (temperature_K, electrode)")
    verb.add_argument(
        "--temperature",
        metavar="T,...",
        type=positives,
        default=(),
        help="in K, for all files or one for each, where there is no column temperature_K",
    )
    verb.add_argument(
        "--frequencies",
        metavar="LOW,HIGH",
        type=between,
        default=FREQUENCIES,
        help="range that is fitted, Hz (default: all)",
    )


def execute(arguments: Namespace) -> int:
    """Fit the spectra; return the exit code."""
    for line in fit_spectra(
        arguments.data,
        arguments.into,
        arguments.electrode,
        arguments.temperature,
        arguments.frequencies,
    ):
        say(line)
    return DONE
