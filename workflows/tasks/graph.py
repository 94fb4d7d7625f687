r"""The graph: which tasks a case asks for, what each is computed from, and how far each one is.

VN-probe    (everything below needs it where it decides whether there is spin)
VN-lattice -> VN-slab -> VN-top-V-held -> VN-top-V-free -> VN-top-V-free-basin
                  |                   |-> VN-top-V-held-basin
                  |                   |-> VN-top-V-density
                  |                   |-> VN-top-V-held-uncorrected
                  |                   |-> VN-top-V-free -> VN-top-V-hop   (where it has [hop])
                  |                   \-> VN-top-V-electrons   (where the case has [electrons])
                  |-> VN-slab-uncorrected
                  |-> VN-slab-electrons                        (the same for every site)
                  \-> VN-coverage-2-a, VN-cluster-2, ...       (where the case has [coverage])
Na-lattice -> Na-slab -> Na-hollow-held -> ...           (without the last two)
Na-lattice -> Na110-slab -> ...                          (where the case has [metal_slab_110])
Na-atom

With [refine] there is a single point behind each of them whose energy counts, where it changes a
setting of that system: VN-slab-refined, VN-top-V-held-refined, Na-lattice-refined, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, cast

from structures.magnetism import free_atom_moment, has_open_shell, starting_moments
from structures.supercell import primitive_translations
from workflows.case.hosts import CrystalHost, times_wider
from workflows.case.schema import DFT, Case, Defect, Electrons, Hop, Host, Metal, Slab
from workflows.dft.datasets import data_set_digests
from workflows.dft.dispersion import PACKAGES
from workflows.system.files import digest
from workflows.system.machine import release, versions
from workflows.tasks.folder import Result, TaskFolder
from workflows.tasks.records import (
    AdatomInputs,
    AtomInputs,
    BareSlabInputs,
    CoverageInputs,
    CrystalInputs,
    DensityInputs,
    DFTSettings,
    ElectronsInputs,
    HopInputs,
    InputsT,
    InputsT_co,
    Kind,
    LatticeInputs,
    Origin,
    ProbeInputs,
    Relaxation,
    RelaxedCell,
    SCFCriteria,
    SinglePointInputs,
    SlabInputs,
    SpinSettings,
    Surface,
)

RECIPE = 4  # raise it when the way that a task computes its numbers changes
EARLIER_RECIPES = (3,)  # whose results are still shown, never beside those of another recipe

# Of a probe: coarse, yet the moments of VN, MnO and NiO are there
PROBE_KPOINTS = 4  # along x and y of the 1x1 cell, at most
PROBE_CUTOFF = 350.0  # eV, at most; above what any PAW data set needs at least
PROBE_SCF: SCFCriteria = {"energy": 1e-3, "density": 1e-3, "eigenstates": 1e-5}
PROBE_MOMENT = 1.0  # Bohr magnetons that every atom starts with where no element has any


# References first, then sites, then details: the table fills up before the pictures do.
ORDER: dict[Kind, int] = {
    "probe": 0, "lattice": 1, "atom": 2, "slab": 3, "held": 4, "free": 5, "basin": 6,
    "coverage": 6, "refined": 7, "functionals": 8, "density": 9, "uncorrected": 10, "electrons": 11,
    "hop": 9,
}  # fmt: skip


# Kinds whose energies adsorption energies are made of
WITH_ENERGY: tuple[Kind, ...] = ("lattice", "atom", "slab", "held", "free", "basin", "coverage")
WITHOUT_FUNCTIONALS: tuple[Kind, ...] = ("coverage", "hop")  # which [refine] alone refines


@dataclass(frozen=True)
class Face:
    """A surface's Miller indices, and the names of its crystal, slab and k-points in a case."""

    miller: str
    crystal: str
    slab: str
    kpoints: str


FACES: dict[Surface, Face] = {
    "host": Face("001", "host", "slab", "host_slab"),
    "metal": Face("001", "metal", "metal_slab", "metal_slab"),
    "metal_110": Face("110", "metal", "metal_slab_110", "metal_slab_110"),
}


