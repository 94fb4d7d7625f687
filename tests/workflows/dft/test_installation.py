"""Two builds of GPAW give the same energies: with MPI, libxc and BLAS or without.

Name the Python of a second build in SODIOPHILE_SECOND_BUILD; an environment has only one.

Measured with GPAW 26.7.0, one build without libxc, BLAS, FFTW and MPI, the other with libxc 5.2.3,
OpenBLAS, FFTW and MPICH: energies differ by 3e-10 eV (Na atom), 2e-13 eV (bcc Na), 2e-12 eV (VN)
and 1e-7 eV (VN(001)), the largest force on VN(001) by 4e-5 eV/angstrom.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from workflows.dft.installation import libraries

SECOND = os.environ.get("SODIOPHILE_SECOND_BUILD", "")
SAME_ENERGY, SAME_FORCE = 1e-6, 1e-3  # eV, eV/angstrom

ENERGIES = """
import json, sys
from pathlib import Path
from structures.bulk import isolated_atom, metal, rocksalt
from structures.slab import rocksalt_slab
from tests.paths import TINY
from workflows.case.reading import read
from workflows.dft.calculation import Calculation
from workflows.dft.installation import libraries
from workflows.dft.interface import IsolatedAtom, Periodic

dft = read(TINY).dft
systems = {
    "Na atom": (isolated_atom("Na", 6.5), IsolatedAtom()),
    "bcc Na": (metal("Na", "bcc", 4.2), Periodic((2, 2, 2))),
    "VN": (rocksalt("V", "N", 4.07), Periodic((2, 2, 2))),
    "VN(001)": (
        rocksalt_slab("V", "N", 4.07, layers=2, cell="1x1", vacuum=5.0, held_layers=1),
        Periodic((2, 2, 1), dipole_correction=True),
    ),
}
found = {}
for name, (atoms, system) in systems.items():
    log = Path(sys.argv[1]) / f"{name}.txt"
    energy, forces = Calculation(dft, system, lambda: log)(atoms)
    found[name] = [energy, abs(forces).max()]
print(json.dumps([libraries(), found]))
"""


def computed(python: str, folder: Path) -> tuple[dict[str, str], dict[str, list[float]]]:
    """Return the libraries of a build and, of each system, its energy (eV) and largest force."""
    folder.mkdir()
    done = subprocess.run(
        [python, "-c", ENERGIES, folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built_with, found = json.loads(done.stdout)
    return built_with, found


@pytest.mark.slow
def test_two_builds_give_the_same_energies(tmp_path: Path) -> None:
    built_with = ", ".join(f"{name} {how}" for name, how in libraries().items())
    if not SECOND:
        pytest.skip(f"SODIOPHILE_SECOND_BUILD names no other GPAW; this one has {built_with}")
    one, energies = computed(sys.executable, tmp_path / "one")
    other, others = computed(SECOND, tmp_path / "other")
    assert one != other, "both builds are the same"
    for system, (energy, force) in energies.items():
        assert energy == pytest.approx(others[system][0], abs=SAME_ENERGY), system
        assert force == pytest.approx(others[system][1], abs=SAME_FORCE), system
