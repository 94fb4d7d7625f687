"""What each kind of task is computed from and what it finds: the types of the JSON in its folder.

Energies are in eV, lengths in angstrom, forces in eV/angstrom, times in seconds. A key that older
results lack is NotRequired. What is read from a file is checked against these types
(validation.py), with the bounds that they name: a number beyond them is none of ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field

# pydantic does not take the TypedDict of Python 3.11, mypy no other TypeVar with a default
from typing_extensions import TypedDict, TypeVar

from workflows.case.schema import Start
from workflows.dft.interface import Electrostatics
from workflows.tasks.atoms_json import StructureData, check_structure

Kind = Literal[
    "probe", "lattice", "atom", "slab", "held", "free", "basin", "refined", "functionals",
    "density", "uncorrected", "electrons", "coverage", "hop",
]  # fmt: skip


Surface = Literal["host", "metal", "metal_110"]


# Whose structure a task belongs to: the adatom with x and y held, the free one, or none
Relaxation = Literal["", "held", "free"]


Energy = Annotated[float, Field(gt=-1e7, lt=1e7)]  # eV


Length = Annotated[float, Field(gt=-1e4, lt=1e4)]  # angstrom


PositiveLength = Annotated[float, Field(gt=0.0, lt=1e4)]  # angstrom


Force = Annotated[float, Field(gt=-1e6, lt=1e6)]  # eV/angstrom


Electrons = Annotated[float, Field(gt=-1e5, lt=1e5)]


Seconds = Annotated[float, Field(ge=0.0, lt=1e10)]


Number = Annotated[float, Field(allow_inf_nan=False)]


Count = Annotated[int, Field(ge=0, lt=2**53)]


# Of a site, a task or a checksum
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]


Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("found characters that cannot be printed")
    return text


# Printed by terminals and pages, so without control characters
Printable = Annotated[str, Field(max_length=10_000), AfterValidator(_printable)]


Structure = Annotated[StructureData, AfterValidator(check_structure)]


Check = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _same_lengths(first: str, second: str) -> Check:
    """Return a check that two lists under these keys are equally long, and not empty."""

    def check(data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not len(data[first]) == len(data[second]) > 0:
            raise ValueError(f"{first} and {second}: found lists of different lengths, or none")
        return data

    return check


def _all_of(*keys: str) -> Check:
    """Return a check that keys are there which the type leaves out for other kinds of tasks."""

    def check(data: Mapping[str, Any]) -> Mapping[str, Any]:
        if missing := set(keys) - data.keys():
            raise ValueError(f"{', '.join(sorted(missing))}: missing")
        return data

    return check


def _whole_lattice(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check that there is all of an equation of state, or all of a relaxation by stress."""
    if "structure" in data:
        return _all_of("stress", "steps")(data)
    _all_of("bulk_modulus", "lattice_constants", "energies")(data)
    return _same_lengths("lattice_constants", "energies")(data)


def _finite(data: Electrostatics) -> Electrostatics:
    if not all(map(math.isfinite, (*data["z"], *data["potential"], data["fermi_level"]))):
        raise ValueError("found a number that is not finite")
    return data


# ---- what a task is computed from ---------------------------------------------------------------


class SCFCriteria(TypedDict):
    """When a calculation counts as self-consistent.

    `energy` in eV per electron, `density` in electrons per electron, `eigenstates` in eV^2 per
    electron.
    """

    energy: float
    density: float
    eigenstates: float


class HubbardSettings(TypedDict):
    """A Hubbard `U`, eV, on an orbital."""

    orbital: str
    U: float


class SpinSettings(TypedDict):
    """Spin of a crystal or slab; where there are `probes`, only if one of them found a moment.

    `moments` (Bohr magnetons) are the starting ones by element, `adatom` that of an adatom; of the
    `starts` the one with the lowest energy is kept. `non_magnetic` is whether the energy of the
    non-magnetic solution is computed, too.
    """

    probes: NotRequired[list[str]]
    moments: dict[str, float]
    adatom: NotRequired[float]
    starts: list[Start]
    non_magnetic: bool


