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
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from workflows.case.schema import Case, Host, Metal, Slab
from workflows.system.files import digest
from workflows.system.machine import versions
from workflows.tasks.folder import Result
from workflows.tasks.records import Kind as Kind  # noqa: PLC0414 (until all import it from there)
from workflows.tasks.records import Relaxation
from workflows.tasks.records import Surface as Surface  # noqa: PLC0414

RECIPE = 2  # raise it when the way that a task computes its numbers changes


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


class Key(NamedTuple):
    """What identifies a task within its case."""

    where: str
    kind: Kind
    site: str
    relaxation: Relaxation


def task_key(surface: Surface, kind: Kind, site: str = "", relaxation: Relaxation = "") -> Key:
    """Return what identifies a task within its case.

    The faces of a crystal share its lattice, all surfaces the atom. The relaxation of an adatom is
    its task's kind, and density differences are those of the held one: for these three kinds
    `relaxation` may be left out.
    """
    if kind == "lattice":
        return Key(FACES[surface].crystal, kind, "", "")
    if kind == "atom":
        return Key("", kind, "", "")
    if kind == "held" or kind == "free":  # noqa: PLR1714 (mypy narrows this one)
        relaxation = kind
    elif kind == "density":
        relaxation = "held"
    return Key(surface, kind, site, relaxation)


@dataclass(frozen=True)
class Task:
    """One step of the chain: a name (and folder), what it needs, and what its numbers depend on.

    `surface`, `kind`, `site` and `relaxation` identify a task within its case (see `find`): `site`
    is where an adatom was put ("" for none), `relaxation` tells whether it was held there or free.
    `structure` is the key of the unrelaxed structure that the task is about (steps/initial.py).
    """

    name: str
    kind: Kind
    title: str
    needs: tuple[str, ...]
    inputs: Mapping[str, Any] = field(repr=False)
    surface: Surface = "host"
    site: str = ""
    relaxation: Relaxation = ""
    structure: str = ""

    @property
    def key(self) -> Key:
        """Return what identifies the task within its case; see `find`."""
        return task_key(self.surface, self.kind, self.site, self.relaxation)

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
    unique: dict[Key, Task] = {}
    for task in sorted(tasks, key=lambda task: ORDER[task.kind]):
        unique.setdefault(task.key, task)  # a lattice constant that two faces need is one task
    return {task.name: task for task in unique.values()}


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
            Task(
                lattice_task[0],
                "lattice",
                f"lattice constant of {bulk}",
                (),
                inputs,
                surface,
                structure=f"{bulk}-bulk",
            )
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
    clean = Task(
        f"{name}-slab",
        "slab",
        f"clean {surface_label(case, surface)}",
        lattice_task,
        slab_inputs,
        surface,
        structure=f"{name}-slab",
    )
    tasks.append(clean)
    if _without_dipole(case, surface):
        tasks.append(_uncorrected(clean))
    for site in slab.sites:
        tasks += _site_tasks(case, clean, site)
    return tasks


def _site_tasks(case: Case, clean: Task, site: str) -> list[Task]:
    """Return the tasks of an adatom at a site of the surface that a clean slab has."""
    surface, dft = clean.surface, clean.inputs["dft"]
    stem = f"{surface_name(case, surface)}-{site}"
    named = surface_name if FACES[surface].miller == "001" else surface_label
    what = f"{case.adatom} at {site} on {named(case, surface)}"
    inputs = {"fmax": clean.inputs["fmax"], "dft": dft, "adatom": case.adatom, "site": site}
    held = Task(
        f"{stem}-held",
        "held",
        f"{what}, x and y held",
        (clean.name,),
        inputs,
        surface,
        site,
        "held",
        structure=stem,
    )
    free = replace(
        held,
        name=f"{stem}-free",
        kind="free",
        title=f"{what}, free",
        needs=(held.name,),
        relaxation="free",
    )
    tasks = [held, free]
    if case.checks.same_basin:
        tasks += _basin_tasks(case, held, free)
    if _without_dipole(case, surface):
        tasks.append(_uncorrected(held))
    if surface == "host":
        tasks.append(
            replace(
                held,
                name=f"{stem}-density",
                kind="density",
                title=f"charge-density difference, {what}",
                needs=(held.name,),
                inputs={"dft": dft, "site": site},
            )
        )
    return tasks


def _basin_tasks(case: Case, held: Task, free: Task) -> list[Task]:
    """Return the slab relaxed again without the adatom, from the held and the free structure."""
    slab = f"{surface_label(case, held.surface)} without {case.adatom}"
    inputs = {key: held.inputs[key] for key in ("fmax", "dft", "site")}
    needs = {held.name: (held.name,), free.name: (free.name, f"{held.name}-basin")}
    return [
        replace(
            task,
            name=f"{task.name}-basin",
            kind="basin",
            title=f"{slab}, from {task.site}, {task.relaxation}",
            needs=needs[task.name],
            inputs=inputs,
        )
        for task in (held, free)
    ]


def _without_dipole(case: Case, surface: Surface) -> bool:
    return case.checks.without_dipole and case.dft.dipole_correction and surface == "host"


def _uncorrected(task: Task) -> Task:
    """Return the task that computes another one's structure without the dipole correction."""
    return replace(
        task,
        name=f"{task.name}-uncorrected",
        kind="uncorrected",
        title=f"{task.title}, without dipole correction",
        needs=(task.name,),
        inputs={"dft": {**task.inputs["dft"], "dipole_correction": False}, "site": task.site},
    )


def _atom_task(case: Case) -> Task:
    name = f"{case.adatom}-atom"
    inputs = {
        "element": case.adatom,
        "box": case.atom.box,
        "dft": _dft(case, None, [case.adatom], slab=False),
    }
    return Task(name, "atom", f"isolated {case.adatom} atom", (), inputs, "metal", structure=name)


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
