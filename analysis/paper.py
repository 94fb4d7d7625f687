"""The published numbers, each once, with where it stands in the paper.

X. Xia et al., Nanoscale Horiz., 2022, 7, 899 (DOI 10.1039/d2nh00152g).

The main text gives no cell, no plane-wave cutoff, no k-points, no functional and no code for its
DFT energies, so none is recorded here. A difference from these energies therefore mixes
method and model, and cannot be assigned to either one.
"""

from collections.abc import Mapping
from typing import Final

DOI: Final = "10.1039/d2nh00152g"

CITATION: Final = (
    "X. Xia, X. Lv, Y. Yao, D. Chen, F. Tang, L. Liu, Y. Feng, X. Rui and Y. Yu, "
    "A sodiophilic VN interlayer stabilizing a Na metal anode, Nanoscale Horiz., 2022, 7, 899"
)

REFERENCE: Final = "Nanoscale Horiz., 2022, 7, 899"

ADSORPTION_ENERGIES: Final[Mapping[str, float]] = {
    "bridge": -1.564,
    "hollow": -1.457,
    "top-V": -1.830,
    "top-N": -1.358,
}
"""Adsorption energy of one Na atom on VN by site, in eV (Fig. 5e and the text above it)."""

BARE_NA: Final = -0.860
"""Adsorption energy of Na on bare Na, in eV (text above Fig. 5, cited there from its ref. 45)."""

ACTIVATION_ENERGIES: Final[Mapping[str, float]] = {"Na/VN": 61.42, "bare Na": 72.96}
"""Apparent activation energy by electrode, in kJ/mol (Fig. 5j and the text below Fig. 5)."""

EXCHANGE_CURRENT_DENSITIES: Final[Mapping[str, float]] = {"Na/VN": 0.215, "bare Na": 0.068}
"""Exchange current density by electrode, in mA/cm^2 (text above Fig. 5, from Fig. S19)."""

NUCLEATION_OVERPOTENTIALS: Final[Mapping[str, float]] = {"Na/VN": 36.0, "bare Na": 68.0}
"""Nucleation overpotential by electrode at 0.5 mA/cm^2, in mV (text on Fig. 3a)."""

LATTICE_SPACINGS: Final[Mapping[tuple[int, int, int], float]] = {(2, 0, 0): 2.0, (1, 1, 1): 2.3}
"""Interplanar spacing by plane, in angstrom (printed as 0.20 and 0.23 nm; Fig. 1h and its text)."""

LATTICE_DECIMALS: Final = 1
"""Decimals of the spacings in angstrom that the paper's two decimals in nm stand for."""

SAED_RINGS: Final[tuple[tuple[int, int, int], ...]] = ((1, 1, 1), (2, 0, 0), (3, 1, 1), (2, 2, 2))
"""Planes of the diffraction rings in the printed order, without (220) (Fig. 1f and its text)."""

JCPDS: Final = "73-0528"
"""Card of cubic VN that the paper indexes its rings by (text on Fig. 1f)."""


def is_system(host: str, adatom: str) -> bool:
    """Tell whether the paper is about this adatom (a symbol) on this host (a formula)."""
    return (host, adatom) == ("VN", "Na")


def published_energy(host: str, adatom: str, site: str) -> float | None:
    """Give the published adsorption energy where the paper has one for this very system.

    Parameters
    ----------
    host
        Formula of the surface, such as ``'VN'``.
    adatom
        Symbol of the adsorbed atom, such as ``'Na'``.
    site
        Name of the site, such as ``'top-V'``.

    Returns
    -------
    float or None
        Adsorption energy in eV, negative binds; None for all but Na on the four sites of VN.

    References
    ----------
    Nanoscale Horiz., 2022, 7, 899, Fig. 5e and the text above it.
    """
    return ADSORPTION_ENERGIES.get(site) if is_system(host, adatom) else None


def published_on_metal(host: str, adatom: str) -> float | None:
    """Give the published energy of the adatom on its own metal, beside which the host is put.

    Parameters
    ----------
    host, adatom
        As in `published_energy`.

    Returns
    -------
    float or None
        Adsorption energy in eV, negative binds; None for all but Na and VN. The paper gives neither
        face nor site.

    References
    ----------
    Nanoscale Horiz., 2022, 7, 899, text above Fig. 5.
    """
    return BARE_NA if is_system(host, adatom) else None
