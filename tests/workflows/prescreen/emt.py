"""A sweep over hosts that ASE's EMT knows: everything about a potential, without one of 900 MB."""

from pathlib import Path

from ase.calculators.emt import EMT

from tests.paths import ROOT
from workflows.prescreen.potential import Potential

NAME = "EMT (of ASE)"
HOSTS = """base = "tiny.toml"
[axes]
host = [{ cation = "Ni", anion = "C", lattice_guess = 4.0 },
        { cation = "Pd", anion = "C", lattice_guess = 4.4 }]
"""
IN_PLACE_OF = {
    'adatom = "Na"': 'adatom = "Al"',
    'setups = { V = "5" }\n': "",
    'cation = "V"': 'cation = "Pd"',
    'anion = "N"\nlattice_guess = 4.07': 'anion = "C"\nlattice_guess = 4.4',
    "lattice_guess = 4.2\nlattice_constant = 4.2": 'structure = "fcc"\nlattice_guess = 4.0',
    'sites = ["top-V"]': 'sites = ["hollow", "top-Pd"]',
}


def potential() -> Potential:
    """Return EMT as if it were a pretrained potential."""
    return Potential(NAME, EMT(), frozenset({"Ag", "Al", "Ni", "Pd", "C"}))


def write_sweep(folder: Path, hosts: str = HOSTS, **more: str) -> Path:
    """Write the sweep and its base; `more` replaces other lines of the base."""
    text = (ROOT / "tests" / "tiny.toml").read_text(encoding="utf-8")
    for old, new in {**IN_PLACE_OF, **more}.items():
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    (folder / "sweep.toml").write_text(hosts, encoding="utf-8")
    return folder / "sweep.toml"
