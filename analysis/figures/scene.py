"""What of a slab is shown, and from where: atoms and density differences to a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from analysis.figures import isosurfaces, raster
from analysis.figures.colours import ACCUMULATION, DEPLETION, element_colours, letters_on

if TYPE_CHECKING:
    from analysis.charge import Density
    from analysis.figures.isosurfaces import Mesh

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Direction = Literal["top", "front", "side"]

RADIUS_SCALE = 0.56  # of the covalent radius: neighbours keep apart, and bonds can be seen
RISE = 7.0  # degrees that the viewer of a side stands above it
BOND_REACH = 1.15  # times the sum of covalent radii
BOND_RADIUS = 0.13  # angstrom
NON_METALS = Atoms("HBCNOFSiPSClGeAsSeBrSbTeI").numbers  # and half-metals
BOND_COLOUR = to_rgb("#8d8d8d")
LEAST_HALF = 3.3  # angstrom of surface shown at least on each side of the adatom
MARGIN = 0.4  # angstrom: atoms on the border are shown whole, on both borders
ON_BORDER = 0.1  # angstrom: how far a body's middle may lie outside the cell
FRAME = 0.25  # angstrom of white around the picture
OPACITY = 0.62  # of a surface seen straight on


@dataclass(frozen=True)
class Camera:
    """An orthographic view: rows of axes (3, 3) point right, up and to the viewer."""

    axes: Array

    def __call__(self, vectors: Array) -> Array:
        """Turn vectors (n, 3) in angstrom into right, up, towards the viewer (n, 3)."""
        return np.asarray(vectors @ self.axes.T)


def camera(direction: Direction) -> Camera:
    """Give the view from above, from the front (-y) or from the side (+x)."""
    if direction == "top":
        return Camera(np.eye(3))
    turn = {"front": 0.0, "side": 90.0}[direction]
    # Seen a little from above, rows of atoms behind one another come apart.
    t, r = np.radians(turn), np.radians(RISE)
    right = np.array([np.cos(t), np.sin(t), 0.0])
    viewer = np.array([np.sin(t) * np.cos(r), -np.cos(t) * np.cos(r), np.sin(r)])
    return Camera(np.array([right, np.cross(viewer, right), viewer]))


@dataclass(frozen=True)
class Window:
    """The patch of surface shown.

    Attributes
    ----------
    frame_cv
        Its two directions, vectors of a cell of the surface as rows (2, 2), angstrom.
    centre
        Place of its middle (2,) in units of them.
    half
        Half its width (2,) in units of them.
    around
        What lies so far from its middle along x and y (angstrom) belongs to it as well.
    """

    frame_cv: Array
    centre: Array
    half: Array
    around: float = 0.0


def window(atoms: Atoms, direction: Direction = "top") -> Window:
    """Centre a patch on the adatom (the last atom): one cell, or more where the cell is small.

    A small patch would not show what surrounds the site. From above the patch has the shape of the
    cell, and a square is added to a small oblique one. From the side it is upright, and an oblique
    cell's is a rectangle of the same area: what it holds is a whole cell, too, and repeats beside
    it.
    """
    cell_cv = np.asarray(atoms.cell)[:2, :2]
    oblique = is_oblique(atoms)
    frame_cv = _upright(cell_cv) if oblique and direction != "top" else cell_cv
    centre = atoms.positions[-1, :2] @ np.linalg.inv(frame_cv)
    if oblique and direction == "top":
        return Window(frame_cv, centre, np.full(2, 0.5), LEAST_HALF + MARGIN)
    return Window(frame_cv, centre, np.maximum(0.5, LEAST_HALF / isosurfaces.heights(frame_cv)))


def is_oblique(atoms: Atoms) -> bool:
    """Tell whether the in-plane vectors of a slab are not at right angles."""
    a, b = np.asarray(atoms.cell)[:2, :2]
    return abs(float(a @ b)) > 1e-6 * float(np.linalg.norm(a) * np.linalg.norm(b))


def _upright(cell_cv: Array) -> Array:
    """Give a rectangle (2, 2) on the first vector of an in-plane cell with the cell's area."""
    a, b = cell_cv
    across = np.array([-a[1], a[0]])
    return np.array([a, across * (across @ b) / (across @ across)])


