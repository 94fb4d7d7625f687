"""The bulk crystals, and the isolated atom that adsorption energies are counted from."""

from ase import Atoms
from ase.build import bulk

from structures._checks import check_element, check_length


def rocksalt(cation: str, anion: str, lattice_constant: float) -> Atoms:
    """Build the primitive cell of a rock-salt crystal, such as cubic VN.

    Parameters
    ----------
    cation, anion
        Element symbols; the cation sits at the origin.
    lattice_constant
        Edge of the conventional cube, angstrom.

    Returns
    -------
    Atoms
        2 atoms, periodic, in the face-centred cubic primitive cell.

    Raises
    ------
    ValueError
        If a symbol is no element or the lattice constant is not positive and finite.
    """
    check_element(cation)
    check_element(anion)
    check_length("lattice_constant", lattice_constant)
    return bulk(f"{cation}{anion}", "rocksalt", a=lattice_constant)


def metal(symbol: str, structure: str, lattice_constant: float) -> Atoms:
    """Build the primitive cell of a cubic metal, such as body-centred sodium.

    Parameters
    ----------
    symbol
        Element symbol.
    structure
        'bcc' or 'fcc'.
    lattice_constant
        Edge of the conventional cube, angstrom.

    Returns
    -------
    Atoms
        1 atom, periodic.

    Raises
    ------
    ValueError
        If an argument is not one of those allowed.
    """
    check_element(symbol)
    check_length("lattice_constant", lattice_constant)
    if structure not in ("bcc", "fcc"):
        raise ValueError(f"structure is {structure!r}: it must be 'bcc' or 'fcc'")
    return bulk(symbol, structure, a=lattice_constant)


def isolated_atom(symbol: str, box: float) -> Atoms:
    """Put one atom at the centre of an empty cubic box.

    Parameters
    ----------
    symbol
        Element symbol.
    box
        Edge of the cube, angstrom.

    Returns
    -------
    Atoms
        1 atom, not periodic.

    Raises
    ------
    ValueError
        If the symbol is no element or the edge is not positive and finite.
    """
    check_element(symbol)
    check_length("box", box)
    return Atoms(symbol, positions=[[box / 2] * 3], cell=[box] * 3, pbc=False)
