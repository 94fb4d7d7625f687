"""Point defects of a slab's top layer: a vacancy, or an atom of another element.

A structure carries its defect in `Atoms.info`, which copies and slices keep: "defect" in words,
"defect_place" where the atom of the perfect slab was.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from structures._arrays import IN_PLANE, FloatArray
from structures._checks import check_element

VACANCY = "vacancy"  # also the site above a missing atom


@dataclass(frozen=True)
class Defect:
    """A point defect.

    Attributes
    ----------
    element
        Of the atom of the perfect slab.
    substitute
        Of the atom in its place; "" for a vacancy.
    place_v
        Where the atom of the perfect slab was, shape (3,), angstrom.
    """

    element: str
    substitute: str
    place_v: FloatArray

    @property
    def label(self) -> str:
        """The defect in words: 'N vacancy' or 'O for N'."""
        return f"{self.substitute} for {self.element}" if self.substitute else vacancy(self.element)


def vacancy(element: str) -> str:
    """Give the name of a vacancy, such as 'N vacancy'."""
    return f"{element} {VACANCY}"


def make_defect(slab: Atoms, element: str, substitute: str = "") -> Atoms:
    """Take an atom out of the top layer of a perfect slab, or put another element in its place.

    All atoms of an element in the layer are equivalent; that nearest to the centre of the cell is
    taken.

    Parameters
    ----------
    slab
        Slab without adatom and defect; the top layer has tag 1.
    element
        Of the atom that is taken out.
    substitute
        Element of the atom in its place; "" for a vacancy.

    Returns
    -------
    Atoms
        A copy with the defect, constraints included.

    Raises
    ------
    ValueError
        If the top layer has no such atom, the substitute does not exist or is the same element.
    """
    if substitute:
        check_element(substitute)
    candidate_a = np.flatnonzero((slab.get_tags() == 1) & (slab.symbols == element))
    if not len(candidate_a) or element == substitute:
        raise ValueError(
            f"defect is {Defect(element, substitute, np.zeros(3)).label!r}: it must replace an "
            f"atom of the top layer by another one: {slab.symbols[slab.get_tags() == 1]}"
        )
    centre = np.array([0.5, 0.5])
    nearest, _ = nearest_in_plane(slab.positions[candidate_a, :2], slab.cell[:2, :2], centre)
    index = int(candidate_a[nearest])
    defect = Defect(element, substitute, slab.positions[index].copy())
    changed = slab.copy()
    if substitute:
        changed.symbols[index] = substitute
    else:
        del changed[index]
    changed.info |= {"defect": defect.label, "defect_place": defect.place_v.tolist()}
    return changed


def defect_of(atoms: Atoms) -> Defect | None:
    """Return the defect of a structure; None for a perfect one."""
    label = atoms.info.get("defect")
    if label is None:
        return None
    first, _, last = label.partition(" ")
    substitute, element = ("", first) if last == VACANCY else (first, last.removeprefix("for "))
    return Defect(element, substitute, np.array(atoms.info["defect_place"], dtype=float))


def vacant_places(atoms: Atoms) -> FloatArray:
    """Return the places of the top layer's net without an atom, shape (v, 3), angstrom."""
    defect = defect_of(atoms)
    if defect is None or defect.substitute:
        return np.zeros((0, 3))
    return defect.place_v[np.newaxis]


def defect_index(atoms: Atoms) -> int | None:
    """Return the number of the atom that was put in another one's place; None without."""
    defect = defect_of(atoms)
    if defect is None or not defect.substitute:
        return None
    slab_a = np.flatnonzero((atoms.get_tags() == 1) & (atoms.symbols == defect.substitute))
    _, distance_a = find_mic(atoms.positions[slab_a] - defect.place_v, atoms.cell, pbc=IN_PLANE)
    return int(slab_a[np.argmin(distance_a)])


def defect_distance(atoms: Atoms) -> float | None:
    """Measure the distance from the adatom (the last atom) to the nearest image of the defect.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    float or None
        To the atom that was put in, or to where the missing one was, angstrom; None without defect.
    """
    defect, index = defect_of(atoms), defect_index(atoms)
    if defect is None:
        return None
    place_v = defect.place_v if index is None else atoms.positions[index]
    _, distance_a = find_mic([place_v - atoms.positions[-1]], atoms.cell, pbc=IN_PLANE)
    return float(distance_a[0])


def as_built_of(atoms: Atoms) -> Atoms:
    """Return a copy in which a substitute bears the name of the atom whose place it took."""
    renamed, defect, index = atoms.copy(), defect_of(atoms), defect_index(atoms)
    if defect is not None and index is not None:
        renamed.symbols[index] = defect.element
    return renamed


def nearest_in_plane(
    xy_nv: FloatArray, cell_cv: FloatArray, centre_c: FloatArray
) -> tuple[int, FloatArray]:
    """Find which of some places, periodic images included, is nearest to a point of the cell.

    Parameters
    ----------
    xy_nv
        Places, shape (n, 2), angstrom.
    cell_cv
        In-plane cell vectors as rows, shape (2, 2), angstrom.
    centre_c
        The point in scaled coordinates, shape (2,).

    Returns
    -------
    index, place
        Number of the place, and its nearest image, shape (2,), angstrom. Of those that are equally
        near to 0.01 angstrom, that of smallest y, then x.
    """
    apart_nc = xy_nv @ np.linalg.inv(cell_cv) - centre_c
    # Into [-1/2, 1/2); the small shift keeps noise from choosing an edge, and rounding keeps
    # it from choosing among places that are equally near.
    apart_nc -= np.floor(apart_nc + 0.5 + 1e-6)
    apart_nv = apart_nc @ cell_cv
    x, y = np.round(apart_nv, 2).T
    nearest = int(np.lexsort((x, y, np.round(np.hypot(x, y), 2)))[0])
    return nearest, np.asarray(apart_nv[nearest] + centre_c @ cell_cv)
