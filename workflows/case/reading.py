"""Reading case files: every mistake is one line with field, what was found, what is allowed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import tomli_w
from ase import Atoms
from pydantic import BaseModel, TypeAdapter, ValidationError

from workflows.case.hosts import CRYSTAL, ROCKSALT, FileName, crystal_data
from workflows.case.schema import Case
from workflows.case.shorthand import GRID
from workflows.case.structure_files import FORMATS, parse_structure
from workflows.case.structure_files import MAX_BYTES as MAX_STRUCTURE_BYTES
from workflows.system.messages import UserError, brief, key, naming, nearest, one_line, shown

PRESETS = Path(__file__).parent / "presets"


MAX_BYTES = 100_000  # a case file is a page of text; anything larger is another file


MAX_DOTS = 500  # in a line: the parser's memory grows with the square of a dotted key's parts


MAX_LINES = 20  # of problems told at once


Model = TypeVar("Model", bound=BaseModel)


def presets() -> tuple[str, ...]:
    """Return the names of the cases that come with the program."""
    order = {"smoke": 0, "laptop": 1, "production": 2}
    return tuple(sorted((p.stem for p in PRESETS.glob("*.toml")), key=lambda n: order.get(n, 3)))


def find(name_or_path: str) -> Path:
    """Return the path of a preset or of a case file.

    Parameters
    ----------
    name_or_path
        Name of a preset, or a path.

    Raises
    ------
    UserError
        There is no such preset or file.
    """
    path = PRESETS / f"{name_or_path}.toml" if name_or_path in presets() else Path(name_or_path)
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name too long, a null byte: reading it says what is wrong
        there = True
    if not there:
        near = nearest(name_or_path, presets())
        raise UserError(
            f"{shown(name_or_path)}: no such file or preset{near}; "
            f"allowed: {', '.join(presets())} or the path of a TOML file"
        )
    return path


def read(path: Path) -> Case:
    """Read a case file.

    Raises
    ------
    UserError
        With one line per problem: file, field, what was found, what is allowed.
    """
    return parse(contents(path), shown(path))


def contents(path: Path) -> bytes:
    """Return the bytes of a case file, with the structure of its host's file; see `read`."""
    content = read_file(path, MAX_BYTES, "a TOML file of a case")
    with naming(shown(path)):
        return with_structure(content, path.parent)


def with_structure(content: bytes, folder: Path) -> bytes:
    """Return the bytes of a case file with the table [host.crystal], where its host has a file.

    What is wrong with the rest of the file is left to `parse`.

    Parameters
    ----------
    content
        The bytes.
    folder
        Where the structure file lies.

    Raises
    ------
    UserError
        In one line: the structure file is not there, or cannot be used.
    """
    try:
        data = load(content, "")
    except UserError:
        return content
    host = data.get("host")
    if not isinstance(host, dict) or "crystal" in host:
        return content
    field = next((key for key in ("file", "slab") if isinstance(host.get(key), str)), None)
    if field is None:
        return content
    with naming(f"host.{field}"):
        table = crystal_data(_structure(host[field], folder, slab=field == "slab"), host[field])
    whole = {**data, "host": {**host, "crystal": table}}
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
    added = content.rstrip() + f"\n\n[host.crystal]\n{lines}".encode()
    try:
        if tomllib.loads(added.decode("utf-8-sig")) == whole:
            return added  # with the comments of the file
    except tomllib.TOMLDecodeError:
        pass  # host = {...}, to which no table can be added
    return tomli_w.dumps(whole).encode()


def _toml(value: Any) -> str:
    """Return a text, or a list of texts or of vectors, as TOML: a vector a line."""
    if isinstance(value, list) and isinstance(value[0], list):
        return "".join(["[\n", *(f"    {json.dumps(row)},\n" for row in value), "]"])
    return json.dumps(value)


def _structure(name: str, folder: Path, *, slab: bool) -> Atoms:
    """Return the crystal or slab in a structure file that lies in a folder."""
    from structures.crystals import crystal_of

    try:
        TypeAdapter(FileName).validate_python(name)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"found {brief(name)}; {why}") from None
    path = folder / name
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UserError(f"found {name!r}, not a regular file; allowed: {FORMATS}")
    if not path.exists():
        raise UserError(f"found {name!r}, no such file beside the case; allowed: {FORMATS}")
    with naming(f"found {name!r}"):
        content = read_file(path, MAX_STRUCTURE_BYTES, FORMATS)
        try:
            atoms = parse_structure(content, name)
            if not slab:
                return crystal_of(atoms)
            if not atoms.pbc[:2].all() or atoms.cell.rank < 3:
                raise ValueError(
                    "found no cell that repeats in x and y; allowed: a slab with its cell"
                )
        except ValueError as error:
            raise UserError(str(error)) from None
    return atoms


