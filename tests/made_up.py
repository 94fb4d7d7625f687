"""Made-up folders of tasks, finished or failed, with values of the right kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase import Atoms

from workflows.system.files import read_signed, write_text
from workflows.tasks.atoms_json import to_json
from workflows.tasks.folder import Failure, Result, TaskFolder
from workflows.tasks.graph import Task
from workflows.tasks.records import Kind, Origin

STRUCTURE = Atoms(
    "VNNa", [[0, 0, 4], [1, 1, 4], [1, 1, 6]], cell=[3, 3, 12], pbc=(1, 1, 0), tags=[1, 1, 0]
)
RELAXED = {
    "energy": -1.0,
    "fmax": 0.02,
    "steps": 3,
    "structure": to_json(STRUCTURE),
    "electrostatics": {"z": [0.0], "potential": [0.0], "fermi_level": 0.0},
}
PLACE = {
    "height": 2.1, "nearest": {"N": 2.5}, "image_distance": 3.0, "ended_at": "top-V",
    "site_offset": 0.01,
}  # fmt: skip
VALUES: dict[Kind, dict[str, Any]] = {
    "probe": {
        "energy": -1.0, "non_magnetic_energy": -1.0, "magnetic_moment": 0.0,
        "magnetic_moments": [0.0, 0.0, 0.0], "starts": {"ferromagnetic": -1.0},
        "structure": to_json(STRUCTURE),
    },
    "lattice": {
        "lattice_constant": 4.12, "bulk_modulus": 300.0, "energy": -1.0, "atoms": 2,
        "lattice_constants": [4.0, 4.12, 4.2], "energies": [-0.9, -1.0, -0.9], "pattern": [],
    },
    "atom": {"energy": -1.0, "magnetic_moment": 1.0},
    "slab": RELAXED | {"lattice_constant": 4.12},
    "held": RELAXED | PLACE,
    "free": RELAXED | PLACE | {"site_curvature": 0.1, "saddle": False, "pushed": 0.05},
    "basin": RELAXED | {"start": to_json(STRUCTURE)},
    "density": {
        "integral": 1e-4, "charge_moved": 0.6, "boundary": 5.0, "bader_charge": 0.7, "z": [0.0],
        "plane_average": [0.0], "structure": to_json(STRUCTURE),
    },
    "refined": {"energy": -1.0},
    "functionals": {"energy": -1.0},
    "uncorrected": {"energy": -1.0},
    "hop": {
        "energies": [-1.0, -0.8, -1.0], "distances": [0.0, 1.5, 3.0], "fmax": 0.02, "steps": 9,
        "structures": [to_json(STRUCTURE)] * 3, "length": 3.0, "minima": 4,
    },
    "coverage": RELAXED | {"adatoms": 2, "layers": 1},
    "electrons": {
        "energies": [-1.0, 0.0, 1.0], "total": [1.0, 2.0, 3.0], "radii": {"N": 0.6, "Na": 1.2},
        "projected": {"N p": [0.5, 1.5, 2.5], "adatom s": [0.1, 0.3, 0.5]},
        "origin": [1.0, 1.0], "direction": [1.0, 0.0], "along": [-1.0, 0.0, 1.0], "z": [3.0, 5.0],
        "localisation": [[0.1, 0.9, 0.1], [0.0, 0.2, 0.0]],
    },
}  # fmt: skip


def values_of(kind: Kind, **changes: Any) -> Any:
    """Return values as a task of this kind has them, with some changed, even to nonsense."""
    return VALUES[kind] | changes


def results_for(task: Task, root: Path) -> dict[str, Result]:
    """Return the results that a task needs, as far as they are there."""
    found = {}
    for name in task.needs:
        inputs = read_signed(root / name / "inputs.json")
        result = inputs and TaskFolder(root / name, inputs["inputs"]["kind"]).result()
        if result:
            found[name] = result
    return found


def begin(task: Task, root: Path) -> TaskFolder:
    """Make a task's folder ready for work, as a worker does."""
    folder = task.folder(root)
    folder.open_for(task.origin(results_for(task, root)))
    return folder


def finish(
    task: Task,
    root: Path,
    files: Mapping[str, str] | None = None,
    seconds: float = 60.0,
    **changes: Any,
) -> Result:
    """Leave in a task's folder what a finished one leaves there: files with these texts, values."""
    folder = begin(task, root)
    for name, text in (files or {}).items():
        write_text(folder / name, text)
    fingerprint = task.fingerprint(results_for(task, root))
    values, digests = values_of(task.kind, **changes), folder.digests(files or {})
    result = Result(fingerprint, values, digests, seconds, {"gpaw": "26.7"})
    folder.finish(result)
    return result


def fail(task: Task, root: Path, reason: str = "desorbed", message: str = "Na left") -> TaskFolder:
    """Leave in a task's folder what a failed one leaves there."""
    folder = begin(task, root)
    folder.fail(task.fingerprint(results_for(task, root)), Failure(reason, message, 3.0))
    return folder


def origin(**inputs: Any) -> Origin:
    """Return what an isolated atom is computed from, with some of it changed."""
    dft = {
        "mode": "pw", "cutoff": 400.0, "xc": "PBE", "smearing": 0.1, "kpoints": None, "setups": {},
        "scf": {"energy": 0.0005, "density": 1e-4, "eigenstates": 1e-6},
    }  # fmt: skip
    everything: Any = {"element": "Na", "box": 12.0, "dft": dft} | inputs
    return {
        "recipe": 2,
        "kind": "atom",
        "inputs": everything,
        "needs": {},
        "versions": {"gpaw": "26.7.0"},
    }
