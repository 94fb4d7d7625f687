"""Mistakes of a user, as lines that say what was found and what is allowed."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

WIDEST = 60  # characters of a value or a key that are repeated in a message


class UserError(Exception):
    """A mistake of a user; the message is one line per problem, ready to print."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return " (did you mean 'X'?)", or nothing where no allowed word is near."""
    near = difflib.get_close_matches(word[:WIDEST], list(allowed), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def require_one_of(what: str, found: object, allowed: Iterable[str]) -> None:
    """Raise a ValueError that lists what is allowed unless an argument is one of them."""
    names = list(allowed)
    if found not in names:
        near = nearest(found, names) if isinstance(found, str) else ""
        raise ValueError(f"{what}: found {found!r}{near}; allowed: {', '.join(names)}")


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put the name of a file before each line of a UserError."""
    try:
        yield
    except UserError as error:
        lines = str(error).split("\n")
        start = f"{source}: " if source else ""
        raise UserError("\n".join(f"{start}{line}" for line in lines)) from None


def brief(value: object) -> str:
    """Return a value as a case file would have it, cut to fit into a line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, datetime.date | datetime.time):
        return str(value)
    try:
        text = repr(value)
    except (
        ValueError,
        RecursionError,
    ):  # an integer of more digits than Python prints, or deep lists
        return "a value too long to show"
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def key(part: str | int) -> str:
    """Return a key of a TOML file as it is written there: in quotes where it needs them."""
    text = str(part)
    return text if re.fullmatch("[A-Za-z0-9_-]{1,60}", text) else brief(text)


def shown(path: str | Path) -> str:
    """Return a path as text that is safe to print on one line, whatever characters it has."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def few(names: Sequence[str], most: int = 4) -> str:
    """Return the first few of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def in_bytes(number: float) -> str:
    """Return a number of bytes as people write it, such as '1.5 GB', '800 MB' or '12 kB'."""
    for size, unit in ((1e9, "GB"), (1e6, "MB")):
        if number >= size:
            return f"{number / size:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{number / 1e3:.0f} kB"


def one_line(text: str) -> str:
    """Return text as one printable line."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
