"""Our side of the benchmark: the driver of `sodiophile run` on the clean slab and the held sites.

python -m tests.benchmarks.ours CASE.toml DIR [JOBS]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from workflows.campaign.campaign import alone
from workflows.campaign.directory import write_campaign
from workflows.case.reading import parse
from workflows.run.local import Run
from workflows.tasks.graph import Task
from workflows.tasks.status import State
from workflows.terminal.progress import Lines


class HeldSites(Run):
    """A run of the host's clean slab and its sites with x and y held, and of nothing else."""

    def _loop(self, tasks: Mapping[str, Task]) -> dict[str, State]:
        kinds = ("slab", "held")
        return super()._loop(
            {n: t for n, t in tasks.items() if t.surface == "host" and t.kind in kinds}
        )


def main() -> int:
    """Compute the case's host; return 1 if a task has no result."""
    content = Path(sys.argv[1]).read_bytes()
    root = Path(sys.argv[2])
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    root.mkdir(parents=True, exist_ok=True)
    campaign = alone(parse(content, sys.argv[1]), content)
    write_campaign(campaign, root)
    view = Lines(Console(width=160), str(root))
    states = HeldSites(campaign, root, jobs, view).go(None)
    return int(any(state.result is None for state in states.values()))


if __name__ == "__main__":
    sys.exit(main())
