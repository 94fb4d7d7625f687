"""Hosts other than rock salt: crystals and slabs from structure files, and elements.

A structure file is read once, with the case (structure_files.py). From then on the case itself has
the crystal, in the table `[host.crystal]`, and no file is looked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, reference_states
from pydantic import BeforeValidator, Field, model_validator

from structures.supercell import side_lengths, surface_cell
from workflows.case.fields import Element, Lattice, Section, matching
from workflows.system.messages import brief, nearest

if TYPE_CHECKING:
    from structures.terminations import Termination

SOURCES = ("file", "slab", "element")
MILLER = "three whole numbers from -6 to 6, not all zero, such as [1, 1, 1]"
STRUCTURES = "'bcc', 'fcc', 'hcp' or 'diamond'"
DECIMALS = 10  # of lengths (Å) and of scaled positions in [host.crystal]
VACUUM = 10.0  # angstrom beside slabs whose vacuum does not matter
VACUUM_IN_CRYSTAL = 6.0  # angstrom: a gap that wide between layers is vacuum, not a bond


FileName = Annotated[
    str,
    matching(
        "[A-Za-z0-9][A-Za-z0-9._+() -]{0,99}",
        "the name of a file in the folder of the case, up to 100 letters, digits, '.', '_', '-'",
    ),
]


TerminationName = Annotated[
    str, matching("[A-Za-z0-9-]{1,100}", "a termination that `sodiophile build` lists")
]


Vector = Annotated[tuple[float, float, float], Field(strict=False)]


Miller = Annotated[tuple[int, int, int], Field(strict=False)]


class CrystalData(Section):
    """The crystal or slab of the host; written by the program from the host's structure file."""

    source: FileName | None = None
    """Name of the file that it was read from."""
    cell: Annotated[tuple[Vector, ...], Field(strict=False, min_length=3, max_length=3)]
    """Cell vectors as rows, Å."""
    symbols: Annotated[tuple[Element, ...], Field(strict=False, min_length=1, max_length=500)]
    """Element of each atom."""
    positions: Annotated[tuple[Vector, ...], Field(strict=False, min_length=1, max_length=500)]
    """Place of each atom, in units of the cell vectors."""

    @model_validator(mode="after")
    def _sound(self) -> CrystalData:
        from structures.crystals import check_atoms

        if len(self.symbols) != len(self.positions):
            raise ValueError(
                f"positions: found {len(self.positions)} for {len(self.symbols)} symbols; "
                "allowed: one for each"
            )
        try:
            check_atoms(self.atoms)
        except ValueError as error:
            raise ValueError(f"positions: {error}") from None
        return self

    @property
    def atoms(self) -> Atoms:
        """Return the structure, periodic in three dimensions."""
        return Atoms(self.symbols, cell=self.cell, scaled_positions=self.positions, pbc=True)


def crystal_data(atoms: Atoms, source: str | None) -> dict[str, Any]:
    """Return a crystal as the table [host.crystal] has it.

    Parameters
    ----------
    atoms
        The crystal (angstrom).
    source
        Name of its file; None for an element.
    """
    table = {
        "cell": np.round(atoms.cell, DECIMALS).tolist(),
        "symbols": list(atoms.symbols),
        "positions": np.round(atoms.get_scaled_positions(wrap=False), DECIMALS).tolist(),
    }
    return {"source": source, **table} if source else table


def _relax_cell(value: object) -> object:
    if not (isinstance(value, bool) or value == "in-plane"):
        raise ValueError("allowed: true, false or 'in-plane'")
    return value


