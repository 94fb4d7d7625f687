"""The adsorption sites of a slab: where they are, an adatom on them, where it ended.

A slab lies in the xy-plane with its top layer tagged 1, as `structures.slab` builds it. The (001)
layers of rock salt, bcc and fcc are all square nets: tops are the net's atoms, bridges the
midpoints of neighbours, hollows the centres of squares. On bcc (110) bridges are short or long,
and a hollow is as far from one atom as from two others. The place of a missing atom stays a point
of the net. The adatom is the last atom, tag 0.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atom, Atoms
from ase.constraints import FixedLine
from ase.data import covalent_radii
from ase.geometry import find_mic, minkowski_reduce

from structures._arrays import IN_PLANE, FloatArray
from structures._checks import check_element, check_length
from structures.defects import VACANCY, defect_of, nearest_in_plane, vacant_places
from structures.net import Net, find_net
from structures.symmetry_sites import between_mirrors, exposed_atoms, find_sites

_LEAST_VACUUM = 1.0  # angstrom between an adatom and the end of the cell
_TOO_CLOSE = 0.6  # of the sum of covalent radii


@dataclass(frozen=True)
class SiteMatch:
    """The site an adatom sits at.

    Attributes
    ----------
    name
        Name of the site, see `site_names`.
    offset
        Lateral distance from the site, angstrom.
    """

    name: str
    offset: float


class NoSuchSite(ValueError):
    """A slab has no site of this name."""


def site_names(slab: Atoms, ideal: Atoms | None = None) -> tuple[str, ...]:
    """Name the distinct adsorption sites of a slab.

    Parameters
    ----------
    slab
        Slab without adatom.
    ideal
        The same atoms before they moved, on any other surface than those of the nets: its symmetry
        gives the sites (`structures.symmetry_sites`). None: the nets'.

    Returns
    -------
    tuple of str
        'bridge' and 'hollow', on bcc (110) 'hollow', 'long-bridge' and 'short-bridge'; and 'top-X'
        for each element X of the top layer, the elements in the order in which the slab was built
        (VN: V before N); 'vacancy' where an atom of the top layer is missing.

    Raises
    ------
    ValueError
        If the top layer is not one of those nets.
    """
    if ideal is not None:
        return tuple(site.name for site in find_sites(ideal))
    top_layer = set(slab.symbols[slab.get_tags() == 1])
    elements = [symbol for symbol in dict.fromkeys(slab.symbols) if symbol in top_layer]
    vacant = [VACANCY] if len(vacant_places(slab)) else []
    return (*_top_net(slab).sites, *(f"top-{symbol}" for symbol in elements), *vacant)


def site_position(slab: Atoms, name: str, ideal: Atoms | None = None) -> FloatArray:
    """Locate the site of a given name that is nearest to the defect, or to the centre of the cell.

    Parameters
    ----------
    slab
        Slab without adatom; relaxed and rumpled ones are welcome.
    name
        One of `site_names`.
    ideal
        As for `site_names`.

    Returns
    -------
    ndarray of shape (2,)
        x and y, angstrom, from the actual positions of the top layer's atoms.

    Raises
    ------
    ValueError
        If the slab has no such site, or its top layer is not one of the nets that have sites.
    """
    allowed = site_names(slab, ideal)
    if name not in allowed:
        raise NoSuchSite(f"site is {name!r}: it must be one of {', '.join(allowed)}")
    names, xy_sv = _sites(slab, ideal)
    cell_cv = slab.cell[:2, :2]
    defect = defect_of(slab)
    centre_c = np.array([0.5, 0.5])
    if defect is not None:
        centre_c = defect.place_v[:2] @ np.linalg.inv(cell_cv)
    return nearest_in_plane(xy_sv[names == name], cell_cv, centre_c)[1]


def site_positions(slab: Atoms, name: str) -> FloatArray:
    """Locate all sites of a given name in the cell.

    Parameters
    ----------
    slab
        Slab without adatom.
    name
        One of `site_names`.

    Returns
    -------
    ndarray of shape (s, 2)
        x and y of each, angstrom.
    """
    names, xy_sv = _sites(slab, None)
    return np.asarray(xy_sv[names == name])


def place_adatom(
    slab: Atoms,
    symbol: str,
    name: str,
    height: float | None = None,
    *,
    ideal: Atoms | None = None,
) -> Atoms:
    """Put an adatom on a site.

    Parameters
    ----------
    slab
        Slab without adatom.
    symbol
        Element of the adatom.
    name
        One of `site_names`.
    height
        Height above the mean plane of the top layer, angstrom. By default the adatom comes down
        from above until it touches an atom: their distance is the sum of covalent radii.
    ideal
        As for `site_names`.

    Returns
    -------
    Atoms
        A copy of the slab, constraints included, with the adatom as last atom, tag 0.

    Raises
    ------
    ValueError
        If the element or site does not exist, or the adatom would not be above the surface or
        not have 1 angstrom of vacuum left over it.

    References
    ----------
    Covalent radii: B. Cordero et al., Dalton Trans. 2008, 2832.
    """
    check_element(symbol)
    xy = site_position(slab, name, ideal)
    if height is None:
        z = touching_z(slab, symbol, xy)
    else:
        check_length("height", height)
        z = _top_plane(slab) + height
    ceiling = slab.cell[2, 2] - _LEAST_VACUUM
    if z > ceiling:
        raise ValueError(
            f"{symbol} at {name} would be at z = {z:.2f} angstrom: with {_LEAST_VACUUM} angstrom "
            f"of vacuum left over it, {ceiling:.2f} is the limit; give the slab more vacuum"
        )
    atoms = slab.copy()
    atoms.append(Atom(symbol, (*xy, z), tag=0))
    return atoms


def hold_lateral(atoms: Atoms) -> Atoms:
    """Let the adatom move only along z.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    Atoms
        A copy; all other constraints are kept.
    """
    held = release(atoms)
    held.set_constraint([*held.constraints, FixedLine(len(held) - 1, (0, 0, 1))])
    return held


def release(atoms: Atoms) -> Atoms:
    """Undo `hold_lateral`.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    Atoms
        A copy; the slab's constraints are kept.
    """
    _split(atoms)
    free = atoms.copy()
    adatom = len(free) - 1
    free.set_constraint(
        [
            constraint
            for constraint in free.constraints
            if not (isinstance(constraint, FixedLine) and adatom in constraint.get_indices())
        ]
    )
    return free


def displace_lateral(atoms: Atoms, distance: float, ideal: Atoms | None = None) -> Atoms:
    """Move the adatom off its site in a direction that no symmetry singles out.

    On a site of high symmetry the lateral force vanishes also where the energy has a saddle or a
    maximum, and a relaxation that starts there never leaves. The mirror lines of
    a square net are 45° apart, those of bcc (110) 90°; 22.5° from one of them every mirror is
    broken and the adatom can slide to any side. On other surfaces the direction lies midway between
    mirror lines.

    Parameters
    ----------
    atoms
        Slab with adatom.
    distance
        Lateral displacement, angstrom.
    ideal
        As for `site_names`.

    Returns
    -------
    Atoms
        A copy.

    Raises
    ------
    ValueError
        If the distance is not positive and finite.
    """
    check_length("distance", distance)
    slab, _ = _split(atoms)
    if ideal is None:
        step = _top_net(slab).step
        shift = distance * step / abs(step) * np.exp(1j * math.pi / 8)
    else:
        shift = distance * np.exp(1j * between_mirrors(ideal))
    displaced = atoms.copy()
    displaced.positions[-1] += (shift.real, shift.imag, 0.0)
    return displaced


def find_site(atoms: Atoms, ideal: Atoms | None = None) -> SiteMatch:
    """Name the site nearest to the adatom.

    Parameters
    ----------
    atoms
        Slab with adatom.
    ideal
        As for `site_names`.

    Returns
    -------
    SiteMatch
        Name of the site and lateral distance from it, angstrom; sites are where the top layer's
        atoms are now, periodic images included.
    """
    slab, adatom = _split(atoms)
    names, xy_sv = _sites(slab, ideal)
    distance_s = _lateral_distances(xy_sv, adatom.position[:2], slab)
    nearest = int(distance_s.argmin())
    return SiteMatch(str(names[nearest]), float(distance_s[nearest]))


def adatom_height(atoms: Atoms) -> float:
    """Measure the adatom's height.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    float
        z of the adatom less the mean z of the top layer, angstrom.
    """
    slab, adatom = _split(atoms)
    return float(adatom.z - _top_plane(slab))


def nearest_distances(atoms: Atoms) -> dict[str, float]:
    """Measure the shortest distance from the adatom to each element of the slab.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    dict
        Distance in angstrom by element symbol, in-plane images included.
    """
    slab, _ = _split(atoms)
    distance_a = _adatom_distances(atoms)
    return {
        symbol: float(distance_a[slab.symbols == symbol].min())
        for symbol in dict.fromkeys(slab.symbols)
    }


def nearest_image_distance(atoms: Atoms) -> float:
    """Measure the distance between the adatom and its nearest in-plane image.

    Parameters
    ----------
    atoms
        Slab with adatom.

    Returns
    -------
    float
        Length of the shortest in-plane lattice vector, angstrom.
    """
    reduced_cv, _ = minkowski_reduce(atoms.cell, pbc=IN_PLANE)
    return float(np.linalg.norm(reduced_cv[:2], axis=1).min())


def bound_state(atoms: Atoms, *, desorbed_beyond: float = 5.0, ideal: Atoms | None = None) -> str:
    """Say in a word what became of the adatom.

    Parameters
    ----------
    atoms
        Slab with adatom.
    desorbed_beyond
        Distance from the nearest slab atom from which on the adatom counts as gone, angstrom.
    ideal
        As for `site_names`.

    Returns
    -------
    str
        'too close': shorter than 0.6 times the sum of covalent radii to a slab atom;
        'desorbed': further than `desorbed_beyond` from all of them;
        'absorbed': below the mean plane of the top layer, which holds also where the adatom has
        taken the place of an atom that it pushed out; on other surfaces than those of the nets,
        below all atoms that can be touched from above (rows of atoms may stand out);
        'adsorbed': none of these.
    """
    distance_a = _adatom_distances(atoms)
    numbers = atoms.numbers
    contact_a = covalent_radii[numbers[:-1]] + covalent_radii[numbers[-1]]
    if np.any(distance_a < _TOO_CLOSE * contact_a):
        return "too close"
    if np.all(distance_a > desorbed_beyond):
        return "desorbed"
    if ideal is None:
        absorbed = adatom_height(atoms) < 0
    else:
        absorbed = atoms.positions[-1, 2] < atoms.positions[exposed_atoms(ideal), 2].min()
    return "absorbed" if absorbed else "adsorbed"


def largest_displacement(atoms: Atoms, reference: Atoms) -> float:
    """Measure how far the slab atom that moved most has moved.

    Parameters
    ----------
    atoms, reference
        The same slab twice, each with or without adatom.

    Returns
    -------
    float
        Largest distance between an atom in `atoms` and in `reference`, nearest in-plane images,
        angstrom.

    Raises
    ------
    ValueError
        If the two slabs do not hold the same atoms in the same order.
    """
    slab, before = (system[system.get_tags() > 0] for system in (atoms, reference))
    if list(slab.symbols) != list(before.symbols):
        raise ValueError(
            f"cannot compare slab {slab.symbols} with {before.symbols}: "
            "they must hold the same atoms in the same order"
        )
    _, moved_a = find_mic(slab.positions - before.positions, before.cell, pbc=IN_PLANE)
    return float(moved_a.max())


def _split(atoms: Atoms) -> tuple[Atoms, Atom]:
    """Take the adatom off the slab."""
    if len(atoms) == 0 or atoms[-1].tag != 0:
        raise ValueError(f"no adatom: the last atom of {atoms.symbols} must have tag 0")
    return atoms[:-1], atoms[-1]


def _top_net(slab: Atoms) -> Net:
    points = np.concatenate([slab.positions[slab.get_tags() == 1], vacant_places(slab)])
    return find_net(points[:, :2], slab.cell[:2, :2])


def _top_plane(slab: Atoms) -> float:
    """Mean z of the top layer, angstrom."""
    return float(slab.positions[slab.get_tags() == 1, 2].mean())


def _sites(slab: Atoms, ideal: Atoms | None) -> tuple[npt.NDArray[np.str_], FloatArray]:
    """Return the names (s,) and the positions (s, 2), angstrom, of all sites in the cell."""
    if ideal is not None:
        found = [(site.name, place) for site in find_sites(ideal) for place in site.places]
        return (
            np.array([name for name, _ in found]),
            np.array([place.position(slab) for _, place in found]),
        )
    net = _top_net(slab)
    tops = [f"top-{symbol}" for symbol in slab.symbols[slab.get_tags() == 1]]
    tops += [VACANCY for _ in vacant_places(slab)]
    others = [name for name, place_p in net.sites.items() for _ in place_p]
    names = np.array([*tops, *others])
    site_s = np.concatenate([net.top_a, *net.sites.values()])
    return names, np.column_stack([site_s.real, site_s.imag])


def _lateral_distances(xy_av: FloatArray, xy: FloatArray, slab: Atoms) -> FloatArray:
    """Distances in the plane, nearest images, from points (n, 2) to one point (2,), angstrom."""
    flat_av = np.pad(xy_av - xy, ((0, 0), (0, 1)))
    return np.asarray(find_mic(flat_av, slab.cell, pbc=IN_PLANE)[1])


def _adatom_distances(atoms: Atoms) -> FloatArray:
    """Distances, nearest in-plane images, from the adatom to each slab atom, angstrom."""
    slab, adatom = _split(atoms)
    return np.asarray(find_mic(slab.positions - adatom.position, slab.cell, pbc=IN_PLANE)[1])


def touching_z(slab: Atoms, symbol: str, xy: FloatArray) -> float:
    """Find where an atom that comes down on a slab touches it.

    Parameters
    ----------
    slab
        What it comes down on.
    symbol
        Its element.
    xy
        Where it comes down, shape (2,), angstrom.

    Returns
    -------
    float
        Its z, angstrom, at a distance of the sum of covalent radii from an atom.

    Raises
    ------
    ValueError
        It touches none.
    """
    radius = covalent_radii[Atom(symbol).number]
    contact_a = covalent_radii[slab.numbers] + radius
    lateral_a = _lateral_distances(slab.positions[:, :2], xy, slab)
    below_a = lateral_a < contact_a
    if not below_a.any():
        raise ValueError(f"{symbol} touches no atom of the slab on its way down: give a height")
    # contact² = lateral² + (z - z_a)²; an atom's nearest image is touched highest up.
    rise_a = np.sqrt(contact_a[below_a] ** 2 - lateral_a[below_a] ** 2)
    return float((slab.positions[below_a, 2] + rise_a).max())
