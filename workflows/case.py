"""The case file: everything that changes a number, and nothing else.

A case is a TOML file. It is read by a TOML parser and checked field by field; nothing in it is ever
executed. Presets (`smoke`, `laptop`, `production`) are such files, shipped in `workflows/cases`.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args

from ase.data import atomic_names, atomic_numbers, chemical_symbols
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

PRESETS = Path(__file__).parent / "cases"
CASE = "case.toml"  # the copy of the case file in a run's directory
MAX_BYTES = 100_000  # a case file is a page of text; anything larger is another file
MAX_DOTS = 500  # in a line: the parser's memory grows with the square of a dotted key's parts
MAX_LINES = 20  # of problems told at once
WIDEST = 60  # characters of a value or a key that are repeated in a message


class CaseError(Exception):
    """A case file that cannot be used; the message is one line per problem, ready to print."""


def _element(symbol: str) -> str:
    if atomic_numbers.get(symbol, 0) < 1:
        word = symbol[:WIDEST].capitalize()
        if word in atomic_names[1:]:
            word = chemical_symbols[atomic_names.index(word)]
        near = nearest(word, chemical_symbols[1:])
        raise ValueError(f"not a chemical element{near}; allowed: a symbol, such as 'Na'")
    return symbol


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a check that the whole of a text matches; `allowed` says so in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"allowed: {allowed}")
        return text

    return AfterValidator(check)


Element = Annotated[str, AfterValidator(_element)]
Name = Annotated[
    str,
    matching(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "up to 64 letters, digits, '.', '_' and '-', no space"
    ),
]
SetupName = Annotated[
    str, matching("[0-9A-Za-z]{1,12}", "the name of a PAW data set, such as '5' for V")
]
Lattice = Annotated[float, Field(gt=2.0, lt=12.0)]
Layers = Annotated[int, Field(ge=2, le=40)]
Cell = Annotated[str, matching("[1-9]x[1-9]|sqrt2", "'1x1', '2x2', ... '9x9', or 'sqrt2'")]
Vacuum = Annotated[float, Field(ge=5.0, le=50.0)]
Held = Annotated[int, Field(ge=0, le=39)]
Grid = Annotated[tuple[int, int, int], Field(strict=False)]
GRID = "three whole numbers from 1 to 50"
Tolerance = Annotated[float, Field(gt=0.0, le=0.1)]
Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A table of a file: unknown keys and silently converted types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Crystal(Section):
    """Where a lattice constant comes from: given, or computed about a guess (angstrom)."""

    lattice_guess: Lattice
    lattice_constant: Lattice | None = None


class Host(Crystal):
    """The compound whose (001) surface is asked about."""

    cation: Element
    anion: Element
    structure: Literal["rocksalt"] = "rocksalt"

    @property
    def formula(self) -> str:
        """Return the formula, such as VN."""
        return self.cation + self.anion


class Metal(Crystal):
    """The adatom's own metal, for the comparison 'Na on Na'."""

    structure: Literal["bcc", "fcc"] = "bcc"


class Slab(Section):
    """A slab: layers, in-plane cell, vacuum on each side (angstrom), held layers, sites."""

    layers: Layers
    cell: Cell
    vacuum: Vacuum
    held_layers: Held
    sites: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _no_more_held_than_there_are(self) -> Slab:
        if self.held_layers > self.layers:
            raise ValueError(
                f"held_layers: found {self.held_layers} with layers = {self.layers}; "
                f"allowed: 0 to {self.layers}, where all of them make a rigid slab"
            )
        return self


class KPoints(Section):
    """Gamma-centred k-point grids; the third number of a slab is 1."""

    host_bulk: Grid
    host_slab: Grid
    metal_bulk: Grid
    metal_slab: Grid
    metal_slab_110: Grid | None = None

    @field_validator("*")
    @classmethod
    def _sensible(
        cls, grid: tuple[int, int, int] | None, info: ValidationInfo
    ) -> tuple[int, int, int] | None:
        if grid is None:
            return grid
        if not all(1 <= n <= 50 for n in grid):
            raise ValueError(f"allowed: {GRID}")
        if "slab" in str(info.field_name) and grid[2] != 1:
            raise ValueError(
                "allowed: 1 as the third number, because a slab does not repeat along z"
            )
        return grid


