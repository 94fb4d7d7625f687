"""Showing a run: each change once, in words."""

import io
import time
from collections.abc import Mapping
from typing import Unpack

import pytest
from rich.console import Console

from workflows.case.reading import find, read
from workflows.tasks.graph import plan
from workflows.tasks.records import Progress
from workflows.tasks.status import State, Status
from workflows.terminal import progress as live
from workflows.terminal.progress import (
    Lines,
    Screen,
    describe,
    duration,
    elapsed,
    remark,
    spark,
    status_table,
    view,
)

TASK = plan(read(find("laptop")))["VN-slab"]  # to 0.05 eV/angstrom


def state(status: Status, note: str = "", **progress: Unpack[Progress]) -> State:
    return State(TASK, status, note, progress=progress, seconds=75.0 if status == "done" else None)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


# ---- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        ({}, "starting"),
        ({"step": 3}, "step 3"),
        ({"step": 2, "steps": 5}, "step 2 of 5"),
        ({"fmax": 0.12345}, "fmax 0.123 eV/Å"),
        ({"scf": 7, "step": 1, "fmax": 1.0}, "step 1, fmax 1.000 eV/Å, SCF iteration 7"),
        ({"started": 1.0}, "starting"),
    ],
)
def test_progress_in_words(progress: Progress, words: str) -> None:
    assert describe(progress) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (75.0, "1:15"),
        (3599.9, "1:00:00"),
        (3661.0, "1:01:01"),
        (360000.0, "100:00:00"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_running_task_has_taken_the_time_since_its_start(clock: Clock) -> None:
    assert elapsed(state("running", started=clock.now - 12.0)) == 12.0


def test_a_finished_task_has_taken_what_it_took() -> None:
    assert elapsed(state("done", started=0.0)) == 75.0


def test_a_task_that_has_not_begun_has_taken_no_time() -> None:
    assert elapsed(state("ready")) is None


def test_what_there_is_to_say() -> None:
    assert remark(state("running", "a note", step=3)) == "step 3"
    assert remark(state("failed", "desorbed: Na left")) == "desorbed: Na left"


def relaxing(*trend: float) -> State:
    return state("running", step=len(trend), fmax=trend[-1], trend=list(trend))


@pytest.mark.parametrize(
    ("trend", "bars"),
    [
        ((0.8, 0.4, 0.2, 0.1, 0.05), "█▆▅▃▁"),  # halving is a straight line
        ((0.1, 0.4), "▃█"),
        ((0.05, 0.01, 0.0), "▁▁▁"),
        ((1e9, 0.05), "█▁"),
    ],
)
def test_fmax_falling_is_drawn(trend: tuple[float, ...], bars: str) -> None:
    assert spark(trend, 0.05) == bars


def test_a_relaxation_shows_what_was_asked_for_and_how_it_falls() -> None:
    assert remark(relaxing(0.8, 0.1)) == "step 2, fmax 0.100 → 0.05 eV/Å"
    assert remark(relaxing(0.8, 0.1), bars=True) == "█▃ step 2, fmax 0.100 → 0.05 eV/Å"
    assert remark(relaxing(0.8), bars=True) == "step 1, fmax 0.800 → 0.05 eV/Å"


def test_only_the_latest_steps_are_drawn() -> None:
    drawn = remark(relaxing(*[0.5] * 40), bars=True).partition(" ")[0]
    assert drawn == "█" * live.STEPS_SHOWN


# ---- plain lines --------------------------------------------------------------------------------


def printed(*steps: State, clock: Clock | None = None, wait: float = 0.0) -> list[str]:
    """Show these states of one task one after the other; return the lines without their time."""
    out = io.StringIO()
    with Lines(Console(file=out, width=80), "run") as lines:
        for step in steps:
            lines.show({"VN-slab": step})
            if clock:
                clock.now += wait
    return [line.split("] ", 1)[1] for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("status", "note", "line"),
    [
        ("running", "", "VN-slab: started (clean VN(001))"),
        ("done", "", "VN-slab: done (1:15)"),
        ("failed", "out-of-steps: [60] steps", "VN-slab: failed out-of-steps: [60] steps"),
        ("blocked", "needs VN-lattice", "VN-slab: blocked needs VN-lattice"),
    ],
)
def test_a_change_is_printed_once(clock: Clock, status: Status, note: str, line: str) -> None:
    assert printed(*[state(status, note)] * 3) == [line]


@pytest.mark.parametrize("status", ["ready", "waiting", "stale"])
def test_what_has_not_begun_is_not_printed(status: Status) -> None:
    assert printed(state(status), state(status)) == []


def test_a_task_from_start_to_end(clock: Clock) -> None:
    steps = [state("ready"), state("running"), state("running", step=1), state("done")]
    assert printed(*steps) == ["VN-slab: started (clean VN(001))", "VN-slab: done (1:15)"]


def test_a_task_tried_again_is_printed_again(clock: Clock) -> None:
    steps = [state("failed", "r: m"), state("running"), state("failed", "r: m")]
    assert len(printed(*steps)) == 3


def test_a_long_task_is_heard_of_now_and_then(clock: Clock) -> None:
    steps = [state("running", step=number) for number in range(7)]
    found = printed(*steps, clock=clock, wait=live.HEARTBEAT / 2)
    assert found == [
        "VN-slab: started (clean VN(001))",
        "VN-slab: step 2",
        "VN-slab: step 4",
        "VN-slab: step 6",
    ]


def test_lines_begin_with_the_time(clock: Clock) -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out, width=80), "run")
    clock.now += 75
    lines.note("[red]hello[/red]")
    assert out.getvalue() == "[   1:15] [red]hello[/red]\n"


