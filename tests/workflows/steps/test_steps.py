"""What tasks do when physics goes wrong: each way is named, and none leaves a number.

The energy surfaces here are made up (a force that pulls an atom away, say), because no real surface
goes wrong on demand; everything around them is real.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from analysis.charge import Density
from analysis.localisation import Localisation
from tests.made_up import values_of
from tests.paths import TINY
from workflows.case.reading import read
from workflows.case.schema import Case, Checks
from workflows.dft.band import Band
from workflows.dft.interface import AtomsCollide, DensitiesOfStates, Electrostatics, NotConverged
from workflows.steps import carry_out
from workflows.steps.context import TaskContext, TaskFailed
from workflows.steps.cubes import keep_density, kept_density
from workflows.steps.initial import clean_slab
from workflows.steps.lattice import STRAINS, Point
from workflows.steps.relaxations import PUSHES, SAME_START
from workflows.tasks.atoms_json import from_json, to_json
from workflows.tasks.finished import Finished
from workflows.tasks.folder import DENSITY, Result, TaskFolder
from workflows.tasks.graph import plan, slab_task
from workflows.tasks.records import VALUES
from workflows.tasks.status import State
from workflows.tasks.validation import checked

CASE: Case = read(TINY).model_copy(update={"checks": Checks()})
TASKS = plan(CASE)
Surface = Callable[[Atoms], tuple[float, np.ndarray]]


@dataclass
class MadeUp:
    """A calculation with a made-up energy surface; counts the structures that it is asked for."""

    surface: Surface
    calls: int = 0
    last: Atoms | None = None
    scf_iterations: int = 0
    cell_cv: np.ndarray = field(default_factory=lambda: np.eye(3))
    seconds: float = 0.0
    retries: list[str] = field(default_factory=list)

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:  # noqa: ARG002
        if atoms != self.last:  # rough forces are asked for again where they turn out small
            self.calls += 1
            self.scf_iterations += 10
            self.last = atoms.copy()
        return self.surface(atoms)

    def stress(self) -> np.ndarray:
        return np.zeros((3, 3))

    def converge(self, atoms: Atoms, /) -> Atoms:
        self.cell_cv = np.array(atoms.cell)
        return atoms

    def electrostatics(self) -> Electrostatics:
        return {"z": [0.0], "potential": [0.0], "fermi_level": 0.0}

    def all_electron_density(self) -> Density:
        return Density(np.ones((2, 2, 2)), self.cell_cv)

    def densities_of_states(
        self, energies: Sequence[float], groups: Mapping[str, Sequence[int]], width: float
    ) -> DensitiesOfStates:
        level = [width] * len(energies)
        projected = {f"{name} s": level for name in groups}
        return {
            "energies": list(energies), "total": level, "projected": projected, "radii": {"Na": 1.0}
        }  # fmt: skip

    def localisation(self) -> Localisation:
        return Localisation(np.full((2, 2, 2), 0.5), self.cell_cv)

    def functionals(self, names: Sequence[str], /) -> dict[str, float]:
        return {"PBE": -1.0} | dict.fromkeys(names, -2.0)

    def beef_contributions(self) -> list[float]:
        return [0.5] * 32

    def magnetic_moment(self) -> float:
        return 1.0

    def magnetic_moments(self) -> list[float]:
        return [0.5, 0.5]


def at_rest(atoms: Atoms) -> tuple[float, np.ndarray]:
    return -1.0, np.zeros((len(atoms), 3))


def pulling(atom: int, force: tuple[float, float, float]) -> Surface:
    def surface(atoms: Atoms) -> tuple[float, np.ndarray]:
        # a pull that grows a little on the way: BFGS learns nothing from a constant one
        pull = np.array(force) * (1.0 + 0.01 * abs(atoms.positions[atom, 2] - 9.0))
        forces = np.zeros((len(atoms), 3))
        forces[atom] = pull
        return -float(atoms.positions[atom] @ pull), forces

    return surface


def raising(error: Exception) -> Surface:
    def surface(_atoms: Atoms) -> tuple[float, np.ndarray]:
        raise error

    return surface


def done(name: str, **changes: Any) -> State:
    """Return a task that is done, with the unrelaxed slab as its structure."""
    task = TASKS[name]
    if task.kind not in ("lattice", "atom"):
        changes = {"structure": to_json(clean_slab(slab_task(CASE, "host"), 4.2))} | changes
    result = Result("made up", values_of(task.kind, **changes), {}, 1.0, {})
    return State(task, "done", result=result)


def context(
    folder: Path, name: str, made: MadeUp | Surface = at_rest, *needs: State, **case: Any
) -> TaskContext:
    """Return what a task works with, its calculations having a made-up energy surface.

    `needs` are tasks that it needs, instead of those with the unrelaxed slab.
    """
    calculation = made if isinstance(made, MadeUp) else MadeUp(made)
    folder.mkdir(exist_ok=True)
    parents = {need: done(need) for need in TASKS[name].needs}
    return TaskContext(
        TASKS[name],
        CASE.model_copy(update=case),
        TaskFolder(folder, TASKS[name].kind),
        "fingerprint",
        Finished(parents | {state.task.name: state for state in needs}),
        lambda **_: None,
        lambda *_: calculation,
        Band,
    )


def values_in(context: TaskContext) -> dict[str, Any]:
    """Do a task; return its values, which are those of its kind."""
    values = carry_out(context).values
    return checked(VALUES[context.task.kind], dict(values))


def reason(context: TaskContext) -> str:
    with pytest.raises(TaskFailed) as error:
        carry_out(context)
    assert "\n" not in str(error.value)
    return error.value.reason


HELD = "VN-top-V-held"


def test_an_adatom_that_flies_away_is_desorbed(tmp_path: Path) -> None:
    steps = CASE.relax.model_copy(update={"max_steps": 500})
    away = pulling(-1, (0.0, 0.0, 2.0))
    assert reason(context(tmp_path, HELD, away, relax=steps)) == "desorbed"


def test_an_adatom_that_is_pulled_down_is_too_close_or_absorbed(tmp_path: Path) -> None:
    assert reason(context(tmp_path, HELD, pulling(-1, (0.0, 0.0, -5.0)))) in (
        "too-close",
        "absorbed",
    )


def test_a_slab_atom_that_leaves_breaks_the_slab(tmp_path: Path) -> None:
    outward = pulling(3, (0.0, 0.0, 3.0))
    assert reason(context(tmp_path, "VN-slab", outward)) == "slab-broken"


def test_forces_that_never_vanish_run_out_of_steps(tmp_path: Path) -> None:
    dice = np.random.default_rng(1)

    def noise(atoms: Atoms) -> tuple[float, np.ndarray]:
        return 0.0, dice.normal(size=(len(atoms), 3)) * 0.5

    few = CASE.relax.model_copy(update={"max_steps": 3})
    made = MadeUp(noise)
    assert reason(context(tmp_path, HELD, made, relax=few)) == "out-of-steps"
    assert made.calls == 3


def test_more_steps_go_on_from_those_taken(tmp_path: Path) -> None:
    few = CASE.relax.model_copy(update={"max_steps": 2})
    assert reason(context(tmp_path, HELD, spring, relax=few)) == "out-of-steps"
    more = MadeUp(spring)
    values = values_in(context(tmp_path, HELD, more))
    assert values["steps"] == 2 + more.calls
    assert values["scf_iterations"] == 10 * values["steps"]  # those before the stop included
    assert values["fmax"] <= CASE.relax.fmax


def spring(atoms: Atoms) -> tuple[float, np.ndarray]:
    """Hold the adatom at 2.2 angstrom above the highest slab atom, softly."""
    stretch = atoms.positions[-1, 2] - atoms.positions[:-1, 2].max() - 2.2
    forces = np.zeros((len(atoms), 3))
    forces[-1, 2] = -4.0 * stretch
    return 2.0 * stretch**2, forces


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NotConverged("after 9 iterations"), "scf-not-converged"),
        (AtomsCollide("x"), "atoms-too-close"),
    ],
)
def test_errors_of_the_calculation_have_their_names(
    tmp_path: Path, error: Exception, name: str
) -> None:
    assert reason(context(tmp_path, HELD, raising(error))) == name


def test_a_bug_is_not_taken_for_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        carry_out(context(tmp_path, HELD, raising(ZeroDivisionError())))


def test_a_free_adatom_starts_off_its_site_and_names_where_it_ended(tmp_path: Path) -> None:
    held = values_in(context(tmp_path / "held", HELD, spring))
    start = done(HELD, structure=held["structure"])
    values = values_in(context(tmp_path / "free", "VN-top-V-free", spring, start))
    assert values["ended_at"] == "top-V"
    assert values["site_offset"] == pytest.approx(0.05)
    assert values["site_curvature"] == pytest.approx(0.0)


@pytest.mark.parametrize(("curvature", "saddle"), [(-0.5, True), (0.5, False)])
def test_a_saddle_is_told_from_a_minimum(tmp_path: Path, curvature: float, *, saddle: bool) -> None:
    start = from_json(values_in(context(tmp_path / "held", HELD, spring))["structure"])

    def bowl(atoms: Atoms) -> tuple[float, np.ndarray]:
        push = atoms.positions[-1] - start.positions[-1]
        forces = np.zeros((len(atoms), 3))
        forces[-1] = -curvature * push
        return 0.5 * curvature * float(push @ push), forces

    on_site = done(HELD, structure=to_json(start))
    values = values_in(context(tmp_path / "free", "VN-top-V-free", bowl, on_site))
    assert values["site_curvature"] == pytest.approx(curvature)
    assert values["saddle"] is saddle
    # where it did not leave, it was pushed farther before the saddle was believed
    assert values["pushed"] == (PUSHES[-1] if saddle else PUSHES[0])


def test_a_slab_that_the_adatom_has_tipped_over_is_compared_in_its_own_basin(
    tmp_path: Path,
) -> None:
    held = from_json(values_in(context(tmp_path / "held", "VN-top-V-held", spring))["structure"])
    held.positions[2, 2] += 0.4  # an atom of the slab, in another minimum
    tipped = done(HELD, structure=to_json(held))
    values = values_in(context(tmp_path / "basin", "VN-top-V-held-basin", at_rest, tipped))
    bare = from_json(values["structure"])
    assert list(bare.symbols) == list(held.symbols)[:-1]
    assert bare.positions[2, 2] == pytest.approx(held.positions[2, 2])

    first = done("VN-top-V-held-basin", **values)
    again, free = MadeUp(at_rest), done("VN-top-V-free", structure=to_json(held))
    found = values_in(context(tmp_path / "again", "VN-top-V-free-basin", again, free, first))
    assert found["same_as"] == "VN-top-V-held-basin"
    assert again.calls == 0

    held.positions[1, 2] += 2 * SAME_START  # not where the other began: computed
    free = done("VN-top-V-free", structure=to_json(held))
    found = values_in(context(tmp_path / "other", "VN-top-V-free-basin", again, free, first))
    assert "same_as" not in found
    assert again.calls == 1


def test_a_wide_clean_slab_starts_from_the_relaxed_smallest_cell(tmp_path: Path) -> None:
    seen: list[int] = []

    def surface(atoms: Atoms) -> tuple[float, np.ndarray]:
        """Pull the top layer's anions 0.1 angstrom outward of where they are built."""
        seen.append(len(atoms))
        top_anions = (atoms.get_tags() == 1) & (atoms.numbers == 7)
        stretch = atoms.positions[top_anions, 2] - (5.0 + 2.1 + 0.1)
        forces = np.zeros((len(atoms), 3))
        forces[top_anions, 2] = -5.0 * stretch
        return float(2.5 * (stretch**2).sum()), forces

    wide = CASE.slab.model_copy(update={"cell": "2x2"})
    task = slab_task(CASE.model_copy(update={"slab": wide}), "host")
    values = values_in(replace(context(tmp_path, "VN-slab", surface), task=task))
    relaxed = from_json(values["structure"])
    assert (seen[0], seen[-1]) == (4, 16)
    assert values["steps"] == 1  # it was there at once
    top_anions = (relaxed.get_tags() == 1) & (relaxed.numbers == 7)
    assert relaxed.positions[top_anions, 2] == pytest.approx(7.2, abs=0.05)


