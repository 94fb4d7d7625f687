"""Shorthand of case files: a case with it is the case that is written out."""

import math
from typing import Any

import numpy as np
import pytest
from ase.build import graphene

from structures.supercell import primitive_translations
from workflows.case.hosts import CrystalHost, crystal_data, ideal_slab, times_wider
from workflows.case.reading import find, load, parse
from workflows.case.schema import Case
from workflows.case.shorthand import written_out
from workflows.system.messages import UserError
from workflows.tasks.graph import plan

SMOKE = find("smoke").read_bytes()


def smoke(*replacements: tuple[str, str]) -> bytes:
    text = SMOKE.decode()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def read(*replacements: tuple[str, str]) -> Case:
    return parse(smoke(*replacements), "case.toml")


SITES = 'sites = ["bridge", "hollow", "top-V", "top-N"]'


def test_a_case_without_shorthand_is_left_as_it_is() -> None:
    data = load(SMOKE, "a case")
    assert written_out(data) == data


def test_all_sites_are_those_of_the_surface() -> None:
    assert read((SITES, 'sites = "all"')).slab.sites == ("bridge", "hollow", "top-V", "top-N")


def test_all_sites_give_the_same_tasks_and_inputs() -> None:
    short, long = plan(read((SITES, 'sites = "all"'))), plan(parse(SMOKE, "smoke"))
    assert {name: task.inputs for name, task in short.items()} == {
        name: task.inputs for name, task in long.items()
    }


def test_all_sites_of_the_metals_faces() -> None:
    case = read(
        ('sites = ["hollow"]', 'sites = "all"'),
        ("[atom]", '[metal_slab_110]\nlayers = 2\ncell = "1x1"\nvacuum = 5.0\nheld_layers = 1\n'
         'sites = "all"\n\n[atom]'),
        ("metal_slab = [2, 2, 1]", "metal_slab = [2, 2, 1]\nmetal_slab_110 = [2, 2, 1]"),
    )  # fmt: skip
    assert case.metal_slab is not None
    assert case.metal_slab_110 is not None
    assert set(case.metal_slab.sites) == set(case.metal_sites)
    assert set(case.metal_slab_110.sites) == set(case.metal_110_sites)


@pytest.mark.parametrize(
    # the (001) cell of VN at 4.13 angstrom is 2.92 wide
    ("distance", "cell"), [(2.9, "1x1"), (5.0, "2x2"), (6.0, "3x3"), (8, "3x3"), (26.0, "9x9")]
)  # fmt: skip
def test_distance_between_images(distance: float, cell: str) -> None:
    case = read(('cell = "1x1"', f"cell = {distance}"))
    assert case.slab.cell == cell
    n = int(cell[0])
    assert (n - 1) * 4.13 / math.sqrt(2) < distance <= n * 4.13 / math.sqrt(2)


def test_a_matrix_is_a_cell() -> None:
    case = read(('cell = "1x1"', "cell = [[2, 1], [-1, 2]]"))
    assert case.slab.cell == "2 1/-1 2"
    assert read(('cell = "1x1"', 'cell = "2 1/-1 2"')) == case
    assert read(('cell = "1x1"', "cell = [[2, 0], [0, 2]]")).slab.cell == "2x2"
    assert read(('cell = "1x1"', "cell = [[1, 1], [-1, 1]]")).slab.cell == "sqrt2"


def test_kpoints_of_a_matrix_have_the_spacing_of_its_reciprocal_cell() -> None:
    changes = ("host_slab = [2, 2, 1]", "host_slab = 0.4")
    case = read(('cell = "1x1"', "cell = [[2, 1], [0, 2]]"), changes)
    side = 4.13 / math.sqrt(2)
    slanted = np.linalg.inv(side * np.array([[2.0, 1.0], [0.0, 2.0]]))
    lengths = 2 * math.pi * np.linalg.norm(slanted, axis=0)
    assert case.dft.kpoints.host_slab == (*np.ceil(lengths / 0.4).astype(int), 1)


def test_distance_on_a_rectangle() -> None:
    data: dict[str, Any] = load(SMOKE, "a case")
    data["metal_slab_110"] = {**data["metal_slab"], "cell": 8.0}
    found = written_out(data)
    assert isinstance(found, dict)
    assert found["metal_slab_110"]["cell"] == "2x2"  # 8.40 x 11.88 angstrom
    data["metal_slab_110"]["cell"] = 5.5
    found = written_out(data)
    assert isinstance(found, dict)
    assert found["metal_slab_110"]["cell"] == "2x1"  # 8.40 x 5.94 angstrom


