"""`sodiophile prescreen`: many hosts in order by a pretrained potential, before any DFT."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from workflows.campaign.directory import PRESCREEN, require_own, working_in
from workflows.commands import DONE, INCOMPLETE
from workflows.commands.arguments import add_cases, add_into
from workflows.preflight.computable import gather_computable
from workflows.prescreen.hosts import read_prescreen, screen_hosts
from workflows.prescreen.potential import load_potential, potential_name
from workflows.report.evaluation import evaluations
from workflows.report.prescreen import report_prescreen
from workflows.system.messages import UserError, shown
from workflows.tasks.status import survey_recorded
from workflows.terminal.console import console, say


def add_arguments(verb: ArgumentParser) -> None:
    """Add the cases, and where the results go."""
    add_cases(verb)
    add_into(verb)


def execute(arguments: Namespace) -> int:
    """Compute the hosts that are missing, then table and figure; return the exit code."""
    name, root = potential_name(), arguments.into
    campaign = gather_computable(arguments.cases).campaign
    if len({member.case.adatom for member in campaign.members}) > 1:
        raise UserError("adatom: found several; allowed: one, whose metal hosts are compared with")
    require_own(campaign, root)
    root.mkdir(parents=True, exist_ok=True)
    missing = False
    with working_in(root):
        for case, host in screen_hosts(campaign, name, load_potential, root):
            if host is None:
                say(f"{shown(case)}: by {name} ...")
            else:
                missing = missing or bool(host["missing"])
        record = read_prescreen(root)
        if record is None:  # somebody else has just damaged it
            raise UserError(f"{shown(root / PRESCREEN)}: damaged; the same command repairs it")
        states = survey_recorded(campaign.tasks, root)
        tables = [found.table for found in evaluations(campaign, states, root)]
        for line in report_prescreen(campaign, record, tables, root):
            say(line) if isinstance(line, str) else console().print(line)
    return INCOMPLETE if missing else DONE
