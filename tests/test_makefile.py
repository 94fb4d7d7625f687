"""Installing by `make`: in folders of any name, by hashes, and with the reason of a failure last.

Packages are made here, so that nothing is downloaded and nothing takes minutes.
"""

import hashlib
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.paths import ROOT

CONSTRAINTS = tuple(f"constraints{of}.txt" for of in ("", "-dev", "-docs", "-measured", "-mlip"))


def pinned(name: str) -> dict[str, tuple[Version, list[str]]]:
    """Return the version of each package in a file of constraints, and the hashes of its files."""
    found = {}
    for entry in re.split(r"\n(?=[a-z])", (ROOT / name).read_text()):
        text, *hashes = re.split(r"\s*\\\n\s+--hash=sha256:", entry.strip())
        if not text.startswith("#"):
            requirement = Requirement(text)
            (version,) = requirement.specifier
            found[requirement.name] = (Version(version.version), hashes)
    return found


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    packages = pinned(name)
    assert len(packages) > 10
    for package, (_, hashes) in packages.items():
        assert hashes, package
        assert all(re.fullmatch("[0-9a-f]{64}", found) for found in hashes), package


def test_what_is_pinned_is_what_is_asked_for() -> None:
    """Otherwise: make constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    extras = project["project"]["optional-dependencies"]
    optional = itertools.chain(*groups.values(), *extras.values())
    asked = [*project["project"]["dependencies"], *optional]
    packages = {name: found for file in CONSTRAINTS[::-1] for name, found in pinned(file).items()}
    for requirement in map(Requirement, asked):
        version, _ = packages[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, requirement


def test_a_checkout_and_a_package_have_the_same_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    assert project["dependency-groups"]["measured"] == extras["measured"]


METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
WHEEL = "Wheel-Version: 1.0\nTag: py3-none-any\n"


def wheel(folder: Path, name: str, version: str) -> Path:
    """Make a package with one empty module."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", METADATA.format(name, version))
        file.writestr(f"{info}/WHEEL", WHEEL)
        file.writestr(f"{info}/RECORD", "")
    return path


BACKEND = """
import os, pathlib, shutil, sys
import setuptools  # of the environment: there is no other place to take it from

def build_wheel(directory, config_settings=None, metadata_directory=None):
    configuration = pathlib.Path(os.environ["GPAW_CONFIG"])
    assert "GPAW" in configuration.read_text()
    if configuration.with_name("broken").exists():
        sys.exit("no compiler")
    return shutil.copy("gpaw-26.7.0-py3-none-any.whl", directory) and "gpaw-26.7.0-py3-none-any.whl"
"""


def source(folder: Path) -> Path:
    """Make a GPAW that is built by a backend of its own, as a source distribution."""
    path = folder / "gpaw-26.7.0.tar.gz"
    built = wheel(folder, "gpaw", "26.7.0")
    parts = {
        built.name: built.read_bytes(),
        "PKG-INFO": METADATA.format("gpaw", "26.7.0").encode(),
        "backend.py": BACKEND.encode(),
        "pyproject.toml": b"""
            build-system = { requires = [], build-backend = "backend", backend-path = ["."] }
            project = { name = "gpaw", version = "26.7.0" }
        """,
    }
    with tarfile.open(path, "w:gz") as file:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"gpaw-26.7.0/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    built.unlink()
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout in a folder with a space and an accent, whose packages lie beside it."""
    packages = tmp_path / "packages"
    packages.mkdir()
    made = {
        "setuptools": wheel(packages, "setuptools", "80.9.0"),
        "numpy": wheel(packages, "numpy", "2.4.6"),
        "gpaw": source(packages),
    }
    root = tmp_path / "dépôt 1"
    root.mkdir()
    for name in ("Makefile", "siteconfig.py"):
        shutil.copy(ROOT / name, root)
    (root / "constraints.txt").write_text(
        "".join(
            f"{name}=={path.name.split('-')[1].removesuffix('.tar.gz')} \\\n"
            f"    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
            for name, path in made.items()
        )
    )
    (root / "constraints-dev.txt").write_text("")
    return root


def make(root: Path, target: str = ".venv/.gpaw") -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name[:4] not in ("PIP_", "MAKE")
    }
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (root.parent / "packages").as_uri()}
    return subprocess.run(
        ["make", target, f"PYTHON={sys.executable}"],
        cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.slow
def test_a_folder_with_a_space_and_an_accent_will_do(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    use = "import gpaw, numpy, setuptools; print(gpaw.__file__)"
    python = checkout / ".venv" / "bin" / "python"
    used = subprocess.run([python, "-c", use], capture_output=True, text=True, check=True)
    assert used.stdout.startswith(str(checkout))


@pytest.mark.slow
@pytest.mark.parametrize("package", ["numpy", "gpaw"])
def test_a_file_with_another_hash_is_refused_and_that_is_the_end(
    checkout: Path, package: str
) -> None:
    path = checkout / "constraints.txt"
    head, start, tail = path.read_text().partition(f"{package}==")
    hash_of = tail.partition("sha256:")[2][:64]
    path.write_text(head + start + tail.replace(hash_of, "0" * 64))
    done = make(checkout)
    assert done.returncode == 2
    told = done.stdout + done.stderr
    assert "DO NOT MATCH THE HASHES" in told or "No matching distribution" in told, told
    assert f"{package}==" in told
    assert told.splitlines()[-1].startswith("make: *** [Makefile:")
    assert ("compiling GPAW" in told) == (package == "gpaw")


@pytest.mark.slow
def test_a_failing_compilation_ends_with_its_reason(checkout: Path) -> None:
    (checkout / "broken").touch()
    done = make(checkout)
    assert done.returncode == 2
    assert "no compiler" in done.stdout
    assert done.stdout.splitlines()[-1] == "GPAW did not compile; all of it: .venv/gpaw.txt"
