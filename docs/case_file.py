"""Write docs/case-file.md, the reference of the case file, from its schema.

Run it after a change of `workflows/case/schema.py`: python -m docs.case_file
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from workflows.case.fields import Section
from workflows.case.hosts import MILLER, CrystalHost
from workflows.case.schema import Case, Host
from workflows.case.shorthand import GRID

# What stands behind the title of a table of which there are two kinds
KINDS: dict[type[BaseModel], str] = {Host: ", a rock salt", CrystalHost: ", any crystal"}
PAGE = Path(__file__).with_name("case-file.md")
HEAD = """# Case file

<!-- written by `python -m docs.case_file` from workflows/case/schema.py; edit that -->

A case file is a page of [TOML](https://toml.io) with everything that changes a number. Start from a
preset: [smoke](../workflows/case/presets/smoke.toml),
[laptop](../workflows/case/presets/laptop.toml) or
[production](../workflows/case/presets/production.toml); [your own host](own-system.md) shows how.
Unknown keys are refused. Settings that run but make the
numbers mean little are named in [warnings](results.md#warnings).
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for title, model in _tables(Case):
        intro = " ".join((model.__doc__ or "").split())
        rows = [_row(name, field) for name, field in model.model_fields.items()]
        head = ["| field | allowed | default | meaning |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([f"## {title}", "", intro, "", *head, *rows]) + "\n")
    return "\n".join(parts)


def _tables(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each table of a file with its heading; tables of one kind share one."""
    yield path or "The file", model
    inner: dict[type[BaseModel], list[str]] = {}
    for name, field in model.model_fields.items():
        for table in _models(field):
            inner.setdefault(table, []).append(f"{path.partition(',')[0].strip('[]')}.{name}")
    for section, names in inner.items():
        titles = ", ".join(f"[{name.lstrip('.')}]" for name in names)
        yield from _tables(section, titles + KINDS.get(section, ""))


def _models(field: FieldInfo) -> list[type[Section]]:
    """Return the models of a field that is a table of one kind or another."""
    parts, found = [field.annotation], []
    for part in parts:
        if isinstance(part, type) and issubclass(part, Section):
            found.append(part)
        parts += get_args(part)
    return found


def _row(name: str, field: FieldInfo) -> str:
    required = field.default is PydanticUndefined
    default = "required" if required else _toml(field.default)
    return f"| `{name}` | {_allowed(name, field)} | {default} | {field.description} |"


def _toml(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "its defaults"
    return "none" if value in (None, {}) else f"`{json.dumps(value)}`"


def _allowed(name: str, field: FieldInfo) -> str:
    """Return in words what a field may hold."""
    schema = TypeAdapter(field.rebuild_annotation()).json_schema()
    others = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    schema = others[0] if others else schema
    if _models(field):
        words = "a table"
    elif {"type": "boolean"} in others[1:]:
        words = f"`true`, `false`, {_toml(schema['const'])}"
    elif "const" in schema or "enum" in schema:
        words = ", ".join(_toml(value) for value in schema.get("enum", [schema.get("const")]))
    elif "maxLength" in schema:
        words = f"text of up to {schema['maxLength']} characters"
    elif "prefixItems" in schema:
        words = MILLER if name == "miller" else GRID
    elif schema["type"] == "string":
        words = _refusal(field)
    else:
        words = {
            "boolean": "`true`, `false`",
            "number": _range(schema),
            "integer": f"whole number, {_range(schema)}",
            "array": "a list, one at least" if schema.get("minItems") else "a list",
            "object": f"a table of {_of(schema)} by element",
        }[schema["type"]]
    return words


def _of(schema: dict[str, Any]) -> str:
    of = schema.get("additionalProperties", {})
    return f"numbers, {_range(of)}," if of.get("type") == "number" else "texts"


def _range(schema: dict[str, Any]) -> str:
    if schema.keys().isdisjoint(("maximum", "exclusiveMaximum")):
        return ""
    low = f"above {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else ""
    low = low or f"{schema['minimum']:g}"
    if "exclusiveMaximum" in schema:
        return f"{low}, below {schema['exclusiveMaximum']:g}"
    return f"{low} to {schema['maximum']:g}"


def _refusal(field: FieldInfo) -> str:
    """Return what the refusal of a wrong text names as allowed."""
    of_none = [part for part in get_args(field.annotation) if part is not NoneType]
    try:
        TypeAdapter(of_none[0] if of_none else field.rebuild_annotation()).validate_python("?")
    except ValidationError as error:
        return error.errors()[0]["msg"].partition("allowed: ")[2]
    raise ValueError("'?' is allowed")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
