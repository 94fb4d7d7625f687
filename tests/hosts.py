"""Structure files of hosts, and cases with them, for tests."""

import re
from pathlib import Path

import tomli_w
from ase import Atoms
from ase.build import bulk, graphene
from ase.io import write
from ase.spacegroup import crystal

from tests.paths import TINY
from workflows.case.reading import load

RUTILE = crystal(
    ["Ti", "O"], [(0, 0, 0), (0.3053, 0.3053, 0)], spacegroup=136,
    cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
)  # fmt: skip


def layer_of_carbon() -> Atoms:
    """Return graphene as a crystal, with 12 angstrom between layers."""
    atoms = graphene(vacuum=6.0)
    atoms.pbc = True
    return atoms


CRYSTALS = {
    "Al": bulk("Al", a=4.05, cubic=True), "VN": bulk("VN", "rocksalt", a=4.07, cubic=True),
    "Mg": bulk("Mg"), "TiO2": RUTILE, "graphene": layer_of_carbon(),
}  # fmt: skip


def case_file(folder: Path, host: str, *changes: tuple[str, str]) -> Path:
    """Write the quickest case with another host, and its structure file; return its path.

    Parameters
    ----------
    folder
        Where it is written; it is made.
    host
        Lines of the table [host]; `file = "Al.cif"` and such files are written beside the case.
    changes
        What else is replaced in the text of the case.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in re.findall(r'(?:file|slab) = "(\w+)\.cif"', host):
        if name in CRYSTALS:
            write(folder / f"{name}.cif", CRYSTALS[name])
    data = load(TINY.read_bytes(), "a case")
    del data["metal_slab"], data["dft"]["kpoints"]["metal_slab"], data["dft"]["setups"]
    data["host"], data["slab"]["sites"] = load(host.encode(), "a host"), "all"
    text = tomli_w.dumps(data)
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path
