"""From ours to theirs: what the choices of a case and of its sweep add, and what is left."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.account import Account, Choice
from analysis.adsorption import Site
from analysis.dispersion import LABELS, NONE
from analysis.figures.account import GAP, LEFT
from analysis.figures.style import Caption
from analysis.sensitivity import Sensitivity
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import read_campaign
from workflows.campaign.sweep import label
from workflows.case.schema import Case
from workflows.report.csv_text import Cell, csv_text
from workflows.report.evaluation import Evaluation
from workflows.report.functionals import functional_names
from workflows.report.magnetism import magnetism
from workflows.report.sensitivity import one_by_one, sensitivity
from workflows.report.wording import caption, cell_in_words
from workflows.system.files import write_text
from workflows.system.messages import UserError, shown
from workflows.tasks.graph import host_label
from workflows.tasks.status import recipe_of, survey_recorded

STEM = "from-ours-to-theirs"  # of the files


NO_DIPOLE = "no dipole correction"


# How people write a field of a case, with its unit; a field that is not here by its own name
FIELDS = {
    "slab.held_layers": "{} layers held", "slab.layers": "{} layers", "dft.xc": "{}",
    "dft.setups": "data set {}",
    "dft.kpoints.host_slab": "k-points {}", "dft.cutoff": "cutoff {} eV",
    "atom.box": "atom's box {} Å", "slab.defect": "{}",
}  # fmt: skip


# Fields whose labels are no values
WORDS = {
    ("dft.dipole_correction", "dipole_correction-off"): NO_DIPOLE,
    ("dft.spin.polarised", "polarised-on"): "spin",
    ("dft.spin.polarised", "polarised-off"): "no spin",
    ("dft.spin.polarised", "auto"): "spin where a probe finds it",
}


# Fields of a slab's calculation that [refine] may change; dispersion has bars of its own
REFINABLE = ("kpoints.host_slab", "cutoff", "xc", "setups", "hubbard", "spin.polarised")


# Fields whose larger value is nearer to converged
REFINED = ("dft.kpoints.host_slab", "slab.layers", "dft.cutoff", "atom.box", "slab.vacuum")


@dataclass(frozen=True)
class Sweep:
    """A one-by-one sweep and its energies, eV."""

    campaign: Campaign
    energies: Sensitivity


def read_sweep(directory: Path, case: Case, recipe: int) -> Sweep:
    """Return a one-by-one sweep of the same adatom and host, and its energies.

    Parameters
    ----------
    directory
        Of the run of the sweep.
    case
        The case that it is put beside.
    recipe
        The version of the way that tasks compute their numbers that the case's results are of.

    Raises
    ------
    UserError
        It is no such sweep, or its results are of another recipe.
    """
    campaign = read_campaign(directory)
    if not one_by_one(campaign):
        raise UserError(
            f"{shown(directory)}: found no one-by-one sweep; allowed: the directory of a sweep "
            'with combine = "one-by-one"'
        )
    base = campaign.members[0].case
    if (base.adatom, host_label(base)) != (case.adatom, host_label(case)):
        raise UserError(
            f"{shown(directory)}: found a sweep of {base.adatom} on {host_label(base)}; "
            f"allowed: one of {case.adatom} on {host_label(case)}"
        )
    states = survey_recorded(campaign.tasks, directory)
    if (found := recipe_of(states)) != recipe:
        raise UserError(
            f"{shown(directory)}: found results of recipe {found}; allowed: those of recipe "
            f"{recipe}, like the case's; run it again"
        )
    return Sweep(campaign, sensitivity(campaign, states))


def account_of(found: Evaluation, sweep: Sweep | None = None) -> Account | None:
    """Return the account of the held sites; None without any published energy beside ours.

    Parameters
    ----------
    found
        The case.
    sweep
        Choices in another cell, see `read_sweep`.
    """
    held = {s.site: s for s in found.table.sites if s.relaxation == "held" and s.problem is None}
    relaxed = {site: of.as_relaxed or of for site, of in held.items()}
    plain = {site: of.by_dispersion[NONE] for site, of in relaxed.items() if of.by_dispersion}
    published = {site: of.published for site, of in held.items() if of.published is not None}
    if not plain.keys() & published.keys():
        return None
    refined = list(_of_refinement(found.case, held))
    own = [choice for choice in _of_case(found, held) if choice.changes]
    choices = [*_of_dispersion(relaxed), *refined, *own]
    if sweep:
        known = {choice.name for choice in own}
        better, others = _of_sweep(sweep, known, _refined_fields(found.case))
        choices = [*_of_dispersion(relaxed), *refined, *better, *own, *others]
        choices += _of_cell(plain, found.case, sweep)
    return Account(plain, published, tuple(choice for choice in choices if choice.changes))


def _of_dispersion(held: Mapping[str, Site]) -> Iterator[Choice]:
    for model, name in LABELS.items():
        if model != NONE:
            both = {s: of.by_dispersion for s, of in held.items() if model in of.by_dispersion}
            changes = {site: energies[model] - energies[NONE] for site, energies in both.items()}
            yield Choice(name, "dispersion", True, changes)


def _of_refinement(case: Case, held: Mapping[str, Site]) -> Iterator[Choice]:
    """Yield what [refine] changes, but for dispersion, as one choice."""
    fields = _refined_fields(case)
    words = [choice_in_words(field, label(field, value)) for field, value in fields.items()]
    changes = {
        site: of.by_dispersion[NONE] - of.as_relaxed.by_dispersion[NONE]
        for site, of in held.items()
        if of.as_relaxed and of.by_dispersion and of.as_relaxed.by_dispersion
    }
    if fields:
        yield Choice(", ".join(words), "refinement", True, changes)


def _refined_fields(case: Case) -> dict[str, object]:
    """Return the values that [refine] gives to fields of the host's slab, as in a case file."""
    before, after = (of.dft.model_dump(mode="json") for of in (case, case.refined))
    values = {f"dft.{field}": (_at(before, field), _at(after, field)) for field in REFINABLE}
    return {field: new for field, (old, new) in values.items() if new != old}


