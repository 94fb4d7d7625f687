"""Adsorption sites: hand-computed places, and properties on every surface we know."""

import math
from typing import Any

import numpy as np
import pytest
from ase import Atom, Atoms
from ase.constraints import FixAtoms, FixedLine
from ase.data import chemical_symbols, covalent_radii
from hypothesis import given, settings
from hypothesis import strategies as st

from structures.net import find_net
from structures.sites import (
    adatom_height,
    bound_state,
    displace_lateral,
    find_site,
    hold_lateral,
    largest_displacement,
    nearest_distances,
    nearest_image_distance,
    place_adatom,
    release,
    site_names,
    site_position,
)
from structures.slab import bcc110_slab, metal_slab, rocksalt_slab

A_VN, A_NA = 4.12, 4.19
OPTIONS: dict[str, Any] = {"layers": 3, "cell": "2x2", "vacuum": 7.0, "held_layers": 1}
CELLS = ["1x1", "sqrt2", "2x2", "3x2", "2 1/-1 2", "2 1/0 2"]


def vn(**changes: Any) -> Atoms:
    return rocksalt_slab("V", "N", A_VN, **OPTIONS | changes)


def na(**changes: Any) -> Atoms:
    return metal_slab("Na", "bcc", A_NA, **OPTIONS | changes)


def with_adatom(slab: Atoms, symbol: str, xy: Any, height: float) -> Atoms:
    """Put an adatom by hand, independently of `place_adatom`."""
    atoms = slab.copy()
    atoms.append(Atom(symbol, (*xy, slab.positions[:, 2].max() + height)))
    return atoms


SEEDS = st.integers(0, 2**32 - 1)
SURFACES = {
    "VN": lambda cell: rocksalt_slab("V", "N", 4.12, **OPTIONS | {"cell": cell}),
    "TiN": lambda cell: rocksalt_slab("Ti", "N", 4.24, **OPTIONS | {"cell": cell}),
    "bcc Na": lambda cell: metal_slab("Na", "bcc", 4.19, **OPTIONS | {"cell": cell}),
    "fcc Cu": lambda cell: metal_slab("Cu", "fcc", 3.61, **OPTIONS | {"cell": cell}),
}


def disturbed(slab: Atoms, seed: int, displacement: float, rumpling: float) -> Atoms:
    """Displace every atom laterally and rumple the layers, by up to so many angstrom."""
    random = np.random.default_rng(seed)
    moved = slab.copy()
    moved.set_constraint()
    radius = displacement * np.sqrt(random.random(len(slab)))
    angle = random.uniform(0, 2 * math.pi, len(slab))
    moved.positions[:, 0] += radius * np.cos(angle)
    moved.positions[:, 1] += radius * np.sin(angle)
    moved.positions[:, 2] += random.uniform(-rumpling / 2, rumpling / 2, len(slab))
    return moved


def ideal_slabs() -> st.SearchStrategy[Atoms]:
    return st.builds(
        lambda surface, cell: SURFACES[surface](cell),
        st.sampled_from(sorted(SURFACES)),
        st.sampled_from(CELLS),
    )


@st.composite
def slabs(draw: st.DrawFn) -> Atoms:
    """Draw a slab with heavily displaced atoms, shifted along x and y, and wrapped."""
    slab = disturbed(draw(ideal_slabs()), draw(SEEDS), displacement=0.4, rumpling=0.5)
    shift = st.floats(-5, 5)
    slab.positions[:, :2] += (draw(shift), draw(shift))
    slab.wrap()
    return slab


# Names and places


@pytest.mark.parametrize("cell", CELLS)
def test_vn_has_four_sites_the_cation_first(cell: str) -> None:
    assert site_names(vn(cell=cell)) == ("bridge", "hollow", "top-V", "top-N")


def test_sodium_has_three_sites() -> None:
    assert site_names(na()) == ("bridge", "hollow", "top-Na")


