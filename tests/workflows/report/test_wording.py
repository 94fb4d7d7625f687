"""Captions and notes."""

import pytest

from tests.workflows.report.finished_run import (
    case,
)
from workflows.report.wording import caption


@pytest.mark.parametrize(
    "words", ["case laptop-V", "Na on VN(001), 2×2 cell", "3 layers (1 held)", "400 eV", "PBE"]
)
def test_the_caption_says_what_was_computed(words: str) -> None:
    assert words.lower() in caption(case()).text.lower()
