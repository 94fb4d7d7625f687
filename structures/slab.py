"""Slabs: layers, in-plane cell, vacuum, and which layers are held.

Rock salt, bcc and fcc share one stacking along [001]: a square layer that holds the atoms of
the primitive cell, repeated every a/2 and shifted each time by half the square's diagonal. The
close-packed (110) face of bcc metals is ASE's.
"""

import math

import numpy as np
from ase import Atoms
from ase.build import bcc110, make_supercell
from ase.constraints import FixAtoms

from structures._checks import check_length
from structures.bulk import metal, rocksalt
from structures.supercell import laid_along_x, surface_cell


def rocksalt_slab(
    cation: str,
    anion: str,
    lattice_constant: float,
    *,
    layers: int,
    cell: str,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Build a rock-salt (001) slab, every layer with as many cations as anions.

    Parameters
    ----------
    cation, anion
        Element symbols.
    lattice_constant
        Edge a of the bulk's conventional cube, angstrom; the 1x1 surface cell is a/√2 wide.
    layers
        Number of atomic layers, a/2 apart.
    cell
        Surface supercell, see `surface_cell`.
    vacuum
        Empty space on each side, angstrom; the bottom layer lies at z = vacuum.
    held_layers
        Number of bottom layers held at their bulk positions; with all of them the slab is rigid.

    Returns
    -------
    Atoms
        2 · layers · det(cell) atoms from the bottom up, periodic in the plane; the first cell
        vector lies along x, the third along z. Tags count the layers from the top, which has tag 1.

    Raises
    ------
    ValueError
        If an argument is not one of those allowed.
    """
    crystal = rocksalt(cation, anion, lattice_constant)
    return _stack(
        list(crystal.symbols),
        side=lattice_constant / math.sqrt(2),
        spacing=lattice_constant / 2,
        layers=layers,
        cell=cell,
        vacuum=vacuum,
        held_layers=held_layers,
    )


def metal_slab(
    symbol: str,
    structure: str,
    lattice_constant: float,
    *,
    layers: int,
    cell: str,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Build a (001) slab of a cubic metal.

    Parameters
    ----------
    symbol
        Element symbol.
    structure
        'bcc' or 'fcc'.
    lattice_constant
        Edge a of the bulk's conventional cube, angstrom; the 1x1 surface cell is a wide for
        bcc, a/√2 for fcc.
    layers, cell, vacuum, held_layers
        As for `rocksalt_slab`.

    Returns
    -------
    Atoms
        layers · det(cell) atoms, ordered and tagged as by `rocksalt_slab`.

    Raises
    ------
    ValueError
        If an argument is not one of those allowed.
    """
    crystal = metal(symbol, structure, lattice_constant)
    return _stack(
        list(crystal.symbols),
        side=lattice_constant if structure == "bcc" else lattice_constant / math.sqrt(2),
        spacing=lattice_constant / 2,
        layers=layers,
        cell=cell,
        vacuum=vacuum,
        held_layers=held_layers,
    )


def bcc110_slab(
    symbol: str,
    lattice_constant: float,
    *,
    layers: int,
    cell: str,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Build a (110) slab of a body-centred cubic metal, its close-packed face.

    Parameters
    ----------
    symbol
        Element symbol.
    lattice_constant
        Edge a of the bulk's conventional cube, angstrom.
    layers, vacuum, held_layers
        As for `rocksalt_slab`; the layers are a/√2 apart.
    cell
        'NxM' of the centred rectangle, a wide along x ([001]) and a√2 along y ([1-10]), which
        holds two atoms of a layer.

    Returns
    -------
    Atoms
        2 · N · M · layers atoms, ordered and tagged as by `rocksalt_slab`.

    Raises
    ------
    ValueError
        If an argument is not one of those allowed.
    """
    metal(symbol, "bcc", lattice_constant)  # checks its arguments
    _check_layers(layers, held_layers)
    check_length("vacuum", vacuum)
    if "x" not in cell:
        raise ValueError(f"surface cell is {cell!r}: on bcc (110) it must be 'NxM', such as '2x1'")
    repeats = surface_cell(cell).diagonal()
    size = (int(repeats[0]), 2 * int(repeats[1]), layers)  # ASE counts the rectangle's two rows
    slab = bcc110(symbol, size, a=lattice_constant, vacuum=vacuum, orthogonal=True)
    slab.info.clear()  # ASE's own table of sites: ours follow the atoms
    return _finished(slab, layers, held_layers)


def _stack(
    symbols: list[str],
    *,
    side: float,
    spacing: float,
    layers: int,
    cell: str,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Stack square layers `side` wide and `spacing` apart (angstrom), one cell's `symbols` each."""
    _check_layers(layers, held_layers)
    check_length("vacuum", vacuum)
    matrix = surface_cell(cell)

    layer_l = np.arange(layers)
    corner_and_centre = np.array([[0.0, 0.0], [0.5, 0.5]])[: len(symbols)]
    scaled_lav = (corner_and_centre + layer_l[:, None, None] / 2) % 1.0
    z_l = vacuum + spacing * layer_l
    height = spacing * (layers - 1) + 2 * vacuum
    column = Atoms(
        symbols * layers,
        positions=np.column_stack(
            [side * scaled_lav.reshape(-1, 2), np.repeat(z_l, len(symbols))],
        ),
        cell=[side, side, height],
        pbc=(True, True, False),
        tags=np.repeat(layers - layer_l, len(symbols)),
    )
    slab = make_supercell(column, [[*matrix[0], 0], [*matrix[1], 0], [0, 0, 1]])
    (ax, ay), (bx, by) = side * laid_along_x(matrix)
    slab.set_cell([[ax, ay, 0.0], [bx, by, 0.0], [0.0, 0.0, height]], scale_atoms=True)
    return _finished(slab, layers, held_layers)


def _finished(slab: Atoms, layers: int, held_layers: int) -> Atoms:
    """Order the atoms and hold the bottom layers."""
    slab = _ordered(slab)
    if held_layers > 0:
        slab.set_constraint(FixAtoms(mask=slab.get_tags() > layers - held_layers))
    return slab


def _check_layers(layers: int, held_layers: int) -> None:
    if layers < 1:
        raise ValueError(f"layers is {layers}: it must be at least 1")
    if not 0 <= held_layers <= layers:
        raise ValueError(f"held_layers is {held_layers}: it must be 0 to {layers}")


def _ordered(slab: Atoms) -> Atoms:
    """Sort the atoms from the bottom layer up, in each layer by y, then x."""
    x, y, _ = np.round(slab.positions, 6).T  # rounded: noise must not decide the order
    return slab[np.lexsort((x, y, -slab.get_tags()))]
