"""Sites by symmetry: those of the literature, and those of today where there are any."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, mx2
from ase.geometry import find_mic
from ase.spacegroup import crystal

from structures.crystals import conventional_cell
from structures.sites import (
    bound_state,
    displace_lateral,
    find_site,
    place_adatom,
    site_names,
    site_position,
)
from structures.slab import bcc110_slab, metal_slab, rocksalt_slab
from structures.symmetry_sites import between_mirrors, exposed_atoms, find_sites
from structures.terminations import (
    Miller,
    choose_termination,
    cut_slab,
    find_terminations,
    stack_layers,
)

CUT: dict[str, Any] = {"layers": 3, "vacuum": 6.0, "held_layers": 1}


def face(atoms: Atoms, miller: Miller, termination: str | None = None, *, layers: int = 6) -> Atoms:
    stack = stack_layers(conventional_cell(atoms), miller)
    return cut_slab(
        stack,
        choose_termination(find_terminations(stack), termination),
        layers=layers,
        cell=[[1, 0], [0, 1]],
        vacuum=6.0,
        held_layers=0,
    )


def layered(atoms: Atoms) -> Atoms:
    atoms.pbc = True
    return atoms


RUTILE = crystal(
    ["Ti", "O"],
    basis=[(0, 0, 0), (0.305, 0.305, 0)],
    spacegroup=136,
    cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
)

TODAY = {
    f"{name} {cell}": slab
    for cell in ("1x1", "2x2", "3x2", "sqrt2")
    for name, slab in (
        ("VN(001)", rocksalt_slab("V", "N", 4.13, cell=cell, **CUT)),
        ("bcc(001)", metal_slab("Na", "bcc", 4.2, cell=cell, **CUT)),
        ("fcc(001)", metal_slab("Al", "fcc", 4.05, cell=cell, **CUT)),
    )
} | {f"bcc(110) {cell}": bcc110_slab("Na", 4.2, cell=cell, **CUT) for cell in ("1x1", "2x1", "2x2")}


@pytest.mark.parametrize("name", TODAY)
def test_sites_of_rocksalt_bcc_and_fcc_are_those_of_their_nets(name: str) -> None:
    slab = TODAY[name]
    sites = find_sites(slab)
    assert [site.name for site in sites] == sorted(site_names(slab))
    for site in sites:
        apart_pv = np.array([place.position(slab) for place in site.places])
        apart_pv -= site_position(slab, site.name)
        distance_p = find_mic(np.pad(apart_pv, ((0, 0), (0, 1))), slab.cell, pbc=slab.pbc)[1]
        assert distance_p.min() < 1e-6


ALUMINIUM = bulk("Al", "fcc", a=4.05)
VN = bulk("VN", "rocksalt", a=4.13)

# a face: crystal, Miller indices, termination, layers; and how many places each site has in it
FACES = {
    "fcc(111)": (
        (ALUMINIUM, (1, 1, 1), "Al", 6),
        {"top-Al": 1, "bridge": 3, "hollow-fcc": 1, "hollow-hcp": 1},
    ),
    "hcp(0001)": (
        (bulk("Mg", "hcp", a=3.21, c=5.21), (0, 0, 1), "Mg", 6),
        {"top-Mg": 1, "bridge": 3, "hollow-fcc": 1, "hollow-hcp": 1},
    ),
    "fcc(110)": (
        (ALUMINIUM, (1, 1, 0), "Al", 6),
        {"top-Al": 1, "short-bridge": 1, "long-bridge": 1, "hollow": 1},
    ),
    "graphene": (
        (layered(graphene("C2", vacuum=7.5)), (0, 0, 1), "C2", 1),
        {"top-C": 2, "bridge": 3, "hollow": 1},
    ),
    "MoS2": (
        (layered(mx2("MoS2", vacuum=7.5)), (0, 0, 1), "S-Mo", 3),
        {"top-S": 1, "bridge": 3, "hollow-3-SSS-over-Mo": 1, "hollow-3-SSS-over-nothing": 1},
    ),
    # rows of bridging O and of fivefold Ti along [001]; O of the plane is hidden between them
    "TiO2(110)": (
        (RUTILE, (1, 1, 0), "O-Ti2O2", 6),
        {
            "top-O": 1, "top-Ti": 1, "bridge-O-O": 1, "bridge-Ti-Ti": 1, "bridge-O-Ti": 2,
            "hollow": 2,
        },
    ),
    "VN(111)-N": (
        (VN, (1, 1, 1), "N", 6),
        {"top-N": 1, "bridge": 3, "hollow-3-NNN-over-N": 1, "hollow-3-NNN-over-V": 1},
    ),
    "VN(110)": (
        (VN, (1, 1, 0), "VN", 6),
        {
            "top-N": 1, "top-V": 1, "bridge-N-N": 1, "bridge-V-V": 1, "bridge-N-V": 2, "hollow": 2,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FACES)
def test_sites_of_the_literature(name: str) -> None:
    (crystal_, miller, termination, layers), expected = FACES[name]
    slab = face(crystal_, miller, termination, layers=layers)
    assert {site.name: len(site.places) for site in find_sites(slab)} == expected


def test_hcp_hollow_lies_over_the_second_layer_and_fcc_over_the_third() -> None:
    slab = face(bulk("Al", "fcc", a=4.05), (1, 1, 1))
    sites = {site.name: site.places[0].position(slab) for site in find_sites(slab)}
    for name, layer in (("hollow-hcp", 2), ("hollow-fcc", 3)):
        below = slab.positions[slab.get_tags() == layer][0, :2] - sites[name]
        assert find_mic(np.append(below, 0.0), slab.cell, pbc=slab.pbc)[1] < 1e-6


def test_supercell_has_the_sites_of_its_unit_cell_as_often_as_it_is_larger() -> None:
    stack = stack_layers(conventional_cell(bulk("Al", "fcc", a=4.05)), (1, 1, 1))
    (termination,) = find_terminations(stack)
    for matrix, multiple in (([[2, 1], [-1, 1]], 3), ([[1, 0], [-1, 2]], 2), ([[3, 0], [0, 3]], 9)):
        slab = cut_slab(stack, termination, cell=matrix, **CUT)
        count = {site.name: len(site.places) for site in find_sites(slab)}
        assert count == {
            "bridge": 3 * multiple,
            "hollow-fcc": multiple,
            "hollow-hcp": multiple,
            "top-Al": multiple,
        }


def test_rumpling_moves_sites_and_adds_none() -> None:
    ideal = rocksalt_slab("V", "N", 4.13, cell="2x2", **CUT)
    relaxed = ideal.copy()
    rng = np.random.default_rng(1)
    relaxed.positions += rng.uniform(-0.2, 0.2, relaxed.positions.shape)
    for site in find_sites(ideal):
        for place in site.places:
            moved = place.position(relaxed) - place.position(ideal)
            own = (relaxed.positions - ideal.positions)[list(place.atoms), :2].mean(axis=0)
            assert moved == pytest.approx(own)


def test_ideal_slab_with_a_rumple_along_z_has_the_same_sites() -> None:
    slab = rocksalt_slab("V", "N", 4.13, cell="2x2", **CUT)
    slab.positions[(slab.symbols == "N") & (slab.get_tags() == 1), 2] += 0.2
    assert [site.name for site in find_sites(slab)] == ["bridge", "hollow", "top-N", "top-V"]


def test_exposed_atoms_of_rutile_are_bridging_o_and_fivefold_ti() -> None:
    slab = face(RUTILE, (1, 1, 0), "O-Ti2O2")
    exposed = slab[exposed_atoms(slab)]
    assert sorted(exposed.symbols) == ["O", "Ti"]
    assert exposed.get_tags()[exposed.symbols == "O"] == [1]


# ---- an adatom on such a surface ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("atoms", "miller", "between"),
    [
        (bulk("Al", cubic=True), (0, 0, 1), 45.0),
        (bulk("Al", cubic=True), (1, 1, 1), 60.0),
        (bulk("Al", cubic=True), (1, 1, 0), 90.0),
    ],
)
def test_the_way_off_a_site_lies_midway_between_mirror_lines(
    atoms: Atoms, miller: Miller, between: float
) -> None:
    slab = face(atoms, miller)
    angle = np.degrees(between_mirrors(slab))
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    lone = place_adatom(slab, "Na", "top-Al", ideal=slab)
    moved = displace_lateral(lone, 0.05, slab)
    assert moved.positions[-1] - lone.positions[-1] == pytest.approx(0.05 * direction)
    lines = np.round(angle + between / 2 + np.arange(0, 180, between), 3) % 180
    assert mirrors(slab) == pytest.approx(np.sort(lines))


def mirrors(slab: Atoms) -> list[float]:
    """Return the angles of mirror lines through the top atom of a 1x1 cell, degrees from x."""
    top = slab.positions[slab.get_tags() == 1][0]
    flat = slab.positions - top * (1, 1, 0)
    found = []
    for angle in np.arange(0.0, 180.0, 0.5):
        two = np.radians(2 * angle)
        image_vv = np.array(
            [[np.cos(two), np.sin(two), 0], [np.sin(two), -np.cos(two), 0], [0, 0, 1]]
        )
        apart = (flat @ image_vv)[:, None] - flat
        far = find_mic(apart.reshape(-1, 3), slab.cell, pbc=(True, True, False))[1]
        if far.reshape(len(slab), -1).min(axis=1).max() < 0.01:
            found.append(float(angle))
    return found


def test_an_adatom_is_found_at_the_site_where_it_was_put_on_a_slab_that_has_moved() -> None:
    ideal = face(bulk("Al", cubic=True), (1, 1, 1))
    moved = ideal.copy()
    moved.positions[moved.get_tags() == 1] += (0.1, 0.05, 0.2)
    for site in find_sites(ideal):
        atoms = place_adatom(moved, "Na", site.name, ideal=ideal)
        match = find_site(atoms, ideal)
        assert match.name == site.name
        assert match.offset == pytest.approx(0.0, abs=1e-6)
        assert bound_state(atoms, ideal=ideal) == "adsorbed"


def test_an_adatom_between_rows_that_stand_out_is_not_absorbed() -> None:
    rutile = crystal(
        ["Ti", "O"], [(0, 0, 0), (0.3053, 0.3053, 0)], spacegroup=136,
        cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
    )  # fmt: skip
    slab = face(rutile, (1, 1, 0), "O-Ti2O2")
    atoms = place_adatom(slab, "H", "top-Ti", ideal=slab)
    top = slab.positions[slab.get_tags() == 1, 2].mean()
    atoms.positions[-1, 2] = top - 0.1  # below the row of O, above all that lies under it
    assert bound_state(atoms, ideal=slab) == "adsorbed"
    assert bound_state(atoms) == "absorbed"
