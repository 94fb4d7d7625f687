"""The case file: everything that changes a number, and nothing else.

A case is a TOML file. It is read by a TOML parser and checked field by field; nothing in it is ever
executed. Presets (`smoke`, `laptop`, `production`) are such files, in `workflows/case/presets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from structures.defects import VACANCY, vacancy
from structures.supercell import image_distance, supercell_name, surface_cell
from workflows.case.fields import Element, Lattice, Section, matching
from workflows.case.hosts import (
    CRYSTAL,
    ROCKSALT,
    CrystalHost,
    host_kind,
    ideal_slab,
    layers_of,
    sites_of,
)
from workflows.case.shorthand import GRID, written_out
from workflows.system.messages import brief, nearest

Name = Annotated[
    str,
    matching(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "up to 64 letters, digits, '.', '_' and '-', no space"
    ),
]


SetupName = Annotated[
    str, matching("[0-9A-Za-z]{1,12}", "the name of a PAW data set, such as '5' for V")
]


Layers = Annotated[int, Field(ge=1, le=40)]


def _supercell(name: str) -> str:
    if not re.fullmatch("[1-9]x[1-9]", name):
        try:
            return supercell_name(surface_cell(name if "x" not in name else ""))
        except ValueError:
            raise ValueError(f"allowed: {CELLS}") from None
    return name


CELLS = "'1x1', '2x2', ... '9x9', 'sqrt2', or whole numbers such as [[2, 1], [-1, 2]]"


Cell = Annotated[str, AfterValidator(_supercell)]


Vacuum = Annotated[float, Field(ge=5.0, le=50.0)]


Held = Annotated[int, Field(ge=0, le=39)]


Grid = Annotated[tuple[int, int, int], Field(strict=False)]


Tolerance = Annotated[float, Field(gt=0.0, le=0.1)]


Cutoff = Annotated[float, Field(ge=150.0, le=2000.0)]


Functional = Literal["PBE", "RPBE", "revPBE", "LDA"]


Dispersion = Literal["none", "d3bj", "d3zero", "d4"]


OtherFunctional = Literal["PBE", "RPBE", "PBEsol", "BEEF-vdW", "r2SCAN"]


class Crystal(Section):
    """Where a lattice constant comes from: given, or computed around a guess."""

    lattice_guess: Lattice
    """Where the equation of state starts, Å; its minimum is found even if this is not close."""
    lattice_constant: Lattice | None = None
    """A lattice constant to use, Å; then none is computed."""


class Host(Crystal):
    """The compound whose (001) surface is asked about."""

    cation: Element
    """Metal atom of the compound."""
    anion: Element
    """Non-metal atom of the compound."""
    structure: Literal["rocksalt"] = "rocksalt"
    """Crystal structure."""

    @property
    def formula(self) -> str:
        """Return the formula, such as VN."""
        return self.cation + self.anion

    @property
    def elements(self) -> tuple[str, ...]:
        """Return the elements, the cation first."""
        return self.cation, self.anion

    @property
    def face(self) -> str:
        """Return the Miller indices of the surface."""
        return "001"


AnyHost = Annotated[
    Annotated[Host, Tag(ROCKSALT)] | Annotated[CrystalHost, Tag(CRYSTAL)], Discriminator(host_kind)
]


class Metal(Crystal):
    """The adatom's own metal, for the comparison 'Na on Na'."""

    structure: Literal["bcc", "fcc"] = "bcc"
    """Crystal structure."""


class Slab(Section):
    """A slab, and the sites on it."""

    layers: Layers
    """Number of atomic layers."""
    cell: Cell
    """In units of the surface's own: a name or two rows; or least distance between adatoms, Å."""
    vacuum: Vacuum
    """Empty space on each side of the slab, Å."""
    held_layers: Held
    """Number of layers, from the bottom, that stay at their bulk positions."""
    sites: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    """Where an adatom is placed: `["top-V"]` or `"all"`; an unknown site is refused with a list."""

    @model_validator(mode="after")
    def _no_more_held_than_there_are(self) -> Slab:
        if self.held_layers > self.layers:
            raise ValueError(
                f"held_layers: found {self.held_layers} with layers = {self.layers}; "
                f"allowed: 0 to {self.layers}, where all of them make a rigid slab"
            )
        return self


