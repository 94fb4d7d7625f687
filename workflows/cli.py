"""The command line: `sodiophile run | submit | build | status | report | ...`.

A user's mistake is one line and exit code 2; a bug keeps its traceback. Modules are imported where
they are used, so that `--help` and `status` answer at once.
"""

from __future__ import annotations

import argparse
import errno
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from workflows.case.reading import find, presets, read
from workflows.system.machine import forget_launcher, launched_ranks
from workflows.system.messages import UserError, naming, one_line, shown

if TYPE_CHECKING:
    from rich.console import Console

    from workflows.campaign.campaign import Campaign
    from workflows.tasks.status import State

OVER = ("cutoff", "kpoints", "layers", "vacuum", "cell")  # campaign/convergence.py
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
    cases_help = f"{case_help} or of a sweep file; several may be given"

    run = _verb(
        verbs, "run", "compute a case and draw its figure; goes on where it was stopped", _run
    )
    run.add_argument("cases", metavar="CASE", nargs="+", help=cases_help)
    _into(run)
    _effort(run)

    converge = _verb(
        verbs, "converge", "vary one setting and say from where on the energies hold", _converge
    )
    converge.add_argument("case", metavar="CASE", help=case_help)
    _into(converge)
    converge.add_argument(
        "--over", required=True, choices=OVER, help="the setting to vary; the others stay"
    )
    converge.add_argument("--values", metavar="A,B,...", help="its values (default: suit the case)")
    converge.add_argument("--site", metavar="SITE", help="one site, such as top-V (default: all)")
    converge.add_argument(
        "--tolerance", type=_positive, metavar="E", default=0.02, help="eV (default: 0.02)"
    )
    _effort(converge)

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
    submit.add_argument("cases", metavar="CASE", nargs="+", help=cases_help)
    _into(submit)
    submit.add_argument(
        "--profile", metavar="CLUSTER.toml", type=Path, required=True, help="what jobs ask for"
    )
    submit.add_argument(
        "--bundle",
        type=_jobs,
        metavar="N",
        default=1,
        help="tasks in one job, one after the other (default: 1)",
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
    report.add_argument(
        "--html", action="store_true", help="also write report.html: one page, with 3D views"
    )

    clean = _verb(
        verbs, "clean", "drop what can be had again; results, structures and cubes stay", _clean
    )
    _directory(clean)
    clean.add_argument(
        "--small-cubes",
        action="store_true",
        help="also make the density differences coarse and compressed, for good: for an archive",
    )

    arrhenius = _verb(verbs, "arrhenius", "fit activation energies to measured R_ct(T)", _arrhenius)
    arrhenius.add_argument(
        "data", metavar="DATA.csv", type=Path, help="columns temperature_K, R_ct_ohm, electrode"
    )
    _into(arrhenius)

    _verb(verbs, "info", "show versions, libraries, ranks and PAW data sets", _info)

    task = _verb(verbs, "task", "do one task of a run: the unit that `run` and `submit` use", _task)
    task.add_argument(
        "tasks",
        metavar="DIR/TASK",
        type=Path,
        nargs="+",
        help="the task's folder in a run's directory; of several, one after the other",
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


def _effort(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--jobs", type=_jobs, metavar="N", help="tasks side by side (default: the cores)"
    )
    verb.add_argument(
        "--walltime", type=_walltime, metavar="H:MM:SS", help="stop by itself after this time"
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
    from workflows.system.signals import parse_walltime

    try:
        return parse_walltime(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# ---- verbs --------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    return _work(_computable(arguments.cases), arguments)


def _converge(arguments: argparse.Namespace) -> int:
    from workflows.campaign.convergence import study

    campaign = study(
        arguments.case, arguments.over, arguments.values, arguments.site, arguments.tolerance
    )
    with naming(arguments.case):
        _require_computable(campaign)
    return _work(campaign, arguments)


def _work(campaign: Campaign, arguments: argparse.Namespace) -> int:
    """Compute cases on this machine and show what came out."""
    from workflows.preflight.resources import campaign_needs
    from workflows.run.local import run
    from workflows.run.time_left import Remaining
    from workflows.system.signals import Stopped, say
    from workflows.terminal.progress import view

    root: Path = arguments.into
    console = _console()
    time_left = Remaining(campaign_needs(campaign).sizes)
    try:
        with view(console, shown(root), time_left) as shows:
            run(campaign, root, jobs=arguments.jobs, view=shows, walltime=arguments.walltime)
    except Stopped as stop:
        say(f"{stop.reason}; nothing is lost: the same command goes on from here")
        return stop.exit_code
    return _show_report(root, console)


def _computable(names_or_paths: Sequence[str]) -> Campaign:
    """Return cases that can be computed."""
    from workflows.campaign.sweep import gather

    campaign = gather(names_or_paths)
    with naming(shown(find(names_or_paths[0])) if len(names_or_paths) == 1 else "cases"):
        _require_computable(campaign)
    return campaign


def _require_computable(campaign: Campaign) -> None:
    from workflows.dft.datasets import require_cutoff, require_setups
    from workflows.steps.initial import structures

    for case in (member.case for member in campaign.members):
        with naming(case.name if campaign.shared else ""):
            require_setups(case.dft, case.elements)
            require_cutoff(case.dft, case.elements)
            structures(case)  # refuses what cannot be built


def _submit(arguments: argparse.Namespace) -> int:
    from workflows.run.slurm.cluster import read_profile
    from workflows.run.slurm.script import scripts
    from workflows.run.slurm.submit import dry_run, submit

    campaign = _computable(arguments.cases)
    profile = read_profile(arguments.profile)
    texts = scripts(campaign, profile, arguments.into, shown(arguments.profile))
    console = _console()
    if arguments.dry_run:
        for line in dry_run(texts, arguments.bundle):
            _say(console, line)
        return DONE
    submitted = 0
    for names, line in submit(texts, arguments.bundle):
        _say(console, line)
        submitted += len(names)
    tasks = len(campaign.tasks)
    _say(console, f"{submitted} of {tasks} tasks submitted; the others are done or queued")
    return DONE


def _cancel(arguments: argparse.Namespace) -> int:
    from workflows.campaign.directory import read_campaign
    from workflows.run.slurm.submit import cancel

    read_campaign(arguments.directory)
    lines = list(cancel(arguments.directory))
    for line in lines or ["no jobs are queued or running"]:
        _say(_console(), line)
    return DONE


def _build(arguments: argparse.Namespace) -> int:
    from workflows.preflight.setting_warnings import warn
    from workflows.preflight.structure_files import build
    from workflows.steps.initial import structures

    path = find(arguments.case)
    case = read(path)
    with naming(shown(path)):
        built = structures(case)
    for line in build(built, arguments.into):
        _say(_console(), line)
    warn(case, path)
    return DONE


def _status(arguments: argparse.Namespace) -> int:
    from workflows.campaign.directory import read_campaign
    from workflows.tasks.status import summary, survey
    from workflows.terminal.progress import status_table

    campaign = read_campaign(arguments.directory)
    console = _console()
    # no title: it would be wrapped
    _say(console, f"{campaign.title} in {shown(arguments.directory)}")
    if arguments.watch:
        states = _watch(campaign, arguments.directory, console)
    else:
        states = survey(campaign.tasks, arguments.directory)
        console.print(status_table(states, ""))
    for line in _whereabouts(states, arguments.directory):
        _say(console, line)
    _say(console, summary(states))
    return DONE


def _watch(campaign: Campaign, root: Path, console: Console) -> Mapping[str, State]:
    from workflows.preflight.resources import campaign_needs
    from workflows.run.time_left import Remaining
    from workflows.terminal.progress import view
    from workflows.terminal.watch import watch

    with view(console, shown(root), Remaining(campaign_needs(campaign).sizes)) as shows:
        return watch(campaign.tasks, root, shows)


def _profile(arguments: argparse.Namespace) -> int:
    from workflows.campaign.directory import read_campaign
    from workflows.report.timing import effort_table, efforts, untold
    from workflows.tasks.status import survey

    states = survey(read_campaign(arguments.directory).tasks, arguments.directory)
    of, console = efforts(states), _console()
    console.print(effort_table(of))
    for line in untold(of, states):
        _say(console, line)
    return DONE


def _whereabouts(states: Mapping[str, State], root: Path) -> Iterator[str]:
    """Yield where to read on about failed tasks, and the jobs of a run that was submitted."""
    from workflows.run.slurm.queue import JOBS, NEW_JOBS, ask
    from workflows.terminal.progress import MANY

    idle: list[str] = []
    if (root / JOBS).exists() or (root / NEW_JOBS).exists():
        try:
            queue = ask(root)
        except UserError as error:
            yield f"jobs: not known ({error})"
        else:
            lines = list(queue.lines())
            yield from lines[:MANY]
            if len(lines) > MANY:
                yield f"and {len(lines) - MANY} more tasks with jobs"
            waits = ("ready", "stale")
            idle = [n for n, s in states.items() if s.status in waits and not queue.alive_of(n)]
    if idle:
        few = ", ".join(idle[:MANY]) + (" ..." if len(idle) > MANY else "")
        yield f"no job for {few}: `submit` again goes on"
    failed = [name for name, state in states.items() if state.status == "failed"]
    logs = ((name, root / "logs" / f"{name}.txt") for name in [*failed, *idle])
    for name, log in itertools.islice(((n, log) for n, log in logs if log.is_file()), MANY):
        yield f"{name}: log in {shown(log)}"
        yield from (f"    {line}" for line in _end_of(log))


def _end_of(log: Path) -> list[str]:
    """Return the last lines of a file that may be large."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        return [one_line(line) for line in file.read().decode(errors="replace").splitlines()[-5:]]


def _report(arguments: argparse.Namespace) -> int:
    root, console, isovalue = arguments.directory, _console(), arguments.isovalue
    code = _show_report(root, console, redraw=True, isovalue=isovalue)
    if arguments.html:
        from workflows.campaign.directory import read_campaign
        from workflows.report.page import write_pages
        from workflows.tasks.status import survey

        campaign = read_campaign(root)
        for page in write_pages(campaign, survey(campaign.tasks, root), root, isovalue):
            _say(console, f"page:   {shown(page)}")
    return code


def _show_report(
    root: Path, console: Console, *, redraw: bool = False, isovalue: float | None = None
) -> int:
    from workflows.campaign.directory import read_campaign
    from workflows.report.campaign import report_all
    from workflows.report.database import write_database
    from workflows.report.figures import update_figures, write_figures
    from workflows.report.results import Report, write_tables
    from workflows.tasks.status import survey
    from workflows.terminal.energy_table import energy_table

    campaign = read_campaign(root)
    states = survey(campaign.tasks, root)
    if campaign.shared:
        for line in report_all(campaign, states, root, redraw=redraw, isovalue=isovalue):
            console.print(line) if not isinstance(line, str) else _say(console, line)
        return DONE if all(state.status == "done" for state in states.values()) else INCOMPLETE
    report = Report(campaign.members[0].case, states)
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
    from workflows.campaign.directory import read_campaign
    from workflows.run.clean import clean
    from workflows.tasks.status import survey

    root: Path = arguments.directory
    states = survey(read_campaign(root).tasks, root)
    for line in clean(root, states, small_cubes=arguments.small_cubes):
        _say(_console(), line)
    return DONE


def _arrhenius(arguments: argparse.Namespace) -> int:
    from workflows.report.arrhenius import fit_file

    for line in fit_file(arguments.data, arguments.into):
        _say(_console(), line)
    return DONE


def _info(arguments: argparse.Namespace) -> int:
    del arguments
    from workflows.dft.team import team
    from workflows.terminal.info import lines

    for line in lines() if team().rank == 0 else ():
        _say(_console(), line)
    return DONE


def _task(arguments: argparse.Namespace) -> int:
    from workflows.dft.team import team
    from workflows.run.worker import run_tasks
    from workflows.system.signals import Stopped, end_with_parent

    sys.unraisablehook = _without_refusals
    if arguments.with_parent:
        end_with_parent()
    try:
        return team().work(
            lambda: run_tasks(
                [path.absolute() for path in arguments.tasks],
                arguments.walltime,
                continuation=arguments.continuation,
            )
        )
    except Stopped as stop:
        return stop.exit_code


def _without_refusals(event: Any) -> None:
    """Leave out what a full disk does to files that close themselves: it has been said once."""
    refused = isinstance(event.exc_value, OSError) and event.exc_value.errno in REFUSALS
    if not refused:
        sys.__unraisablehook__(event)


# ---- entry --------------------------------------------------------------------------------------


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
    from workflows.system.files import Locked

    arguments = parser().parse_args(argv)
    if (ranks := launched_ranks()) == 1:
        forget_launcher()  # in `srun --pty`, say: nothing here needs MPI
    elif ranks is not None and arguments.verb not in ("task", "info"):
        return _refuse(
            f"{arguments.verb}: found {ranks} MPI ranks; allowed: 1 (only `task` uses more)"
        )
    try:
        code: int = arguments.do(arguments)
    except (UserError, Locked) as error:
        return _refuse(str(error))
    except OSError as error:
        given = [v if isinstance(v, list) else [v] for v in vars(arguments).values()]
        named = {str(value) for values in given for value in values if isinstance(value, Path)}
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
