"""What a case's finished tasks found, looked up by surface, site and relaxation, with its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from workflows.tasks.graph import Key, Task, task_key
from workflows.tasks.records import (
    AdatomValues,
    AtomValues,
    BareSlabValues,
    CoverageValues,
    DensityValues,
    ElectronsValues,
    HopValues,
    Kind,
    LatticeValues,
    ProbeValues,
    Relaxation,
    RelaxedValues,
    SinglePointValues,
    SlabValues,
    Surface,
    Values,
)
from workflows.tasks.status import State

RELAXING: Final[tuple[Kind, ...]] = (
    "slab",
    "held",
    "free",
    "basin",
    "coverage",
)  # tasks that move atoms


def relaxed_values(state: State) -> RelaxedValues | None:
    """Return what a task found that relaxes a slab; None if it is not done or relaxes nothing."""
    if state.result is None or state.task.kind not in RELAXING:
        return None
    return cast("RelaxedValues", state.result.values)


@dataclass(frozen=True)
class Finished:
    """The values of one case's finished tasks.

    Every look-up returns None where the case has no such task, or where it is not done. Units are
    those of records.py: eV, angstrom, electrons. For `surface`, `site` and `relaxation` see
    `workflows.tasks.graph.find`.

    Attributes
    ----------
    states
        The states of the case's tasks, by name or folder.
    """

    states: Mapping[str, State]

    @cached_property
    def _by_key(self) -> dict[Key, State]:
        return {state.task.key: state for state in self.states.values()}

    def state(
        self, surface: Surface, kind: Kind, site: str = "", relaxation: Relaxation = ""
    ) -> State | None:
        """Return how far a task is, None only where the case has no such task."""
        return self._by_key.get(task_key(surface, kind, site, relaxation))

    def refined(self, task: Task) -> State | None:
        """Return how far the single point is that refines a task; None where there is none."""
        key = task_key(task.surface, "refined", task.site, task.relaxation, of=task.kind)
        return self._by_key.get(key)

    def single_point(self, task: Task) -> SinglePointValues | None:
        """Return the single point at a task's structure, with the settings of [refine] if any."""
        key = task_key(task.surface, "functionals", task.site, task.relaxation, of=task.kind)
        state = self.refined(task) or self._by_key.get(key)
        values = state.result.values if state and state.result else None
        return cast("SinglePointValues | None", values)

    def _values(
        self, surface: Surface, kind: Kind, site: str = "", relaxation: Relaxation = ""
    ) -> Values | None:
        state = self.state(surface, kind, site, relaxation)
        return state.result.values if state and state.result else None

    def probe(self, surface: Surface) -> ProbeValues | None:
        """Return whether a surface's clean slab was found to be magnetic."""
        return cast("ProbeValues | None", self._values(surface, "probe"))

    def lattice(self, surface: Surface) -> LatticeValues | None:
        """Return the equation of state of the crystal that a surface is cut from."""
        return cast("LatticeValues | None", self._values(surface, "lattice"))

    def atom(self) -> AtomValues | None:
        """Return the isolated adatom."""
        return cast("AtomValues | None", self._values("metal", "atom"))

    def slab(self, surface: Surface) -> SlabValues | None:
        """Return a surface's clean slab."""
        return cast("SlabValues | None", self._values(surface, "slab"))

    def adatom(self, surface: Surface, site: str, relaxation: Relaxation) -> AdatomValues | None:
        """Return the adatom relaxed from a site, "held" or "free"."""
        kind: Kind = "free" if relaxation == "free" else "held"
        return cast("AdatomValues | None", self._values(surface, kind, site))

    def bare_slab(
        self, surface: Surface, site: str, relaxation: Relaxation
    ) -> BareSlabValues | None:
        """Return the slab relaxed again from where a site's adatom, "held" or "free", left it."""
        return cast("BareSlabValues | None", self._values(surface, "basin", site, relaxation))

    def relaxed(self) -> Iterator[tuple[State, RelaxedValues]]:
        """Yield every finished task that relaxed a slab, with what it found."""
        for state in self.states.values():
            values = relaxed_values(state)
            if values is not None:
                yield state, values

    def bare_slabs(self, surface: Surface) -> list[SlabValues | BareSlabValues]:
        """Return all bare slabs of a surface that are there: clean, and relaxed again."""
        return [
            cast("SlabValues | BareSlabValues", values)
            for state, values in self.relaxed()
            if state.task.surface == surface and state.task.kind in ("slab", "basin")
        ]

    def density(self, surface: Surface, site: str) -> DensityValues | None:
        """Return the density difference of the adatom held at a site."""
        return cast("DensityValues | None", self._values(surface, "density", site))

    def coverage(self, surface: Surface) -> list[tuple[str, CoverageValues]]:
        """Return what is finished of several adatoms on a surface: name and values of each."""
        return [
            (state.task.site, cast("CoverageValues", values))
            for state, values in self.relaxed()
            if state.task.surface == surface and state.task.kind == "coverage"
        ]

    def hop(self, surface: Surface, site: str) -> HopValues | None:
        """Return the path from the minimum near a site to an equivalent one."""
        return cast("HopValues | None", self._values(surface, "hop", site))

    def electrons(self, surface: Surface, site: str = "") -> ElectronsValues | None:
        """Return the electronic structure with the adatom held at a site; without one if ""."""
        return cast("ElectronsValues | None", self._values(surface, "electrons", site))

    def without_dipole(
        self, surface: Surface, site: str = "", relaxation: Relaxation = ""
    ) -> SinglePointValues | None:
        """Return the energy without dipole correction, of the clean slab where no site is given."""
        found = self._values(surface, "uncorrected", site, relaxation)
        return cast("SinglePointValues | None", found)
