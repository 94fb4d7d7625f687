"""What is read is checked, and left as it is."""

from typing import Any

import pytest

from workflows.steps.optimize import Step
from workflows.tasks.records import Progress
from workflows.tasks.validation import checked, is_valid

STEP: dict[str, Any] = {
    "energy": -1, "positions": [[0.0, 0, 1.5]], "forces": [[0.0, 0.0, 0.1]], "scf_iterations": 7,
}  # fmt: skip


def test_what_has_its_type_comes_back_unchanged() -> None:
    data = STEP | {"remark": "of a later version"}
    assert checked(Step, data) is data
    assert repr(data["energy"]) == "-1"  # not made a float


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"energy": "-1"}, "energy: Input should be a valid number"),
        ({"energy": 1e9}, "energy: Input should be less than"),
        ({"forces": [[0.0, None, 0.1]]}, "forces.0.1: Input should be a valid number"),
        ({"scf_iterations": 7.5}, "scf_iterations: Input should be a valid integer"),
    ],
)
def test_the_first_wrong_field_is_named_in_one_line(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}") as error:
        checked(Step, STEP | change)
    assert "\n" not in str(error.value)
    assert not is_valid(Step, STEP | change)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"^energy: Field required"):
        checked(Step, {"positions": [], "forces": []})


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_what_is_no_record_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="valid dictionary"):
        checked(Progress, data)
