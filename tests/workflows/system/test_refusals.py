"""What the operating system refuses: one line, with the file that a user knows."""

import errno
import os

import pytest

from workflows.system.refusals import explain, is_refusal


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("run/case.toml", "run/case.toml"),
        ("run/.case.toml.4711.tmp", "run/case.toml"),
        ("run/figures/.fig5.4711.png", "run/figures/fig5.png"),
        ("run/VN-slab/.stale-1/gpaw-1.txt", "run/VN-slab/.stale-1/gpaw-1.txt"),
        (None, "cannot continue"),
    ],
)
def test_a_temporary_file_is_named_after_the_one_that_it_becomes(
    name: str | None, shown: str
) -> None:
    error = OSError(errno.EIO, os.strerror(errno.EIO), name)
    assert explain(error) == f"{shown}: Input/output error"


@pytest.mark.parametrize("number", [errno.EIO, errno.EFBIG, errno.ENOSPC, errno.EROFS])
def test_what_a_disk_refuses_is_no_bug(number: int) -> None:
    assert is_refusal(OSError(number, os.strerror(number)))


def test_a_file_that_is_not_there_is_a_bug() -> None:
    assert not is_refusal(FileNotFoundError(errno.ENOENT, "No such file or directory", "a"))
