"""Convergence studies: one setting varied, the others as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from structures.supercell import surface_cell
from workflows.campaign.campaign import Campaign, Varied
from workflows.campaign.sweep import variant
from workflows.case.hosts import times_wider
from workflows.case.reading import contents, find, load, parse
from workflows.case.schema import Case
from workflows.system.messages import UserError, naming, nearest, shown

Fields = dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """A setting that can be varied.

    Attributes
    ----------
    title, unit
        What tables call it.
    allowed
        What an error message names as allowed values.
    changes
        All that a value changes, in words.
    usual
        Returns the values that are taken for a case unless others are given.
    spell
        Returns a value in its standard spelling, or raises ValueError.
    fields
        Returns the fields of a case that a value sets.
    size
        Returns a number that orders the values.
    """

    title: str
    allowed: str
    changes: str
    unit: str
    usual: Callable[[Case], list[str]]
    spell: Callable[[str], str]
    fields: Callable[[Case, str], Fields]
    size: Callable[[str], float]


def _area(cell: str) -> float:
    """Return the area of an in-plane cell over that of the primitive one."""
    return float(np.linalg.det(surface_cell(cell)))


def _grid(value: str) -> list[int]:
    numbers = [int(n) for n in value.split("x")]
    a, b = numbers if len(numbers) == 2 else (*numbers, *numbers)
    return [a, b, 1]


def _grid_name(value: str) -> str:
    return "x".join(map(str, _grid(value)[:2]))


def _number(value: str) -> str:
    return f"{float(value):g}"


def _whole(value: str) -> str:
    return str(int(value))


def _cell_fields(case: Case, cell: str) -> Fields:
    """Return the fields of a cell: its k-points are no less dense than those of the case."""
    grid = [
        max(1, math.ceil(n * before / side - 1e-9))
        for n, before, side in zip(
            case.dft.kpoints.host_slab,
            times_wider(case.host, case.slab.cell),
            times_wider(case.host, cell),
            strict=False,
        )
    ]
    return {"slab.cell": cell, "dft.kpoints.host_slab": [*grid, 1]}


def _around(value: float, steps: tuple[int, ...], least: float) -> list[str]:
    return [f"{value + step:g}" for step in steps if value + step >= least]


def _grids_around(case: Case) -> list[str]:
    a, b, _ = case.dft.kpoints.host_slab
    return [f"{a + n}x{b + n}" for n in (-1, 0, 1, 2) if a + n > 0 and b + n > 0]


AXES: dict[Varied, Axis] = {
    "cutoff": Axis(
        "cutoff",
        "numbers of eV, such as 300,400,500",
        "dft.cutoff, of everything: lattice, atom, clean slab and sites",
        " eV",
        lambda case: _around(case.dft.cutoff, (-100, 0, 100, 200), 150),
        _number,
        lambda _case, value: {"dft.cutoff": float(value)},
        float,
    ),
    "kpoints": Axis(
        "k-point grid",
        "in-plane grids, such as 2,3,4 or 2x3,4x6",
        "dft.kpoints.host_slab, of clean slab and sites; the lattice keeps its grid",
        "",
        _grids_around,
        _grid_name,
        lambda _case, value: {"dft.kpoints.host_slab": _grid(value)},
        lambda value: math.sqrt(math.prod(_grid(value))),
    ),
    "layers": Axis(
        "number of layers",
        "numbers of layers, such as 3,4,5",
        "slab.layers, of clean slab and sites; as many stay held as in the case",
        "",
        lambda case: _around(case.slab.layers, (-1, 0, 1, 2), max(2, case.slab.held_layers + 1)),
        _whole,
        lambda _case, value: {"slab.layers": int(value)},
        int,
    ),
    "vacuum": Axis(
        "vacuum",
        "angstrom on each side, such as 6,8,10",
        "slab.vacuum, of clean slab and sites",
        " Å",
        lambda case: _around(case.slab.vacuum, (-2, 0, 2, 4), 5),
        _number,
        lambda _case, value: {"slab.vacuum": float(value)},
        float,
    ),
    "cell": Axis(
        "in-plane cell",
        "in-plane cells, such as sqrt2,2x2,3x3",
        "slab.cell, of clean slab and sites, and with it dft.kpoints.host_slab, so that the grid "
        "is no coarser than the case's",
        "",
        lambda case: list(dict.fromkeys(["sqrt2", "2x2", "3x3", case.slab.cell])),
        str,
        _cell_fields,
        _area,
    ),
}


def study(
    name_or_path: str, over: Varied, values: str | None, site: str | None, tolerance: float
) -> Campaign:
    """Return the cases of a convergence study.

    Parameters
    ----------
    over
        One of `AXES`.
    values
        Its values, separated by commas; those that suit the case if None.
    site
        One site of the host; all of the case if None.
    tolerance
        How far an energy may be from that of the largest value, eV.

    Raises
    ------
    UserError
        With one line per problem.
    """
    path = find(name_or_path)
    content = contents(path)
    case = parse(content, shown(path))
    if site is not None and site not in case.host_sites:
        near = nearest(site, case.host_sites)
        raise UserError(
            f"--site: found {shown(site)!r}{near}; allowed: {', '.join(case.host_sites)}"
        )
    sites: Fields = {} if site is None else {"slab.sites": [site]}
    chosen = _values(AXES[over], case, values)
    data = load(content, "a case")
    data.pop("refine", None)  # what is varied are the settings of the relaxations
    members = []
    for value in chosen:
        fields = AXES[over].fields(case, value) | sites
        name = f"{case.name[:40]}-{over}{value}"
        with naming(f"{shown(path)} with {over} {value}"):
            members.append(variant(data, name, fields, {over: value}))
    return Campaign(tuple(members), True, "adsorption", {"over": over, "tolerance": tolerance})


def _values(axis: Axis, case: Case, values: str | None) -> list[str]:
    """Return the values from the smallest to the largest, each once."""
    words = axis.usual(case) if values is None else values.split(",")
    sized: dict[str, float] = {}
    for word in (word.strip() for word in words):
        try:
            spelled = axis.spell(word)
            sized[spelled] = axis.size(spelled)
            finite = math.isfinite(sized[spelled])
        except (ValueError, TypeError, OverflowError):
            finite = False
        if not finite or len(word) > 10:
            raise UserError(f"--values: found {shown(word)!r}; allowed: {axis.allowed}")
    if len(set(sized.values())) < 2 or len(set(sized.values())) < len(sized):
        raise UserError(f"--values: found {', '.join(sized)}; allowed: two or more that differ")
    return sorted(sized, key=sized.__getitem__)
