"""The benchmark's table from its records: numbers in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SAME_VALLEY = 0.005  # eV: two relaxations that differ by more are compared again


@dataclass(frozen=True)
class Cost:
    """What a relaxation took: seconds of wall and of processors, ionic steps, SCF iterations."""

    wall: float
    cpu: float
    steps: int
    scf_iterations: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.wall + other.wall,
            self.cpu + other.cpu,
            self.steps + other.steps,
            self.scf_iterations + other.scf_iterations,
        )


NOTHING = Cost(0.0, 0.0, 0, 0)


@dataclass(frozen=True)
class Judged:
    """Energy (eV) and largest free force (eV/angstrom) of a final geometry, with a tight SCF."""

    energy: float
    fmax: float


@dataclass(frozen=True)
class System:
    """One system, as far as it is known.

    Attributes
    ----------
    baseline, ours, serial
        What each side took; `serial` is the baseline on one rank.
    baseline_end, ours_end
        Each side's final geometry.
    baseline_more, ours_more
        Where a side's final forces were above fmax after all: what it took to come within it, with
        a tight SCF; the end is then the one after that.
    onward
        Where the two ends differ by more than `SAME_VALLEY`: the higher one continued from the
        geometry of the lower one, and what that took.
    floor
        What one cold SCF takes.
    """

    name: str
    baseline: Cost | None = None
    ours: Cost | None = None
    serial: Cost | None = None
    baseline_end: Judged | None = None
    ours_end: Judged | None = None
    baseline_more: Cost | None = None
    ours_more: Cost | None = None
    onward: tuple[Cost, Judged] | None = None
    floor: Cost | None = None

    @property
    def difference(self) -> float | None:
        """Return the energy of our end less that of the baseline's, eV."""
        if self.baseline_end is None or self.ours_end is None:
            return None
        return self.ours_end.energy - self.baseline_end.energy

    @property
    def higher(self) -> str | None:
        """Return whose end is higher by more than `SAME_VALLEY`, if one's is."""
        if self.difference is None or abs(self.difference) <= SAME_VALLEY:
            return None
        return "ours" if self.difference > 0 else "baseline"

    @property
    def our_cost(self) -> Cost | None:
        """Return what our side took, all that it was continued for included."""
        return None if self.ours is None else self.ours + self.our_continuation

    @property
    def our_continuation(self) -> Cost:
        """Return what our side took after its run: to come within fmax, from the lower geometry."""
        more = self.ours_more or NOTHING
        return more + self.onward[0] if self.higher == "ours" and self.onward else more

    def problems(self, fmax: float) -> Iterator[str]:
        """Yield why a ratio of this system does not count."""
        for side, cost, end in (
            ("baseline", self.baseline, self.baseline_end),
            ("ours", self.ours, self.ours_end),
        ):
            if cost is None:
                yield f"{side} is missing"
            elif end is None:
                yield f"forces of {side} have not been judged"
            elif end.fmax > fmax:
                yield f"{side}: largest force {end.fmax:.3f} eV/Å"
        if self.higher is not None and self.onward is None:
            yield f"{self.higher} is higher and has not been continued"


def tables(systems: Sequence[System], fmax: float, driver: tuple[float, float] | None) -> str:
    """Return all tables as Markdown.

    Parameters
    ----------
    systems
        What is known of each.
    fmax
        Largest allowed force, eV/angstrom.
    driver
        Wall and processor seconds of our whole run, its start and its end included; None if it has
        not ended.
    """
    parts = [_costs(systems, fmax, driver), _ends(systems)]
    if any(system.serial for system in systems):
        parts.append(_serial(systems))
    parts += [_floors(systems), *_missing(systems, fmax)]
    return "\n\n".join(parts) + "\n"


def _costs(systems: Sequence[System], fmax: float, driver: tuple[float, float] | None) -> str:
    lines = [
        _line(s.name, s.baseline, s.our_cost, counts=not any(s.problems(fmax))) for s in systems
    ]
    before = _sum(s.baseline for s in systems)
    ours = _sum(s.our_cost for s in systems)
    if before and ours and driver:
        extra = sum((s.our_continuation for s in systems), NOTHING)
        whole = Cost(driver[0] + extra.wall, driver[1] + extra.cpu, ours.steps, ours.scf_iterations)
        counts = not any(problem for s in systems for problem in s.problems(fmax))
        lines.append(_line("**in all**", before, whole, counts=counts))
    heading = ("system", "wall / s", "ratio", "CPU / s", "ratio", "ionic steps", "ratio",
               "SCF iterations", "ratio")  # fmt: skip
    return _markdown(heading, lines)


