"""Results -> one page that needs nothing beside itself: to open from a mail, to print, to keep."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from ase import Atoms
from ase.io import read

from analysis import page, paper
from analysis.adsorption import Site
from analysis.charge import Density, plane_average
from analysis.figures import style
from analysis.figures.isosurfaces import enclosing_isovalue
from analysis.figures.profile import layer_heights
from workflows.campaign.campaign import Campaign
from workflows.report.database import RELAXATION
from workflows.report.results import Report
from workflows.steps.optimize import Step, largest_force
from workflows.system.files import write_text
from workflows.tasks.atoms_json import from_json
from workflows.tasks.journal import whole_records
from workflows.tasks.status import State

TEMPLATES = Path(__file__).parent / "html"


VIEWER = "3Dmol-min.js"


RELAXED = ("slab", "held", "free", "basin")  # kinds of tasks that move atoms


def write_page(
    report: Report, root: Path, isovalue: float | None = None, into: Path | None = None
) -> Path:
    """Write report.html of a run; return its path.

    `root` holds the tasks; the page and the figures it shows lie in `into`, or `root` if None.
    `isovalue` is the first one shown, e/angstrom^3; by the rule of Fig. 5 if None.
    """
    folder = into or root
    path = folder / "report.html"
    write_text(path, _render(report, root, folder, isovalue))
    return path


def write_pages(
    campaign: Campaign, states: Mapping[str, State], root: Path, isovalue: float | None = None
) -> list[Path]:
    """Write the page of every case of a directory; return their paths.

    A sweep that asks for convergence is one page: of its last case, with the figure of them all.
    """
    if not campaign.shared:
        return [write_page(Report(campaign.members[0].case, states), root, isovalue)]
    everything = list(enumerate(campaign.members))
    if campaign.convergence is not None:
        number, last = everything[-1]
        report = Report(last.case, campaign.states_of(number, states))
        return [write_page(report, root, isovalue)]
    return [
        write_page(
            Report(member.case, campaign.states_of(number, states)),
            root,
            isovalue,
            into=root / member.case.name,
        )
        for number, member in everything
    ]


def _details(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield what the smaller figures show, and their pictures where they are drawn."""
    for name, text in (
        ("potentials", "Electrostatic potential along z, vacuum levels and work functions"),
        ("lattice", "Powder pattern and diffraction rings of the host beside the paper's spacings"),
    ):
        yield text, _picture(folder / "figures" / f"{name}.svg")


def _retries(report: Report) -> Iterator[str]:
    for name, state in report.states.items():
        tries = state.result.values.get("retries") if state.result else None
        if tries:
            yield f"{name}: self-consistency took more than one try: {', '.join(tries)}"


def _render(report: Report, root: Path, folder: Path, isovalue: float | None) -> str:
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
    shown = {site: report.density(site, root) for site in report.case.slab.sites}
    densities = [density for density, _ in shown.values() if density is not None]
    chosen = isovalue or (enclosing_isovalue(densities) if densities else None) or None
    sites = [_site(report, root, site, *found, isovalue=chosen) for site, found in shown.items()]
    models = {site["name"]: site.pop("model") for site in sites}
    texts = {name: _own(name) for name in ("page.css", "page.js", VIEWER)}
    table, results = report.table(), report.as_json()
    rows = list(_pairs((*table.sites, *table.metal_sites)))
    return environment.get_template("page.html").render(
        case=report.case,
        results=results,
        warnings=[*results["warnings"], *(f"missing: {line}" for line in results["missing"]),
                  *results["notes"], *_retries(report)],
        rows=rows,
        published=any(held.published is not None for held, _ in rows),
        charges={site: report.density_summary(site) for site in report.case.slab.sites},
        physical=report.case.physical,
        caption=report.caption(),
        citation=paper.CITATION,
        doi=paper.DOI,
        figure=_picture(folder / "figures" / "fig5.svg"),
        details=[(text, found) for text, found in _details(folder) if found],
        convergence=_picture(folder / "figures" / "convergence.svg"),
        convergence_says=_convergence(folder),
        sites=sites,
        others=_other_traces(report, root),
        isovalue=chosen,
        reach=page.REACH,
        view={"sites": models, "isovalue": chosen, "reach": page.REACH,
              "accumulation": style.ACCUMULATION, "depletion": style.DEPLETION},
        elements=_elements(models),
        colours={"accumulation": style.ACCUMULATION, "depletion": style.DEPLETION},
        tasks=list(report.states.items()),
        toml=tomli_w.dumps(report.case.model_dump(mode="json", exclude_none=True)),
        style=texts["page.css"],
        scripts=[texts[VIEWER], texts["page.js"]],
        hashes=[_hash(texts[VIEWER]), _hash(texts["page.js"])],
    )  # fmt: skip


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return a script's hash as a Content-Security-Policy names it: no other one may run."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _picture(path: Path) -> str | None:
    """Return an SVG file as a data URI, in which no script runs; None if it is not there."""
    try:
        return f"data:image/svg+xml;base64,{b64encode(path.read_bytes()).decode()}"
    except FileNotFoundError:
        return None


