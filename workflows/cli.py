"""The command line: `sodiophile run | submit | build | status | report | ...`.

A user's mistake is one line and exit code 2; a bug keeps its traceback. Modules are imported where
they are used, so that `--help` and `status` answer at once.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from workflows.case import (
    CASE,
    Case,
    CaseError,
    contents,
    find,
    naming,
    one_line,
    parse,
    presets,
    read,
    shown,
)

if TYPE_CHECKING:
    from rich.console import Console

    from workflows.tasks import State

DONE, INCOMPLETE, MISUSED, INTERRUPTED = 0, 1, 2, 130

# What a machine refuses for a path or a disk: not a bug of ours, so one line and no traceback.
REFUSALS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENAMETOOLONG", "ENOTDIR",
                 "EISDIR", "EEXIST", "ELOOP")
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line."""

    def error(self, message: str) -> Never:
        """Say what is wrong with the arguments and exit with 2."""
        self.exit(MISUSED, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="sodiophile",
        description="Does a surface pull sodium onto itself? Adsorption energies and "
        "charge-density differences by DFT (ASE and GPAW), from one command to the figure.",
        epilog="Every command can be repeated: what is done is not computed again.",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND", parser_class=Parser)
    case_help = f"a preset ({', '.join(presets())}) or the path of a case file (TOML)"

    run = _verb(
        verbs, "run", "compute a case and draw its figure; goes on where it was stopped", _run
    )
    run.add_argument("case", metavar="CASE", help=case_help)
    _into(run)
    run.add_argument(
        "--jobs", type=_jobs, metavar="N", help="tasks side by side (default: the cores)"
    )
    run.add_argument(
        "--walltime", type=_walltime, metavar="H:MM:SS", help="stop by itself after this time"
    )

    build = _verb(
        verbs, "build", "write the structures of a case, without any DFT, in seconds", _build
    )
    build.add_argument("case", metavar="CASE", help=case_help)
    _into(build)

    submit = _verb(
        verbs,
        "submit",
        "compute a case on a cluster: every task a Slurm job; repairs, too",
        _submit,
    )
    submit.add_argument("case", metavar="CASE", help=case_help)
    _into(submit)
    submit.add_argument(
        "--profile", metavar="CLUSTER.toml", type=Path, required=True, help="what jobs ask for"
    )
    submit.add_argument(
        "--dry-run", action="store_true", help="print the scripts; write and submit nothing"
    )

    cancel = _verb(verbs, "cancel", "cancel the Slurm jobs of a run", _cancel)
    _directory(cancel)

    status = _verb(
        verbs, "status", "show how far every task of a run is, and what is next", _status
    )
    _directory(status)
    status.add_argument(
        "--watch", action="store_true", help="stay and show it live, wherever it runs; Ctrl-C ends"
    )

    profile = _verb(
        verbs, "profile", "show where a run's time went: SCF, ionic steps, outside GPAW", _profile
    )
    _directory(profile)

    report = _verb(verbs, "report", "make table and figures again from what is there", _report)
    _directory(report)
    report.add_argument(
        "--isovalue", type=_positive, metavar="E", help="of the density differences, e/Å^3"
    )

    clean = _verb(
        verbs, "clean", "drop what can be had again; results, structures and cubes stay", _clean
    )
    _directory(clean)

    arrhenius = _verb(verbs, "arrhenius", "fit activation energies to measured R_ct(T)", _arrhenius)
    arrhenius.add_argument(
        "data", metavar="DATA.csv", type=Path, help="columns temperature_K, R_ct_ohm, electrode"
    )
    _into(arrhenius)

    _verb(verbs, "info", "show versions, libraries, ranks and PAW data sets", _info)

    task = _verb(verbs, "task", "do one task of a run: the unit that `run` and `submit` use", _task)
    task.add_argument(
        "task", metavar="DIR/TASK", type=Path, help="the task's folder in a run's directory"
    )
    task.add_argument(
        "--walltime", type=_walltime, metavar="H:MM:SS", help="stop by itself after this time"
    )
    task.add_argument("--continuation", action="store_true", help="leave it alone if it has failed")
    task.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    return top


def _verb(verbs: Any, name: str, help_: str, do: Callable[..., int]) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=help_, description=help_)
    verb.set_defaults(do=do)
    return verb


def _into(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--into", metavar="DIR", type=Path, required=True, help="directory for everything"
    )


