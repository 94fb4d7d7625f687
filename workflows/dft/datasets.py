"""PAW data sets: which are installed, and which settings they need."""

from __future__ import annotations

import functools
import glob
import gzip
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ase.units import Hartree

from workflows.case.schema import DFT
from workflows.system.files import bytes_digest
from workflows.system.messages import UserError


def require_setups(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse PAW data sets that are not installed.

    Parameters
    ----------
    dft
        DFT settings of a case.
    elements
        Chemical symbols.

    Raises
    ------
    UserError
        With a line for each element without its data set: what was found, what is allowed.
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


def require_hubbard(dft: DFT) -> None:
    """Refuse a Hubbard U on an orbital of which an element's PAW data set has no bound state.

    Parameters
    ----------
    dft
        DFT settings of a case, whose PAW data sets are installed.

    Raises
    ------
    UserError
        With a line for each element: what was found, what is allowed.
    """
    lines = []
    for symbol, of in dft.hubbard.items():
        data = _setup(symbol, dft)
        bound = {"spdf"[j] for n, j in zip(data.n_j, data.l_j, strict=True) if n > 0}
        if of.orbital not in bound:
            names = ", ".join(repr(name) for name in "spdf" if name in bound)
            lines.append(
                f"dft.hubbard.{symbol}.orbital: found {of.orbital!r}; allowed: {names}, the "
                "valence orbitals of its PAW data set"
            )
    if lines:
        raise UserError("\n".join(lines))


def require_moments(dft: DFT) -> None:
    """Refuse starting moments that an element's valence electrons cannot have.

    Parameters
    ----------
    dft
        DFT settings of a case, whose PAW data sets are installed.

    Raises
    ------
    UserError
        With a line for each element: what was found, what is allowed.
    """
    lines = []
    for symbol, moment in dft.spin.moments.items():
        most = largest_moment(symbol, dft)
        if abs(moment) > most:
            lines.append(
                f"dft.spin.moments.{symbol}: found {moment:g}; allowed: -{most} to {most} Bohr "
                "magnetons, what the valence electrons of its PAW data set can have"
            )
    if lines:
        raise UserError("\n".join(lines))


# Phase of the fastest plane wave across the radius of the largest augmentation sphere. Below this
# the partial waves inside cannot be represented, and energies are off by electronvolts.
RADIANS = 4.2


def least_cutoff(symbol: str, dft: DFT) -> float:
    """Return the cutoff below which an element's PAW data set is of no use.

    Parameters
    ----------
    symbol
        Chemical symbol.
    dft
        DFT settings of a case; its own cutoff does not matter.

    Returns
    -------
    float
        Cutoff in eV. Converged results need about twice as much.
    """
    radius = float(max(_setup(symbol, dft).rcut_j))
    hartree: float = 0.5 * (RADIANS / radius) ** 2
    return hartree * float(Hartree)


def valence_electrons(symbol: str, dft: DFT) -> int:
    """Return the number of valence electrons of an element's PAW data set.

    Parameters
    ----------
    symbol
        Chemical symbol.
    dft
        DFT settings of a case.
    """
    return int(_setup(symbol, dft).Nv)


def largest_moment(symbol: str, dft: DFT) -> int:
    """Return the largest moment, Bohr magnetons, that an element's valence orbitals can have.

    Parameters
    ----------
    symbol
        Chemical symbol.
    dft
        DFT settings of a case.
    """
    data = _setup(symbol, dft)
    of_a_spin = sum(2 * int(j) + 1 for n, j in zip(data.n_j, data.l_j, strict=True) if n > 0)
    electrons = int(data.Nv)
    return min(electrons, 2 * of_a_spin - electrons)


def _setup(symbol: str, dft: DFT) -> Any:
    return _read_setup(symbol, dft.xc, dft.setups.get(symbol, "paw"))


@functools.cache
def _read_setup(symbol: str, xc: str, name: str) -> Any:
    from gpaw.setup_data import SetupData

    return SetupData(symbol, xc, name)


def require_cutoff(dft: DFT, elements: Iterable[str]) -> None:
    """Refuse a cutoff at which no energy means anything, not even in a smoke test.

    Parameters
    ----------
    dft
        DFT settings of a case.
    elements
        Chemical symbols.

    Raises
    ------
    UserError
        With the element that needs the highest cutoff.
    """
    symbol = max(elements, key=lambda element: least_cutoff(element, dft))
    least = math.ceil(least_cutoff(symbol, dft))
    if dft.cutoff < least:
        raise UserError(
            f"dft.cutoff: found {dft.cutoff:g}; allowed: at least {least} eV for the PAW data set "
            f"of {symbol} (converged results need about twice that)"
        )


def data_set_digests(elements: Iterable[str], xc: str, setups: Mapping[str, str]) -> dict[str, str]:
    """Return what the PAW data sets of some elements contain, as checksums.

    A data set of the same name may differ from machine to machine: clusters set GPAW_SETUP_PATH.

    Parameters
    ----------
    elements
        Chemical symbols.
    xc
        Functional, such as 'PBE'.
    setups
        Names of data sets other than the default one, by symbol.

    Returns
    -------
    dict
        SHA-256 (64 hexadecimal digits) of the unpacked data set by symbol; '' where there is none.
    """
    return {symbol: _digest(symbol, xc, setups.get(symbol, "")) for symbol in sorted(set(elements))}


def data_set_file(symbol: str, xc: str, name: str = "") -> str | None:
    """Return the path of the PAW data set that GPAW reads, or None where it finds none.

    The rule is that of `gpaw.setup_data.search_for_file`, without importing what that needs:
    `status` asks for the data sets of every task.

    Parameters
    ----------
    symbol
        Chemical symbol.
    xc
        Functional, such as 'PBE'.
    name
        Name of the data set; '' is the default one.
    """
    import gpaw

    stem = ".".join(part for part in (symbol, name, xc) if part)
    for folder in map(str, gpaw.setup_paths):
        pattern = os.path.join(folder, stem)  # noqa: PTH118 (as GPAW does, wildcards included)
        if paths := glob.glob(pattern) + glob.glob(f"{pattern}.gz"):  # noqa: PTH207
            return max(paths)
    return None


@functools.cache  # asked for every task of a campaign
def _digest(symbol: str, xc: str, name: str) -> str:
    path = data_set_file(symbol, xc, name)
    if path is None:
        return ""
    content = Path(path).read_bytes()
    if path.endswith(".gz"):
        content = gzip.decompress(content)
    return bytes_digest(content)


def setups(symbol: str, xc: str) -> list[str]:
    """Return the names of an element's installed PAW data sets.

    Parameters
    ----------
    symbol
        Chemical symbol.
    xc
        Functional for which they were made, as in their files' names: 'PBE'.

    Returns
    -------
    list of str
        Such as ['', '5'] for V; '' is the default one.
    """
    import gpaw

    names = set()
    for folder in map(Path, gpaw.setup_paths):
        for path in folder.glob(f"{symbol}.*{xc}.gz"):
            parts = path.name.split(".")
            if parts[-2] == xc and len(parts) in (3, 4):
                names.add(parts[1] if len(parts) == 4 else "")
    return sorted(names)
