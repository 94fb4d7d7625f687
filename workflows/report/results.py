"""Results -> table and figures: again at any time, from whatever is there, in seconds."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from analysis import paper
from analysis.adsorption import (
    CLEAN_SLAB,
    SAME_BASIN,
    Site,
    Table,
    adsorption_energy,
    cohesive_energy,
    require_same_settings,
)
from analysis.charge import Density
from analysis.lattice import Ring, rings
from analysis.potential import WorkFunctions
from structures.diffraction import interplanar_spacing
from structures.sites import largest_displacement
from workflows.case.schema import Case
from workflows.dft.parameters import grid_points
from workflows.preflight.setting_warnings import warnings
from workflows.report.slab_checks import FLAT, slab_check, work_functions_of
from workflows.steps.cubes import cube_of, read_difference
from workflows.steps.initial import structures
from workflows.system.files import write_text
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import Surface, Task, slab_of, surface_label, surface_name, surfaces
from workflows.tasks.status import State

SCHEMA = "sodiophile-results/1"
NOT_PHYSICAL = "NOT PHYSICAL: smoke-test settings; these numbers only show that the chain works"


UNITS = {
    "energy": "eV", "adsorption_energy": "eV", "against_metal": "eV", "published": "eV",
    "difference": "eV", "against_clean": "eV", "against_lowest": "eV", "without_dipole": "eV",
    "work_function_above": "eV", "work_function_below": "eV", "dipole_step": "eV",
    "vacuum_flatness": "eV", "rumpling": "angstrom", "distance": "angstrom", "change": "angstrom",
    "reconstruction_energy": "eV", "reconstruction_displacement": "angstrom",
    "height": "angstrom", "nearest": "angstrom", "site_offset": "angstrom",
    "lattice_constant": "angstrom", "bulk_modulus": "GPa", "cohesive_energy": "eV",
    "integral": "electrons", "charge_moved": "electrons", "bader_charge": "electrons",
    "boundary": "angstrom",
    "fmax": "eV/angstrom",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """Everything that a case's finished tasks have to say."""

    case: Case
    states: Mapping[str, State]

    def values(self, name: str) -> Mapping[str, Any] | None:
        """Return the values of a task, or None if it is not done."""
        state = self.states.get(name)
        return state.result.values if state is not None and state.result is not None else None

    def name(self, surface: Surface, what: str) -> str:
        """Return the name of one of a surface's tasks, such as 'VN-slab'."""
        return f"{surface_name(self.case, surface)}-{what}"

    @property
    def missing(self) -> list[str]:
        """Return a line for every task that has no result."""
        return [
            f"{name}: {state.status}" + (f" ({state.note})" if state.note else "")
            for name, state in self.states.items()
            if state.status != "done"
        ]

    @property
    def atom_energy(self) -> float | None:
        """Return the energy of the isolated adatom, eV."""
        atom = self.values(f"{self.case.adatom}-atom")
        return None if atom is None else float(atom["energy"])

    @property
    def cohesive(self) -> float | None:
        """Return the energy of bulk metal per atom less that of the isolated atom, eV."""
        bulk = self.values(self.name("metal", "lattice"))
        if bulk is None or self.atom_energy is None:
            return None
        tasks = [self.states[self.name("metal", "lattice")].task]
        tasks.append(self.states[f"{self.case.adatom}-atom"].task)
        require_same_settings({task.name: self._common_settings(task) for task in tasks})
        return cohesive_energy(bulk["energy"] / bulk["atoms"], self.atom_energy)

    def table(self) -> Table:
        """Return all sites of the adatom on host and metal."""
        return Table(
            host=self.case.host.formula,
            adatom=self.case.adatom,
            sites=self._sites("host"),
            metal_sites=tuple(
                site
                for surface in surfaces(self.case)
                if surface != "host"
                for site in self._sites(surface)
            ),
            quality=self.case.quality,
            physical=self.case.physical,
        )

    def _sites(self, surface: Surface) -> tuple[Site, ...]:
        return tuple(
            self._site(surface, site, relaxation)
            for site in slab_of(self.case, surface).sites
            for relaxation in ("held", "free")
            if self.name(surface, f"{site}-{relaxation}") in self.states
        )

    def _site(self, surface: Surface, site: str, relaxation: str) -> Site:
        state = self.states[self.name(surface, f"{site}-{relaxation}")]
        published = self._published(surface, site)
        name = surface_label(self.case, surface)
        if state.result is None:
            why = state.status + (f": {state.note}" if state.note else "")
            return Site(name, site, relaxation, published=published, problem=why)
        values = state.result.values
        problem, against = None, {}
        try:
            against = self._adsorption_energies(surface, state)
        except ValueError as error:
            problem = str(error)
        energy = against.get("adsorption_energy")
        if energy is None and problem is None:
            problem = "the isolated atom's energy is missing"
        return Site(
            surface=name,
            site=site,
            relaxation=relaxation,
            energy=values["energy"],
            **against,
            against_metal=None
            if energy is None or self.cohesive is None
            else energy - self.cohesive,
            height=values["height"],
            nearest=values["nearest"],
            ended_at=values["ended_at"],
            site_offset=values["site_offset"],
            saddle=values.get("saddle", False),
            published=published,
            problem=problem,
        )

    def _adsorption_energies(self, surface: Surface, state: State) -> dict[str, Any]:
        """Return a site's energies against each of the bare slabs that are known, eV."""
        slab = self.values(self.name(surface, "slab"))
        if slab is None or self.atom_energy is None or state.result is None:
            return {}
        clean = self.states[self.name(surface, "slab")].task
        atom = self.states[f"{self.case.adatom}-atom"].task
        systems = ((clean, slab), (state.task, state.result.values))
        require_same_settings({t.name: settings_in_cell(t, v) for t, v in systems})
        require_same_settings({t.name: self._common_settings(t) for t in (clean, atom)})
        basin = self.values(f"{state.task.label}-basin")
        reference = slab if basin is None else basin
        energies = {
            "adsorption_energy": reference["energy"],
            "against_clean": slab["energy"],
            "against_lowest": self.lowest_slab(surface),
        }
        found: dict[str, Any] = {
            key: adsorption_energy(state.result.values["energy"], energy, self.atom_energy)
            for key, energy in energies.items()
        }
        found["reference"] = CLEAN_SLAB if basin is None else SAME_BASIN
        if basin is not None:
            found |= _reconstruction(basin, slab)
        return found | self._without_dipole(surface, state)

    def lowest_slab(self, surface: Surface) -> float:
        """Return the lowest energy of a surface's bare slabs, eV: clean and relaxed again."""
        names = [name for name, s in self.states.items() if s.task.surface == surface]
        kinds = ("slab", "basin")
        bare = [self.values(n) for n in names if self.states[n].task.kind in kinds]
        return min(float(values["energy"]) for values in bare if values is not None)

    def _without_dipole(self, surface: Surface, state: State) -> dict[str, float]:
        names = (f"{state.task.label}-uncorrected", self.name(surface, "slab-uncorrected"))
        both = [self.values(name) for name in names]
        if both[0] is None or both[1] is None or self.atom_energy is None:
            return {}
        energy = adsorption_energy(both[0]["energy"], both[1]["energy"], self.atom_energy)
        return {"without_dipole": energy}

    def _common_settings(self, task: Task) -> dict[str, Any]:
        """Return the settings that energies of the adatom must share whatever their cells."""
        dft = task.inputs["dft"]
        common = {key: dft[key] for key in ("mode", "cutoff", "xc", "smearing", "scf")}
        return common | {f"{self.case.adatom} data set": dft["setups"].get(self.case.adatom, "")}

    def _published(self, surface: Surface, site: str) -> float | None:
        if surface == "host":
            return paper.published_energy(self.case.host.formula, self.case.adatom, site)
        return paper.BARE_NA if self.case.adatom == "Na" else None

    def density(self, site: str, root: Path) -> tuple[Density | None, Atoms | None]:
        """Return a site's density difference (e/angstrom^3) and structure, as far as there."""
        name = self.name("host", f"{site}-density")
        state = self.states.get(name)
        if state is not None and state.result is not None:
            folder = state.task.folder(root)
            density, _ = read_difference(folder, state.result.files)
            return density, from_json(state.result.values["structure"])
        held = self.values(self.name("host", f"{site}-held"))
        return None, None if held is None else from_json(held["structure"])

    def caption(self) -> str:
        """Return the small print of the figures: what was computed, and with which settings."""
        face = ", and the face of their Na," if self.case.metal_slab_110 else ""
        return (
            f"{self.settings()}. Published values: Nanoscale Horiz., 2022, 7, 899; "
            f"their settings{face} are not known to us."
        )

    def settings(self) -> str:
        """Return the settings that matter most in words."""
        dft, slab = self.case.dft, self.case.slab
        k = "×".join(map(str, dft.kpoints.host_slab))
        setups = ", ".join(f"{symbol}.{name}" for symbol, name in dft.setups.items())
        cell = "√2×√2" if slab.cell == "sqrt2" else slab.cell.replace("x", "×")
        return (
            f"Case {self.case.name}: {self.case.adatom} on {self.case.host.formula}(001), "
            f"{cell} cell, {slab.layers} layers ({slab.held_layers} held), "
            f"{slab.vacuum:g} Å vacuum on each side; "
            f"GPAW, plane waves to {dft.cutoff:g} eV, {k} Γ-centred k-points, {dft.xc}, "
            f"smearing {dft.smearing:g} eV, fmax {self.case.relax.fmax:g} eV/Å"
            + (f", PAW sets {setups}" if setups else "")
        )

    def notes(self) -> list[str]:
        """Return what a reader of the table must know about its numbers, a line each."""
        table = self.table()
        sites = (*table.sites, *table.metal_sites)
        lines = [line for site in sites for line in _site_notes(site)]
        lines += _reconstruction_notes(sites)
        uneven = {
            name: check["vacuum_flatness"]
            for name, check in self.slab_checks().items()
            if self.case.physical and check.get("vacuum_flatness", 0.0) > FLAT
        }
        if uneven:
            found = ", ".join(f"{name} ({energy:.3f} eV)" for name, energy in uneven.items())
            lines.append(f"the vacuum is not flat: {found}; give it more")
        if not self.case.checks.same_basin:
            lines.append(
                "energies are against the clean slab relaxed by itself (checks.same_basin is off): "
                "a reconstruction under the adatom would be counted as binding"
            )
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON data; docs/results.md says what each key means."""
        table = self.table()
        return {
            "schema": SCHEMA,
            "case": self.case.model_dump(mode="json"),
            "quality": self.case.quality,
            "physical": self.case.physical,
            "units": UNITS,
            "paper": {"doi": paper.DOI, "citation": paper.CITATION},
            "complete": not self.missing,
            "missing": self.missing,
            "warnings": warnings(self.case, structures(self.case)),
            "lattices": {s: self._lattice(s) for s in ("host", "metal")},
            "references": {
                "atom_energy": self.atom_energy,
                "cohesive_energy": self.cohesive,
                "clean_slabs": {
                    s: (self.values(self.name(s, "slab")) or {}).get("energy")
                    for s in surfaces(self.case)
                },
            },
            "sites": [_site_json(site) for site in table.sites],
            "metal_sites": [_site_json(site) for site in table.metal_sites],
            "density_differences": {
                site: self.density_summary(site) for site in self.case.slab.sites
            },
            "slab_checks": self.slab_checks(),
            "binds_more_strongly_than_metal": table.binds_more_strongly,
            "verdict": table.verdict(),
            "notes": self.notes(),
            "agreement_with_paper": table.ranking_agreement(),
            "made_with": self._made_with(),
            "seconds": sum(state.seconds or 0.0 for state in self.states.values()),
        }

    def _lattice(self, surface: Surface) -> dict[str, Any]:
        found = self.values(self.name(surface, "lattice"))
        constant = self.lattice_constant(surface)
        given = "given in the case" if constant else "missing"
        source = "equation of state" if found else given
        return {
            "name": surface_name(self.case, surface),
            "lattice_constant": constant,
            "source": source,
            "bulk_modulus": found["bulk_modulus"] if found else None,
            "pattern": found.get("pattern") if found else None,
            "spacings": [asdict(ring) | {"difference": ring.difference} for ring in self.rings()]
            if surface == "host"
            else None,
            "d_200": interplanar_spacing(constant, (2, 0, 0)) if constant else None,
            "d_111": interplanar_spacing(constant, (1, 1, 1)) if constant else None,
        }

    def rings(self) -> list[Ring]:
        """Return the host's diffraction rings (angstrom), none without a lattice constant."""
        constant = self.lattice_constant("host")
        return rings(constant, self.case.host.formula) if constant else []

    def lattice_constant(self, surface: Surface) -> float | None:
        """Return a crystal's lattice constant (angstrom), computed or given, as far as known."""
        crystal = self.case.host if surface == "host" else self.case.metal
        bulk = self.case.host.formula if surface == "host" else self.case.adatom
        found = self.values(f"{bulk}-lattice")
        return float(found["lattice_constant"]) if found else crystal.lattice_constant

    def potentials(self) -> dict[str, tuple[Mapping[str, Any], WorkFunctions]]:
        """Return the potential along z of the host's slab and each held site, by title."""
        names = [self.name("host", "slab")]
        names += [self.name("host", f"{site}-held") for site in self.case.slab.sites]
        found = {}
        for name in names:
            values = self.values(name)
            both = work_functions_of(values) if values else None
            if values and both:
                found[self.states[name].task.title] = (values["electrostatics"], both)
        return found

    def slab_checks(self) -> dict[str, dict[str, Any]]:
        """Return work functions, vacuum and layers of every relaxed slab, by task."""
        found = {}
        for name, state in self.states.items():
            constant = self.lattice_constant(state.task.surface)
            relaxed = state.task.kind in ("slab", "held", "free", "basin")
            if relaxed and constant and state.result is not None:
                values, anion = state.result.values, self.case.host.anion
                found[name] = slab_check(state.task, values, constant, anion)
        return found

    def density_summary(self, site: str) -> dict[str, Any] | None:
        """Return a site's integral, charges (electrons) and boundary (angstrom)."""
        state = self.states.get(self.name("host", f"{site}-density"))
        if state is None or state.result is None:
            return None
        keys = ("integral", "charge_moved", "bader_charge", "boundary")
        cube = f"{state.task.name}/{cube_of(state.result.files)}"
        return {key: state.result.values.get(key) for key in keys} | {"cube": cube}

    def _made_with(self) -> dict[str, str]:
        results = [state.result for state in self.states.values() if state.result is not None]
        return dict(results[-1].made_with) if results else {}


