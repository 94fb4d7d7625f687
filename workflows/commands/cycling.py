"""`sodiophile cycling`: cycles, rate steps, capacities and failures of cells."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from analysis.measured.cycling import LIMITS
from workflows.commands import DONE
from workflows.commands.arguments import add_measured, between, count, positive
from workflows.measured.cyclers import CSV, CYCLERS
from workflows.measured.cycling import PLAIN, evaluate_cycling, per_area, per_mass
from workflows.terminal.console import say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the measurements and how they are normalised."""
    add_measured(
        verb,
        "time_h (or time_s), voltage_V, current_mA (electrode)",
        "Bio-Logic .mpr, or a cycler's own (--cycler); all need the extra `measured`",
    )
    verb.add_argument(
        "--cycler",
        metavar="NAME,...",
        type=_cyclers,
        default=(CSV,),
        help=f"whose files these are, one for all, or one for each: {', '.join(CYCLERS)} (default: "
        f"{CSV}, for CSV with these columns and Bio-Logic)",
    )
    unit = verb.add_mutually_exclusive_group()
    unit.add_argument("--area", metavar="CM2", type=positive, help="of the electrode: per cm²")
    unit.add_argument("--mass", metavar="MG", type=positive, help="of active material: per g")
    verb.add_argument(
        "--reference",
        metavar="N",
        type=count,
        help="cycle that the capacity retention refers to (default: the first one)",
    )
    verb.add_argument(
        "--limits",
        metavar="LOW,HIGH",
        type=between,
        default=LIMITS,
        help="polarization of a symmetric cell, over that of its first half-cycles at the same "
        "current, outside of which it fails (default: {:g},{:g})".format(*LIMITS),
    )


def execute(arguments: Namespace) -> int:
    """Evaluate the cells; return the exit code."""
    unit = PLAIN
    if arguments.area is not None:
        unit = per_area(arguments.area)
    elif arguments.mass is not None:
        unit = per_mass(arguments.mass)
    for line in evaluate_cycling(
        arguments.data,
        arguments.into,
        electrodes=arguments.electrode,
        cyclers=arguments.cycler,
        unit=unit,
        reference=arguments.reference,
        limits=arguments.limits,
    ):
        say(line)
    return DONE


def _cyclers(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if name not in (CSV, *CYCLERS):
            raise ArgumentTypeError(f"found {name!r}; allowed: {', '.join([CSV, *CYCLERS])}")
    return names
