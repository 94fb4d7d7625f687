"""Sign shipped results again for today's recipe, where it computes the numbers as theirs did.

Recipe 3 differs from recipe 2 only in that the content of the PAW data sets belongs to a task's
fingerprint. A result of recipe 2 is signed again if it is whole, belongs to its case, and was
computed with the version of the packages, gpaw-data among them, that is installed here without any
GPAW_SETUP_PATH. Numbers and files stay as they are. Usage: python examples/sign_again.py DIR...
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

from workflows.campaign.directory import read_campaign
from workflows.system.files import digest, write_signed
from workflows.tasks.folder import INPUTS, Result
from workflows.tasks.graph import Task
from workflows.tasks.records import Origin

BEFORE = 2  # the recipe of the results that can be signed again


def sign_again(root: Path) -> int:
    """Sign the results of a run's directory again; return how many were.

    Parameters
    ----------
    root
        The directory.

    Raises
    ------
    SystemExit
        A result does not belong to its case, or was made with other versions.
    """
    before: dict[str, Result] = {}
    after: dict[str, Result] = {}
    signed = 0
    for name, task in read_campaign(root).tasks.items():
        folder, now = task.folder(root), task.origin({need: after[need] for need in task.needs})
        result = folder.result(digest(now))
        if result is not None:
            before[name] = after[name] = result
            continue
        was = _origin_before(task, before)
        result = folder.result(digest(was))
        if result is None:
            raise SystemExit(f"{root / name}: not a result of recipe {BEFORE} with these versions")
        before[name] = result
        after[name] = dataclasses.replace(result, fingerprint=digest(now))
        write_signed(folder / INPUTS, {"fingerprint": digest(now), "inputs": now})
        folder.finish(after[name])
        signed += 1
    return signed


def _origin_before(task: Task, parents: dict[str, Result]) -> Origin:
    """Return what a task was computed from under the recipe before, which knew no data sets."""
    origin = task.origin({need: parents[need] for need in task.needs})
    origin["recipe"] = BEFORE
    del origin["data_sets"]
    return origin


def main() -> None:
    """Sign the results of the directories that are named on the command line."""
    if "GPAW_SETUP_PATH" in os.environ:
        raise SystemExit("GPAW_SETUP_PATH is set; allowed: the data sets of gpaw-data alone")
    for root in map(Path, sys.argv[1:]):
        sys.stdout.write(f"{root}: {sign_again(root)} results signed again\n")


if __name__ == "__main__":
    main()
