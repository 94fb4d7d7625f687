"""Adsorption energies: each site against each of the bare slabs that there are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms

from analysis import paper
from analysis.adsorption import (
    RELAXATIONS,
    Problem,
    Reference,
    Relaxation,
    Site,
    Table,
    adsorption_energy,
    cohesive_energy,
    require_same_settings,
)
from structures.sites import largest_displacement
from workflows.case.schema import Case
from workflows.dft.parameters import grid_points
from workflows.report import dispersion
from workflows.report.functionals import with_functionals
from workflows.report.refinement import refined_results
from workflows.report.results import Results
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import (
    Task,
    host_label,
    slab_of,
    surface_label,
    surfaces,
    translations_of,
)
from workflows.tasks.records import AdatomValues, RelaxedValues, Surface
from workflows.tasks.status import State

COMMON = ("mode", "cutoff", "xc", "smearing", "scf")  # settings that no two cells may differ in


def adsorption_table(results: Results) -> Table:
    """Return all sites of the adatom on host and metal, with their energies as far as known.

    With [refine] they are those of the single points; `Site.as_relaxed` has the relaxation's own.
    """
    table = relaxed = _table(results)
    if results.case.refine is not None:
        refined = _table(refined_results(results))
        table = replace(
            refined,
            sites=tuple(map(_beside, refined.sites, relaxed.sites)),
            metal_sites=tuple(map(_beside, refined.metal_sites, relaxed.metal_sites)),
        )
    return with_functionals(table, results) if results.case.checks.functionals else table


def _beside(refined: Site, relaxed: Site) -> Site:
    """Return a row of refined energies, beside those with the relaxation's own settings."""
    if refined.height is not None:
        return replace(refined, as_relaxed=relaxed)
    return replace(  # the structure is there, whether or not its single point is
        refined,
        as_relaxed=relaxed,
        height=relaxed.height,
        nearest=relaxed.nearest,
        ended_at=relaxed.ended_at,
        site_offset=relaxed.site_offset,
        saddle=relaxed.saddle,
    )


def _table(results: Results) -> Table:
    case, cohesive = results.case, _cohesive_energies(results)
    metal = [surface for surface in surfaces(case) if surface != "host"]
    return Table(
        host=host_label(case),
        adatom=case.adatom,
        sites=_sites(results, "host", cohesive),
        metal_sites=tuple(site for s in metal for site in _sites(results, s, cohesive)),
        quality=case.quality,
        physical=case.physical,
    )


def _cohesive_energies(results: Results) -> tuple[float | None, dispersion.Energies]:
    """Return the cohesive energy of the metal (eV), and the same by model of dispersion."""
    energy = cohesive_energy_of(results)
    known = {} if energy is None else dispersion.cohesive_energies(results.case, results)
    return energy, known


def cohesive_energy_of(results: Results) -> float | None:
    """Return the energy of bulk metal per atom less that of the isolated atom, eV.

    Raises
    ------
    ValueError
        The two were computed with different settings.
    """
    bulk, atom = results.lattice("metal"), results.atom()
    if bulk is None or atom is None:
        return None
    tasks = (_task(results, "metal", "lattice"), _task(results, "metal", "atom"))
    require_same_settings({task.name: _common_settings(results, task) for task in tasks})
    return cohesive_energy(bulk["energy"] / bulk["atoms"], atom["energy"])


def _sites(
    results: Results, surface: Surface, cohesive: tuple[float | None, dispersion.Energies]
) -> tuple[Site, ...]:
    return tuple(
        _against_metal(_site(results, surface, site, relaxation, state), *cohesive)
        for site in slab_of(results.case, surface).sites
        for relaxation in reversed(RELAXATIONS)
        if (state := results.state(surface, relaxation, site)) is not None
    )


def _site(
    results: Results, surface: Surface, site: str, relaxation: Relaxation, state: State
) -> Site:
    known = Site(
        surface_label(results.case, surface),
        site,
        relaxation,
        reference=_reference(results, surface, site, relaxation),
        published=_published(results, surface, site),
    )
    values = results.adatom(surface, site, relaxation)
    if values is None:
        return replace(known, problem=_unfinished(state))
    known = replace(
        known,
        energy=values["energy"],
        height=values["height"],
        nearest=values["nearest"],
        ended_at=values["ended_at"],
        site_offset=values["site_offset"],
        defect_distance=values.get("defect_distance"),
        saddle=values.get("saddle", False),
        magnetic_moment=values.get("magnetic_moment"),
        against_non_magnetic=_against_non_magnetic(values),
    )
    try:
        return _with_energies(results, surface, state.task, known, values)
    except ValueError as error:
        return replace(known, problem=Problem("refused", str(error)))


def _against_non_magnetic(values: AdatomValues) -> float | None:
    without = values.get("non_magnetic_energy")
    return None if without is None else values["energy"] - without


def _against_metal(site: Site, cohesive: float | None, by_dispersion: dispersion.Energies) -> Site:
    if site.adsorption_energy is None or cohesive is None:
        return site
    return replace(
        site,
        against_metal=site.adsorption_energy - cohesive,
        against_metal_by_dispersion=dispersion.against_metal(site.by_dispersion, by_dispersion),
    )


def _reference(results: Results, surface: Surface, site: str, relaxation: Relaxation) -> Reference:
    """Return the bare slab of all rows of a case: one that is asked for is waited for."""
    asked = results.state(surface, "basin", site, relaxation) is not None
    return "same basin" if asked else "clean slab"