def parabola(minimum: float) -> Surface:
    def surface(atoms: Atoms) -> tuple[float, np.ndarray]:
        constant = (4 * atoms.get_volume()) ** (1 / 3)
        return 30.0 * (constant - minimum) ** 2, np.zeros((len(atoms), 3))

    return surface


@pytest.mark.parametrize("minimum", [4.08, 4.20, 3.90, 4.45])
def test_the_lattice_constant_is_found_near_the_guess_and_beyond(
    tmp_path: Path, minimum: float
) -> None:
    found = values_in(context(tmp_path, "VN-lattice", parabola(minimum)))
    assert found["lattice_constant"] == pytest.approx(minimum, abs=2e-3)


def test_an_energy_without_a_minimum_is_no_lattice(tmp_path: Path) -> None:
    def slope(atoms: Atoms) -> tuple[float, np.ndarray]:
        return -float(atoms.get_volume()), np.zeros((len(atoms), 3))

    assert reason(context(tmp_path, "VN-lattice", slope)) == "no-minimum"


def test_an_equation_of_state_goes_on_from_its_last_volume(tmp_path: Path) -> None:
    whole, rest = MadeUp(parabola(4.08)), MadeUp(parabola(4.08))
    done_in_one = context(tmp_path / "whole", "VN-lattice", whole)
    expected = values_in(done_in_one)
    cut = context(tmp_path / "cut", "VN-lattice", rest)
    journal = cut.journal(Point)
    for point in done_in_one.journal(Point).records[:3]:
        journal.append(point)
    assert values_in(cut)["lattice_constant"] == expected["lattice_constant"]
    assert rest.calls == whole.calls - 3