@pytest.mark.parametrize("spacing", [0.1, 0.25, 0.4])
def test_spacing_of_kpoints(spacing: float) -> None:
    case = read(
        ("host_slab = [2, 2, 1]", f"host_slab = {spacing}"),
        ("host_bulk = [4, 4, 4]", f"host_bulk = {spacing}"),
        ("metal_bulk = [4, 4, 4]", f"metal_bulk = {spacing}"),
        ('cell = "1x1"', 'cell = "2x3"'),
    )
    from ase.build import bulk

    nitride, sodium = bulk("VN", "rocksalt", a=4.13), bulk("Na", "bcc", a=4.2)
    for crystal, grid in (
        (nitride, case.dft.kpoints.host_bulk), (sodium, case.dft.kpoints.metal_bulk),
    ):  # fmt: skip
        assert grid is not None
        for length, number in zip(crystal.cell.reciprocal().lengths(), grid, strict=True):
            assert 2 * math.pi * length / number <= spacing
            assert number == 1 or 2 * math.pi * length / (number - 1) > spacing
    nx, ny, nz = case.dft.kpoints.host_slab
    side = 4.13 / math.sqrt(2)
    assert nz == 1
    for number, length in ((nx, 2 * side), (ny, 3 * side)):
        assert 2 * math.pi / length / number <= spacing
        assert number == 1 or 2 * math.pi / length / (number - 1) > spacing


def test_spacing_in_a_cell_of_a_distance() -> None:
    case = read(('cell = "1x1"', "cell = 5.0"), ("host_slab = [2, 2, 1]", "host_slab = 0.4"))
    assert case.slab.cell == "2x2"
    assert case.dft.kpoints.host_slab == (3, 3, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cell = "1x1"', "cell = 1.0", "slab.cell: found 1; allowed: a cell such as '2x2' or [["),
        ('cell = "1x1"', "cell = 30.0", "slab.cell: found 30; allowed: a cell such as '2x2' or [["),
        ('cell = "1x1"', "cell = [[2, 1]]", "slab.cell: found [[2, 1]]; allowed: two rows of two"),
        ('cell = "1x1"', "cell = [[2, 1.0], [-1, 2]]", "slab.cell: found [[2, 1.0], [-1, 2]]; all"),
        ('cell = "1x1"', "cell = [[1, 2], [2, 4]]", "slab.cell: found [[1, 2], [2, 4]], whose vec"),
        ('cell = "1x1"', "cell = [[0, 1], [1, 0]]", "slab.cell: found [[0, 1], [1, 0]], which is "),
        ('cell = "1x1"', "cell = [[9, 9], [-9, 9]]", "slab.cell: found [[9, 9], [-9, 9]], which "),
        ('cell = "1x1"', 'cell = "2 2/1 1"', "slab.cell: found '2 2/1 1'; allowed: '1x1', '2x2'"),
        ('cell = "1x1"', "cell = true", "slab.cell: found true; allowed: text in quotes"),
        ("host_slab = [2, 2, 1]", "host_slab = 3.0", "dft.kpoints.host_slab: found 3; allowed: "),
        ("host_slab = [2, 2, 1]", "host_slab = 0", "dft.kpoints.host_slab: found 0; allowed: "),
        ("host_slab = [2, 2, 1]", "host_slab = nan", "dft.kpoints.host_slab: found nan; "),
        (SITES, 'sites = "every"', "slab.sites: found 'every'; allowed: a list"),
    ],
)
def test_out_of_bounds_is_one_line(old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read((old, new))
    assert str(raised.value).startswith(f"case.toml: {message}")
    assert len(str(raised.value).splitlines()) == 1


def test_a_root_cell_of_a_hexagonal_surface_is_as_much_wider_along_both_vectors() -> None:
    layer = graphene(vacuum=6.0)
    layer.pbc = True
    data = {
        "file": "graphene.cif",
        "miller": [0, 0, 1],
        "relax_cell": "in-plane",
        "crystal": crystal_data(layer, "graphene.cif"),
    }
    host = CrystalHost.model_validate(data)
    own_cv = np.asarray(ideal_slab(host, 1, "1x1", 10.0, 0).cell)
    obtuse = float(own_cv[0] @ own_cv[1]) < 0
    root3 = "2 1/-1 1" if obtuse else "1 1/-1 2"
    assert times_wider(host, root3) == pytest.approx((3**0.5, 3**0.5))
    assert times_wider(host, "3x2") == pytest.approx((3.0, 2.0))
    assert times_wider(read().host, "2 1/-1 2") == pytest.approx((5**0.5, 5**0.5))
    slab = ideal_slab(host, 1, root3, 10.0, 0)
    assert slab.cell.lengths()[:2] == pytest.approx([2.46 * 3**0.5] * 2, abs=1e-4)
    assert primitive_translations(root3) == (3, 3)
