"""Rooms and folders: what each module may import, what no module may do, where its tests are."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT, TESTS

ROOMS = ("structures", "analysis", "workflows")
API = ROOT / "sodiophile" / "__init__.py"
MODULES = sorted([API, *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))])
QUIET = [path for path in MODULES if path.relative_to(ROOT).parts[0] in ROOMS[:2]]

# What reads, writes, starts or waits: not for rooms where numbers go in and come out.
WORLD = {
    "asyncio", "fcntl", "glob", "gpaw", "logging", "multiprocessing", "os", "pathlib", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
FILE_FUNCTIONS = {
    "open", "imread", "imsave", "loadtxt", "savetxt", "genfromtxt", "fromfile", "tofile",
    "read_text", "read_bytes", "write_text", "write_bytes", "savefig", "print", "input",
}  # fmt: skip
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "__import__", "os.system", "os.popen", "os.chdir", "chdir"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.Module) -> set[str]:
    """Return the full names of all that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they come from"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(module: ast.Module) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def calls(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield the name of each function that is called, such as 'os.chdir', with the call."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def shells(module: ast.Module) -> list[str]:
    """Return the calls that are given shell=... other than False."""
    return [
        ast.unparse(call)
        for _, call in calls(module)
        for keyword in call.keywords
        if keyword.arg == "shell"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_name(path): path for path in MODULES}


def imported_modules(path: Path) -> set[str]:
    """Return those of our modules that a module imports; a package counts as its `__init__`."""
    found = {
        full if full in NAMES else full.rpartition(".")[0] for full in imports(tree(path))
    } & set(NAMES)
    return found - {module_name(path)}


def folder(module: str) -> str:
    """Return where a module lies: structures, analysis, a folder of workflows, cli, sodiophile."""
    room, *rest = module.split(".")
    return rest[0] if room == "workflows" and rest else room


def order() -> list[str]:
    """Return the folders, the lowest first, as the docstring of `workflows` lists them."""
    text = ast.get_docstring(tree(ROOT / "workflows/__init__.py")) or ""
    (chain,) = re.findall(r"\w+(?:\s+<\s+\w+)+", text)
    return re.split(r"\s+<\s+", chain)


def stated(text: str) -> set[str]:
    """Return the folders that a docstring names, as in 'Imports analysis, case and below.'."""
    (words,) = re.findall(r"\bImports ([\w, ]+)\.", text)
    if words == "nothing of ours":
        return set()
    names = re.split(r", | and ", words.removesuffix(" and below"))
    below = order()[: order().index(names[-1])] if words.endswith(" and below") else []
    return {*names, *below}


TOPS = [
    ROOT / name if name in ROOMS else ROOT / "workflows" / name for name in order()[:-2]
]  # all but cli and sodiophile


def test_the_rooms_are_looked_at() -> None:
    assert {named(path).split("/")[0] for path in MODULES} == {*ROOMS, "sodiophile"}
    assert len(MODULES) > 20


def test_the_order_has_every_folder_once() -> None:
    assert sorted(order()) == sorted({folder(name) for name in NAMES} - {"workflows"})


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_folder_imports_one_above_it(path: Path) -> None:
    here = folder(module_name(path))
    allowed = set(order()[: order().index(here) + 1] if here in order() else [])
    used = {folder(name) for name in imported_modules(path)} - {"workflows"}  # what holds them
    assert used <= allowed


@pytest.mark.parametrize("path", TOPS, ids=named)
def test_a_folder_says_what_it_holds_and_imports_no_more_than_it_says(path: Path) -> None:
    text = ast.get_docstring(tree(path / "__init__.py")) or ""
    name = folder(module_name(path / "__init__.py"))
    assert 1 <= len(re.findall(r"\.(?:\s|$)", text.partition("Imports")[0])) <= 3
    used = {
        folder(other)
        for module, home in NAMES.items()
        if folder(module) == name
        for other in imported_modules(home)
    }
    assert used - {name} <= stated(text)


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {name: imported_modules(path) for name, path in NAMES.items()}
    assert sum(map(len, arrows.values())) > 100
    list(TopologicalSorter(arrows).static_order())  # raises CycleError, with the circle


