"""Adsorption energies, and the conclusions from them: beside the paper and the adatom's metal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Final, Literal, NamedTuple

import numpy as np

from analysis.functionals import BEEF, ensemble

Relaxation = Literal["free", "held"]
RELAXATIONS: Final[tuple[Relaxation, ...]] = ("free", "held")

Reference = Literal["same basin", "clean slab"]


def adsorption_energy(with_adatom: float, slab: float, adatom: float) -> float:
    """Compute the energy gained when one isolated atom settles on a clean slab.

    Parameters
    ----------
    with_adatom
        Total energy of the slab with its adatom in eV.
    slab
        Total energy of the clean slab in the same cell in eV.
    adatom
        Total energy of the isolated atom in eV.

    Returns
    -------
    float
        Adsorption energy in eV; negative binds.

    Raises
    ------
    ValueError
        If an energy is not finite.
    """
    _require_finite({"slab with adatom": with_adatom, "slab": slab, "adatom": adatom})
    # E_ads = E(slab + adatom) - E(slab) - E(adatom)
    return with_adatom - slab - adatom


def cohesive_energy(bulk_per_atom: float, atom: float) -> float:
    """Compute the energy gained per atom when isolated atoms form the bulk metal.

    Subtracted from an adsorption energy it refers that energy to the metal instead of the atom.

    Parameters
    ----------
    bulk_per_atom
        Total energy of the bulk metal in eV per atom.
    atom
        Total energy of the isolated atom in eV.

    Returns
    -------
    float
        Cohesive energy in eV per atom; negative binds.

    Raises
    ------
    ValueError
        If an energy is not finite.
    """
    _require_finite({"bulk": bulk_per_atom, "atom": atom})
    # E_coh = E(bulk) / N - E(atom)
    return bulk_per_atom - atom


def require_same_settings(settings: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse to go on unless all systems were computed with the same settings.

    Parameters
    ----------
    settings
        For each system, such as ``'slab'``, its settings by name.

    Raises
    ------
    ValueError
        If a setting differs between systems or is missing in some; all such settings are named.
    """
    differing = []
    for name in sorted({name for chosen in settings.values() for name in chosen}):
        values = {system: chosen.get(name, "not set") for system, chosen in settings.items()}
        first = next(iter(values.values()))
        if any(value != first for value in values.values()):
            shown = ", ".join(f"{system}: {value}" for system, value in values.items())
            differing.append(f"{name} ({shown})")
    if differing:
        msg = f"only energies of equal settings may be subtracted, found {'; '.join(differing)}"
        raise ValueError(msg)


@dataclass(frozen=True)
class Problem:
    """Why a site has no adsorption energy, or none that is reliable.

    Attributes
    ----------
    kind
        ``'failed'``: a task gave up; ``'unfinished'``: a task has no result yet; ``'refused'``:
        the energies are of different settings and must not be subtracted.
    text
        What happened, in one line.
    """

    kind: Literal["failed", "unfinished", "refused"]
    text: str


