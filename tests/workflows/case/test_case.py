"""The case file: what is taken, and that everything else is refused in one line per problem."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from structures.sites import find_site
from tests.made_up import values_of
from workflows.case.reading import MAX_BYTES, PRESETS, find, parse, presets, read
from workflows.case.schema import Case, HubbardU
from workflows.dft.datasets import require_hubbard, require_moments, require_setups
from workflows.dft.functionals import require_functionals
from workflows.preflight.computable import computable_structures
from workflows.steps.initial import structures
from workflows.system.messages import UserError
from workflows.tasks.folder import Result
from workflows.tasks.graph import plan

SMOKE = re.sub(" *#.*", "", (PRESETS / "smoke.toml").read_text(encoding="utf-8"))
FUZZ = settings(
    max_examples=int(os.environ.get("SODIOPHILE_FUZZ", "300")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def smoke(*changes: tuple[str, str]) -> bytes:
    """Return the smoke preset with pieces of its text replaced."""
    text = SMOKE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def refusal(content: bytes, source: str = "a.toml") -> list[str]:
    """Return the lines with which a case file is refused."""
    with pytest.raises(UserError) as refused:
        parse(content, source)
    return str(refused.value).split("\n")


# ---- what is taken ------------------------------------------------------------------------------


def test_presets_come_in_order_of_effort() -> None:
    assert presets() == ("smoke", "laptop", "production")


@pytest.mark.parametrize("name", ["smoke", "laptop", "production"])
def test_preset_is_named_for_its_file(name: str) -> None:
    assert read(find(name)).name == name


def test_only_smoke_is_not_physical() -> None:
    assert [read(find(name)).physical for name in presets()] == [False, True, True]


@pytest.mark.parametrize("name", ["smoke", "laptop", "production"])
def test_data_sets_of_a_preset_are_installed(name: str) -> None:
    case = read(find(name))
    require_setups(case.dft, case.elements)


@pytest.mark.parametrize(
    "content",
    [
        SMOKE.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + SMOKE.encode(),  # Windows Notepad
        smoke(("cutoff = 250.0", "cutoff = 250")),
        smoke(("cutoff = 250.0", "cutoff = 0x00fa")),
    ],
    ids=["line ends of Windows", "byte-order mark", "whole number", "hexadecimal"],
)
def test_same_case_written_otherwise(content: bytes) -> None:
    assert parse(content, "") == parse(SMOKE.encode(), "")


LITHIUM_ON_TIN = smoke(
    ('name = "smoke"', 'name = "TiN-Li"'),
    ('adatom = "Na"', 'adatom = "Li"'),
    ('cation = "V"', 'cation = "Ti"'),
    ("lattice_guess = 4.13", "lattice_guess = 4.24"),
    ("lattice_guess = 4.20", "lattice_guess = 3.44"),
    ('"top-V"', '"top-Ti"'),
    ('setups = { V = "5" }', ""),
)


def test_another_nitride_and_another_metal_are_only_data() -> None:
    assert parse(LITHIUM_ON_TIN, "").elements == ["Li", "N", "Ti"]


def test_tasks_are_named_for_the_compound_and_the_metal() -> None:
    names = plan(parse(LITHIUM_ON_TIN, ""))
    assert {"TiN-lattice", "TiN-top-Ti-density", "Li-hollow-held", "Li-atom"} < set(names)


@pytest.mark.parametrize(("adatom", "setups"), [("V", 'V = "5"'), ("N", "")])
def test_adatom_may_be_an_element_of_the_host(adatom: str, setups: str) -> None:
    changes = ('adatom = "Na"', f'adatom = "{adatom}"'), ('V = "5"', setups)
    assert parse(smoke(*changes), "").adatom == adatom


def test_adatom_of_the_host_has_tasks_of_its_own() -> None:
    case = parse(smoke(('adatom = "Na"', 'adatom = "V"')), "")
    assert len(plan(case)) == len(plan(parse(SMOKE.encode(), "")))


# ---- keys and values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("cutoff", "cutof", "dft.cutof: unknown key (did you mean 'cutoff'?); allowed: mode, "),
        ("[relax]", "[relx]", "relx: unknown key (did you mean 'relax'?); allowed: name, "),
        ("[dft.kpoints]", "[dft.kpoint]", "dft.kpoint: unknown key (did you mean 'kpoints'?)"),
        ("[host]", "[host]\nsize = 1", "host.size: unknown key; allowed: lattice_guess, "),
        ("[host]", '[host]\n"" = 1', "host.'': unknown key; allowed: "),
        ("[host]", '[host]\n"a\\nb" = 1', r"host.'a\nb': unknown key; allowed: "),
        ("[host]", '[host]\n"[key]" = 1', "host.'[key]': unknown key; allowed: "),
        ('name = "smoke"', "", "name: missing; this key must be given"),
        ("box = 8.0", "", "atom.box: missing; this key must be given"),
    ],
)
def test_wrong_key_is_named(old: str, new: str, line: str) -> None:
    assert any(found.startswith(f"a.toml: {line}") for found in refusal(smoke((old, new))))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("nan", "nan; allowed: a finite number"),
        ("inf", "inf; allowed: a finite number"),
        ("1e999", "inf; allowed: a finite number"),
        ("-250", "-250; allowed: at least 150"),
        ("0", "0; allowed: at least 150"),
        ("149.9", "149.9; allowed: at least 150"),
        ("2001", "2001; allowed: at most 2000"),
        ('"400"', "'400'; allowed: a number"),
        ("true", "true; allowed: a number"),
        ("2026-01-01", "2026-01-01; allowed: a number"),
        ("07:32:00", "07:32:00; allowed: a number"),
        ("[400]", "[400]; allowed: a number"),
        ("{ eV = 400 }", "a table; allowed: a number"),
        ("0x" + "f" * 4000, "a value too long to show; allowed: a number"),
        ("9" * 400, "9" * 57 + "...; allowed: a number"),
    ],
)
def test_wrong_number_is_named(value: str, found: str) -> None:
    lines = refusal(smoke(("cutoff = 250.0", f"cutoff = {value}")))
    assert lines == [f"a.toml: dft.cutoff: found {found}"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("layers = 2", "layers = true", "slab.layers: found true; allowed: a whole number"),
        ("layers = 2", "layers = 2.5", "slab.layers: found 2.5; allowed: a whole number"),
        ("layers = 2", "layers = 1", "slab.layers: found 1; allowed: at least 2"),
        ("layers = 2", "layers = 41", "slab.layers: found 41; allowed: at most 40"),
        ("vacuum = 5.0", "vacuum = 4.99", "slab.vacuum: found 4.99; allowed: at least 5"),
        ("vacuum = 5.0", "vacuum = -5", "slab.vacuum: found -5; allowed: at least 5"),
        ('"1x1"', '"0x1"', "slab.cell: found '0x1'; allowed: '1x1', '2x2', ... '9x9', 'sqrt2', "),
        (
            '"1x1"',
            "1",
            "slab.cell: found 1; allowed: a cell such as '2x2' or [[2, 1], [-1, 2]], or a distance",
        ),
        ("guess = 4.13", "guess = 2", "host.lattice_guess: found 2; allowed: above 2"),
        ("guess = 4.13", "guess = 12", "host.lattice_guess: found 12; allowed: below 12"),
        ("smearing = 0.2", "smearing = 0", "dft.smearing: found 0; allowed: above 0"),
        ("box = 8.0", "box = 5", "atom.box: found 5; allowed: at least 6"),
        ("= 60", "= 0", "relax.max_steps: found 0; allowed: at least 1"),
        ('xc = "PBE"', 'xc = "pbe"', "dft.xc: found 'pbe'; allowed: 'PBE', 'RPBE', 'revPBE' or "),
        ("tion = true", "tion = 1", "dft.dipole_correction: found 1; allowed: true or false"),
        ('y = "smoke"', 'y = "good"', "quality: found 'good'; allowed: 'smoke', 'laptop' or "),
        ('name = "smoke"', 'name = "a b"', "name: found 'a b'; allowed: up to 64 letters, "),
        ('name = "smoke"', 'name = "../a"', "name: found '../a'; allowed: up to 64 letters, "),
        ('name = "smoke"', 'name = "$(ls)"', "name: found '$(ls)'; allowed: up to 64 letters, "),
        (
            "[atom]\nbox = 8.0",
            "[[atom]]\nbox = 8.0",
            "atom: found [{'box': 8.0}]; allowed: a table",
        ),
        (
            "[4, 4, 4]",
            "[4, 4]",
            "dft.kpoints.host_bulk: found [4, 4]; allowed: three whole numbers",
        ),
        (
            "[4, 4, 4]",
            "[1,1,1,1]",
            "dft.kpoints.host_bulk: found [1, 1, 1, 1]; allowed: three whole",
        ),
        ("[4, 4, 4]", "[4, 0, 4]", "dft.kpoints.host_bulk: found [4, 0, 4]; allowed: three whole"),
        ("[4, 4, 4]", "[4, 4, 4.0]", "dft.kpoints.host_bulk.2: found 4.0; allowed: a whole number"),
        (
            "[2, 2, 1]",
            "[2, 2, 2]",
            "dft.kpoints.host_slab: found [2, 2, 2]; allowed: 1 as the third",
        ),
    ],
)
def test_wrong_value_is_named(old: str, new: str, line: str) -> None:
    (found,) = refusal(smoke((old, new)))
    assert found.startswith(f"a.toml: {line}")


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [
        ("v", " (did you mean 'V'?)"),
        ("vanadium", " (did you mean 'V'?)"),
        ("X", " (did you mean 'Xe'?)"),
        ("", ""),
    ],
)
def test_unknown_element_is_named(symbol: str, hint: str) -> None:
    lines = refusal(smoke(('cation = "V"', f'cation = "{symbol}"')))
    expected = f"found {symbol!r}; not a chemical element{hint}; allowed: a symbol, such as 'Na'"
    assert lines == [f"a.toml: host.cation: {expected}"]


@pytest.mark.parametrize(
    ("setups", "line"),
    [
        ("Xq = '5'", "dft.setups.Xq: found 'Xq'; not a chemical element; allowed: a symbol"),
        ("V = 5", "dft.setups.V: found 5; allowed: text in quotes"),
        ("V = '../5'", "dft.setups.V: found '../5'; allowed: the name of a PAW data set"),
        ("Ti = '4'", "dft.setups.Ti: unknown key; allowed: N, Na, V"),
    ],
)
def test_wrong_data_set_is_named(setups: str, line: str) -> None:
    (found,) = refusal(smoke(('V = "5"', setups)))
    assert found.startswith(f"a.toml: {line}")


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ("Ti = { orbital = 'd', U = 3.0 }", "dft.hubbard.Ti: unknown key; allowed: N, Na, V"),
        ("V = { orbital = 'g', U = 3.0 }", "dft.hubbard.V.orbital: found 'g'; allowed: 's', 'p'"),
        ("V = { orbital = 'd', U = -1.0 }", "dft.hubbard.V.U: found -1.0; allowed: above 0"),
        ("V = { orbital = 'd' }", "dft.hubbard.V.U: missing"),
        ("V = { orbital = 'd', U = 3.0, J = 1.0 }", "dft.hubbard.V.J: unknown key"),
        ("V = 3.0", "dft.hubbard.V: found 3.0; allowed: a table"),
    ],
)
def test_wrong_hubbard_u_is_named(tables: str, line: str) -> None:
    (found,) = refusal(smoke(("[dft.kpoints]", f"[dft.hubbard]\n{tables}\n\n[dft.kpoints]")))
    assert found.startswith(f"a.toml: {line}")


def test_hubbard_u_on_an_orbital_that_the_data_set_lacks_is_named() -> None:
    table = "[dft.hubbard.N]\norbital = 'd'\nU = 3.0\n\n[dft.kpoints]"
    case = parse(smoke(("[dft.kpoints]", table)), "")
    with pytest.raises(UserError) as refused:
        require_hubbard(case.dft)
    assert str(refused.value) == (
        "dft.hubbard.N.orbital: found 'd'; allowed: 's', 'p', the valence orbitals of its PAW data "
        "set"
    )
    of_v = {"V": HubbardU(orbital="d", U=3.0)}
    require_hubbard(case.dft.model_copy(update={"hubbard": of_v}))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("polarised = 'on'", "dft.spin.polarised: found 'on'; allowed: true, false or \"auto\""),
        ("polarised = 1", 'dft.spin.polarised: found 1; allowed: true, false or "auto"'),
        ("moments = { Ti = 1.0 }", "dft.spin.moments.Ti: unknown key; allowed: N, Na, V"),
        ("moments = { V = 30.0 }", "dft.spin.moments.V: found 30.0; allowed: at most 20"),
        ("moments = { V = 'up' }", "dft.spin.moments.V: found 'up'; allowed: a number"),
        (
            "polarised = false\nmoments = { V = 1.0 }",
            "dft.spin.moments: found with polarised = false; allowed: with true or 'auto'",
        ),
        ("starts = []", "dft.spin.starts: found []; allowed: a list of at least one"),
        ("starts = ['up']", "dft.spin.starts.0: found 'up'; allowed: 'ferromagnetic' or 'altern"),
        (
            "starts = ['alternating', 'alternating']",
            "dft.spin.starts: found ['alternating', 'alternating']; allowed: each start once",
        ),
        (
            "moment = 1.0",
            "dft.spin.moment: unknown key (did you mean 'moments'?)",
        ),
    ],
)
def test_wrong_spin_is_named(table: str, line: str) -> None:
    (found,) = refusal(smoke(("polarised = false", table)))
    assert found.startswith(f"a.toml: {line}")


def test_a_moment_beyond_the_valence_is_named() -> None:
    table = 'polarised = "auto"\nmoments = { V = -6.0, N = 3.0 }'
    case = parse(smoke(("polarised = false", table)), "")
    with pytest.raises(UserError) as refused:
        require_moments(case.dft)
    assert str(refused.value) == (
        "dft.spin.moments.V: found -6; allowed: -5 to 5 Bohr magnetons, what the valence electrons "
        "of its PAW data set can have"
    )


def test_data_set_that_is_not_installed_is_named() -> None:
    case = parse(smoke(('V = "5"', 'V = "7"')), "")
    with pytest.raises(UserError, match=r"^dft\.setups\.V: found '7' for PBE; allowed: .*'5'"):
        require_setups(case.dft, case.elements)


# ---- refinements ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("cutoff = 160.0", "refine.cutoff: found 160; allowed: {cutoff} (dft.cutoff) or more"),
        (
            "kpoints = { host_slab = [5, 1, 1] }",
            "refine.kpoints.host_slab: found [5, 1, 1]; allowed: {grid} (dft.kpoints.host_slab) or "
            "more of each",
        ),
        ("xc = 'B3LYP'", "refine.xc: found 'B3LYP'; allowed: 'PBE', 'RPBE', 'revPBE' or 'LDA'"),
        ("", "refine: found nothing that differs from [dft]; allowed: denser k-points, a"),
        ("xc = 'PBE'", "refine: found nothing that differs from [dft]; allowed: denser k-points"),
        (
            "vacuum = 12.0",
            "refine.vacuum: found with single points; allowed: in the table of the slab, because "
            "another value of vacuum needs another relaxation",
        ),
        ("layers = 5", "refine.layers: found with single points; allowed: in the table of the"),
        ("smearing = 0.1", "refine.smearing: unknown key; allowed: cutoff, xc, setups, hubbard"),
        ("kpoints = { host_bulk = [9, 9, 9] }", "refine.kpoints.host_bulk: unknown key"),
        ("kpoints = { host_slab = [9, 9, 9] }", "refine.kpoints.host_slab: found [9, 9, 9]; allow"),
        ("kpoints = { metal_slab_110 = [9, 9, 1] }", "refine.kpoints.metal_slab_110: found a grid"),
        ("setups = { Ti = '5' }", "refine.setups.Ti: unknown key; allowed: N, Na, V"),
        ("hubbard = { Ti = { orbital = 'd', U = 3.0 } }", "refine.hubbard.Ti: unknown key"),
    ],
)
def test_a_refinement_that_is_none_is_refused(table: str, line: str) -> None:
    base = parse(smoke(), "").dft
    (found,) = refusal(smoke(("[relax]", f"[refine]\n{table}\n\n[relax]")))
    grid = list(base.kpoints.host_slab)
    assert found.startswith("a.toml: " + line.format(cutoff=f"{base.cutoff:g}", grid=grid))


def test_a_refinement_changes_what_it_names_and_nothing_else() -> None:
    table = "[refine]\ncutoff = 500.0\nkpoints = { host_slab = [6, 6, 1] }\n\n[relax]"
    case = parse(smoke(("[relax]", table)), "")
    changed = case.refined.dft
    assert (changed.cutoff, changed.kpoints.host_slab) == (500.0, (6, 6, 1))
    before, after = case.dft.model_dump(), changed.model_dump()
    assert {key for key in before if before[key] != after[key]} == {"cutoff", "kpoints"}
    assert case.refined.refine is None


def test_a_data_set_or_model_that_a_refinement_cannot_have_is_named_there() -> None:
    for table, line in (
        ("setups = { V = '7' }", "refine.setups.V: found '7' for PBE; allowed: "),
        ("dispersion = 'd4'\nxc = 'LDA'", "refine.dispersion: found 'd4', which has no param"),
    ):
        case = parse(smoke(("[relax]", f"[refine]\n{table}\n\n[relax]")), "")
        with pytest.raises(UserError) as refused:
            computable_structures(case)
        assert str(refused.value).startswith(line)


# ---- other functionals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("['B3LYP']", "checks.functionals.0: found 'B3LYP'; allowed: 'PBE', 'RPBE', 'PBEsol', 'BE"),
        (
            "['RPBE', 'RPBE']",
            "checks.functionals: found ['RPBE', 'RPBE']; allowed: each functional",
        ),
        ("'RPBE'", "checks.functionals: found 'RPBE'; allowed: a list"),
    ],
)
def test_wrong_functionals_are_named(names: str, line: str) -> None:
    (found,) = refusal(smoke() + f"\n[checks]\nfunctionals = {names}\n".encode())
    assert found.startswith(f"a.toml: {line}")


def test_functionals_that_need_libxc_are_refused_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import gpaw

    names = "['RPBE', 'r2SCAN']"
    case = parse(smoke() + f"\n[checks]\nfunctionals = {names}\n".encode(), "")
    monkeypatch.setattr(gpaw, "get_libraries", lambda: {"libxc": "5.2.3"})
    require_functionals(case)
    monkeypatch.setattr(gpaw, "get_libraries", lambda: {"libxc": ""})
    with pytest.raises(UserError) as refused:
        require_functionals(case)
    assert str(refused.value) == (
        "checks.functionals: found 'r2SCAN', with a GPAW that was built without libxc; "
        "allowed: 'PBE', 'RPBE'"
    )


# ---- settings that do not go together ------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            [("held_layers = 1", "held_layers = 3")],
            "slab.held_layers: found 3 with layers = 2; allowed: 0 to 2, where all",
        ),
        ([('anion = "N"', 'anion = "V"')], "host.anion: found 'V', as cation; allowed: two"),
        (
            [("lattice_guess = 4.13", "lattice_guess = 3.5")],
            "slab.cell: found '1x1', in which Na is 2.47 Å from its own image; allowed: cells with",
        ),
        (
            [("lattice_guess = 4.20", "lattice_guess = 2.4")],
            "metal_slab.cell: found '1x1', in which Na is 2.40 Å from its own image; allowed: ",
        ),
    ],
)
def test_contradiction_is_named(changes: list[tuple[str, str]], line: str) -> None:
    (found,) = refusal(smoke(*changes))
    assert found.startswith(f"a.toml: {line}")


def test_lattice_constant_counts_before_its_guess() -> None:
    change = ("lattice_guess = 4.13", "lattice_guess = 4.13\nlattice_constant = 3.5")
    assert "2.47 Å from its own image" in refusal(smoke(change))[0]


@pytest.mark.parametrize(
    ("sites", "found"),
    [
        ('["holow"]', "'holow' (did you mean 'hollow'?); allowed: bridge, hollow, top-V, top-N"),
        ('["top-Ti"]', "'top-Ti' (did you mean 'top-V'?); allowed: bridge, hollow, top-V, top-N"),
        ('["top-V", "top-V"]', "'top-V' 2 times; allowed: each site once"),
        ("[]", "[]; allowed: a list of at least one"),
        ('"hollow"', "'hollow'; allowed: a list"),
    ],
)
def test_wrong_site_is_named(sites: str, found: str) -> None:
    change = ('sites = ["bridge", "hollow", "top-V", "top-N"]', f"sites = {sites}")
    assert refusal(smoke(change)) == [f"a.toml: slab.sites: found {found}"]


def test_sites_are_those_of_the_host() -> None:
    lines = refusal(LITHIUM_ON_TIN.replace(b"top-Ti", b"top-V"))
    assert lines == [
        "a.toml: slab.sites: found 'top-V' (did you mean 'top-N'?); "
        "allowed: bridge, hollow, top-Ti, top-N"
    ]


def test_every_problem_has_its_line() -> None:
    changes = ("cutoff = 250.0", "cutoff = 0"), ("box = 8.0", "box = 0"), ("[host]", "[hst]")
    fields = [line.split(": ")[1] for line in refusal(smoke(*changes))]
    assert fields == ["host", "atom.box", "dft.cutoff", "hst"]


def test_contradictions_are_told_together() -> None:
    changes = ("guess = 4.13", "guess = 3.5"), ('sites = ["hollow"]', 'sites = ["top-V"]')
    fields = [line.split(": ")[1] for line in refusal(smoke(*changes))]
    assert fields == ["metal_slab.sites", "slab.cell"]


def test_hundreds_of_problems_do_not_fill_the_screen() -> None:
    lines = refusal("".join(f"k{n} = 1\n" for n in range(500)).encode() + SMOKE.encode())
    assert (len(lines), lines[-1]) == (21, "a.toml: and 480 more problems")


# ---- a second face of the metal -----------------------------------------------------------------


def without_metal_slab() -> str:
    text = re.sub(r"\[metal_slab\]\n(.+\n)+", "", SMOKE)
    return re.sub(r"metal_slab = .*\n", "", text)


def test_the_metals_slab_can_be_left_out() -> None:
    """Its lattice stays: energies against the bulk metal need it."""
    case = parse(without_metal_slab().encode(), "case.toml")
    tasks, whole = plan(case), plan(parse(SMOKE.encode(), "case.toml"))
    assert [name for name in tasks if name.startswith("Na")] == ["Na-lattice", "Na-atom"]
    assert all(task == whole[name] for name, task in tasks.items())
    assert list(structures(case))[-2:] == ["Na-bulk", "Na-atom"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[atom]", "[metal_slab]\nlayers = 2\ncell = '1x1'\nvacuum = 5.0\nheld_layers = 1\n"
         "sites = ['hollow']\n[atom]", "dft.kpoints.metal_slab: missing; allowed with"),
        ("metal_bulk", "metal_slab = [2, 2, 1]\nmetal_bulk",
         "dft.kpoints.metal_slab: found a grid; allowed: with [metal_slab]"),
    ],
)  # fmt: skip
def test_a_slab_of_the_metal_and_its_k_points_go_together(old: str, new: str, line: str) -> None:
    text = without_metal_slab()
    assert old in text
    with pytest.raises(UserError, match=re.escape(line)):
        parse(text.replace(old, new, 1).encode(), "case.toml")


FACE_110 = """
[metal_slab_110]
layers = 3
cell = "2x1"
vacuum = 6.0
held_layers = 1
sites = ["hollow", "long-bridge"]
"""
METAL_GRID = "metal_slab = [2, 2, 1]"


def text_110(table: str = FACE_110, grid: str = "metal_slab_110 = [2, 3, 1]") -> str:
    smoke = find("smoke").read_text(encoding="utf-8")
    assert smoke.count(METAL_GRID) == 1
    return smoke.replace(METAL_GRID, f"{METAL_GRID}\n{grid}") + table


def case_110(*arguments: str) -> Any:
    return parse(text_110(*arguments).encode(), "case.toml")


def test_a_second_face_of_the_metal_adds_tasks_and_leaves_the_others_as_they_are() -> None:
    parent = Result("parent", {"energy": -1.0}, {}, 1.0, {})

    def fingerprints(of: Any) -> dict[str, str]:
        return {n: t.fingerprint(dict.fromkeys(t.needs, parent)) for n, t in plan(of).items()}

    before, after = fingerprints(case_110("", "")), fingerprints(case_110())
    what = ("held", "free", "held-basin", "free-basin", "density")
    added = [f"Na110-{s}-{w}" for w in what for s in ("hollow", "long-bridge")]
    assert {n: f for n, f in after.items() if n in before} == before
    assert set(after) - set(before) == {"Na110-probe", "Na110-slab", *added}
    assert len(set(after.values())) == len(after)
    assert plan(case_110())["Na110-slab"].needs == ("Na-lattice",)
    assert plan(case_110())["Na110-slab"].title == "clean Na(110)"
    assert plan(case_110())["Na110-hollow-free"].title == "Na at hollow on Na(110), free"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("layers = 3", "layers = 4"),
        ("2x1", "2x2"),
        ("6.0", "7.0"),
        ("held_layers = 1", "held_layers = 2"),
    ],
)
def test_the_slab_of_a_second_face_depends_on_its_table(old: str, new: str) -> None:
    parent = {"Na-lattice": Result("parent", values_of("lattice"), {}, 1.0, {})}
    tables = (FACE_110, FACE_110.replace(old, new, 1))
    one, other = (plan(case_110(table))["Na110-slab"] for table in tables)
    assert one.fingerprint(parent) != other.fingerprint(parent)


def test_the_k_points_of_a_second_face_are_its_own() -> None:
    kpoints = {n: t.inputs["dft"]["kpoints"] for n, t in plan(case_110()).items()}
    assert kpoints["Na110-slab"] == kpoints["Na110-hollow-held"] == [2, 3, 1]
    assert kpoints["Na-slab"] == [2, 2, 1]


def test_the_structures_of_a_second_face_are_built() -> None:
    built = {name: one.atoms for name, one in structures(case_110()).items()}
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
        (FACE_110, "", "dft.kpoints.metal_slab_110: found a grid; allowed: with .metal_slab_110."),
        ('"2x1"', '"sqrt2"', "metal_slab_110.cell: found 'sqrt2'; allowed: '1x1', '2x1'"),
        ('"long-bridge"', '"bridge"', "metal_slab_110.sites: found 'bridge'.* short-bridge"),
        ("held_layers = 1\nsites = [\"hollow\", \"l", "held_layers = 4\nsites = [\"hollow\", \"l",
         "metal_slab_110.held_layers: found 4 with layers = 3"),
    ],
)  # fmt: skip
def test_a_wrong_second_face_is_one_line(old: str, new: str, message: str) -> None:
    assert old in text_110()
    with pytest.raises(UserError, match=message) as refusal:
        parse(text_110().replace(old, new).encode(), "case.toml")
    assert str(refusal.value).startswith("case.toml: ")
    assert len(str(refusal.value).split("\n")) == 1


def test_the_smoke_case_has_one_face() -> None:
    data = tomllib.loads(find("smoke").read_text(encoding="utf-8"))
    assert "metal_slab_110" not in data


# ---- files that are no case ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "empty; allowed: a TOML file with a case"),
        (b"# nothing\n", "empty; allowed: a TOML file with a case"),
        (b"\x7fELF\x02\x01\x01\x00\x80", "not text in UTF-8; allowed: a TOML file"),
        (SMOKE.encode("utf-16"), "not text in UTF-8; allowed: a TOML file"),
        (b"\x00" * 9, "not valid TOML: Invalid statement (at line 1, column 1)"),
        (b"{}", "not valid TOML: Invalid statement (at line 1, column 1)"),
        (b"cutoff: 400\n", "not valid TOML: Expected '=' after a key"),
        (b"a = 1\na = 2\n", "not valid TOML: Cannot overwrite a value (at line 2, column 6)"),
        (b"[host]\n[host]\n", "not valid TOML: Cannot declare ('host',) twice (at line 2"),
        (b"a = 2026-13-01\n", "not valid TOML: "),
        (b"a = " + b"9" * 9000, "not valid TOML: a number has too many digits"),
        (b"a = " + b"[" * 9000, "not valid TOML: nested too deeply"),
        (b"a = " + b"{a=" * 9000, "not valid TOML: nested too deeply"),
        (b"a" + b".a" * 9000 + b" = 1", "line 1: found more than 500 dots; allowed: a TOML file"),
        (b"import os; os.abort()", "not valid TOML: Expected '=' after a key"),
    ],
)
def test_other_contents_are_refused(content: bytes, line: str) -> None:
    (found,) = refusal(content)
    assert found.startswith(f"a.toml: {line}")


def test_deep_lists_in_a_value_are_refused() -> None:
    (line,) = refusal(smoke(("250.0", "[" * 400 + "]" * 400)))
    assert line.startswith("a.toml: dft.cutoff: found [[[[")


def test_deep_tables_in_a_value_are_refused() -> None:
    (line,) = refusal(smoke(("cutoff = 250.0", f"cutoff{'.a' * 400} = 1")))
    assert line == "a.toml: dft.cutoff: found a table; allowed: a number"


@pytest.mark.parametrize("where", ["name", "cation", "sites", "key"])
def test_long_text_is_cut(where: str) -> None:
    long = "V" * 90_000
    change = {
        "name": ('name = "smoke"', f'name = "{long}"'),
        "cation": ('cation = "V"', f'cation = "{long}"'),
        "sites": ('sites = ["hollow"]', f'sites = ["{long}"]'),
        "key": ("[host]", f"[host]\n{long} = 1"),
    }[where]
    (line,) = refusal(smoke(change))
    assert len(line) < 250


def test_preset_has_no_path() -> None:
    assert find("smoke") == PRESETS / "smoke.toml"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("smok", "smok: no such file or preset (did you mean 'smoke'?); allowed: smoke, laptop, "),
        (
            "a.toml",
            "a.toml: no such file or preset; allowed: smoke, laptop, production or the path",
        ),
        ("a\nb\x1b[31m", r"'a\nb\x1b[31m': no such file or preset"),
        ("a b; rm -rf ~", "a b; rm -rf ~: no such file or preset"),
        (os.fsdecode(b"caf\xe9.toml"), r"'caf\udce9.toml': no such file or preset"),
    ],
)
def test_missing_file_is_named(name: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        find(name)
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "a/" * 3000])
def test_impossible_path_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r": (no such file or preset|cannot be read \(.*\))[^\n]*$"):
        read(find(name))


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r": not a file; allowed: a TOML file"):
        read(find(str(tmp_path)))


def test_device_is_refused() -> None:
    with pytest.raises(UserError, match=r"^/dev/zero: not a file; allowed: a TOML file"):
        read(find("/dev/zero"))


def test_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UserError, match=rf"a\.toml: larger than {MAX_BYTES} bytes; allowed: "):
        read(path)


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.toml"
    path.write_text(SMOKE)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # file modes do not stop root
    with pytest.raises(UserError, match=r"a\.toml: cannot be read \(Permission denied\)$"):
        read(path)


@pytest.mark.parametrize("name", ["with space.toml", "new\nline.toml", "$(touch x);`id`.toml"])
def test_any_file_name_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(SMOKE)
    assert read(find(str(path))).name == "smoke"


def test_file_name_stays_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"new\nline \xff.toml")
    path.write_text("a = 1")
    with pytest.raises(UserError) as refused:
        read(path)
    assert all(r"new\nline \udcff.toml': " in line for line in str(refused.value).split("\n"))


# ---- any bytes at all ----------------------------------------------------------------------------

SCALARS: st.SearchStrategy[str] = st.one_of(
    st.integers().map(str),
    st.integers(min_value=0).map(hex),
    st.floats().map(repr),
    st.booleans().map(lambda flag: str(flag).lower()),
    st.text(max_size=20).map(lambda text: f'"{text}"'),
    st.text("VNaTiLo-hp \\n", max_size=9).map(lambda text: f"'{text}'"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.dates().map(str),
    st.times().map(str),
    st.sampled_from(["0x" + "f" * 4000, "1e999", "[" * 450 + "]" * 450, "{}", '""', "", "'''"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.text("abcV", min_size=1, max_size=3), inner, max_size=3).map(
            lambda table: "{ " + ", ".join(f"{k} = {v}" for k, v in table.items()) + " }"
        ),
    ),
    max_leaves=6,
)
KEYS = sorted({line.split("=")[0].strip() for line in SMOKE.splitlines() if "=" in line})
LINES: st.SearchStrategy[str] = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(KEYS), VALUES),
    st.builds("{} = {}".format, st.text(max_size=9), VALUES),
    st.sampled_from([*SMOKE.splitlines(), "[dft.scf]", "[[host]]", "[a.b]", "\r", "\x00"]),
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Draw a preset of which some lines are deleted, moved, or have another value."""
    lines = read_preset(draw(st.sampled_from(presets())))
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["value", "value", "value", "line", "delete", "insert"]))
        if how == "value" and "=" in lines[number]:
            lines[number] = lines[number].split("=")[0] + "= " + draw(VALUES)
        elif how == "line":
            lines[number] = draw(LINES)
        elif how == "insert":
            lines.insert(number, draw(LINES))
        else:
            del lines[number]
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


