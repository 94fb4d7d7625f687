"""More and more adatoms on the surfaces: rows, CSV, sentences, what the figure shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from analysis import coverage
from analysis.figures.coverage import Curve
from workflows.report.csv_text import Cell, csv_text
from workflows.report.energies import cohesive_energy_of
from workflows.report.refinement import final_results
from workflows.report.results import Results
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import CoverageValues

COVERAGE = "coverage.csv"
CLUSTER = "cluster-"


class CoverageRow(TypedDict):
    """Adatoms on a surface, energies in eV: `name` of the placement or cluster, its `energy`.

    `coverage` in monolayers; `lowest` of all placements of so many adatoms. Of these alone:
    average and differential adsorption energy, mean voltage and voltage step (V). `clustering`, of
    these and of clusters, against separate adatoms in eV per atom.
    """

    surface: str
    name: str
    adatoms: int
    coverage: float
    layers: int
    energy: float
    lowest: bool
    average: float | None
    differential: float | None
    voltage: float | None
    voltage_step: float | None
    clustering: float | None


class FillingRow(TypedDict):
    """A surface as it fills up: numbers of adatoms, None where there is none; and in words."""

    surface: str
    second_layer: int | None
    plating: int | None
    preferred: coverage.Growth | None
    sentences: list[str]


@dataclass(frozen=True)
class Filling:
    """A surface with more and more adatoms.

    Attributes
    ----------
    surface
        Such as "VN(001)".
    adatom
        Element of the adatoms.
    monolayer
        Number of adatoms of a monolayer: one for each atom of an element in the top layer.
    computed
        Each placement and cluster that is finished: its name and what was found.
    found
        What they add up to.
    """

    surface: str
    adatom: str
    monolayer: int
    computed: Sequence[tuple[str, CoverageValues]]
    found: coverage.Surface

    def sentences(self) -> Iterator[str]:
        """Yield what is known in words, energies in eV."""
        several = max(self.found.energies, default=1) > 1
        if several:
            yield f"{self.surface}: {self._filling()}"
        if several or self.found.clusters:
            yield f"{self.surface}: {self._growth()}"

    def _filling(self) -> str:
        most = max(self.found.energies)
        second, plating = self.found.second_layer, self.found.plating
        layer = (
            f"a second layer of {self.adatom} starts with {second} adatoms in the cell"
            if second
            else f"with up to {most} adatoms in the cell {self.adatom} lies in one layer"
        )
        steps = [self.found.voltage_step(n) for n in self.found.energies]
        if any(step is None for step in steps):
            return f"{layer}; voltages are not known"
        if plating:
            return f"{layer}; adatom number {plating} has a lower energy in bulk {self.adatom}"
        return f"{layer}; each adatom binds more strongly than in bulk {self.adatom}"

    def _growth(self) -> str:
        found, metal = self.found, f"bulk {self.adatom}"
        known = {f"{self.adatom}{n}": found.clustering(n) for n in sorted(found.clusters)}
        dense = {n: gain for n in found.energies if (gain := found.crowding(n)) is not None}
        if lowest := min((n for n in dense if n > 1), key=lambda n: dense[n], default=None):
            known[f"{lowest / self.monolayer:.3g} ML"] = dense[lowest]
        known[metal] = found.voltage(1)
        gains = {name: gain for name, gain in known.items() if gain is not None}
        numbers = ", ".join(f"{name} {gain:+.2f}" for name, gain in gains.items())
        best = min(gains, key=lambda name: gains[name], default=metal)
        verdicts: dict[coverage.Growth | None, str] = {
            "apart": f"{self.adatom} spreads: adatoms apart have the lowest energy",
            "layer": f"{self.adatom} spreads in a layer: {best} has the lowest energy",
            "clumps": f"{self.adatom} clumps: {best} has the lowest energy",
            None: f"whether {self.adatom} spreads or clumps is not decided",
        }
        return (
            f"{verdicts[found.preferred()]} ({numbers} eV per atom, against one adatom in the cell)"
        )


def fillings(results: Results) -> Iterator[Filling]:
    """Yield each surface of which anything is computed; its energies refined where they are."""
    results = final_results(results)
    atom, cohesive = results.atom(), cohesive_energy_of(results)
    alone = atom["energy"] if atom else None
    metal = None if alone is None or cohesive is None else alone + cohesive
    for surface in surfaces(results.case):
        clean, computed = results.slab(surface), results.coverage(surface)
        if clean is None or not computed:
            continue
        slab = from_json(clean["structure"])
        top = slab.symbols[slab.get_tags() == 1]
        energies: dict[int, float] = {}
        layers: dict[int, int] = {}
        for name, values in computed:
            count = values["adatoms"]
            if name.startswith(CLUSTER) or values["energy"] > energies.get(count, float("inf")):
                continue
            energies[count], layers[count] = values["energy"], values["layers"]
        clusters = {v["adatoms"]: v["energy"] for name, v in computed if name.startswith(CLUSTER)}
        found = coverage.Surface(clean["energy"], energies, layers, clusters, alone, metal)
        label = surface_label(results.case, surface)
        monolayer = int((top == top[0]).sum())
        yield Filling(label, results.case.adatom, monolayer, computed, found)


def coverage_rows(found: Sequence[Filling]) -> list[CoverageRow]:
    """Return a row for each placement and cluster."""
    return [_row(one, name, values) for one in found for name, values in one.computed]


def _row(one: Filling, name: str, values: CoverageValues) -> CoverageRow:
    count, cluster = values["adatoms"], name.startswith(CLUSTER)
    lowest = not cluster and values["energy"] == one.found.energies[count]
    crowding = one.found.crowding(count) if lowest and count > 1 else None
    return {
        "surface": one.surface,
        "name": name,
        "adatoms": count,
        "coverage": count / one.monolayer,
        "layers": values["layers"],
        "energy": values["energy"],
        "lowest": lowest,
        "average": one.found.average(count) if lowest else None,
        "differential": one.found.differential(count) if lowest else None,
        "voltage": one.found.voltage(count) if lowest else None,
        "voltage_step": one.found.voltage_step(count) if lowest else None,
        "clustering": one.found.clustering(count) if cluster else crowding,
    }


def filling_row(one: Filling) -> FillingRow:
    """Return what a surface's rows add up to."""
    return {
        "surface": one.surface,
        "second_layer": one.found.second_layer,
        "plating": one.found.plating,
        "preferred": one.found.preferred(),
        "sentences": list(one.sentences()),
    }


