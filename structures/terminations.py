"""Any face of any crystal: the stack of atomic layers along its normal, and slabs cut from it.

A stack is the crystal's smallest cell with two vectors in the plane of the face. Its atoms form
layers; a slab may begin with any of them, and layers that the crystal's own symmetry carries into
each other are the same termination.
"""

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import spglib
from ase import Atoms
from ase.build import make_supercell
from ase.constraints import FixAtoms

from structures._arrays import FloatArray, IntArray
from structures._checks import check_length
from structures._spglib import without_deprecation
from structures.crystals import SYMMETRY_TOLERANCE, primitive_cell

LAYER_GAP = 0.3  # angstrom: atoms whose heights differ by less are of one layer
MAX_INDEX = 6
MAX_SLAB_ATOMS = 500

_FLAT = 1e-3  # angstrom

Miller = tuple[int, int, int]

TASKER = {
    1: "type 1: every layer is neutral",
    2: "type 2: layers are charged, the repeat unit has no dipole",
    3: "type 3, polar: the repeat unit has a dipole along the normal",
}


@dataclass(frozen=True)
class Termination:
    """A way to cut a face.

    Attributes
    ----------
    name
        Formulas of as many layers, from the top, as tell it from the others: 'N' or 'O-Ti2O2'.
    layers
        Formulas of the layers of one repeat unit from the top down, of the 1x1 cell.
    point_group
        Rotations and mirrors that turn the surface into itself, as a point group: '4mm'.
    tasker
        Tasker's type: 1, 2, or 3 for polar ones (`TASKER`).
    top_layer
        Number of the layer, in the stack, that is on top.
    both_sides
        Numbers of layers, up to those of one repeat unit, with which (or with whole repeat units
        more) both sides of a slab are alike.

    References
    ----------
    P. W. Tasker, J. Phys. C 12, 4977 (1979).
    """

    name: str
    layers: tuple[str, ...]
    point_group: str
    tasker: int
    top_layer: int
    both_sides: tuple[int, ...]

    @property
    def polar(self) -> bool:
        """Whether its repeat unit has a dipole along the normal."""
        return self.tasker == 3


@dataclass(frozen=True)
class Stack:
    """A crystal as a stack of layers along the normal of a face.

    Attributes
    ----------
    atoms
        n atoms of the smallest cell; its first two vectors lie in the xy-plane, the first along x.
    layer_a
        Number of each atom's layer, from the bottom; shape (n,).
    height_a
        Heights along the normal, angstrom, without a jump within a layer; shape (n,).
    """

    atoms: Atoms
    layer_a: IntArray
    height_a: FloatArray

    @property
    def layers(self) -> int:
        """Number of layers in the repeat unit."""
        return int(self.layer_a.max()) + 1

    @property
    def repeat(self) -> float:
        """Height of the repeat unit, angstrom."""
        return float(self.atoms.cell[2, 2])

    def formula(self, layer: int) -> str:
        """Return the formula of a layer, counted on through repeat units, of the 1x1 cell."""
        symbols = self.atoms.symbols[self.layer_a == layer % self.layers]
        return str(symbols.get_chemical_formula("metal"))


def stack_layers(crystal: Atoms, miller: Miller) -> Stack:
    """Arrange a crystal along the normal of a face.

    Parameters
    ----------
    crystal
        Conventional cell, which the Miller indices refer to; periodic in three dimensions.
    miller
        Miller indices, not all zero and up to 6.

    Returns
    -------
    Stack
        The smallest cell in the plane, its angle between 60° and 90° where the lattice has such.

    Raises
    ------
    ValueError
        If the indices are not among those allowed.
    """
    check_miller(miller)
    primitive = primitive_cell(crystal)
    # (h k l) of the conventional cell is G = h b1 + k b2 + l b3; a primitive one's are G . a_i.
    normal_v = np.linalg.inv(crystal.cell) @ miller
    indices = _coprime(np.asarray(primitive.cell) @ normal_v)
    basis_cv = _basis(np.asarray(primitive.cell), indices, normal_v)
    x_v = basis_cv[0] / np.linalg.norm(basis_cv[0])
    z_v = normal_v / np.linalg.norm(normal_v)
    axes_vv = np.column_stack([x_v, np.cross(z_v, x_v), z_v])
    flat = Atoms(
        primitive.numbers, primitive.positions @ axes_vv, cell=basis_cv @ axes_vv, pbc=True
    )
    return _in_layers(flat)


