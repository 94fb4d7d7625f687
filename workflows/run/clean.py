"""Dropping what can be had again: contents set aside, journals, logs and temporary files.

Results, and the structures and cubes that they name, stay: after cleaning, nothing has to be
computed again and every table and figure can still be made. On request the cubes, by far the most
of what is left, are made small.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from workflows.campaign.directory import CASES, log_path
from workflows.steps.cubes import CUBE, SMALL, make_small
from workflows.system.files import SET_ASIDE, TEMPORARY, lock
from workflows.system.messages import shown
from workflows.tasks.folder import DENSITY, PROGRESS, TaskFolder
from workflows.tasks.status import State


def clean(root: Path, states: dict[str, State], *, small_cubes: bool = False) -> Iterator[str]:
    """Drop what can be had again from a run's directory; yield a line for each thing dropped.

    `small_cubes`: density differences are also made coarse and compressed, for good.

    Raises
    ------
    Locked
        A `run` works there.
    """
    with lock(root / ".lock", shown(root)):
        for path in sorted(_droppable(root, states)):
            size = _bytes(path)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
            yield f"dropped {shown(path.relative_to(root))} ({size / 1e3:.0f} kB)"
        if small_cubes:
            yield from _made_small(root, states)


def _made_small(root: Path, states: dict[str, State]) -> Iterator[str]:
    for name, state in states.items():
        cube = root / name / CUBE
        if state.status == "done" and state.result is not None and cube.is_file():
            whole = _bytes(cube)
            make_small(TaskFolder(root / name), state.result)
            small = _bytes(cube.with_name(SMALL))
            sizes = f"{whole / 1e3:.0f} kB to {small / 1e3:.0f} kB"
            yield f"made small {shown(Path(name, CUBE))} ({sizes})"


def _droppable(root: Path, states: dict[str, State]) -> Iterator[Path]:
    for folder in (root, root / CASES):
        inside = folder.iterdir() if folder.is_dir() else ()
        yield from (p for p in inside if SET_ASIDE.search(p.name) or TEMPORARY.match(p.name))
    for name, state in states.items():
        folder = root / name
        if not folder.is_dir() or state.status == "running":
            continue
        finished = state.status == "done"
        for path in folder.iterdir():
            rest = (
                path.name in (DENSITY, PROGRESS)
                or path.suffix == ".jsonl"
                or path.name.startswith("gpaw-")
            )
            if SET_ASIDE.search(path.name) or TEMPORARY.match(path.name) or (finished and rest):
                yield path
        if finished and (log := log_path(root, name)).is_file():
            yield log


def _bytes(path: Path) -> int:
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size
