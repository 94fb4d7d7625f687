"""The tables of a case as files: results.json and energies.csv; docs/results.md has every key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict, cast

from analysis import paper
from analysis.adsorption import Reference, Relaxation, Site, Table
from analysis.dispersion import LABELS
from analysis.lattice import Ring
from structures.diffraction import interplanar_spacing
from workflows.case.schema import Host, Metal
from workflows.report.barriers import SurfaceBarrier
from workflows.report.coverage import (
    COVERAGE,
    CoverageRow,
    FillingRow,
    coverage_csv,
    coverage_rows,
    filling_row,
)
from workflows.report.csv_text import Cell, csv_text
from workflows.report.densities import (
    Charges,
    DifferenceRow,
    charge_transfer,
    charges,
    difference_row,
)
from workflows.report.electrons import (
    LOCALISATION,
    STATES,
    ElectronsRow,
    cuts_csv,
    electrons_row,
    states_csv,
)
from workflows.report.energies import cohesive_energy_of
from workflows.report.evaluation import Evaluation
from workflows.report.functionals import functional_names
from workflows.report.hops import PATHS, HopRow, hop_row, paths_csv
from workflows.report.magnetism import MagnetismRow, magnetism
from workflows.report.refinement import final_results
from workflows.report.results import Results
from workflows.report.slab_checks import SlabCheck
from workflows.report.wording import MadeWith, made_with, missing_lines, notes
from workflows.system.files import write_text
from workflows.tasks.graph import crystal_of, slab_of, surface_label, surface_name, surfaces
from workflows.tasks.records import ReflectionData, Surface

SCHEMA = "sodiophile-results/1"
RESULTS, ENERGIES = "results.json", "energies.csv"


UNITS: Final[Mapping[str, str]] = {
    "energy": "eV", "adsorption_energy": "eV", "against_metal": "eV", "published": "eV",
    "difference": "eV", "against_clean": "eV", "against_lowest": "eV", "without_dipole": "eV",
    "by_dispersion": "eV", "against_metal_by_dispersion": "eV",
    "work_function_above": "eV", "work_function_below": "eV", "dipole_step": "eV",
    "vacuum_flatness": "eV", "rumpling": "angstrom", "distance": "angstrom", "change": "angstrom",
    "reconstruction_energy": "eV", "reconstruction_displacement": "angstrom",
    "height": "angstrom", "nearest": "angstrom", "site_offset": "angstrom",
    "defect_distance": "angstrom",
    "lattice_constant": "angstrom", "bulk_modulus": "GPa", "cohesive_energy": "eV",
    "integral": "electrons", "charge_moved": "electrons", "bader_charge": "electrons",
    "boundary": "angstrom",
    "fmax": "eV/angstrom",
    "magnetic_moment": "Bohr magnetons", "magnetic_moments": "Bohr magnetons",
    "against_non_magnetic": "eV", "starts": "eV",
}  # fmt: skip


class RingRow(TypedDict):
    """A diffraction ring: spacings and `difference` (ours less the published one) in angstrom."""

    hkl: tuple[int, int, int]
    d_spacing: float
    published: float | None
    named_by_paper: bool | None
    difference: float | None


class LatticeRow(TypedDict):
    """A crystal: lengths in angstrom, `bulk_modulus` in GPa; None for what is not known."""

    name: str
    lattice_constant: float | None
    source: str
    bulk_modulus: float | None
    pattern: list[ReflectionData] | None
    spacings: list[RingRow] | None
    d_200: float | None
    d_111: float | None


class References(TypedDict):
    """What energies are taken against, eV; `clean_slabs` by surface."""

    atom_energy: float | None
    cohesive_energy: float | None
    clean_slabs: dict[Surface, float | None]


class RelaxedRow(TypedDict):
    """The energies of a site with the relaxation's own settings, eV; see SiteRow."""

    energy: float | None
    adsorption_energy: float | None
    against_metal: float | None
    against_clean: float | None
    against_lowest: float | None
    reconstruction_energy: float | None
    without_dipole: float | None
    problem: str | None


