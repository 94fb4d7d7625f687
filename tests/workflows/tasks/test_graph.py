"""The graph: what a case asks for, what each task depends on, and how far each one is."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from tests import made_up
from workflows.case.reading import find, presets, read
from workflows.case.schema import Case, Host
from workflows.system.files import lock, write_signed
from workflows.system.machine import versions
from workflows.tasks import graph as module
from workflows.tasks.folder import Failure, Result, TaskFolder
from workflows.tasks.graph import WITH_ENERGY, plan, slab_task, surfaces
from workflows.tasks.graph import find as find_task
from workflows.tasks.records import CoverageInputs, Surface
from workflows.tasks.status import (
    State,
    earlier_version,
    recipe_of,
    summary,
    survey,
    survey_recorded,
)

CASE = """
name = "small"
quality = "smoke"
adatom = "Na"
[host]
cation = "V"
anion = "N"
lattice_guess = 4.13
[metal]
lattice_guess = 4.20
[slab]
layers = 2
cell = "1x1"
vacuum = 5.0
held_layers = 1
sites = ["bridge", "hollow", "top-V", "top-N"]
[metal_slab]
layers = 2
cell = "1x1"
vacuum = 5.0
held_layers = 1
sites = ["hollow"]
[atom]
box = 8.0
[dft]
cutoff = 250.0
setups = { V = "5" }
smearing = 0.2
[dft.spin]
polarised = true
[dft.kpoints]
host_bulk = [4, 4, 4]
host_slab = [2, 2, 1]
metal_bulk = [4, 4, 4]
metal_slab = [2, 2, 1]
[relax]
fmax = 0.2
max_steps = 60
"""
PARENT = Result("parent", {"energy": -1.0}, {}, 1.0, {})


def case(**changes: Any) -> Case:
    """Return a small case with some settings changed: case(dft__scf__energy=1e-5)."""
    data = tomllib.loads(CASE)
    for name, value in changes.items():
        *tables, key = name.split("__")
        table = data
        for step in tables:
            table = table.setdefault(step, {})
        table[key] = value
    return Case.model_validate(data)


def fingerprints(case: Case) -> dict[str, str]:
    """Return every task's fingerprint if the tasks that it needs had the same results."""
    return {t.name: t.fingerprint(dict.fromkeys(t.needs, PARENT)) for t in plan(case).values()}


# ---- the plan -----------------------------------------------------------------------------------


def test_the_graph() -> None:
    graph = [f"{' '.join(task.needs)} -> {task.name}" for task in plan(case()).values()]
    assert (
        "\n".join(graph)
        == """\
 -> VN-lattice
 -> Na-lattice
 -> Na-atom
VN-lattice -> VN-slab
Na-lattice -> Na-slab
VN-slab -> VN-bridge-held
VN-slab -> VN-hollow-held
VN-slab -> VN-top-V-held
VN-slab -> VN-top-N-held
Na-slab -> Na-hollow-held
VN-bridge-held -> VN-bridge-free
VN-hollow-held -> VN-hollow-free
VN-top-V-held -> VN-top-V-free
VN-top-N-held -> VN-top-N-free
Na-hollow-held -> Na-hollow-free
VN-bridge-held -> VN-bridge-held-basin
VN-bridge-free VN-bridge-held-basin -> VN-bridge-free-basin
VN-hollow-held -> VN-hollow-held-basin
VN-hollow-free VN-hollow-held-basin -> VN-hollow-free-basin
VN-top-V-held -> VN-top-V-held-basin
VN-top-V-free VN-top-V-held-basin -> VN-top-V-free-basin
VN-top-N-held -> VN-top-N-held-basin
VN-top-N-free VN-top-N-held-basin -> VN-top-N-free-basin
Na-hollow-held -> Na-hollow-held-basin
Na-hollow-free Na-hollow-held-basin -> Na-hollow-free-basin
VN-bridge-held -> VN-bridge-density
VN-hollow-held -> VN-hollow-density
VN-top-V-held -> VN-top-V-density
VN-top-N-held -> VN-top-N-density
Na-hollow-held -> Na-hollow-density
VN-slab -> VN-slab-uncorrected
VN-bridge-held -> VN-bridge-held-uncorrected
VN-hollow-held -> VN-hollow-held-uncorrected
VN-top-V-held -> VN-top-V-held-uncorrected
VN-top-N-held -> VN-top-N-held-uncorrected"""
    )