def read_preset(name: str) -> list[str]:
    return (PRESETS / f"{name}.toml").read_text(encoding="utf-8").splitlines()


def case_or_lines(content: bytes) -> Case | list[str]:
    """Return what `parse` makes of bytes; anything but a case or a refusal fails the test."""
    try:
        return parse(content, "a.toml")
    except UserError as error:
        return str(error).split("\n")


def assert_case_or_clear_refusal(content: bytes) -> None:
    outcome = case_or_lines(content)
    if isinstance(outcome, Case):
        assert Case.model_validate(outcome.model_dump()) == outcome
        return
    assert 1 <= len(outcome) <= 21
    for line in outcome:
        assert line.startswith("a.toml: ")
        assert line.isprintable()
        assert len(line) < 1000


@FUZZ
@given(st.binary(max_size=300))
@example(b"\xff")
@example(b"a.b = 1\na = 2")
def test_any_bytes_are_a_case_or_refused(content: bytes) -> None:
    assert_case_or_clear_refusal(content)


@FUZZ
@given(st.text(max_size=200).map(lambda text: text.encode("utf-8", errors="surrogatepass")))
def test_any_text_is_a_case_or_refused(content: bytes) -> None:
    assert_case_or_clear_refusal(content)


@FUZZ
@given(mutants())
def test_any_changed_preset_is_a_case_or_refused(content: bytes) -> None:
    assert_case_or_clear_refusal(content)


