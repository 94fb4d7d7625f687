"""From our adsorption energies to the published ones: what each choice adds, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["dispersion", "refinement", "alternative"]


@dataclass(frozen=True)
class Choice:
    """One choice and by how much it changes the adsorption energy of each site.

    Attributes
    ----------
    name
        What is chosen, such as ``'k-points 6×6×1'``.
    kind
        ``'dispersion'``: a model of it; ``'refinement'``: nearer to converged;
        ``'alternative'``: another choice, neither better nor worse.
    counted
        Whether `Account.left` counts it. Of several models of dispersion each is an end of a range.
    changes
        eV by site; negative binds more strongly. A site that was not computed is missing.
    """

    name: str
    kind: Kind
    counted: bool
    changes: Mapping[str, float]


@dataclass(frozen=True)
class Account:
    """Plain energies, published energies and the choices between them.

    Attributes
    ----------
    plain, published
        Adsorption energies by site, eV: ours without dispersion, and the paper's.
    choices
        In the order in which they are shown.
    """

    plain: Mapping[str, float]
    published: Mapping[str, float]
    choices: tuple[Choice, ...]

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites with both energies."""
        return tuple(site for site in self.plain if site in self.published)

    def gap(self, site: str) -> float:
        """Return the published energy of a site less the plain one, eV."""
        return self.published[site] - self.plain[site]

    def counted(self, site: str) -> list[str]:
        """Return the names of the choices that `left` counts for a site."""
        return [choice.name for choice in self.choices if choice.counted and site in choice.changes]

    def left(self, site: str) -> tuple[float, float]:
        """Return what is left of the gap of a site once the counted choices are added.

        Choices are taken as additive, which they need not be.

        Returns
        -------
        tuple of float
            Lowest and highest over the models of dispersion, eV.
        """
        mine = [choice for choice in self.choices if choice.counted and site in choice.changes]
        refined = sum(c.changes[site] for c in mine if c.kind == "refinement")
        models = [c.changes[site] for c in mine if c.kind == "dispersion"] or [0.0]
        left = [self.gap(site) - refined - model for model in models]
        return min(left), max(left)
