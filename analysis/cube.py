"""The Gaussian cube format as text: lengths in bohr, density in e/bohr^3.

ASE's writer leaves the density as it is, writes only into real files and rounds the grid step to
1e-6 bohr; this one converts both units and keeps the density to nine digits.
"""

from typing import TextIO

import numpy as np
from ase import Atoms
from ase.units import Bohr

from analysis.charge import SAME_CELL, Array, Density

PER_LINE = 6


def write_cube(stream: TextIO, density: Density, atoms: Atoms, comment: str = "") -> None:
    """Write a density and its atoms as a cube with its origin at zero.

    Parameters
    ----------
    stream
        Text stream to write into.
    density
        Density in e/angstrom^3 with shape (nx, ny, nz).
    atoms
        Atoms with positions in angstrom, in the cell of the density.
    comment
        Text for the first line; line breaks become blanks.

    Raises
    ------
    ValueError
        If the cell of the atoms is not the cell of the density.

    References
    ----------
    https://paulbourke.net/dataformats/cube/
    """
    apart = float(np.abs(np.asarray(atoms.cell) - density.cell_cv).max())
    if apart > SAME_CELL:
        msg = f"cells of atoms and density differ by {apart:.2g} angstrom: they must be the same"
        raise ValueError(msg)
    stream.write(" ".join(comment.split()) + "\n")
    stream.write("Lengths in bohr, density in e/bohr^3, z runs fastest\n")
    stream.write(_header_line(len(atoms), (0.0, 0.0, 0.0)))
    for points, vector_v in zip(density.shape, density.cell_cv, strict=True):
        stream.write(_header_line(points, vector_v / points / Bohr))
    for number, position_v in zip(atoms.numbers, atoms.positions, strict=True):
        stream.write(_header_line(number, (number, *(position_v / Bohr))))
    # 1 e/angstrom^3 = Bohr^3 e/bohr^3
    _write_values(stream, density.values * Bohr**3)


def read_cube(stream: TextIO) -> tuple[Density, Atoms]:
    """Read a density and its atoms from a cube with its origin at zero.

    Parameters
    ----------
    stream
        Text stream to read from.

    Returns
    -------
    density : Density
        Density in e/angstrom^3 with shape (nx, ny, nz).
    atoms : ase.Atoms
        Atoms with positions in angstrom, in the periodic cell of the density.

    Raises
    ------
    ValueError
        If the text is cut short, not a number where one belongs, or not of this kind: several
        values per point, lengths in angstrom or an origin away from zero.

    References
    ----------
    https://paulbourke.net/dataformats/cube/
    """
    for _ in range(2):
        stream.readline()
    count, *origin = _numbers(stream, "number of atoms and origin", 4)
    if origin[3:] not in ([], [1.0]):
        msg = f"cube holds {origin[3]:g} values per point: one is allowed"
        raise ValueError(msg)
    natoms = _whole(count, "number of atoms", least=0)
    if np.abs(origin[:3]).max() > SAME_CELL:
        msg = f"cube has its origin at {origin[:3]} bohr: zero is needed"
        raise ValueError(msg)
    axes = [_numbers(stream, f"grid axis {axis}", 4) for axis in (1, 2, 3)]
    shape = tuple(_whole(row[0], "number of grid points", least=1) for row in axes)
    cell_cv = np.array([n * np.array(row[1:4]) for n, row in zip(shape, axes, strict=True)]) * Bohr
    rows = [_numbers(stream, f"atom {index + 1}", 5) for index in range(natoms)]
    atoms = Atoms(
        numbers=[_whole(row[0], "atomic number", least=0) for row in rows],
        positions=np.array([row[2:5] for row in rows]).reshape(-1, 3) * Bohr,
        cell=cell_cv,
        pbc=True,
    )
    # 1 e/bohr^3 = 1/Bohr^3 e/angstrom^3
    return Density(_read_values(stream, shape) / Bohr**3, cell_cv), atoms


def _header_line(count: int, numbers: Array | tuple[float, ...]) -> str:
    return f"{count:5d}" + "".join(f"{number:17.10f}" for number in numbers) + "\n"


def _write_values(stream: TextIO, values: Array) -> None:
    nz = values.shape[2]
    lines = [min(PER_LINE, nz - start) for start in range(0, nz, PER_LINE)]
    layout = "".join("%16.8E" * numbers + "\n" for numbers in lines)
    for row in values.reshape(-1, nz):
        stream.write(layout % tuple(row.tolist()))


def _read_values(stream: TextIO, shape: tuple[int, ...]) -> Array:
    words = stream.read().split()
    needed = int(np.prod(shape))
    if len(words) != needed:
        msg = f"cube holds {len(words)} values: its grid {shape} needs {needed}"
        raise ValueError(msg)
    return np.array(_floats(words, "density")).reshape(shape)


def _numbers(stream: TextIO, what: str, least: int) -> list[float]:
    words = stream.readline().split()
    if len(words) < least:
        msg = f"cube header ends early: {what} needs {least} numbers, found {len(words)}"
        raise ValueError(msg)
    return _floats(words, what)


def _floats(words: list[str], what: str) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        msg = f"cube has a word where a number of {what} belongs: {error}"
        raise ValueError(msg) from None


def _whole(number: float, what: str, least: int) -> int:
    if number != round(number) or number < least:
        msg = f"cube gives {number:g} as {what}: a whole number from {least} up is needed"
        raise ValueError(msg)
    return int(number)
