r"""The graph: which tasks a case asks for, what each is computed from, and how far each one is.

VN-lattice -> VN-slab -> VN-top-V-held -> VN-top-V-free -> VN-top-V-free-basin
                  |                   |-> VN-top-V-held-basin
                  |                   |-> VN-top-V-density
                  |                   \-> VN-top-V-uncorrected   (the same for every site)
                  \-> VN-slab-uncorrected
Na-lattice -> Na-slab -> Na-hollow-held -> Na-hollow-free
Na-lattice -> Na110-slab -> ...                          (where the case has [metal_slab_110])
Na-atom
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workflows.case.schema import Case, Host, Metal, Slab
from workflows.system.files import digest
from workflows.system.machine import versions
from workflows.tasks.folder import Result

RECIPE = 2  # raise it when the way that a task computes its numbers changes


Kind = Literal["lattice", "atom", "slab", "held", "free", "basin", "density", "uncorrected"]


Surface = Literal["host", "metal", "metal_110"]


# References first, then sites, then details: the table fills up before the pictures do.
ORDER: dict[Kind, int] = {
    "lattice": 0, "atom": 1, "slab": 2, "held": 3, "free": 4, "basin": 5, "density": 6,
    "uncorrected": 7,
}  # fmt: skip


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


@dataclass(frozen=True)
class Task:
    """One step of the chain: a name (and folder), what it needs, and what its numbers depend on."""

    name: str
    kind: Kind
    title: str
    needs: tuple[str, ...]
    inputs: Mapping[str, Any] = field(repr=False)
    surface: Surface = "host"
    site: str = ""

    @property
    def label(self) -> str:
        """Return the name in the case, without the digest that tells shared folders apart."""
        return own_name(self.name)

    def fingerprint(self, parents: Mapping[str, Result]) -> str:
        """Return the identity of everything that the task is computed from (SHA-256)."""
        return digest(self.origin(parents))

    def origin(self, parents: Mapping[str, Result]) -> dict[str, Any]:
        """Return everything that the task is computed from, as JSON data."""
        return {
            "recipe": RECIPE,
            "kind": self.kind,
            "inputs": dict(self.inputs),
            "needs": {own_name(name): parents[name].digest for name in self.needs},
            "versions": versions(),
        }


def own_name(folder: str) -> str:
    """Return the name that a task has in its case: no name has a dot, a shared folder's has one."""
    return folder.partition(".")[0]


def plan(case: Case) -> dict[str, Task]:
    """Return the case's tasks by name, each after those that it needs."""
    tasks = [task for surface in surfaces(case) for task in _surface_tasks(case, surface)]
    tasks.append(_atom_task(case))
    # A lattice constant that two faces need is one task.
    return {task.name: task for task in sorted(tasks, key=lambda task: ORDER[task.kind])}


def surfaces(case: Case) -> list[Surface]:
    """Return the surfaces that a case is about."""
    return [s for s, face in FACES.items() if getattr(case, face.slab) is not None]


def surface_name(case: Case, surface: Surface) -> str:
    """Return the name that a surface's tasks start with: its formula, and a second face's own."""
    miller = FACES[surface].miller
    return _formula(case, surface) + ("" if miller == "001" else miller)


def surface_label(case: Case, surface: Surface) -> str:
    """Return what people call a surface, such as 'Na(110)'."""
    return f"{_formula(case, surface)}({FACES[surface].miller})"


def crystal_of(case: Case, surface: Surface) -> Host | Metal:
    """Return the crystal that a surface is cut from."""
    crystal: Host | Metal = getattr(case, FACES[surface].crystal)
    return crystal


def slab_of(case: Case, surface: Surface) -> Slab:
    """Return how a surface's slab is cut, and the sites on it that are asked for."""
    slab: Slab = getattr(case, FACES[surface].slab)
    return slab


def _formula(case: Case, surface: Surface) -> str:
    return case.host.formula if surface == "host" else case.adatom


