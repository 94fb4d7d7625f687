"""Stopping: signals and limits end the work in order, and no worker outlives its driver."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.paths import ROOT
from workflows.system.signals import (
    EXIT_CODES,
    Stopped,
    end_with_parent,
    parse_walltime,
    say,
    stoppable,
)

PATIENCE = 20.0  # seconds; a loaded machine is slow to start a process

WORK = """
import sys, time
from workflows.system.signals import Stopped, stoppable
try:
    with stoppable():
        print("ready", flush=True)
        time.sleep(60)
except Stopped as stop:
    print(stop.reason, flush=True)
    sys.exit(stop.exit_code)
"""

STUBBORN = """
import time
from workflows.system import signals as stop
stop.GRACE = 0.2
with stop.stoppable():
    while True:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except BaseException:
            pass
"""


@contextmanager
def python(program: str, stdin: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    """Run a program until the end of the block; it has said 'ready' when the block begins."""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


# ---- signals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGUSR1, 75, "out of wall-clock time"),
        (signal.SIGALRM, 75, "out of wall-clock time"),
    ],
)
def test_a_signal_stops_the_work(number: signal.Signals, code: int, reason: str) -> None:
    with python(WORK) as process:
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    assert (out.strip(), process.returncode) == (reason, code)


def test_work_that_swallows_the_stop_is_ended() -> None:
    with python(STUBBORN) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 143


def test_kill_leaves_no_say() -> None:
    with python(WORK) as process:
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL


def test_the_wall_clock_stops_the_work() -> None:
    start = time.monotonic()
    with pytest.raises(Stopped) as stop, stoppable(0.05):
        time.sleep(10)
    assert stop.value.signal == signal.SIGALRM
    assert stop.value.exit_code == 75
    assert time.monotonic() - start < 5


def test_work_within_its_time_is_not_stopped() -> None:
    with stoppable(60.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 50
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_stop_is_enough() -> None:
    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # would end the process, or be a second stop

    with pytest.raises(Stopped) as stop, stoppable():
        work()
    assert stop.value.signal == signal.SIGUSR1


@pytest.mark.parametrize("error", [None, ValueError, Stopped])
def test_handlers_are_as_before_afterwards(error: type[BaseException] | None) -> None:
    before = {number: signal.getsignal(number) for number in EXIT_CODES}
    try:
        with stoppable(60.0):
            if error is Stopped:
                os.kill(os.getpid(), signal.SIGUSR1)
            if error is ValueError:
                raise ValueError
    except (ValueError, Stopped):
        pass
    assert {number: signal.getsignal(number) for number in EXIT_CODES} == before


def test_a_stop_that_was_heard_does_not_end_the_process_later() -> None:
    with pytest.raises(Stopped), stoppable():
        os.kill(os.getpid(), signal.SIGUSR1)
    timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers)


def test_a_stop_is_no_error() -> None:
    assert not issubclass(Stopped, Exception)


# ---- parents ------------------------------------------------------------------------------------

WORKER = """
import os, sys, time
from workflows.system.signals import Stopped, end_with_parent, stoppable
end_with_parent()
try:
    with stoppable():
        print("ready", flush=True)
        print(os.getpid(), flush=True)
        time.sleep(60)
except Stopped as stop:
    print(stop.reason, flush=True)
    sys.exit(stop.exit_code)
"""

DRIVER = f"""
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", {WORKER!r}], stdin=subprocess.PIPE)
time.sleep(60)
"""


def test_a_worker_ends_with_its_killed_driver() -> None:
    with python(DRIVER) as driver:
        assert driver.stdout is not None
        worker = int(driver.stdout.readline())
        driver.kill()
        start = time.monotonic()
        try:
            # The worker writes to the same pipe: its end is the pipe's.
            out, _ = driver.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(worker, signal.SIGKILL)
            raise
    assert out.strip() == "terminated"
    assert time.monotonic() - start < 5


def test_a_worker_goes_on_while_its_driver_lives() -> None:
    with python(WORKER, stdin=subprocess.PIPE) as worker:
        time.sleep(0.2)
        assert worker.poll() is None
        worker.communicate(timeout=PATIENCE)  # closes its standard input
        assert worker.returncode == 143


def test_a_worker_without_standard_input_has_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def closed(*_: int) -> bytes:
        raise OSError

    monkeypatch.setattr(os, "read", closed)
    monkeypatch.setattr(os, "kill", lambda *_: ended.set())
    monkeypatch.setattr(os, "_exit", lambda _: None)
    monkeypatch.setattr("workflows.system.signals.GRACE", 0.0)
    end_with_parent()
    assert ended.wait(PATIENCE)
    for thread in threading.enumerate():
        if thread.name == "end-with-parent":
            thread.join(PATIENCE)


# ---- wall-clock times ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("90", 90), ("1:30", 90), ("3:50:00", 13800), ("48:00:00", 172800), ("0:00:01", 1)],
)
def test_wall_clock_times(text: str, seconds: float) -> None:
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0", "0:00:00", "-1", "1:", ":1", "1:2:3:4", "1.5", "1h", " 1", "1\n", "+1", "१", "²",
     "1e3", "1_0", "9" * 9, "9" * 400, "9" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_was_found(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: ") as error:
        parse_walltime(text)
    assert repr(text) in str(error.value)


def test_lines_for_people_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("a line")
    assert capsys.readouterr() == ("", "a line\n")
