"""The terminations of a crystal's face and their sites, to choose from before a case is written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analysis.figures import faces, style
from structures.crystals import crystal_of
from structures.symmetry_sites import find_sites
from structures.terminations import (
    TASKER,
    Miller,
    Stack,
    Termination,
    check_miller,
    cut_slab,
    find_terminations,
    stack_layers,
)
from workflows.case.hosts import CrystalHost
from workflows.case.reading import read_file
from workflows.case.schema import Case
from workflows.case.structure_files import FORMATS, MAX_BYTES, parse_structure
from workflows.report.images import PLAIN
from workflows.steps.atoms_files import structure_files
from workflows.steps.initial import Structures
from workflows.system.files import keep
from workflows.system.messages import UserError, naming, shown
from workflows.tasks.graph import structure_name, surface_label

VACUUM = 10.0  # angstrom on each side of the slabs
FEWEST_LAYERS = 4
MOST_TERMINATIONS = 12


def write_faces(path: Path, miller: Miller, layers: int | None, into: Path) -> Iterator[str]:
    """Cut a crystal at every distinct termination of a face; write slabs and a picture.

    Parameters
    ----------
    path
        Structure file of the crystal.
    miller
        Miller indices of the face.
    layers
        Number of atomic layers of the slabs; by default four or more, with two like sides where
        there are such slabs.
    into
        Directory of the files; it is made if there is none.

    Returns
    -------
    iterator of str
        A line for each termination, and what people should know of it.

    Raises
    ------
    UserError
        In one line: the file is no crystal, or has no such face.
    """
    name, label = path.stem, "".join(map(str, miller))
    with naming(shown(path)):
        content = read_file(path, MAX_BYTES, FORMATS)
        with _refused():
            crystal = crystal_of(parse_structure(content, path.name))
    with naming("--miller"), _refused(found=list(miller)):
        check_miller(miller)
        stack = stack_layers(crystal, miller)
        terminations = find_terminations(stack)
    if len(terminations) > MOST_TERMINATIONS:
        raise UserError(
            f"--miller: found {len(terminations)} terminations of ({label}); "
            f"allowed: a face with up to {MOST_TERMINATIONS}"
        )
    if into.exists() and not into.is_dir():
        raise UserError(f"{shown(into)}: not a directory; allowed: a new or existing directory")
    drawn: list[faces.Face] = []
    lines: list[str] = []
    files: dict[str, bytes] = {}
    for termination in terminations:
        count = layers or _usual_layers(termination, stack.layers)
        with naming("--layers"), _refused(found=count):
            slab = cut_slab(
                stack, termination, layers=count, cell=np.eye(2, dtype=int), vacuum=VACUUM,
                held_layers=0,
            )  # fmt: skip
            sites = find_sites(slab)
        stem = f"{name}-{label}-{termination.name}"
        files |= {f"{stem}.{suffix}": data for suffix, data in structure_files(slab).items()}
        places = np.array([site.places[0].position(slab) for site in sites])
        names = tuple(site.name for site in sites)
        drawn.append(faces.Face(f"{name}({label}), {termination.name}", slab, names, places))
        lines += _described(termination, len(slab), count, names)
    files[f"{name}-{label}.png"] = _picture(drawn)
    into.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        keep(into / file, data)
    yield _headline(name, label, stack, terminations)
    yield from lines
    yield f"{shown(into / f'{name}-{label}')}-*.cif, .extxyz, {name}-{label}.png"


def write_case_picture(case: Case, built: Structures, into: Path) -> Iterator[str]:
    """Draw the slab of a case whose host is from a file, with all its sites; yield a line.

    Parameters
    ----------
    case
        The case; nothing is drawn of a rock salt.
    built
        Its unrelaxed structures.
    into
        The directory, which is there.
    """
    if not isinstance(case.host, CrystalHost):
        return
    stem = structure_name(case, "host", "slab")
    slab = built[stem].atoms
    sites = find_sites(slab)
    places = np.array([site.places[0].position(slab) for site in sites])
    names = tuple(site.name for site in sites)
    termination = case.host.termination_name
    title = surface_label(case, "host") + (f", {termination}" if termination else "")
    keep(into / f"{stem}.png", _picture([faces.Face(title, slab, names, places)]))
    yield f"{shown(into / stem)}.png: sites {', '.join(names)}"


@contextmanager
def _refused(found: object = None) -> Iterator[None]:
    """Turn the ValueError of a structure into a UserError, with what was found before it."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        start = "" if found is None or text.startswith("found") else f"found {found}; "
        raise UserError(start + text) from None


def _usual_layers(termination: Termination, repeat: int) -> int:
    """Return the least number of layers, from four, that gives a slab two like sides."""
    counts = range(FEWEST_LAYERS, FEWEST_LAYERS + repeat)
    like = [n for n in counts if (n - 1) % repeat + 1 in termination.both_sides]
    return like[0] if like else FEWEST_LAYERS + (-FEWEST_LAYERS) % repeat


def _headline(name: str, label: str, stack: Stack, terminations: tuple[Termination, ...]) -> str:
    a, b, gamma = stack.atoms.cell.cellpar()[[0, 1, 5]]
    number = len(terminations)
    return (
        f"{name}({label}): 1x1 cell {a:.2f} x {b:.2f} Å, {gamma:.1f}°; {stack.layers} "
        f"layer{'s' * (stack.layers > 1)} in {stack.repeat:.2f} Å; {number} distinct "
        f"termination{'s' * (number > 1)}"
    )


def _described(
    termination: Termination, atoms: int, layers: int, sites: tuple[str, ...]
) -> list[str]:
    stack = " | ".join(termination.layers)
    lines = [
        f"  {termination.name}: layers {stack}, symmetry {termination.point_group}, "
        f"Tasker {TASKER[termination.tasker]}; {atoms} atoms in {layers} layer{'s' * (layers > 1)}",
        f"    sites: {', '.join(sites)}",
    ]
    if termination.polar:
        lines.append(
            "    warning: polar: an ideal surface of this type has no finite energy; real ones "
            "reconstruct, lose atoms or adsorb some, and its slab carries charge on both sides"
        )
    return lines


def _picture(drawn: list[faces.Face]) -> bytes:
    from matplotlib import rc_context

    png = io.BytesIO()
    with rc_context(style.rc()):
        faces.compose(drawn).savefig(png, format="png", dpi=PLAIN, metadata={"Software": None})
    return png.getvalue()