def _reconstruction(basin: Mapping[str, Any], slab: Mapping[str, Any]) -> dict[str, float]:
    """Return how far the slab of the same basin lies from the clean one, in eV and angstrom."""
    moved = largest_displacement(from_json(basin["structure"]), from_json(slab["structure"]))
    return {
        "reconstruction_energy": basin["energy"] - slab["energy"],
        "reconstruction_displacement": moved,
    }


RECONSTRUCTED = 0.005  # eV: differences between bare slabs below this are not worth a line


def _site_notes(site: Site) -> Iterator[str]:
    where = f"{site.surface} {site.site}, {site.relaxation}"
    if site.saddle:
        yield f"{where}: the adatom rests on a saddle, pushed off it by less than fmax"
    if site.moved:
        yield f"{where}: the adatom ended at {site.ended_at}"


def _reconstruction_notes(sites: Sequence[Site]) -> Iterator[str]:
    """Yield a line for each surface on which the adatom leaves another slab behind."""
    for surface in dict.fromkeys(site.surface for site in sites):
        changes, farthest = [], 0.0
        for site in sites:
            change, moved = site.reconstruction_energy, site.reconstruction_displacement
            if site.surface == surface and change is not None and abs(change) > RECONSTRUCTED:
                changes.append(f"{site.site} {site.relaxation} {1000 * change:+.0f} meV")
                farthest = max(farthest, moved or 0.0)
        if changes:
            yield (
                f"{surface}: the adatom leaves another slab than the clean one behind: "
                f"{', '.join(changes)} from it (an atom up to {farthest:.2f} Å away); "
                "against_clean has the energies against the clean slab"
            )