def _directory(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("directory", metavar="DIR", type=Path, help="the directory of a run")


def _jobs(text: str) -> int:
    digits = text.lstrip("0")[:6]
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 1024):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a whole number from 1 to 1024")
    return int(digits)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a number above 0")
    return value


def _walltime(text: str) -> float:
    from workflows.stop import parse_walltime

    try:
        return parse_walltime(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# ---- verbs --------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    from workflows.live import view
    from workflows.local import run
    from workflows.needs import needs
    from workflows.remaining import Remaining
    from workflows.stop import Stopped, say

    case, content = _computable(arguments.case)
    root: Path = arguments.into
    console = _console()
    time_left = Remaining(needs(case).sizes)
    try:
        with view(console, shown(root), time_left) as shows:
            run(case, content, root, jobs=arguments.jobs, view=shows, walltime=arguments.walltime)
    except Stopped as stop:
        say(f"{stop.reason}; nothing is lost: the same command goes on from here")
        return stop.exit_code
    return _show_report(root, console)


def _computable(name_or_path: str) -> tuple[Case, bytes]:
    """Return a case that can be computed, and the bytes of its file."""
    from workflows.build import structures
    from workflows.calculator import require_cutoff, require_setups

    path = find(name_or_path)
    content = contents(path)
    case = parse(content, shown(path))
    with naming(shown(path)):
        require_setups(case.dft, case.elements)
        require_cutoff(case.dft, case.elements)
        structures(case)  # refuses what cannot be built
    return case, content


def _submit(arguments: argparse.Namespace) -> int:
    from workflows import slurm
    from workflows.profile import read_profile

    case, content = _computable(arguments.case)
    profile = read_profile(arguments.profile)
    root: Path = arguments.into
    texts = slurm.scripts(case, profile, root, shown(arguments.profile))
    console = _console()
    if arguments.dry_run:
        for line in slurm.dry_run(case, profile, root, texts):
            _say(console, line)
        return DONE
    submitted = 0
    for line in slurm.submit(case, content, profile, root, texts):
        _say(console, line)
        submitted += 1
    _say(console, f"{submitted} of {len(texts)} tasks submitted; the others are done or queued")
    return DONE


def _cancel(arguments: argparse.Namespace) -> int:
    from workflows import slurm

    run_case(arguments.directory)
    lines = list(slurm.cancel(arguments.directory))
    for line in lines or ["no jobs are queued or running"]:
        _say(_console(), line)
    return DONE


def _build(arguments: argparse.Namespace) -> int:
    from workflows.build import build, structures
    from workflows.caution import warn

    path = find(arguments.case)
    case = read(path)
    with naming(shown(path)):
        built = structures(case)
    for line in build(built, arguments.into):
        _say(_console(), line)
    warn(case, path)
    return DONE


def _status(arguments: argparse.Namespace) -> int:
    from workflows.live import status_table
    from workflows.tasks import plan, summary, survey

    case = run_case(arguments.directory)
    console = _console()
    _say(console, f"case {case.name} in {shown(arguments.directory)}")  # a title would be wrapped
    if arguments.watch:
        states = _watch(case, arguments.directory, console)
    else:
        states = survey(plan(case), arguments.directory)
        console.print(status_table(states, ""))
    for line in _whereabouts(states, arguments.directory):
        _say(console, line)
    _say(console, summary(states))
    return DONE


def _watch(case: Case, root: Path, console: Console) -> Mapping[str, State]:
    from workflows.live import view
    from workflows.needs import needs
    from workflows.remaining import Remaining
    from workflows.tasks import plan
    from workflows.watch import watch

    with view(console, shown(root), Remaining(needs(case).sizes)) as shows:
        return watch(plan(case), root, shows)


def _profile(arguments: argparse.Namespace) -> int:
    from workflows.effort import effort_table, efforts, untold
    from workflows.tasks import plan, survey

    states = survey(plan(run_case(arguments.directory)), arguments.directory)
    of, console = efforts(states), _console()
    console.print(effort_table(of))
    for line in untold(of, states):
        _say(console, line)
    return DONE


def _whereabouts(states: Mapping[str, State], root: Path) -> Iterator[str]:
    """Yield where to read on about failed tasks, and the jobs of a run that was submitted."""
    from workflows import slurm

    idle: list[str] = []
    if (root / slurm.JOBS).exists():
        try:
            queue = slurm.ask(root)
        except CaseError as error:
            yield f"jobs: not known ({error})"
        else:
            yield from queue.lines()
            waits = ("ready", "stale")
            idle = [n for n, s in states.items() if s.status in waits and not queue.alive_of(n)]
    if idle:
        yield f"no job for {', '.join(idle)}: `submit` again goes on"
    for name, state in states.items():
        log = root / "logs" / f"{name}.txt"
        if (state.status == "failed" or name in idle) and log.is_file():
            yield f"{name}: log in {shown(log)}"


def _report(arguments: argparse.Namespace) -> int:
    run_case(arguments.directory)
    return _show_report(arguments.directory, _console(), redraw=True, isovalue=arguments.isovalue)


def _show_report(
    root: Path, console: Console, *, redraw: bool = False, isovalue: float | None = None
) -> int:
    from workflows.database import write_database
    from workflows.figures import update_figures, write_figures
    from workflows.report import Report, write_tables
    from workflows.tasks import plan, survey
    from workflows.terminal import energy_table

    case = run_case(root)
    report = Report(case, survey(plan(case), root))
    tables = [*write_tables(report, root), write_database(report, root)]
    figures = write_figures(report, root, isovalue) if redraw else update_figures(report, root)
    console.print(energy_table(report))

    _say(console, report.table().verdict())
    _say(console, report.table().ranking_agreement())
    for line in report.notes():
        _say(console, f"note: {line}")
    for line in report.missing:
        _say(console, f"missing: {line}")
    _say(console, f"table:  {', '.join(shown(path) for path in tables)}")
    _say(console, f"figure: {shown(figures)}")
    return INCOMPLETE if report.missing else DONE


def _clean(arguments: argparse.Namespace) -> int:
    from workflows.clean import clean
    from workflows.tasks import plan, survey

    root: Path = arguments.directory
    states = survey(plan(run_case(root)), root)
    for line in clean(root, states):
        _say(_console(), f"dropped {line}")
    return DONE


def _arrhenius(arguments: argparse.Namespace) -> int:
    from workflows.measured import fit_file

    for line in fit_file(arguments.data, arguments.into):
        _say(_console(), line)
    return DONE


def _info(arguments: argparse.Namespace) -> int:
    del arguments
    from workflows.info import lines

    for line in lines():
        _say(_console(), line)
    return DONE


def _task(arguments: argparse.Namespace) -> int:
    from workflows.stop import Stopped, end_with_parent, say
    from workflows.worker import run_task

    sys.unraisablehook = _without_refusals
    if arguments.with_parent:
        end_with_parent()
    try:
        return run_task(
            arguments.task.absolute(), arguments.walltime, continuation=arguments.continuation
        )
    except Stopped as stop:
        say(f"{arguments.task.name}: {stop.reason}; the same command goes on from the last step")
        return stop.exit_code


def _without_refusals(event: Any) -> None:
    """Leave out what a full disk does to files that close themselves: it has been said once."""
    refused = isinstance(event.exc_value, OSError) and event.exc_value.errno in REFUSALS
    if not refused:
        sys.__unraisablehook__(event)


# ---- entry --------------------------------------------------------------------------------------


def run_case(directory: Path) -> Case:
    """Return the case of a run's directory; see `workflows.case.read` for errors."""
    if not (directory / CASE).is_file():
        raise CaseError(
            f"{shown(directory)}: not the directory of a run ({CASE} is missing); "
            "allowed: the DIR of an earlier `sodiophile run CASE --into DIR`"
        )
    return read(directory / CASE)


def _console() -> Console:
    from rich.console import Console

    console = Console(emoji=False)  # a ':cat:' in a path is part of the path
    # A pipe or a file has no width of its own; a table cut at 80 columns helps nobody.
    return console if console.is_terminal else Console(width=160, emoji=False)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 1 incomplete, 2 bad input)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where 'Å' cannot be written
    try:
        try:
            return _obey(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INCOMPLETE


def _obey(argv: Sequence[str] | None) -> int:
    from workflows.store import Locked

    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.do(arguments)
    except (CaseError, Locked) as error:
        return _refuse(str(error))
    except OSError as error:
        named = {str(value) for value in vars(arguments).values() if isinstance(value, Path)}
        if error.errno not in REFUSALS and error.filename not in named:
            raise
        return _refuse(f"{shown(error.filename or 'cannot go on')}: {error.strerror}")
    except KeyboardInterrupt:
        _refuse("interrupted; the same command does it again")
        return INTERRUPTED
    return code


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return MISUSED


if __name__ == "__main__":
    sys.exit(main())
