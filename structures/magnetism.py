"""Magnetic moments that a spin-polarised calculation starts from."""

from collections.abc import Iterable, Mapping

from ase import Atoms
from ase.data import atomic_numbers, ground_state_magnetic_moments

# Elements with an open d or f shell: Sc to Ni, Y to Pd, La to Pt, Ac to Ds. Those of groups 11 and
# 12 have a full d shell, and their one s electron is shared like those of the main group.
OPEN_SHELLS = (range(21, 29), range(39, 47), range(57, 79), range(89, 111))


def free_atom_moment(symbol: str) -> float:
    """Return the moment of a free atom, Bohr magnetons: by Hund's rule, from ASE's table."""
    return float(ground_state_magnetic_moments[atomic_numbers[symbol]])


def has_open_shell(symbol: str) -> bool:
    """Return whether an element has an open d or f shell."""
    return any(atomic_numbers[symbol] in shells for shells in OPEN_SHELLS)


def starting_moments(symbols: Iterable[str]) -> dict[str, float]:
    """Return the moments that the elements of a crystal start with, Bohr magnetons.

    An element with an open d or f shell starts with the moment of its free atom, others without.

    Parameters
    ----------
    symbols
        Chemical symbols.
    """
    return {s: free_atom_moment(s) if has_open_shell(s) else 0.0 for s in symbols}


def with_moments(
    atoms: Atoms, moments: Mapping[str, float], adatom: float = 0.0, *, alternating: bool = False
) -> Atoms:
    """Return a copy of a structure with initial magnetic moments.

    Parameters
    ----------
    atoms
        A crystal or a slab; tags number the layers of a slab from 1, an adatom has tag 0.
    moments
        Moment of each element of the crystal, Bohr magnetons.
    adatom
        Moment of an adatom, Bohr magnetons.
    alternating
        Whether moments point up and down from layer to layer instead of all up.
    """
    started = atoms.copy()
    sign_a = [-1.0 if alternating and atom.tag and atom.tag % 2 == 0 else 1.0 for atom in atoms]
    is_slab = not atoms.pbc.all()
    started.set_initial_magnetic_moments(
        [
            adatom if is_slab and atom.tag == 0 else sign * moments[atom.symbol]
            for atom, sign in zip(atoms, sign_a, strict=True)
        ]
    )
    return started