# Shortest lateral distances from each site to V and N, or Na, of the top layer, by hand.
VN_BOND, NA_BOND = A_VN / 2, A_NA


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("name", "to_v", "to_n"),
    [
        ("top-V", 0.0, VN_BOND),
        ("top-N", VN_BOND, 0.0),
        ("bridge", VN_BOND / 2, VN_BOND / 2),
        ("hollow", VN_BOND / math.sqrt(2), VN_BOND / math.sqrt(2)),
    ],
)
def test_place_of_each_site_on_vn(cell: str, name: str, to_v: float, to_n: float) -> None:
    slab = vn(cell=cell, layers=1, held_layers=0)
    distances = nearest_distances(place_adatom(slab, "Na", name, height=3.0))
    assert distances["V"] == pytest.approx(math.hypot(to_v, 3.0))
    assert distances["N"] == pytest.approx(math.hypot(to_n, 3.0))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("name", "lateral"),
    [("top-Na", 0.0), ("bridge", NA_BOND / 2), ("hollow", NA_BOND / math.sqrt(2))],
)
def test_place_of_each_site_on_sodium(cell: str, name: str, lateral: float) -> None:
    slab = na(cell=cell, layers=1, held_layers=0)
    distances = nearest_distances(place_adatom(slab, "Na", name, height=3.0))
    assert distances["Na"] == pytest.approx(math.hypot(lateral, 3.0))


def test_hollow_follows_its_four_corners() -> None:
    slab = vn(cell="2x2")
    before = site_position(slab, "hollow")
    offsets = slab.positions[:, :2] - before
    corners = (np.linalg.norm(offsets, axis=1) < 1.5) & (slab.get_tags() == 1)
    assert corners.sum() == 4
    slab.positions[np.flatnonzero(corners)[0], :2] += (0.2, 0.4)
    assert find_site(with_adatom(slab, "Na", before + np.array([0.05, 0.1]), 2.0)).offset < 1e-9


def test_bridge_follows_its_two_ends() -> None:
    slab = vn(cell="2x2")
    before = site_position(slab, "bridge")
    offsets = slab.positions[:, :2] - before
    ends = (np.linalg.norm(offsets, axis=1) < 1.1) & (slab.get_tags() == 1)
    assert ends.sum() == 2
    slab.positions[ends, :2] += (0.2, -0.1)
    assert find_site(with_adatom(slab, "Na", before + np.array([0.2, -0.1]), 2.0)).offset < 1e-9


@pytest.mark.parametrize("cells_away", [0, 3])
@pytest.mark.parametrize("name", ["bridge", "hollow", "top-V", "top-N"])
def test_site_is_near_the_centre(name: str, cells_away: int) -> None:
    slab = vn(cell="3x2")
    slab.positions += cells_away * slab.cell[0]  # relaxed slabs need not be wrapped
    distance = np.linalg.norm(site_position(slab, name) - slab.cell.array[:2, :2].sum(axis=0) / 2)
    # No point of a square net is further from the nearest like site than half its diagonal.
    assert distance <= A_VN / 2 + 1e-9


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["bridge", "hollow", "top-V", "top-N"])
def test_site_does_not_depend_on_numerical_noise(name: str, cell: str) -> None:
    slab = vn(cell=cell)
    random = np.random.default_rng(1)
    for _ in range(5):
        noisy = slab.copy()
        noisy.positions += random.normal(scale=1e-9, size=noisy.positions.shape)
        np.testing.assert_allclose(site_position(noisy, name), site_position(slab, name), atol=1e-7)


def test_unknown_site_is_refused() -> None:
    allowed = "site is 'top-Na': it must be one of bridge, hollow, top-V, top-N"
    with pytest.raises(ValueError, match=allowed):
        site_position(vn(), "top-Na")


def test_layer_that_is_no_square_net_is_refused() -> None:
    slab = vn()
    del slab[len(slab) - 1]
    with pytest.raises(ValueError, match="has 7 atoms: they must form a square net"):
        site_position(slab, "bridge")


def test_collapsed_layer_is_refused() -> None:
    slab = vn()
    slab.positions[-1] = slab.positions[-2] + (0.1, 0.0, 0.0)
    with pytest.raises(ValueError, match="must form a square net"):
        site_position(slab, "bridge")