@dataclass(frozen=True)
class Shown:
    """Atoms in the window: positions (n, 3) in angstrom, numbers (n,), mark of the adatom (n,)."""

    positions: Array
    numbers: Ints
    adatom: NDArray[np.bool_]


def show(atoms: Atoms, patch: Window) -> Shown:
    """Give all slab atoms with their centre in the window or on its border, and the adatom.

    The adatom's own images are left out, since they would hide the surface; the outline of the
    cell says how it repeats.
    """
    cell = np.asarray(atoms.cell)
    reach = patch.half + MARGIN / isosurfaces.heights(patch.frame_cv)
    corners = np.array([[1, 1], [1, -1]]) * reach @ patch.frame_cv
    farthest = max(float(np.linalg.norm(corners, axis=1).max()), 2**0.5 * patch.around)
    steps = int(np.ceil((farthest / isosurfaces.heights(cell[:2, :2])).max())) + 1
    middle = patch.centre @ patch.frame_cv @ np.linalg.inv(cell[:2, :2])
    scaled = atoms.cell.scaled_positions(atoms.positions)
    shifts = np.array(
        [(i, j, 0) for i in range(-steps, steps + 1) for j in range(-steps, steps + 1)]
    )
    # Bring every atom into the cell around the centre first: then a few images reach everywhere.
    home = scaled.copy()
    home[:, :2] -= np.round(scaled[:, :2] - middle)
    every = (home[:, None, :] + shifts[None, :, :]).reshape(-1, 3) @ cell
    index = np.repeat(np.arange(len(atoms)), len(shifts))
    aside = every[:, :2] @ np.linalg.inv(patch.frame_cv) - patch.centre
    adatom = index == len(atoms) - 1
    at_home = np.all(np.abs(aside) <= 1e-6, axis=1)
    near = np.abs(every[:, :2] - patch.centre @ patch.frame_cv).max(axis=1) <= patch.around
    kept = np.where(adatom, at_home, near | np.all(np.abs(aside) <= reach, axis=1))
    return Shown(every[kept], atoms.numbers[index[kept]].astype(np.int64), adatom[kept])


def radius_of(number: int) -> float:
    """Give the radius an element is drawn with, in angstrom."""
    return float(RADIUS_SCALE * covalent_radii[number])


def spheres(shown: Shown, view: Camera, fog: float) -> raster.Spheres:
    """Give the atoms as spheres before the camera, far ones paler by up to `fog` (0..1)."""
    centres = view(shown.positions)
    of_elements = element_colours(chemical_symbols[number] for number in shown.numbers)
    colours = np.array([of_elements[chemical_symbols[number]] for number in shown.numbers])
    far = (centres[:, 2].max() - centres[:, 2]) / max(float(np.ptp(centres[:, 2])), 1e-6)
    pale = np.where(shown.adatom, 0.0, fog * far)[:, None]
    radii = np.array([radius_of(int(number)) for number in shown.numbers])
    return raster.Spheres(centres, radii, colours * (1.0 - pale) + pale)


def bonded(shown: Shown) -> Ints:
    """Give the pairs (m, 2) of slab atoms that touch, as indices into what is shown.

    Like atoms count if they are non-metals, as in graphene: in a metal all would.
    """
    own = np.flatnonzero(~shown.adatom)
    places, numbers = shown.positions[own], shown.numbers[own]
    apart = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    touch = BOND_REACH * (covalent_radii[numbers][:, None] + covalent_radii[numbers][None, :])
    covalent = np.isin(numbers, NON_METALS)
    unlike = numbers[:, None] != numbers[None, :]
    bond = (apart < touch) & (unlike | (covalent[:, None] & covalent[None, :]))
    pairs = np.argwhere(np.triu(bond, k=1))
    return np.asarray(own[pairs], np.int64)


