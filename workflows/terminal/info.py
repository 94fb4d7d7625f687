"""What the program runs with: versions, libraries, MPI ranks, PAW data sets."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator

from workflows.dft.datasets import setups
from workflows.dft.installation import libraries, setup_folders

PACKAGES = (
    "sodiophile", "gpaw", "gpaw-data", "ase", "numpy", "scipy", "pymatgen", "scikit-image",
    "matplotlib",
)  # fmt: skip


ELEMENTS = ("V", "N", "Na", "Ti", "Li", "K")


def lines() -> Iterator[str]:
    """Yield what the program runs with, one fact a line."""
    yield f"{'python':16}{platform.python_version()}"
    for package in PACKAGES:
        yield f"{package:16}{_version(package)}"
    for name, value in (libraries() | {"PAW data sets": setup_folders()}).items():
        yield f"{name:16}{value}"
    for symbol in ELEMENTS:
        names = ", ".join(name or "default" for name in setups(symbol, "PBE"))
        yield f"{'PAW sets of ' + symbol:16}{names or 'none'} (PBE)"
    threads = os.environ.get("OMP_NUM_THREADS", "not set (the program sets 1 for its workers)")
    yield f"{'OMP_NUM_THREADS':16}{threads}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
