"""Results in words: captions, settings, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from analysis import paper
from analysis.adsorption import Site
from analysis.dispersion import LABELS
from analysis.figures.style import Caption
from workflows.case.schema import DFT, Case
from workflows.report.evaluation import Evaluation
from workflows.report.magnetism import spin_notes
from workflows.report.slab_checks import FLAT
from workflows.tasks.graph import FACES, host_label, surface_label, surfaces
from workflows.tasks.status import State

NOT_PHYSICAL = "NOT PHYSICAL: smoke-test settings; these numbers only show that the chain works"


RECONSTRUCTED = 0.005  # eV: differences between bare slabs below this are not worth a note


MANY = 6  # tasks named in a note


def caption(case: Case, *, published: bool = False) -> Caption:
    """Return the caption of a figure: the system, the settings, whose numbers are beside ours.

    Parameters
    ----------
    case
        What is shown.
    published
        Whether published numbers are shown beside it, where the paper has this system.
    """
    own = Caption(f"{settings(case)}.", case.physical)
    if not (published and paper.is_system(host_label(case), case.adatom)):
        return own
    face = f", and the face of their {case.adatom}," if case.metal_slab_110 else ""
    return own + (f"Published values: {paper.REFERENCE}; their settings{face} are not known to us.")


def settings(case: Case) -> str:
    """Return the system and the settings that matter most in words."""
    dft, slab = case.dft, case.slab
    k = "×".join(map(str, dft.kpoints.host_slab))
    hubbard = dft.hubbard.items()
    setups = ", ".join(f"{symbol}.{name}" for symbol, name in dft.setups.items())
    return (
        f"Case {case.name}: {case.adatom} on {surface_label(case, 'host')}{_defect(case)}, "
        f"{cell_in_words(slab.cell)} cell, {slab.layers} layer{'s' if slab.layers > 1 else ''} "
        f"({slab.held_layers} held), "
        f"{slab.vacuum:g} Å vacuum on each side; "
        f"GPAW, plane waves to {dft.cutoff:g} eV, {k} Γ-centred k-points, {dft.xc}, "
        f"smearing {dft.smearing:g} eV, fmax {case.relax.fmax:g} eV/Å"
        + (f", PAW sets {setups}" if setups else "")
        + "".join(f", U = {of.U:g} eV on {symbol} {of.orbital}" for symbol, of in hubbard)
        + ("" if dft.dispersion == "none" else f", dispersion {LABELS[dft.dispersion]}")
        + (f"; energies of {refinement(case)}" if case.refine else "")
    )


def refinement(case: Case) -> str:
    """Return in words which settings the single points have that give the energies."""
    before, after = _choices(case, case.dft), _choices(case, case.refined.dft)
    changed = [words for words, relaxed in zip(after, before, strict=True) if words != relaxed]
    return f"single points at the relaxed structures with {', '.join(changed)}"


SPIN = {True: "spin", False: "no spin", "auto": "spin where a probe finds a moment"}


def _choices(case: Case, dft: DFT) -> list[str]:
    """Return in words each setting that [refine] may change, in the same order for all of DFT."""
    grids = {f"for {surface_label(case, s)}": FACES[s].kpoints for s in surfaces(case)}
    grids[f"for bulk {case.adatom}"] = "metal_bulk"
    setups = ", ".join(f"{symbol}.{name}" for symbol, name in dft.setups.items())
    hubbard = ", ".join(f"U = {of.U:g} eV on {s} {of.orbital}" for s, of in dft.hubbard.items())
    return [
        *(
            f"{cell_in_words('x'.join(map(str, getattr(dft.kpoints, grid))))} k-points {where}"
            for where, grid in grids.items()
        ),
        f"plane waves to {dft.cutoff:g} eV",
        dft.xc,
        f"PAW sets {setups}" if setups else "the default PAW sets",
        hubbard or "no Hubbard U",
        SPIN[dft.spin.polarised],
        "no dispersion" if dft.dispersion == "none" else f"dispersion {LABELS[dft.dispersion]}",
    ]


def _defect(case: Case) -> str:
    if case.slab.defect is None:
        return ""
    number, element = case.slab.equivalent_atoms, case.slab.defect.element
    return f" with a defect ({case.slab.defect.label}, 1 of {number} {element} of the top layer)"


def cell_in_words(text: str) -> str:
    """Return a cell or a grid as people write it: 'sqrt2' as '√2×√2', '2x2' as '2×2'.

    A matrix is written in a line: '2 1/-1 2' as '(2 1 / −1 2)'.
    """
    if "/" in text:
        return f"({text.replace('/', ' / ').replace('-', '−')})"
    return "√2×√2" if text == "sqrt2" else text.replace("x", "×")


def missing_lines(states: Mapping[str, State]) -> list[str]:
    """Return a line for every task that has no result."""
    return [
        f"{name}: {state.status}" + (f" ({state.note})" if state.note else "")
        for name, state in states.items()
        if state.status != "done"
    ]


def reference_in_words(sites: Iterable[Site]) -> str:
    """Return which bare slab energies are against, for a title; nothing for that of the basin."""
    references = {site.reference for site in sites}
    return ", against the clean slab" if references == {"clean slab"} else ""


def notes(found: Evaluation) -> list[str]:
    """Return what a reader of the table must know about its numbers, a line each."""
    sites = found.table.all_sites
    return [
        *(line for site in sites for line in _site_notes(site)),
        *_defect_notes(found),
        *_reconstruction_notes(sites),
        *_vacuum_notes(found),
        *_reference_notes(found.case),
        *spin_notes(found.results),
        *_origin_notes(found.results.states),
    ]


def _site_notes(site: Site) -> Iterator[str]:
    where = f"{site.surface} {site.site}, {site.relaxation}"
    if site.saddle:
        yield f"{where}: the adatom rests on a saddle, pushed off it by less than fmax"
    if site.moved:
        yield f"{where}: the adatom ended at {site.ended_at}"


def _defect_notes(found: Evaluation) -> Iterator[str]:
    """Yield what the defect is, what energies are against, and how far the held adatom is."""
    far = [
        f"{site.site} {site.defect_distance:.2f} Å"
        for site in found.table.sites
        if site.relaxation == "held" and site.defect_distance is not None
    ]
    if found.case.slab.defect is not None:
        adatom = found.case.adatom
        yield (
            f"{surface_label(found.case, 'host')}{_defect(found.case)}: all energies are against "
            f"bare slabs with the same defect; each site is the nearest of its name to it"
            + (f" (held {adatom} to the defect: {', '.join(far)})" if far else "")
        )


def _reconstruction_notes(sites: Sequence[Site]) -> Iterator[str]:
    """Yield a line for each surface on which the adatom leaves another slab behind."""
    for surface in dict.fromkeys(site.surface for site in sites):
        changes, farthest = [], 0.0
        for site in sites:
            change, moved = site.reconstruction_energy, site.reconstruction_displacement
            if site.surface == surface and change is not None and abs(change) > RECONSTRUCTED:
                changes.append(f"{site.site} {site.relaxation} {1000 * change:+.0f} meV")
                farthest = max(farthest, moved or 0.0)
        if changes:
            yield (
                f"{surface}: relaxed again without the adatom, the slab ends in another structure "
                f"than the clean one: {', '.join(changes)} from it (atoms up to {farthest:.2f} Å "
                "away); "
                "against_clean has the energies against the clean slab"
            )


def _vacuum_notes(found: Evaluation) -> Iterator[str]:
    uneven = {
        name: check["vacuum_flatness"]
        for name, check in found.checks.items()
        if found.case.physical and check.get("vacuum_flatness", 0.0) > FLAT
    }
    if uneven:
        listed = _few([f"{name} ({energy:.3f} eV)" for name, energy in uneven.items()])
        yield f"the potential in the vacuum is not flat: {listed}; more vacuum is needed"


def _reference_notes(case: Case) -> Iterator[str]:
    if not case.checks.same_basin:
        yield (
            "energies are against the clean slab relaxed by itself (checks.same_basin is off): "
            "a reconstruction under the adatom would be counted as binding"
        )


# ---- what the numbers were made with ------------------------------------------------------------

# How many processes worked on a task, and whether they could have been several: changes no number.
OF_THE_MACHINE = ("MPI", "MPI ranks", "ScaLAPACK")

MadeWith: TypeAlias = dict[str, str | dict[str, list[str]]]


def made_with(states: Mapping[str, State]) -> MadeWith:
    """Return versions, libraries and data sets by name.

    Returns
    -------
    dict
        The value of all finished tasks that record one; where they differ, the tasks by value.
    """
    tasks: dict[str, dict[str, list[str]]] = {}
    for name, state in states.items():
        for key, value in (state.result.made_with if state.result else {}).items():
            tasks.setdefault(key, {}).setdefault(value, []).append(name)
    return {key: found if len(found) > 1 else next(iter(found)) for key, found in tasks.items()}


def _origin_notes(states: Mapping[str, State]) -> Iterator[str]:
    """Yield a line for each version, library or data set that the tasks differ in."""
    for key, found in made_with(states).items():
        if isinstance(found, str) or key in OF_THE_MACHINE:
            continue
        parts = "; ".join(f"{value}: {_few(names)}" for value, names in found.items())
        yield f"the tasks were not all computed with the same {key}: {parts}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more
