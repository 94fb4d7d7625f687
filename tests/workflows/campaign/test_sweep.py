"""Sweeps: which cases they are, and mistakes in them."""

from pathlib import Path

import pytest

from tests.paths import TINY
from workflows.campaign.campaign import Campaign
from workflows.campaign.sweep import gather, variant
from workflows.case.reading import load, parse
from workflows.system.messages import UserError


def sweep(tmp_path: Path, text: str) -> Campaign:
    (tmp_path / "tiny.toml").write_bytes(TINY.read_bytes())
    path = tmp_path / "sweep.toml"
    path.write_text(f'base = "tiny.toml"\n{text}')
    return gather([str(path)])


def test_a_sweep_is_every_combination_of_its_axes(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """[axes]
        "slab.cell" = ["1x1", "sqrt2"]
        host = [{ cation = "V", anion = "N", lattice_guess = 4.1 },
                { cation = "Ti", anion = "N", lattice_guess = 4.2 }]
        adatom = ["Na", { adatom = "Li", metal = { lattice_guess = 3.4 } }]
        """,
    )
    cases = {member.case.name: member.case for member in campaign.members}
    assert len(cases) == 8
    last = cases["tiny-sqrt2-TiN-Li"]
    assert (last.slab.cell, last.host.formula, last.adatom) == ("sqrt2", "TiN", "Li")
    assert last.metal.lattice_guess == 3.4
    # what is named after an element follows it; a data set of V is none of TiN's
    assert last.slab.sites == ("top-Ti",)
    assert last.dft.setups == {}
    assert cases["tiny-1x1-VN-Na"].dft.setups == {"V": "5"}


def test_a_cell_of_an_axis_is_a_matrix_too(tmp_path: Path) -> None:
    text = """[axes]
        "slab.cell" = ["2x2", [[2, 1], [-1, 2]]]
        """
    campaign = sweep(tmp_path, text)
    cells = {member.case.name: member.case.slab.cell for member in campaign.members}
    assert cells == {"tiny-2x2": "2x2", "tiny-cell2_1x-1_2": "2 1/-1 2"}


MGO = """MgO
1.0
4.24 0 0
0 4.24 0
0 0 4.24
Mg O
4 4
direct
0 0 0
0 .5 .5
.5 0 .5
.5 .5 0
.5 .5 .5
.5 0 0
0 .5 0
0 0 .5
"""
CRYSTALS = """[axes]
"slab.sites" = ["all"]
host = [{ cation = "Ti", anion = "N", lattice_guess = 4.2 },
        { element = "Ag", miller = [1, 1, 1] },
        { file = "MgO.vasp", miller = [0, 0, 1] }]
"""


def test_hosts_are_elements_and_files_too(tmp_path: Path) -> None:
    (tmp_path / "MgO.vasp").write_text(MGO)
    campaign = sweep(tmp_path, CRYSTALS)
    cases = {member.case.name: member.case for member in campaign.members}
    assert list(cases) == ["tiny-all-TiN", "tiny-all-Ag111", "tiny-all-MgO001"]
    assert [case.host.formula for case in cases.values()] == ["TiN", "Ag", "MgO"]
    assert cases["tiny-all-Ag111"].slab.sites == ("bridge", "hollow-fcc", "hollow-hcp", "top-Ag")
    assert set(cases["tiny-all-MgO001"].slab.sites) == {"bridge", "hollow", "top-Mg", "top-O"}
    assert {tuple(case.dft.setups) for case in cases.values()} == {()}  # the base's is of V
    assert {name.partition(".")[0] for name in campaign.tasks} >= {"Ag-lattice", "Ag111-slab"}


def test_a_site_on_the_metal_atom_is_one_on_the_element(tmp_path: Path) -> None:
    (member,) = sweep(tmp_path, '[axes]\nhost = [{ element = "Ag", miller = [0, 0, 1] }]').members
    assert member.case.slab.sites == ("top-Ag",)  # top-V in the base


