"""What tables of a file are made of: their base class, and the types of fields that many have."""

from __future__ import annotations

import re
from typing import Annotated

from ase.data import atomic_names, atomic_numbers, chemical_symbols
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workflows.system.messages import WIDEST, nearest


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


Lattice = Annotated[float, Field(gt=2.0, lt=12.0)]


class Section(BaseModel):
    """A table of a file: unknown keys and silently converted types are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,  # they are what docs/case-file.md says of each field
    )
