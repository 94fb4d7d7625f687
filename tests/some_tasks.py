"""Runs of which only some tasks are computed, with real GPAW, for tests that need no more."""

from collections.abc import Iterable
from pathlib import Path

from workflows.campaign.campaign import alone
from workflows.campaign.directory import write_campaign
from workflows.case.reading import parse
from workflows.run.worker import run_task


def compute(root: Path, case: str, tasks: Iterable[str]) -> None:
    """Write a run directory and compute tasks of it, in this order."""
    root.mkdir(exist_ok=True)
    write_campaign(alone(parse(case.encode(), "a case"), case.encode()), root)
    for name in tasks:
        assert run_task(root / name) == 0, name
