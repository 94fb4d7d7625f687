"""A run as one page that opens anywhere: no network, no server, everything inside one file."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read
from ase.units import Bohr
from jinja2 import Environment, FileSystemLoader

from analysis import paper
from analysis.charge import Density, coarsen, shape_for
from analysis.cube import write_cube
from analysis.figures import relaxations, style
from analysis.figures.isosurfaces import enclosing_isovalue
from analysis.figures.scene import radius_of
from workflows.figures import PLAIN, save
from workflows.report import Report
from workflows.store import write_text
from workflows.structure import from_json

PAGE = "report.html"
PARTS = Path(__file__).parent / "page_parts"
EDGE = 0.03  # of the cell: atoms so near its edge are shown on the other side, too
SPACING = 0.25  # angstrom between grid points of the density differences in the page
FIGURES = {
    "fig5": "Fig. 5 again, from the numbers of this run",
    "profiles": "Density differences averaged over planes: where electrons went along z",
    "potentials": "Electrostatic potential along z, vacuum levels and work functions",
    "relaxations": "Relaxations: energy and largest force by ionic step",
    "lattice": "The host's diffraction lines beside the paper's spacings",
    "convergence": "Convergence of the adsorption energy",
}


def write_page(report: Report, root: Path, into: Path, isovalue: float | None = None) -> Path:
    """Write `into`/report.html from a case's results and figures there; return its path.

    `root` is where the tasks are. `isovalue` of the density differences in e/angstrom^3; by the
    stated rule if None.
    """
    _draw_relaxations(report, root, into)
    environment = Environment(
        loader=FileSystemLoader(PARTS), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("page.html").render(
        report=report,
        table=report.table(),
        paper=paper,
        notes=[*report.as_json().get("warnings", ()), *report.notes()],
        densities={site: report.density_summary(site) for site in report.case.slab.sites},
        checks=report.slab_checks(),
        figures=list(_figures(into)),
        settings=json.dumps(report.case.model_dump(mode="json"), indent=2, ensure_ascii=False),
        made_with=report.as_json()["made_with"],
        tasks=report.states,
        style=_part("page.css"),
        viewer=_part("3Dmol-min.js"),
        script=_part("page.js"),
        data=_island(_sites(report, root, isovalue)),
    )
    write_text(into / PAGE, page)
    return into / PAGE


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _island(data: object) -> str:
    """Return JSON that cannot end the element it stands in, nor begin a comment."""
    text = json.dumps(data, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _figures(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the caption and the picture (a data URL) of each figure that is there."""
    for name, caption in FIGURES.items():
        path = root / "figures" / f"{name}.png"
        if path.is_file():
            picture = base64.b64encode(path.read_bytes()).decode()
            yield name, caption, f"data:image/png;base64,{picture}"


def _draw_relaxations(report: Report, root: Path, into: Path) -> None:
    traces = {
        name: trace
        for name, state in report.states.items()
        if state.task.kind in ("slab", "held", "free")
        and state.task.surface == "host"
        and (trace := _trace(report, root, name)) is not None
    }
    figure = relaxations.compose(
        traces,
        report.case.relax.fmax,
        caption=report.caption(),
        physical=report.case.physical,
    )
    folder = into / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    save(figure, folder, "relaxations", PLAIN)


def _trace(report: Report, root: Path, name: str) -> relaxations.Trace | None:
    """Return energies (eV) and largest forces on free atoms (eV/angstrom) of a task's steps."""
    values, path = report.values(name), root / report.states[name].task.name / "relaxation.extxyz"
    if values is None or not path.is_file():
        return None
    relaxed = from_json(values["structure"])
    energies, forces = [], []
    for frame in read(path, index=":"):
        force_av = frame.get_forces()
        for constraint in relaxed.constraints:
            constraint.adjust_forces(relaxed, force_av)
        energies.append(float(frame.get_potential_energy()))
        forces.append(float(np.linalg.norm(force_av, axis=1).max()))
    return energies, forces


# ---- what the 3D view draws ---------------------------------------------------------------------


def _sites(report: Report, root: Path, isovalue: float | None) -> dict[str, Any]:
    """Return structures and coarse density differences of the held sites, for the 3D view."""
    found = {site: report.density(site, root) for site in report.case.slab.sites}
    known = [density for density, _ in found.values() if density is not None]
    value = isovalue or (enclosing_isovalue(known) if known else 0.0)
    return {
        "isovalue": value,
        "per_cubic_angstrom": Bohr**3,  # a cube file's values are in e/bohr^3
        "gain": style.ACCUMULATION,
        "loss": style.DEPLETION,
        "sites": {
            site: _site(report, site, density, atoms)
            for site, (density, atoms) in found.items()
            if atoms is not None
        },
    }


def _site(report: Report, site: str, density: Density | None, atoms: Atoms) -> dict[str, Any]:
    return {
        "title": f"{report.case.adatom} at {site}",
        "atoms": [
            {
                "symbol": atom.symbol,
                "position": [round(float(x), 4) for x in atom.position],
                "radius": radius_of(atom.number),
                "colour": style.ELEMENTS.get(atom.symbol, style.OTHER_ELEMENT),
            }
            for atom in with_images(atoms)
        ],
        "cell": np.round(np.asarray(atoms.cell), 4).tolist(),
        "cube": _cube(density, atoms) if density is not None else None,
    }


def with_images(atoms: Atoms) -> Atoms:
    """Return a slab with images of the atoms on its cell's edges, so that the cell looks full."""
    full = atoms[:0]
    for shift in itertools.product((-1, 0, 1), (-1, 0, 1), (0,)):
        image = atoms.copy()
        image.positions += shift @ image.cell
        scaled = image.get_scaled_positions(wrap=False)[:, :2]
        full += image[((scaled > -EDGE) & (scaled < 1.0 + EDGE)).all(axis=1)]
    return full


def _cube(density: Density, atoms: Atoms) -> str:
    text = io.StringIO()
    write_cube(text, coarsen(density, shape_for(density, SPACING)), atoms, "density difference")
    return text.getvalue()
