"""Surface supercells: their names, such as 2x2, and their integer matrices."""

import math
import re

import numpy as np
import numpy.typing as npt
from ase.geometry import minkowski_reduce

from structures._arrays import IN_PLANE, FloatArray, IntArray

MOST_CELLS = 81  # of the surface's own, in a supercell
LARGEST_ENTRY = 9
_NAMED = {"sqrt2": [[1, 1], [-1, 1]]}
_ROWS = re.compile(r"(-?\d+) (-?\d+)/(-?\d+) (-?\d+)", flags=re.ASCII)


def surface_cell(cell: str) -> IntArray:
    """Translate the name of a surface supercell into its integer matrix.

    Parameters
    ----------
    cell
        'NxM', such as '2x2' or '3x2', 'sqrt2' for (√2 × √2)R45°, or a name by `supercell_name`.

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
    if cell in _NAMED:
        return np.array(_NAMED[cell])
    if repeats := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", cell, flags=re.ASCII):
        return np.diag([int(repeats[1]), int(repeats[2])])
    if rows := _ROWS.fullmatch(cell):
        matrix = np.array([int(entry) for entry in rows.groups()]).reshape(2, 2)
        check_supercell(matrix)
        return matrix
    raise ValueError(f"surface cell is {cell!r}: it must be 'NxM', such as '2x2', or 'sqrt2'")


def supercell_name(matrix: npt.ArrayLike) -> str:
    """Name a supercell by its integer matrix.

    Parameters
    ----------
    matrix
        Rows: the supercell's vectors in units of the 1x1 surface vectors; shape (2, 2).

    Returns
    -------
    str
        'NxM' or 'sqrt2' where it has such a name, else its rows: '2 1/-1 2'.

    Raises
    ------
    ValueError
        If its rows are parallel or left-handed, or it is too large.
    """
    rows = np.asarray(matrix)
    check_supercell(rows)
    for name, named in _NAMED.items():
        if (rows == named).all():
            return name
    (a, b), (c, d) = rows.tolist()
    return f"{a}x{d}" if b == c == 0 and a > 0 else f"{a} {b}/{c} {d}"


def check_supercell(matrix: IntArray) -> None:
    """Raise ValueError if a matrix (2, 2) has parallel or left-handed rows or is too large."""
    too_large = (
        f"which is too large; allowed: numbers from -{LARGEST_ENTRY} to {LARGEST_ENTRY}, and at "
        f"most {MOST_CELLS} times the surface's own cell"
    )
    if np.abs(matrix).max() > LARGEST_ENTRY:
        raise ValueError(too_large)
    multiple = round(float(np.linalg.det(matrix)))
    if multiple == 0:
        raise ValueError("whose vectors are parallel; allowed: two that span a cell")
    if multiple < 0:
        raise ValueError(
            f"which is left-handed; allowed: its rows exchanged, {matrix[::-1].tolist()}"
        )
    if multiple > MOST_CELLS:
        raise ValueError(too_large)


def side_lengths(cell: str, unit_cv: npt.ArrayLike = ((1.0, 0.0), (0.0, 1.0))) -> FloatArray:
    """Return the lengths of a supercell's two vectors.

    Parameters
    ----------
    cell
        Surface supercell, see `surface_cell`.
    unit_cv
        Vectors of the 1x1 cell as rows, shape (2, 2), angstrom; the unit square if not given.

    Returns
    -------
    ndarray of shape (2,)
        In the unit of `unit_cv`.
    """
    return np.asarray(np.linalg.norm(surface_cell(cell) @ np.asarray(unit_cv, float), axis=1))


def image_distance(cell: str, unit_cv: npt.ArrayLike) -> float:
    """Return the least distance between images of an adatom; parameters as `side_lengths`."""
    flat_cv = np.zeros((3, 3))
    flat_cv[:2, :2] = surface_cell(cell) @ np.asarray(unit_cv, float)
    flat_cv[2, 2] = 1.0
    reduced_cv, _ = minkowski_reduce(flat_cv, pbc=IN_PLANE)
    return float(np.linalg.norm(reduced_cv[:2], axis=1).min())


def laid_along_x(vectors_cv: npt.ArrayLike) -> FloatArray:
    """Turn two right-handed vectors of a plane so that the first lies along x.

    Parameters
    ----------
    vectors_cv
        The two vectors as rows, shape (2, 2).

    Returns
    -------
    ndarray of shape (2, 2)
        Their lengths and their angle are kept.
    """
    first, second = np.asarray(vectors_cv, float)
    length = float(np.linalg.norm(first))
    along = float(first @ second) / length
    # b_y = (|b|^2 - b_x^2)^(1/2)
    return np.array([[length, 0.0], [along, math.sqrt(float(second @ second) - along**2)]])


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
    matrix = surface_cell(cell)
    (a, b), (c, d) = matrix.tolist()
    cells = a * d - b * c
    # a 1x1 vector in units of the supercell's: a row of the inverse matrix, here times `cells`
    inverse = np.array([[d, -b], [-c, a]])
    parts = [cells // math.gcd(cells, *column) for column in inverse.T.tolist()]
    if face == "110":  # half of both vectors together
        halves = [
            2 * cells // math.gcd(2 * cells, column) for column in inverse.sum(axis=0).tolist()
        ]
        parts = [math.lcm(part, half) for part, half in zip(parts, halves, strict=True)]
    return parts[0], parts[1]