def _line(name: str, before: Cost | None, ours: Cost | None, *, counts: bool) -> list[str]:
    cells = [name]
    for quantity in ("wall", "cpu", "steps", "scf_iterations"):
        pair = [getattr(side, quantity) if side else None for side in (before, ours)]
        cells.append(" → ".join("–" if value is None else f"{value:.0f}" for value in pair))
        counted = counts and before is not None and ours is not None
        cells.append(
            f"{getattr(before, quantity) / getattr(ours, quantity):.2f}" if counted else "–"
        )
    return cells


def _ends(systems: Iterable[System]) -> str:
    rows = []
    for s in systems:
        forces = [f"{end.fmax:.3f}" if end else "–" for end in (s.baseline_end, s.ours_end)]
        difference = "–" if s.difference is None else f"{1000 * s.difference:+.1f}"
        rows.append([s.name, difference, *forces, "; ".join(_continued(s))])
    heading = ("system", "E(ours) − E(baseline) / meV", "fmax of baseline / (eV/Å)",
               "fmax of ours / (eV/Å)", "continued")  # fmt: skip
    return _markdown(heading, rows)


def _continued(system: System) -> Iterator[str]:
    for side, more in (("baseline", system.baseline_more), ("ours", system.ours_more)):
        if more is not None:
            yield f"{side}: {more.wall:.0f} s more, to come within fmax"
    if system.higher is None:
        return
    if system.onward is None:
        yield f"{system.higher} is higher: not continued yet"
        return
    cost, end = system.onward
    lower = system.baseline_end if system.higher == "ours" else system.ours_end
    assert lower is not None
    yield (
        f"{system.higher}, from the other's geometry: {1000 * (end.energy - lower.energy):+.1f} "
        f"meV from it after {cost.steps} steps, {cost.wall:.0f} s"
    )


def _serial(systems: Iterable[System]) -> str:
    rows = []
    for s in systems:
        if s.serial is not None:
            ratio = f"{s.serial.cpu / s.our_cost.cpu:.2f}" if s.our_cost else "–"
            cells = [f"{s.serial.wall:.0f}", f"{s.serial.cpu:.0f}", ratio]
            rows.append([s.name, *cells, str(s.serial.steps), str(s.serial.scf_iterations)])
    heading = ("baseline on one rank", "wall / s", "CPU / s", "ratio to ours", "ionic steps",
               "SCF iterations")  # fmt: skip
    return _markdown(heading, rows)


def _floors(systems: Iterable[System]) -> str:
    rows = []
    total, ours = NOTHING, NOTHING
    for s in systems:
        if s.floor and s.our_cost:
            rows.append(_multiple(s.name, s.floor, s.our_cost))
            total, ours = total + s.floor, ours + s.our_cost
    if rows:
        rows.append(_multiple("**in all**", total, ours))
    heading = ("system", "floor: SCF iterations", "ours / floor", "floor: CPU / s", "ours / floor",
               "ionic steps", "SCF iterations a step after the first")  # fmt: skip
    return _markdown(heading, rows)


def _multiple(name: str, floor: Cost, ours: Cost) -> list[str]:
    later = ours.scf_iterations - floor.scf_iterations
    return [
        name,
        str(floor.scf_iterations),
        f"{ours.scf_iterations / floor.scf_iterations:.1f}",
        f"{floor.cpu:.0f}",
        f"{ours.cpu / floor.cpu:.1f}",
        str(ours.steps),
        f"{later / (ours.steps - 1):.0f}" if ours.steps > 1 and name[0] != "*" else "",
    ]


def _missing(systems: Iterable[System], fmax: float) -> list[str]:
    lines = [f"- {s.name}: {', '.join(found)}" for s in systems if (found := [*s.problems(fmax)])]
    return ["These do not count:\n\n" + "\n".join(lines)] if lines else []


def _sum(costs: Iterable[Cost | None]) -> Cost | None:
    total = NOTHING
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def _markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cost(record: Mapping[str, Any] | None) -> Cost | None:
    """Return what a record says that it took."""
    if record is None:
        return None
    return Cost(record["wall"], record["cpu"], record.get("steps", 1), record["scf_iterations"])


def judged(record: Mapping[str, Any] | None) -> Judged | None:
    """Return the energy and the force of a record."""
    return None if record is None else Judged(record["energy"], record["fmax"])