class Key(NamedTuple):
    """What identifies a task within its case: `where` is a surface, a crystal or "" (the atom).

    `of` is the kind of task whose structure a single point has, else "".
    """

    where: str
    kind: Kind
    site: str
    relaxation: Relaxation
    of: Kind | Literal[""] = ""


def task_key(
    surface: Surface,
    kind: Kind,
    site: str = "",
    relaxation: Relaxation = "",
    of: Kind | Literal[""] = "",
) -> Key:
    """Return what identifies a task within its case.

    The faces of a crystal share its lattice, all surfaces the atom. The relaxation of an adatom is
    its task's kind, and density differences are those of the held one: for these three kinds
    `relaxation` may be left out. See `find` for the arguments.
    """
    if of:
        return task_key(surface, of, site, relaxation)._replace(kind=kind, of=of)
    if kind == "lattice":
        return Key(FACES[surface].crystal, kind, "", "")
    if kind == "atom":
        return Key("", kind, "", "")
    if kind == "held" or kind == "free":  # noqa: PLR1714 (mypy narrows this one)
        relaxation = kind
    elif kind in ("density", "electrons") and site:
        relaxation = "held"
    elif kind == "hop":
        relaxation = "free"
    return Key(surface, kind, site, relaxation)


@dataclass(frozen=True)
class Task(Generic[InputsT_co]):
    """One step of the chain: what it needs, and what its numbers depend on.

    Surface, kind, site and relaxation identify it within its case (see `find`).

    Attributes
    ----------
    name
        Name of the task and of its folder.
    kind
        What is computed.
    title
        The same in words.
    needs
        Names of the tasks whose results it builds on.
    inputs
        What else its numbers depend on, in the units of records.py.
    surface
        The surface; of what surfaces share, the first that needs it.
    site
        Where an adatom was put; "" for none.
    relaxation
        Whether the adatom was held there or free; "" for none.
    structure
        Key of the unrelaxed structure that the task is about (steps/initial.py).
    elements
        Chemical symbols of all its atoms: whose PAW data sets are read.
    of
        The kind of task whose structure a single point has; "" for other tasks.
    """

    name: str
    kind: Kind
    title: str
    needs: tuple[str, ...]
    inputs: InputsT_co = field(repr=False)
    surface: Surface = "host"
    site: str = ""
    relaxation: Relaxation = ""
    structure: str = ""
    elements: tuple[str, ...] = ()
    of: Kind | Literal[""] = ""

    @property
    def key(self) -> Key:
        """What identifies the task within its case; see `find`."""
        return task_key(self.surface, self.kind, self.site, self.relaxation, self.of)

    @property
    def label(self) -> str:
        """The name in the case: that of a shared folder without its digest."""
        return own_name(self.name)

    @property
    def fmax(self) -> float | None:
        """The largest force (eV/angstrom) that a relaxation leaves; None if nothing is relaxed."""
        fmax = self.inputs.get("fmax")
        return fmax if isinstance(fmax, float) else None

    def fingerprint(self, parents: Mapping[str, Result], recipe: int = RECIPE) -> str:
        """Return the identity of everything that the task is computed from (SHA-256)."""
        return digest(self.origin(parents, recipe))

    def folder(self, root: Path) -> TaskFolder:
        """Return the task's folder in the directory of its run."""
        return TaskFolder(root / self.name, self.kind)

    def origin(self, parents: Mapping[str, Result], recipe: int = RECIPE) -> Origin:
        """Return everything that the task is computed from, as JSON data.

        `parents` are the results of the tasks that it needs, by name; `recipe` is the version of
        the way that tasks compute their numbers.
        """
        dft = self.inputs["dft"]
        return {
            "recipe": recipe,
            "kind": self.kind,
            "inputs": self.inputs,
            "needs": {own_name(name): parents[name].digest for name in self.needs},
            "versions": versions(),
            "data_sets": data_set_digests(self.elements, dft["xc"], dft["setups"]),
        }