class SCF(Section):
    """When self-consistency is reached, in GPAW's own measures, per valence electron."""

    energy: Tolerance = 0.0005  # eV / electron
    density: Tolerance = 1e-4  # electrons / electron
    eigenstates: Tolerance = 1e-6  # eV^2 / electron; docs/performance.md has its error
    max_iterations: Annotated[int, Field(ge=1, le=2000)] = 120


class DFT(Section):
    """Settings of the density-functional theory; energies in eV."""

    mode: Literal["pw"] = "pw"
    cutoff: Annotated[float, Field(ge=150.0, le=2000.0)]
    xc: Literal["PBE", "RPBE", "revPBE", "LDA"] = "PBE"
    setups: dict[Element, SetupName] = {}
    smearing: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1  # Fermi-Dirac width
    dipole_correction: bool = True
    kpoints: KPoints
    scf: SCF = SCF()


class Relax(Section):
    """When a relaxation is done (eV/angstrom), and when it is given up."""

    fmax: Annotated[float, Field(ge=0.001, le=1.0)]
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 200


class Atom(Section):
    """The isolated adatom: side of the cubic box, angstrom."""

    box: Annotated[float, Field(ge=6.0, le=40.0)]


class Checks(Section):
    """Further calculations that show how far an adsorption energy can be trusted."""

    same_basin: bool = True  # the slab relaxed again without the adatom, from where it left it
    without_dipole: bool = True  # energies without the dipole correction


