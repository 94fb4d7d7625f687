"""The charge-density difference averaged over planes parallel to the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.charge import plane_average
from analysis.figures import style
from analysis.figures.colours import ACCUMULATION, DEPLETION

if TYPE_CHECKING:
    from analysis.charge import Density

BELOW, ABOVE = 1.5, 4.0  # angstrom shown below the lowest layer and above the adatom


def draw_plane_average(ax: Axes, density: Density, atoms: Atoms) -> Axes:
    """Draw electrons gained per height, with the heights of the layers and the adatom.

    Parameters
    ----------
    ax
        Axes to draw on.
    density
        Charge-density difference, e/angstrom^3.
    atoms
        Slab and adatom (the last atom), tags counting the layers from the top, 1; angstrom.
    """
    height, gained = plane_average(density)
    top = float(atoms.positions[:-1, 2].max())
    z = height - top
    ax.fill_between(
        z,
        gained,
        0.0,
        where=(gained > 0.0).tolist(),
        color=ACCUMULATION,
        interpolate=True,
        lw=0.0,
    )
    ax.fill_between(
        z,
        gained,
        0.0,
        where=(gained < 0.0).tolist(),
        color=DEPLETION,
        interpolate=True,
        lw=0.0,
    )
    ax.plot(z, gained, color=style.INK, lw=0.8)
    ax.axhline(0.0, color=style.INK, lw=0.5)
    for name, place in layer_heights(atoms):
        ax.axvline(place - top, color=style.MUTED, lw=0.6, dashes=(3.0, 2.0), zorder=0.5)
        ax.annotate(
            name,
            (place - top, 1.0),
            (0.0, 1.5),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=6.0,
            color=style.MUTED,
        )
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    ax.set_xlim(atoms.positions[:, 2].min() - top - BELOW, atoms.positions[-1, 2] - top + ABOVE)
    ax.set_xlabel("height above layer 1 (Å)")
    ax.set_ylabel("Δλ (e Å⁻¹)")
    return ax


def layer_heights(atoms: Atoms) -> list[tuple[str, float]]:
    """Give the name and mean height in angstrom of every layer, and of the adatom."""
    layers = atoms.get_tags()[:-1]
    heights = atoms.positions[:-1, 2]
    found = [(f"{layer}", float(heights[layers == layer].mean())) for layer in np.unique(layers)]
    return [*found, (str(atoms.symbols[-1]), float(atoms.positions[-1, 2]))]
