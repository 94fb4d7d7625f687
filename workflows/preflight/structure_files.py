"""The structures of a case without any DFT: to look at before hours are spent on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workflows.steps.atoms_files import structure_files
from workflows.steps.initial import Structures
from workflows.system.files import keep
from workflows.system.messages import UserError, shown


def build(built: Structures, into: Path) -> Iterator[str]:
    """Write structures as CIF and extxyz into a directory; yield a line for each.

    A file of the same name with other contents is set aside as NAME.before-1.

    Parameters
    ----------
    built
        The structures.
    into
        The directory; it is made if there is none.

    Raises
    ------
    UserError
        `into` is not a directory.
    """
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    into.mkdir(parents=True, exist_ok=True)
    for stem, atoms, remark in built.values():
        for suffix, content in structure_files(atoms).items():
            keep(into / f"{stem}.{suffix}", content)
        cell = " x ".join(f"{length:.2f}" for length in atoms.cell.lengths()) + " Å"
        angle = float(atoms.cell.angles()[2])
        if not atoms.pbc[2] and abs(angle - 90.0) > 0.05:  # an oblique slab
            cell += f" at {angle:.1f}°"
        yield f"{shown(into / stem)}.cif, .extxyz: {len(atoms)} atoms, cell {cell}{remark}"
