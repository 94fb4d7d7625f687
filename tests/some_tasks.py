"""Runs of which only some tasks are computed, with real GPAW, for tests that need no more."""

from collections.abc import Iterable
from pathlib import Path

from workflows.cli import main


def compute(root: Path, case: str, tasks: Iterable[str]) -> Path:
    """Compute tasks of a case one by one, in this order; return the directory."""
    root.mkdir(exist_ok=True)
    (root / "case.toml").write_text(case)
    for task in tasks:
        assert main(["task", str(root / task)]) == 0, task
    return root
