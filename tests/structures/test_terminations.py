"""Faces of any crystal: distinct terminations, and slabs cut at them."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, mx2
from ase.constraints import FixAtoms
from ase.spacegroup import crystal
from hypothesis import given, settings
from hypothesis import strategies as st

from structures._spglib import without_deprecation
from structures.crystals import conventional_cell
from structures.slab import rocksalt_slab
from structures.terminations import (
    Miller,
    Stack,
    check_miller,
    choose_termination,
    cut_slab,
    find_terminations,
    stack_layers,
)

SQUARE = [[1, 0], [0, 1]]


def conventional(name: str) -> Atoms:
    disulfide = mx2("MoS2", vacuum=7.5)
    disulfide.pbc = True
    crystals = {
        "VN": bulk("VN", "rocksalt", a=4.13),
        "Al": bulk("Al", "fcc", a=4.05),
        "Na": bulk("Na", "bcc", a=4.2),
        "Mg": bulk("Mg", "hcp", a=3.21, c=5.21),
        "MoS2": disulfide,
        "CaF2": bulk("CaF2", "fluorite", a=5.46),
        "TiO2": crystal(
            ["Ti", "O"],
            basis=[(0, 0, 0), (0.305, 0.305, 0)],
            spacegroup=136,
            cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
        ),
    }
    return conventional_cell(crystals[name])


def stack(name: str, miller: Miller) -> Stack:
    return stack_layers(conventional(name), miller)


def distances(slab: Atoms) -> np.ndarray:
    """Return all distances of a slab, sorted: the same for slabs that differ by a motion."""
    from ase.neighborlist import neighbor_list

    return np.sort(neighbor_list("d", slab, 7.0))


@pytest.mark.parametrize(
    ("name", "miller", "expected"),
    [
        # name of the termination, Tasker's type, surface point group
        ("VN", (1, 0, 0), [("VN", 1, "4mm")]),
        ("VN", (1, 1, 0), [("VN", 1, "mm2")]),
        ("VN", (1, 1, 1), [("N", 3, "3m"), ("V", 3, "3m")]),
        ("Al", (1, 1, 1), [("Al", 1, "3m")]),
        ("Na", (1, 1, 0), [("Na", 1, "mm2")]),
        ("Mg", (0, 0, 1), [("Mg", 1, "3m")]),
        # prism faces of hcp are cut at the wider or at the narrower gap
        ("Mg", (1, 0, 0), [("Mg-1", 1, "mm2"), ("Mg-2", 1, "mm2")]),
        ("TiO2", (1, 1, 0), [("O-Ti2O2", 2, "mm2"), ("O-O", 3, "mm2"), ("Ti2O2", 3, "mm2")]),
        ("CaF2", (1, 1, 1), [("F-Ca", 2, "3m"), ("Ca", 3, "3m"), ("F-F", 3, "3m")]),
        ("MoS2", (0, 0, 1), [("S-Mo", 2, "3m"), ("Mo", 3, "3m"), ("S-S", 3, "3m")]),
    ],
)
def test_terminations(name: str, miller: Miller, expected: list[tuple[str, int, str]]) -> None:
    found = find_terminations(stack(name, miller))
    assert [(t.name, t.tasker, t.point_group) for t in found] == expected


def test_wider_gap_of_a_prism_face_comes_first() -> None:
    prism = stack("Mg", (1, 0, 0))
    # a prism plane that ends at the wide gap is corrugated less: its second layer is closer
    depths = []
    for termination in find_terminations(prism):
        slab = cut_slab(prism, termination, layers=4, cell=SQUARE, vacuum=6.0, held_layers=0)
        depths.append(np.ptp(slab.positions[slab.get_tags() <= 2, 2]))
    assert depths[0] < depths[1]


def test_numbers_of_layers_with_two_like_sides() -> None:
    oxide, _, titanium = find_terminations(stack("TiO2", (1, 1, 0)))
    assert oxide.both_sides == (3,)  # whole O-Ti2O2-O units
    assert titanium.both_sides == (1,)
    nitrogen, _ = find_terminations(stack("VN", (1, 1, 1)))
    assert nitrogen.both_sides == (1,)  # odd numbers: N-V-N


def test_rocksalt_001_is_the_slab_of_its_own_builder() -> None:
    face = stack("VN", (0, 0, 1))
    (termination,) = find_terminations(face)
    keywords: dict[str, Any] = {"layers": 4, "vacuum": 6.0, "held_layers": 2}
    cut = cut_slab(face, termination, cell=[[2, 0], [0, 2]], **keywords)
    built = rocksalt_slab("V", "N", 4.13, cell="2x2", **keywords)
    assert distances(cut) == pytest.approx(distances(built), abs=1e-6)
    assert cut.get_volume() == pytest.approx(built.get_volume())
    assert list(cut.get_tags()) == list(built.get_tags())


def test_fcc_111_is_that_of_ase() -> None:
    face = stack("Al", (1, 1, 1))
    cut = cut_slab(
        face, find_terminations(face)[0], layers=4, cell=[[2, 0], [0, 2]], vacuum=6.0, held_layers=1
    )
    assert distances(cut) == pytest.approx(
        distances(fcc111("Al", (2, 2, 4), a=4.05, vacuum=6.0)), abs=1e-6
    )


@pytest.mark.parametrize(
    ("name", "miller", "termination"),
    [
        ("VN", (1, 1, 0), "VN"),
        ("TiO2", (1, 1, 0), "O-Ti2O2"),
        ("Mg", (0, 0, 1), "Mg"),
        ("Al", (2, 1, 1), "Al"),
        ("CaF2", (1, 1, 1), "F-Ca"),
    ],
)
def test_slabs_of_pymatgen_have_the_same_distances(
    name: str, miller: Miller, termination: str
) -> None:
    from pymatgen.core.surface import SlabGenerator
    from pymatgen.io.ase import AseAtomsAdaptor

    face = stack(name, miller)
    structure = AseAtomsAdaptor.get_structure(conventional(name))
    with without_deprecation():
        generator = SlabGenerator(structure, miller, 8.0, 12.0, primitive=True, center_slab=True)
        theirs = [AseAtomsAdaptor.get_atoms(slab) for slab in generator.get_slabs(ftol=0.1)]
    layers = len(theirs[0]) * face.layers // len(face.atoms)
    chosen = choose_termination(find_terminations(face), termination)
    ours = cut_slab(face, chosen, layers=layers, cell=SQUARE, vacuum=10.0, held_layers=0)
    same = [
        slab
        for slab in theirs
        if len(slab) == len(ours)
        and len(distances(slab)) == len(distances(ours))
        and np.allclose(distances(slab), distances(ours), atol=1e-3)
    ]
    assert same


@given(st.tuples(*[st.integers(-3, 3)] * 3).filter(any))
@settings(max_examples=20, deadline=None)
def test_any_face_of_a_hexagonal_crystal_keeps_volume_and_spacing(miller: Miller) -> None:
    magnesium = conventional("Mg")
    face = stack_layers(magnesium, miller)
    assert face.atoms.get_volume() == pytest.approx(magnesium.get_volume())
    # the first two vectors lie in the plane, right-handed, and are the shortest there
    assert face.atoms.cell[:2, 2] == pytest.approx([0, 0], abs=1e-9)
    assert face.atoms.cell[1, 1] > 0 < face.atoms.cell[2, 2]
    first, second = np.asarray(face.atoms.cell)[:2]
    assert abs(first @ second) <= first @ first / 2 + 1e-6
    # (h k l) and (-h -k -l) have the same spacing
    opposite = stack_layers(magnesium, tuple(-index for index in miller))  # type: ignore[arg-type]
    assert opposite.repeat == pytest.approx(face.repeat)


def test_slab_is_ordered_tagged_and_held_from_the_bottom() -> None:
    face = stack("TiO2", (1, 1, 0))
    termination = choose_termination(find_terminations(face), "O-Ti2O2")
    slab = cut_slab(face, termination, layers=6, cell=[[2, 0], [0, 1]], vacuum=7.0, held_layers=3)
    assert slab.get_chemical_formula() == "O16Ti8"
    assert list(slab.pbc) == [True, True, False]
    assert np.all(np.diff(slab.get_tags()) <= 0)
    assert slab.positions[:, 2].min() == pytest.approx(7.0)
    assert slab.cell[2] == pytest.approx([0, 0, np.ptp(slab.positions[:, 2]) + 14.0])
    (held,) = slab.constraints
    assert isinstance(held, FixAtoms)
    assert set(slab.get_tags()[held.index]) == {4, 5, 6}


def test_matrix_of_the_in_plane_cell() -> None:
    face = stack("Al", (1, 1, 1))
    (termination,) = find_terminations(face)
    rectangle = cut_slab(
        face, termination, layers=2, cell=[[1, 0], [-1, 2]], vacuum=6.0, held_layers=0
    )
    assert len(rectangle) == 4
    assert rectangle.cell.angles()[2] == pytest.approx(90.0)


@pytest.mark.parametrize("miller", [(0, 0, 0), (7, 0, 0), (1, 0, -9)])
def test_refused_miller_indices(miller: Miller) -> None:
    with pytest.raises(ValueError, match="allowed: three whole numbers"):
        check_miller(miller)


def test_refused_terminations_name_those_there_are() -> None:
    found = find_terminations(stack("VN", (1, 1, 1)))
    for name in ("O", None):
        with pytest.raises(ValueError, match=r"allowed: 'N' \(polar\), 'V' \(polar\)"):
            choose_termination(found, name)


def test_refused_cells_and_thickness() -> None:
    face = stack("VN", (1, 1, 1))
    termination = find_terminations(face)[0]
    keywords: dict[str, Any] = {"vacuum": 6.0, "held_layers": 0}
    with pytest.raises(ValueError, match="not parallel"):
        cut_slab(face, termination, layers=2, cell=[[1, 1], [2, 2]], **keywords)
    with pytest.raises(ValueError, match="more than 500 atoms"):
        cut_slab(face, termination, layers=10**9, cell=SQUARE, **keywords)
