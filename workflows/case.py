"""The case file: everything that changes a number, and nothing else.

A case is a TOML file. It is read by a TOML parser and checked field by field; nothing in it is ever
executed. Presets (`smoke`, `laptop`, `production`) are such files, shipped in `workflows/cases`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from ase.data import atomic_numbers
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
MAX_BYTES = 1_000_000  # a case file is a page of text; anything larger is another file


class CaseError(Exception):
    """A case file that cannot be used; the message is one line per problem, ready to print."""


def _element(symbol: str) -> str:
    if atomic_numbers.get(symbol, 0) < 1:
        near = difflib.get_close_matches(symbol.capitalize(), list(atomic_numbers)[1:], 1, 0)
        raise ValueError(f"not a chemical element; allowed: symbols such as {near[0]!r}")
    return symbol


def _matching(pattern: str, allowed: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"allowed: {allowed}")
        return text

    return AfterValidator(check)


Element = Annotated[str, AfterValidator(_element)]
Name = Annotated[
    str,
    _matching(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "up to 64 letters, digits, '.', '_' and '-', no space"
    ),
]
SetupName = Annotated[
    str, _matching("[0-9A-Za-z]{1,12}", "the name of a PAW data set, such as '5' for V")
]
Lattice = Annotated[float, Field(gt=2.0, lt=12.0)]
Layers = Annotated[int, Field(ge=2, le=40)]
Cell = Annotated[str, _matching("[1-9]x[1-9]|sqrt2", "'1x1', '2x2', ... '9x9', or 'sqrt2'")]
Vacuum = Annotated[float, Field(ge=5.0, le=50.0)]
Held = Annotated[int, Field(ge=0, le=39)]
Grid = Annotated[tuple[int, int, int], Field(strict=False)]
Tolerance = Annotated[float, Field(gt=0.0, le=0.1)]


class _Section(BaseModel):
    """A table of the case file: unknown keys and silently converted types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Crystal(_Section):
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


class Slab(_Section):
    """A (001) slab: layers, in-plane cell, vacuum on each side (angstrom), held layers, sites."""

    layers: Layers
    cell: Cell
    vacuum: Vacuum
    held_layers: Held
    sites: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _some_layer_moves(self) -> Slab:
        if self.held_layers >= self.layers:
            raise ValueError(
                f"held_layers = {self.held_layers} with layers = {self.layers}; "
                f"allowed: 0 to {self.layers - 1}, so that the surface can relax"
            )
        return self


class KPoints(_Section):
    """Gamma-centred k-point grids; the third number of a slab is 1."""

    host_bulk: Grid
    host_slab: Grid
    metal_bulk: Grid
    metal_slab: Grid

    @field_validator("*")
    @classmethod
    def _sensible(cls, grid: tuple[int, int, int], info: ValidationInfo) -> tuple[int, int, int]:
        if not all(1 <= n <= 50 for n in grid):
            raise ValueError("allowed: three whole numbers from 1 to 50")
        if str(info.field_name).endswith("slab") and grid[2] != 1:
            raise ValueError(
                "allowed: 1 as the third number, because a slab does not repeat along z"
            )
        return grid


class SCF(_Section):
    """When self-consistency is reached, in GPAW's own measures, per valence electron."""

    energy: Tolerance = 0.0005  # eV / electron
    density: Tolerance = 1e-4  # electrons / electron
    eigenstates: Tolerance = 4e-8  # eV^2 / electron
    max_iterations: Annotated[int, Field(ge=1, le=2000)] = 120


class DFT(_Section):
    """Settings of the density-functional theory; energies in eV."""

    mode: Literal["pw"] = "pw"
    cutoff: Annotated[float, Field(ge=150.0, le=2000.0)]
    xc: Literal["PBE", "RPBE", "revPBE", "LDA"] = "PBE"
    setups: dict[Element, SetupName] = {}
    smearing: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1  # Fermi-Dirac width
    dipole_correction: bool = True
    kpoints: KPoints
    scf: SCF = SCF()


class Relax(_Section):
    """When a relaxation is done (eV/angstrom), and when it is given up."""

    fmax: Annotated[float, Field(ge=0.001, le=1.0)]
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 200


class Atom(_Section):
    """The isolated adatom: side of the cubic box, angstrom."""

    box: Annotated[float, Field(ge=6.0, le=40.0)]


