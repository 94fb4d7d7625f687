"""The nudged elastic band on a surface whose saddles are known, and a copper atom's hop by EMT."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from structures.hop import neighbouring_minimum
from workflows.steps.optimize import OutOfSteps
from workflows.steps.path import Evaluation, find_path
from workflows.steps.path import Path as Found
from workflows.tasks.journal import Journal

# K. Mueller and L. D. Brown, Theor. Chim. Acta 53, 75 (1979)
HEIGHT = np.array([-200.0, -100.0, -170.0, 15.0])
A, B, C = np.array([[-1.0, -1.0, -6.5, 0.7], [0.0, 0.0, 11.0, 0.6], [-10.0, -10.0, -6.5, 0.7]])
X0, Y0 = np.array([[1.0, 0.0, -0.5, -1.0], [0.0, 0.5, 1.5, 1.0]])
SCALE = 0.01  # to eV and angstrom of reasonable size

MINIMA = (-0.558224, 1.441726), (-0.050011, 0.466694)
SADDLE, SADDLE_ENERGY = (-0.822002, 0.624313), -40.664844


def mueller_brown(_image: int, atoms: Atoms) -> tuple[float, np.ndarray]:
    x, y, z = atoms.positions[0]
    dx, dy = x - X0, y - Y0
    terms = HEIGHT * np.exp(A * dx**2 + B * dx * dy + C * dy**2)
    gradient = [
        (terms * (2 * A * dx + B * dy)).sum(),
        (terms * (B * dx + 2 * C * dy)).sum(),
        0.0,
    ]
    force = -SCALE * np.array([gradient]) - [[0.0, 0.0, z]]
    return float(SCALE * terms.sum() + 0.5 * z**2), force


def at(place: tuple[float, float]) -> Atoms:
    return Atoms("H", [(*place, 0.0)])


ENDS = at(MINIMA[0]), at(MINIMA[1])
ENERGIES = mueller_brown(0, ENDS[0])[0], mueller_brown(0, ENDS[1])[0]


def band() -> list[Atoms]:
    parts = np.linspace(0.0, 1.0, 9)
    first, last = np.array(MINIMA)
    return [at(tuple(first + part * (last - first))) for part in parts]


class Counted:
    """The surface, with a count of calls; interrupted before call `stop`."""

    def __init__(self, stop: int | None = None) -> None:
        self.calls, self.stop = 0, stop

    def __call__(self, image: int, images: Sequence[Atoms]) -> list[tuple[float, np.ndarray]]:
        if self.calls == self.stop:
            raise KeyboardInterrupt
        self.calls += 1
        return [mueller_brown(number, atoms) for number, atoms in enumerate(images, image)]


def search(folder: Path, evaluate: Counted, max_steps: int = 500, at_once: int = 1) -> Found:
    journal = Journal(folder / "band.jsonl", Evaluation, "made up")
    return find_path(
        ENDS, ENERGIES, 7, evaluate, journal, fmax=0.005, max_steps=max_steps, at_once=at_once,
        start=band(),
    )  # fmt: skip


def test_the_highest_image_climbs_to_the_saddle(tmp_path: Path) -> None:
    found = search(tmp_path, Counted())
    highest = int(np.argmax(found.energies))
    assert found.images[highest].positions[0, :2] == pytest.approx(SADDLE, abs=0.01)
    assert found.energies[highest] == pytest.approx(SCALE * SADDLE_ENERGY, abs=1e-4)
    assert found.fmax <= 0.005
    assert (found.energies[0], found.energies[-1]) == ENERGIES


def test_a_killed_search_takes_the_same_way_and_computes_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = Counted()
    uninterrupted = search(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, Counted(stop=40))
    rest = Counted()
    resumed = search(tmp_path, rest)
    assert rest.calls == whole.calls - 40
    assert resumed.energies == uninterrupted.energies


def test_images_that_are_computed_together_take_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    alone, together = Counted(), Counted()
    one_by_one = search(tmp_path / "alone", alone)
    assert search(tmp_path, together, at_once=3).energies == one_by_one.energies
    assert together.calls == 3 * one_by_one.iterations  # 3 + 3 + 1 images
    assert alone.calls == 7 * one_by_one.iterations
    # a search that was stopped on few ranks is resumed on more, in the middle of the band
    journal = tmp_path / "alone" / "band.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-4]))
    rest = Counted()
    assert search(tmp_path / "alone", rest, at_once=3).energies == one_by_one.energies
    assert rest.calls == 2  # 3 + 1


def test_too_few_iterations_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(OutOfSteps, match="after 3 iterations of the band"):
        search(tmp_path, Counted(), max_steps=3)


def test_a_copper_atom_hops_between_hollows_over_the_bridge(tmp_path: Path) -> None:
    clean = fcc100("Cu", (3, 3, 3), vacuum=8.0)
    clean.pbc = (True, True, False)
    atoms = clean.copy()
    add_adsorbate(atoms, "Cu", 1.7, "hollow", offset=(1, 1))
    for system in (clean, atoms):
        system.calc = EMT()
        BFGS(system, logfile=None).run(fmax=0.01)
    energy = float(atoms.get_potential_energy())
    there = neighbouring_minimum(atoms, clean)
    assert there.minima == 4
    assert there.length == pytest.approx(3.61 / np.sqrt(2), abs=0.01)

    def emt(_image: int, images: Sequence[Atoms]) -> list[tuple[float, np.ndarray]]:
        copy = images[0].copy()
        copy.set_constraint()
        copy.calc = EMT()
        return [(float(copy.get_potential_energy()), copy.get_forces())]

    ((carried, _),) = emt(0, [there.atoms])
    assert carried == pytest.approx(energy, abs=1e-4)
    journal = Journal(tmp_path / "band.jsonl", Evaluation, "made up")
    ends = atoms.copy(), there.atoms
    found = find_path(ends, (energy, energy), 3, emt, journal, fmax=0.03, max_steps=100)
    # held above the bridge, everything else relaxed: by symmetry this is the saddle
    bridge = clean.copy()
    add_adsorbate(bridge, "Cu", 1.9, "bridge", offset=(1, 1))
    bridge.calc = EMT()
    BFGS(bridge, logfile=None).run(fmax=0.01)
    over = float(bridge.get_potential_energy()) - energy
    assert max(found.energies) - energy == pytest.approx(over, abs=0.01)
    assert 0.2 < over < 1.0