class SiteRow(TypedDict):
    """A site, see `analysis.adsorption.Site`: energies in eV, lengths in angstrom.

    `as_relaxed` is there where the energies are of single points; `magnetic_moment` (Bohr
    magnetons) where there is spin, and `against_non_magnetic` where that was computed; the last
    four keys where energies with other functionals are known.
    """

    surface: str
    site: str
    relaxation: Relaxation
    energy: float | None
    adsorption_energy: float | None
    against_metal: float | None
    reference: Reference
    against_clean: float | None
    against_lowest: float | None
    reconstruction_energy: float | None
    reconstruction_displacement: float | None
    without_dipole: float | None
    by_dispersion: dict[str, float]
    against_metal_by_dispersion: dict[str, float]
    height: float | None
    nearest: dict[str, float]
    ended_at: str | None
    site_offset: float | None
    defect_distance: float | None
    saddle: bool
    magnetic_moment: NotRequired[float]
    against_non_magnetic: NotRequired[float]
    published: float | None
    problem: str | None
    difference: float | None
    as_relaxed: NotRequired[RelaxedRow]
    by_functional: NotRequired[Mapping[str, float]]
    against_metal_by_functional: NotRequired[Mapping[str, float]]
    deviation: NotRequired[float | None]
    against_metal_deviation: NotRequired[float | None]


class BarrierRow(TypedDict):
    """A barrier of diffusion (eV) estimated from held sites; None for what is not known."""

    surface: str
    minimum: str | None
    over: str | None
    energy: float | None


class LabelRow(TypedDict):
    """Our energies beside one reading of the published labels, see `analysis.labels.Fit`; eV."""

    shift: float
    mean_error: float
    largest_error: float
    worst: str


class ResultsJSON(TypedDict):
    """Everything in results.json."""

    schema: str
    case: dict[str, Any]
    quality: str
    physical: bool
    units: Mapping[str, str]
    paper: dict[str, str]
    complete: bool
    missing: list[str]
    warnings: list[str]
    lattices: dict[str, LatticeRow]
    references: References
    sites: list[SiteRow]
    metal_sites: list[SiteRow]
    barriers: list[BarrierRow]
    labels: dict[str, LabelRow] | None
    density_differences: dict[str, DifferenceRow | None]
    metal_density_differences: dict[str, dict[str, DifferenceRow | None]]
    charge_transfer: str
    hops: NotRequired[list[HopRow]]
    coverage: NotRequired[list[CoverageRow]]
    filling: NotRequired[list[FillingRow]]
    electrons: NotRequired[list[ElectronsRow]]
    slab_checks: Mapping[str, SlabCheck]
    magnetism: NotRequired[Mapping[str, MagnetismRow]]
    binds_more_strongly_than_metal: bool | None
    binds_more_strongly_in_ensemble: NotRequired[float | None]
    verdict: str
    notes: list[str]
    agreement_with_paper: str
    made_with: MadeWith
    seconds: float