def settings_in_cell(task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a slab's energy has to share with another one to be subtracted.

    k-points and grid points count by their density in the cell: k-points as 1/angstrom between
    neighbours, with 2π, and the wavefunctions' grid spacing in angstrom.
    """
    dft = dict(task.inputs["dft"])
    atoms = from_json(values["structure"])
    period_c = 2 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
    k_spacing = np.round(period_c / np.array(dft.pop("kpoints")), 4)[:2]
    spacing = np.round(atoms.cell.lengths() / grid_points(atoms, task.inputs["dft"]["cutoff"]), 4)
    return dft | {"k-point spacing": k_spacing.tolist(), "grid spacing": spacing.tolist()}


def _site_json(site: Site) -> dict[str, Any]:
    return asdict(site) | {"difference": site.difference}


def energies_csv(table: Table) -> str:
    """Return the table as CSV text: one line per surface, site and relaxation; eV and angstrom."""
    elements = sorted(
        {element for s in (*table.sites, *table.metal_sites) for element in s.nearest}
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["surface", "site", "relaxation", "adsorption_energy_eV", "published_eV", "difference_eV",
         "against_metal_eV", "reference", "against_clean_slab_eV", "against_lowest_slab_eV",
         "reconstruction_eV", "reconstruction_A", "without_dipole_eV", "total_energy_eV",
         "height_A", *(f"nearest_{e}_A" for e in elements),
         "ended_at", "site_offset_A", "quality", "problem"]
    )  # fmt: skip
    for s in (*table.sites, *table.metal_sites):
        numbers = [
            s.adsorption_energy,
            s.published,
            s.difference,
            s.against_metal,
        ]
        bare = [
            s.against_clean, s.against_lowest, s.reconstruction_energy,
            s.reconstruction_displacement, s.without_dipole, s.energy, s.height,
            *(s.nearest.get(element) for element in elements),
        ]  # fmt: skip
        writer.writerow(
            [s.surface, s.site, s.relaxation, *map(_number, numbers), s.reference,
             *map(_number, bare), s.ended_at or "", _number(s.site_offset), table.quality,
             s.problem or ""]
        )  # fmt: skip
    return out.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def write_tables(report: Report, root: Path) -> list[Path]:
    """Write results.json and energies.csv; return their paths."""
    results, energies = root / "results.json", root / "energies.csv"
    write_text(results, json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n")
    write_text(energies, energies_csv(report.table()))
    return [results, energies]
