"""The baseline: Na on the sites of a rock-salt (001) slab, as one writes it by hand.

After the ASE and GPAW tutorials: bulk-cut slab, plain BFGS, a fresh calculator for each system,
GPAW's default eigensolver, mixer and convergence, one system after the other. It imports nothing of
sodiophile; the settings are those of a case file, so that both compute the same.

    python tests/benchmarks/baseline.py CASE.toml DIR [SYSTEM ...]
    mpiexec -n 2 gpaw python tests/benchmarks/baseline.py CASE.toml DIR [SYSTEM ...]

Systems are `clean` and the case's sites. Each leaves DIR/SYSTEM.json; one that is there is skipped.
"""

from __future__ import annotations

import json
import math
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import fcc100, make_supercell
from ase.constraints import FixAtoms, FixedLine
from ase.data import atomic_numbers, covalent_radii
from ase.geometry import find_mic
from ase.io.jsonio import encode
from ase.optimize import BFGS
from ase.units import Bohr, Hartree
from gpaw import GPAW
from gpaw.fftw import get_efficient_fft_size
from gpaw.mpi import world

CLEAN = "clean"
TIGHT = {"energy": 1e-6, "density": 1e-6, "eigenstates": 1e-9}


def slab(case: dict[str, Any]) -> Atoms:
    """Return the slab as cut from the bulk, its bottom layers held."""
    host, cut = case["host"], case["slab"]
    a, layers = host["lattice_constant"], cut["layers"]
    # Rock salt is two fcc lattices, half a cell diagonal apart.
    size = (1, 1, layers)
    cations, anions = (fcc100(host[ion], size, a=a) for ion in ("cation", "anion"))
    anions.translate((*anions.cell.lengths()[:2] / 2, 0))
    atoms = cations + anions
    if cut["cell"] == "sqrt2":
        atoms = make_supercell(atoms, [[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
        atoms.rotate(atoms.cell[0], "x", rotate_cell=True)
    else:
        nx, ny = map(int, cut["cell"].split("x"))
        atoms = atoms.repeat((nx, ny, 1))
    atoms.center(vacuum=cut["vacuum"], axis=2)
    atoms.pbc = (True, True, False)
    atoms.wrap()
    atoms.set_constraint(FixAtoms(mask=atoms.get_tags() > layers - cut["held_layers"]))
    return atoms


def add_adatom(atoms: Atoms, symbol: str, site: str) -> Atoms:
    """Return the slab with an adatom where it touches the surface; it may move up and down."""
    top = atoms[atoms.get_tags() == 1]
    first = top[0].position
    distances = top.get_distances(0, range(len(top)), mic=True, vector=True)
    bond = min((v for v in distances[1:]), key=np.linalg.norm)
    other = np.array([-bond[1], bond[0], 0])
    if site.startswith("top-"):
        place = top[top.symbols == site.removeprefix("top-")][0].position
    else:
        place = first + {"bridge": bond / 2, "hollow": (bond + other) / 2}[site]
    # It comes down until it touches an atom: their distance is the sum of covalent radii.
    flat = atoms.positions - place
    flat[:, 2] = 0
    lateral = find_mic(flat, atoms.cell, atoms.pbc)[1]
    contact = covalent_radii[atoms.numbers] + covalent_radii[atomic_numbers[symbol]]
    below = lateral < contact
    z = (atoms.positions[below, 2] + np.sqrt(contact[below] ** 2 - lateral[below] ** 2)).max()
    both = atoms.copy()
    both += Atoms(symbol, [(place[0], place[1], z)])
    both.set_constraint([*atoms.constraints, FixedLine(len(atoms), (0, 0, 1))])
    return both


def calculator(case: dict[str, Any], atoms: Atoms, log: Path | None, *, tight: bool = False) -> Any:
    """Return a calculator with the case's settings and GPAW's defaults for all else."""
    dft = case["dft"]
    more: dict[str, Any] = {"convergence": TIGHT} if tight else {}
    if case["adatom"] not in atoms.get_chemical_symbols():
        # A flat slab has a mirror plane that held layers break: GPAW would give up.
        more["symmetry"] = {"point_group": False}
    # The grid is that of GPAW's rule without symmetry: the same with and without adatom.
    spacing = math.pi / math.sqrt(4 * dft["cutoff"] / Hartree) * Bohr
    points = [
        get_efficient_fft_size(math.ceil(length / spacing)) for length in atoms.cell.lengths()
    ]
    return GPAW(
        mode={"name": "pw", "ecut": dft["cutoff"]},
        xc=dft.get("xc", "PBE"),
        kpts={"size": dft["kpoints"]["host_slab"], "gamma": True},
        gpts=points,
        setups=dft.get("setups", {}),
        occupations={"name": "fermi-dirac", "width": dft.get("smearing", 0.1)},
        poissonsolver={"dipolelayer": "xy"},
        txt=str(log) if log else None,
        **more,
    )


def relax(case: dict[str, Any], atoms: Atoms, stem: Path, *, tight: bool = False) -> dict[str, Any]:
    """Relax with plain BFGS; return what was found and what it took (of all ranks, seconds)."""
    wall, cpu, iterations = time.perf_counter(), time.process_time(), 0

    def count(_: Any) -> None:
        nonlocal iterations
        iterations += 1

    atoms.calc = calculator(case, atoms, stem.with_suffix(".txt"), tight=tight)
    atoms.calc.hooks["scf_step"] = count
    optimizer = BFGS(atoms, logfile=str(stem.with_suffix(".log")))
    converged = optimizer.run(fmax=case["relax"]["fmax"], steps=case["relax"]["max_steps"])
    bare = atoms.copy()
    return {
        "system": stem.name,
        "converged": bool(converged),
        "wall": time.perf_counter() - wall,
        "cpu": world.sum_scalar(time.process_time() - cpu),
        "ranks": world.size,
        "steps": optimizer.nsteps + 1,
        "scf_iterations": iterations,
        "energy": float(atoms.get_potential_energy()),
        "fmax": float(np.linalg.norm(atoms.get_forces(), axis=1).max()),
        "structure": json.loads(encode(bare)),
    }


def write(path: Path, record: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    if world.rank == 0:
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(record), encoding="utf-8")
        temporary.replace(path)


def main() -> None:
    """Relax the systems that are asked for and not done."""
    case = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    into = Path(sys.argv[2])
    into.mkdir(parents=True, exist_ok=True)
    for system in sys.argv[3:] or [CLEAN, *case["slab"]["sites"]]:
        if (into / f"{system}.json").exists():
            continue
        atoms = slab(case)
        if system != CLEAN:
            atoms = add_adatom(atoms, case["adatom"], system)
        record = relax(case, atoms, into / system)
        write(into / f"{system}.json", record)


if __name__ == "__main__":
    main()
