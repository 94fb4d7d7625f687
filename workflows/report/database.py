"""The relaxed structures and their numbers as an ASE database: `ase db results.db`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ase.db
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db.core import T2000, YEAR
from ase.db.row import AtomsRow
from ase.io import read

from analysis.adsorption import Site
from workflows.report.results import Report
from workflows.system.files import digest, write_bytes
from workflows.tasks.atoms_json import from_json
from workflows.tasks.folder import RESULT
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.status import State

DATABASE = "results.db"


RELAXATION = "relaxation.extxyz"


# key: what it is in short, in full, and its unit
KEYS = {
    "task": ("Task", "folder of the task in the run's directory", ""),
    "surface": ("Surface", "surface of the slab", ""),
    "site": ("Site", "site where the adatom was placed", ""),
    "relaxation": ("Relaxation", "x and y of the adatom held, or free", ""),
    "adsorption_energy": ("E_ads", "energy against clean slab and isolated atom", "eV"),
    "against_metal": ("E_ads - E_coh", "energy against clean slab and bulk metal", "eV"),
    "published": ("Published", "adsorption energy in the paper", "eV"),
    "difference": ("Difference", "adsorption energy less the published one", "eV"),
    "height": ("Height", "height of the adatom above the top layer", "Ang"),
    "ended_at": ("Ended at", "site where the adatom ended", ""),
    "site_offset": ("Offset", "lateral distance of the adatom from that site", "Ang"),
    "saddle": ("Saddle", "whether a free adatom rests on a saddle", ""),
    "charge_moved": ("q", "electrons moved from the adatom toward the surface", "e"),
    "quality": ("Quality", "smoke, laptop or production", ""),
    "physical": ("Physical", "whether the settings allow physical conclusions", ""),
}


COLUMNS = ["id", "formula", "surface", "site", "relaxation", "adsorption_energy", "published",
           "height", "ended_at", "quality", "energy", "fmax"]  # fmt: skip


def write_database(report: Report, root: Path) -> Path:
    """Write `root`/results.db: a row per clean slab and per adatom on a site; return its path.

    Energies in eV, forces in eV/angstrom. The same results give the same rows.
    """
    # Made on a local disk: file systems that nodes share do not bear SQLite's locks.
    with tempfile.TemporaryDirectory(prefix="sodiophile-") as workshop:
        made = Path(workshop) / DATABASE
        database = ase.db.connect(made, type="db", use_lock_file=False)
        database.metadata = _metadata(report)
        with database:
            for name, pairs in _rows(report):
                row = _row(report.states[name], root / name)
                database.write(row, task=name, **pairs, **_quality(report))
        write_bytes(root / DATABASE, made.read_bytes())
    return root / DATABASE


def _metadata(report: Report) -> dict[str, Any]:
    return {
        "title": f"sodiophile, case {report.case.name}",
        "default_columns": COLUMNS,
        "key_descriptions": {key: list(text) for key, text in KEYS.items()},
        "description": report.caption(),
    }


def _quality(report: Report) -> dict[str, Any]:
    return {"quality": report.case.quality, "physical": report.case.physical}


def _rows(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each task with a relaxed structure, and its key-value pairs."""
    table = report.table()
    for surface in surfaces(report.case):
        label, slab = surface_label(report.case, surface), report.name(surface, "slab")
        if report.values(slab) is not None:
            yield slab, {"surface": label}
        sites = (s for s in (*table.sites, *table.metal_sites) if s.surface == label)
        for site in sites:
            if site.energy is not None:
                name = report.name(surface, f"{site.site}-{site.relaxation}")
                yield name, _pairs(site) | _charge(report, name)


def _pairs(site: Site) -> dict[str, Any]:
    pairs = {key: getattr(site, key, None) for key in KEYS}
    return {key: value for key, value in pairs.items() if value is not None}


def _charge(report: Report, held: str) -> dict[str, Any]:
    """Return what the density difference says: it is taken with the adatom held."""
    density = report.values(held.removesuffix("-held") + "-density")
    return {} if density is None else {"charge_moved": density["charge_moved"]}


def _row(state: State, folder: Path) -> AtomsRow:
    """Return a finished task's structure with energy and forces; its age is the result's."""
    result = state.result
    assert result is not None  # noqa: S101
    atoms = from_json(result.values["structure"])
    found: dict[str, Any] = {"energy": result.values["energy"]}
    if RELAXATION in result.files:
        found["forces"] = read(folder / RELAXATION, index=-1).get_forces()
    atoms.calc = SinglePointCalculator(atoms, **found)
    row = AtomsRow(atoms)
    row.unique_id = digest([folder.name, result.fingerprint])[:32]
    row.ctime = ((folder / RESULT).stat().st_mtime - T2000) / YEAR
    row.user = ""  # whose account it ran under is no part of a result
    return row
