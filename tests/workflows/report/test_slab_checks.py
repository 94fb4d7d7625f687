"""Checks of relaxed slabs."""

from typing import Any

import numpy as np
import pytest

from tests.made_up import values_of
from tests.workflows.report.finished_run import LEANING
from workflows.report.slab_checks import slab_check


def test_every_relaxed_slab_is_checked(data: dict[str, Any]) -> None:
    checks = data["slab_checks"]
    assert {"VN-slab", "Na-slab", "VN-hollow-held", "VN-hollow-held-basin"} <= checks.keys()
    assert checks["VN-hollow-held-basin"]["rumpling"] == {"1": pytest.approx(LEANING)}
    assert checks["VN-slab"]["fmax"] == 0.02
    assert "rumpling" not in checks["Na-slab"]


@pytest.mark.parametrize(("slope", "flat"), [(0.01, True), (0.5, False)])
def test_only_a_flat_vacuum_has_a_work_function(slope: float, flat: bool) -> None:
    z = np.linspace(0.0, 12.0, 121)  # the structure has atoms from 4 to 6 angstrom
    field = {"z": z.tolist(), "potential": (3.0 + slope * z).tolist(), "fermi_level": -1.0}
    values: Any = values_of("slab", electrostatics=field)
    found = slab_check(values, 2.06, "N")
    assert found["vacuum_flatness"] == pytest.approx(slope * 1.0, abs=1e-9)
    if flat:
        assert found["work_function_above"] == pytest.approx(4.0 + slope * 11.0)
        assert found["dipole_step"] == pytest.approx(slope * 10.0)
    else:
        keys = ("work_function_above", "work_function_below", "dipole_step")
        assert [found[key] for key in keys] == [None] * 3  # type: ignore[literal-required]
