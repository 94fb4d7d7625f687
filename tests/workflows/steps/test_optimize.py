"""Relaxing: as far as it should, and the same way however often it is interrupted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100, fcc111
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixedLine

from structures.symmetry import find_symmetry
from workflows.steps.optimize import NEAR, Evaluate, OutOfSteps, Relaxed, Step, relax
from workflows.tasks.journal import Journal

FMAX = 0.05


class Stop(Exception):
    """Stands for whatever ends a process."""


class Emt:
    """ASE's effective medium theory as energy and unconstrained forces; counts its steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[np.ndarray] = []  # a place for each step
        self.rough: list[bool] = []
        self._stop_after = stop_after

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:
        """Return energy (eV) and forces (eV/angstrom), or stop."""
        again = bool(self.seen) and bool((atoms.positions == self.seen[-1]).all())
        if not again:  # as it is where rough forces turn out too small to be rough
            if len(self.seen) == self._stop_after:
                raise Stop
            self.seen.append(atoms.positions.copy())
        self.rough.append(rough)  # exact all the same
        system = atoms.copy()
        system.set_constraint()
        system.calc = EMT()
        return float(system.get_potential_energy()), np.array(system.get_forces())


def held() -> Atoms:
    """Give an Al slab with an Au adatom that may move along z only, above a held layer."""
    atoms = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(atoms, "Au", 1.9, "hollow")
    atoms.set_constraint([FixAtoms(range(4)), FixedLine(8, (0, 0, 1))])
    return atoms


def free() -> Atoms:
    """Give a Cu slab with an adatom off its site, above a held layer."""
    atoms = fcc111("Cu", (2, 2, 2), vacuum=6.0)
    add_adsorbate(atoms, "Cu", 2.1, "bridge", offset=(0.05, 0.03))
    atoms.set_constraint(FixAtoms(range(4)))
    return atoms


def run(
    atoms: Atoms,
    path: Path,
    evaluate: Evaluate | None = None,
    **settings: Any,
) -> Relaxed:
    settings = {"fmax": FMAX, "max_steps": 100} | settings
    return relax(atoms, evaluate or Emt(), Journal(path, Step), **settings)


def journal(path: Path) -> list[Step]:
    return Journal(path, Step).records


