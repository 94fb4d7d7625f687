"""Results -> one page that needs nothing beside itself: to open from a mail, to print, to keep."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import tomli_w
from ase import Atoms
from ase.io import read

from analysis import browser, paper
from analysis.adsorption import Answer, Pair
from analysis.browser import Chart, Line, Model
from analysis.charge import Density, plane_average
from analysis.figures import style
from analysis.figures.colours import ACCUMULATION, DEPLETION
from analysis.figures.plane_average import layer_heights
from analysis.figures.sheet import SitePicture
from workflows.campaign.directory import FIGURES
from workflows.case.schema import Case
from workflows.report import convergence, functionals
from workflows.report.densities import DifferenceRow, charge_transfer, difference_row
from workflows.report.dispersion import Spread, spread
from workflows.report.evaluation import Evaluation
from workflows.report.figures import DIFFERENCES, ELECTRONS, FIG5, FILLING, HOPS
from workflows.report.magnetism import magnetism, moments_in_words
from workflows.report.wording import (
    MadeWith,
    caption,
    made_with,
    missing_lines,
    notes,
    refinement,
)
from workflows.steps.optimize import Step, largest_force
from workflows.system.files import write_text
from workflows.tasks.atoms_json import from_json
from workflows.tasks.finished import RELAXING, relaxed_values
from workflows.tasks.folder import RELAXATION, STEPS
from workflows.tasks.graph import host_label, slab_of, surface_label, surfaces
from workflows.tasks.journal import whole_records
from workflows.tasks.records import Surface
from workflows.tasks.status import State

PAGE = "report.html"


TEMPLATES = Path(__file__).parent / "html"


VIEWER = "3Dmol-min.js"


def write_page(found: Evaluation, folder: Path, isovalue: float | None = None) -> Path:
    """Write report.html of a case; return its path.

    Parameters
    ----------
    found
        What is shown.
    folder
        Where the page and the figures that it shows lie.
    isovalue
        The one first shown, e/angstrom^3; by the rule of Fig. 5 if None.
    """
    write_text(folder / PAGE, _render(_content(found, folder, isovalue)))
    return folder / PAGE


# ---- what the page shows ------------------------------------------------------------------------


@dataclass(frozen=True)
class Traces:
    """A relaxation by ionic step: energy above the lowest (eV), largest force (eV/angstrom)."""

    energy: Chart
    fmax: Chart | None


@dataclass(frozen=True)
class SiteSection:
    """A site: its 3D model, plane average (e/angstrom), relaxations and charges.

    `name` is that of the site, on the metal that of surface and site.
    """

    name: str
    model: Model | None
    plane_average: Chart | None
    traces: Traces | None
    charge: DifferenceRow | None


class Drawing(NamedTuple):
    """A figure as a data URI, and what it shows."""

    uri: str
    text: str


class View(TypedDict):
    """What the 3D view is given: models by site, isovalue in e/angstrom^3, the slider's reach."""

    sites: dict[str, Model | None]
    isovalue: float | None
    reach: float
    accumulation: str
    depletion: str


@dataclass(frozen=True)
class Content:
    """Everything that the page shows.

    Attributes
    ----------
    case, host, physical
        The case, its host as people write it, and whether its settings allow conclusions.
    answers, agreement
        The questions about the host; how the energies compare with the paper's ("" without any).
    warnings
        What must be read first, a line each.
    rows, refined, published
        Sites, held and free; in words the single points that their energies are of ("" if those of
        the relaxations); whether the paper has energies of this system.
    barriers, charge_transfer
        What is known of the barrier on each surface, and of how the charge that moves to the host
        differs from that on the metal, in words.
    dispersion
        Energies with each model of dispersion.
    moments
        Of each task with spin: its name, its total moment (Bohr magnetons), its energy against the
        non-magnetic solution (eV), and the moments of its atoms in words.
    functionals, in_ensemble
        Energies with other functionals; in how much of the BEEF-vdW ensemble the host binds more
        strongly than the metal ("" if not known).
    sites, view, elements, isovalue
        For the 3D view: its sections and data, colours by element, the first isovalue
        (e/angstrom^3; None without densities).
    caption, figure, details
        What is common to all figures, Fig. 5, smaller figures.
    swept, convergence
        What a study of convergence varied, and its figure.
    others
        Relaxations by task that no section of a site shows.
    tasks, seconds, made_with, toml
        How it was computed: states by task, time in all, versions, the case file.
    """

    case: Case
    host: str
    physical: bool
    answers: Sequence[Answer]
    agreement: str
    warnings: Sequence[str]
    rows: Sequence[Pair]
    refined: str
    published: bool
    barriers: Sequence[str]
    charge_transfer: str
    dispersion: Spread
    moments: Sequence[tuple[str, float, float | None, str]]
    functionals: functionals.Spread
    in_ensemble: str
    sites: Sequence[SiteSection]
    view: View
    elements: Mapping[str, str]
    isovalue: float | None
    caption: str
    figure: Drawing | None
    details: Sequence[Drawing]
    swept: str
    convergence: Drawing | None
    others: Sequence[tuple[str, Traces]]
    tasks: Mapping[str, State]
    seconds: float
    made_with: MadeWith
    toml: str
    citation: str = paper.CITATION
    doi: str = paper.DOI
    reach: float = browser.REACH
    colours: Mapping[str, str] = field(
        default_factory=lambda: {"accumulation": ACCUMULATION, "depletion": DEPLETION}
    )


