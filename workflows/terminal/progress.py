"""Showing a run to a person: a live table in a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from workflows.tasks.records import Progress
from workflows.tasks.status import State

COLOURS = {
    "done": "green", "running": "bold yellow", "failed": "bold red", "blocked": "red",
    "stale": "magenta", "waiting": "dim", "ready": "cyan",
}  # fmt: skip


MANY = 40  # tasks that are shown one by one


NARROW = 60  # columns; on fewer the times are left out


FRAME = 4  # lines of a table that are no task's: title, headings, what is left out, the cursor's


HEARTBEAT = 30.0  # seconds between plain lines about a task that runs


BARS = "▁▂▃▄▅▆▇█"


STEPS_SHOWN = 12  # the latest steps of a relaxation that are drawn


TimeLeft = Callable[[Mapping[str, State]], str]


def _unknown(_: Mapping[str, State]) -> str:
    return ""


def describe(progress: Progress, target: float | None = None) -> str:
    """Return in a few words how far a running task is.

    Parameters
    ----------
    progress
        What it last reported.
    target
        The requested fmax, eV/angstrom.
    """
    words = []
    if "step" in progress:
        of = f" of {progress['steps']}" if "steps" in progress else ""
        words.append(f"step {progress['step']}{of}")
    if "fmax" in progress:
        asked = f" → {target:g}" if target else ""
        words.append(f"fmax {progress['fmax']:.3f}{asked} eV/Å")
    if "scf" in progress:
        words.append(f"SCF iteration {progress['scf']}")
    return ", ".join(words) or "starting"


def spark(values: Sequence[float], target: float) -> str:
    """Draw numbers above 0 as bars on a logarithmic scale that begins at `target`.

    Parameters
    ----------
    values
        The numbers.
    target
        The number that has the lowest bar, as have all below it.
    """
    heights = [math.log(max(value, target) / target) for value in values]
    top = max(heights, default=0.0) or 1.0
    return "".join(BARS[round(height / top * (len(BARS) - 1))] for height in heights)


def duration(seconds: float | None) -> str:
    """Return a time span as 'H:MM:SS' or 'M:SS'; empty if unknown."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def elapsed(state: State) -> float | None:
    """Return a task's seconds: what it took, or what it has taken so far."""
    if state.status == "running" and "started" in state.progress:
        return time.time() - float(state.progress["started"])
    return state.seconds


def remark(state: State, *, bars: bool = False) -> str:
    """Return the remark on a task beside its status.

    Parameters
    ----------
    state
        How far it is.
    bars
        Whether bars of its falling fmax come first.
    """
    if state.status != "running":
        return state.note
    target, trend = state.task.fmax, state.progress.get("trend", [])
    words = describe(state.progress, target)
    if bars and target and len(trend) > 1:
        return f"{spark(trend[-STEPS_SHOWN:], target)} {words}"
    return words


def worth_showing(states: Mapping[str, State], most: int = MANY) -> Mapping[str, State]:
    """Return the tasks to show: all, or of many those that run or are in trouble before others.

    Parameters
    ----------
    states
        The tasks, by folder.
    most
        How many are shown at most.
    """
    if len(states) <= most:
        return states
    first = ("running", "failed", "stale", "ready", "done", "waiting", "blocked")
    chosen = sorted(states, key=lambda name: first.index(states[name].status))
    return {name: states[name] for name in chosen[:most]}


def counts(states: Mapping[str, State]) -> str:
    """Return how many tasks are how far, such as '3 done, 1 running'."""
    found: Counter[str] = Counter(state.status for state in states.values())
    return ", ".join(f"{found[status]} {status}" for status in COLOURS if found[status])