@pytest.mark.parametrize("preset", presets())
def test_parents_come_before_their_children(preset: str) -> None:
    seen: set[str] = set()
    for task in plan(read(find(preset))).values():
        assert set(task.needs) <= seen
        seen.add(task.name)


@pytest.mark.parametrize("preset", presets())
def test_every_task_has_a_name_and_a_title_of_its_own(preset: str) -> None:
    tasks = plan(read(find(preset)))
    assert [task.name for task in tasks.values()] == list(tasks)
    assert len({task.title for task in tasks.values()}) == len(tasks)


@pytest.mark.parametrize("preset", presets())
def test_no_two_tasks_are_the_same_calculation(preset: str) -> None:
    found = fingerprints(read(find(preset)))
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("preset", presets())
def test_every_task_is_found_by_what_it_is(preset: str) -> None:
    tasks = plan(read(find(preset)))
    for task in tasks.values():
        found = find_task(tasks, task.surface, task.kind, task.site, task.relaxation)
        assert found is task


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (("host", "lattice"), "VN-lattice"),
        (("metal_110", "lattice"), "Na-lattice"),
        (("host", "atom"), "Na-atom"),
        (("metal_110", "slab"), "Na110-slab"),
        (("host", "held", "top-V"), "VN-top-V-held"),
        (("host", "free", "top-V"), "VN-top-V-free"),
        (("host", "basin", "top-V", "free"), "VN-top-V-free-basin"),
        (("host", "density", "hollow"), "VN-hollow-density"),
        (("host", "uncorrected"), "VN-slab-uncorrected"),
        (("host", "uncorrected", "bridge", "held"), "VN-bridge-held-uncorrected"),
        (("metal", "density", "hollow"), "Na-hollow-density"),
        (("metal_110", "density", "long-bridge"), "Na110-long-bridge-density"),
        (("host", "held", "top-Na"), None),
    ],
)
def test_a_task_is_found_by_surface_kind_site_and_relaxation(
    wanted: tuple[Any, ...], name: str | None
) -> None:
    tasks = plan(read(find("laptop")))
    found = find_task(tasks, *wanted)
    assert (found and found.name) == name


def test_a_lattice_belongs_to_the_first_face_that_needs_it() -> None:
    two_faces = read(find("laptop"))
    assert surfaces(two_faces) == ["host", "metal", "metal_110"]
    assert plan(two_faces)["Na-lattice"].surface == "metal"


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("Na-lattice", "Na-bulk"),
        ("Na-atom", "Na-atom"),
        ("VN-slab", "VN-slab"),
        ("VN-slab-uncorrected", "VN-slab"),
        ("VN-top-V-free-basin", "VN-top-V"),
        ("Na110-long-bridge-held", "Na110-long-bridge"),
    ],
)
def test_a_task_knows_its_unrelaxed_structure(name: str, structure: str) -> None:
    assert plan(read(find("laptop")))[name].structure == structure


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("VN-lattice", "lattice constant of VN"),
        ("VN-slab", "clean VN(001)"),
        ("VN-top-V-held", "Na at top-V on VN, x and y held"),
        ("VN-top-V-free", "Na at top-V on VN, free"),
        ("VN-top-V-density", "charge-density difference, Na at top-V on VN"),
        ("Na-atom", "isolated Na atom"),
    ],
)
def test_titles_say_what_is_computed(name: str, title: str) -> None:
    assert plan(case())[name].title == title


@pytest.mark.parametrize("surface", ["host", "metal"])
def test_a_given_lattice_constant_is_not_computed(surface: Surface) -> None:
    given: dict[str, Any] = {f"{surface}__lattice_constant": 4.2}
    assert find_task(plan(case(**given)), surface, "lattice") is None
    slab = slab_task(case(**given), surface)
    assert slab.needs == ()
    assert slab.inputs["lattice_constant"] == 4.2


def test_only_sites_asked_for_are_planned() -> None:
    tasks = plan(case(slab__sites=["top-V"]))
    assert [n for n in tasks if n.startswith(("VN-top", "VN-h"))] == [
        "VN-top-V-held", "VN-top-V-free", "VN-top-V-held-basin", "VN-top-V-free-basin",
        "VN-top-V-density", "VN-top-V-held-uncorrected",
    ]  # fmt: skip


def test_checks_can_be_switched_off() -> None:
    tasks = plan(case(checks__same_basin=False, checks__without_dipole=False))
    assert not {task.kind for task in tasks.values()} & {"basin", "uncorrected"}
    none = plan(case(dft__dipole_correction=False))
    assert "uncorrected" not in {task.kind for task in none.values()}