def test_the_equation_of_state_of_other_settings_is_not_resumed(tmp_path: Path) -> None:
    coarse = replace(
        context(tmp_path / "coarse", "VN-lattice", parabola(4.08)), fingerprint="at 200 eV"
    )
    values_in(coarse)
    shutil.copytree(tmp_path / "coarse", tmp_path / "fine")
    fine = MadeUp(parabola(4.20))
    found = values_in(context(tmp_path / "fine", "VN-lattice", fine))
    assert found["lattice_constant"] == pytest.approx(4.20, abs=2e-3)
    assert fine.calls >= len(STRAINS)
    assert (tmp_path / "fine" / "steps.jsonl.damaged-1").exists()


def test_a_surface_that_lost_its_net_has_no_sites_to_start_from(tmp_path: Path) -> None:
    start = from_json(values_in(context(tmp_path / "held", HELD, spring))["structure"])
    top = start.get_tags() == 1
    start.positions[top, :2] = start.positions[top, :2].mean(axis=0)  # one over the other
    start.positions[top, 2] -= [2.0, 0.0]
    flat = done(HELD, structure=to_json(start))
    assert reason(context(tmp_path / "free", "VN-top-V-free", at_rest, flat)) == "no-sites"


def test_an_adatom_on_a_surface_that_lost_its_net_keeps_its_energy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_net(_atoms: Atoms, _ideal: Atoms | None) -> None:
        raise ValueError("no square net")

    monkeypatch.setattr("structures.sites.find_site", no_net)
    values = values_in(context(tmp_path, HELD))
    assert (values["energy"], values["ended_at"], values["site_offset"]) == (-1.0, None, None)


@pytest.mark.parametrize("what", ["as written", "other", "pipe", "missing"])
def test_a_kept_density_is_used_only_as_it_was_written(tmp_path: Path, what: str) -> None:
    folder = TaskFolder(tmp_path / HELD, "held")
    folder.path.mkdir()
    calculation = MadeUp(at_rest)
    calculation.converge(clean_slab(slab_task(CASE, "host"), 4.2))
    digest = keep_density(folder, calculation)
    if what == "other":
        with (folder / DENSITY).open("ab") as file:
            file.write(b"more")
    elif what != "as written":
        (folder / DENSITY).unlink()
    if what == "pipe":
        os.mkfifo(folder / DENSITY)
    held = done(HELD, density=digest)
    task: TaskContext[Any] = context(tmp_path / "density", "VN-top-V-density", at_rest, held)
    found = kept_density(task, clean_slab(slab_task(CASE, "host"), 4.2))
    assert list(found) == (["total"] if what == "as written" else [])