def status_table(
    states: Mapping[str, State], *, bars: bool = False, size: ConsoleDimensions | None = None
) -> Table:
    """Return a table of the tasks: status, time, and a remark.

    Parameters
    ----------
    states
        The tasks, by folder. Of many, those that run or are in trouble come first, and the rest is
        counted.
    bars
        Whether the remark on a relaxation begins with bars of its falling fmax.
    size
        The columns and lines of a screen that all of it has to fit into; if None, `MANY` tasks are
        shown, each on as many lines as it takes.
    """
    shown = worth_showing(states, MANY if size is None else max(1, size.height - FRAME))
    narrow = size is not None and size.width < NARROW
    table = Table(box=None, pad_edge=False)
    longest = max(map(len, shown), default=0)
    table.add_column("task", no_wrap=True, min_width=min(longest, size.width - 9) if size else None)
    table.add_column("status", no_wrap=True, min_width=max(map(len, COLOURS)))
    if not narrow:
        table.add_column("time", no_wrap=True, justify="right", min_width=len("0:00:00"))
    table.add_column("")
    for name, state in shown.items():
        colour = COLOURS[state.status]
        cells = [escape(name), f"[{colour}]{state.status}[/]", duration(elapsed(state))]
        said = Text(remark(state, bars=bars), no_wrap=size is not None, overflow="ellipsis")
        table.add_row(*cells[: 2 if narrow else 3], said)
    if len(shown) < len(states):
        blank = [""] * (1 if narrow else 2)
        said = Text(counts(states), no_wrap=size is not None, overflow="ellipsis")
        table.add_row(f"... of {len(states)} tasks", *blank, said)
    return table


class Silent:
    """A view that shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, states: Mapping[str, State]) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Show nothing."""


class Lines:
    """A view that prints a line when something happens, and now and then while nothing does."""

    def __init__(self, console: Console, root: str, time_left: TimeLeft = _unknown) -> None:
        self._console, self._root, self._time_left = console, root, time_left
        self._last: dict[str, str] = {}
        self._printed: dict[str, float] = {}
        self._start = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, states: Mapping[str, State]) -> None:
        """Print what has changed since the last call."""
        left = self._time_left(states)
        for name, state in states.items():
            before = self._last.get(name)
            self._last[name] = state.status
            if state.status == "running":
                self._report_running(name, state, new=before != "running")
            elif state.status != before and state.status in ("done", "failed", "blocked"):
                took = f" ({duration(state.seconds)})" if state.seconds is not None else ""
                ahead = f"; {left}" if left and state.status == "done" else ""
                self._print(f"{name}: {state.status}{took} {state.note}".rstrip() + ahead)

    def _report_running(self, name: str, state: State, *, new: bool) -> None:
        now = time.monotonic()
        if new:
            self._print(f"{name}: started ({state.task.title})")
        elif now - self._printed.get(name, now) < HEARTBEAT:
            self._printed.setdefault(name, now)
            return
        else:
            self._print(f"{name}: {remark(state)}")
        self._printed[name] = now

    def note(self, line: str) -> None:
        """Print a line."""
        self._print(line)

    def _print(self, line: str) -> None:
        clock = duration(time.monotonic() - self._start)
        self._console.print(f"[{clock:>7}] {line}", markup=False, highlight=False, soft_wrap=True)


class Screen:
    """A view that keeps one table up to date in a terminal."""

    def __init__(self, console: Console, root: str, time_left: TimeLeft = _unknown) -> None:
        self._console, self._root, self._time_left = console, root, time_left
        self._bars = console.encoding.startswith("utf")
        self._start = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, states: Mapping[str, State]) -> None:
        """Redraw the table."""
        done = sum(state.status == "done" for state in states.values())
        clock = duration(time.monotonic() - self._start)
        title = f"{self._root}: {done} of {len(states)} tasks done, {clock}"
        if left := self._time_left(states):
            title += f", {left}"
        heading = Text(title, style="bold", no_wrap=True, overflow="ellipsis")
        table = status_table(states, bars=self._bars, size=self._console.size)
        self._live.update(Group(heading, table))

    def note(self, line: str) -> None:
        """Print a line above the table."""
        self._console.print(line, markup=False, highlight=False)


def view(console: Console, root: str, time_left: TimeLeft = _unknown) -> Lines | Screen:
    """Return a live table for a terminal, plain lines for anything else.

    Parameters
    ----------
    root
        The directory of the run, as it is shown.
    time_left
        Returns the remaining time in words, or an empty text.
    """
    kind = Screen if console.is_terminal else Lines
    return kind(console, root, time_left)
