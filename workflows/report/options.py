"""How a report is made."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.report.account import Sweep


@dataclass(frozen=True)
class Options:
    """How a report is made.

    Attributes
    ----------
    redraw
        Whether figures that already show these results are drawn again.
    isovalue
        Of the density differences, e/angstrom^3; by the rule of Fig. 5 if None.
    page
        Whether the page is written, too.
    sweep
        One-by-one sweep whose choices stand in the figure from our energies to the published ones.
    error_bars
        Whether Fig. 5 shows the deviation of the BEEF-vdW ensemble, where it is known.
    details
        Whether geometry and charges are printed, too.
    """

    redraw: bool = False
    isovalue: float | None = None
    page: bool = False
    sweep: Sweep | None = None
    details: bool = False
    error_bars: bool = True
