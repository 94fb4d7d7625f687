"""The retry ladder: what is tried, in this order, where self-consistency is not reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflows.dft.parameters import occupations


@dataclass(frozen=True)
class Change:
    """Parameters of GPAW that a calculation continues with; None leaves one as it is.

    Attributes
    ----------
    mixer, eigensolver
        GPAW's parameters of these names.
    smearing
        Fermi-Dirac width, times the setting.
    """

    mixer: dict[str, Any] | None = None
    eigensolver: dict[str, Any] | None = None
    smearing: float | None = None

    def parameters(self, width: float) -> dict[str, Any]:
        """Return the change as arguments of GPAW's `change`.

        Parameters
        ----------
        width
            The setting of the Fermi-Dirac width, eV.
        """
        smearing = None if self.smearing is None else occupations(self.smearing * width)
        changed = {
            "mixer": self.mixer, "eigensolver": self.eigensolver, "occupations": smearing,
        }  # fmt: skip
        return {name: value for name, value in changed.items() if value is not None}


@dataclass(frozen=True)
class Rung:
    """One way to self-consistency.

    Its changes are made one after the other, and after each self-consistency must be reached.
    """

    name: str
    changes: tuple[Change, ...]


# Each rung continues from the wavefunctions and the density of the one before. One that leaves the
# settings asked for comes back to them, or there is no result.
LADDER = (
    Rung("more iterations", (Change(),)),
    Rung(
        "careful density mixing",
        (Change(mixer={"backend": "pulay", "beta": 0.02, "nmaxold": 8, "weight": 100.0}),),
    ),
    Rung("another eigensolver", (Change(eigensolver={"name": "ppcg"}),)),
    Rung("wider smearing and back", (Change(smearing=4.0), Change(smearing=1.0))),
)


def climb(attempt: Callable[[Change], bool], retries: list[str]) -> bool:
    """Try to reach self-consistency, first without a change, then on one rung after the other.

    Parameters
    ----------
    attempt
        Makes a change and tries; returns whether self-consistency was reached.
    retries
        The names of the rungs that were needed are added to it.

    Returns
    -------
    bool
        Whether self-consistency was reached, with the settings that were asked for.
    """
    if attempt(Change()):
        return True
    for rung in LADDER:
        retries.append(rung.name)
        if all(map(attempt, rung.changes)):
            return True
    return False