class Defect(Section):
    """A point defect of the host's top layer, one in each cell; the slabs of all sites have it.

    The atom nearest to the centre of the cell is taken: all of its element in that layer are
    equivalent. Of each name the site nearest to the defect is taken.
    """

    element: Element
    """The atom that is missing, or replaced: the host's cation or its anion."""
    substitute: Element | None = None
    """Element that takes its place, such as `"O"`; a vacancy if left out."""

    @property
    def label(self) -> str:
        """Return the defect in words: 'N vacancy' or 'O for N'."""
        return f"{self.substitute} for {self.element}" if self.substitute else vacancy(self.element)


class HostSlab(Slab):
    """The slab of the host, and the sites on it."""

    defect: Defect | None = Field(None, exclude_if=lambda defect: defect is None)
    """Table `[slab.defect]`: a vacancy or a foreign atom in the top layer."""

    @property
    def equivalent_atoms(self) -> int:
        """Return how many atoms of an element a layer of the perfect slab has."""
        return round(abs(float(np.linalg.det(surface_cell(self.cell)))))


class Grids(Section):
    """Gamma-centred k-point grids; the third number of a slab is 1."""

    @field_validator("*")
    @classmethod
    def _sensible(
        cls, grid: tuple[int, int, int] | None, info: ValidationInfo
    ) -> tuple[int, int, int] | None:
        if grid is None:
            return grid
        return _slab_grid(grid) if "slab" in str(info.field_name) else _grid(grid)


def _grid(grid: tuple[int, int, int]) -> tuple[int, int, int]:
    if not all(1 <= n <= 50 for n in grid):
        raise ValueError(f"allowed: {GRID}")
    return grid


def _slab_grid(grid: tuple[int, int, int]) -> tuple[int, int, int]:
    if _grid(grid)[2] != 1:
        raise ValueError("allowed: 1 as the third number, because a slab does not repeat along z")
    return grid


class KPoints(Grids):
    """Gamma-centred k-point grids; the third number of a slab is 1.

    A number instead of a grid is the largest spacing of k-points, 1/Å, 2π included.
    """

    host_bulk: Grid | None = None
    """For the lattice of the host; needed where that is computed."""
    host_slab: Grid
    """For slabs of the host."""
    metal_bulk: Grid
    """For the lattice constant of the metal."""
    metal_slab: Grid | None = None
    """For (001) slabs of the metal; needed with `[metal_slab]`."""
    metal_slab_110: Grid | None = None
    """For (110) slabs of the metal; needed with `[metal_slab_110]`."""


class SCF(Section):
    """When a calculation counts as self-consistent, in GPAW's own measures."""

    energy: Tolerance = 0.0005
    """Largest change of the energy, eV per valence electron."""
    density: Tolerance = 1e-4
    """Largest change of the density, electrons per valence electron."""
    eigenstates: Tolerance = 1e-6  # docs/measurements.md has its error
    """Largest residual of the wavefunctions, eV² per valence electron."""
    max_iterations: Annotated[int, Field(ge=1, le=2000)] = 120
    """Iterations before the calculation is retried with other settings; changes no number."""


class HubbardU(Section):
    """A Hubbard U on an element, as `[dft.hubbard.V]`; the form of Dudarev, PRB 57, 1505 (1998)."""

    orbital: Literal["s", "p", "d", "f"]
    """Valence orbital that it acts on."""
    U: Annotated[float, Field(gt=0.0, le=20.0)]
    """Effective U, eV."""


def _polarised(value: object) -> object:
    if not (isinstance(value, bool) or value == "auto"):
        raise ValueError('allowed: true, false or "auto"')
    return value


Start = Literal["ferromagnetic", "alternating"]  # up and down from layer to layer


