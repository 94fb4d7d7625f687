"""Densities of states with and without adatom, work functions, electron localisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from analysis.figures import style
from analysis.figures.bars import nice
from analysis.localisation import Plane

CLEAN = "without adatom"
STATES = 30.0  # mm, height of a panel of densities of states
KEY = 3.2  # mm, height of a line of the key
BARS = 68.0  # mm, width of the changes of the work function
CUT = 38.0  # mm, width of a cut
GAP = 16.0  # mm, below a row of cuts
EDGE = 0.4  # angstrom: atoms this close to the edge of a cut have no room for their name
IN_PLANE = 0.4  # angstrom: atoms this close to a cut are named in it


@dataclass(frozen=True, eq=False)
class System:
    """A slab's electronic structure.

    Attributes
    ----------
    name
        Site of the adatom; "" for the clean slab.
    atoms
        The structure, angstrom.
    energies
        From the Fermi level, eV, of n points.
    projected
        Densities of states (states/eV) by group and orbital, each of n points.
    plane, along, z, localisation
        A vertical cut through the localisation function: at each height and each distance along
        the plane, angstrom.
    change
        Work function less that of the clean slab, eV; None if it is not known.
    """

    name: str
    atoms: Atoms
    energies: Sequence[float]
    projected: Mapping[str, Sequence[float]]
    plane: Plane
    along: Sequence[float]
    z: Sequence[float]
    localisation: Sequence[Sequence[float]]
    change: float | None = None

    @property
    def groups(self) -> list[str]:
        """Return the groups whose states are projected: "adatom" and elements of the top layer."""
        return list(dict.fromkeys(name.rpartition(" ")[0] for name in self.projected))

    def states_of(self, group: str) -> np.ndarray:
        """Return the density of states (states/eV) of a group, all orbitals together."""
        curves = [c for name, c in self.projected.items() if name.rpartition(" ")[0] == group]
        return np.asarray(np.array(curves).sum(axis=0))


def draw_states(ax: Axes, systems: Sequence[System], group: str) -> Axes:
    """Draw the density of states inside the sphere of an atom, a curve for each system.

    Parameters
    ----------
    ax
        Axes to draw on.
    systems
        Those without such atoms are left out.
    group
        "adatom", or an element of the top layer.
    """
    looks = style.series()
    for system in systems:
        colour = next(looks)[0] if system.name else style.MUTED
        if group not in system.groups:
            continue
        states = system.states_of(group)
        if not system.name:
            ax.fill_between(system.energies, states, color=style.PAPER, alpha=0.5, lw=0.0)
        ax.plot(system.energies, states, color=colour, label=nice(system.name) or CLEAN)
    ax.axvline(0.0, color=style.INK, lw=0.6, dashes=(3.0, 2.0))
    ax.set_xlim(systems[0].energies[0], systems[0].energies[-1])
    ax.set_ylim(0.0, 1.12 * ax.get_ylim()[1])  # room for the title
    ax.set_ylabel("states/eV")
    return ax


def draw_cut(ax: Axes, system: System) -> AxesImage:
    """Draw a cut through the electron localisation function, atoms in it by name."""
    along, z = np.array(system.along), np.array(system.z)
    zero = float(system.atoms.positions[system.atoms.get_tags() == 1, 2].mean())
    image = ax.imshow(
        system.localisation, origin="lower", cmap="viridis", vmin=0.0, vmax=1.0,
        extent=(along[0], along[-1], z[0] - zero, z[-1] - zero), interpolation="bilinear",
    )  # fmt: skip
    reach = float(min(-along[0], along[-1]))
    for number, at in system.plane.atoms_in(system.atoms, reach, IN_PLANE):
        atom = system.atoms[number]
        if abs(at) < reach - EDGE and z[0] + EDGE < atom.z < z[-1] - EDGE:
            ax.text(
                at, atom.z - zero, atom.symbol, color="white", ha="center", va="center",
                clip_on=True, fontsize=style.SMALLEST_POINT, fontweight="bold",
            )  # fmt: skip
    ax.set_xlabel("along the cut (Å)")
    ax.set_ylabel("z − top layer (Å)")
    return image


def draw_changes(ax: Axes, systems: Sequence[System]) -> Axes:
    """Draw by how much the adatom at each site changes the work function, eV, as bars."""
    looks = style.series()
    for number, system in enumerate(systems):
        colour = next(looks)[0]
        if system.change is None:
            ax.text(number, 0.0, "?", ha="center", va="bottom", color=style.MUTED)
            continue
        ax.bar(number, system.change, 0.6, color=colour)
        below = system.change < 0.0
        ax.annotate(
            f"{system.change:+.2f}".replace("-", "−"), (number, system.change),
            (0.0, -2.0 if below else 2.0), textcoords="offset points", ha="center",
            va="top" if below else "bottom", fontsize=style.SMALLEST_POINT,
        )  # fmt: skip
    ax.axhline(0.0, color=style.INK, lw=0.6)
    ax.margins(y=0.25)
    ax.set_xlim(-0.6, max(len(systems), 1) - 0.4)
    names = _names(systems, style.size_mm(ax)[0])
    labels = ["\n".join(lines) for lines in names]
    ax.set_xticks(range(len(systems)), labels, fontsize=style.SMALLEST_POINT)
    ax.set_ylabel("ΔΦ (eV)")
    return ax


EXPLANATION = (
    "Densities of states: inside the PAW sphere of one atom, in the top layer the mean of the "
    "element's atoms. Electron localisation function of the smooth valence density: 1 where "
    "electrons are paired, 0.5 as in a uniform gas; it means nothing at nuclei."
)
OF_CHANGES = "ΔΦ: change of the work function on the adatom's side."
NO_CHANGES = "No change of the work function is shown: the vacuum is too narrow for one."


def compose(systems: Sequence[System], caption: style.Caption) -> Figure:
    """Compose densities of states, changes of the work function and cuts, 180 mm wide.

    Parameters
    ----------
    systems
        The clean slab, if it is there, and the sites; one at least.
    caption
        Small print: case, cutoff, k-points, functional.
    """
    groups = list(dict.fromkeys(group for system in systems for group in system.groups))
    groups.sort(key=lambda group: group != "adatom")
    sites = [system for system in systems if system.name]
    rows = _pairs(systems)
    cut_height = CUT * _aspect(systems)
    left = 6.0 + len(groups) * (STATES + 3.0) + KEY * rows + 10.0
    right = 8.0 + rows * (cut_height + GAP) + (0.0 if len(systems) % 2 else 12.0)
    changed = any(system.change is not None for system in sites)
    below_left = changed and left <= right
    height = max(left, right)
    if changed:  # below the shorter column
        named = max(map(len, _names(sites, BARS)))
        height = max(height, min(left, right) + 40.0 + KEY * (named - 1))
    letters = iter(ascii_lowercase)
    full = caption + EXPLANATION
    if sites:
        full += OF_CHANGES if changed else NO_CHANGES
    with style.page(style.WIDTH_MM, height, full) as figure:
        _draw_states(figure, systems, groups, letters)
        if below_left:
            style.letter(figure, style.MARGIN, left - 2.0, next(letters))
            draw_changes(style.place(figure, 14.0, left + 2.0, BARS, 28.0), sites)
        _draw_cuts(figure, systems, cut_height, letters)
        if changed and not below_left:
            style.letter(figure, 94.0, right, next(letters))
            draw_changes(style.place(figure, 100.0, right + 4.0, BARS, 28.0), sites)
    return figure


def _draw_states(
    figure: Figure, systems: Sequence[System], groups: Sequence[str], letters: Iterator[str]
) -> None:
    """Draw the left column: densities of states of each group, and their key."""
    top = 6.0
    for group in groups:
        ax = style.place(figure, 14.0, top, 68.0, STATES)
        draw_states(ax, systems, group)
        style.letter(figure, style.MARGIN, top - 4.0, next(letters))
        adatom = systems[-1].atoms.symbols[-1]
        title = adatom if group == "adatom" else f"{group}, top layer"
        ax.text(0.02, 0.96, title, transform=ax.transAxes, va="top")
        if group == groups[-1]:
            ax.set_xlabel("E − Fermi level (eV)")
        else:
            ax.tick_params(labelbottom=False)
        if group == groups[min(1, len(groups) - 1)]:
            curves = ax.get_legend_handles_labels()
        top += STATES + 3.0
    if groups:
        key = style.place(figure, 14.0, top + 7.0, 68.0, KEY * _pairs(systems))
        key.set_axis_off()
        key.legend(*curves, loc="upper left", ncols=2)


def _draw_cuts(
    figure: Figure, systems: Sequence[System], cut_height: float, letters: Iterator[str]
) -> None:
    """Draw the right column: cuts in rooms of a height (mm), two in a row, and their colours."""
    for number, system in enumerate(systems):
        x, y = 100.0 + 41.0 * (number % 2), 8.0 + (cut_height + GAP) * (number // 2)
        own = CUT * _aspect([system])  # cuts stand on one line
        ax = style.place(figure, x, y + cut_height - own, CUT, own)
        image = draw_cut(ax, system)
        style.letter(figure, x - 6.0 * (1 - number % 2), y - 5.0, next(letters))
        style.write(figure, x + 4.0, y - 4.5, nice(system.name) or CLEAN)
        if number % 2:
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)
    end = 8.0 + (cut_height + GAP) * _pairs(systems)
    if len(systems) % 2:  # beside the last cut
        bar = style.place(figure, 143.0, end - 0.5 * (cut_height + GAP), 32.0, 3.0)
    else:
        bar = style.place(figure, 100.0, end, 76.0, 3.0)
    figure.colorbar(image, cax=bar, orientation="horizontal", label="electron localisation")


def _pairs(systems: Sequence[System]) -> int:
    """Return the number of lines with two systems in each."""
    return (len(systems) + 1) // 2


def _names(systems: Sequence[System], width: float) -> list[list[str]]:
    """Give the names of sites, in lines that fit side by side into a width in mm."""
    room = width / max(len(systems), 1) - 1.0
    return [style.broken(nice(system.name), style.SMALLEST_POINT, room) for system in systems]


def _aspect(systems: Sequence[System]) -> float:
    """Return the largest height of a cut over its width."""
    return max((s.z[-1] - s.z[0]) / (s.along[-1] - s.along[0]) for s in systems)