def own_name(folder: str) -> str:
    """Return the name that a task has in its case, from that of its folder.

    The folder of a task that several cases share has a dot and a digest behind it.
    """
    return folder.partition(".")[0]


def plan(case: Case) -> dict[str, Task]:
    """Return a case's tasks by name, each after those that it needs."""
    tasks = [task for surface in surfaces(case) for task in _surface_tasks(case, surface)]
    tasks += [*_lattice_task(case, "metal"), _atom_task(case)]  # of what energies are taken against
    tasks += _single_points(case, tasks)
    unique: dict[Key, Task] = {}
    for task in sorted(tasks, key=_order):
        unique.setdefault(task.key, task)  # a crystal's lattice is one task for all its faces
    return {task.name: task for task in unique.values()}


def _order(task: Task) -> tuple[int, bool]:
    return ORDER["hop" if task.of == "hop" else task.kind], task.of == "hop"


def find(
    tasks: Mapping[str, Task],
    surface: Surface,
    kind: Kind,
    site: str = "",
    relaxation: Relaxation = "",
) -> Task | None:
    """Return one of a case's tasks, or None if the case does not ask for it.

    Parameters
    ----------
    tasks
        Tasks of one case, by name or folder.
    surface
        The surface; for "lattice" any surface of the crystal, for "atom" any at all.
    kind
        The kind of task.
    site
        Where the adatom was put; "" for tasks without one.
    relaxation
        For "basin" and "uncorrected": whose structure, the held adatom's or the free one's; "" for
        the clean slab's. Other kinds need none.
    """
    wanted = task_key(surface, kind, site, relaxation)
    return next((task for task in tasks.values() if task.key == wanted), None)


def surfaces(case: Case) -> list[Surface]:
    """Return the surfaces that a case is about."""
    return [s for s, face in FACES.items() if getattr(case, face.slab) is not None]


def surface_name(case: Case, surface: Surface) -> str:
    """Return the name that a surface's tasks start with: its formula, and a second face's own."""
    face = face_of(case, surface)
    usual = face == "001" and (surface != "host" or isinstance(case.host, Host))
    return _formula(case, surface) + ("" if usual else face)


def surface_label(case: Case, surface: Surface) -> str:
    """Return a surface as people write it, such as 'Na(110)'; 'TiO2(slab)' for one from a file."""
    return f"{_formula(case, surface)}({face_of(case, surface) or 'slab'})"


def host_label(case: Case) -> str:
    """Return the host as people write it: a rock salt by its formula, others with their face."""
    return case.host.formula if isinstance(case.host, Host) else surface_label(case, "host")


def face_of(case: Case, surface: Surface) -> str:
    """Return the Miller indices of a surface, such as '110'; "" for a slab from a file."""
    return case.host.face if surface == "host" else FACES[surface].miller


def crystal_of(case: Case, surface: Surface) -> Host | CrystalHost | Metal:
    """Return the crystal that a surface is cut from."""
    crystal: Host | CrystalHost | Metal = getattr(case, FACES[surface].crystal)
    return crystal


def lattice_guess(case: Case, surface: Surface) -> float:
    """Return the lattice constant of a surface's crystal as far as the case has it, angstrom."""
    crystal = crystal_of(case, surface)
    if isinstance(crystal, CrystalHost):
        return crystal.lattice_of_file
    return crystal.lattice_constant or crystal.lattice_guess


def lattice_given(case: Case, surface: Surface) -> float | None:
    """Return the lattice constant of a surface's crystal, angstrom; None if it is computed."""
    crystal = crystal_of(case, surface)
    if isinstance(crystal, CrystalHost):
        return None if crystal.has_lattice_task else crystal.lattice_of_file
    return crystal.lattice_constant


def slab_of(case: Case, surface: Surface) -> Slab:
    """Return how a surface's slab is cut, and the sites on it that are asked for."""
    slab: Slab = getattr(case, FACES[surface].slab)
    return slab


def translations_of(case: Case, surface: Surface) -> tuple[int, int]:
    """Return into how many parts a surface's translations divide its slab's in-plane vectors."""
    return primitive_translations(slab_of(case, surface).cell, FACES[surface].miller)