class Spin(Section):
    """Collinear spin of crystals and slabs; the isolated atom always has it, by Hund's rule.

    An element with an open d or f shell starts with the moment of its free atom, and so does the
    adatom; all others start without one. [Magnetism](results.md#magnetism) has the details.
    """

    polarised: Annotated[Literal["auto"] | bool, BeforeValidator(_polarised)] = "auto"
    """Whether there is any; `"auto"`: where a quick test of the clean 1x1 slab finds a moment."""
    moments: dict[Element, Annotated[float, Field(ge=-20.0, le=20.0)]] = Field(default={})
    """Starting moments by element, Bohr magnetons, in the place of the rule's."""
    starts: Annotated[tuple[Start, ...], Field(min_length=1, strict=False)] = ("ferromagnetic",)
    """Starts to try, of which the lowest is kept: all moments up, or up and down by layer."""
    non_magnetic: bool = True
    """Whether clean slabs and held adatoms get the energy of the non-magnetic solution, too."""

    @field_validator("starts")
    @classmethod
    def _each_once(cls, starts: tuple[Start, ...]) -> tuple[Start, ...]:
        if len(set(starts)) < len(starts):
            raise ValueError("allowed: each start once")
        return starts

    @model_validator(mode="after")
    def _no_moments_without_spin(self) -> Spin:
        if self.moments and self.polarised is False:
            raise ValueError("moments: found with polarised = false; allowed: with true or 'auto'")
        return self


class DFT(Section):
    """Settings of the density-functional theory."""

    mode: Literal["pw"] = "pw"
    """Basis: plane waves."""
    cutoff: Cutoff
    """Kinetic-energy cutoff of the plane waves, eV."""
    xc: Functional = "PBE"
    """Exchange-correlation functional."""
    setups: dict[Element, SetupName] = Field(default={})
    """PAW data sets other than the default, by element: `{ V = "5" }` has 5 valence electrons."""
    hubbard: dict[Element, HubbardU] = Field(default={})
    """Hubbard U by element: tables such as `[dft.hubbard.V]`."""
    smearing: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1
    """Width of the Fermi-Dirac distribution, eV; energies are extrapolated to zero."""
    dipole_correction: bool = True
    """Whether slabs have a dipole correction along z."""
    dispersion: Dispersion = "none"
    """London dispersion in all energies and forces but the atom's: D3(BJ), D3(0) or D4."""
    spin: Spin = Spin()
    """Table `[dft.spin]`."""
    kpoints: KPoints
    """Table `[dft.kpoints]`."""
    scf: SCF = SCF()
    """Table `[dft.scf]`."""


class RefinedKPoints(Grids):
    """Grids of the single points, none coarser than that of the relaxation."""

    host_slab: Grid | None = None
    """For slabs of the host."""
    metal_bulk: Grid | None = None
    """For the bulk metal, at the lattice constant of the relaxation."""
    metal_slab: Grid | None = None
    """For (001) slabs of the metal."""
    metal_slab_110: Grid | None = None
    """For (110) slabs of the metal."""


# What another value of needs another relaxation
OF_THE_SLAB = ("layers", "cell", "vacuum", "held_layers", "sites")


class Refine(Section):
    """Single points at the relaxed structures; what is not given is as in `[dft]`.

    All adsorption energies are then those of the single points, and those with the relaxation's
    own settings stand beside them.
    """

    cutoff: Cutoff | None = None
    """Kinetic-energy cutoff of the plane waves, eV; not below that of `[dft]`."""
    xc: Functional | None = None
    """Exchange-correlation functional."""
    setups: dict[Element, SetupName] | None = None
    """PAW data sets in the place of those of `[dft]`; `{}` for the default ones."""
    hubbard: dict[Element, HubbardU] | None = None
    """Hubbard U in the place of those of `[dft]`: tables such as `[refine.hubbard.V]`."""
    dispersion: Dispersion | None = None
    """London dispersion."""
    spin: Spin | None = None
    """Table `[refine.spin]`."""
    kpoints: RefinedKPoints = RefinedKPoints()
    """Table `[refine.kpoints]`."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_of_the_slab(cls, data: object) -> object:
        found = [name for name in OF_THE_SLAB if isinstance(data, dict) and name in data]
        if found:
            raise ValueError(
                "\n".join(
                    f"{name}: found with single points; allowed: in the table of the slab, "
                    f"because another value of {name} needs another relaxation"
                    for name in found
                )
            )
        return data

    def over(self, dft: DFT) -> DFT:
        """Return DFT settings with those given here in the place of their own."""
        given = {name: value for name, value in self if name != "kpoints" and value is not None}
        grids = {name: grid for name, grid in self.kpoints if grid is not None}
        return dft.model_copy(update=given | {"kpoints": dft.kpoints.model_copy(update=grids)})

    def coarser(self, dft: DFT) -> Iterator[str]:
        """Yield a line for each setting that is coarser than that of the relaxation."""
        if self.cutoff is not None and self.cutoff < dft.cutoff:
            yield f"cutoff: found {self.cutoff:g}; allowed: {dft.cutoff:g} (dft.cutoff) or more"
        if self.spin is not None and dft.spin.polarised is True and self.spin.polarised is not True:
            found = "false" if self.spin.polarised is False else '"auto"'
            yield f"spin.polarised: found {found}; allowed: true, as in [dft.spin]"
        for name, grid in self.kpoints:
            relaxed = getattr(dft.kpoints, name)
            if grid is None or relaxed is None:
                continue
            if any(n < least for n, least in zip(grid, relaxed, strict=True)):
                yield (
                    f"kpoints.{name}: found {list(grid)}; allowed: {list(relaxed)} "
                    f"(dft.kpoints.{name}) or more of each"
                )


class Relax(Section):
    """When a relaxation is done, and when it is given up."""

    fmax: Annotated[float, Field(ge=0.001, le=1.0)]
    """Largest force that is left on an atom that is free to move, eV/Å."""
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Ionic steps before the relaxation counts as failed; changes no number."""


