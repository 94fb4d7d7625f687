"""Arguments that several verbs share, and the checks of their values."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from workflows.case.reading import presets
from workflows.system.signals import parse_walltime

CASE_HELP = f"a preset ({', '.join(presets())}) or the path of a case file (TOML)"


MOST_JOBS = 1024


def add_case(verb: ArgumentParser) -> None:
    """Add the case, as `arguments.case`."""
    verb.add_argument("case", metavar="CASE", help=CASE_HELP)


def add_cases(verb: ArgumentParser) -> None:
    """Add one or more cases or sweeps, as `arguments.cases`."""
    help_ = f"{CASE_HELP} or of a sweep file; several may be given"
    verb.add_argument("cases", metavar="CASE", nargs="+", help=help_)


def add_into(verb: ArgumentParser) -> None:
    """Add the directory to write into, as `arguments.into`."""
    verb.add_argument(
        "--into",
        metavar="DIR",
        type=Path,
        required=True,
        help="directory of the run, or of the files to write",
    )


def add_directory(verb: ArgumentParser) -> None:
    """Add the directory of an earlier run, as `arguments.directory`."""
    verb.add_argument("directory", metavar="DIR", type=Path, help="directory of a run")


def add_measured(
    verb: ArgumentParser,
    columns: str,
    others: str = "or Bio-Logic .mpr (needs the extra `measured`)",
) -> None:
    """Add measured files, names of their electrodes and where to write.

    They are `arguments.data`, `arguments.electrode` and `arguments.into`.
    """
    verb.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        type=Path,
        help=f"CSV with columns {columns}, {others}",
    )
    verb.add_argument(
        "--into", metavar="DIR", type=Path, required=True, help="directory for tables and figures"
    )
    verb.add_argument(
        "--electrode",
        metavar="NAME,...",
        type=lambda text: tuple(part.strip() for part in text.split(",")),
        default=(),
        help="name for all files, or one for each (default: column electrode, or the file's name)",
    )


def add_limits(verb: ArgumentParser) -> None:
    """Add how much of the machine, and for how long: `arguments.jobs`, `arguments.walltime`."""
    verb.add_argument(
        "--jobs",
        type=count,
        metavar="N",
        help="tasks side by side (default: as many as cores and memory allow)",
    )
    add_walltime(verb)


def add_walltime(verb: ArgumentParser) -> None:
    """Add the wall-clock limit in seconds, as `arguments.walltime`."""
    verb.add_argument("--walltime", type=walltime, metavar="H:MM:SS", help="stop after this time")


def count(text: str) -> int:
    """Return a number of tasks, 1 to `MOST_JOBS`."""
    digits = text.lstrip("0")[:6]
    if not (digits.isascii() and digits.isdigit() and int(digits) <= MOST_JOBS):
        allowed = f"a whole number from 1 to {MOST_JOBS}"
        raise ArgumentTypeError(f"found {text!r}; allowed: {allowed}")
    return int(digits)


def positive(text: str) -> float:
    """Return a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"found {text!r}; allowed: a number above 0")
    return value


def positives(text: str) -> tuple[float, ...]:
    """Return finite numbers above 0, divided by commas."""
    return tuple(positive(part) for part in text.split(","))


def between(text: str) -> tuple[float, float]:
    """Return two finite numbers, 0 or above and rising, divided by a comma."""
    parts = text.split(",")
    try:
        low, high = (float(part) for part in parts)
    except ValueError:
        low, high = -1.0, -1.0
    if not 0 <= low < high < float("inf"):
        raise ArgumentTypeError(f"found {text!r}; allowed: two rising numbers such as 0.1,20")
    return low, high


def walltime(text: str) -> float:
    """Return the seconds of a time such as 3:50:00."""
    try:
        return parse_walltime(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