def test_long_lines_are_not_broken() -> None:
    out = io.StringIO()
    Lines(Console(file=out, width=20), "run").note("word " * 30)
    assert len(out.getvalue().splitlines()) == 1


def test_the_time_left_is_said_when_a_task_is_done() -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out, width=80), "run", lambda _: "about 40 min left")
    lines.show({"a": state("running"), "b": state("done"), "c": state("failed", "r: m")})
    started, done, failed = out.getvalue().splitlines()
    assert done.endswith("b: done (1:15); about 40 min left")
    assert "left" not in started + failed


# ---- tables -------------------------------------------------------------------------------------


def table(states: Mapping[str, State]) -> str:
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(status_table(states))
    return console.export_text()


def test_the_table_says_how_far_each_task_is() -> None:
    text = table({"VN-slab": state("done"), "VN-hollow-held": state("failed", "desorbed: gone")})
    slab, site = text.splitlines()[-2:]
    assert slab.split() == ["VN-slab", "done", "1:15"]
    assert site.split() == ["VN-hollow-held", "failed", "desorbed:", "gone"]


@pytest.mark.parametrize("odd", ["[/]", "[/red]", "[bold]x", "\\[a]", "a [b] c"])
def test_odd_names_are_shown_as_they_are(odd: str) -> None:
    assert odd in table({odd: state("ready")})
    assert odd in table({"t": state("failed", odd)})


@pytest.mark.parametrize(
    "status", ["done", "running", "failed", "blocked", "stale", "waiting", "ready"]
)
def test_every_status_can_be_shown(status: Status) -> None:
    assert status in table({"t": state(status)})


@pytest.mark.parametrize(("terminal", "kind"), [(True, Screen), (False, Lines)])
def test_the_view_suits_the_output(terminal: bool, kind: type[object]) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal)
    assert type(view(console, "run")) is kind


def test_the_screen_shows_the_table_and_notes() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    with Screen(console, "odd [/name]") as screen:
        screen.show({"VN-slab": state("done"), "VN-hollow-held": state("ready")})
        screen.note("a [/note]")
    text = " ".join(out.getvalue().split())
    assert "odd [/name]: 1 of 2 tasks done" in text
    assert "a [/note]" in text
    assert "VN-hollow-held" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60)])
def test_on_a_small_screen_running_tasks_come_before_those_that_wait(
    width: int, height: int
) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=height, color_system=None)
    states = {f"VN-site-{n}-held": state("done" if n < 20 else "waiting") for n in range(50)}
    states["VN-top-V-held"] = relaxing(0.8, 0.4, 0.1)  # last in the order of the graph
    with Screen(console, "a/long/path/of/a/run/on/some/file/system") as screen:
        screen.show(states)
    frame = out.getvalue().rstrip().splitlines()
    assert len(frame) <= height
    assert max(map(len, frame)) <= width + 10  # and what moves the cursor
    assert any(line.startswith("VN-top-V-held") and "running" in line for line in frame)
    assert any("51 tasks" in line for line in frame) or height > 54


def test_the_screen_says_how_long_it_will_take() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    with Screen(console, "run", lambda _: "about 40 min left") as screen:
        screen.show({"VN-slab": relaxing(0.8, 0.1)})
    text = out.getvalue()
    assert "run: 0 of 1 tasks done, 0:00, about 40 min left" in text
    assert "█▃ step 2" in text
