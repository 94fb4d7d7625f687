"""Starting moments: by Hund's rule where a shell is open, and up and down by layer."""

import pytest
from ase import Atoms

from structures.magnetism import starting_moments, with_moments
from structures.sites import place_adatom
from structures.slab import rocksalt_slab
from structures.symmetry import find_symmetry


@pytest.mark.parametrize(
    ("symbol", "moment"),
    [("V", 3.0), ("Mn", 5.0), ("Ni", 2.0), ("Gd", 8.0), ("Nb", 5.0), ("N", 0.0), ("O", 0.0),
     ("Na", 0.0), ("Cu", 0.0), ("Zn", 0.0), ("Mg", 0.0)],
)  # fmt: skip
def test_elements_with_an_open_shell_start_with_the_moment_of_the_free_atom(
    symbol: str, moment: float
) -> None:
    assert starting_moments([symbol]) == {symbol: moment}


def slab() -> Atoms:
    return rocksalt_slab("Mn", "O", 4.44, layers=3, cell="2x2", vacuum=6.0, held_layers=1)


def test_all_moments_up_leave_the_symmetry_as_it_is() -> None:
    up = with_moments(slab(), {"Mn": 5.0, "O": 0.0})
    assert up.get_initial_magnetic_moments().sum() == pytest.approx(5.0 * 12)
    assert len(find_symmetry(up)) == len(find_symmetry(slab()))


def test_alternating_moments_point_up_and_down_from_layer_to_layer() -> None:
    atoms = with_moments(slab(), {"Mn": 5.0, "O": 0.0}, alternating=True)
    moments = atoms.get_initial_magnetic_moments()
    for layer, sign in ((1, 1.0), (2, -1.0), (3, 1.0)):
        here = (atoms.get_tags() == layer) & (atoms.numbers == 25)
        assert set(moments[here]) == {5.0 * sign}
    assert not slab().get_initial_magnetic_moments().any()


def test_an_adatom_has_a_moment_of_its_own() -> None:
    atoms = with_moments(place_adatom(slab(), "O", "top-Mn"), {"Mn": 5.0, "O": 0.0}, 2.0)
    moments = atoms.get_initial_magnetic_moments()
    assert moments[-1] == 2.0
    assert set(moments[:-1]) == {0.0, 5.0}