@dataclass(frozen=True)
class Site:
    """One adatom on one site of one surface, and what became of it.

    Attributes
    ----------
    surface
        Name of the surface, such as ``'VN(001)'``.
    site
        Name of the site where the adatom was placed.
    relaxation
        ``'held'`` above its site or ``'free'`` to leave it.
    energy
        Total energy of the slab with its adatom in eV; None if there is none.
    adsorption_energy
        Energy against the bare slab named by `reference` and the isolated atom in eV, negative
        binds; None if not known.
    reference
        The bare slab of `adsorption_energy`. ``'same basin'``: the slab relaxed again from where
        the adatom left it, so that a reconstruction is not counted as binding; ``'clean slab'``:
        the slab relaxed by itself.
    against_clean, against_lowest
        The same against the slab relaxed by itself, and against the lowest bare slab found, eV;
        None if not known.
    reconstruction_energy
        Energy of the slab of the same basin less that of the clean slab in eV; None if not known.
    reconstruction_displacement
        Largest distance in angstrom between an atom's places in these two; None if not known.
    without_dipole
        `against_clean` without the dipole correction, at the same structures, eV; None if not
        known.
    against_metal
        Energy against the bare slab and the adatom's bulk metal in eV (adsorption energy less
        cohesive energy), negative wets the surface before metal grows; None if not known.
    height
        Height of the adatom above the top layer in angstrom; None if not known.
    nearest
        Distance to the nearest atom of each element in angstrom.
    ended_at
        Name of the site where the adatom ended; None if not known.
    site_offset
        Lateral distance from that site in angstrom; None if not known.
    defect_distance
        Distance from the adatom to the slab's defect in angstrom; None without a defect.
    saddle
        Whether a free adatom rests on a saddle: pushed off its site it is pushed further, but by
        less than fmax.
    by_dispersion
        Adsorption energy in eV at these fixed structures by model of dispersion, ``'none'`` among
        them; empty if not known.
    against_metal_by_dispersion
        `against_metal` likewise.
    magnetic_moment
        Total magnetic moment of the slab with its adatom in Bohr magnetons; None without spin.
    against_non_magnetic
        Its total energy less that of the non-magnetic solution of the same structure in eV; None
        if not known.
    by_functional, against_metal_by_functional
        `adsorption_energy` and `against_metal` with other functionals at the same structures, by
        name, without added dispersion, eV; empty if not known.
    deviation, against_metal_deviation
        Standard deviation of the two in the ensemble of BEEF-vdW, eV; None if not known.
    ensemble
        What the ensemble's coefficients multiply (`analysis.functionals.ensemble`), eV.
    as_relaxed
        The same row with the energies of the relaxation's own settings, where those here are of
        single points with better ones; None where there are no single points.
    published
        Published adsorption energy in eV; None if there is none.
    problem
        What went wrong; None if nothing did. Conclusions leave such a site out.

    Raises
    ------
    ValueError
        If the relaxation is neither ``'held'`` nor ``'free'``.
    """

    surface: str
    site: str
    relaxation: Relaxation
    energy: float | None = None
    adsorption_energy: float | None = None
    against_metal: float | None = None
    reference: Reference = "clean slab"
    against_clean: float | None = None
    against_lowest: float | None = None
    reconstruction_energy: float | None = None
    reconstruction_displacement: float | None = None
    without_dipole: float | None = None
    by_dispersion: Mapping[str, float] = field(default_factory=dict, hash=False)
    against_metal_by_dispersion: Mapping[str, float] = field(default_factory=dict, hash=False)
    height: float | None = None
    nearest: Mapping[str, float] = field(default_factory=dict, hash=False)
    ended_at: str | None = None
    site_offset: float | None = None
    defect_distance: float | None = None
    saddle: bool = False
    magnetic_moment: float | None = None
    against_non_magnetic: float | None = None
    by_functional: Mapping[str, float] = field(default_factory=dict, hash=False)
    against_metal_by_functional: Mapping[str, float] = field(default_factory=dict, hash=False)
    deviation: float | None = None
    against_metal_deviation: float | None = None
    ensemble: tuple[float, ...] = field(default=(), repr=False)
    as_relaxed: "Site | None" = None
    published: float | None = None
    problem: Problem | None = None

    def __post_init__(self) -> None:
        _require_relaxation(self.relaxation)

    @property
    def difference(self) -> float | None:
        """Our adsorption energy less the published one in eV; None if either is missing."""
        if self.adsorption_energy is None or self.published is None:
            return None
        return self.adsorption_energy - self.published

    @property
    def binding(self) -> float | None:
        """Adsorption energy in eV where it is reliable; None if missing or with a problem."""
        return self.adsorption_energy if self.problem is None else None

    @property
    def moved(self) -> bool:
        """Whether the adatom is known to have ended at another site than it began."""
        return self.ended_at is not None and self.ended_at != self.site


class Pair(NamedTuple):
    """A held site and its free twin, if that was asked for."""

    held: Site
    free: Site | None


@dataclass(frozen=True)
class Answer:
    """A question about the host, its answer (None: not known), and a sentence with the energies."""

    question: str
    yes: bool | None
    sentence: str


