"""The structures of a case, written for people and other programs to read."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.case.reading import PRESETS, parse, presets
from workflows.case.reading import read as read_case
from workflows.case.schema import Case
from workflows.preflight.structure_files import build
from workflows.steps.initial import structures
from workflows.system.messages import UserError

SMOKE = (PRESETS / "smoke.toml").read_text(encoding="utf-8")
NAMES = [
    "VN-bulk", "VN-slab", "VN-bridge", "VN-hollow", "VN-top-V", "VN-top-N",
    "Na-bulk", "Na-slab", "Na-hollow", "Na-atom",
]  # fmt: skip


def smoke(*changes: tuple[str, str]) -> Case:
    text = SMOKE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode(), "a.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    list(build(structures(smoke()), folder))
    return folder


@pytest.mark.parametrize("name", presets())
def test_preset_can_be_built(name: str) -> None:
    case = read_case(PRESETS / f"{name}.toml")
    slabs = [slab for slab in (case.slab, case.metal_slab, case.metal_slab_110) if slab]
    sites = sum(len(slab.sites) for slab in slabs)
    assert len(structures(case)) == len(slabs) + sites + 3  # two crystals and the atom


def test_everything_has_a_name() -> None:
    assert list(structures(smoke())) == NAMES


@pytest.mark.parametrize("suffix", ["cif", "extxyz"])
@pytest.mark.parametrize(
    ("name", "formula"),
    [("VN-bulk", "VN"), ("VN-slab", "V2N2"), ("VN-top-V", "V2N2Na"), ("Na-hollow", "Na3")],
)
def test_files_hold_the_atoms(folder: Path, name: str, suffix: str, formula: str) -> None:
    atoms = read(folder / f"{name}.{suffix}")
    assert atoms.symbols.formula.count() == read_formula(formula)


def read_formula(text: str) -> dict[str, int]:
    from ase.formula import Formula

    count: dict[str, int] = Formula(text).count()
    return count


@pytest.mark.parametrize("suffix", ["cif", "extxyz"])
def test_files_hold_the_distances(folder: Path, suffix: str) -> None:
    built = structures(smoke())["VN-top-V"]
    atoms = read(folder / f"VN-top-V.{suffix}")
    distances = [a.get_all_distances(mic=False) for a in (atoms, built.atoms)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-4)


def test_atoms_are_as_they_are_built_in_extxyz(folder: Path) -> None:
    built = {stem: one.atoms for stem, one in structures(smoke()).items()}
    for name in NAMES:
        atoms = read(folder / f"{name}.extxyz")
        assert list(atoms.symbols) == list(built[name].symbols)
        assert atoms.positions == pytest.approx(built[name].positions, abs=1e-7)
        assert np.array_equal(atoms.pbc, built[name].pbc)


@pytest.mark.filterwarnings("ignore")  # pymatgen's own
@pytest.mark.parametrize("name", NAMES[:4])
def test_pymatgen_reads_the_cif(folder: Path, name: str) -> None:
    from pymatgen.core import Structure

    structure = Structure.from_file(folder / f"{name}.cif")
    symbols = sorted(site.specie.symbol for site in structure)
    assert symbols == sorted(read(folder / f"{name}.extxyz").symbols)


def test_adatom_touches_the_surface() -> None:
    on_top = structures(smoke())["VN-top-V"]
    # covalent radii of Na 1.66 and V 1.53 angstrom
    assert "nearest: V 3.19" in on_top.remark


def test_line_says_where_the_lattice_constant_is_from() -> None:
    given_one = smoke(("lattice_guess = 4.13", "lattice_guess = 4.1\nlattice_constant = 4.13"))
    remarks = [structures(case)["VN-bulk"].remark for case in (smoke(), given_one)]
    assert remarks == [", a = 4.13 Å (the guess; a run computes it)", ", a = 4.13 Å (given)"]


def test_lithium_on_titanium_nitride_is_only_data(tmp_path: Path) -> None:
    case = smoke(
        ('"Na"', '"Li"'),
        ('cation = "V"', 'cation = "Ti"'),
        ("top-V", "top-Ti"),
        ('V = "5"', ""),
        ("= 4.13", "= 4.24"),
        ("= 4.20", "= 3.44"),
    )
    list(build(structures(case), tmp_path))
    assert read(tmp_path / "TiN-top-Ti.cif").symbols.formula.count() == {"Ti": 2, "N": 2, "Li": 1}


def test_adatom_of_the_host_is_one_more_atom() -> None:
    case = smoke(('adatom = "Na"', 'adatom = "V"'))
    on_top = structures(case)["VN-top-V"]
    assert on_top.atoms.symbols.formula.count() == {"V": 3, "N": 2}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            (('"Na"', '"H"'), ('["hollow"]', '["bridge"]')),
            "metal_slab.sites: found 'bridge', where no H fits on H(001) with a = 4.2 Å "
            "(H touches no atom of the slab on its way down); allowed: ",
        ),
        (
            (("= 4.13", "= 11.9"),),
            "slab.sites: found 'hollow', where no Na fits on VN(001) with a = 11.9 Å (Na touches",
        ),
        (
            (('"Na"', '"Cs"'), ('["hollow"]', '["bridge"]')),
            "metal_slab.sites: found 'bridge', where no Cs fits on Cs(001) with a = 4.2 Å (Cs at "
            "bridge would be at z = 11.51 angstrom: with 1.0 angstrom of vacuum left over it, 11.1",
        ),
    ],
)
def test_adatom_without_a_place_is_refused(changes: tuple[tuple[str, str], ...], line: str) -> None:
    with pytest.raises(UserError) as refused:
        structures(smoke(*changes))
    assert str(refused.value).startswith(line)


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    list(build(structures(smoke()), tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    list(build(structures(smoke()), tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_contents_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "VN-slab.cif").write_text("mine")
    list(build(structures(smoke()), tmp_path))
    assert (tmp_path / "VN-slab.cif.before-1").read_text() == "mine"


def test_file_is_no_directory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(UserError, match=r"/a: not a directory; allowed: a new or existing direc"):
        list(build(structures(smoke()), path))


@settings(max_examples=40, derandomize=True, database=None, deadline=None)
@given(
    st.floats(2.01, 11.99),
    st.floats(2.01, 11.99),
    st.floats(5.0, 12.0),
    st.sampled_from(["Li", "Na", "K", "Cs", "V", "N", "Og"]),
    st.sampled_from(["1x1", "1x2", "sqrt2", "3x2"]),
)
def test_any_case_is_built_or_refused(
    host: float, metal: float, vacuum: float, adatom: str, cell: str
) -> None:
    changes = (
        ("= 4.13", f"= {host}"),
        ("= 4.20", f"= {metal}"),
        ("= 5.0", f"= {vacuum}"),
        ('"Na"', f'"{adatom}"'),
        ('"1x1"', f'"{cell}"'),
        ('V = "5"', ""),
    )
    try:
        made = len(structures(smoke(*changes)))
    except UserError as error:
        line = str(error)
    else:
        line = f"{made} structures"
    assert line.replace("\n", "").isprintable()
    assert line.startswith((f"{len(NAMES)} structures", "slab.", "metal_slab.", "a.toml: "))
