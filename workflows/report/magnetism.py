"""Magnetic moments: of probes and of slabs with spin, and what follows for their energies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict, cast

from workflows.report.results import Results
from workflows.tasks.atoms_json import from_json
from workflows.tasks.graph import surface_label, surfaces
from workflows.tasks.records import ProbeValues, Surface
from workflows.tasks.spin import is_magnetic


class MagnetismRow(TypedDict):
    """Moments of a slab, in Bohr magnetons: the total one, and those inside the PAW spheres.

    `against_non_magnetic` is its energy less that of the non-magnetic solution of the same
    structure, `starts` the energy that each start of the moments leads to; eV, None and {} where
    they were not computed.
    """

    magnetic_moment: float
    symbols: list[str]
    magnetic_moments: list[float]
    against_non_magnetic: float | None
    starts: dict[str, float]


def magnetism(results: Results) -> dict[str, MagnetismRow]:
    """Return the moments of every finished probe and relaxed slab with spin, by task."""
    return {
        state.task.label: row
        for state in results.states.values()
        if state.result is not None
        and (row := _row(cast("Mapping[str, Any]", state.result.values))) is not None
    }


def _row(values: Mapping[str, Any]) -> MagnetismRow | None:
    if "magnetic_moments" not in values:
        return None
    without = values.get("non_magnetic_energy")
    return {
        "magnetic_moment": values["magnetic_moment"],
        "symbols": from_json(values["structure"]).get_chemical_symbols(),
        "magnetic_moments": values["magnetic_moments"],
        "against_non_magnetic": None if without is None else values["energy"] - without,
        "starts": values.get("starts", {}),
    }


def spin_warnings(results: Results) -> Iterator[str]:
    """Yield a line for each slab that is magnetic but was computed without spin."""
    if results.case.dft.spin.polarised is not False:
        return
    for surface, probe in _probes(results):
        if is_magnetic(probe):
            yield (
                "dft.spin.polarised: found false, and the probe of clean "
                f"{surface_label(results.case, surface)} found {_found(probe)}: the energies are "
                'those of a non-magnetic state; usual: "auto"'
            )


def spin_notes(results: Results) -> Iterator[str]:
    """Yield a line that says of each surface whether it has spin and how that was decided."""
    spin = results.case.dft.spin.polarised
    if spin is True:
        yield "all slabs and crystals are computed with spin"
        return
    for surface, probe in _probes(results):
        name = surface_label(results.case, surface)
        if spin == "auto" and is_magnetic(probe):
            yield f"{name}: computed with spin, because the probe found {_found(probe)}"
        elif not is_magnetic(probe):
            yield f"{name}: computed without spin; the probe of the clean slab found no moment"


def _probes(results: Results) -> Iterator[tuple[Surface, ProbeValues]]:
    for surface in surfaces(results.case):
        probe = results.probe(surface)
        if probe is not None:
            yield surface, probe


def _found(probe: ProbeValues) -> str:
    """Return in words the largest moment of each element, and how far it lowers the energy."""
    symbols = from_json(probe["structure"]).get_chemical_symbols()
    largest: dict[str, float] = {}
    for symbol, moment in zip(symbols, probe["magnetic_moments"], strict=True):
        largest[symbol] = max(largest.get(symbol, 0.0), abs(moment))
    below = probe["non_magnetic_energy"] - probe["energy"]
    symbol = max(largest, key=largest.__getitem__)
    return (
        f"up to {largest[symbol]:.2f} Bohr magnetons on {symbol}, {1000 * below:.0f} meV below the "
        "non-magnetic state of its 1x1 cell"
    )


def moments_in_words(row: MagnetismRow) -> str:
    """Return the range of moments of each element, such as 'V 0.32 to 1.05, N -0.02'."""
    by_element: dict[str, list[float]] = {}
    for symbol, moment in zip(row["symbols"], row["magnetic_moments"], strict=True):
        by_element.setdefault(symbol, []).append(moment)
    return ", ".join(
        f"{symbol} {low:.2f}" + (f" to {high:.2f}" if f"{high:.2f}" != f"{low:.2f}" else "")
        for symbol, moments in by_element.items()
        for low, high in [(min(moments), max(moments))]
    )


def was_probed(results: Results) -> bool:
    """Return whether it is known if the host's clean slab has a moment."""
    return results.probe("host") is not None