def _formula(case: Case, surface: Surface) -> str:
    return case.host.formula if surface == "host" else case.adatom


def _crystal_name(case: Case, surface: Surface) -> str:
    """Return what the tasks of a surface's crystal are named after: its formula.

    A host of the adatom's own element has a crystal beside that of the metal, named after the face.
    """
    own = surface == "host" and case.host.formula == case.adatom
    return surface_name(case, surface) if own else _formula(case, surface)


def structure_name(case: Case, surface: Surface, part: str) -> str:
    """Return the key of an unrelaxed structure.

    `part` is "bulk", "slab", "atom" or the site of an adatom.
    """
    if part == "bulk":  # all faces of a crystal are cut from the same
        return f"{_crystal_name(case, surface)}-bulk"
    return f"{surface_name(case, surface)}-{part}"


def _surface_tasks(case: Case, surface: Surface) -> list[Task]:
    clean = slab_task(case, surface)
    tasks: list[Task] = [*_probe_task(case, surface), *_lattice_task(case, surface), clean]
    if _without_dipole(case, surface):
        tasks.append(_uncorrected(clean))
    if case.electrons is not None and surface == "host":
        tasks.append(_electrons_task(case.electrons, clean))
    for site in slab_of(case, surface).sites:
        tasks += _site_tasks(case, clean, site)
    tasks += coverage_tasks(case, surface)
    return tasks


def _crystal_inputs(case: Case, surface: Surface) -> CrystalInputs:
    crystal = crystal_of(case, surface)
    if isinstance(crystal, CrystalHost):
        data = crystal.crystal
        return {
            "elements": list(crystal.elements),
            "structure": "crystal" if crystal.miller else "slab",
            "lattice_constant": lattice_given(case, surface),
            "crystal": {
                "cell": [list(vector) for vector in data.cell],
                "symbols": list(data.symbols),
                "positions": [list(place) for place in data.positions],
            },
        }
    return {
        "elements": [crystal.cation, crystal.anion] if isinstance(crystal, Host) else [case.adatom],
        "structure": crystal.structure,
        "lattice_constant": crystal.lattice_constant,
    }


def _cut_inputs(case: Case, surface: Surface) -> CrystalInputs:
    """Return the crystal that a surface's slab is cut from, with the face of one from a file."""
    crystal = _crystal_inputs(case, surface)
    host = crystal_of(case, surface)
    if isinstance(host, CrystalHost) and host.miller is not None:
        crystal["miller"], crystal["termination"] = list(host.miller), host.termination_name
    elif FACES[surface].miller != "001":
        crystal["face"] = FACES[surface].miller
    return crystal


def _lattice_task(case: Case, surface: Surface) -> list[Task[LatticeInputs]]:
    """Return the task that computes a crystal's lattice constant, none where it is given."""
    crystal, bulk = _crystal_inputs(case, surface), _crystal_name(case, surface)
    if crystal["lattice_constant"] is not None:
        return []
    kpoints = getattr(case.dft.kpoints, f"{FACES[surface].crystal}_bulk")
    settings = _dft(case, kpoints, crystal["elements"], slab=False)
    of_lattice = {
        "lattice_guess": lattice_guess(case, surface), "dft": _with_spin(case, surface, settings),
    }  # fmt: skip
    inputs = cast("LatticeInputs", {**crystal, **of_lattice})
    host, title = crystal_of(case, surface), f"lattice constant of {bulk}"
    if isinstance(host, CrystalHost) and not host.is_cubic:
        inputs["fmax"], inputs["relaxed_cell"] = case.relax.fmax, _relaxed_cell(host)
        title = f"lattice of {bulk}, by stress"
    name, structure = f"{bulk}-lattice", structure_name(case, surface, "bulk")
    elements = tuple(crystal["elements"])
    needs = _probes(inputs["dft"])
    return [
        Task(name, "lattice", title, needs, inputs, surface, structure=structure, elements=elements)
    ]


