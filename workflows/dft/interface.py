"""What the rest of the program knows of the DFT code: its refusals. Imports no GPAW."""

from __future__ import annotations

from workflows.system.messages import UserError


class NotConverged(Exception):
    """Self-consistency was not reached, not even on the last rung of the ladder."""


class AtomsCollide(Exception):
    """GPAW refuses the structure: two atoms are all but on top of each other."""


class TooManyRanks(UserError):
    """There are more MPI ranks than can share the k-points (bands, plane waves) of a system."""