class DFTSettings(TypedDict):
    """DFT settings that change a number: `cutoff` and `smearing` (Fermi-Dirac width) in eV.

    `kpoints` is the Gamma-centred grid, None for an isolated system; `setups` names the PAW data
    sets that are not the default, by element. Crystals and atoms have no dipole correction, atoms
    no dispersion either; `dispersion` has the `model`, if there is one, and the version of its
    package. `hubbard` is by element, where there is any; `spin` of crystals and slabs that may have
    it.
    """

    mode: str
    cutoff: float
    xc: str
    smearing: float
    kpoints: list[int] | None
    setups: dict[str, str]
    scf: SCFCriteria
    dipole_correction: NotRequired[bool]
    dispersion: NotRequired[dict[str, str]]
    hubbard: NotRequired[dict[str, HubbardSettings]]
    spin: NotRequired[SpinSettings]


class CrystalAtoms(TypedDict):
    """A crystal or slab from a file: `cell` vectors as rows, angstrom; scaled `positions`."""

    cell: list[list[float]]
    symbols: list[str]
    positions: list[list[float]]


class CrystalInputs(TypedDict):
    """A crystal; its `lattice_constant` (angstrom) is None where a task computes it.

    The `face` of a slab is there where it is not (001). A crystal or slab from a file, and an
    element, has all its atoms in `crystal`; of a crystal, slabs have `miller` and `termination`.
    """

    elements: list[str]
    structure: str
    lattice_constant: float | None
    face: NotRequired[str]
    crystal: NotRequired[CrystalAtoms]
    miller: NotRequired[list[int]]
    termination: NotRequired[str | None]


# What of a cell is relaxed by its stress: all of it, or the first two vectors
RelaxedCell = Literal["whole", "in-plane"]


class LatticeInputs(CrystalInputs):
    """Of an equation of state, about `lattice_guess` (angstrom).

    With `relaxed_cell`: of a relaxation of cell and atoms, to `fmax` (eV/angstrom).
    """

    lattice_guess: float
    dft: DFTSettings
    fmax: NotRequired[float]
    relaxed_cell: NotRequired[RelaxedCell]


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


class DefectInputs(TypedDict):
    """A defect of the top layer: an atom of `element` is missing, or is a `substitute`."""

    element: str
    substitute: str | None


class SlabInputs(CrystalInputs):
    """Of a clean slab, relaxed to `fmax` (eV/angstrom)."""

    fmax: float
    dft: DFTSettings
    slab: SlabCut
    defect: NotRequired[DefectInputs]


class ProbeInputs(CrystalInputs):
    """Of a test of whether a clean slab, in its 1x1 cell, is magnetic.

    Its `lattice_constant` (angstrom) is the guess where a task computes it.
    """

    dft: DFTSettings
    slab: SlabCut


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
    """Of the energy of a finished structure with other settings; `site` is "" without an adatom.

    `functionals` names those whose energies are computed, too.
    """

    dft: DFTSettings
    site: str
    functionals: NotRequired[list[str]]


class CoverageInputs(TypedDict):
    """Of several adatoms, all free, relaxed to `fmax` (eV/angstrom).

    `places` are in units of the in-plane cell vectors; so many of them, the last ones, are `on_top`
    of the others. A compact `cluster` of so many atoms begins at the one place that is given.
    """

    fmax: float
    dft: DFTSettings
    adatom: str
    places: list[list[float]]
    on_top: int
    cluster: NotRequired[int]


class HopInputs(TypedDict):
    """Of the path from the minimum near a site to an equivalent one, to `fmax` (eV/angstrom).

    It has so many `images` between the two; `shell` is 1 for the nearest equivalent minima.
    """

    fmax: float
    dft: DFTSettings
    site: str
    images: int
    shell: int


class ElectronsInputs(TypedDict):
    """Of the electronic structure of a held adatom's system; `site` is "" for a clean slab.

    Densities of states reach from `lowest` to `highest` (eV from the Fermi level), each state a
    Gaussian of this `width` (eV).
    """

    dft: DFTSettings
    site: str
    width: float
    lowest: float
    highest: float