def _relaxed_cell(host: CrystalHost) -> RelaxedCell:
    return "in-plane" if host.relax_cell == "in-plane" else "whole"


def slab_task(case: Case, surface: Surface) -> Task[SlabInputs]:
    """Return the task that relaxes the clean slab of one of a case's surfaces."""
    crystal = _cut_inputs(case, surface)
    kpoints = getattr(case.dft.kpoints, FACES[surface].kpoints)
    cut = slab_of(case, surface).model_dump(exclude={"sites", "defect"})
    defect, symbols = _defect(case, surface), _slab_elements(case, surface)
    settings = _dft(case, kpoints, [*symbols, case.adatom], slab=True)
    of_slab = {
        "fmax": case.relax.fmax, "dft": _with_spin(case, surface, settings), "slab": cut,
    }  # fmt: skip
    inputs = cast("SlabInputs", {**crystal, **of_slab})
    if defect is not None:
        inputs["defect"] = {"element": defect.element, "substitute": defect.substitute}
    name, title = structure_name(case, surface, "slab"), f"clean {surface_label(case, surface)}"
    if defect is not None:
        title = f"{title}, {defect.label}"
    needs = (
        *_probes(inputs["dft"]),
        *(task.name for task in _lattice_task(case, surface)),
    )
    elements = tuple(symbols)
    return Task(
        name, "slab", title, needs, inputs, surface, structure=name, elements=elements
    )  # fmt: skip


def _defect(case: Case, surface: Surface) -> Defect | None:
    return case.slab.defect if surface == "host" else None


def _slab_elements(case: Case, surface: Surface) -> list[str]:
    """Return the elements of a surface's slab: the crystal's, and that of a foreign atom."""
    crystal, defect = _crystal_inputs(case, surface)["elements"], _defect(case, surface)
    foreign = [defect.substitute] if defect and defect.substitute else []
    return list(dict.fromkeys([*crystal, *foreign]))


def _probe_task(case: Case, surface: Surface) -> list[Task[ProbeInputs]]:
    """Return the task that finds whether a surface's slab is magnetic, none where that is given."""
    if case.dft.spin.polarised is True:
        return []
    crystal, kpoints = _cut_inputs(case, surface), FACES[surface].kpoints
    name, cut = structure_name(case, surface, "probe"), slab_of(case, surface)
    kx, ky, kz = getattr(case.dft.kpoints, kpoints)
    nx, ny = times_wider(case.host if surface == "host" else case.metal, cut.cell)
    grid = (min(PROBE_KPOINTS, round(kx * nx)), min(PROBE_KPOINTS, round(ky * ny)), kz)
    dft = _dft(case, grid, crystal["elements"], slab=True)
    dft.pop("dispersion", None)  # it knows no spin
    dft["cutoff"], dft["dipole_correction"] = min(PROBE_CUTOFF, dft["cutoff"]), False
    dft["scf"] = PROBE_SCF
    dft["spin"] = _spin_settings(case, crystal["elements"], slab=True)
    inputs: ProbeInputs = {
        **crystal,
        "dft": dft,
        "lattice_constant": lattice_guess(case, surface),
        "slab": {"layers": cut.layers, "cell": "1x1", "vacuum": cut.vacuum, "held_layers": 0},
    }
    title = f"whether clean {surface_label(case, surface)} is magnetic"
    elements = tuple(crystal["elements"])
    return [Task(name, "probe", title, (), inputs, surface, structure=name, elements=elements)]


def _with_spin(case: Case, surface: Surface, dft: DFTSettings) -> DFTSettings:
    """Return DFT settings of a crystal or its slab with spin, where it may have any."""
    spin = case.dft.spin
    if spin.polarised is False:
        return dft
    slab = "dipole_correction" in dft
    elements = _slab_elements(case, surface) if slab else _crystal_inputs(case, surface)["elements"]
    settings = _spin_settings(case, elements, slab=slab)
    if spin.polarised == "auto":
        # The first face's probe decides for its crystal, too, and for the other faces.
        faces = [s for s in surfaces(case) if FACES[s].crystal == FACES[surface].crystal]
        if faces:
            of = dict.fromkeys([faces[0], *([surface] if slab else [])])
            settings["probes"] = [structure_name(case, face, "probe") for face in of]
        elif not any(map(has_open_shell, elements)):
            return dft  # a metal without a surface in the case, of the main group
    return {**dft, "spin": settings}


