"""The close-packed face of a bcc metal: its slab, its sites, and its place in a case."""

import math
import tomllib
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from structures.sites import (
    adatom_height,
    displace_lateral,
    find_site,
    nearest_distances,
    place_adatom,
    site_names,
    site_position,
)
from structures.slab import bcc110_slab, metal_slab
from workflows.case.reading import find, parse
from workflows.steps.initial import structures
from workflows.system.messages import UserError
from workflows.tasks.folder import Result
from workflows.tasks.graph import plan

A = 4.19
OPTIONS: dict[str, Any] = {"layers": 3, "cell": "2x1", "vacuum": 7.0, "held_layers": 1}
CELLS = {"1x1": 2, "2x1": 4, "2x2": 8, "3x2": 12}  # atoms of a layer in each
SITES = ["hollow", "long-bridge", "short-bridge", "top-Na"]
# Lateral distance from each site to the nearest atoms of the top layer; the hollow is as far from
# (0, 0) and (a, 0) as from (a/2, a/√2).
LATERAL = {
    "top-Na": 0.0,
    "short-bridge": A * math.sqrt(3) / 4,
    "long-bridge": A / 2,
    "hollow": A * 3 * math.sqrt(2) / 8,
}


def na(**changes: Any) -> Atoms:
    return bcc110_slab("Na", A, **OPTIONS | changes)


# ---- the slab -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "atoms"), CELLS.items())
def test_cell_and_layers(cell: str, atoms: int) -> None:
    slab = na(cell=cell, layers=4)
    n, m = map(int, cell.split("x"))
    sides = [n * A, m * A * math.sqrt(2), 3 * A / math.sqrt(2) + 14.0]
    np.testing.assert_allclose(slab.cell.array, np.diag(sides), atol=1e-12)
    assert np.bincount(slab.get_tags()).tolist() == [0, *[atoms] * 4]
    for tag in (1, 2, 3, 4):
        z = slab.positions[slab.get_tags() == tag, 2]
        np.testing.assert_allclose(z, 7.0 + (4 - tag) * A / math.sqrt(2))
    (hold,) = slab.constraints
    assert set(hold.get_indices()) == set(np.flatnonzero(slab.get_tags() == 4))


@pytest.mark.parametrize("cell", CELLS)
def test_inner_atoms_have_the_neighbours_of_the_bulk(cell: str) -> None:
    slab = na(cell=cell, layers=5).repeat((3, 3, 1))
    inner = np.linalg.norm(slab.positions - slab.cell.sum(axis=0) / 2, axis=1).argmin()
    distances = np.linalg.norm(slab.positions - slab.positions[inner], axis=1)
    assert (np.abs(distances - A * math.sqrt(3) / 2) < 1e-6).sum() == 8
    assert (np.abs(distances - A) < 1e-6).sum() == 6
    assert (distances < A + 1e-6).sum() == 1 + 8 + 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0, "held_layers": 0}, "layers is 0: it must be at least 1"),
        ({"held_layers": 4}, "held_layers is 4: it must be 0 to 3"),
        ({"vacuum": 0.0}, "vacuum is 0.0 angstrom: it must be positive"),
        ({"cell": "sqrt2"}, "'sqrt2': on bcc .110. it must be 'NxM'"),
        ({"cell": "2by2"}, "surface cell is '2by2'"),
    ],
)
def test_bad_input_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        na(**changes)


# ---- its sites ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_sites_are_where_they_are_by_hand(cell: str) -> None:
    slab = na(cell=cell, layers=1, held_layers=0)
    assert site_names(slab) == tuple(SITES)
    for name in SITES:
        distance = nearest_distances(place_adatom(slab, "Na", name, height=3.0))["Na"]
        assert distance == pytest.approx(math.hypot(LATERAL[name], 3.0))


def test_a_hollow_has_three_atoms_around_it() -> None:
    slab = na(cell="3x2", layers=1, held_layers=0)
    lateral = np.linalg.norm(slab.positions[:, :2] - site_position(slab, "hollow"), axis=1)
    assert (np.abs(lateral - LATERAL["hollow"]) < 1e-6).sum() == 3
    assert lateral.min() == pytest.approx(LATERAL["hollow"])


def test_the_next_layer_of_the_bulk_would_stand_on_long_bridges() -> None:
    slab = na(layers=4)
    next_layer, below = slab[slab.get_tags() == 1], slab[slab.get_tags() > 1]
    below.set_tags(below.get_tags() - 1)
    for x, y, _ in next_layer.positions:
        match = find_site(with_adatom(below, x, y))
        assert match.name == "long-bridge"
        assert match.offset == pytest.approx(0.0, abs=1e-9)


def with_adatom(slab: Atoms, x: float, y: float) -> Atoms:
    atoms = place_adatom(slab, "Na", "top-Na")
    atoms.positions[-1, :2] = x, y
    return atoms


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CELLS)), st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(-5, 5)
)
def test_an_adatom_is_found_where_it_was_placed(cell: str, seed: int, x: float, y: float) -> None:
    slab = na(cell=cell)
    # Atoms away from their places, the whole shifted and wrapped, as files come.
    slab.positions += np.random.default_rng(seed).uniform(-0.25, 0.25, slab.positions.shape)
    slab.positions[:, :2] += (x, y)
    slab.wrap()
    for name in SITES:
        atoms = place_adatom(slab, "Na", name)
        match = find_site(atoms)
        assert match.name == name
        assert match.offset == pytest.approx(0.0, abs=1e-9)
        assert adatom_height(atoms) > 0