Inputs = (
    ProbeInputs
    | LatticeInputs
    | AtomInputs
    | SlabInputs
    | AdatomInputs
    | BareSlabInputs
    | DensityInputs
    | SinglePointInputs
    | ElectronsInputs
    | CoverageInputs
    | HopInputs
)


# The inputs of one kind of task: functions that do not care which need not name it
InputsT = TypeVar("InputsT", bound=Inputs)


InputsT_co = TypeVar("InputsT_co", bound=Inputs, default=Inputs, covariant=True)


class Origin(TypedDict):
    """Everything that a task is computed from: the fingerprint is the digest of this.

    `needs` has the identity of the numbers of each task that it builds on, `versions` those of the
    packages that change numbers, `data_sets` the SHA-256 of the PAW data set of each element
    (records of recipe 2 lack it).
    """

    recipe: int
    kind: Kind
    inputs: Inputs
    needs: dict[str, str]
    versions: dict[str, str]
    data_sets: NotRequired[dict[str, str]]


# ---- what a task finds --------------------------------------------------------------------------


class Effort(TypedDict, total=False):
    """What a result took; changes no number. `peak_memory` in bytes, times in seconds.

    `process_started` counts from 1970 (UTC); it and `process_seconds` are of the last process if
    the task was interrupted. `retries` names what was tried where self-consistency was not reached
    at once.
    """

    scf_iterations: Count
    retries: list[Printable]
    gpaw_seconds: Seconds
    process_started: Seconds
    process_seconds: Seconds
    cpu_seconds: Seconds
    peak_memory: Count


class ReflectionData(TypedDict):
    """A line of the powder pattern: `d_spacing` in angstrom, `two_theta` in degrees (Cu K-alpha).

    `intensity` is relative to 100 for the strongest line.
    """

    hkl: list[int]
    d_spacing: Length
    two_theta: Number
    intensity: Number


class ProbeValues(Effort):
    """A spin-polarised SCF of an unrelaxed slab, and its `non_magnetic_energy`; eV.

    `magnetic_moment` is the total one, `magnetic_moments` those inside the PAW spheres of the atoms
    of `structure`, in Bohr magnetons; `starts` has the energy (eV) of each start.
    """

    energy: Energy
    non_magnetic_energy: Energy
    magnetic_moment: Electrons
    magnetic_moments: list[Electrons]
    starts: dict[Name, Energy]
    structure: Structure


class LatticeValues(Effort):
    """A Birch-Murnaghan fit: `energy` (eV) of the primitive cell of `atoms` atoms at the minimum.

    A crystal that is relaxed by its stress has its conventional cell as `structure`, the length of
    whose first vector is `lattice_constant`, the largest `stress` that is left (GPa), and the
    number of `steps`, in the place of modulus and points.

    `lattice_constant` in angstrom, `bulk_modulus` in GPa; `energies` (eV) at `lattice_constants`
    (angstrom) are the points that were fitted. `dispersion` has the dispersion energy (eV) of the
    cell at the minimum by model; `magnetic_moment` (Bohr magnetons) is that of the cell with the
    lowest energy, if it has spin.
    """

    lattice_constant: PositiveLength
    bulk_modulus: NotRequired[Number]
    energy: Energy
    atoms: Annotated[int, Field(ge=1, le=500)]
    lattice_constants: NotRequired[list[PositiveLength]]
    energies: NotRequired[list[Energy]]
    pattern: list[ReflectionData]
    structure: NotRequired[Structure]
    stress: NotRequired[Number]
    steps: NotRequired[Count]
    dispersion: NotRequired[dict[str, Energy]]
    magnetic_moment: NotRequired[Electrons]


class AtomValues(Effort):
    """An isolated atom: `energy` in eV, `magnetic_moment` in Bohr magnetons."""

    energy: Energy
    magnetic_moment: Electrons