def _spin_settings(case: Case, elements: list[str], *, slab: bool) -> SpinSettings:
    spin = case.dft.spin
    moments = starting_moments(elements) | {s: m for s, m in spin.moments.items() if s in elements}
    if spin.polarised is not True and not any(moments.values()):
        moments = dict.fromkeys(moments, PROBE_MOMENT)  # without any, none would ever be found
    settings: SpinSettings = {
        "moments": moments,
        "starts": list(spin.starts) if slab else ["ferromagnetic"],
        "non_magnetic": slab and spin.non_magnetic,
    }
    if slab:
        settings["adatom"] = spin.moments.get(case.adatom, free_atom_moment(case.adatom))
    return settings


def _probes(dft: DFTSettings) -> tuple[str, ...]:
    """Return the tasks that decide whether a task with these settings has spin."""
    return tuple(dft["spin"].get("probes", ())) if "spin" in dft else ()


def _site_tasks(case: Case, clean: Task[SlabInputs], site: str) -> list[Task]:
    """Return the tasks of an adatom at a site of the surface that a clean slab has."""
    surface, dft = clean.surface, clean.inputs["dft"]
    stem = structure_name(case, surface, site)
    named = surface_name if face_of(case, surface) == "001" else surface_label
    what = f"{case.adatom} at {site} on {named(case, surface)}"
    inputs: AdatomInputs = {
        "fmax": clean.inputs["fmax"], "dft": dft, "adatom": case.adatom, "site": site,
    }  # fmt: skip
    elements = (*clean.elements, case.adatom)
    held = Task(
        f"{stem}-held", "held", f"{what}, x and y held", (clean.name, *_probes(dft)), inputs,
        surface, site, "held", stem, elements,
    )  # fmt: skip
    # The sites of a crystal from a file are those of its ideal slab, which the clean one has.
    of_sites = (clean.name,) if "crystal" in clean.inputs else ()
    free = Task(
        f"{stem}-free", "free", f"{what}, free", (held.name, *of_sites, *_probes(dft)), inputs,
        surface, site, "free", stem, elements,
    )  # fmt: skip
    tasks: list[Task] = [held, free]
    if case.checks.same_basin:
        tasks += _basin_tasks(case, held, free)
    if _without_dipole(case, surface):
        tasks.append(_uncorrected(held))
    alone: DensityInputs = {"dft": dft, "site": site}
    title = f"charge-density difference, {what}"
    tasks.append(_on(held, "density", title, (held.name,), alone))
    if case.electrons is not None and surface == "host":
        tasks.append(_electrons_task(case.electrons, held))
    if case.hop is not None and getattr(case.hop, surface) == site:
        tasks.append(_hop_task(case.hop, clean, free))
    return tasks


def _basin_tasks(
    case: Case, held: Task[AdatomInputs], free: Task[AdatomInputs]
) -> list[Task[BareSlabInputs]]:
    """Return the slab relaxed again without the adatom, from the held and the free structure."""
    slab = f"{surface_label(case, held.surface)} without {case.adatom}"
    inputs: BareSlabInputs = {
        "fmax": held.inputs["fmax"], "dft": held.inputs["dft"], "site": held.site,
    }  # fmt: skip
    needs = {held.name: (held.name,), free.name: (free.name, f"{held.name}-basin")}
    return [
        _on(
            task,
            "basin",
            f"{slab}, from {task.site}, {task.relaxation}",
            needs[task.name],
            inputs,
            elements=task.elements[:-1],  # the adatom comes last
        )
        for task in (held, free)
    ]


def _without_dipole(case: Case, surface: Surface) -> bool:
    return case.checks.without_dipole and case.dft.dipole_correction and surface == "host"