def _at(value: Any, field: str) -> Any:
    for part in field.split("."):
        value = value[part]
    return value


def _of_case(found: Evaluation, held: Mapping[str, Site]) -> Iterator[Choice]:
    """Yield the choices that the case itself shows."""
    clean, free, no_dipole = dict[str, float](), dict[str, float](), dict[str, float]()
    freed = {s.site: s.binding for s in found.table.sites if s.relaxation == "free"}
    for site, of in held.items():
        if of.adsorption_energy is None:
            continue
        if of.reference == "same basin" and of.against_clean is not None:
            clean[site] = of.against_clean - of.adsorption_energy
        if (energy := freed.get(site)) is not None:
            free[site] = energy - of.adsorption_energy
        relaxed = of.as_relaxed or of  # single points are computed with the correction alone
        if relaxed.without_dipole is not None and relaxed.against_clean is not None:
            no_dipole[site] = relaxed.without_dipole - relaxed.against_clean
    yield Choice("against the clean slab", "alternative", False, clean)
    yield Choice(f"{found.case.adatom} free", "alternative", False, free)
    yield Choice(NO_DIPOLE, "alternative", False, no_dipole)
    yield Choice("no spin, same structures", "alternative", False, _without_spin(found))
    yield from _of_functionals(found.case, held)


def _without_spin(found: Evaluation) -> dict[str, float]:
    """Return the changes against the clean slab if it and the held adatom had no spin, eV."""
    results = found.results
    lower = {name: row["against_non_magnetic"] for name, row in magnetism(results).items()}
    slab = results.state("host", "slab")
    clean = lower.get(slab.task.label) if slab else None
    if clean is None:
        return {}
    sites = {site: results.state("host", "held", site) for site in found.case.slab.sites}
    gains = {site: lower.get(state.task.label) for site, state in sites.items() if state}
    return {site: clean - gain for site, gain in gains.items() if gain is not None}


def _of_functionals(case: Case, held: Mapping[str, Site]) -> Iterator[Choice]:
    """Yield other functionals on the density of the case's own."""
    own = case.refined.dft.xc
    for name in functional_names(held.values()):
        energies = {site: of.by_functional for site, of in held.items() if name in of.by_functional}
        changes = {site: of[name] - of[own] for site, of in energies.items() if own in of}
        if name != own:
            yield Choice(f"{name}, same structures", "alternative", False, changes)


