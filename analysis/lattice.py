"""The spacings of a rock-salt lattice in the order of its diffraction rings, beside the paper's."""

from __future__ import annotations

from dataclasses import dataclass

from analysis import paper
from structures.diffraction import interplanar_spacing

# The structure factor vanishes unless h, k, l are all odd or all even.
PLANES = ((1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2))


@dataclass(frozen=True)
class Ring:
    """One ring of a polycrystal's electron diffraction.

    Attributes
    ----------
    hkl
        Miller indices of the planes.
    d_spacing
        Distance between the planes, angstrom; the ring's radius is 1 / d_spacing.
    published
        The paper's distance, angstrom, or None where it prints none.
    named_by_paper
        Whether the paper lists this ring; None for another crystal than the paper's.
    """

    hkl: tuple[int, int, int]
    d_spacing: float
    published: float | None = None
    named_by_paper: bool | None = None

    @property
    def difference(self) -> float | None:
        """Ours less the published distance, angstrom."""
        return None if self.published is None else self.d_spacing - self.published


def rings(lattice_constant: float, host: str) -> list[Ring]:
    """Compute the first five rings of a rock-salt crystal, the innermost first.

    Parameters
    ----------
    lattice_constant
        Edge a of the conventional cube, angstrom.
    host
        Formula; 'VN' is the paper's.

    Raises
    ------
    ValueError
        If the lattice constant is not positive and finite.

    References
    ----------
    Nanoscale Horiz., 2022, 7, 899, Fig. 1f and h.
    """
    known = host == "VN"
    return [
        Ring(
            hkl,
            interplanar_spacing(lattice_constant, hkl),
            paper.LATTICE_SPACINGS.get(hkl) if known else None,
            hkl in paper.SAED_RINGS if known else None,
        )
        for hkl in PLANES
    ]
