"""One drawing of a run on one Axes, by name: for figures in a style of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from matplotlib.axes import Axes

from analysis.figures import atoms as pictures_of
from analysis.figures import fig5, lattice, scene, style
from analysis.figures.arrhenius import draw_arrhenius
from analysis.figures.bars import draw_adsorption_bars
from analysis.figures.plane_average import draw_plane_average
from analysis.figures.potential import draw_potential
from analysis.figures.sheet import traced
from workflows.report.arrhenius import measured_fits
from workflows.report.evaluation import Evaluation
from workflows.report.slab_checks import potential_of, work_functions_of
from workflows.system.messages import require_one_of

LEFT, RIGHT, ABOVE, BELOW = 14.0, 3.0, 12.0, 11.0  # mm around the axes of a new figure


def draw_on(ax: Axes, found: Evaluation, name: str, site: str | None = None) -> Axes:
    """Draw what `name` stands for on axes and return them.

    What was not computed, and settings that are not physical, are written on the axes.

    Parameters
    ----------
    ax
        Axes to draw on.
    found
        What the results of the run add up to.
    name
        A panel of Fig. 5, such as '5e', or one of `OF_RUN` or `OF_SITE`.
    site
        For one of `OF_SITE`: the site that is drawn.

    Raises
    ------
    ValueError
        There is no such drawing or site, or a site is given where none is needed; the message
        lists what is allowed.
    """
    draw, site = _chosen(found, name, site)
    if not draw(ax, found, site):
        style.note_missing(ax, "not computed")
    if not found.case.physical:
        style.mark(ax)
    return ax


def draw_on_new(found: Evaluation, name: str, site: str | None = None) -> Axes:
    """Draw on the axes of a new figure, in the style of Fig. 5; see `draw_on`."""
    bars = _panels(found).get(name, ("", ""))[0] is _bars
    across, down = (104.0, 46.0) if bars else (62.0, 52.0)  # mm
    with style.context():
        figure = style.new_figure(LEFT + across + RIGHT, ABOVE + down + BELOW)
        return draw_on(style.place(figure, LEFT, ABOVE, across, down), found, name, site)


# ---- which -----------------------------------------------------------------------------------


def _chosen(found: Evaluation, name: str, site: str | None) -> tuple[Draw, str]:
    """Return what draws, and the site that it draws ('' for none)."""
    panels = _panels(found)
    require_one_of("figure", name, sorted([*panels, *OF_RUN]) + list(OF_SITE))
    if name in OF_SITE:
        require_one_of("site", site, found.case.slab.sites)
        return OF_SITE[name], site or ""
    if site is not None:
        raise ValueError(f"site: found {site!r}; allowed: none for figure {name!r}")
    return (OF_RUN[name], "") if name in OF_RUN else panels[name]


def _panels(found: Evaluation) -> dict[str, tuple[Draw, str]]:
    """Return what draws each panel of Fig. 5, and the site that it shows ('' for none)."""
    content = _content(found)
    named, sites = content.letters, content.sites
    panels: dict[str, tuple[Draw, str]] = {}
    for letters, draw in ((named.top, OF_SITE["top"]), (named.differences, _difference)):
        panels |= {f"5{letter}": (draw, s) for letter, s in zip(letters, sites, strict=True)}
    panels[f"5{named.energies}"] = (_bars, "")
    if content.has_lines:
        panels[f"5{named.arrhenius}"] = (_arrhenius, "")
    return panels


def _content(found: Evaluation) -> fig5.Content:
    return fig5.Content(found.table, fits=measured_fits(found.root))


# ---- drawings: each returns whether there was something to draw ----------------------------------


def _draw_from(direction: scene.Direction) -> Draw:
    def draw(ax: Axes, found: Evaluation, site: str) -> bool:
        picture = found.pictures.get(site)
        if picture is not None:
            pictures_of.draw_scene(ax, scene.build(picture.atoms, direction))
        return picture is not None

    return draw


def _difference(ax: Axes, found: Evaluation, site: str) -> bool:
    picture, isovalue = found.pictures.get(site), found.first_isovalue
    if picture is None or picture.difference is None:
        return False
    view = scene.build(picture.atoms, "front", traced(picture, isovalue).surfaces)
    pictures_of.draw_scene(ax, view)
    pictures_of.note_if_weak(ax, picture.difference, isovalue or 0.0)
    return True


def _plane_average(ax: Axes, found: Evaluation, site: str) -> bool:
    picture = found.pictures.get(site)
    if picture is None or picture.difference is None:
        return False
    draw_plane_average(ax, picture.difference, picture.atoms)
    return True


def _potential(ax: Axes, found: Evaluation, site: str) -> bool:
    held = found.results.adatom("host", site, "held")
    along_z, both = (potential_of(held), work_functions_of(held)) if held else (None, None)
    if along_z is None or both is None:
        return False
    draw_potential(ax, along_z, both)
    return True


def _powder(ax: Axes, found: Evaluation, _: str) -> bool:
    bulk = found.results.lattice("host")
    lines = bulk["pattern"] if bulk else []
    if lines:
        lattice.draw_powder(ax, lines)
    return bool(lines)


def _rings(ax: Axes, found: Evaluation, _: str) -> bool:
    if found.rings:
        lattice.draw_rings(ax, found.rings)
    return bool(found.rings)


def _bars(ax: Axes, found: Evaluation, _: str) -> bool:
    draw_adsorption_bars(ax, found.table)
    return True


def _arrhenius(ax: Axes, found: Evaluation, _: str) -> bool:
    draw_arrhenius(ax, _content(found).fits)
    return True


Draw: TypeAlias = Callable[[Axes, Evaluation, str], bool]

OF_SITE: dict[str, Draw] = {
    "top": _draw_from("top"), "side": _draw_from("side"), "difference": _difference,
    "profile": _plane_average, "potential": _potential,
}  # fmt: skip

OF_RUN: dict[str, Draw] = {"powder": _powder, "rings": _rings}
