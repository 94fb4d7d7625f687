"""One drawing of a run on one Axes, by name: for figures in a style of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ase import Atoms
from matplotlib.axes import Axes

from analysis.charge import Density
from analysis.figures import atoms as pictures
from analysis.figures import isosurfaces, lattice, style
from analysis.figures.arrhenius import draw_arrhenius
from analysis.figures.bars import draw_adsorption_bars, site_names
from analysis.figures.fig5 import FRONT_LETTERS, TOP_LETTERS
from analysis.figures.potential import draw_potential
from analysis.figures.profile import draw_profile
from workflows.report.arrhenius import measured_fits
from workflows.report.results import Report
from workflows.report.slab_checks import work_functions_of
from workflows.system.messages import require_one_of
from workflows.tasks.finished import Finished

LEFT, RIGHT, ABOVE, BELOW = 14.0, 3.0, 12.0, 11.0  # mm around the axes of a new figure


@dataclass(frozen=True)
class Source:
    """What drawings are made from: a run's report, and the directory with its densities."""

    report: Report
    root: Path

    @cached_property
    def finished(self) -> Finished:
        """Return the values of the finished tasks."""
        return Finished(self.report.states)

    def picture(self, site: str) -> tuple[Density | None, Atoms | None]:
        """Return a site's density difference (e/angstrom^3) and held structure, as far as there."""
        return self.report.density(site, self.root)

    @cached_property
    def isovalue(self) -> float:
        """Return the isovalue (e/angstrom^3) that Fig. 5 has for all sites; 0 without a density."""
        found = [self.picture(site)[0] for site in self.report.case.slab.sites]
        densities = [density for density in found if density is not None]
        return isosurfaces.enclosing_isovalue(densities) if densities else 0.0


def draw_on(ax: Axes, source: Source, name: str, site: str | None = None) -> Axes:
    """Draw what `name` stands for on axes and return them.

    What was not computed, and settings that are not physical, are written on the axes.

    Parameters
    ----------
    ax
        Axes to draw on.
    source
        The run.
    name
        A panel of Fig. 5 ('5a' to '5j'), or one of `OF_RUN` or `OF_SITE`.
    site
        For one of `OF_SITE`: the site that is drawn.

    Raises
    ------
    ValueError
        There is no such drawing or site, or a site is given where none is needed; the message
        lists what is allowed.
    """
    draw, site = _chosen(source, name, site)
    if not draw(ax, source, site):
        style.say_missing(ax, "not computed")
    if not source.report.case.physical:
        style.mark(ax)
    return ax


def draw_on_new(source: Source, name: str, site: str | None = None) -> Axes:
    """Draw on the axes of a new figure, in the style of Fig. 5; see `draw_on`."""
    across, down = (104.0, 46.0) if name == "5e" else (62.0, 52.0)  # mm
    with style.context():
        figure = style.new_figure(LEFT + across + RIGHT, ABOVE + down + BELOW)
        return draw_on(style.place(figure, LEFT, ABOVE, across, down), source, name, site)


# ---- which -----------------------------------------------------------------------------------


def _chosen(source: Source, name: str, site: str | None) -> tuple[Draw, str]:
    """Return what draws, and the site that it draws ('' for none)."""
    require_one_of("figure", name, sorted([*PANELS, *OF_RUN]) + list(OF_SITE))
    if name in OF_SITE:
        require_one_of("site", site, source.report.case.slab.sites)
        return OF_SITE[name], site or ""
    if site is not None:
        raise ValueError(f"site: found {site!r}; allowed: none for figure {name!r}")
    if name in OF_RUN:
        return OF_RUN[name], ""
    of, number = PANELS[name]
    sites = site_names(source.report.table())
    return OF_SITE[of], sites[number] if number < len(sites) else ""


# ---- drawings: each returns whether there was something to draw ----------------------------------


def _top(ax: Axes, source: Source, site: str) -> bool:
    _, atoms = source.picture(site)
    if atoms is not None:
        pictures.draw_top_view(ax, atoms)
    return atoms is not None


def _side(ax: Axes, source: Source, site: str) -> bool:
    _, atoms = source.picture(site)
    if atoms is not None:
        pictures.draw_side_view(ax, atoms)
    return atoms is not None


def _difference(ax: Axes, source: Source, site: str) -> bool:
    density, atoms = source.picture(site)
    if density is None or atoms is None:
        return False
    pictures.draw_difference(ax, atoms, density, source.isovalue)
    return True


def _profile(ax: Axes, source: Source, site: str) -> bool:
    density, atoms = source.picture(site)
    if density is None or atoms is None:
        return False
    draw_profile(ax, density, atoms)
    return True


def _potential(ax: Axes, source: Source, site: str) -> bool:
    held = source.finished.adatom("host", site, "held")
    both = work_functions_of(held) if held else None
    if held is None or both is None:
        return False
    field = held["electrostatics"]
    draw_potential(ax, field["z"], field["potential"], field["fermi_level"], both)
    return True


def _powder(ax: Axes, source: Source, _: str) -> bool:
    bulk = source.finished.lattice("host")
    if bulk is not None:
        lattice.draw_powder(ax, bulk["pattern"])
    return bulk is not None


def _rings(ax: Axes, source: Source, _: str) -> bool:
    rings = source.report.rings()
    if rings:
        lattice.draw_rings(ax, rings)
    return bool(rings)


def _bars(ax: Axes, source: Source, _: str) -> bool:
    draw_adsorption_bars(ax, source.report.table())
    return True


def _arrhenius(ax: Axes, source: Source, _: str) -> bool:
    draw_arrhenius(ax, measured_fits(source.root))
    return True


Draw = Callable[[Axes, Source, str], bool]

OF_SITE: dict[str, Draw] = {
    "top": _top, "side": _side, "difference": _difference, "profile": _profile,
    "potential": _potential,
}  # fmt: skip
OF_RUN: dict[str, Draw] = {"5e": _bars, "5j": _arrhenius, "powder": _powder, "rings": _rings}

# The pictures of Fig. 5: what each shows, and the number of its site.
PANELS: dict[str, tuple[str, int]] = {
    f"5{letter}": (what, number)
    for what, letters in (("top", TOP_LETTERS), ("difference", FRONT_LETTERS))
    for number, letter in enumerate(letters)
}
