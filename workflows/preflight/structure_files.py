"""The structures of a case without any DFT: to look at before hours are spent on them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from workflows.steps.atoms_files import write_structure
from workflows.steps.initial import Structures
from workflows.system.files import set_aside
from workflows.system.messages import UserError, shown


def build(built: Structures, into: Path) -> Iterator[str]:
    """Write structures as CIF and extxyz into a directory; yield a line for each.

    A file of the same name with other contents is set aside as NAME.before-1.

    Raises
    ------
    UserError
        `into` is not a directory.
    """
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=into) as workshop:
        for stem, atoms, remark in built.values():
            for name in write_structure(Path(workshop), stem, atoms):
                _deliver(Path(workshop) / name, into / name)
            sides = " x ".join(f"{length:.2f}" for length in atoms.cell.lengths())
            yield f"{shown(into / stem)}.cif, .extxyz: {len(atoms)} atoms, cell {sides} Å{remark}"


def _deliver(made: Path, target: Path) -> None:
    if target.exists() and not (target.is_file() and target.read_bytes() == made.read_bytes()):
        set_aside(target, "before")
    made.replace(target)
