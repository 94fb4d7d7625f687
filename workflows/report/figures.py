"""Figures into files: Fig. 5 and its panels as png, pdf and svg."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from analysis.figures.fig5 import SitePicture
from workflows.report.arrhenius import measured_fits
from workflows.report.images import FINE, PLAIN, save
from workflows.report.results import Report
from workflows.system.files import digest, file_digest, write_text
from workflows.system.machine import cores
from workflows.system.signals import end_with

DRAWN = ".drawn"  # what the figures were drawn from


LOOK = 4  # raise it when the figures look different for the same results


def write_figures(
    report: Report, root: Path, isovalue: float | None = None, into: Path | None = None
) -> Path:
    """Draw all figures into `into`/figures; return the path of fig5.png.

    `root` is where the tasks are, and `into` too if None. `isovalue` of the density differences in
    e/angstrom^3; by the stated rule if None.
    """
    folder = (into or root) / "figures"
    _draw_all(report, root, folder, isovalue)
    write_text(folder / DRAWN, _drawn_from(report, root, isovalue))
    return folder / "fig5.png"


def update_figures(report: Report, root: Path, into: Path | None = None) -> Path:
    """Draw the figures unless they show these very results; return the path of fig5.png."""
    folder = (into or root) / "figures"
    drawn, figure = folder / DRAWN, folder / "fig5.png"
    try:
        if figure.is_file() and drawn.read_text() == _drawn_from(report, root, None):
            return figure
    except OSError:
        pass
    return write_figures(report, root, into=into)


def _drawn_from(report: Report, root: Path, isovalue: float | None) -> str:
    """Return the identity of everything that the figures show."""
    measured = root / "arrhenius.csv"
    return digest(
        [
            LOOK,
            report.as_json(),
            isovalue,
            file_digest(measured) if measured.is_file() else None,
        ]
    )


def _draw_all(report: Report, root: Path, folder: Path, isovalue: float | None) -> None:
    from analysis.figures import fig5, lattice, potential

    folder.mkdir(exist_ok=True)
    lines = (report.values(report.name("host", "lattice")) or {}).get("pattern") or []
    pictures = _pictures(report, root)
    table, fits = report.table(), measured_fits(root)
    small_print: dict[str, Any] = {"caption": report.caption(), "physical": report.case.physical}
    surfaces = small_print | {"isovalue": isovalue}
    sites = report.case.slab.sites
    draw: dict[str, Callable[[], Any]] = {
        "fig5": partial(fig5.compose, pictures, table, fits=fits, dpi=FINE, **surfaces),
        "figS17": partial(fig5.s17, pictures, sites=sites, dpi=PLAIN, **small_print),
        "figS18": partial(fig5.s18, pictures, sites=sites, dpi=PLAIN, **surfaces),
        "lattice": partial(lattice.compose, report.rings(), lines, **small_print),
        "potentials": partial(potential.compose, report.potentials(), **small_print),
        "profiles": partial(fig5.profiles, pictures, sites=sites, **small_print),
        "panels": partial(fig5.panels, pictures, table, fits=fits, dpi=PLAIN, **surfaces),
    }
    with _pool(min(len(draw), cores())) as pool:
        jobs = [pool.submit(_draw, function, folder, stem) for stem, function in draw.items()]
        for job in jobs:
            job.result()


def _pool(size: int) -> ProcessPoolExecutor:
    """Return processes that draw, none of which outlives this one, however it ends."""
    return ProcessPoolExecutor(size, initializer=end_with, initargs=(os.getpid(),))


def _draw(function: Callable[[], Any], folder: Path, stem: str) -> None:
    """Draw one figure, or the panels by their letters, and save it."""
    drawn = function()
    if isinstance(drawn, Mapping):
        for letter, figure in drawn.items():
            save(figure, folder, f"fig5{letter}", PLAIN)
    else:
        save(drawn, folder, stem, FINE if stem == "fig5" else PLAIN)


def _pictures(report: Report, root: Path) -> list[SitePicture]:
    from analysis.figures.fig5 import SitePicture

    pictures = []
    for site in report.case.slab.sites:
        density, atoms = report.density(site, root)
        if atoms is not None:
            pictures.append(SitePicture(site, atoms, density))
    return pictures
