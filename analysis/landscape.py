"""The energy of an adatom over the whole surface, from those of a few sites and their images."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from analysis.barrier import SiteNet
from analysis.charge import Array

HIGHEST = 4  # order of the waves


@dataclass(frozen=True, eq=False)
class Landscape:
    """A periodic function over a rectangular cell: a sum of waves.

    Attributes
    ----------
    cell
        Sides of the cell.
    wave_wc
        Orders of the waves along both sides, shape (w, 2).
    amplitude_w
        Complex amplitudes, eV.
    """

    cell: tuple[float, float]
    wave_wc: Array
    amplitude_w: np.ndarray

    def at(self, xy_pv: Array) -> Array:
        """Return the energy (eV) at places of shape (..., 2), in the units of the cell."""
        phase = np.exp(2j * np.pi * (xy_pv / np.array(self.cell)) @ self.wave_wc.T)
        return np.asarray((phase @ self.amplitude_w).real)


def landscape(net: SiteNet, energies: Mapping[str, float]) -> Landscape:
    """Return the smoothest periodic function through the energies of sites and all their images.

    Of all sums of waves through them it has the least mean square of its second derivatives. It has
    the symmetry of the sites.

    Parameters
    ----------
    net
        Where the sites lie.
    energies
        Of the adatom held at some of the sites, eV.

    Raises
    ------
    ValueError
        No energy is known.
    """
    known = [(x, y, energies[name]) for name, x, y in net.sites if name in energies]
    if not known:
        raise ValueError("no site of the net has an energy")
    place_sv, energy_s = np.array(known)[:, :2], np.array(known)[:, 2]
    orders = range(-HIGHEST, HIGHEST + 1)
    wave_wc = np.array(list(product(orders, orders)), dtype=float)
    square_w = ((wave_wc / np.array(net.cell)) ** 2).sum(axis=1)
    # min sum |G|^4 |c|^2 with A c = e: c = W^-1 A^H l, (A W^-1 A^H) l = e; the mean itself is free.
    weight_w = np.where(square_w > 0.0, square_w, 1e-3) ** 2
    wave_sw = np.exp(2j * np.pi * (place_sv / np.array(net.cell)) @ wave_wc.T)
    smoothed_ws = wave_sw.conj().T / weight_w[:, None]
    amplitude_w = smoothed_ws @ np.linalg.lstsq(wave_sw @ smoothed_ws, energy_s, rcond=1e-10)[0]
    return Landscape(net.cell, wave_wc, amplitude_w)
