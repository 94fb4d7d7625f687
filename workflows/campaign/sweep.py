"""Several cases from a few lines: a sweep file has a base case and axes of values.

    base = "laptop"                     # a preset, or a path from the folder of the sweep file

    [axes]
    "slab.cell" = ["sqrt2", "2x2"]      # a field of a case, and what it is to be
    host = [{ cation = "V", anion = "N", lattice_guess = 4.13 }]
    adatom = ["Na", { adatom = "Li", "metal.lattice_guess" = 3.44 }]   # or tables of several fields

Each value replaces what the base case has there. docs/campaigns.md has more.
"""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, Field

from workflows.campaign.campaign import Campaign, Goal, Member, alone
from workflows.campaign.directory import require_names
from workflows.case.fields import Section
from workflows.case.reading import (
    MAX_BYTES,
    MAX_LINES,
    checked,
    contents,
    find,
    load,
    parse,
    presets,
    read_file,
    with_structure,
)
from workflows.case.schema import Case
from workflows.system.files import digest
from workflows.system.messages import UserError, naming, nearest, shown

MOST = 10_000  # cases


LONGEST = 64  # characters of a case's name


LABEL = "name"  # key of a table of several fields that is no field: what its cases are called


class Sweep(Section):
    """A base case and what to vary in it."""

    base: str
    # "all": every combination of the axes; "one-by-one": the base, and it with one value changed
    combine: Literal["all", "one-by-one"] = "all"
    goal: Goal = "everything"
    axes: Annotated[dict[str, Any], Field(min_length=1)]


def gather(arguments: Sequence[str]) -> Campaign:
    """Return the campaign of presets, case files and sweep files.

    Parameters
    ----------
    arguments
        Names of presets, and paths of case files and sweep files.

    Raises
    ------
    UserError
        With one line per problem: file, field, what was found, what is allowed.
    """
    members: list[Member] = []
    goals: list[Goal] = []
    alone_ = len(arguments) == 1
    for name_or_path in arguments:
        path = find(name_or_path)
        content = contents(path)
        with naming(shown(path)):
            is_sweep = not load(content, "a TOML file of a case").keys().isdisjoint(SWEEP_KEYS)
        if is_sweep:
            alone_ = False
            goal, made = expand(content, path)
            goals.append(goal)
            members += made
        else:
            goals.append("everything")
            members.append(Member(parse(content, shown(path)), content))
    if alone_:
        return alone(members[0].case, members[0].content)
    with naming(shown(arguments[-1]) if len(arguments) == 1 else "cases"):
        require_names(members)
        if len(set(goals)) > 1:
            raise UserError("goal: found two; allowed: the same in all sweeps, no single cases")
    return Campaign(tuple(members), True, goals[0])


SWEEP_KEYS = frozenset({"base", "axes"})


def expand(content: bytes, path: Path) -> tuple[Goal, list[Member]]:
    """Return the cases of a sweep file, and what is wanted of them; see `gather` for errors."""
    sweep = checked(Sweep, content, shown(path))
    source = shown(path)
    base_path = find(sweep.base) if sweep.base in presets() else path.parent / sweep.base
    allowed = f"{', '.join(presets())} or the path of a TOML file{nearest(sweep.base, presets())}"
    with naming(f"{source}: base"):
        base_content = read_file(base_path, MAX_BYTES, allowed)
        base_content = with_structure(base_content, base_path.parent)
    base = parse(base_content, shown(base_path))
    data = load(base_content, "a case")
    with naming(source):
        axes = {axis: _choices(axis, values) for axis, values in _flat(sweep.axes)}
        count = _count(sweep.combine, axes)
        if count > MOST:
            raise UserError(f"axes: found {count} cases; allowed: at most {MOST}")
        combinations = _combinations(sweep.combine, axes)
        return sweep.goal, _members(data, base.name, combinations, path.parent)


class Choice(BaseModel):
    """One value of an axis: a label for names and tables, and the fields that it sets."""

    label: str
    fields: dict[str, Any]


