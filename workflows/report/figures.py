"""Figures into files: Fig. 5 and its panels as png, pdf and svg."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from matplotlib.figure import Figure

from analysis.account import Account
from analysis.figures import coverage, electrons, fig5, hop, lattice, potential, style, supplement
from analysis.figures.account import compose
from analysis.figures.sheet import SitePicture, traced
from analysis.potential import Potential, WorkFunctions
from workflows.campaign.directory import FIGURES, RESISTANCES
from workflows.report.account import STEM, account_caption, account_of
from workflows.report.arrhenius import measured_fits
from workflows.report.coverage import curves
from workflows.report.electrons import system_of
from workflows.report.evaluation import Evaluation
from workflows.report.hops import drawn
from workflows.report.images import FINE, FORMATS, PLAIN, save
from workflows.report.options import Options
from workflows.report.results import Results
from workflows.report.slab_checks import potential_of, work_functions_of
from workflows.report.tables import RESULTS
from workflows.report.wording import caption
from workflows.system.files import digest, file_digest, write_text
from workflows.system.machine import cores
from workflows.system.signals import end_with
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import Surface

DRAWN = ".drawn"  # what the figures were drawn from


LOOK = 8  # raise it when the figures look different for the same results


LATTICE = "lattice"


FIG5, DIFFERENCES, ELECTRONS, FILLING, HOPS = (
    "fig5", "differences", "electrons", "coverage", "hop",
)  # fmt: skip

Drawing: TypeAlias = Callable[[], Figure]


def make_figures(found: Evaluation, into: Path, options: Options) -> Path:
    """Draw all figures of a case, unless they show these very results; return fig5.png's path.

    Parameters
    ----------
    found
        What is drawn.
    into
        The figures lie in its folder `figures`; its results.json (`write_tables`) is the measure
        of whether they are still those of the results.
    options
        Whether they are drawn again in any case, and at which isovalue.
    """
    folder = into / FIGURES
    drawn, figure = folder / DRAWN, folder / f"{FIG5}.png"
    account = account_of(found, options.sweep)
    source = _drawn_from(found, into, options, account)
    if options.redraw or not figure.is_file() or _text_of(drawn) != source:
        _draw_all(found, folder, options, account)
        write_text(drawn, source)
    return figure


def _text_of(path: Path) -> str:
    """Return what a file holds; nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _drawn_from(found: Evaluation, into: Path, options: Options, account: Account | None) -> str:
    """Return the identity of everything that the figures show."""
    measured = found.root / RESISTANCES
    of_file = file_digest(measured) if measured.is_file() else None
    choices = asdict(account) if account else None
    chosen = [options.isovalue, of_file, choices, options.error_bars]
    return digest([LOOK, file_digest(into / RESULTS), *chosen])


def _draw_all(found: Evaluation, folder: Path, options: Options, account: Account | None) -> None:
    folder.mkdir(exist_ok=True)
    value = options.isovalue or found.first_isovalue
    with _pool(cores()) as pool:
        pictures = _traced(found, value, pool)
        drawings = dict(_drawings(found, pictures, value, error_bars=options.error_bars))
        if account is not None:
            drawings[STEM] = partial(compose, account, account_caption(found.case))
        for job in [pool.submit(_draw, draw, folder, stem) for stem, draw in drawings.items()]:
            job.result()
    _remove_all_but(folder, drawings.keys())


def _traced(
    found: Evaluation, isovalue: float | None, pool: ProcessPoolExecutor
) -> dict[Surface, list[SitePicture]]:
    """Return the pictures of each surface with their isosurfaces: traced once for all figures."""
    on = {surface: list(found.pictures_on(surface).values()) for surface in surfaces(found.case)}
    every = [picture for pictures in on.values() for picture in pictures]
    done = pool.map(traced, every, [isovalue] * len(every))
    return {surface: [next(done) for _ in pictures] for surface, pictures in on.items()}


def _drawings(
    found: Evaluation,
    traced_on: Mapping[Surface, list[SitePicture]],
    isovalue: float | None,
    *,
    error_bars: bool,
) -> Iterator[tuple[str, Drawing]]:
    """Yield the names of the figures and what draws them, Fig. 5 first."""
    sites, below = found.case.slab.sites, caption(found.case)
    beside = caption(found.case, published=True)
    pictures = traced_on["host"]
    table = found.table if error_bars else found.table.without_deviations()
    content = fig5.Content(table, pictures, isovalue, measured_fits(found.root))
    yield FIG5, partial(fig5.compose, content, beside, dpi=FINE)
    yield "figS18", partial(supplement.s18, pictures, sites, below, isovalue=isovalue, dpi=PLAIN)
    yield "figS17", partial(supplement.s17, pictures, sites, below, dpi=PLAIN)
    for letter in content.panels:
        text = beside if letter == content.letters.energies else below
        yield f"{FIG5}{letter}", partial(fig5.panel, content, letter, text, dpi=PLAIN)
    crystal = found.results.lattice("host")
    lines = crystal.get("pattern", []) if crystal else []
    if found.rings or lines:
        yield LATTICE, partial(lattice.compose, found.rings, lines, beside)
    yield "potentials", partial(potential.compose, _potentials(found.results), below)
    if found.hops:
        yield HOPS, partial(hop.compose, [drawn(one) for one in found.hops], below)
    if filling := curves(found.coverages):
        yield FILLING, partial(coverage.compose, filling, below)
    if found.electrons:
        systems = [system_of(one) for one in found.electrons]
        yield ELECTRONS, partial(electrons.compose, systems, below)
    yield "profiles", partial(supplement.plane_averages, pictures, sites, below)
    on_host, *on_metal = (_with_surface(found, *of_one) for of_one in traced_on.items())
    metal = [picture for on_face in on_metal for picture in on_face]
    if metal:
        compared = partial(supplement.host_and_metal, on_host, metal, below)
        yield DIFFERENCES, partial(compared, isovalue=isovalue, dpi=PLAIN)


def _with_surface(
    found: Evaluation, surface: Surface, pictures: Iterable[SitePicture]
) -> list[SitePicture]:
    """Return pictures that name their surface beside their site."""
    label = surface_label(found.case, surface)
    return [replace(picture, site=f"{label} {picture.site}") for picture in pictures]


def _potentials(results: Results) -> dict[str, tuple[Potential, WorkFunctions]]:
    """Return the potential along z of the host's slab and of each held site, by title."""
    states = [results.state("host", "slab")]
    states += [results.state("host", "held", site) for site in results.case.slab.sites]
    wanted = {state.task.name for state in states if state is not None}
    found = {}
    for state, values in results.relaxed():
        along_z, both = potential_of(values), work_functions_of(values)
        if state.task.name in wanted and along_z is not None and both is not None:
            found[state.task.title] = (along_z, both)
    return found


def _pool(size: int) -> ProcessPoolExecutor:
    """Return processes that draw, none of which outlives this one, however it ends."""
    return ProcessPoolExecutor(size, initializer=end_with, initargs=(os.getpid(),))


def _draw(draw: Drawing, folder: Path, stem: str) -> None:
    save(draw(), folder, stem, FINE if stem == FIG5 else PLAIN)


def _remove_all_but(folder: Path, drawn: Collection[str]) -> None:
    """Remove what an earlier drawing had, such as a panel of data that was taken away."""
    panels = (f"{FIG5}{letter}" for letter in style.LETTERS)
    for stem in (LATTICE, FILLING, HOPS, ELECTRONS, *panels):
        for suffix in FORMATS if stem not in drawn else ():
            (folder / f"{stem}.{suffix}").unlink(missing_ok=True)