def _of_cell(plain: Mapping[str, float], case: Case, sweep: Sweep) -> Iterator[Choice]:
    """Yield the cell of the sweep in the place of the case's own."""
    cell = sweep.campaign.members[0].case.slab.cell
    if cell != case.slab.cell:
        known = {site: energy for site, energy in sweep.energies.base.items() if energy is not None}
        changes = {site: known[site] - plain[site] for site in plain if site in known}
        yield Choice(f"{cell_in_words(cell)} cell", "alternative", False, changes)


def _of_sweep(
    sweep: Sweep, known: Set[str], refined_already: Collection[str]
) -> tuple[list[Choice], list[Choice]]:
    """Return refinements and other choices of a sweep; the farthest refinement of a field counts.

    `known` names choices that the case itself shows: these are left out. Fields that the case has
    refined itself do not count twice.
    """
    base, *members = sweep.campaign.members
    refined: dict[str, list[tuple[float, Choice]]] = {}
    others: list[Choice] = []
    for number, member in enumerate(members):
        ((axis, label),) = member.settings.items()
        choice = Choice(choice_in_words(axis, label), "alternative", False, _changes(sweep, number))
        size = _size(member.case, axis) if axis in REFINED else 0.0
        if axis in REFINED and size > _size(base.case, axis):
            refined.setdefault(axis, []).append((size, choice))
        elif choice.name not in known:
            others.append(choice)
    largest = {
        axis: max(size for size, _ in of_axis)
        for axis, of_axis in refined.items()
        if axis not in refined_already
    }
    return [
        replace(choice, kind="refinement", counted=size == largest.get(axis))
        for axis, of_axis in refined.items()
        for size, choice in of_axis
    ], others


def _changes(sweep: Sweep, number: int) -> dict[str, float]:
    changes = {site: sweep.energies.changes(site)[number] for site in sweep.energies.base}
    return {site: change for site, change in changes.items() if change is not None}


def _size(case: Case, field: str) -> float:
    value: object = case
    for part in field.split("."):
        value = getattr(value, part)
    if isinstance(value, tuple):
        return math.prod(value)
    assert isinstance(value, (int, float))  # noqa: S101
    return value


def choice_in_words(axis: str, word: str) -> str:
    """Return a field and the label of its value as people write them."""
    if words := WORDS.get((axis, word)):
        return words
    if u := re.fullmatch(r"([A-Z][a-z]?)-([spdf])-U([0-9.]+)", word):
        return "U = {2} eV on {0} {1}".format(*u.groups())
    value = word.removeprefix(axis.rpartition(".")[2]).lstrip("-") or word
    if axis == "dft.kpoints.host_slab":
        value = cell_in_words(value)
    if axis == "slab.defect":
        value = value.replace("-", " ")
    return FIELDS.get(axis, axis + " {}").format(value)


def account_caption(case: Case) -> Caption:
    """Return the caption of the figure."""
    adatom = case.adatom
    return caption(case, published=True) + (
        f"Each bar is the change by one choice alone, {adatom} held; choices in another cell are "
        "changes in that cell. What is left takes them as additive; a site goes without choices "
        f"that were not computed for it. Dispersion of {adatom} cations on a metal is disputed: "
        "three models, none of them the truth."
    )


def write_account(account: Account, into: Path) -> Path:
    """Write the account (eV) as CSV into a directory; return the file's path."""
    write_text(path := into / f"{STEM}.csv", account_csv(account))
    return path


def account_csv(account: Account) -> str:
    """Return the account (eV) as CSV text."""
    sites = account.sites
    header = ["choice", "kind", "counted", *(f"{site}_eV" for site in sites)]
    rows: list[list[Cell]] = [
        ["ours without dispersion", "", "", *(account.plain[s] for s in sites)],
        [GAP, "", "", *map(account.gap, sites)],
        *(
            [c.name, c.kind, "yes" if c.counted else "no", *(c.changes.get(s) for s in sites)]
            for c in account.choices
        ),
        [f"{LEFT}, lowest", "", "", *(account.left(s)[0] for s in sites)],
        [f"{LEFT}, highest", "", "", *(account.left(s)[1] for s in sites)],
        ["published", "", "", *(account.published[s] for s in sites)],
    ]
    return csv_text(header, rows)