def test_the_copy_of_a_case_has_its_crystal_and_needs_no_file(tmp_path: Path) -> None:
    path = tmp_path / "MgO.vasp"
    path.write_text(MGO)
    (member,) = sweep(
        tmp_path,
        '[axes]\nhost = [{ file = "MgO.vasp", miller = [0, 0, 1] }]\nslab.sites = [["top-O"]]\n',
    ).members
    path.unlink()
    assert parse(member.content, "copy") == member.case


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ('{ file = "no.cif", miller = [0, 0, 1] }', ["host.file", "no.cif"]),
        ('{ file = "../MgO.vasp", miller = [0, 0, 1] }', ["host.file", "in the folder"]),
        ('{ element = "Ag", miller = [0, 0, 0] }', ["host.miller", "not all zero"]),
        ('{ element = "Ag", face = [0, 0, 1] }', ["face"]),
    ],
)
def test_a_mistake_in_a_crystal_is_one_line(tmp_path: Path, host: str, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        sweep(tmp_path, f'[axes]\nhost = [{host}]\n"dft.setups" = [{{}}]\n')
    assert len(str(error.value).splitlines()) == 1, str(error.value)
    for word in words:
        assert word in str(error.value)


def test_goals(tmp_path: Path) -> None:
    base = TINY.read_text(encoding="utf-8")
    without = base.replace("lattice_constant = 4.2\n", "")  # of Na: it is computed
    refined = without + "\n[refine]\ncutoff = 250.0\n"

    def asked(goal: str, text: str) -> set[str]:
        (tmp_path / "base.toml").write_text(text)
        path = tmp_path / "of.toml"
        axes = 'host = [{ cation = "V", anion = "N", lattice_guess = 4.1 }]'
        path.write_text(f'base = "base.toml"\ngoal = "{goal}"\n[axes]\n{axes}\n')
        return {task.label for task in gather([str(path)]).tasks.values()}

    of_the_sites = {"VN-lattice", "VN-slab", "VN-top-V-held", "Na-atom"}
    assert asked("adsorption", without) == of_the_sites
    assert asked("ranking", without) == of_the_sites | {"Na-lattice"}
    assert asked("ranking", base) == of_the_sites  # its lattice is given
    single_points = {f"{name}-refined" for name in of_the_sites - {"VN-lattice"}}
    assert asked("adsorption", refined) == of_the_sites | single_points
    assert asked("ranking", refined) == (
        of_the_sites | single_points | {"Na-lattice", "Na-lattice-refined"}
    )


def test_a_hubbard_u_is_an_axis_and_follows_its_element(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """[axes]
        "dft.hubbard.V" = [{ orbital = "d", U = 2.0 }, { orbital = "d", U = 4.0 }]
        """,
    )
    assert [member.case.name for member in campaign.members] == ["tiny-V-d-U2", "tiny-V-d-U4"]
    assert [member.case.dft.hubbard["V"].U for member in campaign.members] == [2.0, 4.0]
    slabs = [name for name in campaign.tasks if name.startswith("VN-slab")]
    assert len(slabs) == 2
    atoms = [name for name in campaign.tasks if name.startswith("Na-atom")]
    assert len(atoms) == 1  # has no V

    data = load(TINY.read_bytes(), "a case")
    data["dft"]["hubbard"] = {"V": {"orbital": "d", "U": 3.0}}
    other = {"host": {"cation": "Ti", "anion": "N", "lattice_guess": 4.2}}
    assert variant(data, "TiN", other, {}).case.dft.hubbard == {}


def test_a_defect_is_an_axis(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """[axes]
        slab.defect = [{ element = "N" }, { element = "N", substitute = "O" }]
        """,
    )
    assert [member.case.name for member in campaign.members] == ["tiny-N-vacancy", "tiny-O-for-N"]
    defects = [member.case.slab.defect for member in campaign.members]
    assert [of and of.label for of in defects] == ["N vacancy", "O for N"]


def test_one_by_one_is_the_base_and_single_changes(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """combine = "one-by-one"
        goal = "adsorption"
        [axes]
        slab.cell = ["sqrt2", "2x2"]
        slab.layers = [3]
        dft.xc = ["RPBE"]
        dft.setups = [{}]
        dft.dipole_correction = [false]
        atom.box = [7.5]
        """,
    )
    assert [member.case.name for member in campaign.members] == [
        "tiny", "tiny-sqrt2", "tiny-2x2", "tiny-layers3", "tiny-RPBE", "tiny-setups-default",
        "tiny-dipole_correction-off", "tiny-box7.5",
    ]  # fmt: skip
    assert {task.kind for task in campaign.tasks.values()} == {"lattice", "atom", "slab", "held"}
    of_metal = [task.kind for task in campaign.tasks.values() if task.surface == "metal"]
    assert of_metal == ["atom"] * 3  # of the base, with RPBE, in another box
    assert campaign.members[5].case.dft.setups == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[axes]\n", ["axes", "at least"]),
        ('[axes]\nslab.cell = "2x2"', ["axes.slab.cell", "a list of at least one value"]),
        ("[axes]\nslab.cell = []", ["axes.slab.cell", "a list of at least one value"]),
        ('[axes]\nslab.cel = ["2x2"]', ["axes.slab.cel: unknown field", "'slab.cell'"]),
        ('[axes]\nname = ["a"]', ["axes.name: unknown field"]),
        ('[axes]\nslab.cell = ["2x"]', ["slab.cell: found '2x'", "'2x2'"]),
        ('[axes]\nhost = ["VN"]', ["host: found 'VN'", "a table"]),
        ('[axes]\nsystem = [{ adatm = "Li" }]', ["axes.system: adatm: unknown field", "'adatom'"]),
        ("[axes]\nsystem = [{}]", ["axes.system", "a table without fields"]),
        ("[axes]\nslab.layers = [2, 99]", ["slab.layers: found 99", "at most 40"]),
        ('axis = 1\n[axes]\nslab.cell = ["2x2"]', ["axis: unknown key", "axes"]),
        ('combine = "sum"\n[axes]\nslab.layers = [2]', ["combine: found 'sum'", "'one-by-one'"]),
    ],
)
def test_a_mistake_in_a_sweep_is_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        sweep(tmp_path, text)
    message = str(caught.value)
    assert all(word in message for word in ["sweep.toml: ", *words]), message
    assert "\n" not in message


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text('base = "none.toml"\n[axes]\nslab.layers = [2]')
    with pytest.raises(UserError, match=r"sweep\.toml: base: .*none\.toml: no such file"):
        gather([str(path)])


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match="two cases named 'tiny'; allowed: each name once"):
        gather([str(TINY), str(TINY)])


def test_too_many_cases_are_refused_before_they_are_made(tmp_path: Path) -> None:
    numbers = ", ".join(map(str, range(2, 41)))
    axes = "\n".join(f"slab.{key} = [{numbers}]" for key in ("layers", "vacuum", "held_layers"))
    with pytest.raises(UserError, match="found 59319 cases; allowed: at most 10000"):
        sweep(tmp_path, f"[axes]\n{axes}")
