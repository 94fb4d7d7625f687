"""Any file of a finished run cut, changed, swapped or linked at random: never used, nothing lost.

SODIOPHILE_FUZZ=5000 pytest tests/test_damage.py      # as many damages as you have patience for
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.faults import made_up_task
from workflows.campaign.directory import read_campaign
from workflows.cli import main
from workflows.run.worker import run_task
from workflows.system.messages import UserError
from workflows.tasks.records import EFFORT
from workflows.tasks.status import survey

FUZZ = settings(
    max_examples=int(os.environ.get("SODIOPHILE_FUZZ", "200")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TASK = made_up_task.TASK


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of three tasks, one of them computed here with a made-up calculation."""
    root = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        made_up_task.without_gpaw(patch)
        assert run_task(made_up_task.prepare(root)) == 0
    assert len(files(root)) > 12
    return root


@pytest.fixture(autouse=True)
def springs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        made_up_task.without_gpaw(patch)
        yield


def files(root: Path) -> list[Path]:
    """Return the files of a run, relative to its directory."""
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


def numbers(root: Path) -> dict[str, Any]:
    """Return what each task that counts as done found, and the digests of its files."""
    states = survey(read_campaign(root).tasks, root)
    return {
        name: (
            {key: value for key, value in state.result.values.items() if key not in EFFORT},
            state.result.files,
        )
        for name, state in states.items()
        if state.status == "done" and state.result is not None
    }


def cut(path: Path, data: st.DataObject) -> None:
    path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size), "length")])


def change(path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    place = data.draw(st.integers(0, len(content) - 1), "place")
    content[place] ^= data.draw(st.integers(1, 255), "mask")
    path.write_bytes(content)


def delete(path: Path, _data: st.DataObject) -> None:
    path.unlink()


def swap(path: Path, data: st.DataObject) -> None:
    root = path.parents[1] if path.parent.name != "run" else path.parent
    other = root / data.draw(st.sampled_from(files(root)), "with")
    if other != path:
        path.rename(root / "swapped")
        other.rename(path)
        (root / "swapped").rename(other)


def link(path: Path, data: st.DataObject) -> None:
    """Put a link in a file's place: to a stranger's file or folder, to itself, to nothing."""
    outside = path.parents[2] if path.parent.name != "run" else path.parents[1]
    targets = ["stranger/notes.txt", "stranger/result.json", "stranger", "nothing", "same"]
    target = data.draw(st.sampled_from(targets), "target")
    if target == "same":  # what was there, but elsewhere
        path.rename(outside / "moved")
        path.symlink_to(outside / "moved")
    else:
        path.unlink()
        path.symlink_to(outside / target)


def link_folder(path: Path, _data: st.DataObject) -> None:
    """Put a link to a stranger's folder in the place of a task's."""
    if path.parent.name != "run":
        shutil.rmtree(path.parent)
        path.parent.symlink_to(path.parents[2] / "stranger")


def pipe(path: Path, _data: st.DataObject) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, _data: st.DataObject) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: list[Callable[[Path, st.DataObject], None]] = [
    cut, change, swap, link, delete, pipe, folder, link_folder,
]  # fmt: skip


def stranger(place: Path, finished: Path) -> dict[Path, bytes]:
    """Make a folder of somebody else beside a run; return what is in it."""
    (place / "stranger").mkdir()
    (place / "stranger" / "notes.txt").write_text("do not touch")
    for name in ("result.json", "inputs.json", "gpaw-1.txt"):
        shutil.copy(finished / TASK / name, place / "stranger")
    return {path: path.read_bytes() for path in (place / "stranger").iterdir()}


@FUZZ
@given(data=st.data())
def test_a_damaged_run_gives_the_same_numbers_or_none(finished: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        root = Path(shutil.copytree(finished, place / "run"))
        whole, strangers = numbers(root), stranger(place, finished)
        damage = data.draw(st.sampled_from(DAMAGES), "damage")
        damage(root / data.draw(st.sampled_from(files(root)), "file"), data)

        for use in (None, ["status"], ["task"], ["clean", "--set-aside", "--yes"]):
            if use is not None:
                verb, *options = use
                code = main([verb, str(root / TASK if verb == "task" else root), *options])
                assert code in (0, 1, 2, 3), use
            try:
                found = numbers(root)
            except UserError:  # a damaged case file is refused
                event("refused")
                continue
            event(f"{damage.__name__}: {len(found)} of {len(whole)} used")
            assert found.items() <= whole.items()

        now = {path: path.read_bytes() for path in (place / "stranger").rglob("*")}
        assert now == strangers
        others = {"run", "stranger"} | ({"moved"} if (place / "moved").exists() else set())
        assert {path.name for path in place.iterdir()} == others
