"""A finished run that tests of this folder read and leave as it is."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.report.finished_run import (
    case,
    finish,
    written,
)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    finish(path, case())
    return path


@pytest.fixture(scope="session")
def data(root: Path) -> dict[str, Any]:
    """Return its results.json."""
    return written(root, case())
