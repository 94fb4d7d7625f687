"""The result as a person reads it in a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, Group

from workflows.report.densities import charge_transfer, charges
from workflows.report.evaluation import Evaluation
from workflows.report.magnetism import magnetism
from workflows.report.wording import (
    NOT_PHYSICAL,
    missing_lines,
    notes,
    reference_in_words,
    refinement,
)
from workflows.terminal.console import WIDTH
from workflows.terminal.site_tables import (
    details_by_site,
    dispersion_by_site,
    energies_by_site,
    functionals_by_site,
    moments_by_task,
)


def energy_table(found: Evaluation, width: int = WIDTH) -> Group:
    """Return the adsorption energies (eV) of all sites, ready to print on so many columns."""
    table = found.table
    reference = reference_in_words(table.all_sites)
    title = (
        f"Adsorption energy of {table.adatom}{reference} (eV; negative binds), "
        f"case {found.case.name}"
    )
    if found.case.refine:
        title += f": {refinement(found.case)}, beside those with the relaxations' own settings"
    return energies_by_site(table, title, "" if table.physical else NOT_PHYSICAL, width)


def detail_table(found: Evaluation, width: int = WIDTH) -> Group:
    """Return geometry (angstrom), charge (electrons) and spreads of energies (eV).

    Below them are the magnetic moments (Bohr magnetons), where there is spin.
    """
    details = details_by_site(found.table, charges(found.results), width)
    spreads = [dispersion_by_site(found.table, width), functionals_by_site(found.table, width)]
    known = [spread for spread in spreads if spread is not None]
    return Group(details, *known, *moments_by_task(magnetism(found.results)))


def conclusions(found: Evaluation) -> Iterator[str]:
    """Yield the verdict on the energies, warnings, notes and what is missing, a line each."""
    yield found.table.verdict()
    if found.table.published:
        yield found.table.ranking_agreement()
    yield from (of.sentence(found.case.adatom) for of in found.barriers if of.barrier is not None)
    if in_ensemble := found.table.in_ensemble():
        yield in_ensemble
    if differs := charge_transfer(found):
        yield differs
    yield from (of.sentence(found.case.adatom) for of in found.hops)
    yield from (sentence for of in found.coverages for sentence in of.sentences())
    yield from (sentence for of in found.electrons if (sentence := of.sentence(found.case)))
    yield from (f"warning: {line}" for line in found.warnings)
    yield from (f"note: {line}" for line in notes(found))
    yield from (f"missing: {line}" for line in missing_lines(found.results.states))


def report_text(found: Evaluation) -> str:
    """Return what `sodiophile report --all` prints into a pipe: both tables and conclusions."""
    text = io.StringIO()
    page = Console(
        file=text, width=WIDTH, emoji=False, color_system=None, force_terminal=False,
        force_jupyter=False,
    )  # fmt: skip
    page.print(energy_table(found))
    page.print(detail_table(found))
    return text.getvalue() + "\n".join(conclusions(found))