@pytest.mark.parametrize("name", SITES)
def test_a_displacement_breaks_both_mirrors(name: str) -> None:
    atoms = place_adatom(na(), "Na", name)
    x, y, _ = (displace_lateral(atoms, 0.1).positions - atoms.positions)[-1]
    assert math.degrees(math.atan2(y, x)) % 90 == pytest.approx(22.5)


def test_a_square_net_is_not_taken_for_it() -> None:
    assert site_names(metal_slab("Na", "bcc", A, **OPTIONS)) == ("bridge", "hollow", "top-Na")


# ---- its place in a case ------------------------------------------------------------------------

TABLE = """
[metal_slab_110]
layers = 3
cell = "2x1"
vacuum = 6.0
held_layers = 1
sites = ["hollow", "long-bridge"]
"""
GRID = "metal_slab = [2, 2, 1]"


def text(table: str = TABLE, grid: str = "metal_slab_110 = [2, 3, 1]") -> str:
    smoke = find("smoke").read_text(encoding="utf-8")
    assert smoke.count(GRID) == 1
    return smoke.replace(GRID, f"{GRID}\n{grid}") + table


def case(*arguments: str) -> Any:
    return parse(text(*arguments).encode(), "case.toml")


def test_the_face_adds_tasks_and_leaves_the_others_as_they_are() -> None:
    parent = Result("parent", {"energy": -1.0}, {}, 1.0, {})

    def fingerprints(of: Any) -> dict[str, str]:
        return {n: t.fingerprint(dict.fromkeys(t.needs, parent)) for n, t in plan(of).items()}

    before, after = fingerprints(case("", "")), fingerprints(case())
    what = ("held", "free", "held-basin", "free-basin")
    added = [f"Na110-{s}-{w}" for w in what for s in ("hollow", "long-bridge")]
    assert {n: f for n, f in after.items() if n in before} == before
    assert set(after) - set(before) == {"Na110-slab", *added}
    assert len(set(after.values())) == len(after)
    assert plan(case())["Na110-slab"].needs == ("Na-lattice",)
    assert plan(case())["Na110-slab"].title == "clean Na(110)"
    assert plan(case())["Na110-hollow-free"].title == "Na at hollow on Na(110), free"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("layers = 3", "layers = 4"),
        ("2x1", "2x2"),
        ("6.0", "7.0"),
        ("held_layers = 1", "held_layers = 2"),
    ],
)
def test_its_slab_depends_on_its_table(old: str, new: str) -> None:
    parent = {"Na-lattice": Result("parent", {}, {}, 1.0, {})}
    one, other = (plan(case(t))["Na110-slab"] for t in (TABLE, TABLE.replace(old, new, 1)))
    assert one.fingerprint(parent) != other.fingerprint(parent)


def test_its_k_points_are_its_own() -> None:
    kpoints = {n: t.inputs["dft"]["kpoints"] for n, t in plan(case()).items()}
    assert kpoints["Na110-slab"] == kpoints["Na110-hollow-held"] == [2, 3, 1]
    assert kpoints["Na-slab"] == [2, 2, 1]


def test_its_structures_are_built() -> None:
    built = {name: atoms for name, atoms, _ in structures(case())}
    assert [name for name in built if name.startswith("Na110")] == [
        "Na110-slab", "Na110-hollow", "Na110-long-bridge",
    ]  # fmt: skip
    assert find_site(built["Na110-hollow"]).name == "hollow"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('structure = "bcc"', 'structure = "fcc"', "metal_slab_110: found .* = 'fcc'; .* 'bcc'"),
        ("metal_slab_110 = [2, 3, 1]", "", "dft.kpoints.metal_slab_110: missing"),
        ("metal_slab_110 = [2, 3, 1]", "metal_slab_110 = [2, 3, 2]", "1 as the third number"),
        (TABLE, "", "dft.kpoints.metal_slab_110: found a grid; allowed: with .metal_slab_110."),
        ('"2x1"', '"sqrt2"', "metal_slab_110.cell: found 'sqrt2'; allowed: '1x1', '2x1'"),
        ('"long-bridge"', '"bridge"', "metal_slab_110.sites: found 'bridge'.* short-bridge"),
        ("held_layers = 1\nsites = [\"hollow\", \"l", "held_layers = 4\nsites = [\"hollow\", \"l",
         "metal_slab_110.held_layers: found 4 with layers = 3"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_one_line(old: str, new: str, message: str) -> None:
    assert old in text()
    with pytest.raises(UserError, match=message) as refusal:
        parse(text().replace(old, new).encode(), "case.toml")
    assert str(refusal.value).startswith("case.toml: ")
    assert len(str(refusal.value).split("\n")) == 1


def test_the_smoke_case_does_without() -> None:
    data = tomllib.loads(find("smoke").read_text(encoding="utf-8"))
    assert "metal_slab_110" not in data