def test_oblique_net_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 atoms: they must form a square net"):
        find_net(np.zeros((1, 2)), np.array([[2.0, 0.0], [1.0, 2.0]]))


@pytest.mark.parametrize("side", [1, 2, 5])
def test_net_that_is_turned_in_its_cell(side: int) -> None:
    # Two square nets, mirror images, put five points into this cell: only one has them here.
    vectors = side * np.array([[2.0, 1.0], [-1.0, 2.0]])
    points = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1]]) * float(side)
    net = find_net(points, vectors)
    assert abs(net.step) == pytest.approx(side)
    along_step, _ = np.split(net.sites["bridge"], 2)
    np.testing.assert_allclose(along_step - net.top_a, net.step / 2)
    assert min(abs(net.step.real), abs(net.step.imag)) == pytest.approx(0, abs=1e-9)


# Properties on every surface


@settings(max_examples=100, deadline=None)
@given(slabs(), st.sampled_from(["Na", "Li"]))
def test_an_adatom_is_found_where_it_was_placed(slab: Atoms, symbol: str) -> None:
    for name in site_names(slab):
        match = find_site(place_adatom(slab, symbol, name))
        assert match.name == name
        assert match.offset == pytest.approx(0.0, abs=1e-9)


def ideal_sites(slab: Atoms) -> dict[str, Any]:
    """Find x, y of one site of each name on a flat slab from an atom and its nearest neighbour."""
    top = slab[slab.get_tags() == 1].repeat((3, 3, 1))
    sites = {}
    for index in np.unique(top.numbers, return_index=True)[1]:
        to_others = np.delete(top.positions - top.positions[index], index, axis=0)[:, :2]
        along = to_others[np.linalg.norm(to_others, axis=1).argmin()]
        across = np.array([-along[1], along[0]])
        start = top.positions[index, :2]
        sites[f"top-{top.symbols[index]}"] = start
        sites["bridge"] = start + along / 2
        sites["hollow"] = start + (along + across) / 2
    return sites


@settings(max_examples=60, deadline=None)
@given(ideal_slabs(), SEEDS)
def test_an_adatom_keeps_its_site_while_the_slab_relaxes(slab: Atoms, seed: int) -> None:
    relaxed = disturbed(slab, seed, displacement=0.25, rumpling=0.5)
    for name, xy in ideal_sites(slab).items():
        match = find_site(with_adatom(relaxed, "Na", xy, 2.0))
        assert match.name == name
        assert match.offset <= 0.25


@settings(max_examples=60, deadline=None)
@given(ideal_slabs())
def test_sites_of_a_flat_slab_are_the_ideal_ones(slab: Atoms) -> None:
    sites = ideal_sites(slab)
    assert set(sites) == set(site_names(slab))
    for xy in sites.values():
        assert find_site(with_adatom(slab, "Na", xy, 2.0)).offset == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(ideal_slabs(), st.integers(-2, 2), st.integers(-2, 2))
def test_an_adatom_in_another_cell_is_at_the_same_site(slab: Atoms, i: int, j: int) -> None:
    for name in site_names(slab):
        atoms = place_adatom(slab, "Na", name)
        atoms.positions[-1] += i * slab.cell[0] + j * slab.cell[1]
        assert find_site(atoms).name == name


@settings(max_examples=60, deadline=None)
@given(slabs(), st.sampled_from(["Na", "Li"]))
def test_an_adatom_touches_the_slab_and_overlaps_nothing(slab: Atoms, symbol: str) -> None:
    radius = dict(zip(chemical_symbols, covalent_radii, strict=True))
    for name in site_names(slab):
        distances = nearest_distances(place_adatom(slab, symbol, name))
        gaps = [distances[element] - radius[element] - radius[symbol] for element in distances]
        assert min(gaps) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(slabs())
def test_a_placed_adatom_is_adsorbed(slab: Atoms) -> None:
    for name in site_names(slab):
        assert bound_state(place_adatom(slab, "Na", name)) == "adsorbed"


# Placing


