"""Calls of spglib without its remark that its own way of reporting errors will go."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_deprecation() -> Iterator[None]:
    """Ignore spglib's deprecation warning, and no other one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        yield