def _convergence(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "convergence.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pairs(sites: tuple[Site, ...]) -> Iterator[tuple[Site, Site | None]]:
    """Yield each held site with its free twin, if that was asked for."""
    free = {(s.surface, s.site): s for s in sites if s.relaxation == "free"}
    for site in sites:
        if site.relaxation == "held":
            yield site, free.get((site.surface, site.site))


def _site(
    report: Report,
    root: Path,
    site: str,
    density: Density | None,
    atoms: Atoms | None,
    *,
    isovalue: float | None,
) -> dict[str, Any]:
    """Return what the page says of one site of the host; its model is for the 3D view."""
    model = None if atoms is None else page.structure(atoms)
    profile = None
    if density is not None and atoms is not None:
        if model is not None and isovalue is not None:
            model["volume"] = page.volume(density, atoms, isovalue)
        profile = _profile(density, atoms)
    names = [report.name("host", f"{site}-{kind}") for kind in ("held", "free")]
    found = [report.states[name] for name in names if name in report.states]
    return {
        "name": site,
        "model": model,
        "profile": profile,
        "traces": _traces(report, found, root),
    }


def _profile(density: Density, atoms: Atoms) -> dict[str, Any]:
    """Return the plane-averaged difference (e/angstrom) over the height above layer 1."""
    height, gained = plane_average(density)
    z = height - atoms.positions[:-1, 2].max()
    low, high = atoms.positions[:, 2].min() - page.BELOW, atoms.positions[:, 2].max() + page.ABOVE
    kept = (height >= low) & (height <= high)
    line = page.Line("Δλ", z[kept].tolist(), gained[kept].tolist())
    marks = [
        (name, place - float(atoms.positions[:-1, 2].max())) for name, place in layer_heights(atoms)
    ]
    return page.chart([line], level=0.0, marks=marks)


def _traces(report: Report, states: list[State], root: Path) -> dict[str, Any] | None:
    """Return energy (above the lowest, eV) and fmax (eV/angstrom) by ionic step."""
    energies, forces = [], []
    for state in states:
        records = _steps(state, root / state.task.name)
        if not records:
            continue
        steps = list(range(len(records)))
        energy = np.array([record["energy"] for record in records])
        energies.append(page.Line(state.task.kind, steps, (energy - energy.min()).tolist()))
        if state.result is not None:
            atoms = from_json(state.result.values["structure"])
            fmax = [_fmax(atoms, record) for record in records]
            forces.append(page.Line(state.task.kind, steps, fmax))
    if not energies:
        return None
    asked = report.case.relax.fmax
    return {
        "energy": page.chart(energies),
        "fmax": page.chart(forces, log=True, level=asked) if forces else None,
        "names": [line.name for line in energies],
    }


def _steps(state: State, folder: Path) -> list[dict[str, Any]]:
    """Return a relaxation's steps; a finished one's from its result: that outlives the journal."""
    if state.result is None or RELAXATION not in state.result.files:
        return [dict(step) for step in whole_records(folder / "steps.jsonl", Step)]
    frames = read(folder / RELAXATION, index=":")
    return [
        {
            "energy": frame.get_potential_energy(),
            "positions": frame.positions,
            "forces": frame.get_forces(),
        }
        for frame in frames
    ]


LEAST = 1e-4  # eV/angstrom: smaller forces are shown as this, for the logarithm


def _fmax(relaxed: Atoms, record: dict[str, Any]) -> float:
    """Return the largest force (eV/angstrom) on an atom as far as it was free to move."""
    atoms = relaxed.copy()
    atoms.set_positions(record["positions"], apply_constraint=False)
    return max(largest_force(atoms, record["forces"]), LEAST)


def _other_traces(report: Report, root: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the traces of all relaxations that no site of the page shows, by task."""
    shown = {
        report.name("host", f"{site}-{kind}")
        for site in report.case.slab.sites
        for kind in ("held", "free")
    }
    found = [
        (name, _traces(report, [state], root))
        for name, state in report.states.items()
        if state.task.kind in RELAXED and name not in shown
    ]
    return [(name, traces) for name, traces in found if traces is not None]


def _elements(models: dict[str, Any]) -> dict[str, str]:
    """Return the colour of every element that is shown."""
    atoms = [atom for model in models.values() if model for atom in model["atoms"]]
    return {atom["symbol"]: atom["colour"] for atom in atoms}


def _number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return a number with a true minus sign, so that columns align; nothing for None."""
    if value is None:
        return ""
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def _sentence(text: str) -> str:
    """Return words of the report as a sentence of the page."""
    return f"{text[:1].upper()}{text[1:]}.".replace(" -", " −")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes}:{rest:02d} min"


def _points(points: list[list[float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
