"""Where output goes: a terminal as wide as it is, or a pipe or file."""

from __future__ import annotations

import sys
from textwrap import fill

from rich.console import Console

from workflows.system.messages import UserError

WIDTH = 160  # columns of a pipe or file, which has no width of its own


def console() -> Console:
    """Return standard output as a console that prints words as they are."""
    # A ':cat:' in a path is part of the path, and a notebook gets plain text as a pipe does.
    terminal = Console(emoji=False, force_jupyter=False)
    return (
        terminal if terminal.is_terminal else Console(width=WIDTH, emoji=False, force_jupyter=False)
    )


def say(line: str) -> None:
    """Print a line: on a terminal broken between words, never within one; elsewhere as it is."""
    screen = console()
    if screen.is_terminal:
        line = fill(line, screen.width, break_long_words=False, break_on_hyphens=False)
    screen.print(line, markup=False, highlight=False, soft_wrap=True)


def confirmed(question: str) -> bool:
    """Ask a question at the terminal and return whether the answer is yes.

    Parameters
    ----------
    question
        The question.

    Raises
    ------
    UserError
        There is nobody to ask.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError("nobody can be asked here; allowed: --yes, or --dry-run to look only")
    try:
        answer = console().input(f"{question} [y/N] ", markup=False)
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