def check_miller(miller: Miller) -> None:
    """Raise ValueError unless these are Miller indices that a slab can be cut along."""
    if not any(miller):
        raise ValueError("allowed: three whole numbers that are not all zero, such as [1, 1, 1]")
    if max(map(abs, miller)) > MAX_INDEX:
        raise ValueError(f"allowed: three whole numbers from -{MAX_INDEX} to {MAX_INDEX}")


def find_terminations(stack: Stack) -> tuple[Termination, ...]:
    """List the distinct terminations of a face, unpolar ones first.

    Parameters
    ----------
    stack
        The crystal along the normal of the face.

    Returns
    -------
    tuple of Termination
        One for each set of top layers that the symmetry of the crystal carries into each other.
    """
    rotations, translations = _symmetry(stack.atoms)
    upright = rotations[:, 2, 2] == 1
    images = {
        layer: _images(stack, layer, rotations, translations) for layer in range(stack.layers)
    }
    tops = sorted({int(images[layer][upright].max()) for layer in images}, reverse=True)
    sequences = {
        top: tuple(stack.formula(top - down) for down in range(stack.layers)) for top in tops
    }
    charge_a = _charges(stack.atoms)
    found = [
        Termination(
            name=_name(stack, top, sequences),
            layers=sequences[top],
            point_group=_point_group(rotations[upright & (images[top] == top)]),
            tasker=_tasker_type(stack, top, charge_a),
            top_layer=top,
            both_sides=_both_sides(stack, top, images[top][~upright]),
        )
        for top in tops
    ]
    return tuple(sorted(found, key=lambda termination: (termination.tasker, termination.name)))


def choose_termination(terminations: tuple[Termination, ...], name: str | None) -> Termination:
    """Return the termination of a name, or the only one there is.

    Raises
    ------
    ValueError
        If there is none of that name, or several and no name.
    """
    chosen = [t for t in terminations if name in (None, t.name)]
    if len(chosen) == 1:
        return chosen[0]
    allowed = ", ".join(f"{t.name!r}" + (" (polar)" if t.polar else "") for t in terminations)
    raise ValueError(f"allowed: {allowed}")