@pytest.mark.parametrize(
    ("name", "height"),
    [
        # Radii: Na 1.66, V 1.53, N 0.71. Over N the four V neighbours are touched first.
        ("top-V", 3.19),
        ("top-N", math.sqrt(3.19**2 - VN_BOND**2)),
        ("bridge", math.sqrt(3.19**2 - VN_BOND**2 / 4)),
        ("hollow", math.sqrt(3.19**2 - VN_BOND**2 / 2)),
    ],
)
def test_touching_height_of_sodium_on_vn(name: str, height: float) -> None:
    assert adatom_height(place_adatom(vn(), "Na", name)) == pytest.approx(height)


def test_height_counts_from_the_mean_plane_of_the_top_layer() -> None:
    slab = vn()
    raised = (slab.get_tags() == 1) & (slab.symbols == "N")
    slab.positions[raised, 2] += 0.3
    atoms = place_adatom(slab, "Na", "hollow", height=2.5)
    flat_z = 7.0 + A_VN
    assert atoms.positions[-1, 2] == pytest.approx(flat_z + 0.15 + 2.5)
    assert adatom_height(atoms) == pytest.approx(2.5)


def test_adatom_is_last_and_the_slab_unchanged() -> None:
    slab = vn()
    atoms = place_adatom(slab, "Na", "hollow")
    assert (atoms.symbols[-1], atoms.get_tags()[-1]) == ("Na", 0)
    np.testing.assert_array_equal(atoms.positions[:-1], slab.positions)
    assert "Na" not in slab.symbols


@pytest.mark.parametrize(
    ("symbol", "height", "message"),
    [
        ("Nax", None, "'Nax' is not a chemical element: did you mean Na"),
        ("Na", 6.5, r"would be at z = 17.62 angstrom: .* 17.12 is the limit"),
        ("Na", 0.0, r"height is 0.0 angstrom: it must be positive"),
        ("Na", math.nan, "height is nan angstrom"),
    ],
)
def test_bad_adatom_is_refused(symbol: str, height: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        place_adatom(vn(), symbol, "hollow", height)


def test_adatom_that_falls_through_is_refused() -> None:
    wide = metal_slab("Na", "bcc", 9.0, **OPTIONS | {"layers": 1, "held_layers": 0})
    with pytest.raises(ValueError, match="touches no atom of the slab on its way down"):
        place_adatom(wide, "Na", "hollow")


@pytest.mark.parametrize("measure", [find_site, adatom_height, bound_state, hold_lateral])
def test_slab_without_adatom_is_refused(measure: Any) -> None:
    with pytest.raises(ValueError, match=r"no adatom: the last atom of .* must have tag 0"):
        measure(vn())


# Constraints and displacement


def fixed_atoms(atoms: Atoms) -> list[int]:
    """List the atoms under FixAtoms."""
    held = [constraint for constraint in atoms.constraints if isinstance(constraint, FixAtoms)]
    return [int(index) for constraint in held for index in constraint.get_indices()]


def test_placing_keeps_the_held_layers() -> None:
    slab = vn()
    assert fixed_atoms(place_adatom(slab, "Na", "hollow")) == fixed_atoms(slab) == list(range(8))


def test_held_adatom_moves_only_along_z() -> None:
    atoms = hold_lateral(place_adatom(vn(), "Na", "hollow"))
    start = atoms.positions.copy()
    atoms.set_positions(start + 0.1)
    moved = atoms.positions - start
    np.testing.assert_allclose(moved[-1], [0, 0, 0.1], atol=1e-12)
    np.testing.assert_allclose(moved[:8], 0.0)
    np.testing.assert_allclose(moved[8:-1], 0.1)


def test_holding_twice_is_holding_once() -> None:
    atoms = hold_lateral(hold_lateral(place_adatom(vn(), "Na", "hollow")))
    assert [type(constraint) for constraint in atoms.constraints] == [FixAtoms, FixedLine]


def test_released_adatom_is_free_and_the_slab_held() -> None:
    atoms = release(hold_lateral(place_adatom(vn(), "Na", "hollow")))
    assert [type(constraint) for constraint in atoms.constraints] == [FixAtoms]
    assert fixed_atoms(atoms) == list(range(8))


def test_holding_works_on_a_copy() -> None:
    atoms = place_adatom(vn(), "Na", "hollow")
    hold_lateral(atoms)
    assert len(atoms.constraints) == 1


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["bridge", "hollow", "top-V", "top-N"])
def test_displacement_is_lateral_and_as_long_as_asked(cell: str, name: str) -> None:
    atoms = hold_lateral(place_adatom(vn(cell=cell), "Na", name))
    moved = displace_lateral(atoms, 0.15).positions - atoms.positions
    assert np.linalg.norm(moved[-1]) == pytest.approx(0.15)
    assert moved[-1, 2] == 0.0
    assert not moved[:-1].any()