def _flat(table: Mapping[str, Any], stem: str = "") -> Iterator[tuple[str, Any]]:
    """Yield axes by their dotted names, whether or not the file has quotes around them."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{stem}{key}.")
        else:
            yield f"{stem}{key}", value


def _choices(axis: str, values: object) -> list[Choice]:
    if not isinstance(values, list) or not values:
        raise UserError(f"axes.{shown(axis)}: allowed: a list of at least one value")
    return list(_told_apart(_choice(axis, value) for value in values))


def _choice(axis: str, value: object) -> Choice:
    kind = kind_of(axis)
    if kind is None or (isinstance(value, dict) and not _is_table(kind)):
        return _several(axis, value)
    return Choice(label=label(axis, value), fields={axis: value})


def _several(axis: str, value: object) -> Choice:
    if not isinstance(value, dict):
        near = nearest(axis, all_fields(Case))
        raise UserError(
            f"axes.{shown(axis)}: unknown field{near}; "
            "allowed: a field of a case, or a list of tables of fields"
        )
    fields = {key: v for key, v in value.items() if key != LABEL}
    for key in fields:
        if kind_of(key) is None:
            near = nearest(key, all_fields(Case))
            raise UserError(
                f"axes.{shown(axis)}: {shown(key)}: unknown field{near}; allowed: fields of a case"
            )
    if not fields:
        raise UserError(f"axes.{shown(axis)}: found a table without fields; allowed: one or more")
    first = next(iter(fields.items()))
    return Choice(label=_safe(str(value.get(LABEL, ""))) or label(*first), fields=fields)


def _told_apart(choices: Iterable[Choice]) -> Iterator[Choice]:
    """Add a number to labels that occur more than once."""
    seen: dict[str, int] = {}
    for choice in choices:
        seen[choice.label] = number = seen.get(choice.label, 0) + 1
        again = f"{choice.label}-{number}" if number > 1 else choice.label
        yield choice.model_copy(update={"label": again})


def label(field: str, value: object) -> str:
    """Return a short, path-safe word for a value of a field, such as 'sqrt2' or 'cutoff350'.

    Parameters
    ----------
    field
        Dotted name of a field of a case.
    value
        Its value.
    """
    tail = field.rpartition(".")[2]
    match value:
        case bool():
            word = f"{tail}-{'on' if value else 'off'}"
        case str():
            word = value
        case int() | float():
            word = f"{tail}{value:g}"
        case list():
            word = tail + "x".join(map(_in_a_row, value))
        case {"cation": cation, "anion": anion}:
            word = f"{cation}{anion}"
        case {"orbital": str(orbital), "U": int(value_U) | float(value_U)}:
            word = f"{tail}-{orbital}-U{value_U:g}"
        case {"miller": list(miller), **rest} if field == "host":
            whole = str(rest.get("element", rest.get("file", tail)))
            word = f"{Path(whole).stem}{''.join(map(str, miller))}"
        case {"slab": str(file)} if field == "host":
            word = Path(file).stem
        case {"element": str(element), "substitute": substitute}:
            word = f"{substitute}-for-{element}"
        case {"element": str(element)} if field != "host":
            word = f"{element}-vacancy"
        case dict():
            words = (label(k, v) if isinstance(v, dict) else f"{k}{v}" for k, v in value.items())
            word = "".join(words) or f"{tail}-default"
        case _:
            word = tail
    return _safe(word) or tail


def _in_a_row(value: object) -> str:
    return "_".join(map(str, value)) if isinstance(value, list) else str(value)


def _safe(text: str) -> str:
    return re.sub("[^A-Za-z0-9._-]+", "-", text).strip("-.")[:LONGEST]


def kind_of(dotted: str) -> Any:
    """Return the type of a case's field; None if there is none, or none that can be varied.

    Parameters
    ----------
    dotted
        Dotted name of the field, such as "slab.layers".
    """
    kind: Any = Case
    for part in dotted.split("."):
        if get_origin(kind) is dict:  # a table with keys of the user's own, such as dft.setups
            kind = get_args(kind)[1]
            continue
        of = next((model for model in _models(kind) if part in model.model_fields), None)
        if of is None:
            return None
        kind = _present(of.model_fields[part].annotation)
    return None if dotted == "name" else kind


def _models(kind: Any) -> list[type[BaseModel]]:
    """Return the tables that a value may be: several where there are kinds of host."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in _models(part)]


def _present(kind: Any) -> Any:
    """Return the type of an optional field's value where it has one."""
    kinds = [of for of in get_args(kind) if of is not NoneType]
    return kinds[0] if isinstance(kind, UnionType) and len(kinds) == 1 else kind


def _is_table(kind: Any) -> bool:
    return get_origin(kind) is dict or bool(_models(kind))


def all_fields(model: type[BaseModel], stem: str = "") -> Iterator[str]:
    """Yield the dotted names of all fields of a model."""
    for name, info in model.model_fields.items():
        yield f"{stem}{name}"
        for table in _models(info.annotation):
            yield from all_fields(table, f"{stem}{name}.")


Combination = Mapping[str, Choice]


def _count(combine: str, axes: Mapping[str, Sequence[Choice]]) -> int:
    sizes = [len(choices) for choices in axes.values()]
    return math.prod(sizes) if combine == "all" else 1 + sum(sizes)


