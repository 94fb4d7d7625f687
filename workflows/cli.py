"""The command line: `sodiophile run | submit | build | status | report | ...`.

A user's mistake is one line and exit code 2; a bug keeps its traceback. What a verb does is in
`workflows/commands`. Only the module of the chosen verb is imported, so that `--help` and `status`
answer at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Never

from workflows.commands import INCOMPLETE
from workflows.system.files import Locked
from workflows.system.machine import forget_launcher, launched_ranks, put_installed_first
from workflows.system.messages import UserError, one_line
from workflows.system.refusals import explain, is_refusal

MISUSED, INTERRUPTED = 2, 130  # exit codes


VERBS = {
    "run": "compute a case and draw its figure; the same command resumes",
    "converge": "vary one setting and find the value at which energies are converged",
    "prescreen": "put many hosts in order by a pretrained potential, before any DFT",
    "build": "write the structures of a case, without any DFT, in seconds",
    "submit": "compute a case as Slurm jobs; the same command submits what is missing",
    "cancel": "cancel the Slurm jobs of a run",
    "status": "show the state of every task of a run, and what is next",
    "timing": "show where a run's time went: SCF, ionic steps, outside GPAW",
    "report": "write tables and figures again from the results so far",
    "export": "write structures and density differences for VASP, wavefunctions for GPAW",
    "clean": "delete files that can be regenerated; results, structures and cubes stay",
    "arrhenius": "fit activation energies to measured R_ct(T)",
    "eis": "fit measured impedance spectra: R_s, R_SEI, R_ct, activation energy",
    "tafel": "fit exchange current densities to measured Tafel plots",
    "plating": "measure nucleation overpotentials in the voltage at the start of plating",
    "cycling": "evaluate cycled cells: failures, rate steps, capacity and retention",
    "info": "show versions, libraries, ranks and PAW data sets",
    "task": "compute one task of a run: what `run` and `submit` do for each",
}


class Parser(argparse.ArgumentParser):
    """An argument parser that explains a mistake in one line."""

    def error(self, message: str) -> Never:
        """Print what is wrong with the arguments and exit with 2."""
        self.exit(MISUSED, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


class Version(argparse.Action):
    """Print the version and exit; it is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> Never:
        """Print the version and exit with 0."""
        from importlib.metadata import version

        sys.stdout.write(f"sodiophile {version('sodiophile')}\n")
        parser.exit()


def parser(chosen: Collection[str] = tuple(VERBS)) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    It knows all verbs, but the arguments of those that are `chosen` only: their modules are
    imported.
    """
    top = Parser(
        prog="sodiophile",
        description="Does a surface pull sodium onto itself? Adsorption energies and "
        "charge-density differences by DFT (ASE and GPAW), from one command to the figure.",
        epilog="Every command can be repeated: finished tasks are not computed again.",
    )
    top.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND", parser_class=Parser)
    for name, purpose in VERBS.items():
        verb = verbs.add_parser(name, help=purpose, description=purpose)
        if name in chosen:
            command = import_module(f"workflows.commands.{name}")
            command.add_arguments(verb)
            verb.set_defaults(execute=command.execute)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        The words after the program's name; those of this process if None.

    Returns
    -------
    int
        The exit code: 0 done, 1 incomplete, 2 bad input, 75 out of time, 130 interrupted.
    """
    if argv is None:
        put_installed_first()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where 'Å' cannot be written
    try:
        try:
            return _obey(sys.argv[1:] if argv is None else argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INCOMPLETE


def _obey(argv: Sequence[str]) -> int:
    if (ranks := launched_ranks()) == 1:
        forget_launcher()  # in `srun --pty`, say: nothing here needs MPI
    # no option before the verb takes a value, so the first other word is the verb
    arguments = parser([word for word in argv if not word.startswith("-")][:1]).parse_args(argv)
    if ranks not in (None, 1) and arguments.verb not in ("task", "info"):
        return _refuse(
            f"{arguments.verb}: found {ranks} MPI ranks; allowed: 1 (only `task` uses more)"
        )
    try:
        code: int = arguments.execute(arguments)
    except (UserError, Locked) as error:
        return _refuse(str(error))
    except OSError as error:
        given = [v if isinstance(v, list) else [v] for v in vars(arguments).values()]
        named = {str(value) for values in given for value in values if isinstance(value, Path)}
        if not is_refusal(error) and error.filename not in named:
            raise
        return _refuse(explain(error))
    except KeyboardInterrupt:
        _refuse("interrupted; the same command does it again")
        return INTERRUPTED
    return code


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return MISUSED


if __name__ == "__main__":
    sys.exit(main())
