"""The structure in a user's CIF, POSCAR or extended XYZ file: parsed, and nothing else.

CIF and POSCAR are parsed by pymatgen, extended XYZ by ASE. Nothing in a file is executed, and no
other file is opened on its behalf. What comes back has elements, positions and a cell, no more.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any, Literal

from ase import Atoms

FORMATS = "CIF (.cif), POSCAR (.vasp, .poscar) or extended XYZ (.extxyz, .xyz)"
MAX_BYTES = 1_000_000
MAX_IMAGES = 50_000  # atoms of a CIF times its symmetry operations: the parser tries them all

Format = Literal["cif", "poscar", "extxyz"]


def file_format(name: str) -> Format:
    """Return the format that a file's name stands for.

    Parameters
    ----------
    name
        Name of the file, such as 'Mg.cif', 'POSCAR' or 'slab.extxyz'.

    Returns
    -------
    str
        'cif', 'poscar' or 'extxyz'.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    word = name.lower()
    if word.endswith(".cif"):
        return "cif"
    if word.endswith((".vasp", ".poscar")) or re.match("(poscar|contcar)", word):
        return "poscar"
    if word.endswith((".extxyz", ".xyz")):
        return "extxyz"
    raise ValueError(f"a file of another format; allowed: {FORMATS}")


def parse_structure(content: bytes, name: str) -> Atoms:
    """Read the structure in a file: of one frame, without disorder, no atoms on each other.

    Parameters
    ----------
    content
        The file's bytes.
    name
        Its name, which gives the format.

    Returns
    -------
    Atoms
        Elements, positions (angstrom), cell and periodicity alone.

    Raises
    ------
    ValueError
        In one line: what was found, and what is allowed.
    """
    format_ = file_format(name)
    if len(content) > MAX_BYTES:
        raise ValueError(f"found more than {MAX_BYTES} bytes; allowed: a smaller file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"not text in UTF-8; allowed: {FORMATS}") from None
    if not text.strip():
        raise ValueError(f"empty; allowed: {FORMATS}")
    parse = {"cif": _from_cif, "poscar": _from_poscar, "extxyz": _from_extxyz}[format_]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers mend rounded coordinates with a remark
            atoms = parse(text)
    except _NotAllowed:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"no {format_} that can be read ({why}); allowed: {FORMATS}") from None
    from structures.crystals import check_atoms  # takes scipy, and `status` needs none

    check_atoms(atoms)
    return atoms


class _NotAllowed(ValueError):
    """A file that can be read, with what must not be in it."""


def _from_cif(text: str) -> Atoms:
    from pymatgen.io.cif import CifFile, CifParser

    blocks = [b.data for b in CifFile.from_str(text).data.values()]
    blocks = [b for b in blocks if "_atom_site_fract_x" in b or "_atom_site_Cartn_x" in b]
    if len(blocks) != 1:
        raise _NotAllowed(f"found {len(blocks)} structures with atoms; allowed: a CIF with one")
    (block,) = blocks
    sites = block.get("_atom_site_fract_x", block.get("_atom_site_Cartn_x"))
    keys = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
    operations = max(
        [192 if "_cell_length_a" in block else 1, *(len(block.get(k, ())) for k in keys)]
    )
    from structures.crystals import MAX_ATOMS

    if len(sites) > MAX_ATOMS or len(sites) * operations > 4 * MAX_IMAGES:
        raise _NotAllowed(f"found {len(sites)} atoms; allowed: up to {MAX_ATOMS}")
    _refuse_partial(block)
    (structure,) = CifParser(io.StringIO(text), occupancy_tolerance=1.0).parse_structures(
        primitive=False, symmetrized=False, check_occu=True
    )
    if not structure.is_ordered:
        raise _NotAllowed("found atoms that share a place; allowed: one atom at each, occupancy 1")
    return _plain(structure)


def _refuse_partial(block: Any) -> None:
    """Refuse occupancies other than 1, however they are written: 0.5, 0.5(1) or '?'."""
    labels = block.get("_atom_site_label", block.get("_atom_site_type_symbol", ()))
    for label, found in zip(labels, block.get("_atom_site_occupancy", ()), strict=False):
        number = str(found).split("(")[0]
        if number in (".", "?"):
            continue  # not given: full
        if abs(float(number) - 1.0) > 1e-3:
            raise _NotAllowed(f"found {label} with occupancy {found}; allowed: an occupancy of 1")


def _from_poscar(text: str) -> Atoms:
    from pymatgen.io.vasp import Poscar

    poscar = Poscar.from_str(text, read_velocities=False)
    if poscar.true_names is False:
        raise _NotAllowed("found no element symbols; allowed: a POSCAR of VASP 5, which has them")
    return _plain(poscar.structure)


def _from_extxyz(text: str) -> Atoms:
    from ase.io.extxyz import read_xyz

    frames = list(read_xyz(io.StringIO(text), index=slice(None)))
    if len(frames) != 1:
        raise _NotAllowed(f"found {len(frames)} structures; allowed: a file with one")
    (atoms,) = frames
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def _plain(structure: Any) -> Atoms:
    """Return a structure of pymatgen's as Atoms."""
    numbers = [int(site.specie.Z) for site in structure]
    lattice_cv = structure.lattice.matrix
    return Atoms(numbers, cell=lattice_cv, scaled_positions=structure.frac_coords, pbc=True)