def results_json(found: Evaluation) -> ResultsJSON:
    """Return everything that results.json has."""
    case, table, results = found.case, found.table, found.results
    missing = missing_lines(results.states)
    whole: ResultsJSON = {
        "schema": SCHEMA,
        "case": case.model_dump(mode="json"),
        "quality": case.quality,
        "physical": case.physical,
        "units": UNITS,
        "paper": {"doi": paper.DOI, "citation": paper.CITATION},
        "complete": not missing,
        "missing": missing,
        "warnings": list(found.warnings),
        "lattices": {"host": _host(found), "metal": _crystal(results, "metal")},
        "references": _references(results),
        "sites": [site_row(site) for site in table.sites],
        "metal_sites": [site_row(site) for site in table.metal_sites],
        "barriers": list(map(_barrier_row, found.barriers)),
        "labels": cast("dict[str, LabelRow]", asdict(found.labels)) if found.labels else None,
        "density_differences": _differences(found, "host"),
        "metal_density_differences": {
            surface_label(case, surface): _differences(found, surface)
            for surface in surfaces(case)
            if surface != "host"
        },
        "charge_transfer": charge_transfer(found),
        "slab_checks": found.checks,
        "binds_more_strongly_than_metal": table.binds_more_strongly,
        "verdict": table.verdict(),
        "notes": notes(found),
        "agreement_with_paper": table.ranking_agreement(),
        "made_with": made_with(results.states),
        "seconds": sum(state.seconds or 0.0 for state in results.states.values()),
    }
    if case.hop is not None:
        whole["hops"] = list(map(hop_row, found.hops))
    if case.coverage is not None:
        whole["coverage"] = coverage_rows(found.coverages)
        whole["filling"] = list(map(filling_row, found.coverages))
    if case.electrons is not None:
        whole["electrons"] = list(map(electrons_row, found.electrons))
    if rows := magnetism(results):
        whole["magnetism"] = rows
    if case.checks.functionals:
        whole["binds_more_strongly_in_ensemble"] = table.probability
    return whole


def _host(found: Evaluation) -> LatticeRow:
    return {**_crystal(found.results, "host"), "spacings": list(map(_ring_row, found.rings))}


def _ring_row(ring: Ring) -> RingRow:
    return cast("RingRow", asdict(ring) | {"difference": ring.difference})


def _crystal(results: Results, surface: Surface) -> LatticeRow:
    found, constant = results.lattice(surface), results.lattice_constant(surface)
    given = "given in the case" if constant else "missing"
    cubic = constant if isinstance(crystal_of(results.case, surface), Host | Metal) else None
    return {
        "name": surface_name(results.case, surface),
        "lattice_constant": constant,
        "source": given if not found else "stress" if "stress" in found else "equation of state",
        "bulk_modulus": found.get("bulk_modulus") if found else None,
        "pattern": found.get("pattern") if found else None,
        "spacings": None,
        "d_200": interplanar_spacing(cubic, (2, 0, 0)) if cubic else None,
        "d_111": interplanar_spacing(cubic, (1, 1, 1)) if cubic else None,
    }


def _references(results: Results) -> References:
    results = final_results(results)
    atom = results.atom()
    slabs = {surface: results.slab(surface) for surface in surfaces(results.case)}
    return {
        "atom_energy": atom["energy"] if atom else None,
        "cohesive_energy": cohesive_energy_of(results),
        "clean_slabs": {s: slab["energy"] if slab else None for s, slab in slabs.items()},
    }


def site_row(site: Site) -> SiteRow:
    """Return a site as results.json has it."""
    fields = {**asdict(site), "problem": _problem(site), "difference": site.difference}
    absent = [key for key in ("magnetic_moment", "against_non_magnetic") if fields[key] is None]
    absent += OF_FUNCTIONALS if not site.by_functional else ()
    for key in ("as_relaxed", "ensemble", *absent):
        del fields[key]
    if relaxed := site.as_relaxed:
        known = {key: getattr(relaxed, key) for key in RelaxedRow.__annotations__}
        fields["as_relaxed"] = known | {"problem": _problem(relaxed)}
    return cast("SiteRow", fields)


OF_FUNCTIONALS = (
    "by_functional", "against_metal_by_functional", "deviation", "against_metal_deviation",
)  # fmt: skip


def _problem(site: Site) -> str | None:
    return site.problem.text if site.problem else None


def _barrier_row(of: SurfaceBarrier) -> BarrierRow:
    known = of.barrier
    return {
        "surface": of.surface,
        "minimum": known.minimum if known else None,
        "over": known.over if known else None,
        "energy": known.energy if known else None,
    }


def _differences(found: Evaluation, surface: Surface) -> dict[str, DifferenceRow | None]:
    sites = slab_of(found.case, surface).sites
    return {site: difference_row(found, surface, site) for site in sites}