def _content(found: Evaluation, folder: Path, isovalue: float | None) -> Content:
    case, results, table = found.case, found.results, found.table
    chosen = (isovalue or found.first_isovalue) if found.first_isovalue else None
    sites = [
        _site(found, surface, site, chosen)
        for surface in surfaces(case)
        for site in slab_of(case, surface).sites
    ]
    models = {site.name: site.model for site in sites}
    missing = (f"missing: {line}" for line in missing_lines(results.states))
    figures = folder / FIGURES
    return Content(
        case=case,
        host=host_label(case),
        physical=case.physical,
        answers=table.answers(),
        agreement=table.ranking_agreement() if table.published else "",
        warnings=[*found.warnings, *missing, *notes(found), *_retries(results.states)],
        rows=table.pairs,
        refined=refinement(case) if case.refine else "",
        published=table.published,
        barriers=[of.sentence(case.adatom) for of in found.barriers],
        charge_transfer=charge_transfer(found),
        functionals=functionals.spread(table.all_sites),
        in_ensemble=table.in_ensemble(),
        dispersion=spread(site for site in table.all_sites if site.by_dispersion),
        moments=[
            (task, row["magnetic_moment"], row["against_non_magnetic"], moments_in_words(row))
            for task, row in magnetism(results).items()
        ],
        sites=sites,
        view={
            "sites": models, "isovalue": chosen, "reach": browser.REACH,
            "accumulation": ACCUMULATION, "depletion": DEPLETION,
        },
        elements=_elements(models.values()),
        isovalue=chosen,
        caption=caption(case, published=True).text,
        figure=_drawing(figures, FIG5, _words_of_fig5(case, published=table.published)),
        details=[drawing for drawing in _details(figures) if drawing is not None],
        swept=_swept(folder),
        convergence=_drawing(
            figures, convergence.STEM, "Adsorption energies over the setting that was varied"
        ),
        others=list(_other_traces(found)),
        tasks=results.states,
        seconds=sum(state.seconds or 0.0 for state in results.states.values()),
        made_with=made_with(results.states),
        toml=tomli_w.dumps(case.model_dump(mode="json", exclude_none=True)),
    )  # fmt: skip


def _words_of_fig5(case: Case, *, published: bool) -> str:
    beside = " beside the published ones" if published else ""
    return (
        f"{case.adatom} on {host_label(case)}: sites from above, charge-density differences from "
        f"the front, adsorption energies{beside}"
    )


def _details(figures: Path) -> Iterator[Drawing | None]:
    """Yield the smaller figures that are drawn."""
    for stem, text in (
        (DIFFERENCES, "Charge-density differences on the host and on the adatom's own metal"),
        ("potentials", "Electrostatic potential along z, vacuum levels and work functions"),
        (HOPS, "Energy along the hop to the next minimum, and over the surface"),
        (FILLING, "Adsorption energies and voltages as the surfaces fill up, and clusters"),
        (ELECTRONS, "Densities of states, work functions and electron localisation"),
        ("lattice", "Powder pattern and diffraction rings of the host"),
        ("from-ours-to-theirs", "By how much each choice changes our energies, and what is left"),
    ):
        yield _drawing(figures, stem, text)


def _retries(states: Mapping[str, State]) -> Iterator[str]:
    for name, state in states.items():
        tries = state.result.values.get("retries") if state.result else None
        if tries:
            yield f"{name}: self-consistency took more than one try: {', '.join(tries)}"


