"""Names and numbers as text of a figure."""

from __future__ import annotations


def plain(name: str, most: int = 28) -> str:
    """Return a name, shortened, in which matplotlib finds no formulas between dollar signs."""
    short = name if len(name) <= most else f"{name[: most - 1]}…"
    return short.replace("$", r"\$")


def significant(number: float, digits: int = 3) -> str:
    """Return a number with a few digits, as people write it: 1000, not 1e+03."""
    return f"{float(f'{number:.{digits}g}'):g}"
