"""A finished run that is made up: energies that are easy to subtract, in real folders."""

import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.charge import Density
from analysis.cube import write_cube
from analysis.functionals import BEEF
from tests import made_up as made
from tests.made_up import STRUCTURE
from workflows.case.reading import find
from workflows.case.schema import Case
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results
from workflows.report.tables import RESULTS, write_tables
from workflows.tasks.atoms_json import to_json
from workflows.tasks.graph import Task, plan
from workflows.tasks.status import survey

ATOM, BULK_NA = -0.25, -1.33  # eV; cohesive energy -1.08
SLABS = {"VN": -100.0, "TiN": -120.0, "Na": -10.0, "Na110": -20.0, "K": -5.0}
ADSORPTION = {"bridge": -1.5, "hollow": -1.4, "top-V": -1.8, "top-N": -1.3, "top-Ti": -1.1}
ON_METAL = {"Na": -0.8, "Na110": -0.9, "K": -0.7}
BY_LEAVING = -0.05  # eV that a free adatom gains
LEANS, FALLS, LEANING = "hollow", -0.04, 0.2  # the slab that is left behind there, eV and angstrom
OF_THE_DIPOLE = 0.03  # eV
VARIED = {"host": 2.0, "metal": 1.0}  # eV of the first polynomial in adsorption energies
# eV that total energies change in single points
BY_REFINING = {
    "lattice": 0.02, "atom": 0.01, "slab": -0.5, "held": -0.7, "free": -0.75, "basin": -0.52,
}  # fmt: skip
PAPER = {"bridge": -1.564, "hollow": -1.457, "top-V": -1.830, "top-N": -1.358}


def case(preset: str = "laptop", host: str = "V", adatom: str = "Na") -> Case:
    data = tomllib.loads(find(preset).read_text(encoding="utf-8"))
    data["host"] |= {"cation": host}
    data["adatom"] = adatom
    data["slab"] |= {"cell": "2x2", "layers": 3, "held_layers": 1}
    data["slab"]["sites"] = ["bridge", "hollow", f"top-{host}", "top-N"]
    data["metal_slab"]["sites"] = ["hollow"]
    data.pop("metal_slab_110", None)
    data["dft"]["kpoints"].pop("metal_slab_110", None)
    data["dft"] |= {"cutoff": 400.0, "xc": "PBE", "setups": {}}
    return Case.model_validate(data | {"name": f"{preset}-{host}"})


def made_up(task: Task) -> dict[str, Any]:
    """Return values as a task would find them, with energies that are easy to subtract."""
    surface, kind, site = task.structure.partition("-")[0], task.kind, task.site
    if kind in ("refined", "functionals"):
        relaxed = made_up(replace(task, kind=task.of or kind, of=""))
        energy = relaxed["energy"] + (BY_REFINING[task.of] if kind == "refined" else 0.0)
        return {"energy": energy} | with_functionals(task, energy)
    found: dict[str, Any] = {"energy": ATOM}
    if kind == "lattice":
        energy, constant = (BULK_NA, 4.2) if surface in ON_METAL else (-18.0, 4.12)
        found = {"energy": energy, "atoms": 1, "lattice_constant": constant}
    elif kind == "slab":
        found = {"energy": SLABS[surface]}
    elif kind == "density":
        moved, bader = (0.05, -0.02) if surface in ON_METAL else (0.6, 0.7)
        found = {"integral": 1e-4, "charge_moved": moved, "bader_charge": bader, "boundary": 5.0}
    elif kind in ("basin", "uncorrected"):
        found = made_up_check(surface, kind, site)
    elif kind in ("held", "free"):
        energy = SLABS[surface] + ATOM + ON_METAL.get(surface, ADSORPTION.get(site, 0.0))
        found = {
            "energy": energy + (BY_LEAVING if kind == "free" else 0.0),
            "nearest": {"Na": 3.3} if surface in ON_METAL else {"N": 2.5, surface[:-1]: 3.0},
            "ended_at": "hollow" if (site, kind) == ("bridge", "free") else site,
            "saddle": (site, kind) == ("top-N", "free"),
        }
    return found


def with_functionals(task: Task, energy: float) -> dict[str, Any]:
    """Return energies with RPBE and BEEF-vdW, where they are asked for: adsorption is weaker."""
    if "functionals" not in task.inputs:
        return {}
    adsorbed = task.of in ("held", "free")
    on_metal = task.structure.partition("-")[0] in ON_METAL
    weaker = {"RPBE": 0.2, BEEF: 0.1}
    contributions = np.zeros(32)
    contributions[0] = (VARIED["metal"] if on_metal else VARIED["host"]) if adsorbed else 0.0
    return {
        "functionals": {"PBE": energy}
        | {name: energy + change * adsorbed for name, change in weaker.items()},
        "ensemble": contributions.tolist(),
    }


def made_up_check(surface: str, kind: str, site: str) -> dict[str, Any]:
    if kind == "uncorrected":
        adsorbed = ATOM + ADSORPTION[site] + OF_THE_DIPOLE if site else 0.0
        return {"energy": SLABS[surface] + adsorbed}
    tipped = STRUCTURE[:-1]
    falls = site == LEANS and surface not in ON_METAL
    tipped.positions[1, 2] += LEANING if falls else 0.0
    energy = SLABS[surface] + (FALLS if falls else 0.0)
    return {"energy": energy, "structure": to_json(tipped)}


def density() -> Density:
    return Density(np.arange(24.0).reshape(2, 3, 4), np.diag([3.0, 3.0, 12.0]))


def finish(
    root: Path, case: Case, without: tuple[str, ...] = (), moved: Density | None = None
) -> None:
    """Make the folders of a finished run, as far as it can be without some tasks."""
    cube = io.StringIO()
    write_cube(cube, moved or density(), STRUCTURE, "made up")
    lost = set(without)
    for task in plan(case).values():
        if task.name in lost or lost & set(task.needs):
            lost.add(task.name)
            continue
        files = {"difference.cube": cube.getvalue()} if task.kind == "density" else {}
        made.finish(task, root, files, **made_up(task))


def evaluation(root: Path, case: Case) -> Evaluation:
    """Return what a directory's results add up to."""
    return Evaluation(Results(survey(plan(case), root), case), root)


def written(root: Path, case: Case) -> dict[str, Any]:
    """Return results.json as another program reads it: no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    write_tables(evaluation(root, case), root)
    text = (root / RESULTS).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return data


def row(data: dict[str, Any], site: str, relaxation: str, where: str = "sites") -> dict[str, Any]:
    (found,) = [s for s in data[where] if (s["site"], s["relaxation"]) == (site, relaxation)]
    assert isinstance(found, dict)
    return found