@FUZZ
@given(st.lists(LINES, min_size=1, max_size=3).map("\n".join), st.booleans())
def test_any_lines_are_a_case_or_refused(text: str, after: bool) -> None:
    content = f"{SMOKE}\n{text}" if after else f"{text}\n{SMOKE}"
    assert_case_or_clear_refusal(content.encode("utf-8", errors="surrogatepass"))


def json_like() -> st.SearchStrategy[Any]:
    """Return what a TOML file may hold under a key."""
    numbers: list[st.SearchStrategy[Any]] = [st.booleans(), st.integers(), st.floats()]
    leaves = st.one_of(*numbers, st.text(max_size=9), st.dates(), st.times(), st.datetimes())
    keys = st.text(max_size=5)
    return st.recursive(
        leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(keys, x, max_size=3)
    )


@FUZZ
@given(st.sampled_from(sorted(tomllib.loads(SMOKE))), json_like())
def test_any_data_under_a_key_is_a_case_or_refused(key: str, value: Any) -> None:
    from pydantic import ValidationError

    from workflows.case.reading import _explain

    data = tomllib.loads(SMOKE) | {key: value}
    try:
        Case.model_validate(data)
    except ValidationError as error:
        for problem in error.errors():
            assert all(line.isprintable() for line in _explain(Case, problem))
