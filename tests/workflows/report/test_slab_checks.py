"""Checks of relaxed slabs."""

from typing import Any

import pytest

from tests.workflows.report.finished_run import (
    LEANING,
)


def test_every_relaxed_slab_is_checked(data: dict[str, Any]) -> None:
    checks = data["slab_checks"]
    assert {"VN-slab", "Na-slab", "VN-hollow-held", "VN-hollow-held-basin"} <= checks.keys()
    assert checks["VN-hollow-held-basin"]["rumpling"] == {"1": pytest.approx(LEANING)}
    assert checks["VN-slab"]["fmax"] == 0.02
    assert "rumpling" not in checks["Na-slab"]
