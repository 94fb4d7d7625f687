"""PAW data sets: which are installed, and what they ask for."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ase.units import Hartree

from workflows.case.schema import DFT
from workflows.system.messages import UserError


def require_setups(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse PAW data sets that are not installed.

    Raises
    ------
    UserError
        With a line for each element: what was found, what is allowed.
    """
    lines = []
    for symbol in elements:
        available = setups(symbol, dft.xc)
        wanted = dft.setups.get(symbol, "")
        if wanted not in available:
            names = [repr(name) if name else "the default (leave it out)" for name in available]
            allowed = ", ".join(names) or "none is installed"
            found = repr(wanted) if wanted else "none"
            lines.append(f"dft.setups.{symbol}: found {found} for {dft.xc}; allowed: {allowed}")
    if lines:
        raise UserError("\n".join(lines))


# Radians of the fastest plane wave across the radius of the hardest augmentation sphere; below this
# its partial waves cannot be told apart, and energies are off by electronvolts.
RADIANS = 4.2


def least_cutoff(symbol: str, dft: DFT) -> float:
    """Return the cutoff (eV) below which an element's PAW data set is of no use at all."""
    radius = float(max(_setup(symbol, dft).rcut_j))
    hartree: float = 0.5 * (RADIANS / radius) ** 2
    return hartree * float(Hartree)


def valence_electrons(symbol: str, dft: DFT) -> int:
    """Return the number of valence electrons of an element's PAW data set."""
    return int(_setup(symbol, dft).Nv)


def _setup(symbol: str, dft: DFT) -> Any:
    return _read_setup(symbol, dft.xc, dft.setups.get(symbol, "paw"))


@functools.cache
def _read_setup(symbol: str, xc: str, name: str) -> Any:
    from gpaw.setup_data import SetupData

    return SetupData(symbol, xc, name)


def require_cutoff(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse a cutoff with which no energy means anything, not even in a smoke test.

    Raises
    ------
    UserError
        With the element that needs most.
    """
    symbol = max(elements, key=lambda element: least_cutoff(element, dft))
    least = math.ceil(least_cutoff(symbol, dft))
    if dft.cutoff < least:
        raise UserError(
            f"dft.cutoff: found {dft.cutoff:g}; allowed: at least {least} eV for the PAW data set "
            f"of {symbol} (converged results need about twice that)"
        )


def setups(symbol: str, xc: str) -> list[str]:
    """Return the names of an element's installed PAW data sets; the default one is ''."""
    import gpaw

    names = set()
    for folder in map(Path, gpaw.setup_paths):
        for path in folder.glob(f"{symbol}.*{xc}.gz"):
            parts = path.name.split(".")
            if parts[-2] == xc and len(parts) in (3, 4):
                names.add(parts[1] if len(parts) == 4 else "")
    return sorted(names)