@dataclass(frozen=True)
class Table:
    """All sites of one adatom on its host and on its own metal, with the conclusions.

    Free energies are compared with free ones and held with held, never one with the other.

    Attributes
    ----------
    host
        Formula of the host, such as ``'VN'``.
    adatom
        Symbol of the adatom, such as ``'Na'``.
    sites
        Sites on the host; any number.
    metal_sites
        Sites on the adatom's own metal; any number, on one face or several.
    quality
        Name of the settings: smoke, laptop or production.
    physical
        Whether these settings allow physical conclusions.
    """

    host: str
    adatom: str
    sites: tuple[Site, ...]
    metal_sites: tuple[Site, ...]
    quality: str
    physical: bool

    @property
    def all_sites(self) -> tuple[Site, ...]:
        """All sites: those on the host, then those on the metal."""
        return (*self.sites, *self.metal_sites)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All held sites, each with its free twin."""
        every = self.all_sites
        free = {(site.surface, site.site): site for site in every if site.relaxation == "free"}
        held = (site for site in every if site.relaxation == "held")
        return tuple(Pair(site, free.get((site.surface, site.site))) for site in held)

    @property
    def refined(self) -> bool:
        """Whether the energies are of single points with better settings than the relaxations'."""
        return any(site.as_relaxed is not None for site in self.all_sites)

    @property
    def published(self) -> bool:
        """Whether the paper has an energy of this adatom on this host."""
        return any(site.published is not None for site in self.sites)

    def strongest(self, relaxation: Relaxation, surface: str | None = None) -> Site | None:
        """Find the site of the host, or of another surface, that binds most strongly.

        Parameters
        ----------
        relaxation
            ``'held'`` or ``'free'``: only such sites are looked at.
        surface
            Name of a surface, such as ``'Na(110)'``; the host's if None.

        Returns
        -------
        Site or None
            Site of lowest adsorption energy; None if no site has one.

        Raises
        ------
        ValueError
            If the relaxation is neither ``'held'`` nor ``'free'``.
        """
        if surface is None:
            return _strongest(self.sites, relaxation)
        return _strongest((s for s in self.all_sites if s.surface == surface), relaxation)

    @property
    def metal_references(self) -> tuple[Site, ...]:
        """For each face of the metal its most stable free site, else its most stable held one."""
        references = []
        for surface in dict.fromkeys(site.surface for site in self.metal_sites):
            on_it = [site for site in self.metal_sites if site.surface == surface]
            found = (_strongest(on_it, relaxation) for relaxation in RELAXATIONS)
            references += [site for site in found if site is not None][:1]
        return tuple(references)

    @property
    def comparison(self) -> tuple[Site, Site] | None:
        """The strongest sites on host and metal, both free or else both held; None if no pair."""
        for relaxation in RELAXATIONS:
            host, metal = self.strongest(relaxation), _strongest(self.metal_sites, relaxation)
            if host is not None and metal is not None:
                return host, metal
        return None

    @property
    def binds_more_strongly(self) -> bool | None:
        """Whether the host binds the adatom, and more than its metal does; None if not known."""
        if self.comparison is None:
            return None
        host, metal = (_known(site) for site in self.comparison)
        return host < min(metal, 0.0)

    @property
    def probability(self) -> float | None:
        """Part of the BEEF-vdW ensemble in which the host binds more strongly; None if not known.

        As `binds_more_strongly`: held or free, the strongest sites of each member are compared.
        """
        if self.comparison is None:
            return None
        relaxation = self.comparison[0].relaxation
        host, metal = (
            _lowest_of_members(sites, relaxation) for sites in (self.sites, self.metal_sites)
        )
        if host is None or metal is None:
            return None
        return float(np.mean(host < np.minimum(metal, 0.0)))

    def without_deviations(self) -> "Table":
        """Return the table as if no deviation of the BEEF-vdW ensemble were known."""
        return replace(
            self,
            sites=tuple(replace(site, deviation=None) for site in self.sites),
            metal_sites=tuple(replace(site, deviation=None) for site in self.metal_sites),
        )

    def in_ensemble(self) -> str:
        """Return in words `probability`; "" if it is not known."""
        if self.probability is None:
            return ""
        return (
            f"{self.host} binds {self.adatom} more strongly than {self.adatom} does in "
            f"{100 * self.probability:.1f} % of the BEEF-vdW ensemble"
        )

    @property
    def wets(self) -> bool | None:
        """Whether the host binds the adatom more than bulk metal does; None if not known."""
        site = self._strongest_known
        return None if site is None or site.against_metal is None else site.against_metal < 0.0

    @property
    def _strongest_known(self) -> Site | None:
        """The host site of lowest energy, free if there is one, else held."""
        found = (self.strongest(relaxation) for relaxation in RELAXATIONS)
        return next((site for site in found if site is not None), None)

    def answers(self) -> tuple[Answer, Answer]:
        """Answer whether the host binds the adatom more strongly than its metal does.

        Returns
        -------
        tuple of Answer
            Against an adatom on the metal's surface, and against the bulk metal; energies in eV.
        """
        metal = self.adatom
        return (
            Answer(
                f"More strongly than {metal} on {metal}?",
                self.binds_more_strongly,
                self._against_surface(),
            ),
            Answer(f"More strongly than in bulk {metal}?", self.wets, self._against_bulk()),
        )

    def verdict(self) -> str:
        """Answer both questions in a sentence each, or say what is missing.

        Returns
        -------
        str
            The sentences of `answers`, and the quality of the settings.
        """
        surface, bulk = self.answers()
        return f"{surface.sentence}. {bulk.sentence}; {self._settings()}"

    def _against_surface(self) -> str:
        if self.comparison is None:
            return self._missing()
        host, metal = self.comparison
        faces = {site.surface for site in self.metal_sites}
        on = f" on {metal.surface}" if len(faces) > 1 else ""
        claim = "binds" if self.binds_more_strongly else "does not bind"
        return (
            f"{self.host} {claim} {self.adatom} more strongly than {self.adatom} does: "
            f"{_described(host)} against {_described(metal, on)}"
        )

    def _against_bulk(self) -> str:
        site, metal = self._strongest_known, self.adatom
        if site is None or site.against_metal is None:
            return f"Bulk {metal} is not compared: an energy is missing"
        layer, bulk = f"a layer on {self.host}", "bulk metal"
        first, second = (layer, bulk) if self.wets else (bulk, layer)
        return (
            f"{metal} on {self.host} ({site.site}, {site.relaxation}) lies "
            f"{abs(site.against_metal):.2f} eV per atom {'below' if self.wets else 'above'} bulk "
            f"{metal}: {first} forms before {second}"
        )

    def ranking_agreement(self) -> str:
        """Compare our order of the sites with the published one, and the energies.

        Held sites are taken if two or more can be compared, since they are what they are named;
        free ones otherwise.

        Returns
        -------
        str
            One sentence with both orders, the mean absolute difference in eV and its largest part.
        """
        for relaxation in reversed(RELAXATIONS):
            published = [
                site
                for site in self.sites
                if site.relaxation == relaxation and site.published is not None
            ]
            if sum(site.binding is not None for site in published) >= 2:
                return f"{_agreement(published, relaxation)}; {self._settings()}"
        return "order of sites not compared: fewer than two have both our and a published energy"

    def _missing(self) -> str:
        on_host = _has_energy(self.sites)
        on_metal = _has_energy(self.metal_sites)
        if on_host and on_metal:
            return (
                f"not comparable: no relaxation (free or held) has energies of {self.adatom} "
                f"on both {self.host} and {self.adatom}"
            )
        lacking = [
            surface
            for surface, known in ((self.host, on_host), (self.adatom, on_metal))
            if not known
        ]
        return f"no verdict: no adsorption energy of {self.adatom} on {' and '.join(lacking)}"

    def _settings(self) -> str:
        return f"{'' if self.physical else 'not physical: '}{self.quality} settings"