@pytest.mark.parametrize("cell", ["2x2", "sqrt2"])
def test_displacement_breaks_every_mirror(cell: str) -> None:
    atoms = place_adatom(vn(cell=cell), "Na", "hollow")
    x, y, _ = (displace_lateral(atoms, 0.15).positions - atoms.positions)[-1]
    # Mirrors of a square net lie at 0, 45, 90 and 135 degrees.
    assert math.degrees(math.atan2(y, x)) % 45 == pytest.approx(22.5)


def test_displacement_by_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="distance is 0 angstrom: it must be positive"):
        displace_lateral(place_adatom(vn(), "Na", "hollow"), 0)


# Measuring


def test_offset_is_the_lateral_distance_from_the_site() -> None:
    atoms = place_adatom(vn(), "Na", "top-V")
    atoms.positions[-1] += (0.3, 0.4, 1.0)
    match = find_site(atoms)
    assert match.name == "top-V"
    assert match.offset == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("cell", "distance"),
    [("1x1", A_VN / math.sqrt(2)), ("sqrt2", A_VN), ("3x2", A_VN * math.sqrt(2))],
)
def test_distance_to_own_image(cell: str, distance: float) -> None:
    atoms = place_adatom(vn(cell=cell), "Na", "hollow")
    assert nearest_image_distance(atoms) == pytest.approx(distance)


def test_image_distance_in_a_skewed_cell() -> None:
    atoms = place_adatom(vn(cell="1x1"), "Na", "hollow")
    side = atoms.cell[0, 0]
    atoms.set_cell([[side, 0, 0], [3 * side, side, 0], atoms.cell[2]])
    assert nearest_image_distance(atoms) == pytest.approx(side)


def test_distances_cross_the_edge_of_the_cell() -> None:
    slab = vn(cell="2x2")
    corner = slab[int(np.flatnonzero(slab.get_tags() == 1)[0])]
    beyond = corner.position[:2] + slab.cell[0, :2] + slab.cell[1, :2]
    atoms = with_adatom(slab, "Na", beyond, 3.0)
    assert nearest_distances(atoms)[corner.symbol] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("height", "state"),
    [
        (2.5, "adsorbed"),
        (0.5, "too close"),  # 0.5 angstrom over a vanadium atom
        (5.1, "desorbed"),
        (4.9, "adsorbed"),
    ],
)
def test_state_of_sodium_over_vanadium(height: float, state: str) -> None:
    atoms = place_adatom(vn(), "Na", "top-V", height=height)
    assert bound_state(atoms) == state


def test_desorption_distance_can_be_chosen() -> None:
    atoms = place_adatom(vn(), "Na", "top-V", height=4.0)
    assert bound_state(atoms, desorbed_beyond=3.9) == "desorbed"


def test_sodium_that_took_the_place_of_a_surface_atom_is_absorbed() -> None:
    atoms = place_adatom(na(), "Na", "top-Na")
    pushed_out = int(np.argmin(np.linalg.norm(atoms.positions[:-1] - atoms.positions[-1], axis=1)))
    atoms.positions[[pushed_out, -1]] = atoms.positions[[-1, pushed_out]]
    assert bound_state(atoms) == "absorbed"


@pytest.mark.parametrize("site", ["bridge", "hollow", "top-V", "top-N"])
def test_crowded_adatom_is_too_close(site: str) -> None:
    atoms = place_adatom(vn(), "Na", site)
    atoms.positions[-1, 2] -= 2.0
    assert bound_state(atoms) == "too close"


