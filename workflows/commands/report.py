"""`sodiophile report`: table and figures again, from whatever is there."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import read_campaign
from workflows.commands import DONE, INCOMPLETE
from workflows.commands.arguments import add_directory, positive
from workflows.report.account import Sweep, account_of, read_sweep, write_account
from workflows.report.campaign import report_all
from workflows.report.database import write_database
from workflows.report.evaluation import Evaluation, evaluations
from workflows.report.figures import make_figures
from workflows.report.options import Options
from workflows.report.page import write_page
from workflows.report.tables import write_tables
from workflows.steps.initial import Structures
from workflows.system.messages import UserError, shown
from workflows.tasks.status import State, recipe_of, survey_recorded
from workflows.terminal.console import console, say
from workflows.terminal.energy_table import conclusions, detail_table, energy_table
from workflows.terminal.site_tables import account_by_site


def add_arguments(verb: ArgumentParser) -> None:
    """Add the directory of the run, and how to draw it."""
    add_directory(verb)
    verb.add_argument(
        "--isovalue", type=positive, metavar="E", help="isovalue of the density differences, e/Å^3"
    )
    verb.add_argument(
        "--html", action="store_true", help="also write report.html, a single page with 3D views"
    )
    verb.add_argument(
        "--with-sweep",
        metavar="DIR",
        type=Path,
        help="a one-by-one sweep: its choices go into the figure from ours to theirs",
    )
    verb.add_argument(
        "--no-error-bars",
        action="store_true",
        help="Fig. 5 without the deviation of the BEEF-vdW ensemble",
    )
    verb.add_argument(
        "--all", action="store_true", help="also print heights, distances and charges"
    )


def execute(arguments: Namespace) -> int:
    """Write tables, figures and the page; return the exit code."""
    root = arguments.directory
    campaign = read_campaign(root)
    states = survey_recorded(campaign.tasks, root)
    options = Options(
        redraw=True,
        isovalue=arguments.isovalue,
        page=arguments.html,
        details=arguments.all,
        error_bars=not arguments.no_error_bars,
        sweep=_sweep(arguments.with_sweep, campaign, recipe_of(states)),
    )
    return show_results(campaign, states, root, options)


def _sweep(directory: Path | None, campaign: Campaign, recipe: int) -> Sweep | None:
    if directory is None:
        return None
    if campaign.shared:
        raise UserError("--with-sweep: found with several cases; allowed: with one case")
    return read_sweep(directory, campaign.members[0].case, recipe)


def show_results(
    campaign: Campaign,
    states: Mapping[str, State],
    root: Path,
    options: Options,
    built: Mapping[str, Structures] | None = None,
) -> int:
    """Write tables and figures of a run and print its energies; return the exit code.

    Parameters
    ----------
    states
        The state of every task of the campaign, by folder.
    root
        The directory of the run.
    options
        How the report is made.
    built
        The unrelaxed structures of each case, by its name, where they are known.
    """
    if campaign.shared:
        for line in report_all(campaign, states, root, options, built):
            say(line) if isinstance(line, str) else console().print(line)
    else:
        (found,) = evaluations(campaign, states, root, built)
        _show_case(found, root, options)
    return DONE if all(state.status == "done" for state in states.values()) else INCOMPLETE


def _show_case(found: Evaluation, root: Path, options: Options) -> None:
    tables = [*write_tables(found, root), write_database(found)]
    figure = make_figures(found, root, options)
    account = account_of(found, options.sweep)
    if account is not None:
        tables.append(write_account(account, root))
    terminal = console()
    terminal.print(energy_table(found, terminal.width))
    if options.details:
        terminal.print(detail_table(found, terminal.width))
    if account is not None and (options.details or options.sweep):
        terminal.print(account_by_site(account, terminal.width))
    for line in conclusions(found):
        say(line)
    say(f"table:  {', '.join(shown(path) for path in tables)}")
    say(f"figure: {shown(figure)}")
    if options.page:
        say(f"page:   {shown(write_page(found, root, options.isovalue))}")