def energies_csv(table: Table, charges: Charges) -> str:
    """Return the table as CSV text: one line per surface, site and relaxation; eV and angstrom.

    `charges` are those that move at the held adatom's sites, electrons.
    """
    elements = sorted({element for site in table.all_sites for element in site.nearest})
    header = [
        "surface", "site", "relaxation", "adsorption_energy_eV", "published_eV", "difference_eV",
        "against_metal_eV", "reference", "against_clean_slab_eV", "against_lowest_slab_eV",
        "reconstruction_eV", "reconstruction_A", "without_dipole_eV", "total_energy_eV",
        "height_A", *(f"nearest_{element}_A" for element in elements),
        "ended_at", "site_offset_A", "defect_distance_A", "charge_moved_e", "bader_charge_e",
        *(f"dispersion_{model}_eV" for model in LABELS),
        *(f"against_metal_dispersion_{model}_eV" for model in LABELS), "quality", "problem",
    ]  # fmt: skip
    extra, of_extra = _extra_columns(table)
    rows = [[*_csv_row(s, elements, charges, table.quality), *of_extra(s)] for s in table.all_sites]
    return csv_text([*header, *extra], rows)


def _extra_columns(table: Table) -> tuple[list[str], Callable[[Site], list[Cell]]]:
    """Return the columns that only some cases have, and what a site has in them."""
    names, header = functional_names(table.all_sites), list[str]()
    if table.refined:
        header += ["as_relaxed_eV", "against_metal_as_relaxed_eV"]
    with_spin = any(site.magnetic_moment is not None for site in table.all_sites)
    if with_spin:
        header += ["magnetic_moment_muB", "against_non_magnetic_eV"]
    if names:
        header += [f"{name}_eV" for name in names] + [f"against_metal_{name}_eV" for name in names]
        header += ["deviation_eV", "against_metal_deviation_eV"]

    def cells(site: Site) -> list[Cell]:
        relaxed, found = site.as_relaxed or site, list[Cell]()
        if table.refined:
            found += [relaxed.adsorption_energy, relaxed.against_metal]
        if with_spin:
            found += [site.magnetic_moment, site.against_non_magnetic]
        if names:
            found += map(site.by_functional.get, names)
            found += map(site.against_metal_by_functional.get, names)
            found += [site.deviation, site.against_metal_deviation]
        return found

    return header, cells


def _csv_row(s: Site, elements: list[str], charges: Charges, quality: str) -> list[Cell]:
    known = charges.get((s.surface, s.site)) if s.relaxation == "held" else None
    moved, bader = known or (None, None)
    return [
        s.surface, s.site, s.relaxation, s.adsorption_energy, s.published, s.difference,
        s.against_metal, s.reference, s.against_clean, s.against_lowest,
        s.reconstruction_energy, s.reconstruction_displacement, s.without_dipole, s.energy,
        s.height, *(s.nearest.get(element) for element in elements),
        s.ended_at, s.site_offset, s.defect_distance, moved, bader,
        *(energies.get(m) for energies in (s.by_dispersion, s.against_metal_by_dispersion)
          for m in LABELS), quality, _problem(s),
    ]  # fmt: skip


def json_text(data: object) -> str:
    """Return data as the JSON text that the program's files hold."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def write_tables(found: Evaluation, folder: Path) -> list[Path]:
    """Write results.json, energies.csv and what else is computed; return the paths."""
    energies = energies_csv(found.table, charges(found.results))
    texts = {RESULTS: json_text(results_json(found)), ENERGIES: energies}
    if found.hops:
        texts |= {PATHS: paths_csv(found.hops)}
    if found.coverages:
        texts |= {COVERAGE: coverage_csv(found.coverages)}
    if found.electrons:
        texts |= {STATES: states_csv(found.electrons), LOCALISATION: cuts_csv(found.electrons)}
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]