def _require_finite(energies: Mapping[str, float]) -> None:
    for name, energy in energies.items():
        if not isfinite(energy):
            msg = f"energy of {name} is {energy} eV: a finite number is needed"
            raise ValueError(msg)


def _require_relaxation(relaxation: str) -> None:
    if relaxation not in RELAXATIONS:
        msg = f"unknown relaxation {relaxation!r}: 'held' or 'free' is allowed"
        raise ValueError(msg)


def _known(site: Site) -> float:
    if site.binding is None:
        msg = f"site {site.site} on {site.surface} has no reliable adsorption energy"
        raise ValueError(msg)
    return site.binding


def _has_energy(sites: Iterable[Site]) -> bool:
    return any(site.binding is not None for site in sites)


def _strongest(sites: Iterable[Site], relaxation: Relaxation) -> Site | None:
    _require_relaxation(relaxation)
    known = (s for s in sites if s.relaxation == relaxation and s.binding is not None)
    return min(known, key=_known, default=None)


def _lowest_of_members(sites: Iterable[Site], relaxation: Relaxation) -> np.ndarray | None:
    """Return the lowest energy (eV) of the sites in each member of the BEEF-vdW ensemble.

    None unless the ensemble of every site that has an energy is known.
    """
    known = [s for s in sites if s.relaxation == relaxation and s.binding is not None]
    if not known or not all(site.ensemble and BEEF in site.by_functional for site in known):
        return None
    energies_sm = [site.by_functional[BEEF] + ensemble(site.ensemble) for site in known]
    return np.asarray(np.min(energies_sm, axis=0))


def _described(site: Site, on: str = "") -> str:
    moved = f", ended at {site.ended_at}" if site.moved else ""
    return f"{_known(site):.2f} eV ({site.site}{on}, {site.relaxation}{moved})"


def _agreement(sites: list[Site], relaxation: Relaxation) -> str:
    ours = {s.site: s.binding for s in sites if s.binding is not None}
    theirs = {s.site: s.published for s in sites if s.published is not None and s.site in ours}
    here, there = (" < ".join(sorted(e, key=lambda name: e[name])) for e in (ours, theirs))
    agrees = f"agrees with the paper: {here}"
    differs = f"differs from the paper: {here} here, {there} there"
    # mean |E_ads(ours) - E_ads(published)| over the sites
    away = {name: abs(ours[name] - theirs[name]) for name in ours}
    mean = sum(away.values()) / len(away)
    worst = max(away, key=lambda name: away[name])
    notes = [f"{s.site} ended at {s.ended_at}" for s in sites if s.site in ours and s.moved]
    notes += [f"{s.site} left out" for s in sites if s.site not in ours]
    return "; ".join(
        [
            f"order of {len(ours)} {relaxation} sites {agrees if here == there else differs}",
            f"mean absolute difference {mean:.2f} eV, largest {away[worst]:.2f} eV ({worst})",
            *notes,
        ]
    )
