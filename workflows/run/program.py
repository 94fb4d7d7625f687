"""How processes of this program are started."""

from __future__ import annotations

import sys


def program() -> list[str]:
    """Return the words that start the command line in a process of its own.

    Neither the current directory (-P) nor PYTHONPATH (-E) comes before what is installed: a user's
    own analysis.py or numpy.py must not be taken for ours, or for NumPy. What only PYTHONPATH
    provides is found all the same; see `workflows.system.machine.put_installed_first`.
    """
    return [sys.executable, "-P", "-E", "-m", "workflows.cli"]