def _swept(folder: Path) -> str:
    """Return what a study of convergence varied, as its file has it; "" if there is none."""
    try:
        text = (folder / f"{convergence.STEM}.json").read_text(encoding="utf-8")
        return str(json.loads(text)["swept"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _elements(models: Iterable[Model | None]) -> dict[str, str]:
    """Return the colour of every element that is shown."""
    atoms = [atom for model in models if model for atom in model["atoms"]]
    return {atom["symbol"]: atom["colour"] for atom in atoms}


# ---- figures without their captions -------------------------------------------------------------


def _drawing(figures: Path, stem: str, text: str) -> Drawing | None:
    """Return an SVG file as a data URI, in which no script runs; None if it is not there."""
    try:
        svg = (figures / f"{stem}.svg").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    encoded = b64encode(_without_caption(svg).encode()).decode()
    return Drawing(f"data:image/svg+xml;base64,{encoded}", text)


def _without_caption(svg: str) -> str:
    """Cut the caption off the foot of a figure: the page has it once for all."""
    mark = re.search(rf'<g id="{style.CAPTION}-([0-9.]+)">', svg)
    if mark is None:
        return svg
    height = mark[1]
    svg = re.sub(r'(<svg [^>]*?height=")[0-9.]+pt"', rf'\g<1>{height}pt"', svg, count=1, flags=re.S)
    return re.sub(r'(viewBox="0 0 [0-9.]+) [0-9.]+"', rf'\g<1> {height}"', svg, count=1)


# ---- sites and relaxations ----------------------------------------------------------------------


def _site(found: Evaluation, surface: Surface, site: str, isovalue: float | None) -> SiteSection:
    picture, results = found.pictures_on(surface).get(site), found.results
    kinds: tuple[Literal["held", "free"], ...] = ("held", "free")
    states = [results.state(surface, kind, site) for kind in kinds]
    return SiteSection(
        site if surface == "host" else f"{surface_label(found.case, surface)} {site}",
        None if picture is None else _model(picture, isovalue),
        None if picture is None else _plane_average(picture.atoms, picture.difference),
        _traces(found, [state for state in states if state is not None]),
        difference_row(found, surface, site),
    )


def _model(picture: SitePicture, isovalue: float | None) -> Model:
    model = browser.structure(picture.atoms)
    if picture.difference is not None and isovalue is not None:
        model["volume"] = browser.volume(picture.difference, picture.atoms, isovalue)
    return model


def _plane_average(atoms: Atoms, density: Density | None) -> Chart | None:
    """Return the plane-averaged difference (e/angstrom) over the height above layer 1."""
    if density is None:
        return None
    height, gained = plane_average(density)
    top = float(atoms.positions[:-1, 2].max())
    low = atoms.positions[:, 2].min() - browser.BELOW
    high = atoms.positions[:, 2].max() + browser.ABOVE
    kept = (height >= low) & (height <= high)
    line = Line("Δλ", (height - top)[kept].tolist(), gained[kept].tolist())
    marks = [(name, place - top) for name, place in layer_heights(atoms)]
    return browser.chart([line], level=0.0, marks=marks)


def _traces(found: Evaluation, states: Sequence[State]) -> Traces | None:
    """Return energy (above the lowest, eV) and fmax (eV/angstrom) by ionic step."""
    energies, forces = [], []
    for state in states:
        taken = _steps(state, found.root / state.task.name)
        if not taken:
            continue
        steps = list(range(len(taken)))
        energy = np.array([step["energy"] for step in taken])
        energies.append(Line(state.task.kind, steps, (energy - energy.min()).tolist()))
        values = relaxed_values(state)
        if values is not None:
            atoms = from_json(values["structure"])
            fmax = [_fmax(atoms, step) for step in taken]
            forces.append(Line(state.task.kind, steps, fmax))
    if not energies:
        return None
    asked = found.case.relax.fmax
    return Traces(
        browser.chart(energies), browser.chart(forces, log=True, level=asked) if forces else None
    )


def _steps(state: State, folder: Path) -> list[Step]:
    """Return a relaxation's steps; a finished one's from its result: that outlives the journal."""
    if state.result is None or RELAXATION not in state.result.files:
        return whole_records(folder / STEPS, Step)
    return [
        {
            "energy": frame.get_potential_energy(),
            "positions": frame.positions.tolist(),
            "forces": frame.get_forces().tolist(),
        }
        for frame in read(folder / RELAXATION, index=":")
    ]


LEAST = 1e-4  # eV/angstrom: smaller forces are shown as this, for the logarithm


def _fmax(relaxed: Atoms, step: Step) -> float:
    """Return the largest force (eV/angstrom) on an atom as far as it was free to move."""
    atoms = relaxed.copy()
    atoms.set_positions(step["positions"], apply_constraint=False)
    return max(largest_force(atoms, np.array(step["forces"])), LEAST)


def _other_traces(found: Evaluation) -> Iterator[tuple[str, Traces]]:
    """Yield the traces of all relaxations that no section of a site shows, by task."""
    for name, state in found.results.states.items():
        task = state.task
        if task.kind in RELAXING and task.kind not in ("held", "free"):
            traces = _traces(found, [state])
            if traces is not None:
                yield name, traces


# ---- into HTML ----------------------------------------------------------------------------------


def _render(content: Content) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "duration": _duration,
        "points": _points,
        "sentence": _sentence,
    }
    scripts = [_own(VIEWER), _own("page.js")]
    return environment.get_template("page.html").render(
        page=content,
        style=_own("page.css"),
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
    )


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return a script's hash as a Content-Security-Policy names it: no other one may run."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return a number with a true minus sign, so that columns align; nothing for None."""
    if value is None:
        return ""
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def _sentence(text: str) -> str:
    """Return words of the results as a sentence of the page."""
    return f"{text[:1].upper()}{text[1:]}.".replace(" -", " −")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes}:{rest:02d} min"


def _points(points: Iterable[Sequence[float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