def read_file(path: Path, most: int, allowed: str) -> bytes:
    """Return the bytes of a user's file.

    Parameters
    ----------
    path
        The file.
    most
        Largest size, bytes.
    allowed
        What an error message asks for.

    Raises
    ------
    UserError
        There is no such file, it cannot be read, or it is larger.
    """
    try:
        if not path.is_file():
            what = "not a file" if path.exists() else "no such file"
            raise UserError(f"{shown(path)}: {what}; allowed: {allowed}")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{shown(path)}: cannot be read ({one_line(why)})") from None
    if len(content) > most:
        raise UserError(f"{shown(path)}: larger than {most} bytes; allowed: {allowed}")
    return content


def parse(content: bytes, source: str) -> Case:
    """Make a case from the bytes of a TOML file; see `read` for errors.

    Parameters
    ----------
    content
        The bytes.
    source
        What messages name as the origin of the case.
    """
    return checked(Case, content, source)


def checked(model: type[Model], content: bytes, source: str) -> Model:
    """Make a case, a profile or a sweep from the bytes of a TOML file; see `read` for errors.

    Parameters
    ----------
    model
        Type of what is made.
    content
        The bytes.
    source
        What messages name as its origin.
    """
    with naming(source):
        data = load(content, f"a TOML file with a {model.__name__.lower()}")
        try:
            return model.model_validate(data)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        told = dict.fromkeys(line for p in problems[:MAX_LINES] for line in _explain(model, p))
        more = [f"and {left} more problems"] if (left := len(problems) - MAX_LINES) > 0 else []
        raise UserError("\n".join([*told, *more]))


def load(content: bytes, allowed: str) -> dict[str, Any]:
    """Return the data of a TOML file.

    Parameters
    ----------
    content
        The bytes of the file.
    allowed
        What the message about an empty file asks for.

    Raises
    ------
    UserError
        It is no text, no TOML, empty, or takes the parser too long.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("not text in UTF-8; allowed: a TOML file") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:
            raise UserError(f"line {number}: found more than {MAX_DOTS} dots; allowed: a TOML file")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"not valid TOML: {one_line(str(error)[:200])}") from None
    except RecursionError:
        raise UserError("not valid TOML: nested too deeply; allowed: tables in tables") from None
    except ValueError:
        raise UserError("not valid TOML: a number has too many digits") from None
    if not data:
        raise UserError(f"empty; allowed: {allowed}")
    return data


def _explain(model: type[BaseModel], problem: Any) -> list[str]:
    """Say what is wrong with a field: its name, what was found, what is allowed."""
    kind, found = problem["type"], problem["input"]
    chosen = [part for part in problem["loc"] if part in (ROCKSALT, CRYSTAL)]
    location = tuple(part for part in problem["loc"] if part not in chosen)
    where = ".".join(map(key, location))
    if kind == "extra_forbidden":
        keys = list(_keys(model, location[:-1], problem["loc"]))
        near = nearest(str(location[-1]), keys)
        return [f"{where}: unknown key{near}; allowed: {', '.join(keys)}"]
    if kind in ("missing", "too_long") and isinstance(
        found, list
    ):  # only grids have a fixed length
        field = ".".join(key(part) for part in location if not isinstance(part, int))
        return [f"{field}: found {brief(found)}; allowed: {GRID}"]
    if kind == "missing":
        return [f"{where}: missing; this key must be given"]
    if kind == "too_short" and found:
        return []  # its entries are wrong, and each has a line of its own
    if kind == "value_error":
        return _explain_ours(location, found, str(problem["ctx"]["error"]))
    return [one_line(f"{where}: found {brief(found)}; allowed: {_allowed(kind, problem['msg'])}")]


def _explain_ours(location: tuple[str | int, ...], found: object, message: str) -> list[str]:
    """Say what one of this module's own checks has found."""
    if location and location[-1] == "[key]":
        location = location[:-1]
    where = ".".join(map(key, location))
    if isinstance(found, dict):  # of a table: each line starts with the field in it
        return [one_line(f"{where}.{line}" if where else line) for line in message.split("\n")]
    return [one_line(f"{where}: found {brief(found)}; {message}")]


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


def _keys(model: Any, location: tuple[str | int, ...], whole: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the table at this place of a file may have.

    `whole` is the place with the tag of the kind of host.
    """
    for part in location:  # a table of tables has keys of the user's own
        model = get_args(model)[1] if get_args(model) else model.model_fields[part].annotation
        models = list(_models(model))
        if models:  # a table that may be left out, or of one kind or another
            model = models[-1 if CRYSTAL in whole else 0]
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not dict:
        for part in get_args(annotation):
            yield from _models(part)
