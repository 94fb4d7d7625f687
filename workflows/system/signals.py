"""Stopping on request: signals and wall-clock limits, turned into one exception.

Work is journalled step by step, so a stop may come at any moment; the same command resumes it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

OUT_OF_TIME = 75  # EX_TEMPFAIL: not finished, run the same command again


LONGEST = 366 * 24 * 3600  # seconds; more is a slip of the finger


GRACE = 8.0  # seconds from a signal to a hard exit, should some library swallow the exception


EXIT_CODES = {
    signal.SIGINT: 128 + signal.SIGINT,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGUSR1: OUT_OF_TIME,
    signal.SIGALRM: OUT_OF_TIME,
}


class Stopped(BaseException):
    """Asked to stop. Not an Exception, so that no handler of errors takes it for one."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = signal.Signals(number)
        self.exit_code = EXIT_CODES[self.signal]

    @property
    def reason(self) -> str:
        """What asked for the stop, in words."""
        words = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
        return words.get(self.signal, "out of wall-clock time")


def _at_once(stop: Stopped) -> None:
    raise stop


@contextmanager
def stoppable(
    walltime: float | None = None,
    heard: Callable[[Stopped], None] = _at_once,
    grace: float | None = None,
) -> Iterator[None]:
    """Raise `Stopped` in the main thread on SIGINT, SIGTERM, SIGUSR1, or when time is up.

    Parameters
    ----------
    walltime
        Time from now on, seconds; without limit if None.
    heard
        Called with the stop instead of raising it at once; it may put it off.
    grace
        Longest time that it may be put off, seconds (`GRACE` if None); then the process ends.

    Raises
    ------
    Stopped
        A signal came, or time is up.
    """
    timers: list[threading.Timer] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        for known in EXIT_CODES:
            signal.signal(known, signal.SIG_IGN)  # one stop is enough
        code = EXIT_CODES[signal.Signals(number)]
        timer = threading.Timer(GRACE if grace is None else grace, os._exit, (code,))
        timer.daemon = True
        timer.start()
        timers.append(timer)
        heard(Stopped(number))

    before = {number: signal.signal(number, stop) for number in EXIT_CODES}
    if walltime is not None:
        signal.setitimer(signal.ITIMER_REAL, max(walltime, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        for timer in timers:
            timer.cancel()


def end_with_parent() -> None:
    """End this process when whoever holds the other end of its standard input is gone.

    The kernel closes a dead process's pipes, however it died, so no worker outlives its driver.
    """

    def wait() -> None:
        with suppress(OSError):  # closed from the start
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE)
        os._exit(EXIT_CODES[signal.SIGTERM])

    threading.Thread(target=wait, daemon=True, name="end-with-parent").start()


def end_with(parent: int) -> None:
    """End this process when process `parent`, which started it, is gone; asks once a second."""

    def wait() -> None:
        while os.getppid() == parent:
            threading.Event().wait(1.0)
        os._exit(EXIT_CODES[signal.SIGTERM])

    threading.Thread(target=wait, daemon=True, name="end-with").start()


def parse_walltime(text: str) -> float:
    """Return a time span given as 'H:MM:SS', 'MM:SS' or 'SS' in seconds.

    Raises
    ------
    ValueError
        The text is not such a time.
    """
    parts = text.split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch("[0-9]{1,9}", part) for part in parts):
        raise ValueError(f"found {text!r}; allowed: H:MM:SS, such as 3:50:00")
    seconds = 0
    for part in parts:
        seconds = 60 * seconds + int(part)
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"found {text!r}; allowed: more than no time, and at most a year")
    return float(seconds)


def say(line: str) -> None:
    """Print a line for people to standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