class Atom(Section):
    """The isolated adatom, in a cubic box without periodic images."""

    box: Annotated[float, Field(ge=6.0, le=40.0)]
    """Edge of the box, Å."""


class Checks(Section):
    """Additional calculations that show how far an adsorption energy can be trusted."""

    same_basin: bool = True
    """Whether the bare slab is relaxed again from where the adatom left it."""
    without_dipole: bool = True
    """Whether energies without the dipole correction are computed, too."""
    functionals: Annotated[
        tuple[OtherFunctional, ...], Field(strict=False, exclude_if=lambda names: not names)
    ] = ()
    """Functionals with which energies are computed, too, on the density of the case's own."""

    @field_validator("functionals")
    @classmethod
    def _each_once(cls, names: tuple[OtherFunctional, ...]) -> tuple[OtherFunctional, ...]:
        if len(set(names)) < len(names):
            raise ValueError("allowed: each functional once")
        return names


class Electrons(Section):
    """Electronic structure of the host's clean slab and of the adatom held at each of its sites."""

    kpoints: Grid | None = None
    """Γ-centred grid for these calculations, denser for smooth curves; `host_slab`'s if none."""
    width: Annotated[float, Field(ge=0.01, le=2.0)] = 0.2
    """Width w of the Gaussians exp(−(E/w)²) that each state is drawn with, eV."""
    lowest: Annotated[float, Field(ge=-60.0, lt=0.0)] = -8.0
    """Lowest energy of the densities of states, eV from the Fermi level."""
    highest: Annotated[float, Field(gt=0.0, le=10.0)] = 2.0
    """Highest energy, eV from the Fermi level."""

    @field_validator("kpoints")
    @classmethod
    def _of_a_slab(cls, grid: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        return grid if grid is None else _slab_grid(grid)


Sites = Annotated[tuple[str, ...], Field(strict=False)]


CoveredSurface = Literal["host", "metal", "metal_110"]

# Its table in the case, and the side of its smallest square
COVERED: dict[CoveredSurface, tuple[str, str]] = {
    "host": ("slab", "_host_side"),
    "metal": ("metal_slab", "_metal_side"),
    "metal_110": ("metal_slab_110", "_metal_side"),
}


class OnSurfaces(Section):
    """A table that names sites by surface."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not any(getattr(self, surface) for surface in COVERED):
            raise ValueError(
                "host: found no sites, nor in metal and metal_110; allowed: sites of one surface "
                "at least"
            )
        return self


class Coverage(OnSurfaces):
    """More and more adatoms on the surfaces, and clusters against separate adatoms."""

    host: Sites = ()
    """Sites of the host that fill up, such as those where a free adatom stays."""
    metal: Sites = ()
    """Sites of the metal's (001) surface that fill up; with `[metal_slab]`."""
    metal_110: Sites = ()
    """Sites of the metal's (110) surface that fill up; with `[metal_slab_110]`."""
    adatoms: Annotated[int, Field(ge=1, le=16)] = 4
    """Largest number of adatoms in the cell; one more than there are sites lies upon them."""
    placements: Annotated[int, Field(ge=1, le=50)] = 5
    """Number of symmetry-distinct placements of so many adatoms that are computed at most."""
    clusters: Annotated[int, Field(ge=1, le=4)] = 1
    """Number of atoms of the largest cluster, such as 4; 1 for none. They need a wide cell."""


SiteName = Annotated[str, matching("[A-Za-z0-9-]{1,40}", "the name of a site, such as 'top-V'")]


class Hop(OnSurfaces):
    """The barrier between neighbouring minima of the adatom, by a nudged elastic band."""

    host: SiteName | None = None
    """Site of the host, one of its `sites`, whose free adatom is at the minimum."""
    metal: SiteName | None = None
    """The same for the metal's (001) surface; with `[metal_slab]`."""
    metal_110: SiteName | None = None
    """The same for the metal's (110) surface; with `[metal_slab_110]`."""
    images: Annotated[int, Field(ge=1, le=15)] = 5
    """Number of structures between the two minima; an odd one puts one in the middle."""
    shell: Annotated[int, Field(ge=1, le=4)] = 1
    """Where the hop leads: 1 to the nearest equivalent minimum, 2 to the next nearest, ..."""
    prefactor: Annotated[float, Field(ge=0.01, le=100.0)] = 1.0
    """Attempts to hop to each neighbour, 10¹² per second; an assumption."""
    temperature: Annotated[float, Field(ge=10.0, le=2000.0)] = 300.0
    """Temperature of the hop rate, K."""


class Case(Section):
    """Everything that a run computes, and with which settings."""

    name: Name
    """Name of the case; a directory holds one case of a name."""
    quality: Literal["smoke", "laptop", "production"]
    """A label that goes with every number; results of smoke settings are marked not physical."""
    description: Annotated[str, StringConstraints(max_length=500)] = ""
    """A line for readers."""
    host: AnyHost
    """Table `[host]`: a rock salt, or any face of a crystal."""
    adatom: Element
    """The element that is adsorbed."""
    metal: Metal
    """Table `[metal]`."""
    slab: HostSlab
    """Table `[slab]`: the surface of the host."""
    metal_slab: Slab | None = None
    """Table `[metal_slab]`: the (001) surface of the metal, for comparison."""
    metal_slab_110: Slab | None = None
    """Table `[metal_slab_110]`: the close-packed face of a bcc metal, for comparison."""
    atom: Atom
    """Table `[atom]`."""
    dft: DFT
    """Table `[dft]`."""
    relax: Relax
    """Table `[relax]`."""
    refine: Refine | None = Field(None, exclude_if=lambda refine: refine is None)
    """Table `[refine]`."""
    checks: Checks = Checks()
    """Table `[checks]`."""
    coverage: Coverage | None = Field(None, exclude_if=lambda coverage: coverage is None)
    """Table `[coverage]`: more adatoms, and clusters, are computed, too."""
    hop: Hop | None = Field(None, exclude_if=lambda hop: hop is None)
    """Table `[hop]`: barriers between neighbouring minima are computed, too."""
    electrons: Electrons | None = Field(None, exclude_if=lambda electrons: electrons is None)
    """Table `[electrons]`: densities of states and electron localisation are computed, too."""

    @property
    def physical(self) -> bool:
        """Tell whether the numbers mean anything; smoke settings only show that the chain works."""
        return self.quality != "smoke"

    @property
    def refined(self) -> Case:
        """Return the case with the settings of its single points as those of all of it."""
        if self.refine is None:
            return self
        return self.model_copy(update={"dft": self.refine.over(self.dft), "refine": None})

    @property
    def elements(self) -> list[str]:
        """Return the chemical elements of host and adatom, and of a foreign atom in the slab."""
        defect = self.slab.defect
        foreign = {defect.substitute} if defect and defect.substitute else set()
        return sorted({*self.host.elements, self.adatom, *foreign})

    @property
    def host_sites(self) -> tuple[str, ...]:
        """Return the sites that the host's surface has, with its defect."""
        if isinstance(self.host, CrystalHost):
            return sites_of(self.host, self.slab.layers, self.slab.cell)
        tops = [self.host.cation, self.host.anion]
        defect = self.slab.defect
        if defect is not None and self.slab.equivalent_atoms == 1 and defect.element in tops:
            tops.remove(defect.element)
        if defect is not None and defect.substitute and defect.substitute not in tops:
            tops.append(defect.substitute)
        vacant = [VACANCY] if defect is not None and not defect.substitute else []
        return ("bridge", "hollow", *(f"top-{symbol}" for symbol in tops), *vacant)

    @property
    def metal_sites(self) -> tuple[str, ...]:
        """Return the sites that the metal's (001) surface has."""
        return ("bridge", "hollow", f"top-{self.adatom}")

    @property
    def metal_110_sites(self) -> tuple[str, ...]:
        """Return the sites that the (110) surface of a bcc metal has."""
        return ("hollow", "long-bridge", "short-bridge", f"top-{self.adatom}")

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, data: object) -> object:
        return written_out(data)

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        if problems := list(self._contradictions()):
            raise ValueError("\n".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        """Yield a line for each pair of settings that do not go together."""
        if isinstance(self.host, CrystalHost):
            yield from self._contradictions_of_crystal(self.host)
        else:
            yield from self._contradictions_of_rocksalt(self.host)
        if self.metal_slab is not None:
            yield from _wrong_sites("metal_slab.sites", self.metal_slab.sites, self.metal_sites)
        yield from _wrong_elements("dft", self.dft, self.elements)
        yield from _wrong_moments("dft.spin", self.dft.spin, self.elements)
        if isinstance(self.host, Host):
            yield from _no_room("slab.cell", self.slab.cell, _side(self.host), self.adatom)
        if self.metal_slab is not None:
            yield from _too_thin("metal_slab.layers", self.metal_slab)
            cell = self.metal_slab.cell
            yield from _no_room("metal_slab.cell", cell, self._metal_side, self.adatom)
        for table in ("metal_slab", "metal_slab_110"):
            grid = getattr(self.dft.kpoints, table)
            if getattr(self, table) is None and grid is not None:
                yield f"dft.kpoints.{table}: found a grid; allowed: with [{table}]"
            elif getattr(self, table) is not None and grid is None:
                yield f"dft.kpoints.{table}: missing; allowed with [{table}]: {GRID}"
        yield from self._contradictions_110()
        if self.refine is not None:
            yield from self._contradictions_refined(self.refine)
        if self.hop is not None:
            yield from self._contradictions_of_hop(self.hop)
        if self.coverage is not None:
            yield from self._contradictions_of_coverage(self.coverage)

    def _sites_differ(self, field: str, found: str) -> Iterator[str]:
        """Refuse a host whose sites of one name need not be alike."""
        if isinstance(self.host, CrystalHost):
            yield f"{field}: found {found}; allowed: with a rock salt"
        elif self.slab.defect is not None:
            yield (
                f"{field}: found {found} with [slab.defect]; allowed: with a perfect slab, whose "
                "sites of one name are alike"
            )

    def _contradictions_of_hop(self, hop: Hop) -> Iterator[str]:
        for field, table, slab in (
            ("host", "slab", self.slab),
            ("metal", "metal_slab", self.metal_slab),
            ("metal_110", "metal_slab_110", self.metal_slab_110),
        ):
            site = getattr(hop, field)
            if site is None:
                continue
            if field == "host":
                yield from self._sites_differ("hop.host", brief(site))
            if slab is None:
                yield f"hop.{field}: found {brief(site)}; allowed: with [{table}]"
            elif site not in slab.sites:
                near = nearest(site, slab.sites)
                allowed = ", ".join(slab.sites)
                yield f"hop.{field}: found {brief(site)}{near}; allowed ({table}.sites): {allowed}"

    def _contradictions_of_rocksalt(self, host: Host) -> Iterator[str]:
        yield from _too_thin("slab.layers", self.slab)
        if self.dft.kpoints.host_bulk is None:
            yield "dft.kpoints.host_bulk: missing; this key must be given"
        if host.cation == host.anion:
            yield f"host.anion: found {host.anion!r}, as cation; allowed: two elements"
        else:
            yield from _wrong_defect(host, self.slab.defect)
            yield from _wrong_sites("slab.sites", self.slab.sites, self.host_sites)

    @property
    def _metal_faces(self) -> tuple[str, ...]:
        return ("001", "110") if self.metal_slab_110 else ("001",)

    def _contradictions_of_crystal(self, host: CrystalHost) -> Iterator[str]:
        from structures.sites import nearest_image_distance  # takes scipy, and `status` none

        slab = self.slab
        if host.elements == (self.adatom,) and host.face in self._metal_faces:
            yield (
                f"host: found {self.adatom}({host.face}); allowed: another host or face "
                f"([metal_slab] computes {self.adatom} on this one)"
            )
        if slab.defect is not None:
            yield f"slab.defect: found {slab.defect.label!r}; allowed: with a rock salt"
        if host.has_lattice_task and self.dft.kpoints.host_bulk is None:
            yield "dft.kpoints.host_bulk: missing; this key must be given"
        if host.slab is not None and slab.layers != (there := layers_of(host)):
            yield f"slab.layers: found {slab.layers}; allowed: {there}, which the slab has, or none"
            return
        try:
            built = ideal_slab(host, slab.layers, slab.cell, slab.vacuum, slab.held_layers)
            allowed = self.host_sites
        except ValueError as error:
            yield f"slab.layers: found {slab.layers} with cell = {slab.cell!r}; {error}"
            return
        yield from _wrong_sites("slab.sites", slab.sites, allowed)
        yield from _too_close("slab.cell", slab.cell, nearest_image_distance(built), self.adatom)

    def _contradictions_of_coverage(self, coverage: Coverage) -> Iterator[str]:
        if coverage.host:
            yield from self._sites_differ("coverage.host", ", ".join(coverage.host))
            if isinstance(self.host, CrystalHost):
                return
        yield from _wrong_sites("coverage.host", coverage.host, self.host_sites)
        for field, table, slab, allowed in (
            ("coverage.metal", "metal_slab", self.metal_slab, self.metal_sites),
            ("coverage.metal_110", "metal_slab_110", self.metal_slab_110, self.metal_110_sites),
        ):
            sites: tuple[str, ...] = getattr(coverage, field.partition(".")[2])
            yield from _wrong_sites(field, sites, allowed)
            if sites and slab is None:
                yield f"{field}: found sites; allowed: with [{table}]"
        if coverage.clusters > 1 and not any(map(self.has_room_for_clusters, COVERED)):
            widest = max(self._closest_of(of) for of in COVERED if getattr(coverage, of))
            yield (
                f"coverage.clusters: found {coverage.clusters} with cells up to {widest:.2f} Å "
                "wide, in which a cluster touches its own image; allowed: 1, or a cell at least "
                f"{self._widest_cluster:.1f} Å wide"
            )

    def has_room_for_clusters(self, surface: CoveredSurface) -> bool:
        """Return whether adatoms fill a surface whose cell keeps clusters from their own images."""
        filled = self.coverage is not None and bool(getattr(self.coverage, surface))
        return filled and self._closest_of(surface) >= self._widest_cluster

    @property
    def _widest_cluster(self) -> float:
        """Two bonds, angstrom: the cluster is one wide, and as far from its image."""
        return 4.0 * float(covalent_radii[atomic_numbers[self.adatom]])

    def _closest_of(self, surface: CoveredSurface) -> float:
        """Return the distance of an adatom from its nearest image, angstrom; 0 without a slab."""
        table, side = COVERED[surface]
        slab: Slab | None = getattr(self, table)
        if slab is None:
            return 0.0
        along: float = getattr(self, side)
        across = along * 2**0.5 if surface == "metal_110" else along
        return image_distance(slab.cell, [[along, 0.0], [0.0, across]])

    def _contradictions_110(self) -> Iterator[str]:
        slab = self.metal_slab_110
        if slab is None:
            return
        yield from _too_thin("metal_slab_110.layers", slab)
        if self.metal.structure != "bcc":
            yield (
                f"metal_slab_110: found with metal.structure = {self.metal.structure!r}; "
                "allowed: with 'bcc', whose close-packed face it is"
            )
        if "x" not in slab.cell:
            yield (
                f"metal_slab_110.cell: found {slab.cell!r}; allowed: '1x1', '2x1', ... of the "
                "rectangle a x a√2"
            )
        else:
            yield from _no_room("metal_slab_110.cell", slab.cell, self._metal_side, self.adatom)
        yield from _wrong_sites("metal_slab_110.sites", slab.sites, self.metal_110_sites)

    def _contradictions_refined(self, refine: Refine) -> Iterator[str]:
        yield from _wrong_elements("refine", refine, self.elements)
        for table in ("metal_slab", "metal_slab_110"):
            if getattr(self, table) is None and getattr(refine.kpoints, table) is not None:
                yield f"refine.kpoints.{table}: found a grid; allowed: with [{table}]"
        if refine.spin is not None:
            yield from _wrong_moments("refine.spin", refine.spin, self.elements)
        yield from (f"refine.{line}" for line in refine.coarser(self.dft))
        if self.refined.dft == self.dft:
            yield (
                "refine: found nothing that differs from [dft]; allowed: denser k-points, a higher "
                "cutoff, spin, another functional, data set or U"
            )

    @property
    def _host_side(self) -> float:
        return _side(self.host) if isinstance(self.host, Host) else 0.0  # no coverage on others

    @property
    def _metal_side(self) -> float:
        side = self.metal.lattice_constant or self.metal.lattice_guess
        return side if self.metal.structure == "bcc" else side / 2**0.5


def _side(host: Host) -> float:
    """Return the side of rock salt's 1x1 surface cell, angstrom."""
    return (host.lattice_constant or host.lattice_guess) / 2**0.5


def _too_thin(field: str, slab: Slab) -> Iterator[str]:
    if slab.layers < 2:
        yield f"{field}: found {slab.layers}; allowed: at least 2"


def _wrong_elements(table: str, of: DFT | Refine, elements: list[str]) -> Iterator[str]:
    for name in ("setups", "hubbard"):
        for symbol in getattr(of, name) or ():
            if symbol not in elements:
                yield f"{table}.{name}.{symbol}: unknown key; allowed: {', '.join(elements)}"


def _wrong_moments(table: str, spin: Spin, elements: list[str]) -> Iterator[str]:
    for symbol in spin.moments:
        if symbol not in elements:
            yield f"{table}.moments.{symbol}: unknown key; allowed: {', '.join(elements)}"


def _wrong_defect(host: Host, defect: Defect | None) -> Iterator[str]:
    if defect is None:
        return
    allowed = (host.cation, host.anion)
    if defect.element not in allowed:
        near = nearest(defect.element, allowed)
        yield f"slab.defect.element: found {defect.element!r}{near}; allowed: {', '.join(allowed)}"
    if defect.substitute == defect.element:
        yield (
            f"slab.defect.substitute: found {defect.substitute!r}, the element that it replaces; "
            "allowed: another element, or none for a vacancy"
        )


def _wrong_sites(field: str, sites: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[str]:
    for site in dict.fromkeys(sites):
        if site not in allowed:
            near = nearest(site, allowed)
            yield f"{field}: found {brief(site)}{near}; allowed: {', '.join(allowed)}"
        elif sites.count(site) > 1:
            yield f"{field}: found {site!r} {sites.count(site)} times; allowed: each site once"


def _closest(cell: str, side: float) -> float:
    """Return the distance of an adatom from its nearest image, Å; the 1x1 cell is a square."""
    return image_distance(cell, [[side, 0.0], [0.0, side]])


def _no_room(field: str, cell: str, side: float, adatom: str) -> Iterator[str]:
    """Refuse a cell in which the adatom all but touches its own periodic image."""
    yield from _too_close(field, cell, _closest(cell, side), adatom)


def _too_close(field: str, cell: str, closest: float, adatom: str) -> Iterator[str]:
    """Refuse a distance between an adatom and its image, angstrom."""
    if closest < 2.5:
        yield (
            f"{field}: found {cell!r}, in which {adatom} is {closest:.2f} Å from its own image; "
            "allowed: cells with at least 2.5 Å"
        )
