"""cellpy, an optional library: asked for when it is needed, and kept to itself.

Left alone, it takes its settings from the home directory and from the working directory, and logs.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from workflows.system.messages import UserError

PACKAGE, KNOWN = "cellpy", "1.0."
INSTALL = (
    "`cycling` needs cellpy, the extra `measured`; allowed: pip install 'sodiophile[measured]', "
    "or in a checkout: make measured"
)
# Settings of its own: without them it would read `.env_cellpy` of the working directory.
SETTINGS = "Paths: {{env_file: {home}/none}}\n"


def require_cellpy() -> None:
    """Check that cellpy is installed, in a version that this program knows.

    Raises
    ------
    UserError
        It is not, with the commands that install it.
    """
    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        raise UserError(INSTALL) from None
    if not found.startswith(KNOWN):
        raise UserError(f"found cellpy {found}, but 1.0.2 is needed; {INSTALL}")


@contextmanager
def quiet() -> Iterator[None]:
    """Run cellpy without its messages, warnings and logs: what matters is checked here."""
    root, before, silent = logging.getLogger(), logging.root.manager.disable, logging.NullHandler()
    root.addHandler(silent)  # without any, logging would add one that prints
    logging.disable(logging.CRITICAL)
    printed = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # for mdb-export, a program that cellpy starts
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(printed, 2)
        os.close(printed)
        logging.disable(before)
        root.removeHandler(silent)


def new_cell(loader: str = "pec_csv") -> Any:
    """Return an empty cell of cellpy; within `quiet`.

    Parameters
    ----------
    loader
        Name of one of cellpy's loaders.
    """
    with TemporaryDirectory() as home, patch.dict(os.environ, {"HOME": home}):
        Path(home, ".cellpy_prms_default.conf").write_text(SETTINGS.format(home=home))
        from cellpy.readers.cellreader import CellpyCell
    return CellpyCell(tester=loader, initialize=True)


def set_divider(divider: str) -> None:
    """Set what divides the fields of Arbin's CSV, which cellpy has as a setting."""
    from cellpy import prms

    prms.Reader.sep = divider
