"""Results -> table and figures: again at any time, from whatever is there, in seconds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from analysis.cube import read_cube
from structures.diffraction import interplanar_spacing
from structures.sites import largest_displacement
from workflows.case import Case
from workflows.store import write_text
from workflows.structure import from_json
from workflows.tasks import State, Surface, surface_name

SCHEMA = "sodiophile-results/1"
UNITS = {
    "energy": "eV", "adsorption_energy": "eV", "against_metal": "eV", "published": "eV",
    "difference": "eV", "against_clean": "eV", "against_lowest": "eV", "without_dipole": "eV",
    "reconstruction_energy": "eV", "reconstruction_displacement": "angstrom",
    "height": "angstrom", "nearest": "angstrom", "site_offset": "angstrom",
    "lattice_constant": "angstrom", "bulk_modulus": "GPa", "cohesive_energy": "eV",
    "integral": "electrons", "charge_moved": "electrons", "boundary": "angstrom",
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
        return cohesive_energy(bulk["energy"] / bulk["atoms"], self.atom_energy)

    def table(self) -> Table:
        """Return all sites of the adatom on host and metal."""
        return Table(
            host=self.case.host.formula,
            adatom=self.case.adatom,
            sites=self._sites("host", self.case.slab.sites),
            metal_sites=self._sites("metal", self.case.metal_slab.sites),
            quality=self.case.quality,
            physical=self.case.physical,
        )

    def _sites(self, surface: Surface, sites: Iterable[str]) -> tuple[Site, ...]:
        return tuple(
            self._site(surface, site, relaxation)
            for site in sites
            for relaxation in ("held", "free")
        )

    def _site(self, surface: Surface, site: str, relaxation: str) -> Site:
        state = self.states[self.name(surface, f"{site}-{relaxation}")]
        published = self._published(surface, site)
        name = f"{surface_name(self.case, surface)}(001)"
        if state.result is None:
            why = state.status + (f": {state.note}" if state.note else "")
            return Site(name, site, relaxation, published=published, problem=why)
        values = state.result.values
        against = self._adsorption_energies(surface, state)
        energy = against.get("adsorption_energy")
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
            problem=None if energy is not None else "the isolated atom's energy is missing",
        )

    def _adsorption_energies(self, surface: Surface, state: State) -> dict[str, Any]:
        """Return a site's energies against each of the bare slabs that are known, eV."""
        slab = self.values(self.name(surface, "slab"))
        if slab is None or self.atom_energy is None or state.result is None:
            return {}
        clean = self.states[self.name(surface, "slab")].task
        require_same_settings({t.name: dict(t.inputs["dft"]) for t in (clean, state.task)})
        basin = self.values(f"{state.task.name}-basin")
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
        names = (f"{state.task.name}-uncorrected", self.name(surface, "slab-uncorrected"))
        both = [self.values(name) for name in names]
        if both[0] is None or both[1] is None or self.atom_energy is None:
            return {}
        energy = adsorption_energy(both[0]["energy"], both[1]["energy"], self.atom_energy)
        return {"without_dipole": energy}

    def _published(self, surface: Surface, site: str) -> float | None:
        if surface == "host":
            return paper.published_energy(self.case.host.formula, self.case.adatom, site)
        return paper.BARE_NA if self.case.adatom == "Na" else None

    def density(self, site: str, root: Path) -> tuple[Density | None, Atoms | None]:
        """Return a site's density difference (e/angstrom^3) and structure, as far as there."""
        name = self.name("host", f"{site}-density")
        values = self.values(name)
        if values is not None:
            with (root / name / "difference.cube").open(encoding="utf-8") as file:
                density, _ = read_cube(file)
            return density, from_json(values["structure"])
        held = self.values(self.name("host", f"{site}-held"))
        return None, None if held is None else from_json(held["structure"])

    def caption(self) -> str:
        """Return the small print of the figures: what was computed, and with which settings."""
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
            + ". Published values: Nanoscale Horiz., 2022, 7, 899; "
            "their settings are not known to us."
        )

    def notes(self) -> list[str]:
        """Return what a reader of the table must know about its numbers, a line each."""
        table = self.table()
        lines = [line for s in (*table.sites, *table.metal_sites) for line in _site_notes(s)]
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
            "lattices": {s: self._lattice(s) for s in ("host", "metal")},
            "references": {
                "atom_energy": self.atom_energy,
                "cohesive_energy": self.cohesive,
                "clean_slabs": {
                    s: (self.values(self.name(s, "slab")) or {}).get("energy")
                    for s in ("host", "metal")
                },
            },
            "sites": [_site_json(site) for site in table.sites],
            "metal_sites": [_site_json(site) for site in table.metal_sites],
            "density_differences": {
                site: self.density_summary(site) for site in self.case.slab.sites
            },
            "binds_more_strongly_than_metal": table.binds_more_strongly,
            "verdict": table.verdict(),
            "notes": self.notes(),
            "agreement_with_paper": table.ranking_agreement(),
            "made_with": self._made_with(),
            "seconds": sum(state.seconds or 0.0 for state in self.states.values()),
        }

    def _lattice(self, surface: Surface) -> dict[str, Any]:
        crystal = self.case.host if surface == "host" else self.case.metal
        found = self.values(self.name(surface, "lattice"))
        constant = found["lattice_constant"] if found else crystal.lattice_constant
        given = "given in the case" if constant else "missing"
        source = "equation of state" if found else given
        return {
            "name": surface_name(self.case, surface),
            "lattice_constant": constant,
            "source": source,
            "bulk_modulus": found["bulk_modulus"] if found else None,
            "pattern": found.get("pattern") if found else None,
            "d_200": interplanar_spacing(constant, (2, 0, 0)) if constant else None,
            "d_111": interplanar_spacing(constant, (1, 1, 1)) if constant else None,
        }

    def density_summary(self, site: str) -> dict[str, Any] | None:
        """Return a site's integral and charge moved (electrons) and boundary (angstrom)."""
        name = self.name("host", f"{site}-density")
        values = self.values(name)
        if values is None:
            return None
        keys = ("integral", "charge_moved", "boundary")
        return {key: values[key] for key in keys} | {"cube": f"{name}/difference.cube"}

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
    change = site.reconstruction_energy
    if change is not None and abs(change) > RECONSTRUCTED:
        yield (
            f"{where}: the slab that the adatom leaves behind relaxes to {change * 1000:+.0f} meV "
            f"from the clean one (an atom {site.reconstruction_displacement:.2f} Å away); "
            f"against the clean slab {site.against_clean:.3f} eV"
        )
    if site.saddle:
        yield f"{where}: the adatom rests on a saddle, pushed off it by less than fmax"
    if site.moved:
        yield f"{where}: the adatom ended at {site.ended_at}"


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