def _published(results: Results, surface: Surface, site: str) -> float | None:
    system = host_label(results.case), results.case.adatom
    if surface == "host":
        return paper.published_energy(*system, site)
    return paper.published_on_metal(*system)


def _unfinished(state: State) -> Problem:
    text = state.status + (f": {state.note}" if state.note else "")
    return Problem("failed" if state.status in ("failed", "blocked") else "unfinished", text)


def _with_energies(
    results: Results, surface: Surface, task: Task, known: Site, values: AdatomValues
) -> Site:
    """Return a site with its energies (eV) against each of the bare slabs that are known.

    Raises
    ------
    ValueError
        The energies were computed with different settings.
    """
    slab, atom = results.slab(surface), results.atom()
    if slab is None or atom is None:
        missing = Problem("unfinished", "the isolated atom's energy is missing")
        return replace(known, problem=missing)
    _require_comparable(results, surface, task, from_json(values["structure"]))

    def against(bare: float) -> float:
        return adsorption_energy(values["energy"], bare, atom["energy"])

    lowest = min(bare["energy"] for bare in results.bare_slabs(surface))
    found = replace(
        known,
        against_clean=against(slab["energy"]),
        against_lowest=against(lowest),
        without_dipole=_without_dipole(results, surface, known, atom["energy"]),
    )

    def by_dispersion(bare: RelaxedValues) -> dispersion.Energies:
        return dispersion.adsorption_energies(results.case, values, bare, atom["energy"])

    if known.reference == "clean slab":
        return replace(
            found, adsorption_energy=found.against_clean, by_dispersion=by_dispersion(slab)
        )
    basin = results.bare_slab(surface, known.site, known.relaxation)
    if basin is None:
        return replace(found, problem=_without_bare_slab(results, surface, known))
    moved = largest_displacement(from_json(basin["structure"]), from_json(slab["structure"]))
    return replace(
        found,
        adsorption_energy=against(basin["energy"]),
        reconstruction_energy=basin["energy"] - slab["energy"],
        reconstruction_displacement=moved,
        by_dispersion=by_dispersion(basin),
    )


def _without_bare_slab(results: Results, surface: Surface, known: Site) -> Problem:
    """Return why a row has no main value while others may: two definitions never stand together."""
    state = results.state(surface, "basin", known.site, known.relaxation)
    assert state is not None  # noqa: S101
    why = _unfinished(state)
    return replace(why, text=f"its bare slab {state.task.label} is missing ({why.text})")


def _without_dipole(results: Results, surface: Surface, known: Site, atom: float) -> float | None:
    """Return the energy (eV) against the clean slab, both without dipole correction."""
    slab = results.without_dipole(surface)
    both = results.without_dipole(surface, known.site, known.relaxation)
    if slab is None or both is None:
        return None
    return adsorption_energy(both["energy"], slab["energy"], atom)


# ---- settings that must agree -------------------------------------------------------------------


def _require_comparable(results: Results, surface: Surface, task: Task, atoms: Atoms) -> None:
    """Refuse to subtract energies of a slab with adatom, its clean slab and the atom.

    Raises
    ------
    ValueError
        A setting differs; all such settings are named.
    """
    slab = results.slab(surface)
    assert slab is not None  # noqa: S101
    clean, atom = _task(results, surface, "slab"), _task(results, "metal", "atom")
    require_same_settings(
        {
            clean.name: settings_in_cell(results.case, clean, from_json(slab["structure"])),
            task.name: settings_in_cell(results.case, task, atoms),
        }
    )
    require_same_settings({t.name: _common_settings(results, t) for t in (clean, atom)})


def settings_in_cell(case: Case, task: Task, atoms: Atoms) -> dict[str, Any]:
    """Return the settings that a slab's energy has to share with another one to be subtracted.

    k-points and grid points count by their density in the cell.

    Parameters
    ----------
    case
        The case that the task belongs to.
    task
        A task that relaxed a slab.
    atoms
        Its structure, angstrom.

    Returns
    -------
    dict
        DFT settings; in the place of the k-points their distance along x and y in 1/angstrom, with
        2 pi, and the wavefunctions' grid spacing along all axes in angstrom.
    """
    settings = task.inputs["dft"]
    dft = dict(settings)
    period_c = 2 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
    k_spacing = np.round(period_c / np.array(dft.pop("kpoints")), 4)[:2]
    grid = grid_points(atoms, settings["cutoff"], translations_of(case, task.surface))
    spacing = np.round(atoms.cell.lengths() / grid, 4)
    return dft | {"k-point spacing": k_spacing.tolist(), "grid spacing": spacing.tolist()}


def _common_settings(results: Results, task: Task) -> Mapping[str, object]:
    """Return the settings that energies of the adatom must share whatever their cells."""
    dft, adatom = task.inputs["dft"], results.case.adatom
    common = {key: value for key, value in dft.items() if key in COMMON}
    of_adatom = {
        f"{adatom} data set": dft["setups"].get(adatom, ""),
        f"{adatom} U": dft.get("hubbard", {}).get(adatom),
    }
    return common | of_adatom


def _task(results: Results, surface: Surface, kind: str) -> Task:
    state = results.state(surface, kind)  # type: ignore[arg-type]
    assert state is not None  # noqa: S101
    return state.task