def _uncorrected(task: Task[SlabInputs] | Task[AdatomInputs]) -> Task[SinglePointInputs]:
    """Return the task that computes another one's structure without the dipole correction."""
    dft: DFTSettings = {**task.inputs["dft"], "dipole_correction": False}
    inputs: SinglePointInputs = {"dft": dft, "site": task.site}
    title = f"{task.title}, without dipole correction"
    return _on(task, "uncorrected", title, (task.name,), inputs)


def coverage_tasks(case: Case, surface: Surface) -> Iterator[Task[CoverageInputs]]:
    """Yield the tasks of more and more adatoms on a surface, and of its clusters."""
    coverage = case.coverage
    sites: tuple[str, ...] = getattr(coverage, surface) if coverage is not None else ()
    if coverage is None or not sites:
        return
    clean, guess = slab_task(case, surface), lattice_guess(case, surface)
    # Not at the top: it takes scipy, and `status` alone answers at once.
    from structures.coverage import placements, places_of
    from workflows.tasks.cut import cut_slab

    slab = cut_slab(surface, clean.inputs, guess)
    basis: CoverageInputs = {
        "fmax": clean.inputs["fmax"], "dft": clean.inputs["dft"], "adatom": case.adatom,
        "places": [], "on_top": 0,
    }  # fmt: skip
    places = places_of(slab, sites)
    for placement in placements(slab, places, coverage.adatoms, coverage.placements):
        inputs: CoverageInputs = {**basis, "places": placement.places, "on_top": placement.on_top}
        yield _coverage_task(case, clean, f"coverage-{placement.name}", inputs)
    largest = coverage.clusters if case.has_room_for_clusters(surface) else 1
    for count in range(2, largest + 1):
        inputs = {**basis, "places": [places[0].tolist()], "cluster": count}
        yield _coverage_task(case, clean, f"cluster-{count}", inputs)


def _coverage_task(
    case: Case, clean: Task[SlabInputs], name: str, inputs: CoverageInputs
) -> Task[CoverageInputs]:
    cluster = inputs.get("cluster")
    what = f"a cluster of {cluster}" if cluster else f"{len(inputs['places'])} adatoms of"
    surface = clean.surface
    stem = structure_name(case, surface, name)
    return Task(
        stem, "coverage", f"{what} {case.adatom} on {surface_label(case, surface)} ({name})",
        (clean.name, *_probes(inputs["dft"])), inputs, surface, name, structure=stem,
        elements=(*clean.elements, case.adatom),
    )  # fmt: skip


def _hop_task(hop: Hop, clean: Task[SlabInputs], free: Task[AdatomInputs]) -> Task[HopInputs]:
    """Return the task of the path from the minimum of a free adatom to an equivalent one."""
    inputs: HopInputs = {
        "fmax": free.inputs["fmax"], "dft": free.inputs["dft"], "site": free.site,
        "images": hop.images, "shell": hop.shell,
    }  # fmt: skip
    title = f"hop to the next minimum, {free.title}"
    return _on(free, "hop", title, (free.name, clean.name), inputs)


def _electrons_task(
    wanted: Electrons, task: Task[SlabInputs] | Task[AdatomInputs]
) -> Task[ElectronsInputs]:
    """Return the task that computes the electronic structure of another one's system."""
    dft = task.inputs["dft"]
    if wanted.kpoints is not None:
        dft = {**dft, "kpoints": list(wanted.kpoints)}
    inputs: ElectronsInputs = {
        "dft": dft, "site": task.site, "width": wanted.width, "lowest": wanted.lowest,
        "highest": wanted.highest,
    }  # fmt: skip
    return _on(task, "electrons", f"electronic structure, {task.title}", (task.name,), inputs)


def _on(
    task: Task,
    kind: Kind,
    title: str,
    needs: tuple[str, ...],
    inputs: InputsT,
    *,
    elements: tuple[str, ...] | None = None,
) -> Task[InputsT]:
    """Return a task that builds on the structure of another one; the same `elements` if None."""
    needs = (*needs, *_probes(inputs["dft"]))
    name = f"{task.structure if kind in ('density', 'electrons', 'hop') else task.name}-{kind}"
    place = task.surface, task.site, task.relaxation, task.structure
    return Task(name, kind, title, needs, inputs, *place, elements or task.elements)


