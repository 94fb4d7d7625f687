"""Are two labels of the published figure exchanged? Both readings beside our energies.

A hypothesis about a figure, not a finding: only its authors can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EXCHANGED = ("top-V", "top-N")  # labels of Fig. 5e of the paper


@dataclass(frozen=True)
class Fit:
    """Our energies beside published ones, after the constant shift that brings them nearest.

    Attributes
    ----------
    shift
        Added to ours: the mean of published less ours, eV.
    mean_error, largest_error
        Of the absolute differences that are left, eV.
    worst
        Site of the largest one.
    """

    shift: float
    mean_error: float
    largest_error: float
    worst: str


@dataclass(frozen=True)
class Readings:
    """The published energies as printed, and with the labels of two sites exchanged."""

    as_printed: Fit
    exchanged: Fit


def compare_labels(ours: Mapping[str, float], published: Mapping[str, float]) -> Readings | None:
    """Compare both readings of the published labels with our energies.

    Parameters
    ----------
    ours, published
        Adsorption energies by site, eV.

    Returns
    -------
    Readings or None
        None unless every published site has an energy of ours, the two exchanged ones among them.
    """
    if not (set(EXCHANGED) <= published.keys() <= ours.keys()):
        return None
    first, second = EXCHANGED
    swapped = {**published, first: published[second], second: published[first]}
    return Readings(_fit(ours, published), _fit(ours, swapped))


def _fit(ours: Mapping[str, float], published: Mapping[str, float]) -> Fit:
    differences = {site: energy - ours[site] for site, energy in published.items()}
    # the shift c of least squares, min sum (E_published - E_ours - c)^2, is the mean difference
    shift = sum(differences.values()) / len(differences)
    left = {site: abs(difference - shift) for site, difference in differences.items()}
    worst = max(left, key=left.__getitem__)
    return Fit(shift, sum(left.values()) / len(left), left[worst], worst)