def coverage_csv(found: Sequence[Filling]) -> str:
    """Return the rows as CSV text; eV, V and monolayers."""
    header = [
        "surface", "name", "adatoms", "coverage_ML", "layers", "energy_eV", "lowest", "average_eV",
        "differential_eV", "voltage_V", "voltage_step_V", "clustering_eV",
    ]  # fmt: skip
    return csv_text(header, (_cells(row) for row in coverage_rows(found)))


def _cells(row: CoverageRow) -> list[Cell]:
    return [
        row["surface"], row["name"], row["adatoms"], row["coverage"], row["layers"], row["energy"],
        "yes" if row["lowest"] else "no", row["average"], row["differential"], row["voltage"],
        row["voltage_step"], row["clustering"],
    ]  # fmt: skip


def curves(found: Iterable[Filling]) -> list[Curve]:
    """Return what the figure shows of each surface that has adsorption energies."""
    return [curve for curve in map(_curve_of, found) if curve.average]


def _curve_of(one: Filling) -> Curve:
    found = one.found
    placed = [(v["adatoms"], v["energy"]) for n, v in one.computed if not n.startswith(CLUSTER)]
    return Curve(
        surface=one.surface,
        monolayer=one.monolayer,
        placements=[
            (n, (energy - found.clean) / n - found.atom)
            for n, energy in placed
            if found.atom is not None
        ],
        average={n: e for n in found.energies if (e := found.average(n)) is not None},
        differential={n: e for n in found.energies if (e := found.differential(n)) is not None},
        voltage={n: v for n in found.energies if (v := found.voltage_step(n)) is not None},
        clustering={n: e for n in found.clusters if (e := found.clustering(n)) is not None},
    )
