"""The wheel of a release, installed where nothing of this checkout is: it has all that it needs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = ("structures", "analysis", "workflows", "sodiophile")


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what belongs to it, with the tools that are installed."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    into = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    run(sys.executable, "-m", "pip", "wheel", *offline, "-w", into, source, cwd=into)
    (made,) = into.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment, which sees this one's packages but not its .pth."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    interpreter = home / "bin" / "python"
    run(
        sys.executable, "-m", "pip", "--python", interpreter, "install", "--no-deps", "--no-index",
        wheel, cwd=home,
    )  # fmt: skip
    (packages,) = home.glob("lib/python*/site-packages")
    installed = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "dependencies.pth").write_text("\n".join(installed))
    return interpreter


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path


def test_its_version_is_that_of_the_project(wheel: Path) -> None:
    assert wheel.name == f"sodiophile-{PROJECT['version']}-py3-none-any.whl"


def test_it_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"sodiophile-{PROJECT['version']}.dist-info"
    ours = {
        str(path.relative_to(ROOT))
        for room in SOURCES
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if not name.startswith(info)} == ours
    for wanted in (
        "workflows/case/presets/smoke.toml",
        "workflows/report/html/page.html",
        "workflows/report/html/3Dmol-min.js",
        "workflows/run/slurm/profiles/plain.toml",
        *(f"{room}/py.typed" for room in SOURCES),
        f"{info}/licenses/LICENSE",
        f"{info}/licenses/workflows/report/html/3Dmol-LICENSE.txt",
    ):
        assert wanted in names


def test_the_command_works_from_another_directory(python: Path, elsewhere: Path) -> None:
    sodiophile = python.with_name("sodiophile")
    assert (
        run(sodiophile, "--version", cwd=elsewhere).stdout == f"sodiophile {PROJECT['version']}\n"
    )
    assert "build" in run(sodiophile, "--help", cwd=elsewhere).stdout
    printed = run(sodiophile, "build", "smoke", "--into", "x", cwd=elsewhere).stdout
    assert "x/VN-bridge.cif, .extxyz: 5 atoms" in printed
    assert len(list((elsewhere / "x").glob("*.cif"))) == 10


def test_it_is_what_is_imported(python: Path, elsewhere: Path) -> None:
    code = (
        "import sodiophile, structures, analysis, workflows;"
        "print(*(m.__file__ for m in (sodiophile, structures, analysis, workflows)));"
        "print(sodiophile.__version__, sodiophile.presets())"
    )
    places, said = run(python, "-c", code, cwd=elsewhere).stdout.splitlines()
    assert all(place.startswith(str(python.parent.parent)) for place in places.split())
    assert said == f"{PROJECT['version']} ('smoke', 'laptop', 'production')"


@pytest.mark.slow
def test_the_page_is_written_with_it(python: Path, elsewhere: Path) -> None:
    shutil.copytree(ROOT / "examples" / "laptop", elsewhere / "run")
    shutil.rmtree(elsewhere / "run" / "figures")
    sodiophile = python.with_name("sodiophile")
    # exit code 1: the shipped case has tasks to do that came after it was computed
    printed = run(sodiophile, "report", "run", "--html", cwd=elsewhere, check=False).stdout
    assert "page:   run/report.html" in printed
    assert "3Dmol" in (elsewhere / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_its_types_reach_those_who_use_it(python: Path, elsewhere: Path) -> None:
    (elsewhere / "use.py").write_text(
        "import sodiophile\n"
        'run = sodiophile.load("x")\n'
        'reveal_type(run.energy("top-V"))\n'
        "run.energy(3)\n"
    )
    found = run(python, "-m", "mypy", "--strict", "use.py", cwd=elsewhere, check=False).stdout
    assert 'Revealed type is "float"' in found
    assert re.search(r'use.py:4: error: Argument 1 to "energy" of "Run" has incompatible', found)
    assert "Found 1 error" in found