class Case(_Section):
    """Everything that a run computes, and with which settings."""

    name: Name
    quality: Literal["smoke", "laptop", "production"]
    description: Annotated[str, StringConstraints(max_length=500)] = ""
    host: Host
    adatom: Element
    metal: Metal
    slab: Slab
    metal_slab: Slab
    atom: Atom
    dft: DFT
    relax: Relax

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

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        _require_sites("slab.sites", self.slab.sites, self.host_sites)
        _require_sites("metal_slab.sites", self.metal_slab.sites, self.metal_sites)
        if self.host.cation == self.host.anion:
            raise ValueError(
                f"host: cation and anion are both {self.host.anion!r}; allowed: two elements"
            )
        for symbol in self.dft.setups:
            if symbol not in self.elements:
                raise ValueError(f"dft.setups.{symbol}: allowed: {', '.join(self.elements)}")
        _require_room("slab.cell", self.slab.cell, self._host_side, self.adatom)
        _require_room("metal_slab.cell", self.metal_slab.cell, self._metal_side, self.adatom)
        return self

    @property
    def _host_side(self) -> float:
        return (self.host.lattice_constant or self.host.lattice_guess) / 2**0.5

    @property
    def _metal_side(self) -> float:
        side = self.metal.lattice_constant or self.metal.lattice_guess
        return side if self.metal.structure == "bcc" else side / 2**0.5


def _require_sites(field: str, sites: Iterable[str], allowed: tuple[str, ...]) -> None:
    seen = set()
    for site in sites:
        if site not in allowed:
            raise ValueError(
                f"{field}: found {site!r}{_nearest(site, allowed)}; allowed: {', '.join(allowed)}"
            )
        if site in seen:
            raise ValueError(f"{field}: {site!r} is there twice; allowed: each site once")
        seen.add(site)


def _require_room(field: str, cell: str, side: float, adatom: str) -> None:
    """Refuse a cell in which the adatom all but touches its own periodic image."""
    closest = 2**0.5 * side if cell == "sqrt2" else side * min(int(n) for n in cell.split("x"))
    if closest < 2.5:
        raise ValueError(
            f"{field}: found {cell!r}, in which {adatom} is {closest:.2f} Å from its own image; "
            "allowed: cells with at least 2.5 Å"
        )


def _nearest(word: str, allowed: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(allowed), 1)
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
    except (OSError, ValueError):  # a name too long, a null byte
        there = False
    if not there:
        near = _nearest(name_or_path, presets())
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
    if not path.is_file():
        raise CaseError(f"{shown(path)}: not a file; allowed: a TOML file")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CaseError(f"{shown(path)}: cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise CaseError(
            f"{shown(path)}: larger than {MAX_BYTES} bytes; allowed: a TOML file of a case"
        )
    return content


def parse(content: bytes, source: str) -> Case:
    """Make a case from the bytes of a TOML file; `source` names it in errors. See `read`."""
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise CaseError(f"{source}: not text in UTF-8; allowed: a TOML file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CaseError(f"{source}: not valid TOML: {one_line(str(error))}") from None
    except ValueError as error:  # e.g. an integer of more digits than Python reads
        raise CaseError(f"{source}: not valid TOML: {one_line(str(error))}") from None
    if not data:
        raise CaseError(f"{source}: empty; allowed: a TOML file with a case")
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        lines = [f"{source}: {_explain(problem)}" for problem in error.errors()]
        raise CaseError("\n".join(lines)) from None


def _explain(problem: Any) -> str:
    """Say in one line what is wrong with a field: its name, what was found, what is allowed."""
    where = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    kind, message = problem["type"], problem["msg"]
    if kind == "extra_forbidden":
        keys = list(_keys(problem["loc"][:-1]))
        near = _nearest(str(problem["loc"][-1]), keys)
        return one_line(f"{where}: unknown key{near}; allowed: {', '.join(keys)}")
    if kind == "missing":
        return one_line(f"{where}: missing; this key must be given")
    if kind == "value_error":
        message = str(problem["ctx"]["error"])
        if not where or message.startswith(where.split(".")[0]):
            return one_line(message)
        if isinstance(problem["input"], dict):
            return one_line(f"{where}: {message}")
        return one_line(f"{where}: found {problem['input']!r}; {message}")
    allowed = message[0].lower() + message[1:]
    return one_line(f"{where}: found {_brief(problem['input'])}; allowed: {_plain(allowed)}")


def _plain(message: str) -> str:
    """Turn pydantic's 'input should be X' into 'X'."""
    for start in ("input should be a valid ", "input should be ", "input should "):
        if message.startswith(start):
            return message.removeprefix(start).replace("string", "text")
    return message.replace("string", "text")


def _keys(location: tuple[str | int, ...]) -> Iterable[str]:
    """Return the keys that the table at this place of a case file may have."""
    model: Any = Case
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return []
        model = field.annotation
    return list(getattr(model, "model_fields", {}))


def _brief(value: object) -> str:
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 60 else text[:57] + "..."


def shown(path: str | Path) -> str:
    """Return a path as text that is safe to print on one line, whatever characters it has."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def one_line(text: str) -> str:
    """Return text as one printable line."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
