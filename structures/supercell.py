"""Surface supercells by their names, such as 2x2."""

import re

import numpy as np
import numpy.typing as npt


def surface_cell(cell: str) -> npt.NDArray[np.int64]:
    """Translate the name of a surface supercell into its integer matrix.

    Parameters
    ----------
    cell
        'NxM', such as '2x2' or '3x2', or 'sqrt2' for (√2 × √2)R45°.

    Returns
    -------
    ndarray of shape (2, 2)
        Rows: the supercell's vectors in units of the 1x1 surface vectors.

    Raises
    ------
    ValueError
        If the name is none of these.

    References
    ----------
    The names follow E. A. Wood, J. Appl. Phys. 35, 1306 (1964).
    """
    if cell == "sqrt2":
        return np.array([[1, 1], [-1, 1]])
    repeats = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", cell, flags=re.ASCII)
    if repeats is None:
        raise ValueError(f"surface cell is {cell!r}: it must be 'NxM', such as '2x2', or 'sqrt2'")
    return np.diag([int(repeats[1]), int(repeats[2])])


def primitive_translations(cell: str, face: str = "001") -> tuple[int, int]:
    """Count into how many parts the surface's translations divide the vectors of a supercell.

    A grid with a multiple of so many points along them looks the same from equivalent atoms.

    Parameters
    ----------
    cell
        Surface supercell, see `surface_cell`.
    face
        Miller indices, '001' or '110'. The cell of (110) is centred: half of its two vectors
        together is a translation, too.

    Returns
    -------
    tuple of int
        Number of parts along the first and the second in-plane cell vector.

    Raises
    ------
    ValueError
        If the cell has no such name.
    """
    if cell == "sqrt2":
        return 2, 2  # the cell's diagonals are twice those of the 1x1 cell: it is centred, too
    n, m = (int(number) for number in surface_cell(cell).diagonal())
    return (2 * n, 2 * m) if face == "110" else (n, m)
