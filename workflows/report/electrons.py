"""The electronic structure of the host with and without adatom, as rows, CSV and drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from ase import Atoms

from analysis.figures.electrons import System
from analysis.localisation import Plane
from workflows.case.schema import Case
from workflows.report.csv_text import csv_text
from workflows.report.results import Results
from workflows.report.slab_checks import work_functions_of
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import surface_label
from workflows.tasks.records import ElectronsValues, RelaxedValues

STATES, LOCALISATION = "states.csv", "localisation.csv"


@dataclass(frozen=True)
class Electrons:
    """The electronic structure of a system.

    Attributes
    ----------
    site
        Where the adatom is held; "" without one.
    atoms
        The structure, angstrom.
    values
        Densities of states (states/eV) and a cut through the localisation function.
    work_function
        Of the side of the adatom, eV; None where the vacuum is not flat.
    change
        The work function less that of the clean slab, eV.
    """

    site: str
    atoms: Atoms
    values: ElectronsValues
    work_function: float | None
    change: float | None

    def sentence(self, case: Case) -> str:
        """Return in words how the adatom changes the work function; "" where that is unknown."""
        if not self.site or self.change is None or self.work_function is None:
            return ""
        return (
            f"{case.adatom} at {self.site} changes the work function of "
            f"{surface_label(case, 'host')} by {self.change:+.2f} eV, to "
            f"{self.work_function:.2f} eV"
        )


def electronic_structures(results: Results) -> Iterator[Electrons]:
    """Yield the clean slab's electronic structure and those of the host's sites, as computed."""
    clean = results.slab("host")
    before = _work_function(clean) if clean else None
    for site in ("", *results.case.slab.sites):
        values = results.electrons("host", site)
        relaxed = results.adatom("host", site, "held") if site else clean
        if values is None or relaxed is None:
            continue
        after = _work_function(relaxed)
        change = None if None in (after, before) or not site else after - before  # type: ignore[operator]
        yield Electrons(site, from_json(relaxed["structure"]), values, after, change)


def _work_function(values: RelaxedValues) -> float | None:
    both = work_functions_of(values)
    return None if both is None else both.above.work_function


def electrons_inside(values: ElectronsValues) -> dict[str, float]:
    """Return the electrons inside a sphere, from the lowest energy shown up to the Fermi level."""
    energies = np.array(values["energies"])
    filled = energies <= 0.0
    return {
        name: float(np.trapezoid(np.array(curve)[filled], energies[filled]))
        for name, curve in values["projected"].items()
    }


class ElectronsRow(TypedDict):
    """The electronic structure of a system as in results.json; `site` is "clean" without adatom.

    `work_function` and its `change` from the clean slab's in eV, None where a vacuum is not flat.
    `electrons_inside`: by "adatom" or element of the top layer and orbital, the electrons of an
    atom inside its sphere (`radii`, angstrom) from `lowest` (eV) up to the Fermi level.
    """

    site: str
    work_function: float | None
    change: float | None
    electrons_inside: dict[str, float]
    lowest: float
    radii: dict[str, float]


def electrons_row(of: Electrons) -> ElectronsRow:
    """Return a system's electronic structure as results.json has it."""
    return {
        "site": of.site or "clean",
        "work_function": of.work_function,
        "change": of.change,
        "electrons_inside": electrons_inside(of.values),
        "lowest": of.values["energies"][0],
        "radii": of.values["radii"],
    }


def states_csv(found: Sequence[Electrons]) -> str:
    """Return the densities of states (states/eV) as CSV: one line per system and energy (eV)."""
    names = list(dict.fromkeys(name for one in found for name in one.values["projected"]))
    header = ["system", "energy_eV", "total", *(name.replace(" ", "_") for name in names)]
    return csv_text(
        header,
        (
            [one.site or "clean", energy, one.values["total"][number],
             *(one.values["projected"][n][number] if n in one.values["projected"] else None
               for n in names)]
            for one in found
            for number, energy in enumerate(one.values["energies"])
        ),
    )  # fmt: skip


def cuts_csv(found: Sequence[Electrons]) -> str:
    """Return the cuts through the localisation function as CSV: a line per system and point, Å."""
    return csv_text(
        ["system", "along_A", "z_A", "localisation"],
        (
            [one.site or "clean", along, z, value]
            for one in found
            for z, row in zip(one.values["z"], one.values["localisation"], strict=True)
            for along, value in zip(one.values["along"], row, strict=True)
        ),
    )


def system_of(one: Electrons) -> System:
    """Return what the figure shows of a system."""
    origin, direction = one.values["origin"], one.values["direction"]
    return System(
        name=one.site,
        atoms=one.atoms,
        energies=one.values["energies"],
        projected=one.values["projected"],
        plane=Plane((origin[0], origin[1]), (direction[0], direction[1])),
        along=one.values["along"],
        z=one.values["z"],
        localisation=one.values["localisation"],
        change=one.change,
    )