class CrystalHost(Section):
    """Instead of a rock salt: a crystal from a file, or an element, or a slab from a file.

    One of `file`, `element` and `slab` is given. [Any face of a crystal](faces.md) has more.
    """

    file: FileName | None = None
    """Structure file of a crystal, beside the case file: CIF, POSCAR or extended XYZ."""
    slab: FileName | None = None
    """Structure file of a slab, which is taken as it is."""
    element: Element | None = None
    """An element, in one of the structures below."""
    structure: Literal["bcc", "fcc", "hcp", "diamond"] | None = None
    """Crystal structure of the element; that of its ground state if left out."""
    lattice_guess: Lattice | None = None
    """Lattice constant of the element to start from, Å; a tabulated one if left out."""
    miller: Miller | None = None
    """Miller indices of the face, of the conventional cell; not for a slab."""
    termination: TerminationName | None = None
    """Name of the termination, where the face has several."""
    relax_cell: Annotated[Literal["in-plane"] | bool, BeforeValidator(_relax_cell)] = True
    """Whether the lattice is computed; `"in-plane"`: but for the third cell vector (layers)."""
    crystal: CrystalData
    """Table `[host.crystal]`, which is written by the program."""

    @model_validator(mode="before")
    @classmethod
    def _with_crystal(cls, data: object) -> object:
        if not isinstance(data, dict) or "crystal" in data:
            return data
        if "element" in data and data.keys().isdisjoint(("file", "slab")):
            return {**data, "crystal": crystal_data(_elemental(data), None)}
        for key in ("file", "slab"):
            if key in data:
                raise ValueError(
                    f"{key}: found {brief(data[key])}, which is not read here; allowed: a case "
                    "file beside it, or the table [host.crystal]"
                )
        return data

    @model_validator(mode="after")
    def _consistent(self) -> CrystalHost:
        if problems := list(self._contradictions()):
            raise ValueError("\n".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        given = [key for key in SOURCES if getattr(self, key) is not None]
        if len(given) != 1:
            yield f"{given[-1]}: found with {given[0]}; allowed: one of {', '.join(SOURCES)}"
            return
        source = self.file or self.slab
        if self.crystal.source != source:
            yield (
                f"{given[0]}: found {source!r} with [host.crystal] of {self.crystal.source!r}; "
                "allowed: without [host.crystal], to have the file read again"
            )
        for key in ("structure", "lattice_guess"):
            if self.element is None and getattr(self, key) is not None:
                yield f"{key}: found with {given[0]}; allowed: with element"
        if self.slab is not None:
            for key in ("miller", "termination", "relax_cell"):
                if key in self.model_fields_set:
                    yield f"{key}: found with slab; allowed: with file or element"
        elif self.miller is None:
            yield f"miller: missing; allowed: {MILLER}"
        else:
            yield from self._wrong_face(self.miller)
            yield from self._wrong_cell()

    def _wrong_face(self, miller: tuple[int, int, int]) -> Iterator[str]:
        from structures.terminations import check_miller, choose_termination

        try:
            check_miller(miller)
        except ValueError:
            yield f"miller: found {list(miller)}; allowed: {MILLER}"
            return
        try:
            found = _terminations(self.crystal, miller)
        except ValueError as error:
            yield f"miller: found {list(miller)}; {error}"
            return
        try:
            choose_termination(found, self.termination)
        except ValueError as error:
            near = nearest(self.termination or "", [t.name for t in found])
            was = f"found {self.termination!r}{near}" if self.termination else "missing"
            yield f"termination: {was}; {error}"

    def _wrong_cell(self) -> Iterator[str]:
        from structures.crystals import empty_space

        gap = empty_space(self.crystal.atoms)
        if self.relax_cell is True and gap > VACUUM_IN_CRYSTAL:
            yield (
                f"relax_cell: found true with {gap:.1f} Å of empty space along the third cell "
                "vector, whose length means nothing; allowed: 'in-plane' or false"
            )
        upright = abs(np.array(self.crystal.atoms.cell.angles()[:2]) - 90.0).max() < 1e-3
        if self.relax_cell == "in-plane" and not upright:
            yield (
                "relax_cell: found 'in-plane' with a third cell vector that is not normal to the "
                "others; allowed: true or false"
            )

    @property
    def formula(self) -> str:
        """Return the reduced formula, metals first, such as TiO2."""
        formula, _ = Atoms(self.crystal.symbols).symbols.formula.reduce()
        return str(formula.format("metal"))

    @property
    def elements(self) -> tuple[str, ...]:
        """Return the elements, each once."""
        return tuple(dict.fromkeys(self.crystal.symbols))

    @property
    def anion(self) -> str:
        """Return the most electronegative element of a compound; "" for an element."""
        from structures.terminations import most_electronegative

        return most_electronegative(self.elements) if len(self.elements) > 1 else ""

    @property
    def face(self) -> str:
        """Return the Miller indices without spaces, such as '1-10'; "" for a slab from a file."""
        return "" if self.miller is None else "".join(map(str, self.miller))

    @property
    def chosen_termination(self) -> Termination | None:
        """Return the termination, whether or not it is given by name; None for a slab."""
        from structures.terminations import choose_termination

        if self.miller is None:
            return None
        return choose_termination(_terminations(self.crystal, self.miller), self.termination)

    @property
    def termination_name(self) -> str | None:
        """Return the name of the termination; None for a slab."""
        chosen = self.chosen_termination
        return None if chosen is None else chosen.name

    @property
    def primitive(self) -> Atoms:
        """Return the primitive cell of the crystal as read."""
        from structures.crystals import primitive_cell

        return primitive_cell(self.crystal.atoms)

    @property
    def is_cubic(self) -> bool:
        """Return whether its energy depends on the lattice constant alone, by symmetry."""
        from structures.crystals import is_fixed_by_symmetry

        return self.relax_cell is True and is_fixed_by_symmetry(self.crystal.atoms)

    @property
    def has_lattice_task(self) -> bool:
        """Return whether its lattice is computed."""
        return self.slab is None and self.relax_cell is not False

    @property
    def lattice_of_file(self) -> float:
        """Return the length of the first cell vector, as read, Å."""
        return float(self.crystal.atoms.cell.lengths()[0])


def _elemental(data: Mapping[str, Any]) -> Atoms:
    """Return the conventional cell of an element."""
    from ase.build import bulk

    from structures.crystals import crystal_of

    symbol = data["element"]
    number = atomic_numbers.get(symbol, 0) if isinstance(symbol, str) else 0
    if number < 1:
        raise ValueError(
            f"element: found {brief(symbol)}, not a chemical element; allowed: a symbol, "
            "such as 'Ag'"
        )
    known = reference_states[number] or {}
    structure = data.get("structure") or known.get("symmetry")
    if structure not in ("bcc", "fcc", "hcp", "diamond"):
        raise ValueError(
            f"structure: {'missing' if 'structure' not in data else 'found ' + brief(structure)}; "
            f"allowed: {STRUCTURES} (others with file)"
        )
    same = structure == known.get("symmetry")
    a = data.get("lattice_guess", known.get("a") if same else None)
    if not (isinstance(a, int | float) and not isinstance(a, bool) and 2.0 < a < 12.0):
        was = "missing" if a is None else f"found {brief(a)}"
        raise ValueError(f"lattice_guess: {was}; allowed: a number above 2, below 12")
    if structure == "hcp":
        ratio = known.get("c/a") if same else None
        return crystal_of(bulk(symbol, "hcp", a=a, c=a * (ratio or np.sqrt(8 / 3))))
    return crystal_of(bulk(symbol, structure, a=a, cubic=True))


@functools.lru_cache(maxsize=64)
def ideal_slab(host: CrystalHost, layers: int, cell: str, vacuum: float, held_layers: int) -> Atoms:
    """Return the slab cut from a host's crystal as read, or the slab as read; not to be changed.

    Parameters
    ----------
    host
        The host.
    layers, cell, vacuum, held_layers
        As in the case.

    Raises
    ------
    ValueError
        There is no such slab.
    """
    from structures.terminations import slab_as_given, slab_of_crystal

    matrix = surface_cell(cell)
    if host.miller is None:
        return slab_as_given(
            host.crystal.atoms, cell=matrix, vacuum=vacuum, held_layers=held_layers
        )
    return slab_of_crystal(
        host.crystal.atoms,
        host.miller,
        host.termination,
        layers=layers,
        cell=matrix,
        vacuum=vacuum,
        held_layers=held_layers,
    )


@functools.lru_cache(maxsize=64)
def sites_of(host: CrystalHost, layers: int, cell: str) -> tuple[str, ...]:
    """Return the names of the sites of a host's ideal slab; see `ideal_slab`."""
    from structures.symmetry_sites import find_sites

    return tuple(site.name for site in find_sites(ideal_slab(host, layers, cell, VACUUM, 0)))


def times_wider(host: object, cell: str) -> tuple[float, float]:
    """Return how many times longer a supercell's vectors are than those of a host's own cell."""
    if not isinstance(host, CrystalHost):  # a square
        a, b = side_lengths(cell)
    else:
        own_cv = np.asarray(ideal_slab(host, 1, "1x1", VACUUM, 0).cell[:2, :2])
        a, b = side_lengths(cell, own_cv) / side_lengths("1x1", own_cv)
    return float(a), float(b)


def layers_of(host: CrystalHost) -> int:
    """Return the number of layers of a slab from a file."""
    return int(ideal_slab(host, 1, "1x1", VACUUM, 0).get_tags().max())


def host_kind(data: object) -> str:
    """Return which of the two kinds of host a table is of, for pydantic."""
    if isinstance(data, CrystalHost):
        return CRYSTAL
    if isinstance(data, Mapping) and not {*SOURCES, "crystal"}.isdisjoint(data):
        return CRYSTAL
    return ROCKSALT


# Tags of the two kinds. Not to be taken for a field of the file: messages leave them out
ROCKSALT, CRYSTAL = "<rocksalt>", "<crystal>"


@functools.lru_cache(maxsize=64)
def _terminations(crystal: CrystalData, miller: tuple[int, int, int]) -> tuple[Termination, ...]:
    from structures.terminations import find_terminations, stack_layers

    return find_terminations(stack_layers(crystal.atoms, miller))