def test_largest_displacement_ignores_adatom_and_cell_edge() -> None:
    slab = vn()
    atoms = place_adatom(slab, "Na", "hollow")
    atoms.positions[10] += (0.0, 0.3, 0.4)
    atoms.positions[12] += slab.cell[0] + (0.1, 0.0, 0.0)
    assert largest_displacement(atoms, slab) == pytest.approx(0.5)
    assert largest_displacement(slab, slab) == 0.0


def test_different_slabs_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="cannot compare slab"):
        largest_displacement(vn(), vn(layers=2))


# ---- bcc (110) ----------------------------------------------------------------------------------

OPTIONS_110: dict[str, Any] = {"layers": 3, "cell": "2x1", "vacuum": 7.0, "held_layers": 1}
CELLS_110 = ["1x1", "2x1", "2x2", "3x2"]
SITES_110 = ["hollow", "long-bridge", "short-bridge", "top-Na"]
# Lateral distance from each site to the nearest atoms of the top layer; the hollow is as far from
# (0, 0) and (a, 0) as from (a/2, a/√2).
LATERAL_110 = {
    "top-Na": 0.0,
    "short-bridge": A_NA * math.sqrt(3) / 4,
    "long-bridge": A_NA / 2,
    "hollow": A_NA * 3 * math.sqrt(2) / 8,
}


def na110(**changes: Any) -> Atoms:
    return bcc110_slab("Na", A_NA, **OPTIONS_110 | changes)


@pytest.mark.parametrize("cell", CELLS_110)
def test_sites_are_where_they_are_by_hand(cell: str) -> None:
    slab = na110(cell=cell, layers=1, held_layers=0)
    assert site_names(slab) == tuple(SITES_110)
    for name in SITES_110:
        distance = nearest_distances(place_adatom(slab, "Na", name, height=3.0))["Na"]
        assert distance == pytest.approx(math.hypot(LATERAL_110[name], 3.0))


def test_a_hollow_has_three_atoms_around_it() -> None:
    slab = na110(cell="3x2", layers=1, held_layers=0)
    lateral = np.linalg.norm(slab.positions[:, :2] - site_position(slab, "hollow"), axis=1)
    assert (np.abs(lateral - LATERAL_110["hollow"]) < 1e-6).sum() == 3
    assert lateral.min() == pytest.approx(LATERAL_110["hollow"])


def test_the_next_layer_of_the_bulk_would_stand_on_long_bridges() -> None:
    slab = na110(layers=4)
    next_layer, below = slab[slab.get_tags() == 1], slab[slab.get_tags() > 1]
    below.set_tags(below.get_tags() - 1)
    for x, y, _ in next_layer.positions:
        match = find_site(with_adatom(below, "Na", (x, y), 3.0))
        assert match.name == "long-bridge"
        assert match.offset == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CELLS_110)),
    st.integers(0, 2**32 - 1),
    st.floats(-5, 5),
    st.floats(-5, 5),
)
def test_an_adatom_is_found_on_bcc110_where_it_was_placed(
    cell: str, seed: int, x: float, y: float
) -> None:
    slab = na110(cell=cell)
    # Atoms away from their places, the whole shifted and wrapped, as files come.
    slab.positions += np.random.default_rng(seed).uniform(-0.25, 0.25, slab.positions.shape)
    slab.positions[:, :2] += (x, y)
    slab.wrap()
    for name in SITES_110:
        atoms = place_adatom(slab, "Na", name)
        match = find_site(atoms)
        assert match.name == name
        assert match.offset == pytest.approx(0.0, abs=1e-9)
        assert adatom_height(atoms) > 0


@pytest.mark.parametrize("name", SITES_110)
def test_a_displacement_breaks_both_mirrors(name: str) -> None:
    atoms = place_adatom(na110(), "Na", name)
    x, y, _ = (displace_lateral(atoms, 0.1).positions - atoms.positions)[-1]
    assert math.degrees(math.atan2(y, x)) % 90 == pytest.approx(22.5)


def test_a_square_net_is_not_taken_for_bcc110() -> None:
    assert site_names(na(cell="2x1")) == ("bridge", "hollow", "top-Na")