def damaged(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.damaged-*"))


# ---- where it ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_symmetry_of_the_start_is_kept(noise: float, tmp_path: Path) -> None:
    # the translation of the clean slab among it, which forces about the origin do not know
    slab = fcc100("Al", (2, 2, 3), vacuum=6.0)
    slab.set_constraint(FixAtoms(range(4)))
    slab.positions[8:, 2] += 0.2
    random, exact = np.random.default_rng(1), Emt()

    def evaluate(atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:
        energy, forces = exact(atoms, rough=rough)
        return energy, forces + noise * random.standard_normal(forces.shape)

    start = find_symmetry(slab)
    relaxed = run(slab, tmp_path / "steps.jsonl", evaluate, fmax=0.1)
    assert relaxed.steps > 1
    assert len(start) == 4 * 8
    assert len(find_symmetry(relaxed.atoms)) == len(start)
    heights = relaxed.atoms.positions[4:, 2].reshape(2, 4)
    assert np.ptp(heights, axis=1).max() < 1e-9


def test_a_rigid_slab_is_one_step_and_its_adatom_alone_moves(tmp_path: Path) -> None:
    rigid = fcc100("Al", (2, 2, 2), vacuum=6.0)
    rigid.set_constraint(FixAtoms(range(8)))
    assert run(rigid, tmp_path / "slab").steps == 1
    atoms = held()
    atoms.set_constraint([FixAtoms(range(8)), FixedLine(8, (0, 0, 1))])
    relaxed = run(atoms, tmp_path / "adatom")
    assert relaxed.steps > 1
    assert relaxed.fmax <= FMAX
    assert (relaxed.atoms.positions[:8] == atoms.positions[:8]).all()


@pytest.mark.parametrize("start", [held, free])
def test_no_force_is_larger_than_asked_for(start: Callable[[], Atoms], tmp_path: Path) -> None:
    relaxed = run(start(), tmp_path / "j")
    atoms = relaxed.atoms.copy()
    atoms.calc = EMT()
    largest = np.linalg.norm(atoms.get_forces(), axis=1).max()  # with constraints
    assert largest == pytest.approx(relaxed.fmax)
    assert relaxed.fmax <= FMAX


@pytest.mark.parametrize("start", [held, free])
def test_relaxed_lies_below_its_start(start: Callable[[], Atoms], tmp_path: Path) -> None:
    relaxed = run(start(), tmp_path / "j")
    assert relaxed.energy < Emt()(start())[0] - 0.01


def test_the_energy_is_that_of_the_structure(tmp_path: Path) -> None:
    relaxed = run(free(), tmp_path / "j")
    assert relaxed.energy == Emt()(relaxed.atoms)[0]


def test_forces_may_be_rough_far_from_the_minimum_alone(tmp_path: Path) -> None:
    evaluate = Emt()
    fmax = 0.01
    run(free(), tmp_path / "j", evaluate, fmax=fmax)
    trend: list[float] = []
    run(free(), tmp_path / "j", fmax=fmax, on_progress=lambda **news: trend.append(news["fmax"]))
    assert evaluate.rough[0]  # nothing is known of it
    assert evaluate.rough.count(True) == 1 + sum(largest > NEAR * fmax for largest in trend[:-1])
    assert not evaluate.rough[-1]


def test_rough_forces_never_end_a_relaxation(tmp_path: Path) -> None:
    asked = []

    def spring(atoms: Atoms, /, *, rough: bool) -> tuple[float, np.ndarray]:
        """Give a rough answer that would end it at once."""
        bond = atoms.positions[1] - atoms.positions[0]
        length = np.linalg.norm(bond)
        force = (0.0 if rough else 2.0) * (length - 1.3) * bond / length
        asked.append((length, rough))
        return float((length - 1.3) ** 2), np.array([force, -force])

    pair = Atoms("H2", [[0, 0, 0], [0, 0, 1.0]])
    relaxed = run(pair, tmp_path / "j", spring, fmax=1e-4)
    assert relaxed.atoms.get_distance(0, 1) == pytest.approx(1.3, abs=1e-4)
    rough = [length for length, rough in asked if rough]
    assert rough
    assert set(rough) <= {length for length, rough in asked if not rough}  # asked again, there


def test_a_pair_relaxes_to_the_length_of_its_spring(tmp_path: Path) -> None:
    def spring(atoms: Atoms, /, *, rough: bool) -> tuple[float, np.ndarray]:
        bond = atoms.positions[1] - atoms.positions[0]
        length = np.linalg.norm(bond)
        force = 2.0 * (length - 1.3) * bond / length
        return float((length - 1.3) ** 2), np.array([force, -force])

    relaxed = run(Atoms("H2", [[0, 0, 0], [0, 0, 1.0]]), tmp_path / "j", spring, fmax=1e-4)
    assert relaxed.atoms.get_distance(0, 1) == pytest.approx(1.3, abs=1e-4)


def test_held_atoms_do_not_move(tmp_path: Path) -> None:
    relaxed = run(free(), tmp_path / "j")
    assert (relaxed.atoms.positions[:4] == free().positions[:4]).all()


def test_an_adatom_held_to_a_line_keeps_x_and_y(tmp_path: Path) -> None:
    adatom = run(held(), tmp_path / "j").atoms[-1].position
    assert (adatom[:2] == held()[-1].position[:2]).all()
    assert adatom[2] != held()[-1].position[2]


def test_the_start_is_not_changed(tmp_path: Path) -> None:
    atoms = free()
    run(atoms, tmp_path / "j")
    assert atoms == free()
    assert atoms.calc is None


def test_constraints_come_along(tmp_path: Path) -> None:
    constraints = run(held(), tmp_path / "j").atoms.constraints
    assert [c.todict() for c in constraints] == [c.todict() for c in held().constraints]


# ---- how many steps -----------------------------------------------------------------------------


def test_a_relaxed_start_is_evaluated_once(tmp_path: Path) -> None:
    start = run(free(), tmp_path / "first").atoms
    evaluate = Emt()
    relaxed = run(start, tmp_path / "second", evaluate)
    assert (relaxed.steps, len(evaluate.seen)) == (1, 1)
    assert (relaxed.atoms.positions == start.positions).all()


def test_steps_are_evaluations_and_journalled(tmp_path: Path) -> None:
    evaluate = Emt()
    relaxed = run(free(), tmp_path / "j", evaluate)
    assert relaxed.steps == len(evaluate.seen) == len(journal(tmp_path / "j")) > 3


@pytest.mark.parametrize("max_steps", [1, 3])
def test_it_gives_up_after_so_many_steps(tmp_path: Path, max_steps: int) -> None:
    evaluate = Emt()
    with pytest.raises(OutOfSteps, match=rf"after {max_steps} ionic steps, 0\.05 was asked for"):
        run(free(), tmp_path / "j", evaluate, max_steps=max_steps)
    assert len(evaluate.seen) == max_steps


def test_given_up_it_stays_given_up(tmp_path: Path) -> None:
    evaluate = Emt()
    for _ in range(2):
        with pytest.raises(OutOfSteps):
            run(free(), tmp_path / "j", evaluate, max_steps=3)
    assert len(evaluate.seen) == 3


def test_with_more_steps_it_goes_on(tmp_path: Path) -> None:
    with pytest.raises(OutOfSteps):
        run(free(), tmp_path / "j", max_steps=3)
    evaluate = Emt()
    relaxed = run(free(), tmp_path / "j", evaluate, max_steps=100)
    assert len(evaluate.seen) == relaxed.steps - 3
    assert relaxed.energy == run(free(), tmp_path / "whole").energy


def test_what_has_converged_needs_no_more_steps(tmp_path: Path) -> None:
    relaxed = run(free(), tmp_path / "j")
    assert run(free(), tmp_path / "j", max_steps=1).energy == relaxed.energy


def test_every_step_is_reported(tmp_path: Path) -> None:
    news: list[dict[str, Any]] = []
    relaxed = run(free(), tmp_path / "j", on_progress=lambda **n: news.append(n))
    assert [n["step"] for n in news] == list(range(1, relaxed.steps + 1))
    assert [n["fmax"] <= FMAX for n in news] == [False] * (relaxed.steps - 1) + [True]


# ---- interruptions ------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [held, free])
def test_interrupted_after_any_step_it_ends_the_same(
    start: Callable[[], Atoms], tmp_path: Path
) -> None:
    uninterrupted = Emt()
    whole = run(start(), tmp_path / "whole", uninterrupted)
    for step in range(whole.steps + 1):
        path = tmp_path / f"{step}"
        before, after = Emt(stop_after=step), Emt()
        if step < whole.steps:
            with pytest.raises(Stop):
                run(start(), path, before)
        else:
            run(start(), path, before)
        relaxed = run(start(), path, after)
        assert (relaxed.atoms.positions == whole.atoms.positions).all(), step
        assert (relaxed.energy, relaxed.fmax) == (whole.energy, whole.fmax), step
        # No step twice, none left out, each at the very same place.
        assert np.array_equal(before.seen + after.seen, uninterrupted.seen), step


def test_interrupted_at_every_step_it_ends_the_same(tmp_path: Path) -> None:
    whole = run(free(), tmp_path / "whole")
    for _ in range(whole.steps - 1):
        with pytest.raises(Stop):
            run(free(), tmp_path / "j", Emt(stop_after=1))
    relaxed = run(free(), tmp_path / "j", Emt(stop_after=1))
    assert (relaxed.atoms.positions == whole.atoms.positions).all()
    assert (tmp_path / "j").read_bytes() == (tmp_path / "whole").read_bytes()


def test_cut_within_a_step_only_that_step_is_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "j"
    whole = run(free(), path)
    path.write_bytes(path.read_bytes()[:-10])
    evaluate = Emt()
    assert run(free(), path, evaluate).energy == whole.energy
    assert len(evaluate.seen) == 1


@pytest.mark.parametrize("step", [1, 2, 4])
def test_what_the_check_raises_ends_it(tmp_path: Path, step: int) -> None:
    seen = []

    def check(atoms: Atoms) -> None:
        seen.append(atoms.positions[-1])
        if len(seen) == step:
            raise Stop

    evaluate = Emt()
    with pytest.raises(Stop):
        run(free(), tmp_path / "j", evaluate, check=check)
    assert len(evaluate.seen) == len(journal(tmp_path / "j")) == step


def test_the_check_sees_the_relaxed_structure_too(tmp_path: Path) -> None:
    seen: list[np.ndarray] = []
    relaxed = run(free(), tmp_path / "j", check=lambda atoms: seen.append(atoms.positions.copy()))
    assert (seen[-1] == relaxed.atoms.positions).all()


# ---- journals that do not fit -------------------------------------------------------------------


def without_last_atom(record: dict[str, Any]) -> dict[str, Any]:
    return record | {key: record[key][:-1] for key in ("positions", "forces")}


MISFITS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "fewer atoms": without_last_atom,
    "fewer forces": lambda r: r | {"forces": r["forces"][:-1]},
    "no forces": lambda r: {k: v for k, v in r.items() if k != "forces"},
    "ragged forces": lambda r: r | {"forces": [[1.0], [1.0, 2.0]]},
    "words": lambda r: r | {"positions": "here"},
    "no energy": lambda r: r | {"energy": None},
    "two energies": lambda r: r | {"energy": [1.0, 2.0]},
    "not a number": lambda r: r | {"energy": float("nan")},
    "elsewhere": lambda r: r | {"positions": (np.array(r["positions"]) + 0.1).tolist()},
    "a lattice": lambda _: {"lattice_constant": 4.1, "energy": -1.0},
}


@pytest.mark.parametrize(
    ("misfit", "step"), [*((misfit, 2) for misfit in MISFITS), ("fewer atoms", 0), ("elsewhere", 0)]
)
def test_from_a_step_that_does_not_fit_on_it_is_computed_afresh(
    tmp_path: Path, misfit: str, step: int
) -> None:
    whole = run(free(), tmp_path / "whole")
    records: list[dict[str, Any]] = [dict(record) for record in journal(tmp_path / "whole")]
    records[step] = MISFITS[misfit](records[step])
    written = Journal(tmp_path / "j", dict[str, Any])
    for record in records:
        written.append(record)
    evaluate = Emt()
    relaxed = run(free(), tmp_path / "j", evaluate)
    assert len(evaluate.seen) == whole.steps - step
    assert (relaxed.atoms.positions == whole.atoms.positions).all()
    assert damaged(tmp_path) == ["j.damaged-1"]


def test_a_journal_of_another_structure_is_not_used(tmp_path: Path) -> None:
    other = free()
    other.positions[-1, 0] += 0.3
    run(other, tmp_path / "j")
    (tmp_path / "whole").mkdir()
    relaxed = run(free(), tmp_path / "j")
    assert relaxed.energy == run(free(), tmp_path / "whole" / "j").energy
    assert damaged(tmp_path) == ["j.damaged-1"]


def test_a_journal_with_a_step_taken_out_is_used_up_to_there(tmp_path: Path) -> None:
    run(free(), tmp_path / "j")
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    (tmp_path / "j").write_bytes(b"".join(lines[:1] + lines[3:]))
    evaluate = Emt()
    run(free(), tmp_path / "j", evaluate)
    assert len(evaluate.seen) == len(lines) - 1


def test_last_digits_of_another_machine_do_not_matter(tmp_path: Path) -> None:
    whole = run(free(), tmp_path / "whole")
    written = Journal(tmp_path / "j", Step)
    for step in journal(tmp_path / "whole"):
        step["positions"] = (np.array(step["positions"]) + 1e-9).tolist()
        written.append(step)
    evaluate = Emt()
    assert run(free(), tmp_path / "j", evaluate).energy == whole.energy
    assert evaluate.seen == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("what", ["energy", "force"])
def test_what_is_not_a_number_is_neither_used_nor_kept(
    tmp_path: Path, number: float, what: str
) -> None:
    def evaluate(atoms: Atoms, /, *, rough: bool) -> tuple[float, np.ndarray]:
        forces = np.zeros((len(atoms), 3))
        if what == "force":
            forces[0, 0] = number
        return (number if what == "energy" else -1.0), forces

    with pytest.raises(ValueError, match="not a finite number"):
        run(free(), tmp_path / "j", evaluate)
    assert journal(tmp_path / "j") == []


def test_a_resumed_relaxation_starts_from_the_moments_of_its_last_step(tmp_path: Path) -> None:
    started: list[list[float]] = []

    def evaluate(atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:
        started.append(atoms.get_initial_magnetic_moments().tolist())
        return surface(atoms, rough=rough)

    def relaxed() -> Relaxed:
        return relax(
            begun, evaluate, Journal(tmp_path / "steps.jsonl", Step, "it"), fmax=FMAX,
            max_steps=100, moments=lambda: [0.5] * len(begun),
        )  # fmt: skip

    begun = held()
    begun.set_initial_magnetic_moments([2.0] * len(begun))
    surface = Emt(stop_after=2)
    with pytest.raises(Stop):
        relaxed()
    assert started[0] == [2.0] * len(begun)
    started.clear()
    surface = Emt()
    assert relaxed().atoms.get_initial_magnetic_moments().tolist() == [0.5] * len(begun)
    assert started[0] == [0.5] * len(begun)
