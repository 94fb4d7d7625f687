"""Figures into files: Fig. 5 and its panels as png, pdf and svg."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.measured import measured_fits
from workflows.report import Report

if TYPE_CHECKING:
    from analysis.arrhenius import Fit
    from analysis.figures.fig5 import SitePicture
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")


def save(figure: Figure, folder: Path, stem: str, dpi: int = 400) -> list[Path]:
    """Write a figure in all formats, each whole or not at all; return the paths."""
    paths = []
    for suffix in FORMATS:
        path = folder / f"{stem}.{suffix}"
        temporary = path.with_name(f".{stem}.{os.getpid()}.{suffix}")
        metadata: Mapping[str, Any] = {"Date": None} if suffix == "svg" else {}
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
        temporary.replace(path)
        paths.append(path)
    return paths


def write_figures(report: Report, root: Path, isovalue: float | None = None) -> Path:
    """Draw Fig. 5, its panels, S17 and S18 into `root`/figures; return the path of fig5.png.

    `isovalue` of the density differences in e/angstrom^3; by the stated rule if None.
    """
    from analysis.figures import fig5

    folder = root / "figures"
    folder.mkdir(exist_ok=True)
    pictures = _pictures(report, root)
    table, fits = report.table(), measured_fits(root)
    small_print: dict[str, Any] = {"caption": report.caption(), "physical": report.case.physical}
    drawn = {
        "fig5": fig5.compose(pictures, table, fits=fits, isovalue=isovalue, **small_print),
        "figS17": fig5.s17(pictures, sites=report.case.slab.sites, **small_print),
        "figS18": fig5.s18(
            pictures, sites=report.case.slab.sites, isovalue=isovalue, **small_print
        ),
        "profiles": fig5.profiles(pictures, sites=report.case.slab.sites, **small_print),
    }
    panels = fig5.panels(pictures, table, fits=fits, isovalue=isovalue, **small_print)
    drawn |= {f"fig5{letter}": figure for letter, figure in panels.items()}
    for stem, figure in drawn.items():
        save(figure, folder, stem)
    return folder / "fig5.png"


def write_arrhenius(fits: Mapping[str, Fit], into: Path) -> Path:
    """Draw measured resistances and their fits into `into`/figures; return the path of the png."""
    from analysis.figures import fig5

    folder = into / "figures"
    folder.mkdir(exist_ok=True)
    return save(fig5.arrhenius_panel(fits), folder, "arrhenius")[0]


def _pictures(report: Report, root: Path) -> list[SitePicture]:
    from analysis.figures.fig5 import SitePicture

    pictures = []
    for site in report.case.slab.sites:
        density, atoms = report.density(site, root)
        if atoms is not None:
            pictures.append(SitePicture(site, atoms, density))
    return pictures
