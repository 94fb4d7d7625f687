"""Adsorption sites of any surface: tops, bridges and hollows that no symmetry makes alike.

Seen from above, the atoms that an adatom can touch are points of a plane. Tops are the points;
bridges lie halfway between two that share an edge of their Voronoi cells; hollows are the corners
of Voronoi cells, as far from three or more of them. The symmetry of the ideal slab sorts all these
into sites. On a relaxed slab a site moves along with the atoms that it lies between: rumpling
neither adds a site nor takes one away.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import find_mic, minkowski_reduce
from scipy.spatial import Voronoi

from structures._arrays import IN_PLANE, FloatArray, IntArray
from structures.symmetry import find_symmetry

PROBE = 1.66  # angstrom, covalent radius of sodium
_REACH = 1.25  # times the sum of covalent radii: as near as an adatom comes to a surface atom
_SAME = 0.15  # angstrom in the plane: corners that close are one, edges that short are none
_LIKE = 0.05  # angstrom: slabs that come from files are symmetric to a few decimals
_BELOW = 0.5  # angstrom in the plane: an atom that close to a hollow lies under it
_DEPTH = 9.0  # angstrom below the highest atom: what lies deeper makes no sites


@dataclass(frozen=True)
class Place:
    """One of the places that a site has in the cell.

    Attributes
    ----------
    atoms
        Numbers of the k atoms that it lies on or between.
    offset_kc
        Cells from each of these atoms to its image there, shape (k, 2).
    shift_v
        From their midpoint to the place on the ideal slab, x and y, angstrom.
    """

    atoms: tuple[int, ...]
    offset_kc: IntArray
    shift_v: FloatArray

    def position(self, slab: Atoms) -> FloatArray:
        """Return x and y, angstrom, on a slab of the same atoms, relaxed or not."""
        return np.asarray(_corners(slab, self).mean(axis=0) + self.shift_v)


@dataclass(frozen=True)
class Site:
    """A kind of place that an adatom can take.

    Attributes
    ----------
    name
        'top-X', 'bridge', 'bridge-X-Y', 'hollow', 'hollow-fcc' and so on (`find_sites`).
    places
        All its places in the cell.
    """

    name: str
    places: tuple[Place, ...]


def find_sites(ideal: Atoms) -> tuple[Site, ...]:
    """Find the distinct adsorption sites of a surface and name them.

    Parameters
    ----------
    ideal
        Unrelaxed slab without adatom, periodic in x and y, top layer tagged 1.

    Returns
    -------
    tuple of Site
        In alphabetical order. 'top-X' is above an atom of element X; 'bridge' or 'hollow' where
        there is only one of its kind, else bridges have the elements of the two atoms
        ('bridge-O-Ti') and, where these are the same, their length ('short-bridge',
        'long-bridge'); threefold hollows of an element are 'hollow-hcp' above an atom of the
        second layer and 'hollow-fcc' elsewhere, others have the number and elements of the atoms
        about them ('hollow-3-OTiTi') and what lies under them ('-over-O'). What is left alike gets
        a number, highest first.

    Raises
    ------
    ValueError
        If no atom of the slab can be reached from above.
    """
    deep = ideal.positions[:, 2] < ideal.positions[:, 2].max() - _DEPTH
    kept = np.flatnonzero(~deep)
    slab = ideal[kept]
    slab.set_constraint()  # a held bottom is no matter of the surface's
    reached = exposed_atoms(slab)
    found = [*_tops(reached), *_bridges_and_hollows(slab, reached)]
    kinds = _sorted_by_symmetry(slab, found)
    names = _names(slab, kinds)
    return tuple(
        Site(name, tuple(_numbered(place, kept) for place in kind))
        for name, kind in sorted(zip(names, kinds, strict=True), key=lambda pair: pair[0])
    )


def _numbered(place: Place, kept: IntArray) -> Place:
    """Return a place with the numbers that its atoms have in the whole slab."""
    return replace(place, atoms=tuple(int(kept[atom]) for atom in place.atoms))


def exposed_atoms(slab: Atoms) -> IntArray:
    """Return the numbers of the atoms that an adatom that comes down upon them touches first.

    Parameters
    ----------
    slab
        Slab of n atoms without adatom.
    """
    # One reach for all elements: atoms of a layer do not hide each other for their size.
    reach = _REACH * (covalent_radii[slab.numbers].mean() + PROBE)
    x_av = slab.positions * (1, 1, 0)
    apart_aav = x_av[:, None] - x_av
    lateral_aa = find_mic(apart_aav.reshape(-1, 3), slab.cell, pbc=IN_PLANE)[1].reshape(
        len(slab), len(slab)
    )
    # Height of the adatom above atom a at which it touches atom b: z_b + sqrt(reach^2 - d_ab^2).
    with np.errstate(invalid="ignore"):
        touch_aa = slab.positions[:, 2] + np.sqrt(reach**2 - lateral_aa**2)
    highest_a = np.nanmax(touch_aa, axis=1)
    return np.flatnonzero(slab.positions[:, 2] + reach > highest_a - 1e-3)


def _tops(reached: IntArray) -> Iterator[Place]:
    for atom in reached:
        yield Place((int(atom),), np.zeros((1, 2), dtype=np.int64), np.zeros(2))


def _bridges_and_hollows(slab: Atoms, reached: IntArray) -> Iterator[Place]:
    """Yield what the Voronoi cells of the exposed atoms share: edges and corners."""
    cell_cv = np.asarray(slab.cell[:2, :2])
    atom_p, offset_pc = _images(slab, reached)
    point_pv = slab.positions[atom_p, :2] + offset_pc @ cell_cv
    cells = Voronoi(point_pv)
    centre_v = cell_cv.sum(axis=0) / 2
    radius = np.linalg.norm(point_pv - centre_v, axis=1).max()
    # The rim of the patch of images has ragged cells.
    inside = np.linalg.norm(cells.vertices - centre_v, axis=1) < 0.6 * radius
    shared: list[tuple[IntArray, FloatArray]] = []
    for pair, ends in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        whole = -1 not in ends and inside[ends].all()
        if whole and np.linalg.norm(np.subtract(*cells.vertices[ends])) > _SAME:
            shared.append((pair, point_pv[pair].mean(axis=0)))
    for corner_v in cells.vertices[inside]:
        distance_p = np.linalg.norm(point_pv - corner_v, axis=1)
        shared.append((np.flatnonzero(distance_p < distance_p.min() + _SAME), corner_v))
    for points, xy in shared:
        place = _place(slab, atom_p, offset_pc, points, xy)
        if place is not None:
            yield place


def _images(slab: Atoms, reached: IntArray) -> tuple[IntArray, IntArray]:
    """Return atoms and cells of enough images for whole Voronoi cells about the first cell."""
    reduced_cv, change = minkowski_reduce(slab.cell, pbc=IN_PLANE)
    lengths = np.linalg.norm(reduced_cv[:2], axis=1)
    reach = 1.5 * float(np.linalg.norm(slab.cell[:2, :2], axis=1).sum()) + 12.0
    counts = [int(np.ceil(reach / length)) + 1 for length in lengths]
    spans = [range(-count, count + 1) for count in counts]
    cell_nc = np.array(list(itertools.product(*spans))) @ np.asarray(change)[:2, :2]
    centre_v = slab.cell[:2, :2].sum(axis=0) / 2
    atom_p = np.repeat(reached, len(cell_nc))
    offset_pc = np.tile(cell_nc, (len(reached), 1)).astype(np.int64)
    point_pv = slab.positions[atom_p, :2] + offset_pc @ slab.cell[:2, :2]
    near = np.linalg.norm(point_pv - centre_v, axis=1) < reach
    return atom_p[near], offset_pc[near]


def _place(
    slab: Atoms, atom_p: IntArray, offset_pc: IntArray, points: IntArray, xy: FloatArray
) -> Place | None:
    """Return the place at xy (angstrom) if it lies in the first cell, else None."""
    scaled_c = xy @ np.linalg.inv(slab.cell[:2, :2])
    if np.any(np.floor(scaled_c + 1e-4) != 0):
        return None
    offset_kc = offset_pc[points]
    atoms = tuple(int(atom) for atom in atom_p[points])
    middle = (slab.positions[list(atoms), :2] + offset_kc @ slab.cell[:2, :2]).mean(axis=0)
    return Place(atoms, offset_kc, xy - middle)


def _sorted_by_symmetry(slab: Atoms, places: Sequence[Place]) -> list[list[Place]]:
    """Return places in groups that operations of the slab carry into each other."""
    unit = unit_cell(slab)
    symmetry = find_symmetry(unit, tolerance=_LIKE)
    upright = symmetry.rotation_scc[:, 2, 2] == 1
    to_scaled = np.linalg.inv(unit.cell[:2, :2])
    groups: list[list[Place]] = []
    images: list[FloatArray] = []  # of each group's first place, in scaled coordinates
    for place in places:
        xy_c = place.position(slab) @ to_scaled
        for group, image_sc in zip(groups, images, strict=True):
            apart_sc = image_sc - xy_c
            apart_sc -= apart_sc.round()
            near_s = np.linalg.norm(apart_sc @ unit.cell[:2, :2], axis=1) < _SAME
            if not near_s.any():
                continue
            if all(_apart(slab, place, other) > _SAME for other in group):
                group.append(place)
            break
        else:
            groups.append([place])
            images.append(
                xy_c @ symmetry.rotation_scc[upright][:, :2, :2]
                + symmetry.translation_sc[upright][:, :2]
            )
    return groups


def between_mirrors(ideal: Atoms) -> float:
    """Return the direction midway between two mirror lines of a surface, as an angle from x.

    Parameters
    ----------
    ideal
        Unrelaxed slab.

    Returns
    -------
    float
        Radians; the two lines are those with the widest angle between them. 22.5° from x where
        there are none.
    """
    unit = unit_cell(ideal)
    unit.set_constraint()
    symmetry = find_symmetry(unit, tolerance=_LIKE)
    cell_cv, upright = np.asarray(unit.cell[:2, :2]), symmetry.rotation_scc[:, 2, 2] == 1
    lines = []
    for rotation_cc in np.unique(symmetry.rotation_scc[upright][:, :2, :2], axis=0):
        image_vv = np.linalg.inv(cell_cv) @ rotation_cc @ cell_cv  # of rows
        if np.linalg.det(image_vv) < 0:
            # The mirror line at an angle a carries x to the direction 2 a.
            lines.append(float(np.arctan2(image_vv[0, 1], image_vv[0, 0]) / 2 % np.pi))
    if not lines:
        return float(np.pi / 8)
    line_l = np.sort(np.round(lines, 6))
    gap_l = np.diff(line_l, append=line_l[0] + np.pi)
    widest = int(np.round(gap_l, 4).argmax())
    return float(line_l[widest] + gap_l[widest] / 2)


def unit_cell(slab: Atoms) -> Atoms:
    """Return a slab in the smallest cell in the plane that its translations allow.

    A supercell such as 3x2 has less symmetry than the surface; this cell has all of it.

    Parameters
    ----------
    slab
        Slab, its third cell vector along z.
    """
    symmetry = find_symmetry(slab, tolerance=_LIKE)
    pure = (symmetry.rotation_scc == np.eye(3)).all(axis=(1, 2))
    whole_nc = np.array(list(itertools.product(range(-2, 3), repeat=2)))
    scaled_nc = (symmetry.translation_sc[pure, None, :2] + whole_nc).reshape(-1, 2)
    vector_nv = scaled_nc @ slab.cell[:2, :2]
    length_n = np.round(np.linalg.norm(vector_nv, axis=1), 3)
    vector_nv = vector_nv[np.lexsort((*np.round(vector_nv.T, 3), length_n))]
    vector_nv = vector_nv[np.linalg.norm(vector_nv, axis=1) > _SAME]
    # The two shortest vectors of a plane lattice are a basis of it.
    first_v = vector_nv[0]
    area_n = first_v[0] * vector_nv[:, 1] - first_v[1] * vector_nv[:, 0]
    second_v = vector_nv[area_n > _SAME][0]
    unit = slab.copy()
    unit.set_cell([[*first_v, 0.0], [*second_v, 0.0], slab.cell[2]])
    apart_aav = unit.positions[:, None] - unit.positions
    distance = find_mic(apart_aav.reshape(-1, 3), unit.cell, pbc=IN_PLANE)[1]
    same_aa = distance.reshape(len(unit), len(unit)) < 2 * _LIKE
    return unit[same_aa.argmax(axis=1) == np.arange(len(unit))]


def _apart(slab: Atoms, one: Place, other: Place) -> float:
    """Return the distance between two places, nearest images, angstrom."""
    flat_v = np.append(one.position(slab) - other.position(slab), 0.0)
    return float(find_mic(flat_v, slab.cell, pbc=IN_PLANE)[1])


def _names(slab: Atoms, kinds: Sequence[Sequence[Place]]) -> list[str]:
    """Name each kind of place, the same name for none."""
    places = [kind[0] for kind in kinds]
    names = [_first_name(slab, place, places) for place in places]
    for name in sorted({name for name in names if names.count(name) > 1}):
        alike = [i for i, other in enumerate(names) if other == name]
        for i, better in zip(
            alike, _told_apart(slab, name, [places[i] for i in alike]), strict=True
        ):
            names[i] = better
    return names


def _first_name(slab: Atoms, place: Place, places: Sequence[Place]) -> str:
    of_kind = [other for other in places if _kind(other) == _kind(place)]
    symbols = sorted(str(slab.symbols[atom]) for atom in place.atoms)
    if len(place.atoms) == 1:
        return f"top-{symbols[0]}"
    if len(of_kind) == 1:
        return _kind(place)
    if len(place.atoms) == 2:
        pairs = {tuple(sorted(slab.symbols[list(other.atoms)])) for other in of_kind}
        return "bridge" if len(pairs) == 1 else f"bridge-{'-'.join(symbols)}"
    if _close_packed(slab, place):
        return "hollow-hcp" if _under(slab, place, layer=2) else "hollow-fcc"
    return f"hollow-{len(place.atoms)}-{''.join(symbols)}"


def _close_packed(slab: Atoms, place: Place) -> bool:
    """Whether a place is the middle of three atoms of an element's top layer, equally far apart."""
    atoms = list(place.atoms)
    if len(atoms) != 3 or len(set(slab.symbols)) > 1 or any(slab.get_tags()[atoms] != 1):
        return False
    corner_kv = _corners(slab, place)
    return float(np.ptp(np.linalg.norm(corner_kv - np.roll(corner_kv, 1, axis=0), axis=1))) < _SAME