def bonds(shown: Shown, view: Camera) -> list[raster.Surface]:
    """Give sticks between slab atoms that touch, before the camera; see `bonded`."""
    places, pairs = shown.positions, bonded(shown)
    if not len(pairs):
        return []
    sticks = [_stick(places[i], places[j]) for i, j in pairs]
    count = len(sticks[0][0])
    vertices = np.concatenate([stick[0] for stick in sticks])
    normals = np.concatenate([stick[2] for stick in sticks])
    faces = np.concatenate([stick[1] + count * n for n, stick in enumerate(sticks)])
    return [raster.Surface(view(vertices), faces, view(normals), BOND_COLOUR, 1.0)]


def _stick(start: Array, end: Array, sides: int = 12) -> tuple[Array, Ints, Array]:
    """Give vertices (2 sides, 3), faces and normals of a round stick between two points."""
    along = (end - start) / np.linalg.norm(end - start)
    helper = np.eye(3)[int(np.argmin(np.abs(along)))]
    one = np.cross(along, helper)
    one /= np.linalg.norm(one)
    two = np.cross(along, one)
    angle = 2.0 * np.pi * np.arange(sides) / sides
    ring = np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two
    vertices = np.concatenate([start + BOND_RADIUS * ring, end + BOND_RADIUS * ring])
    i = np.arange(sides)
    j = (i + 1) % sides
    faces = np.concatenate(
        [np.column_stack([i, j, j + sides]), np.column_stack([i, j + sides, i + sides])]
    )
    return vertices, faces.astype(np.int64), np.concatenate([ring, ring])


class Surfaces(NamedTuple):
    """Meshes around accumulation and around depletion, in angstrom.

    Those of one cell for views from above, and of an upright cell for views from the side: the same
    unless the cell is oblique.
    """

    above: tuple[Mesh, Mesh]
    beside: tuple[Mesh, Mesh]

    def seen_from(self, direction: Direction) -> tuple[Mesh, Mesh]:
        """Give the meshes for a view."""
        return self.above if direction == "top" else self.beside


def trace(density: Density, atoms: Atoms, isovalue: float) -> Surfaces:
    """Trace a density difference in the cell around the adatom (the last atom).

    Parameters
    ----------
    density
        Charge-density difference, e/angstrom^3.
    atoms
        Slab and adatom in the same cell, angstrom.
    isovalue
        Positive, e/angstrom^3.
    """
    above = isosurfaces.trace(density, isovalue, _one_cell(density, window(atoms), isovalue))
    if not is_oblique(atoms):
        return Surfaces(above, above)
    upright = _one_cell(density, window(atoms, "front"), isovalue)
    return Surfaces(above, isosurfaces.trace(density, isovalue, upright))


def _one_cell(density: Density, patch: Window, isovalue: float) -> isosurfaces.Region:
    """Give one cell around the adatom, a little wider: bodies on a border stand on both borders."""
    reach = 0.5 + ON_BORDER / isosurfaces.heights(patch.frame_cv)
    (left, front), (right, back) = patch.centre - reach, patch.centre + reach
    low, high = _height_range(density, isovalue)
    frame_cv = density.cell_cv.copy()
    frame_cv[:2, :2] = patch.frame_cv
    of_cell = np.abs(frame_cv - density.cell_cv).max() < 1e-9
    return isosurfaces.Region(
        (left, front, low), (right, back, high), None if of_cell else frame_cv
    )


def _seen(meshes: tuple[Mesh, Mesh], view: Camera) -> list[raster.Surface]:
    """Give the accumulation (yellow) and depletion (cyan) surfaces before the camera."""
    return [
        raster.Surface(
            view(mesh.vertices), mesh.faces, view(mesh.normals), to_rgb(colour), OPACITY,
            mesh.visible,
        )
        for mesh, colour in zip(meshes, (ACCUMULATION, DEPLETION), strict=True)
        if len(mesh.faces)
    ]  # fmt: skip


def _height_range(density: Density, isovalue: float) -> tuple[float, float]:
    """Give the scaled heights between which the difference reaches the isovalue, and a little."""
    high = np.flatnonzero(np.abs(density.values).max(axis=(0, 1)) >= isovalue)
    planes = density.values.shape[2]
    if not len(high):
        return 0.0, 1.0
    return max(0.0, (high[0] - 2) / planes), min(1.0, (high[-1] + 3) / planes)