def test_another_host_gives_its_names() -> None:
    other = case(host__cation="Ti", dft__setups={}, slab__sites=["top-Ti"])
    assert "TiN-top-Ti-held" in plan(other)
    assert slab_task(other, "host").name == "TiN-slab"
    assert slab_task(other, "host").inputs["elements"] == ["Ti", "N"]


# ---- fingerprints -------------------------------------------------------------------------------

ON_SLABS = {"slab", "held", "free", "basin", "density", "uncorrected"}
RELAXED = {"slab", "held", "free", "basin"}
ALL = ON_SLABS | {"lattice", "atom"}
HOST, METAL, BOTH = {"host"}, {"metal"}, {"host", "metal"}

CHANGES: list[tuple[dict[str, Any], set[str], set[str]]] = [
    ({"dft__cutoff": 260.0}, BOTH, ALL),
    ({"dft__xc": "RPBE"}, BOTH, ALL),
    ({"dft__smearing": 0.1}, BOTH, ALL),
    ({"dft__scf__energy": 1e-5}, BOTH, ALL),
    ({"dft__scf__density": 1e-5}, BOTH, ALL),
    ({"dft__scf__eigenstates": 1e-8}, BOTH, ALL),
    ({"dft__dipole_correction": False}, BOTH, ON_SLABS),
    ({"dft__dispersion": "d3bj"}, BOTH, ALL - {"atom"}),
    ({"dft__hubbard": {"V": {"orbital": "d", "U": 3.0}}}, HOST, ALL),
    ({"dft__spin__moments": {"V": 2.0}}, HOST, ON_SLABS | {"lattice"}),
    ({"dft__spin__starts": ["ferromagnetic", "alternating"]}, BOTH, ON_SLABS),
    ({"dft__spin__non_magnetic": False}, BOTH, ON_SLABS),
    ({"dft__setups": {}}, HOST, ALL),
    ({"dft__setups": {"V": "13"}}, HOST, ALL),
    ({"dft__setups": {"V": "5", "N": "s"}}, HOST, ALL),
    ({"dft__kpoints__host_bulk": [5, 5, 5]}, HOST, {"lattice"}),
    ({"dft__kpoints__metal_bulk": [5, 5, 5]}, METAL, {"lattice"}),
    ({"dft__kpoints__host_slab": [3, 3, 1]}, HOST, ON_SLABS),
    ({"dft__kpoints__metal_slab": [3, 3, 1]}, METAL, ON_SLABS),
    ({"relax__fmax": 0.1}, BOTH, RELAXED),
    ({"host__lattice_guess": 4.14}, HOST, {"lattice"}),
    ({"metal__lattice_guess": 4.25}, METAL, {"lattice"}),
    ({"metal__structure": "fcc"}, METAL, {"lattice", "slab"}),
    ({"slab__layers": 3}, HOST, {"slab"}),
    ({"slab__cell": "2x2"}, HOST, {"slab"}),
    ({"slab__vacuum": 6.0}, HOST, {"slab"}),
    ({"slab__held_layers": 0}, HOST, {"slab"}),
    ({"metal_slab__layers": 3}, METAL, {"slab"}),
    ({"metal_slab__cell": "2x2"}, METAL, {"slab"}),
    ({"metal_slab__vacuum": 6.0}, METAL, {"slab"}),
    ({"metal_slab__held_layers": 0}, METAL, {"slab"}),
    ({"atom__box": 9.0}, METAL, {"atom"}),
    ({"relax__max_steps": 61}, BOTH, set()),
    ({"dft__scf__max_iterations": 121}, BOTH, set()),
    ({"description": "another"}, BOTH, set()),
    ({"name": "another"}, BOTH, set()),
    ({"quality": "laptop"}, BOTH, set()),
    ({"slab__sites": ["top-V", "hollow"]}, BOTH, set()),
]


@pytest.mark.parametrize(
    ("change", "surfaces", "kinds"), CHANGES, ids=[str(change) for change, _, _ in CHANGES]
)
def test_a_setting_changes_the_tasks_whose_numbers_it_changes_and_no_other(
    change: dict[str, Any], surfaces: set[str], kinds: set[str]
) -> None:
    before, after = fingerprints(case()), fingerprints(case(**change))
    tasks = plan(case(**change))
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {n for n, t in tasks.items() if t.surface in surfaces and t.kind in kinds}


