"""One task with a made-up calculation in place of GPAW, real in all else: `python -m ... FOLDER`.

For tests in which only the files matter: it takes a second and always gives the same numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from analysis.charge import Density
from tests import made_up
from tests.paths import TINY
from workflows.case.reading import read
from workflows.cli import main
from workflows.dft.interface import Electrostatics
from workflows.run import worker
from workflows.steps.initial import clean_slab
from workflows.tasks.atoms_json import to_json
from workflows.tasks.graph import plan, slab_task

TASK = "VN-top-V-held"  # it writes a file of every kind: inputs, log, journal, structures, density
CASE = read(TINY)
LATTICE_CONSTANT = 4.2  # angstrom
STIFFNESS = 3.0  # eV/angstrom^2
HEIGHT = 2.9  # angstrom, of the adatom at rest above the slab


class Springs:
    """Each atom on a spring: the slab's to where they were built, the adatom to a height."""

    def __init__(self, _dft: Any, _system: Any, new_log: Callable[[], Path], progress: Any) -> None:
        self.scf_iterations, self.seconds, self.retries = 0, 0.0, list[str]()
        self._log, self._progress = new_log(), progress
        self._atoms = Atoms()

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:  # noqa: ARG002
        """Return energy (eV) and forces (eV/angstrom)."""
        atoms = self.converge(atoms)
        rest = clean_slab(slab_task(CASE, "host"), LATTICE_CONSTANT).positions
        top = rest[:, 2].max()
        rest = np.vstack([rest, [*atoms.positions[-1, :2], top + HEIGHT]])
        away = atoms.positions - rest
        return float(STIFFNESS / 2 * (away**2).sum()) - 1.0, -STIFFNESS * away

    def converge(self, atoms: Atoms, /) -> Atoms:
        """Write a log, as GPAW does, and progress."""
        self.scf_iterations += 1
        self._progress(scf=1)
        with self._log.open("a") as log:
            log.write(f"{len(atoms)} atoms\n")
        self._atoms = atoms.copy()
        return self._atoms

    def electrostatics(self) -> Electrostatics:
        """Return the potential along z."""
        return {"z": [0.0], "potential": [0.0], "fermi_level": 0.0}

    def all_electron_density(self) -> Density:
        """Return a density, electrons/angstrom^3."""
        return Density(np.ones((4, 4, 20)), np.array(self._atoms.cell))

    def magnetic_moment(self) -> float:
        """Return the moment, Bohr magnetons."""
        return 0.0


def prepare(root: Path) -> Path:
    """Make a run's directory in which all that the task needs is done; return the task's folder."""
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    tasks = plan(CASE)
    made_up.finish(tasks["VN-lattice"], root, lattice_constant=LATTICE_CONSTANT)
    slab = to_json(clean_slab(slab_task(CASE, "host"), LATTICE_CONSTANT))
    made_up.finish(tasks["VN-slab"], root, structure=slab)
    return root / TASK


def without_gpaw(patch: pytest.MonkeyPatch) -> None:
    """Let the tasks of this process be computed by springs."""
    patch.setattr(worker, "Calculation", Springs)
    patch.setattr(worker, "libraries", dict)


if __name__ == "__main__":
    without_gpaw(pytest.MonkeyPatch())
    sys.exit(main(["task", *sys.argv[1:]]))
