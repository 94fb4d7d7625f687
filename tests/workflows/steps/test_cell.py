"""Crystals relaxed by stress, with the energies of effective-medium theory in the place of DFT."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.io import write
from ase.optimize import BFGS

from tests.hosts import case_file
from tests.workflows.steps.test_steps import MadeUp, at_rest
from workflows.case.reading import read
from workflows.case.schema import Case
from workflows.dft.band import Band
from workflows.steps import carry_out
from workflows.steps.cell import STRESS
from workflows.steps.context import TaskContext, TaskFailed
from workflows.tasks.cut import lattice_of
from workflows.tasks.finished import Finished
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan
from workflows.tasks.records import VALUES
from workflows.tasks.validation import checked

FMAX = ("fmax = 0.2", "fmax = 0.01")


class OfEMT(MadeUp):
    """Effective-medium theory for crystals of Cu and Al, which ends after so many calls."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__(at_rest)
        self.most = most

    def __call__(self, atoms: Atoms, /, *, rough: bool = False) -> tuple[float, np.ndarray]:  # noqa: ARG002
        if self.calls == self.most:
            raise KeyboardInterrupt
        self.calls += 1
        self.last = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
        self.last.calc = EMT()
        return float(self.last.get_potential_energy()), self.last.get_forces()

    def stress(self) -> np.ndarray:
        assert self.last is not None
        return np.array(self.last.get_stress(voigt=False))


def tetragonal() -> Atoms:
    """Return CuAl in the structure of AuCu, with atoms in the plane of free coordinates moved."""
    atoms = Atoms("CuAl", [[0, 0, 0], [1.4, 1.4, 1.9]], cell=[2.8, 2.8, 3.8], pbc=True)
    atoms = atoms.repeat((1, 1, 2))
    atoms.positions[2, 2] += 0.1
    atoms.positions[3, 2] += 0.05
    return atoms


def case(folder: Path, lines: str = "") -> Case:
    host = f'file = "CuAl.cif"\nmiller = [0, 0, 1]\ntermination = "Cu-1"\n{lines}'
    path = case_file(folder, host, FMAX)
    write(folder / "CuAl.cif", tetragonal())
    return read(path)


def context(folder: Path, of: Case, made: MadeUp) -> TaskContext:
    (task,) = (t for t in plan(of).values() if t.kind == "lattice" and t.surface == "host")
    folder.mkdir(exist_ok=True)
    return TaskContext(
        task, of, TaskFolder(folder, "lattice"), "fingerprint", Finished({}), lambda **_: None,
        lambda *_: made, Band,
    )  # fmt: skip


def test_a_crystal_is_relaxed_as_ase_relaxes_it_and_resumed_after_a_stop(tmp_path: Path) -> None:
    of = case(tmp_path / "case")
    whole = OfEMT()
    outcome = carry_out(context(tmp_path / "whole", of, whole))
    values = checked(VALUES["lattice"], dict(outcome.values))
    assert values["stress"] <= 0.1
    assert values["atoms"] == 4
    relaxed = lattice_of(values)
    assert isinstance(relaxed, Atoms)
    assert values["lattice_constant"] == pytest.approx(relaxed.cell.lengths()[0])
    relaxed.calc = EMT()
    assert relaxed.get_potential_energy() == pytest.approx(values["energy"], abs=1e-6)
    assert abs(relaxed.get_forces()).max() < 0.011
    assert abs(relaxed.get_stress()).max() < 1.01 * STRESS
    assert abs(relaxed.cell.lengths()[2] - 7.6) > 0.1  # it has moved

    theirs = tetragonal()
    theirs.calc = EMT()
    BFGS(FrechetCellFilter(theirs), logfile=None).run(fmax=0.001)
    assert values["energy"] == pytest.approx(theirs.get_potential_energy(), abs=2e-3)
    assert relaxed.cell.lengths() == pytest.approx(theirs.cell.lengths(), abs=0.02)

    with pytest.raises(KeyboardInterrupt):
        carry_out(context(tmp_path / "stopped", of, OfEMT(3)))
    rest = OfEMT()
    resumed = carry_out(context(tmp_path / "stopped", of, rest)).values
    assert dict(resumed)["energy"] == values["energy"]
    assert rest.calls == whole.calls - 3


def test_in_plane_the_third_vector_stays(tmp_path: Path) -> None:
    of = case(tmp_path / "case", 'relax_cell = "in-plane"\n')
    outcome = carry_out(context(tmp_path / "task", of, OfEMT()))
    relaxed = lattice_of(checked(VALUES["lattice"], dict(outcome.values)))
    assert isinstance(relaxed, Atoms)
    assert relaxed.cell.lengths()[2] == pytest.approx(7.6)
    assert abs(relaxed.cell.lengths()[0] - 2.8) > 0.01
    relaxed.calc = EMT()
    stress_c = abs(relaxed.get_stress())
    assert stress_c[:2].max() < 1.01 * STRESS < stress_c[2]


def test_a_crystal_that_never_comes_to_rest_runs_out_of_steps(tmp_path: Path) -> None:
    of = case(tmp_path / "case")
    few = of.model_copy(update={"relax": of.relax.model_copy(update={"max_steps": 2})})
    with pytest.raises(TaskFailed) as error:
        carry_out(context(tmp_path / "task", few, OfEMT()))
    assert error.value.reason == "out-of-steps"
    assert "GPa after 2 steps" in str(error.value)


def test_a_cubic_crystal_has_the_lattice_constant_of_its_equation_of_state(tmp_path: Path) -> None:
    path = case_file(tmp_path / "case", 'element = "Al"\nmiller = [1, 1, 1]\n')
    outcome = carry_out(context(tmp_path / "task", read(path), OfEMT()))
    values = checked(VALUES["lattice"], dict(outcome.values))
    theirs = bulk("Al", a=4.0)
    theirs.calc = EMT()
    BFGS(FrechetCellFilter(theirs), logfile=None).run(fmax=1e-4)
    assert lattice_of(values) == pytest.approx(theirs.cell.lengths()[0] * 2**0.5, abs=2e-3)