def _kind(place: Place) -> str:
    return {1: "top", 2: "bridge"}.get(len(place.atoms), "hollow")


def _told_apart(slab: Atoms, name: str, places: Sequence[Place]) -> list[str]:
    """Return names for places that had the same one: by length, what lies under, or number."""
    if "bridge" in name and len(places) == 2:
        lengths = [_span(slab, place) for place in places]
        if abs(lengths[0] - lengths[1]) > _SAME:
            return [f"{'short' if length == min(lengths) else 'long'}-{name}" for length in lengths]
    if name.startswith("hollow"):
        named = [f"{name}-over-{_under(slab, place) or 'nothing'}" for place in places]
        if len(set(named)) == len(named):
            return named
    depth = np.array([-slab.positions[list(place.atoms), 2].mean() for place in places])
    span = np.array([_span(slab, place) for place in places])
    order = np.lexsort((span, depth.round(2)))
    rank = {int(i): number for number, i in enumerate(order, 1)}
    return [f"{name}-{rank[i]}" for i in range(len(places))]


def _span(slab: Atoms, place: Place) -> float:
    """Return the greatest distance in the plane between atoms of a place, angstrom."""
    corner_kv = _corners(slab, place)
    return float(np.linalg.norm(corner_kv[:, None] - corner_kv, axis=-1).max())


def _corners(slab: Atoms, place: Place) -> FloatArray:
    """Return x and y of the k atoms of a place, images laid about it: shape (k, 2), angstrom."""
    return np.asarray(slab.positions[list(place.atoms), :2] + place.offset_kc @ slab.cell[:2, :2])


def _under(slab: Atoms, place: Place, layer: int | None = None) -> str:
    """Return the element of the highest atom under a place, of one layer or any; "" for none."""
    flat_av = slab.positions * (1, 1, 0) - np.append(place.position(slab), 0.0)
    near_a = find_mic(flat_av, slab.cell, pbc=IN_PLANE)[1] < _BELOW
    if layer is not None:
        near_a &= slab.get_tags() == layer
    if not near_a.any():
        return ""
    highest = np.flatnonzero(near_a)[slab.positions[near_a, 2].argmax()]
    return str(slab.symbols[highest])