class Case(Section):
    """Everything that a run computes, and with which settings."""

    name: Name
    quality: Literal["smoke", "laptop", "production"]
    description: Annotated[str, StringConstraints(max_length=500)] = ""
    host: Host
    adatom: Element
    metal: Metal
    slab: Slab
    metal_slab: Slab
    metal_slab_110: Slab | None = None  # the close-packed face of a bcc metal, for comparison
    atom: Atom
    dft: DFT
    relax: Relax
    checks: Checks = Checks()

    @property
    def physical(self) -> bool:
        """Tell whether the numbers mean anything; smoke settings only show that the chain works."""
        return self.quality != "smoke"

    @property
    def elements(self) -> list[str]:
        """Return the chemical elements of host and adatom."""
        return sorted({self.host.cation, self.host.anion, self.adatom})

    @property
    def host_sites(self) -> tuple[str, ...]:
        """Return the sites that the host's (001) surface has."""
        return ("bridge", "hollow", f"top-{self.host.cation}", f"top-{self.host.anion}")

    @property
    def metal_sites(self) -> tuple[str, ...]:
        """Return the sites that the metal's (001) surface has."""
        return ("bridge", "hollow", f"top-{self.adatom}")

    @property
    def metal_110_sites(self) -> tuple[str, ...]:
        """Return the sites that the (110) surface of a bcc metal has."""
        return ("hollow", "long-bridge", "short-bridge", f"top-{self.adatom}")

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        if problems := list(self._contradictions()):
            raise ValueError("\n".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        """Yield a line for each pair of settings that do not go together."""
        if self.host.cation == self.host.anion:
            yield f"host.anion: found {self.host.anion!r}, as cation; allowed: two elements"
        else:
            yield from _wrong_sites("slab.sites", self.slab.sites, self.host_sites)
        yield from _wrong_sites("metal_slab.sites", self.metal_slab.sites, self.metal_sites)
        for symbol in self.dft.setups:
            if symbol not in self.elements:
                yield f"dft.setups.{symbol}: unknown key; allowed: {', '.join(self.elements)}"
        yield from _no_room("slab.cell", self.slab.cell, self._host_side, self.adatom)
        yield from _no_room("metal_slab.cell", self.metal_slab.cell, self._metal_side, self.adatom)
        yield from self._contradictions_110()

    def _contradictions_110(self) -> Iterator[str]:
        slab, grid = self.metal_slab_110, self.dft.kpoints.metal_slab_110
        if slab is None:
            if grid is not None:
                yield "dft.kpoints.metal_slab_110: found a grid; allowed: with [metal_slab_110]"
            return
        if grid is None:
            yield f"dft.kpoints.metal_slab_110: missing; allowed with [metal_slab_110]: {GRID}"
        if self.metal.structure != "bcc":
            yield (
                f"metal_slab_110: found with metal.structure = {self.metal.structure!r}; "
                "allowed: with 'bcc', whose close-packed face it is"
            )
        if slab.cell == "sqrt2":
            yield (
                "metal_slab_110.cell: found 'sqrt2'; allowed: '1x1', '2x1', ... of the rectangle "
                "a x a√2"
            )
        else:
            yield from _no_room("metal_slab_110.cell", slab.cell, self._metal_side, self.adatom)
        yield from _wrong_sites("metal_slab_110.sites", slab.sites, self.metal_110_sites)

    @property
    def _host_side(self) -> float:
        return (self.host.lattice_constant or self.host.lattice_guess) / 2**0.5

    @property
    def _metal_side(self) -> float:
        side = self.metal.lattice_constant or self.metal.lattice_guess
        return side if self.metal.structure == "bcc" else side / 2**0.5


def _wrong_sites(field: str, sites: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[str]:
    for site in dict.fromkeys(sites):
        if site not in allowed:
            near = nearest(site, allowed)
            yield f"{field}: found {_brief(site)}{near}; allowed: {', '.join(allowed)}"
        elif sites.count(site) > 1:
            yield f"{field}: found {site!r} {sites.count(site)} times; allowed: each site once"


def _no_room(field: str, cell: str, side: float, adatom: str) -> Iterator[str]:
    """Refuse a cell in which the adatom all but touches its own periodic image."""
    closest = 2**0.5 * side if cell == "sqrt2" else side * min(int(n) for n in cell.split("x"))
    if closest < 2.5:
        yield (
            f"{field}: found {cell!r}, in which {adatom} is {closest:.2f} Å from its own image; "
            "allowed: cells with at least 2.5 Å"
        )


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return " (did you mean 'X'?)", or nothing where no allowed word is near."""
    near = difflib.get_close_matches(word[:WIDEST], list(allowed), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def presets() -> tuple[str, ...]:
    """Return the names of the cases that come with the program."""
    order = {"smoke": 0, "laptop": 1, "production": 2}
    return tuple(sorted((p.stem for p in PRESETS.glob("*.toml")), key=lambda n: order.get(n, 3)))


def find(name_or_path: str) -> Path:
    """Return the path of a preset or of a case file.

    Raises
    ------
    CaseError
        There is no such preset or file.
    """
    path = PRESETS / f"{name_or_path}.toml" if name_or_path in presets() else Path(name_or_path)
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name too long, a null byte: reading it says what is wrong
        there = True
    if not there:
        near = nearest(name_or_path, presets())
        raise CaseError(
            f"{shown(name_or_path)}: no such file or preset{near}; "
            f"allowed: {', '.join(presets())} or the path of a TOML file"
        )
    return path


def read(path: Path) -> Case:
    """Read a case file.

    Raises
    ------
    CaseError
        With one line per problem: file, field, what was found, what is allowed.
    """
    return parse(contents(path), shown(path))


def contents(path: Path) -> bytes:
    """Return the bytes of a case file; see `read`."""
    return read_file(path, MAX_BYTES, "a TOML file of a case")


def read_file(path: Path, most: int, allowed: str) -> bytes:
    """Return the bytes of a user's file, at most so many; `allowed` is what an error asks for."""
    try:
        if not path.is_file():
            what = "not a file" if path.exists() else "no such file"
            raise CaseError(f"{shown(path)}: {what}; allowed: {allowed}")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        why = getattr(error, "strerror", None) or str(error)
        raise CaseError(f"{shown(path)}: cannot be read ({one_line(why)})") from None
    if len(content) > most:
        raise CaseError(f"{shown(path)}: larger than {most} bytes; allowed: {allowed}")
    return content


def parse(content: bytes, source: str) -> Case:
    """Make a case from the bytes of a TOML file; `source` names it in errors. See `read`."""
    return checked(Case, content, source)


def checked(model: type[Model], content: bytes, source: str) -> Model:
    """Make a model (a case, a profile) from the bytes of a TOML file; see `read` for errors."""
    with naming(source):
        data = load(content, f"a TOML file with a {model.__name__.lower()}")
        try:
            return model.model_validate(data)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        told = dict.fromkeys(line for p in problems[:MAX_LINES] for line in _explain(model, p))
        more = [f"and {left} more problems"] if (left := len(problems) - MAX_LINES) > 0 else []
        raise CaseError("\n".join([*told, *more]))


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put the name of a file before each line of a CaseError."""
    try:
        yield
    except CaseError as error:
        lines = str(error).split("\n")
        start = f"{source}: " if source else ""
        raise CaseError("\n".join(f"{start}{line}" for line in lines)) from None


def load(content: bytes, allowed: str) -> dict[str, Any]:
    """Return the data of a TOML file; `allowed` is what an error about an empty one asks for."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaseError("not text in UTF-8; allowed: a TOML file") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:
            raise CaseError(f"line {number}: found more than {MAX_DOTS} dots; allowed: a TOML file")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"not valid TOML: {one_line(str(error)[:200])}") from None
    except RecursionError:
        raise CaseError("not valid TOML: nested too deeply; allowed: tables in tables") from None
    except ValueError:
        raise CaseError("not valid TOML: a number has too many digits") from None
    if not data:
        raise CaseError(f"empty; allowed: {allowed}")
    return data


def _explain(model: type[BaseModel], problem: Any) -> list[str]:
    """Say what is wrong with a field: its name, what was found, what is allowed."""
    kind, location, found = problem["type"], problem["loc"], problem["input"]
    where = ".".join(map(_key, location))
    if kind == "extra_forbidden":
        keys = list(_keys(model, location[:-1]))
        near = nearest(str(location[-1]), keys)
        return [f"{where}: unknown key{near}; allowed: {', '.join(keys)}"]
    if kind in ("missing", "too_long") and isinstance(
        found, list
    ):  # only grids have a fixed length
        field = ".".join(_key(part) for part in location if not isinstance(part, int))
        return [f"{field}: found {_brief(found)}; allowed: {GRID}"]
    if kind == "missing":
        return [f"{where}: missing; this key must be given"]
    if kind == "too_short" and found:
        return []  # its entries are wrong, and each has a line of its own
    if kind == "value_error":
        return _explain_ours(location, found, str(problem["ctx"]["error"]))
    return [one_line(f"{where}: found {_brief(found)}; allowed: {_allowed(kind, problem['msg'])}")]


def _explain_ours(location: tuple[str | int, ...], found: object, message: str) -> list[str]:
    """Say what one of this module's own checks has found."""
    if location and location[-1] == "[key]":
        location = location[:-1]
    where = ".".join(map(_key, location))
    if isinstance(found, dict):  # of a table: each line starts with the field in it
        return [one_line(f"{where}.{line}" if where else line) for line in message.split("\n")]
    return [one_line(f"{where}: found {_brief(found)}; {message}")]


_ALLOWED = {
    "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "string_type": "text in quotes", "bool_type": "true or false", "model_type": "a table",
    "dict_type": "a table", "tuple_type": "a list", "too_short": "a list of at least one",
}  # fmt: skip


_SHORTER = {
    "Input should be ": "", "String should have ": "", "greater than or equal to": "at least",
    "less than or equal to": "at most", "greater than": "above", "less than": "below",
}  # fmt: skip


def _allowed(kind: str, message: str) -> str:
    """Say what a field may be, from the kind and the message of pydantic's error."""
    for long, short in _SHORTER.items():
        message = message.replace(long, short)
    return _ALLOWED.get(kind, message)


def _keys(model: Any, location: tuple[str | int, ...]) -> Iterable[str]:
    """Return the keys that the table at this place of a file may have."""
    for part in location:  # a table of tables has keys of the user's own
        model = get_args(model)[1] if get_args(model) else model.model_fields[part].annotation
        if isinstance(model, UnionType):  # a table that may be left out
            model = get_args(model)[0]
    return list(model.model_fields)


def _brief(value: object) -> str:
    """Return a value as a case file would have it, cut to fit into a line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, datetime.date | datetime.time):
        return str(value)
    try:
        text = repr(value)
    except (
        ValueError,
        RecursionError,
    ):  # an integer of more digits than Python prints, or deep lists
        return "a value too long to show"
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def _key(part: str | int) -> str:
    """Return a key of a TOML file as it is written there: in quotes where it needs them."""
    text = str(part)
    return text if re.fullmatch("[A-Za-z0-9_-]{1,60}", text) else _brief(text)


def shown(path: str | Path) -> str:
    """Return a path as text that is safe to print on one line, whatever characters it has."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def one_line(text: str) -> str:
    """Return text as one printable line."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