def _surface_tasks(case: Case, surface: Surface) -> list[Task]:
    name, bulk, face = surface_name(case, surface), _formula(case, surface), FACES[surface]
    crystal, slab = crystal_of(case, surface), slab_of(case, surface)
    tasks = []
    lattice_task: tuple[str, ...] = ()
    crystal_inputs = {
        "elements": _elements(case, surface),
        "structure": crystal.structure,
        "lattice_constant": crystal.lattice_constant,
    }
    if crystal.lattice_constant is None:
        inputs = crystal_inputs | {
            "lattice_guess": crystal.lattice_guess,
            "dft": _dft(
                case,
                getattr(case.dft.kpoints, f"{face.crystal}_bulk"),
                _elements(case, surface),
                slab=False,
            ),
        }
        lattice_task = (f"{bulk}-lattice",)
        tasks.append(
            Task(lattice_task[0], "lattice", f"lattice constant of {bulk}", (), inputs, surface)
        )
    relax: dict[str, Any] = {
        "fmax": case.relax.fmax,
        "dft": _dft(
            case,
            getattr(case.dft.kpoints, face.kpoints),
            [*_elements(case, surface), case.adatom],
            slab=True,
        ),
    }
    slab_inputs = relax | crystal_inputs | {"slab": slab.model_dump(exclude={"sites"})}
    if face.miller != "001":
        slab_inputs |= {"face": face.miller}
    slab_name, title = f"{name}-slab", f"clean {surface_label(case, surface)}"
    tasks.append(Task(slab_name, "slab", title, lattice_task, slab_inputs, surface))
    if _without_dipole(case, surface):
        tasks.append(_uncorrected(slab_name, title, surface, "", relax["dft"]))
    for site in slab.sites:
        tasks += _site_tasks(case, surface, site, slab_name, relax)
    return tasks


def _site_tasks(
    case: Case, surface: Surface, site: str, slab: str, relax: Mapping[str, Any]
) -> list[Task]:
    stem = f"{surface_name(case, surface)}-{site}"
    named = surface_name if FACES[surface].miller == "001" else surface_label
    what = f"{case.adatom} at {site} on {named(case, surface)}"
    inputs = {**relax, "adatom": case.adatom, "site": site}
    tasks = [
        Task(f"{stem}-held", "held", f"{what}, x and y held", (slab,), inputs, surface, site),
        Task(f"{stem}-free", "free", f"{what}, free", (f"{stem}-held",), inputs, surface, site),
    ]
    if case.checks.same_basin:
        tasks += _basin_tasks(case, surface, site, stem, relax)
    if _without_dipole(case, surface):
        tasks.append(
            _uncorrected(f"{stem}-held", f"{what}, x and y held", surface, site, relax["dft"])
        )
    if surface == "host":
        inputs = {"dft": relax["dft"], "site": site}
        title = f"charge-density difference, {what}"
        tasks.append(
            Task(f"{stem}-density", "density", title, (f"{stem}-held",), inputs, surface, site)
        )
    return tasks


def _basin_tasks(
    case: Case, surface: Surface, site: str, stem: str, relax: Mapping[str, Any]
) -> list[Task]:
    """Return the slab relaxed again without the adatom, from the held and the free structure."""
    slab = f"{surface_label(case, surface)} without {case.adatom}"
    held, free = f"{stem}-held", f"{stem}-free"
    inputs = {**relax, "site": site}
    return [
        Task(f"{stem}-{relaxation}-basin", "basin", title, needs, inputs, surface, site)
        for relaxation, needs, title in (
            ("held", (held,), f"{slab}, from {site}, held"),
            ("free", (free, f"{held}-basin"), f"{slab}, from {site}, free"),
        )
    ]


def _without_dipole(case: Case, surface: Surface) -> bool:
    return case.checks.without_dipole and case.dft.dipole_correction and surface == "host"


def _uncorrected(
    system: str, what: str, surface: Surface, site: str, dft: Mapping[str, Any]
) -> Task:
    inputs = {"dft": {**dft, "dipole_correction": False}, "site": site}
    title = f"{what}, without dipole correction"
    name = f"{system}-uncorrected"
    return Task(name, "uncorrected", title, (system,), inputs, surface, site)


def _atom_task(case: Case) -> Task:
    inputs = {
        "element": case.adatom,
        "box": case.atom.box,
        "dft": _dft(case, None, [case.adatom], slab=False),
    }
    return Task(f"{case.adatom}-atom", "atom", f"isolated {case.adatom} atom", (), inputs, "metal")


def _elements(case: Case, surface: Surface) -> list[str]:
    return [case.host.cation, case.host.anion] if surface == "host" else [case.adatom]


def _dft(case: Case, kpoints: Any, elements: Iterable[str], *, slab: bool) -> dict[str, Any]:
    """Return the DFT settings that change the numbers of a system with these elements."""
    of_slabs = set() if slab else {"dipole_correction"}
    settings = case.dft.model_dump(exclude={"kpoints", "setups", "scf"} | of_slabs)
    return settings | {
        "kpoints": list(kpoints) if kpoints else None,
        "setups": {s: name for s, name in sorted(case.dft.setups.items()) if s in elements},
        "scf": case.dft.scf.model_dump(exclude={"max_iterations"}),
    }