def cut_slab(
    stack: Stack,
    termination: Termination,
    *,
    layers: int,
    cell: npt.ArrayLike,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Cut a slab.

    Parameters
    ----------
    stack
        The crystal along the normal of the face.
    termination
        One of the stack's terminations.
    layers
        Number of atomic layers.
    cell
        In-plane cell: integer matrix of shape (2, 2), rows in units of the stack's first two cell
        vectors.
    vacuum
        Empty space on each side, angstrom.
    held_layers
        Number of layers, from the bottom, that are held.

    Returns
    -------
    Atoms
        Slab, periodic along its first two cell vectors, the first along x, the third along z.
        Atoms are ordered from the bottom up; tags count the layers from the top, which has tag 1.

    Raises
    ------
    ValueError
        If an argument is not one of those allowed.
    """
    check_length("vacuum", vacuum)
    if layers < 1 or not 0 <= held_layers <= layers:
        raise ValueError(f"found {layers} layers, {held_layers} of them held")
    matrix = np.asarray(cell)
    multiple = round(abs(float(np.linalg.det(matrix))))
    if multiple < 1:
        raise ValueError("allowed: two rows of whole numbers that are not parallel")
    most = MAX_SLAB_ATOMS // multiple
    if layers > most or _count(stack, termination, layers) > most:
        raise ValueError(f"a slab of more than {MAX_SLAB_ATOMS} atoms; allowed: a smaller one")
    column = _column(stack, termination, layers)
    slab = make_supercell(column, [[*matrix[0], 0], [*matrix[1], 0], [0, 0, 1]])
    slab.info.clear()
    return finish_slab(slab, vacuum=vacuum, held_layers=held_layers)


def slab_of_crystal(
    crystal: Atoms,
    miller: Miller,
    termination: str | None,
    *,
    layers: int,
    cell: npt.ArrayLike,
    vacuum: float,
    held_layers: int,
) -> Atoms:
    """Cut a slab from a crystal, its termination chosen by name (None: the only one there is).

    See `stack_layers`, `choose_termination` and `cut_slab` for the arguments and errors.
    """
    stack = stack_layers(crystal, miller)
    chosen = choose_termination(find_terminations(stack), termination)
    return cut_slab(stack, chosen, layers=layers, cell=cell, vacuum=vacuum, held_layers=held_layers)


def slab_as_given(slab: Atoms, *, cell: npt.ArrayLike, vacuum: float, held_layers: int) -> Atoms:
    """Repeat a slab as it is; its atoms are sorted into layers by their heights.

    Parameters
    ----------
    slab
        Periodic along its first two cell vectors, which lie in the xy-plane.
    cell
        In-plane cell: integer matrix of shape (2, 2), rows in units of the slab's own vectors.
    vacuum, held_layers
        As for `cut_slab`.

    Raises
    ------
    ValueError
        If its cell is not that of a slab, more layers are held than there are, or it is too large.
    """
    check_length("vacuum", vacuum)
    whole, vertical = slab.copy(), slab.cell[2] * (0, 0, 1)
    if abs(slab.cell[:2, 2]).max() > _FLAT or not vertical.any():
        raise ValueError("found a cell whose first two vectors do not lie in the xy-plane")
    unfolded_a = _unfolded(slab.positions[:, 2], float(vertical[2]))
    layer_a = layers_of_heights(unfolded_a)
    layers = int(layer_a.max()) + 1
    if held_layers > layers:
        raise ValueError(f"found {held_layers} held layers of {layers}")
    matrix = np.asarray(cell)
    if len(slab) * round(abs(float(np.linalg.det(matrix)))) > MAX_SLAB_ATOMS:
        raise ValueError(f"a slab of more than {MAX_SLAB_ATOMS} atoms; allowed: a smaller one")
    whole.positions[:, 2] = unfolded_a
    whole.set_cell([*slab.cell[:2] * (1, 1, 0), vertical])
    whole.set_tags(layers - layer_a)
    repeated = make_supercell(whole, [[*matrix[0], 0], [*matrix[1], 0], [0, 0, 1]], wrap=False)
    repeated.info.clear()
    return finish_slab(repeated, vacuum=vacuum, held_layers=held_layers)


def _unfolded(z_a: FloatArray, period: float) -> FloatArray:
    """Return heights (angstrom) counted from above the widest gap: no slab is torn in two."""
    order_a = np.argsort(z_a % period)
    sorted_a = (z_a % period)[order_a]
    gap_a = np.diff(sorted_a, prepend=sorted_a[-1] - period)
    base = sorted_a[int(np.round(gap_a, 4).argmax())] - 1e-6
    return np.asarray((z_a - base) % period)


def finish_slab(slab: Atoms, *, vacuum: float, held_layers: int) -> Atoms:
    """Lay a slab's first vector along x, centre it in vacuum (angstrom), order and hold layers.

    Parameters
    ----------
    slab
        Slab whose layers are tagged from the top, which has tag 1; first two vectors in the plane.
    vacuum, held_layers
        As for `cut_slab`.
    """
    x, y = slab.cell[0, :2]
    slab.rotate(-math.degrees(math.atan2(y, x)), "z", rotate_cell=True)
    if slab.cell[1, 1] < 0:
        slab.set_cell([slab.cell[0], -slab.cell[1], slab.cell[2]])
    height = float(np.ptp(slab.positions[:, 2])) + 2 * vacuum
    slab.positions[:, 2] += vacuum - slab.positions[:, 2].min()
    cell_cv = np.array([slab.cell[0], slab.cell[1], [0.0, 0.0, height]])
    cell_cv[:2, 2] = cell_cv[0, 1] = 0.0
    slab.set_cell(cell_cv)
    slab.pbc = (True, True, False)
    slab.wrap(eps=1e-6)
    x_a, y_a, z_a = np.round(slab.positions, 6).T  # rounded: noise must not decide the order
    slab = slab[np.lexsort((x_a, y_a, z_a, -slab.get_tags()))]
    layers = int(slab.get_tags().max())
    if held_layers:
        slab.set_constraint(FixAtoms(mask=slab.get_tags() > layers - held_layers))
    return slab


def layers_of_heights(height_a: FloatArray) -> IntArray:
    """Return the number of each atom's layer, from the lowest, from heights in angstrom."""
    order_a = np.argsort(height_a, kind="stable")
    layer_a = np.zeros(len(height_a), dtype=np.int64)
    layer_a[order_a[1:]] = np.cumsum(np.diff(height_a[order_a]) > LAYER_GAP)
    return layer_a


def _coprime(indices: FloatArray) -> IntArray:
    """Return the smallest whole numbers with the same ratios."""
    smallest = abs(indices[abs(indices) > 1e-6]).min()
    for factor in range(1, 100):
        multiple = indices / smallest * factor
        if np.allclose(multiple, multiple.round(), atol=1e-3):
            whole = multiple.round().astype(np.int64)
            return np.asarray(whole // reduce(math.gcd, map(abs, whole.tolist())))
    raise ValueError("the face has no whole Miller indices in the primitive cell")


def _basis(cell_cv: FloatArray, indices: IntArray, normal_v: FloatArray) -> FloatArray:
    """Return the shortest two vectors in the plane, right-handed, and the shortest to the next."""
    most = int(abs(indices).max()) + 2
    whole = range(-most, most + 1)
    number_nc = np.array(list(itertools.product(whole, whole, whole)))
    step_n = number_nc @ indices
    length_n = np.round(np.linalg.norm(number_nc @ cell_cv, axis=1), 4)
    order_n = np.lexsort((*number_nc.T, length_n))
    vector_nv = (number_nc @ cell_cv)[order_n]
    plane_nv = vector_nv[(step_n[order_n] == 0) & (length_n[order_n] > 0)]
    first_v = plane_nv[0]
    left_n = np.cross(first_v, plane_nv) @ normal_v > 1e-6
    # The two shortest vectors of a plane are a basis of it. Of those equally long, 60° before 120°.
    second_nv = plane_nv[left_n]
    obtuse_n = second_nv @ first_v < -1e-6
    second_v = second_nv[np.lexsort((obtuse_n, np.round(np.linalg.norm(second_nv, axis=1), 4)))[0]]
    third_v = vector_nv[step_n[order_n] == 1][0]
    return np.array([first_v, second_v, third_v])


def _in_layers(atoms: Atoms) -> Stack:
    """Sort the atoms from the bottom up and number their layers."""
    repeat = float(atoms.cell[2, 2])
    z_a = atoms.positions[:, 2] % repeat
    order_a = np.argsort(z_a, kind="stable")
    gap_a = np.diff(z_a[order_a], prepend=z_a[order_a[-1]] - repeat)
    # Heights begin above the widest gap: no layer is then torn into top and bottom.
    base = z_a[order_a[int(np.round(gap_a, 4).argmax())]] - 1e-6
    height_a = (z_a - base) % repeat
    atoms.positions += np.outer(
        np.round((height_a - atoms.positions[:, 2] + base) / repeat), atoms.cell[2]
    )
    order_a = np.argsort(height_a, kind="stable")
    height_a = height_a[order_a]
    return Stack(atoms[order_a], layers_of_heights(height_a), height_a)


def _symmetry(atoms: Atoms) -> tuple[IntArray, FloatArray]:
    """Return the operations of a stack that keep its plane or turn it over.

    Scaled coordinates r go to R r + t: shapes (s, 3, 3) and (s, 3).
    """
    cell = (atoms.cell.tolist(), atoms.get_scaled_positions().tolist(), atoms.numbers.tolist())
    with without_deprecation():
        found = spglib.get_symmetry(cell, symprec=SYMMETRY_TOLERANCE)
    if found is None:
        raise ValueError("its symmetry cannot be determined; allowed: a crystal")
    rotations = np.asarray(found["rotations"], dtype=np.int64)
    keeps = ~rotations[:, 2, :2].any(axis=1)
    return rotations[keeps], np.asarray(found["translations"])[keeps]


def _images(stack: Stack, layer: int, rotations: IntArray, translations: FloatArray) -> IntArray:
    """Return the layers that operations carry a layer to; shape (s,)."""
    # of scaled coordinates in get_scaled_positions, which are wrapped: heights differ by whole ones
    scaled_l = (
        np.array([stack.atoms.positions[stack.layer_a == i, 2].mean() for i in range(stack.layers)])
        / stack.repeat
    )
    z_s = rotations[:, 2, 2] * scaled_l[layer] + translations[:, 2]
    apart_sl = z_s[:, None] - scaled_l
    return np.asarray(abs(apart_sl - apart_sl.round()).argmin(axis=1))


def _both_sides(stack: Stack, top: int, over: IntArray) -> tuple[int, ...]:
    """Return with how many layers the bottom one is one of `over`, to which the top is turned."""
    return tuple(m for m in range(1, stack.layers + 1) if (top - m + 1) % stack.layers in over)


def _name(stack: Stack, top: int, sequences: dict[int, tuple[str, ...]]) -> str:
    """Return the shortest beginning of a sequence of layers that no other termination has."""
    own = sequences[top]
    others = [sequence for other, sequence in sequences.items() if other != top]
    for length in range(1, len(own) + 1):
        if all(own[:length] != other[:length] for other in others):
            return "-".join(own[:length])
    # Two ways to cut between like layers: the wider gap first.
    same = [other for other, sequence in sequences.items() if sequence == own]
    same.sort(key=lambda other: -_gap_above(stack, other))
    return f"{own[0]}-{same.index(top) + 1}"


def _gap_above(stack: Stack, layer: int) -> float:
    """Return the distance between a layer's highest atom and the next one's lowest, angstrom."""
    highest = stack.height_a[stack.layer_a == layer].max()
    above = (layer + 1) % stack.layers
    lowest = stack.height_a[stack.layer_a == above].min()
    return round(float((lowest - highest) % stack.repeat), 3)


def _point_group(rotations: IntArray) -> str:
    with without_deprecation():
        found = spglib.get_pointgroup(np.unique(rotations, axis=0))
    return "" if found is None else str(found[0]).strip()


def _tasker_type(stack: Stack, top: int, charge_a: FloatArray) -> int:
    layer_q = np.bincount(stack.layer_a, charge_a, stack.layers)
    if np.all(abs(layer_q) < 1e-3):
        return 1
    # The repeat unit from this top layer down: layers above it are those of the unit below.
    z_a = stack.height_a - np.where(stack.layer_a > top, stack.repeat, 0.0)
    return 2 if abs(charge_a @ z_a) < 0.02 * abs(charge_a) @ abs(z_a - z_a.mean()) else 3


def _charges(atoms: Atoms) -> FloatArray:
    """Return formal charges; where elements have none that cancel, electronegativities about 0."""
    from pymatgen.core import Composition, Element

    symbols = atoms.get_chemical_symbols()
    if len(set(symbols)) == 1:
        return np.zeros(len(atoms))
    guesses = Composition(atoms.get_chemical_formula()).oxi_state_guesses()
    if guesses:
        return np.array([guesses[0][symbol] for symbol in symbols])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have none
        negativity_a = np.nan_to_num([Element(symbol).X for symbol in symbols])
    return np.asarray(negativity_a.mean() - negativity_a)


def most_electronegative(symbols: Sequence[str]) -> str:
    """Return the most electronegative of some elements, by Pauling's scale."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have none
        return max(symbols, key=lambda symbol: float(np.nan_to_num(Element(symbol).X)))


def _count(stack: Stack, termination: Termination, layers: int) -> int:
    size_l = np.bincount(stack.layer_a)
    return int(sum(size_l[(termination.top_layer - down) % stack.layers] for down in range(layers)))


def _column(stack: Stack, termination: Termination, layers: int) -> Atoms:
    """Return so many layers in the stack's own in-plane cell, tagged from the top."""
    column = Atoms(cell=[*stack.atoms.cell[:2], [0.0, 0.0, stack.repeat]], pbc=(True, True, False))
    for down in range(layers):
        units, layer = divmod(termination.top_layer - down, stack.layers)
        part = stack.atoms[stack.layer_a == layer]
        part.positions += units * stack.atoms.cell[2]
        part.set_tags(down + 1)
        column += part
    return column