def test_every_setting_is_known_here() -> None:
    tried = {name for change, _, _ in CHANGES for name in change}
    elsewhere = {
        "adatom", "host__cation", "host__anion", "host__structure", "host__lattice_constant",
        "metal__lattice_constant", "metal_slab__sites", "dft__mode", "checks__same_basin",
        "checks__without_dipole", "dft__spin__polarised",
        "metal_slab_110", "dft__kpoints__metal_slab_110",  # test_case.py
        "refine", "electrons", "coverage", "hop", "checks__functionals",  # below
         "slab__defect",  # tests/test_defects.py
    }  # fmt: skip
    assert set(leaves(Case)) == tried | elsewhere


def leaves(model: Any, prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        optional = name == "metal_slab"  # as is metal_slab_110, which test_case.py has
        table = get_args(field.annotation)[0] if optional and not prefix else field.annotation
        table = Host if name == "host" else table  # tests/test_hosts.py has the others
        nested = hasattr(table, "model_fields")
        found += leaves(table, f"{prefix}{name}__") if nested else [prefix + name]
    return found


# ---- refined single points ----------------------------------------------------------------------


def refined(**refine: Any) -> set[str]:
    """Return the refined tasks of the small case."""
    tasks = plan(case(refine=refine))
    assert list(tasks)[: len(plan(case()))] != list(tasks)
    return {name for name, task in tasks.items() if task.kind == "refined"}


def test_a_cutoff_refines_every_energy_that_adsorption_energies_are_made_of() -> None:
    names = {name for name, task in plan(case()).items() if task.kind in WITH_ENERGY}
    assert refined(cutoff=300.0) == {f"{name}-refined" for name in names - {"VN-lattice"}}


@pytest.mark.parametrize(
    ("refine", "stems"),
    [
        ({"kpoints": {"host_slab": [3, 3, 1]}}, ("VN-",)),
        ({"kpoints": {"metal_bulk": [5, 5, 5]}}, ("Na-lattice",)),
        ({"setups": {}}, ("VN-",)),
        ({"hubbard": {"V": {"orbital": "d", "U": 3.0}}}, ("VN-",)),
        ({"setups": {"V": "5", "Na": "1"}}, ("VN-", "Na-")),
    ],
)
def test_only_systems_that_a_refinement_changes_have_single_points(
    refine: dict[str, Any], stems: tuple[str, ...]
) -> None:
    energies = {name for name, task in plan(case()).items() if task.kind in WITH_ENERGY}
    expected = {f"{n}-refined" for n in energies - {"VN-lattice"} if n.startswith(stems)}
    assert refined(**refine) == expected


def test_single_points_need_their_structures_and_change_no_other_task() -> None:
    tasks = plan(case(refine={"cutoff": 300.0}))
    assert tasks["VN-top-V-held-refined"].needs == ("VN-top-V-held",)
    assert tasks["VN-top-V-free-basin-refined"].needs == (
        "VN-top-V-free-basin", "VN-top-V-held-basin-refined",
    )  # fmt: skip
    assert len({task.key for task in tasks.values()}) == len(tasks)
    before, after = fingerprints(case()), fingerprints(case(refine={"cutoff": 300.0}))
    assert before.items() <= after.items()


def test_coverage_and_the_saddle_of_a_hop_are_refined_but_have_no_other_functionals() -> None:
    more = {"coverage": {"host": ["top-N"], "adatoms": 1}, "hop": {"host": "top-N"}}
    tasks = plan(case(refine={"cutoff": 300.0}, checks__functionals=FUNCTIONALS, **more))
    names = list(tasks)
    for name in ("VN-coverage-1-a", "VN-top-N-hop"):
        single = tasks[f"{name}-refined"]
        assert single.needs == (name,)
        assert names.index(name) < names.index(single.name)
        assert "functionals" not in single.inputs
    plain = plan(case(checks__functionals=FUNCTIONALS, **more))
    assert {"VN-coverage-1-a-functionals", "VN-top-N-hop-functionals"}.isdisjoint(plain)
    # no setting of the host's slab changes
    others = plan(case(refine={"kpoints": {"metal_bulk": [5, 5, 5]}}, **more))
    assert {"VN-coverage-1-a-refined", "VN-top-N-hop-refined"}.isdisjoint(others)


def test_what_a_refinement_does_not_name_is_as_relaxed() -> None:
    tasks = plan(case(refine={"kpoints": {"host_slab": [3, 4, 1]}}))
    relaxed, single = (tasks[n].inputs["dft"] for n in ("VN-slab", "VN-slab-refined"))
    assert single == {**relaxed, "kpoints": [3, 4, 1]}


FUNCTIONALS = ["r2SCAN", "BEEF-vdW"]


def test_other_functionals_need_one_single_point_for_each_energy() -> None:
    tasks = plan(case(checks__functionals=FUNCTIONALS))
    single = {name: task for name, task in tasks.items() if task.kind == "functionals"}
    energies = {name for name, task in plan(case()).items() if task.kind in WITH_ENERGY}
    assert set(single) == {f"{name}-functionals" for name in energies - {"VN-lattice"}}
    for task in single.values():
        assert task.inputs["dft"] == tasks[task.needs[0]].inputs["dft"]
        assert task.inputs.get("functionals") == sorted(FUNCTIONALS)


def test_refined_single_points_have_other_functionals_with_them() -> None:
    """One SCF for both; a system that is not refined has one of its own."""
    both = case(refine={"kpoints": {"host_slab": [3, 3, 1]}}, checks__functionals=FUNCTIONALS)
    tasks = plan(both)
    assert tasks["VN-slab-refined"].inputs.get("functionals") == sorted(FUNCTIONALS)
    assert "VN-slab-functionals" not in tasks
    assert "Na-slab-functionals" in tasks
    assert len({task.key for task in tasks.values()}) == len(tasks)


def test_the_order_of_functionals_changes_nothing() -> None:
    one, other = (
        fingerprints(case(checks__functionals=f)) for f in (FUNCTIONALS, FUNCTIONALS[::-1])
    )
    assert one == other
    assert fingerprints(case()).items() <= one.items()


def test_a_given_lattice_constant_changes_the_slab() -> None:
    one, other = (fingerprints(case(host__lattice_constant=a)) for a in (4.13, 4.14))
    assert {name for name in one if one[name] != other[name]} == {"VN-slab"}


def test_the_adatoms_data_set_leaves_the_host_lattice_alone() -> None:
    before, after = fingerprints(case()), fingerprints(case(dft__setups={"V": "5", "Na": "1"}))
    assert {name for name in before if before[name] == after[name]} == {"VN-lattice"}


def test_a_hubbard_u_on_the_adatom_leaves_the_host_lattice_alone() -> None:
    of_sodium = {"Na": {"orbital": "p", "U": 1.0}}
    before, after = fingerprints(case()), fingerprints(case(dft__hubbard=of_sodium))
    assert {name for name in before if before[name] == after[name]} == {"VN-lattice"}


@pytest.mark.parametrize("package", ["ase", "gpaw", "gpaw-data"])
def test_another_version_changes_every_task(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, other = fingerprints(case()), versions() | {package: "0"}
    monkeypatch.setattr(module, "versions", lambda: other)
    after = fingerprints(case())
    assert not set(before.values()) & set(after.values())


def test_another_recipe_changes_every_task() -> None:
    for task in plan(case()).values():
        parents = dict.fromkeys(task.needs, PARENT)
        assert task.fingerprint(parents) == task.fingerprint(parents, module.RECIPE)
        assert task.fingerprint(parents) != task.fingerprint(parents, module.RECIPE + 1)


def test_another_result_of_a_parent_changes_its_child() -> None:
    task = plan(case())["VN-slab"]
    other = Result("parent", {"energy": -2.0}, {}, 1.0, {})
    assert task.fingerprint({"VN-lattice": PARENT}) != task.fingerprint({"VN-lattice": other})


# ---- how far ------------------------------------------------------------------------------------

TASKS = plan(case())


def begin(root: Path, name: str) -> TaskFolder:
    return made_up.begin(TASKS[name], root)


def finish(root: Path, *names: str, energy: float = -1.0) -> None:
    for name in names:
        made_up.finish(TASKS[name], root, {"relaxed.cif": "structure"}, energy=energy)


def look(root: Path, name: str) -> State:
    return survey(TASKS, root)[name]


def statuses(states: Mapping[str, State], *names: str) -> list[str]:
    return [states[name].status for name in names]


CHAIN = ("VN-lattice", "VN-slab", "VN-hollow-held", "VN-hollow-free")


def test_at_first_what_needs_nothing_is_ready(tmp_path: Path) -> None:
    states = survey(TASKS, tmp_path / "none")
    ready = [name for name, state in states.items() if state.status == "ready"]
    assert ready == ["VN-lattice", "Na-lattice", "Na-atom"]
    assert states["VN-slab"].status == "waiting"
    assert states["VN-slab"].note == "for VN-lattice"


def test_looking_writes_nothing(tmp_path: Path) -> None:
    survey(TASKS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_task_is_done_and_its_child_ready(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice")
    states = survey(TASKS, tmp_path)
    assert statuses(states, *CHAIN) == ["done", "ready", "waiting", "waiting"]
    assert states["VN-lattice"].seconds == 60.0


def test_a_task_that_somebody_works_on_is_running(tmp_path: Path) -> None:
    folder = begin(tmp_path, "Na-atom")
    write_signed(folder / "progress.json", {"scf": 7})
    with lock(folder / ".lock", "it"):
        state = look(tmp_path, "Na-atom")
    assert (state.status, state.progress) == ("running", {"scf": 7})


def test_a_task_that_was_left_goes_on(tmp_path: Path) -> None:
    folder = begin(tmp_path, "Na-atom")
    with lock(folder / ".lock", "it"):
        pass
    state = look(tmp_path, "Na-atom")
    assert state.status == "ready"
    assert state.note == "begun; resumes after its last finished step"


def test_a_failed_task_says_why_and_blocks_what_needs_it(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "VN-slab")
    made_up.fail(TASKS["VN-hollow-held"], tmp_path, "desorbed", "Na left")
    states = survey(TASKS, tmp_path)
    assert statuses(states, *CHAIN) == ["done", "done", "failed", "blocked"]
    assert states["VN-hollow-held"].note == "desorbed: Na left"
    assert states["VN-hollow-free"].note == "needs VN-hollow-held, which failed"


def test_blocked_is_blocked_further_down(tmp_path: Path) -> None:
    made_up.fail(TASKS["VN-lattice"], tmp_path)
    states = survey(TASKS, tmp_path)
    assert statuses(states, *CHAIN) == ["failed", "blocked", "blocked", "blocked"]


def test_a_failure_with_other_inputs_is_no_failure(tmp_path: Path) -> None:
    folder = begin(tmp_path, "Na-atom")
    folder.fail("other", Failure("desorbed", "Na left", 3.0))
    assert look(tmp_path, "Na-atom").status == "ready"


def test_another_result_of_a_parent_makes_its_child_stale(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "VN-slab")
    finish(tmp_path, "VN-lattice", energy=-2.0)
    states = survey(TASKS, tmp_path)
    assert statuses(states, *CHAIN) == ["done", "stale", "waiting", "waiting"]
    assert states["VN-slab"].note == "its inputs have changed; it will be computed afresh"


def test_the_same_result_of_a_parent_keeps_its_child(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "VN-slab")
    (tmp_path / "VN-lattice" / "result.json").write_text("{")
    assert statuses(survey(TASKS, tmp_path), *CHAIN[:2]) == ["stale", "waiting"]
    finish(tmp_path, "VN-lattice")
    assert statuses(survey(TASKS, tmp_path), *CHAIN[:2]) == ["done", "done"]


def test_other_settings_make_stale(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "Na-lattice")
    states = survey(plan(case(dft__kpoints__host_bulk=[5, 5, 5])), tmp_path)
    assert statuses(states, "VN-lattice", "Na-lattice") == ["stale", "done"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null"])
@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("result.json", "its result is damaged; it will be computed again"),
        ("relaxed.cif", "its result is damaged; it will be computed again"),
    ],
)
def test_a_damaged_result_is_said_to_be(
    tmp_path: Path, name: str, note: str, content: bytes
) -> None:
    finish(tmp_path, "Na-atom")
    (tmp_path / "Na-atom" / name).write_bytes(content)
    state = look(tmp_path, "Na-atom")
    assert (state.status, state.note, state.result) == ("stale", note, None)


def test_damaged_inputs_are_said_to_be(tmp_path: Path) -> None:
    folder = begin(tmp_path, "Na-atom")
    (folder / "inputs.json").write_text("{")
    state = look(tmp_path, "Na-atom")
    assert state.status == "stale"
    assert state.note == "its record of inputs is damaged; it will be computed afresh"


def test_a_whole_result_needs_no_record_of_inputs(tmp_path: Path) -> None:
    finish(tmp_path, "Na-atom")
    (tmp_path / "Na-atom" / "inputs.json").unlink()
    assert look(tmp_path, "Na-atom").status == "done"


def test_an_edited_failure_is_no_failure(tmp_path: Path) -> None:
    folder = made_up.fail(TASKS["Na-atom"], tmp_path)
    text = (folder / "failure.json").read_text()
    (folder / "failure.json").write_text(text.replace("desorbed", "absorbed"))
    assert look(tmp_path, "Na-atom").status == "ready"


def test_a_result_of_another_task_is_not_taken(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "Na-lattice")
    content = (tmp_path / "VN-lattice" / "result.json").read_bytes()
    (tmp_path / "Na-lattice" / "result.json").write_bytes(content)
    assert look(tmp_path, "Na-lattice").status == "stale"


def test_a_run_copied_elsewhere_is_still_done(tmp_path: Path) -> None:
    finish(tmp_path / "here", *CHAIN)
    (tmp_path / "here").rename(tmp_path / "there")
    assert statuses(survey(TASKS, tmp_path / "there"), *CHAIN) == ["done"] * 4


def test_summary_counts_and_names(tmp_path: Path) -> None:
    finish(tmp_path, "VN-lattice", "Na-lattice")
    made_up.fail(TASKS["Na-atom"], tmp_path)
    assert summary(survey(TASKS, tmp_path)) == (
        "2 of 35 tasks done; failed: Na-atom; ready: VN-slab, Na-slab; "
        "waiting: VN-bridge-held, VN-hollow-held, VN-top-V-held, VN-top-N-held ..."
    )


def test_results_of_one_earlier_recipe_are_read_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = module.EARLIER_RECIPES[-1]
    with monkeypatch.context() as old:
        old.setattr(module.Task.origin, "__defaults__", (earlier,))
        old.setattr(module.Task.fingerprint, "__defaults__", (earlier,))
        finish(tmp_path, *CHAIN[:2])
    states = survey_recorded(TASKS, tmp_path)
    assert statuses(states, *CHAIN) == ["done", "done", "ready", "waiting"]
    assert recipe_of(states) == earlier
    assert earlier_version(states).startswith(f"computed by an earlier version (recipe {earlier}, ")
    # A run goes by today's recipe.
    before_a_run = survey(TASKS, tmp_path)
    assert statuses(before_a_run, *CHAIN[:2]) == ["stale", "waiting"]
    assert "another version of the program" in before_a_run["VN-lattice"].note
    # Two recipes are never shown beside each other.
    finish(tmp_path, "Na-lattice")
    mixed = survey_recorded(TASKS, tmp_path)
    assert statuses(mixed, "VN-lattice", "Na-lattice") == ["stale", "done"]
    assert earlier_version(mixed) == ""


# ---- spin ---------------------------------------------------------------------------------------


def test_where_probes_decide_every_crystal_and_slab_needs_one() -> None:
    tasks = plan(case(dft__spin__polarised="auto"))
    for task in tasks.values():
        crystal = "VN" if task.surface == "host" else "Na"
        probes = [name for name in task.needs if name.endswith("-probe")]
        assert probes == ([] if task.kind in ("probe", "atom") else [f"{crystal}-probe"])
    assert [n for n in tasks if n.endswith("-probe")] == ["VN-probe", "Na-probe"]
    assert tasks["VN-probe"].inputs["dft"]["kpoints"] == [2, 2, 1]


def test_without_spin_nothing_depends_on_a_probe() -> None:
    tasks = plan(case(dft__spin__polarised=False))
    assert {"VN-probe", "Na-probe"} <= set(tasks)
    assert not {need for task in tasks.values() for need in task.needs if "probe" in need}
    assert {n for n, t in tasks.items() if "spin" in t.inputs["dft"]} == {"VN-probe", "Na-probe"}


def test_with_spin_there_is_no_probe() -> None:
    assert "probe" not in {task.kind for task in plan(case()).values()}
    assert plan(case())["VN-top-V-held"].inputs["dft"]["spin"] == {
        "moments": {"V": 3.0, "N": 0.0},
        "adatom": 1.0,
        "starts": ["ferromagnetic"],
        "non_magnetic": True,
    }


def test_a_probe_is_of_the_smallest_cell_and_coarse() -> None:
    wide = case(
        dft__spin__polarised="auto", slab__cell="2x2", dft__kpoints__host_slab=[3, 3, 1],
        dft__cutoff=500.0,
    )  # fmt: skip
    probe = plan(wide)["VN-probe"].inputs
    assert probe["slab"]["cell"] == "1x1"  # type: ignore[typeddict-item]
    assert probe["dft"]["kpoints"] == [4, 4, 1]
    assert probe["dft"]["cutoff"] == 350.0


def test_a_metal_without_a_surface_has_spin_if_its_shell_is_open() -> None:
    def spin(adatom: str) -> Any:
        no_slab = {"adatom": adatom, "metal_slab": None}
        tasks = plan(case(dft__spin__polarised="auto").model_copy(update=no_slab))
        return tasks[f"{adatom}-lattice"].inputs["dft"].get("spin")

    assert spin("Fe") == {
        "moments": {"Fe": 4.0},
        "starts": ["ferromagnetic"],
        "non_magnetic": False,
    }
    assert spin("K") is None


# ---- electronic structure ------------------------------------------------------------------------


def test_electronic_structure_is_asked_for_by_its_table_and_leaves_all_others_as_they_are() -> None:
    plain, wanted = case(), case(electrons={"kpoints": [4, 4, 1], "width": 0.1})
    added = set(plan(wanted)) - set(plan(plain))
    assert added == {
        "VN-slab-electrons",
        *(f"VN-{site}-electrons" for site in ("bridge", "hollow", "top-V", "top-N")),
    }
    before, after = fingerprints(plain), fingerprints(wanted)
    assert {name: after[name] for name in before} == before
    task = plan(wanted)["VN-top-V-electrons"]
    assert task.needs == ("VN-top-V-held",)
    assert task.inputs["dft"]["kpoints"] == [4, 4, 1]
    clean = find_task(plan(wanted), "host", "electrons")
    assert clean is not None
    assert clean.name == "VN-slab-electrons"


def test_coverage_is_asked_for_by_its_table_and_leaves_all_others_as_they_are() -> None:
    wide = {"slab__cell": "2x2", "metal_slab__cell": "2x2"}
    plain = case(**wide)
    wanted = case(coverage={"host": ["top-N"], "metal": ["hollow"], "adatoms": 2}, **wide)
    added = set(plan(wanted)) - set(plan(plain))
    assert added == {
        f"{surface}-coverage-{name}" for surface in ("VN", "Na") for name in ("1-a", "2-a", "2-b")
    }
    before, after = fingerprints(plain), fingerprints(wanted)
    assert {name: after[name] for name in before} == before
    task = plan(wanted)["VN-coverage-2-b"]
    assert (task.needs, task.kind) == (("VN-slab",), "coverage")
    assert len(cast("CoverageInputs", task.inputs)["places"]) == 2


def test_clusters_need_a_cell_in_which_they_do_not_touch_their_images() -> None:
    clusters = {"metal": ["hollow"], "clusters": 3}
    with pytest.raises(
        ValueError, match=r"coverage.clusters: found 3 with cells up to 4.20 Å wide"
    ):
        case(coverage=clusters)
    wide = case(coverage=clusters, metal_slab__cell="2x2")
    assert {"Na-cluster-2", "Na-cluster-3"} <= set(plan(wide))
    both = case(coverage={**clusters, "host": ["top-N"]}, metal_slab__cell="2x2")
    assert "VN-coverage-1-a" in plan(both)
    assert not [name for name in plan(both) if name.startswith("VN-cluster")]


@pytest.mark.parametrize(
    ("coverage", "message"),
    [
        ({}, "allowed: sites of one surface"),
        ({"host": ["top-Na"]}, "coverage.host: found 'top-Na'"),
        ({"metal_110": ["hollow"]}, r"coverage.metal_110: found sites; allowed: with"),
    ],
)
def test_coverage_on_no_such_sites_is_refused(coverage: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        case(coverage=coverage)


def test_a_hop_is_asked_for_by_its_table_and_leaves_all_others_as_they_are() -> None:
    wanted = case(hop={"host": "top-N", "metal": "hollow", "images": 3})
    before, after = fingerprints(case()), fingerprints(wanted)
    assert set(after) - set(before) == {"VN-top-N-hop", "Na-hollow-hop"}
    assert {name: after[name] for name in before} == before
    assert plan(wanted)["VN-top-N-hop"].needs == ("VN-top-N-free", "VN-slab")
    # what follows from the barrier alone is no part of the task
    warmer = case(
        hop={
            "host": "top-N",
            "metal": "hollow",
            "images": 3,
            "temperature": 350.0,
            "prefactor": 5.0,
        }
    )
    assert fingerprints(warmer) == after


@pytest.mark.parametrize(
    ("hop", "message"),
    [
        ({}, "allowed: sites of one surface"),
        ({"host": "top-Na"}, "hop.host: found 'top-Na'"),
        ({"metal_110": "hollow"}, r"hop.metal_110: found 'hollow'; allowed: with \[metal_slab_110"),
    ],
)
def test_a_hop_from_no_such_site_is_refused(hop: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        case(hop=hop)


def test_a_hop_beside_a_defect_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hop.host: found 'top-V' with \[slab.defect\]; allowed"):
        case(hop={"host": "top-V"}, slab__defect={"element": "N"}, slab__cell="2x2")