@dataclass(frozen=True)
class Scene:
    """A scene before its camera, in angstrom.

    `outline` holds lines (k, 2) around the cell, `flat` if they lie in the surface; `symbol` is
    what to write, in the colour `letters`, on the adatom, which stands at `adatom` (2,).
    """

    spheres: raster.Spheres
    surfaces: list[raster.Surface]
    outline: list[Array]
    adatom: Array
    symbol: str
    letters: str
    flat: bool

    @property
    def extent(self) -> raster.Extent:
        """Give left, right, bottom and top of all there is to see, in angstrom."""
        reach = self.spheres.radii[:, None]
        points = [self.spheres.centres[:, :2] - reach, self.spheres.centres[:, :2] + reach]
        points += [surface.vertices[:, :2] for surface in self.surfaces]
        low = np.min([part.min(axis=0) for part in points], axis=0) - FRAME
        high = np.max([part.max(axis=0) for part in points], axis=0) + FRAME
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])

    def picture(self, extent: raster.Extent, pixels_per_angstrom: float) -> NDArray[np.uint8]:
        """Render the scene within an extent (angstrom) as an RGBA image."""
        return raster.render(self.spheres, self.surfaces, extent, pixels_per_angstrom)


def build(atoms: Atoms, direction: Direction, surfaces: Surfaces | None = None) -> Scene:
    """Set up the scene around the adatom (the last atom), seen from a direction.

    Parameters
    ----------
    atoms
        Slab and adatom, the adatom last, periodic along x and y.
    direction
        Where the viewer stands: 'top', 'front' or 'side'.
    surfaces
        Around accumulation and depletion, see `trace`; none if not given.
    """
    view, patch = camera(direction), window(atoms, direction)
    shown = show(atoms, patch)
    meshes = bonds(shown, view) + (
        [] if surfaces is None else _seen(surfaces.seen_from(direction), view)
    )
    # Around the adatom: every picture has it in the middle, whatever the site.
    middle = view(atoms.positions[-1:])[0]
    symbol = str(atoms.symbols[-1])  # a blue ball under cyan would be taken for another element
    return _centred(
        Scene(
            spheres(shown, view, fog=0.5 if direction == "top" else 0.35),
            meshes,
            _outline(atoms, patch, view, direction),
            middle[:2],
            symbol,
            letters_on(element_colours(atoms.symbols)[symbol]),
            direction == "top",
        ),
        float(middle[0]),
        float(view(np.array([[0.0, 0.0, _top_height(atoms)]]) + _lateral(atoms))[0, 1]),
    )


def _lateral(atoms: Atoms) -> Array:
    """Give the adatom's place projected on the plane z = 0: (1, 3) in angstrom."""
    return np.asarray(atoms.positions[-1:] * [1.0, 1.0, 0.0])


def _top_height(atoms: Atoms) -> float:
    """Give the height in angstrom of the highest slab atom."""
    return float(atoms.positions[:-1, 2].max())


def _centred(scene: Scene, x: float, y: float) -> Scene:
    """Shift a scene so that the surface under the adatom is the origin of the picture."""
    shift = np.array([x, y, 0.0])
    balls = raster.Spheres(
        scene.spheres.centres - shift, scene.spheres.radii, scene.spheres.colours
    )
    surfaces = [replace(mesh, vertices=mesh.vertices - shift) for mesh in scene.surfaces]
    outline = [line - shift[:2] for line in scene.outline]
    return replace(
        scene,
        spheres=balls,
        surfaces=surfaces,
        outline=outline,
        adatom=scene.adatom - shift[:2],
    )


def _outline(atoms: Atoms, patch: Window, view: Camera, direction: Direction) -> list[Array]:
    """Give the cell around the adatom: its base at the surface, or two borders from the side."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    base = np.column_stack(
        [(patch.centre + corners) @ patch.frame_cv, np.full(5, _top_height(atoms))]
    )
    seen = view(base)[:, :2]
    if direction == "top":
        return [seen]
    low = view(atoms.positions)[:, 1].min() - 1.0
    high = view(atoms.positions)[:, 1].max() + 1.0
    left, right = seen[:, 0].min(), seen[:, 0].max()
    return [np.array([[x, low], [x, high]]) for x in (left, right)]
