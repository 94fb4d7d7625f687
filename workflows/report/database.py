"""The relaxed structures and their numbers as an ASE database: `ase db results.db`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import ase.db
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db.core import T2000, YEAR
from ase.db.row import AtomsRow
from ase.io import read

from analysis.adsorption import Site
from workflows.case.schema import Case
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results
from workflows.report.tables import site_row
from workflows.report.wording import caption
from workflows.system.files import digest, write_bytes
from workflows.tasks.atoms_json import from_json
from workflows.tasks.finished import relaxed_values
from workflows.tasks.folder import RELAXATION, RESULT
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import Surface
from workflows.tasks.status import State

DATABASE = "results.db"


Pair: TypeAlias = str | float  # the value of a key


# key: what it is in short, in full, and its unit
KEYS: Mapping[str, tuple[str, str, str]] = {
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


def write_database(found: Evaluation) -> Path:
    """Write results.db: a row per clean slab and per adatom on a site; return its path.

    Energies in eV, forces in eV/angstrom. The same results give the same rows.
    """
    # Made on a local disk: file systems that nodes share do not bear SQLite's locks.
    with tempfile.TemporaryDirectory(prefix="sodiophile-") as workshop:
        made = Path(workshop) / DATABASE
        database = ase.db.connect(made, type="db", use_lock_file=False)
        database.metadata = _metadata(found.case)
        quality = {"quality": found.case.quality, "physical": found.case.physical}
        with database:
            for state, pairs in _rows(found):
                name = state.task.label
                row = _row(state, name, found.root / state.task.name)
                database.write(row, task=name, **pairs, **quality)
        write_bytes(found.root / DATABASE, made.read_bytes())
    return found.root / DATABASE


def _metadata(case: Case) -> dict[str, object]:
    return {
        "title": f"sodiophile, case {case.name}",
        "default_columns": COLUMNS,
        "key_descriptions": {key: list(text) for key, text in KEYS.items()},
        "description": caption(case, published=True).text,
    }


def _rows(found: Evaluation) -> Iterator[tuple[State, Mapping[str, Pair]]]:
    """Yield each task with a relaxed structure, and its key-value pairs."""
    results = found.results
    for surface in surfaces(found.case):
        label, slab = surface_label(found.case, surface), results.state(surface, "slab")
        if slab is not None and slab.result is not None:
            yield slab, {"surface": label}
        for site in found.table.all_sites:
            state = results.state(surface, site.relaxation, site.site)
            if site.surface == label and state is not None and state.result is not None:
                yield state, _pairs(site) | _charge(results, surface, site)


def _pairs(site: Site) -> dict[str, Pair]:
    row: Mapping[str, Any] = site_row(site)
    return {key: row[key] for key in KEYS if row.get(key) is not None}


def _charge(results: Results, surface: Surface, site: Site) -> dict[str, Pair]:
    """Return the charge that moved; the density difference is taken with the adatom held."""
    density = results.density(surface, site.site) if site.relaxation == "held" else None
    return {} if density is None else {"charge_moved": density["charge_moved"]}


def _row(state: State, name: str, folder: Path) -> AtomsRow:
    """Return a finished task's structure with energy and forces; its age is the result's."""
    result, values = state.result, relaxed_values(state)
    assert result is not None  # noqa: S101
    assert values is not None  # noqa: S101
    atoms = from_json(values["structure"])
    calculated = {"energy": values["energy"]}
    if RELAXATION in result.files:
        calculated["forces"] = read(folder / RELAXATION, index=-1).get_forces()
    atoms.calc = SinglePointCalculator(atoms, **calculated)
    row = AtomsRow(atoms)
    row.unique_id = digest([name, result.fingerprint])[:32]
    row.ctime = ((folder / RESULT).stat().st_mtime - T2000) / YEAR
    row.user = ""  # whose account it ran under is no part of a result
    return row