TEST_FILES = sorted(path for room in ROOMS for path in (TESTS / room).rglob("test_*.py"))


@pytest.mark.parametrize("path", TEST_FILES, ids=named)
def test_a_test_file_is_named_for_the_module_or_folder_that_it_tests(path: Path) -> None:
    home, name = ROOT / path.parent.relative_to(TESTS), path.stem.removeprefix("test_")
    assert (home / f"{name}.py").is_file() or (home / name).is_dir() or home.name == name


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_module_imports_the_tests(path: Path) -> None:
    assert not packages(tree(path)) & {"tests", "pytest", "hypothesis"}


@pytest.mark.parametrize("path", QUIET, ids=named)
def test_quiet_rooms_know_nothing_of_the_world(path: Path) -> None:
    names = imports(tree(path))
    assert not {name.split(".")[0] for name in names} & WORLD
    assert not {name for name in names if name.startswith(("ase.io", "ase.calculators"))}


@pytest.mark.parametrize("path", QUIET, ids=named)
def test_quiet_rooms_touch_no_files(path: Path) -> None:
    used = {n.split(".")[-1] for n, _ in calls(tree(path)) if not n.startswith("super().")}
    assert not used & FILE_FUNCTIONS


def importing(name: str) -> list[str]:
    """Return the modules that import this package or module, or a part of it."""
    return [
        named(path)
        for path in MODULES
        if any(f"{full}.".startswith(f"{name}.") for full in imports(tree(path)))
    ]


def test_only_the_dft_folder_imports_gpaw() -> None:
    homes = importing("gpaw")
    assert "workflows/dft/calculation.py" in homes
    assert {str(Path(home).parent) for home in homes} == {"workflows/dft"}


def test_of_the_dft_code_steps_know_the_interface_alone() -> None:
    known = {
        name
        for path in MODULES
        if named(path).startswith("workflows/steps/")
        for name in imports(tree(path))
        if name.startswith("workflows.dft")
    }
    assert "workflows.dft.interface.NewCalculation" in known
    assert {name.rpartition(".")[0] for name in known} == {"workflows.dft.interface"}
    assert "workflows/dft/interface.py" not in importing("gpaw")


def test_steps_know_the_dft_code_by_its_interface_alone() -> None:
    steps = [path for name, path in NAMES.items() if folder(name) == "steps"]
    known = {name for path in steps for name in imported_modules(path) if folder(name) == "dft"}
    assert known == {"workflows.dft.interface"}


@pytest.mark.parametrize(
    ("name", "homes"),
    [
        ("workflows.dft.mixing", ["workflows/dft/calculation.py"]),
        ("sevenn", ["workflows/prescreen/potential.py"]),
        ("cellpy", ["workflows/measured/cellpy_library.py"]),
        (
            "pymatgen",
            [
                "structures/diffraction.py",
                "structures/terminations.py",
                "workflows/case/structure_files.py",
                "workflows/report/export.py",
            ],
        ),
    ],
)
def test_what_is_imported_in_few_places_alone(name: str, homes: list[str]) -> None:
    assert importing(name) == homes


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_that_is_read_is_executed(path: Path) -> None:
    module = tree(path)
    assert not packages(module) & UNSAFE_MODULES
    assert not {name for name, _ in calls(module)} & UNSAFE_CALLS
    assert shells(module) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os", {"os"}),
        ("import os.path as p", {"os"}),
        ("def f():\n    from gpaw.mpi import world", {"gpaw"}),
        ("if True:\n    import ase, pickle", {"ase", "pickle"}),
    ],
)
def test_imports_are_found_wherever_they_are(text: str, found: set[str]) -> None:
    assert packages(ast.parse(text)) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [("with open(a) as f: pass", "open"), ("x = os.chdir(a)", "os.chdir"), ("f(eval(a))", "eval")],
)
def test_calls_are_found_wherever_they_are(text: str, name: str) -> None:
    assert name in {called for called, _ in calls(ast.parse(text))}


@pytest.mark.parametrize(
    ("text", "number"),
    [("run(a, shell=True)", 1), ("run(a, shell=x)", 1), ("run(a, shell=False)", 0)],
)
def test_shells_are_found(text: str, number: int) -> None:
    assert len(shells(ast.parse(text))) == number
