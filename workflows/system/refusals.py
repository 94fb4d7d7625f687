"""What the operating system refuses for a path or a disk: one line, for it is no bug of ours."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from workflows.system.messages import shown

REFUSALS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "ENAMETOOLONG",
                 "ENOTDIR", "EISDIR", "EEXIST", "ELOOP")
)  # fmt: skip


# `write_bytes` and `save` write to such a name first
TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9]+\.(tmp|(?P<suffix>png|pdf|svg))")


def is_refusal(error: object) -> bool:
    """Return whether an exception is the refusal of a path or a disk."""
    return isinstance(error, OSError) and error.errno in REFUSALS


def explain(error: OSError) -> str:
    """Return a refusal as one line that names the file as a user knows it."""
    path = "cannot continue" if error.filename is None else shown(_known(Path(str(error.filename))))
    return f"{path}: {error.strerror}"


def _known(path: Path) -> Path:
    temporary = TEMPORARY.fullmatch(path.name)
    if temporary is None:
        return path
    suffix = f".{temporary['suffix']}" if temporary["suffix"] else ""
    return path.with_name(temporary["name"] + suffix)
