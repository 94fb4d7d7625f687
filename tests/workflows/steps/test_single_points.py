"""Single points that refine energies: of which structure, with which settings; and real GPAW."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk as crystal_of

from structures.bulk import isolated_atom
from tests.made_up import values_of
from tests.paths import TINY
from workflows.case.reading import parse
from workflows.dft.band import Band
from workflows.dft.calculation import Calculation
from workflows.dft.interface import IsolatedAtom, Periodic
from workflows.steps import carry_out
from workflows.steps.context import TaskContext
from workflows.steps.initial import clean_slab
from workflows.tasks.atoms_json import to_json
from workflows.tasks.finished import Finished
from workflows.tasks.folder import Result, TaskFolder
from workflows.tasks.graph import plan, settings_of, slab_task
from workflows.tasks.status import State

FINER = """
[refine]
cutoff = 260.0
kpoints = { host_slab = [2, 3, 1] }
"""
CASE = parse(
    (TINY.read_text(encoding="utf-8") + FINER)
    .replace("same_basin = false", "same_basin = true")
    .encode(),
    "tiny",
)
TASKS = plan(CASE)
SLAB = clean_slab(slab_task(CASE, "host"), 4.2)


def done(name: str, **changes: Any) -> State:
    task = TASKS[name]
    if task.kind not in ("lattice", "atom", "refined"):
        changes = {"structure": to_json(SLAB)} | changes
    return State(task, "done", result=Result("", values_of(task.kind, **changes), {}, 1.0, {}))


class Recorder:
    """Stands for GPAW: keeps the structure that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Atoms] = []
        self.scf_iterations, self.seconds, self.retries = 7, 0.0, list[str]()

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:
        assert not rough
        self.asked.append(atoms)
        return -2.5, np.zeros((len(atoms), 3))


def context(folder: Path, name: str, new_calculation: Any, *needs: State) -> TaskContext:
    parents = {need: done(need) for need in TASKS[name].needs}
    parents |= {state.task.name: state for state in needs}
    task = TASKS[name]
    made = TaskFolder(folder, task.kind)
    return TaskContext(
        task, CASE, made, "fingerprint", Finished(parents), lambda **_: None, new_calculation, Band
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VN-slab-refined", SLAB),
        ("VN-top-V-free-refined", SLAB),
        ("VN-top-V-held-basin-refined", SLAB),
        ("Na-atom-refined", isolated_atom("Na", CASE.atom.box)),
    ],
)
def test_a_single_point_is_of_the_structure_that_it_refines(
    tmp_path: Path, name: str, expected: Atoms
) -> None:
    made = Recorder()
    values: Any = carry_out(context(tmp_path, name, lambda *_: made)).values
    assert values["energy"] == -2.5
    (asked,) = made.asked
    assert asked == expected
    assert len(asked.constraints) == len(expected.constraints)


def test_a_single_point_has_the_refined_settings(tmp_path: Path) -> None:
    given: list[Any] = []

    def new(settings: Any, system: Any, *_: Any) -> Recorder:
        given.append((settings.cutoff, system.kpoints, system.dipole_correction))
        return Recorder()

    carry_out(context(tmp_path, "VN-slab-refined", new))
    assert given == [(260.0, (2, 3, 1), True)]
    assert settings_of(CASE, TASKS["VN-slab"]).cutoff == 200.0


def test_the_same_bare_slab_is_not_computed_twice(tmp_path: Path) -> None:
    made, twin = Recorder(), done("VN-top-V-held-basin-refined", energy=-3.25)
    same = done("VN-top-V-free-basin", same_as="VN-top-V-held-basin")
    name = "VN-top-V-free-basin-refined"
    values: Any = carry_out(context(tmp_path, name, lambda *_: made, same, twin)).values
    assert (values["energy"], values["same_as"]) == (-3.25, "VN-top-V-held-basin-refined")
    assert not made.asked

    other = done("VN-top-V-free-basin")
    values = carry_out(context(tmp_path, name, lambda *_: made, other, twin)).values
    assert values["energy"] == -2.5


@pytest.mark.slow
def test_gpaw_gives_the_energy_that_the_refined_settings_have(tmp_path: Path) -> None:
    """Of the atom, and of a slab's task with bulk Na in the slab's place, for speed."""

    def energy(settings: Any, system: Any, atoms: Atoms) -> float:
        log = tmp_path / f"{settings.cutoff}-{len(atoms)}.txt"
        return Calculation(settings, system, lambda: log)(atoms)[0]

    bcc = crystal_of("Na", "bcc", a=4.2)
    for name, atoms, system, changes in (
        ("Na-atom-refined", isolated_atom("Na", CASE.atom.box), IsolatedAtom(), {}),
        ("Na-slab-refined", bcc, Periodic((1, 1, 1)), {"structure": to_json(bcc)}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        state = done(TASKS[name].needs[0], **changes)
        values: Any = carry_out(context(folder, name, Calculation, state)).values
        finer = energy(CASE.refined.dft, system, atoms)
        assert values["energy"] == pytest.approx(finer, abs=1e-5)
        assert abs(values["energy"] - energy(CASE.dft, system, atoms)) > 1e-3