class RelaxedValues(Effort):
    """A relaxed structure: `energy` in eV, `fmax` in eV/angstrom after so many ionic `steps`.

    `dispersion` has the dispersion energy (eV) of the structure by model; `energy` includes that of
    the model, if any, that it was relaxed with.
    Of a system with spin, moments and `starts` are as of a probe, and `non_magnetic_energy` (eV) is
    that of the same structure without spin.
    """

    energy: Energy
    fmax: Force
    steps: Count
    structure: Structure
    electrostatics: Annotated[
        Electrostatics, AfterValidator(_same_lengths("z", "potential")), AfterValidator(_finite)
    ]
    dispersion: NotRequired[dict[str, Energy]]
    magnetic_moment: NotRequired[Electrons]
    magnetic_moments: NotRequired[list[Electrons]]
    starts: NotRequired[dict[Name, Energy]]
    non_magnetic_energy: NotRequired[Energy]


class SlabValues(RelaxedValues):
    """A clean slab; `lattice_constant` (angstrom) is that of the crystal that it was cut from.

    `ideal` is the slab as it was cut, of a crystal from a file: its symmetry gives the sites.
    """

    lattice_constant: PositiveLength
    ideal: NotRequired[Structure]


class AdatomValues(RelaxedValues):
    """An adatom on a slab; all lengths in angstrom.

    `height` is above the mean plane of the top layer, `nearest` the shortest distance to each
    element, `image_distance` that to the adatom's nearest periodic image, `site_offset` the lateral
    distance from `ended_at`, the nearest site: both are None where the top layer has no sites left.
    Of a free one, `pushed` is how far from the site it started, `site_curvature` (eV/angstrom^2)
    that of the energy along this push, and `saddle` whether it stayed on a saddle.
    `density` is the SHA-256 of its all-electron density. Where the slab has a defect,
    `defect_distance` is that from the adatom to it.
    """

    height: Length
    nearest: dict[Symbol, Length]
    image_distance: Length
    ended_at: Name | None
    site_offset: Length | None
    defect_distance: NotRequired[Length]
    density: NotRequired[Name]
    site_curvature: NotRequired[Number]
    saddle: NotRequired[bool]
    pushed: NotRequired[Length]


class CoverageValues(RelaxedValues):
    """Several adatoms on a slab: their number, and in how many `layers` they lie."""

    adatoms: Annotated[int, Field(ge=1, le=100)]
    layers: Annotated[int, Field(ge=1, le=100)]


class HopValues(Effort):
    """A path between two minima: `energies` (eV) of its `structures`, ends included.

    `distances` (angstrom) are of the adatom along the path. `fmax` (eV/angstrom) is the largest
    force across it after so many iterations, `steps`. The lateral `length` of the hop in angstrom;
    the number of equivalent `minima` that far away.
    """

    energies: list[Energy]
    distances: list[Length]
    structures: list[Structure]
    fmax: Force
    steps: Count
    length: PositiveLength
    minima: Annotated[int, Field(ge=1, le=100)]


class BareSlabValues(RelaxedValues):
    """A slab relaxed again without its adatom, from `start`.

    `same_as` names the task whose numbers these are, where it began (nearly) at the same place.
    """

    start: Structure
    same_as: NotRequired[Name]


class DensityValues(Effort):
    """A density difference: its `integral` over the cell, in electrons, which must vanish.

    `charge_moved` (electrons) went from the adatom across the plane at height `boundary`
    (angstrom); `bader_charge` is that of the adatom in electrons, positive if it has lost some.
    `plane_average` (electrons/angstrom) is the difference integrated over the plane at each height
    `z` (angstrom): lists of equal length.
    """

    integral: Electrons
    charge_moved: Electrons
    boundary: Length
    bader_charge: Electrons
    z: list[Length]
    plane_average: list[Electrons]
    structure: Structure


class SinglePointValues(Effort):
    """The energy (eV) of a structure that is not relaxed here.

    `same_as` names the task whose energy this is, where both have the same structure.
    `functionals` has the energy (eV) without dispersion by functional, the task's own among them;
    `ensemble` the 32 energies (eV) that the random coefficients of BEEF-vdW multiply. Of a system
    with spin, moments are as of a probe.
    """

    energy: Energy
    same_as: NotRequired[Name]
    functionals: NotRequired[dict[str, Energy]]
    ensemble: NotRequired[Annotated[list[Energy], Field(min_length=32, max_length=32)]]
    magnetic_moment: NotRequired[Electrons]
    magnetic_moments: NotRequired[list[Electrons]]


