"""Judge of both sides: energies and forces with one tight SCF, and the floor.

    mpiexec -n 2 gpaw python -m tests.benchmarks.check tight CASE.toml RECORD.json OUT.json
    mpiexec -n 2 gpaw python -m tests.benchmarks.check onward CASE.toml RECORD.json OUT.json
    python -m tests.benchmarks.check floor CASE.toml START.json OUT.json

`tight`: a single point at the geometry of RECORD. `onward`: plain BFGS from there, SCF tight.
`floor`: one cold SCF, without forces, with our settings.
"""

from __future__ import annotations

import json
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.jsonio import decode


def structure(record: dict[str, Any]) -> Atoms:
    """Return a record's final structure with its constraints."""
    return decode(json.dumps(record["structure"]))


def tight(case: dict[str, Any], atoms: Atoms, out: Path) -> dict[str, Any]:
    """Return energy (eV) and largest free force (eV/angstrom) with a tight SCF."""
    from tests.benchmarks import baseline

    atoms.calc = baseline.calculator(case, atoms, out.with_suffix(".txt"), tight=True)
    energy = float(atoms.get_potential_energy())
    return {"energy": energy, "fmax": float(np.linalg.norm(atoms.get_forces(), axis=1).max())}


def onward(case: dict[str, Any], atoms: Atoms, out: Path) -> dict[str, Any]:
    """Return what plain BFGS with a tight SCF finds from here."""
    from tests.benchmarks import baseline

    return baseline.relax(case, atoms, out.with_suffix(""), tight=True)


def floor(case_file: Path, atoms: Atoms, out: Path) -> dict[str, Any]:
    """Return what one cold SCF takes with our settings, on one core."""
    from workflows.case.reading import read
    from workflows.dft.calculation import Calculation
    from workflows.dft.interface import Periodic

    case = read(case_file)
    system = Periodic(case.dft.kpoints.host_slab, case.dft.dipole_correction)
    calculation = Calculation(case.dft, system, lambda: out.with_suffix(".txt"))
    wall, cpu = time.perf_counter(), time.process_time()
    calculation.converge(atoms)
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "scf_iterations": calculation.scf_iterations,
    }


def main() -> None:
    """Do what the first argument says."""
    what, case_file, record, out = sys.argv[1], *map(Path, sys.argv[2:5])
    atoms = structure(json.loads(record.read_text(encoding="utf-8")))
    if what == "floor":
        found = floor(case_file, atoms, out)
        temporary = out.with_suffix(".tmp")
        temporary.write_text(json.dumps(found), encoding="utf-8")
        temporary.replace(out)
        return
    from tests.benchmarks import baseline

    case = tomllib.loads(case_file.read_text(encoding="utf-8"))
    baseline.write(out, {"tight": tight, "onward": onward}[what](case, atoms, out))


if __name__ == "__main__":
    main()