def _single_points(case: Case, tasks: Iterable[Task]) -> Iterator[Task[SinglePointInputs]]:
    """Yield the single points at the structures of a case's tasks, at most one for each.

    "refined" ones have the settings of [refine]. There is none where these change nothing for a
    system: the task's own energy then is the refined one. Energies with other functionals are
    theirs, too, or of a task of their own. None is for the host's crystal, whose energy adsorption
    energies are not made of.
    """
    if case.refine is None and not case.checks.functionals:
        return
    settings = {name: task.inputs["dft"] for name, task in plan(_refined_alone(case)).items()}
    for task in tasks:
        of_host_crystal = task.kind == "lattice" and task.surface == "host"
        if task.kind not in (*WITH_ENERGY, "hop") or of_host_crystal:
            continue
        functionals = case.checks.functionals if task.kind not in WITHOUT_FUNCTIONALS else ()
        refined = settings[task.name] != task.inputs["dft"]
        kind: Kind = "refined" if refined else "functionals"
        inputs: SinglePointInputs = {"dft": settings[task.name], "site": task.site}
        if functionals:
            inputs["functionals"] = sorted(functionals)
        if refined or functionals:
            needs = (task.name, *(f"{name}-{kind}" for name in task.needs if _is_twin(task, name)))
            title = f"{task.title}, {TITLES[kind]}"
            yield replace(_on(task, kind, title, needs, inputs), of=task.kind)


TITLES = {"refined": "refined", "functionals": "with other functionals"}


def _refined_alone(case: Case) -> Case:
    """Return the case with the settings of its single points, and without any."""
    checks = case.checks.model_copy(update={"functionals": ()})
    return case.refined.model_copy(update={"checks": checks})


def _is_twin(task: Task, need: str) -> bool:
    """Tell whether a task needs another one that may have the very same structure."""
    return task.kind == "basin" and need.endswith("-basin")


def settings_of(case: Case, task: Task) -> DFT:
    """Return the DFT settings that a task is computed with; its k-points are in its inputs."""
    return case.refined.dft if task.kind == "refined" else case.dft


def images_of(task: Task) -> int:
    """Return how many structures a task computes at the same time: the images of a path."""
    images = task.inputs.get("images")
    return images if isinstance(images, int) else 1


def _atom_task(case: Case) -> Task[AtomInputs]:
    name = structure_name(case, "metal", "atom")
    inputs: AtomInputs = {
        "element": case.adatom,
        "box": case.atom.box,
        "dft": _dft(case, None, [case.adatom], slab=False),
    }
    return Task(
        name, "atom", f"isolated {case.adatom} atom", (), inputs, "metal", structure=name,
        elements=(case.adatom,),
    )  # fmt: skip


def _dft(
    case: Case, kpoints: tuple[int, int, int] | None, elements: Iterable[str], *, slab: bool
) -> DFTSettings:
    """Return the DFT settings that change the numbers of a system with these elements."""
    of_slabs = set() if slab else {"dipole_correction"}
    apart = {"kpoints", "setups", "scf", "dispersion", "hubbard", "spin"}
    settings: dict[str, Any] = case.dft.model_dump(exclude=apart | of_slabs)
    if kpoints and case.dft.dispersion != "none":  # an isolated atom has none
        package = PACKAGES[case.dft.dispersion]
        settings["dispersion"] = {"model": case.dft.dispersion, package: release(package)}
    if hubbard := {s: of.model_dump() for s, of in case.dft.hubbard.items() if s in elements}:
        settings["hubbard"] = hubbard
    settings |= {
        "kpoints": list(kpoints) if kpoints else None,
        "setups": {s: name for s, name in sorted(case.dft.setups.items()) if s in elements},
        "scf": case.dft.scf.model_dump(exclude={"max_iterations"}),
    }
    return cast("DFTSettings", settings)
