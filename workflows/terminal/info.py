"""What the program runs with: versions, libraries, MPI ranks, PAW data sets."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ase.data import atomic_numbers, chemical_symbols

from workflows.case.reading import find, presets, read
from workflows.dft.datasets import setups
from workflows.dft.installation import libraries, setup_folders
from workflows.system.messages import UserError, nearest, shown

PACKAGES = (
    "sodiophile", "gpaw", "gpaw-data", "ase", "numpy", "scipy", "pymatgen", "scikit-image",
    "matplotlib",
)  # fmt: skip


ELEMENTS = ("V", "N", "Na", "Ti", "Li", "K")


@dataclass(frozen=True)
class Wanted:
    """PAW data sets to list: of an element, for a functional, and the name that a case uses."""

    symbol: str
    xc: str = "PBE"
    used: str | None = None

    def line(self) -> str:
        """Return the installed sets, and the used one, in a line."""
        names = ", ".join(name or "default" for name in setups(self.symbol, self.xc)) or "none"
        used = "" if self.used is None else f", the case uses {self.used or 'default'}"
        return f"{'PAW sets of ' + self.symbol:16}{names} ({self.xc}{used})"


def wanted(words: Iterable[str]) -> list[Wanted]:
    """Return whose PAW data sets are asked for.

    Parameters
    ----------
    words
        Chemical symbols, presets and paths of case files; a few common elements if there are none.

    Raises
    ------
    UserError
        A word is none of these, or a case file cannot be used.
    """
    found: list[Wanted] = []
    for word in words:
        if atomic_numbers.get(word, 0) > 0:
            found.append(Wanted(word))
            continue
        if word not in presets() and "/" not in word and not Path(word).exists():
            near = nearest(word, [*chemical_symbols[1:], *presets()])
            raise UserError(
                f"{shown(word)}: no such element, preset or file{near}; allowed: a symbol such as "
                f"Na, {', '.join(presets())} or the path of a case file"
            )
        case = read(find(word))
        found += (Wanted(s, case.dft.xc, case.dft.setups.get(s, "")) for s in case.elements)
    return found or [Wanted(symbol) for symbol in ELEMENTS]


def lines(paw_sets: Iterable[Wanted]) -> Iterator[str]:
    """Yield what the program runs with, one fact a line."""
    yield f"{'python':16}{platform.python_version()}"
    for package in PACKAGES:
        yield f"{package:16}{_version(package)}"
    for name, value in (libraries() | {"PAW data sets": setup_folders()}).items():
        yield f"{name:16}{value}"
    yield from (one.line() for one in paw_sets)
    threads = os.environ.get("OMP_NUM_THREADS", "not set (the program sets 1 for its workers)")
    yield f"{'OMP_NUM_THREADS':16}{threads}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
