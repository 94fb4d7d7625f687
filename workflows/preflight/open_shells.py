"""Which systems may carry a magnetic moment: rules of thumb from the periodic table."""

from __future__ import annotations

from collections.abc import Sequence

from ase.data import atomic_numbers

# Open 3d shells that carry moments in compounds, V to Ni, and open 4f and 5f shells. 4d and 5d
# compounds with rock-salt structure, and those of Sc and Ti, are metals or d0 and not magnetic.
OPEN_3D = range(atomic_numbers["V"], atomic_numbers["Ni"] + 1)


OPEN_F = (
    *range(atomic_numbers["Ce"], atomic_numbers["Yb"] + 1),
    *range(atomic_numbers["Pa"], atomic_numbers["No"] + 1),
)


# Cations and anions whose formal charges cancel and leave closed shells: rock salts with a gap.
# Group 14 has its s pair, groups 11 and 12 have a full d shell; carbides are metals all the same.
CLOSED_SHELLS = (
    ({"Li", "Na", "K", "Rb", "Cs", "Cu", "Ag"}, {"H", "F", "Cl", "Br", "I"}),
    ({"Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd", "Hg", "Sn", "Pb"}, {"O", "S", "Se", "Te"}),
    ({"Al", "Ga", "In", "Sc", "Y", "La", "Lu"}, {"N", "P", "As", "Sb"}),
)


def open_shell(symbol: str) -> str:
    """Return which open shell may give an element a moment in a crystal.

    Parameters
    ----------
    symbol
        Chemical symbol.

    Returns
    -------
    str
        '3d', 'f', or '' for none.
    """
    number = atomic_numbers[symbol]
    if number in OPEN_3D:
        return "3d"
    return "f" if number in OPEN_F else ""


def has_gap(elements: Sequence[str]) -> bool:
    """Return whether a binary compound should be an insulator, by formal charges.

    Parameters
    ----------
    elements
        Chemical symbols of the host, each once.
    """
    if len(elements) != 2:
        return False
    pairs = (tuple(elements), tuple(reversed(elements)))
    return any(
        cation in cations and anion in anions
        for cation, anion in pairs
        for cations, anions in CLOSED_SHELLS
    )


def is_radical(symbol: str) -> bool:
    """Return whether an atom has an odd number of electrons, so that it has a magnetic moment.

    Parameters
    ----------
    symbol
        Chemical symbol.
    """
    return int(atomic_numbers[symbol]) % 2 == 1
