"""What is read from a task's folder, checked against the types of records.py.

A file may be whole and signed and make no sense all the same: written by another program, or edited
and signed again. Whatever does not have the type that its task's kind asks for is damaged, as is a
file with a wrong checksum. The data are checked and not changed: they are written again as they
were.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

Checked = TypeVar("Checked")


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def checked(kind: type[Checked], data: Any) -> Checked:
    """Return JSON data as what they are.

    Parameters
    ----------
    kind
        The type that they must have: a TypedDict, whose further keys are left as they are.
    data
        JSON data.

    Raises
    ------
    ValueError
        They are something else; the message is one line that names the first wrong field.
    """
    hashable: Any = kind
    try:
        _adapter(hashable).validate_python(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    found: Checked = data
    return found


def is_valid(kind: type[Any], data: Any) -> bool:
    """Return whether JSON data have a type; see `checked`."""
    try:
        checked(kind, data)
    except ValueError:
        return False
    return True