def _combinations(combine: str, axes: Mapping[str, Sequence[Choice]]) -> Iterator[Combination]:
    if combine == "all":
        for chosen in itertools.product(*axes.values()):
            yield dict(zip(axes, chosen, strict=True))
    else:
        yield {}
        for axis, choices in axes.items():
            for choice in choices:
                yield {axis: choice}


def _members(
    data: Mapping[str, Any], name: str, combinations: Iterable[Combination], folder: Path
) -> list[Member]:
    """Return a case for each combination; raise the problems of all, each once.

    `folder` has the structure files that the sweep names.
    """
    members, problems = [], dict.fromkeys("")
    for chosen in combinations:
        fields = {k: v for choice in chosen.values() for k, v in choice.fields.items()}
        settings = {axis: choice.label for axis, choice in chosen.items()}
        try:
            named = _name(name, settings.values())
            members.append(variant(data, named, fields, settings, folder))
        except UserError as error:
            problems |= dict.fromkeys(str(error).split("\n"))
    if problems:
        more = [f"and {left} more problems"] if (left := len(problems) - MAX_LINES) > 0 else []
        raise UserError("\n".join([*list(problems)[:MAX_LINES], *more]))
    return members


def _name(base: str, labels: Iterable[str]) -> str:
    name = "-".join([base, *labels])
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 13]}-{digest(name)[:12]}"


def variant(
    data: Mapping[str, Any],
    name: str,
    fields: Mapping[str, Any],
    settings: Mapping[str, str],
    folder: Path | None = None,
) -> Member:
    """Return a case that differs from another one in some fields.

    Parameters
    ----------
    data
        The data of a valid case file.
    name
        Name of the new case.
    fields
        Values by the dotted names of their fields.
    settings
        What tables call these values, by axis.
    folder
        Where structure files lie that the fields name.

    Raises
    ------
    UserError
        With one line per problem.
    """
    changed = copy.deepcopy(dict(data)) | {"name": name}
    for field, value in fields.items():
        *tables, key = field.split(".")
        place = changed
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise UserError(f"axes.{field}: found a value in place of the table {table!r}")
        place[key] = copy.deepcopy(value)
        if field in ("host.file", "host.slab", "host.element"):
            changed["host"].pop("crystal", None)  # of another host
    if folder is not None:
        changed = load(with_structure(tomli_w.dumps(changed).encode(), folder), "a case")
    _follow(changed, data, fields)
    content = tomli_w.dumps(changed).encode()
    return Member(_unnamed(content), content, dict(settings))


def _unnamed(content: bytes) -> Case:
    return checked(Case, content, "")


def _follow(data: dict[str, Any], base: Mapping[str, Any], given: Iterable[str]) -> None:
    """Rename sites and data sets along with the elements, unless the sweep sets them itself."""
    set_ = set(given)
    try:
        old, new = ([*_host_elements(of), of["adatom"]] for of in (base, data))
        for section in ("slab", "metal_slab", "metal_slab_110"):
            if section in data and set_.isdisjoint({section, f"{section}.sites"}):
                mine = slice(0, -1) if section == "slab" else slice(-1, None)
                pairs = zip(old[mine], new[mine], strict=False)
                moved = {f"top-{before}": f"top-{after}" for before, after in pairs}
                sites = data[section]["sites"]
                if isinstance(sites, list):  # "all" are those of any host
                    data[section]["sites"] = [moved.get(s, s) for s in sites]
        for table in ("setups", "hubbard"):
            if f"dft.{table}" not in set_ and table in data["dft"]:
                given_ones = {field.removeprefix(f"dft.{table}.").split(".")[0] for field in set_}
                of = data["dft"][table].items()
                data["dft"][table] = {s: n for s, n in of if s in new or s in given_ones}
        spin = data["dft"].get("spin", {})
        if "moments" in spin and set_.isdisjoint({"dft.spin", "dft.spin.moments"}):
            given_ones = {field.removeprefix("dft.spin.moments.") for field in set_}
            of = spin["moments"].items()
            spin["moments"] = {s: m for s, m in of if s in new or s in given_ones}
    except (KeyError, TypeError, AttributeError):
        pass  # a value of the wrong kind: the check of the case reports it


def _host_elements(data: Mapping[str, Any]) -> list[Any]:
    """Return the elements of a case's host: cation and anion, or those of its crystal."""
    host = data["host"]
    if "cation" in host:
        return [host["cation"], host["anion"]]
    return (
        list(dict.fromkeys(host["crystal"]["symbols"])) if "crystal" in host else [host["element"]]
    )
