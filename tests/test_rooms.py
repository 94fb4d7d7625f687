"""Three rooms: what each module may import, and what no module may do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

ROOMS = ("structures", "analysis", "workflows")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
QUIET = [path for path in MODULES if path.relative_to(ROOT).parts[0] != "workflows"]

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


def test_the_rooms_are_looked_at() -> None:
    assert {named(path).split("/")[0] for path in MODULES} == set(ROOMS)
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_each_room_imports_only_those_before_it(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    assert packages(tree(path)) & set(ROOMS) <= allowed


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


@pytest.mark.parametrize(
    ("name", "homes"),
    [
        ("workflows.dft.mixing", ["workflows/dft/calculation.py"]),
        ("pymatgen", ["structures/diffraction.py"]),
    ],
)
def test_what_is_imported_in_one_place_alone(name: str, homes: list[str]) -> None:
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