class ElectronsValues(Effort):
    """Densities of states (states/eV) and a cut through the electron localisation function.

    `energies` (eV) are from the Fermi level; `total` is of the cell; `projected` has for
    "adatom" and each element of the top layer, by orbital ("V d"), the mean of its atoms inside
    spheres of `radii` (angstrom, by element). The cut is vertical, through `origin` (x and y,
    angstrom) along `direction` (of length 1): `localisation` at each height `z` and distance
    `along` (angstrom).
    """

    energies: list[Energy]
    total: list[Number]
    projected: dict[Printable, list[Number]]
    radii: dict[Symbol, PositiveLength]
    origin: list[Length]
    direction: list[Length]
    along: list[Length]
    z: list[Length]
    localisation: list[list[Number]]


def _rectangular(data: Mapping[str, Any]) -> Mapping[str, Any]:
    curves = {len(data[key]) for key in ("energies", "total")} | set(
        map(len, data["projected"].values())
    )
    rows = {len(row) for row in data["localisation"]}
    if len(curves) > 1 or rows != {len(data["along"])} or len(data["origin"]) != 2:
        raise ValueError("found lists of different lengths")
    if len(data["localisation"]) != len(data["z"]) or len(data["direction"]) != 2:
        raise ValueError("found lists of different lengths")
    return data


Values = (
    ProbeValues
    | LatticeValues
    | AtomValues
    | SlabValues
    | AdatomValues
    | BareSlabValues
    | DensityValues
    | SinglePointValues
    | ElectronsValues
    | CoverageValues
    | HopValues
)


ValuesT_co = TypeVar("ValuesT_co", bound=Values, default=Values, covariant=True)


VALUES: dict[Kind, Any] = {
    "probe": ProbeValues,
    "lattice": Annotated[LatticeValues, AfterValidator(_whole_lattice)],
    "atom": AtomValues,
    "slab": SlabValues,
    "held": AdatomValues,
    "free": Annotated[AdatomValues, AfterValidator(_all_of("site_curvature", "saddle", "pushed"))],
    "basin": BareSlabValues,
    "density": Annotated[DensityValues, AfterValidator(_same_lengths("z", "plane_average"))],
    "refined": SinglePointValues,
    "functionals": SinglePointValues,
    "uncorrected": SinglePointValues,
    "coverage": CoverageValues,
    "hop": Annotated[
        HopValues,
        AfterValidator(_same_lengths("energies", "distances")),
        AfterValidator(_same_lengths("energies", "structures")),
    ],
    "electrons": Annotated[ElectronsValues, AfterValidator(_rectangular)],
}


EFFORT = frozenset(Effort.__annotations__)


# ---- the other records in a task's folder -------------------------------------------------------


# A name in the task's own folder: no path, and nothing hidden
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class ResultRecord(TypedDict):
    """A finished task: its values, the SHA-256 of each of its files, and what it was made with."""

    schema: Literal["sodiophile-task/1"]
    fingerprint: str
    values: dict[str, Any]  # checked by the type of the task's kind
    files: dict[FileName, str]
    seconds: Seconds
    made_with: dict[Printable, Printable]


class FailureRecord(TypedDict):
    """Why a task has no number to give: a short name for the reason, and a line for people."""

    fingerprint: str
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,39}$")]
    message: Printable
    seconds: Seconds


class Progress(TypedDict, total=False):
    """How far a running task is.

    `step` of `steps` of its `part`; in a relaxation `fmax` (eV/angstrom) and `trend`, the fmax of
    each step so far; `scf` counts the SCF iterations for the present structure. `started` and
    `updated` are seconds since 1970.
    """

    started: Seconds
    updated: Seconds
    step: Count
    steps: Count
    part: Printable
    fmax: Force
    trend: list[Force]
    scf: Count
