"""Vacuum levels and work functions of potentials that are known."""

from typing import Any

import numpy as np
import pytest

from analysis.figures import style
from analysis.figures.potential import draw_potential
from analysis.potential import Potential, work_functions

Z = np.linspace(0.0, 20.0, 401)
FERMI = -1.5
ATOMS = (7.0, 13.0)


def well(step: float = 0.0, slope: float = 0.0) -> np.ndarray:
    """Give a well 12 eV deep, the vacuum above it `step` (eV) higher, tilted (eV/angstrom)."""
    walls = 0.5 * (np.tanh(2.0 * (Z - 5.5)) - np.tanh(2.0 * (Z - 14.5)))
    return -12.0 * walls + step / (1.0 + np.exp(-4.0 * (Z - 10.0))) + slope * Z + 3.0


def along_z(potential: np.ndarray) -> Potential:
    return Potential(Z, potential, FERMI)


def test_both_sides_of_a_symmetric_slab_are_alike() -> None:
    found = work_functions(along_z(well()), ATOMS)
    assert found.below.work_function == pytest.approx(4.5, abs=1e-6)
    assert found.above.work_function == pytest.approx(found.below.work_function)
    assert found.above.flatness < 1e-4
    assert found.dipole_step == pytest.approx(0.0, abs=1e-9)


def test_a_dipole_makes_the_sides_differ_by_its_step() -> None:
    found = work_functions(along_z(well(step=-0.8)), ATOMS)
    assert found.dipole_step == pytest.approx(-0.8, abs=1e-6)
    assert found.above.work_function == pytest.approx(3.7, abs=1e-6)


def test_a_tilted_vacuum_is_not_flat() -> None:
    # without a dipole correction the vacuum has a slope: 1 angstrom of 0.09 eV/angstrom
    found = work_functions(along_z(well(slope=0.09)), ATOMS)
    assert found.flatness == pytest.approx(0.09, abs=1e-3)
    assert found.above.work_function is not None


def test_a_vacuum_that_is_not_flat_has_no_work_function() -> None:
    found = work_functions(along_z(well(slope=0.2)), ATOMS)
    assert (found.above.work_function, found.below.work_function) == (None, None)
    assert found.dipole_step is None


def test_the_jump_at_the_end_of_the_cell_is_left_out() -> None:
    potential = well(step=0.5)
    potential[Z > 19.5] -= 0.5 * (Z[Z > 19.5] - 19.5)
    assert work_functions(along_z(potential), ATOMS).above.flatness > 0.1
    assert work_functions(along_z(potential), ATOMS, edge=0.6).above.flatness < 1e-3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"potential": well()[:-1]}, "both must be"),
        ({"potential": np.full_like(Z, np.nan)}, "not finite"),
        ({"z": Z[::-1]}, "rising order"),
        ({"z_atoms": (0.5, 13.0)}, "leave no vacuum"),
        ({"window": 0.01}, "1 planes from"),
    ],
)
def test_what_has_no_vacuum_level_is_refused(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"z": Z, "potential": well(), "z_atoms": ATOMS} | changes
    potential = Potential(given.pop("z"), given.pop("potential"), FERMI)
    with pytest.raises(ValueError, match=message):
        work_functions(potential, **given)


def written(potential: np.ndarray) -> str:
    """Return what the figure of a potential (eV) says."""
    with style.context():
        figure = style.new_figure(85.0, 60.0)
        ax = style.place(figure, 14.0, 5.0, 68.0, 44.0)
        draw_potential(ax, along_z(potential), work_functions(along_z(potential), ATOMS))
    return " ".join(text.get_text() for text in ax.texts)


def test_the_figure_writes_the_work_function_of_each_side() -> None:
    text = written(well(step=-0.8))
    assert "Φ = 4.50 eV" in text
    assert "Φ = 3.70 eV" in text


def test_the_figure_writes_no_work_function_where_the_vacuum_is_not_flat() -> None:
    text = written(well(slope=0.5))
    assert "Φ" not in text
    assert text.count("no work function:\nvaries by 0.5 eV") == 2
