"""What each kind of task is computed from and what it finds: the types of the JSON in its folder.

Energies are in eV, lengths in angstrom, forces in eV/angstrom, times in seconds. A key that older
results lack is NotRequired.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict  # pydantic does not take that of Python 3.11

Kind = Literal["lattice", "atom", "slab", "held", "free", "basin", "density", "uncorrected"]


Surface = Literal["host", "metal", "metal_110"]


# Whose structure a task belongs to: the adatom with x and y held, the free one, or none
Relaxation = Literal["", "held", "free"]


StructureData: TypeAlias = dict[str, Any]  # see atoms_json.py


# ---- what a task is computed from ---------------------------------------------------------------


class SCFCriteria(TypedDict):
    """When a calculation counts as self-consistent.

    `energy` in eV per electron, `density` in electrons per electron, `eigenstates` in eV^2 per
    electron.
    """

    energy: float
    density: float
    eigenstates: float


class DFTSettings(TypedDict):
    """DFT settings that change a number: `cutoff` and `smearing` (Fermi-Dirac width) in eV.

    `kpoints` is the Gamma-centred grid, None for an isolated system; `setups` names the PAW data
    sets that are not the default, by element. Crystals and atoms have no dipole correction.
    """

    mode: str
    cutoff: float
    xc: str
    smearing: float
    kpoints: list[int] | None
    setups: dict[str, str]
    scf: SCFCriteria
    dipole_correction: NotRequired[bool]


class CrystalInputs(TypedDict):
    """A crystal; its `lattice_constant` (angstrom) is None where a task computes it."""

    elements: list[str]
    structure: str
    lattice_constant: float | None


class LatticeInputs(CrystalInputs):
    """Of an equation of state, about `lattice_guess` (angstrom)."""

    lattice_guess: float
    dft: DFTSettings


class AtomInputs(TypedDict):
    """Of an isolated atom in a cubic box with sides of `box` angstrom."""

    element: str
    box: float
    dft: DFTSettings


class SlabCut(TypedDict):
    """How a slab is cut from its crystal; `vacuum` on each side in angstrom."""

    layers: int
    cell: str
    vacuum: float
    held_layers: int


class SlabInputs(CrystalInputs):
    """Of a clean slab, relaxed to `fmax` (eV/angstrom); `face` where it is not (001)."""

    fmax: float
    dft: DFTSettings
    slab: SlabCut
    face: NotRequired[str]


class AdatomInputs(TypedDict):
    """Of an adatom relaxed from a site, held or free, to `fmax` (eV/angstrom)."""

    fmax: float
    dft: DFTSettings
    adatom: str
    site: str


class BareSlabInputs(TypedDict):
    """Of the slab relaxed again without the adatom of a site, to `fmax` (eV/angstrom)."""

    fmax: float
    dft: DFTSettings
    site: str


class DensityInputs(TypedDict):
    """Of the density difference of an adatom held at a site."""

    dft: DFTSettings
    site: str


class SinglePointInputs(TypedDict):
    """Of the energy of a relaxed structure with other settings; `site` is "" for a clean slab."""

    dft: DFTSettings
    site: str


Inputs = (
    LatticeInputs
    | AtomInputs
    | SlabInputs
    | AdatomInputs
    | BareSlabInputs
    | DensityInputs
    | SinglePointInputs
)


# ---- what a task finds --------------------------------------------------------------------------


class Effort(TypedDict, total=False):
    """What a result took; changes no number. `peak_memory` in bytes, times in seconds.

    `retries` names what was tried where self-consistency was not reached at once.
    """

    scf_iterations: int
    retries: list[str]
    gpaw_seconds: float
    process_seconds: float
    cpu_seconds: float
    peak_memory: int


class Reflection(TypedDict):
    """A line of the powder pattern: `d_spacing` in angstrom, `two_theta` in degrees (Cu K-alpha).

    `intensity` is relative to 100 for the strongest line.
    """

    hkl: list[int]
    d_spacing: float
    two_theta: float
    intensity: float


class LatticeValues(Effort):
    """A Birch-Murnaghan fit: `energy` (eV) of the primitive cell of `atoms` atoms at the minimum.

    `lattice_constant` in angstrom, `bulk_modulus` in GPa; `energies` (eV) at `lattice_constants`
    (angstrom) are the points that were fitted.
    """

    lattice_constant: float
    bulk_modulus: float
    energy: float
    atoms: int
    lattice_constants: list[float]
    energies: list[float]
    pattern: list[Reflection]


class AtomValues(Effort):
    """An isolated atom: `energy` in eV, `magnetic_moment` in Bohr magnetons."""

    energy: float
    magnetic_moment: float


class Electrostatics(TypedDict):
    """The potential of an electron (eV), averaged over the plane at each height `z` (angstrom).

    Both lists are equally long; `fermi_level` in eV.
    """

    z: list[float]
    potential: list[float]
    fermi_level: float


class RelaxedValues(Effort):
    """A relaxed structure: `energy` in eV, `fmax` in eV/angstrom after so many ionic `steps`."""

    energy: float
    fmax: float
    steps: int
    structure: StructureData
    electrostatics: Electrostatics


class SlabValues(RelaxedValues):
    """A clean slab; `lattice_constant` (angstrom) is that of the crystal that it was cut from."""

    lattice_constant: float


class AdatomValues(RelaxedValues):
    """An adatom on a slab; all lengths in angstrom.

    `height` is above the mean plane of the top layer, `nearest` the shortest distance to each
    element, `image_distance` that to the adatom's nearest periodic image, `site_offset` the lateral
    distance from `ended_at`, the nearest site: both are None where the top layer has no sites left.
    Of a free one, `pushed` is how far from the site it started, `site_curvature` (eV/angstrom^2)
    that of the energy along this push, and `saddle` tells that it stayed on a saddle.
    `density` is the SHA-256 of its all-electron density.
    """

    height: float
    nearest: dict[str, float]
    image_distance: float
    ended_at: str | None
    site_offset: float | None
    density: NotRequired[str]
    site_curvature: NotRequired[float]
    saddle: NotRequired[bool]
    pushed: NotRequired[float]


class BareSlabValues(RelaxedValues):
    """A slab relaxed again without its adatom, from `start`.

    `same_as` names the task whose numbers these are, where it began (nearly) at the same place.
    """

    start: StructureData
    same_as: NotRequired[str]


class DensityValues(Effort):
    """A density difference: its `integral` over the cell, in electrons, which must vanish.

    `charge_moved` (electrons) went from the adatom across the plane at height `boundary`
    (angstrom); `bader_charge` is that of the adatom in electrons, positive if it has lost some.
    `plane_average` (electrons/angstrom) is the difference integrated over the plane at each height
    `z` (angstrom): lists of equal length.
    """

    integral: float
    charge_moved: float
    boundary: float
    bader_charge: float
    z: list[float]
    plane_average: list[float]
    structure: StructureData


class SinglePointValues(Effort):
    """The energy (eV) of a structure that is not relaxed here."""

    energy: float


Values = (
    LatticeValues
    | AtomValues
    | SlabValues
    | AdatomValues
    | BareSlabValues
    | DensityValues
    | SinglePointValues
)
