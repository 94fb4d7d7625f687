"""Warnings of settings that can be computed but give numbers of little use, with the reason.

What cannot be computed, or is never of use, is refused in `workflows.case`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from ase.data import atomic_numbers, reference_states

from structures.crystals import dimensionality
from structures.sites import nearest_image_distance
from workflows.case.hosts import CrystalHost
from workflows.case.schema import Case, Host, Metal
from workflows.dft.datasets import setups, valence_electrons
from workflows.preflight.computable import Computable
from workflows.preflight.open_shells import has_gap, is_radical, open_shell
from workflows.steps.initial import Structures
from workflows.tasks.graph import FACES, plan, slab_of, surface_label, surface_name, surfaces

LEAST_LAYERS = 3


LEAST_VACUUM = 6.0  # angstrom on each side; the adatom takes a part of it


LEAST_ABOVE = 3.0  # angstrom of vacuum that several adatoms leave above them


LEAST_IMAGE_DISTANCE = 5.0  # angstrom between an adatom and its image


LARGEST_SHARE = 0.25  # of the atoms of an element in the top layer that a defect may replace


LARGEST_SPACING = 0.4  # 1/angstrom between k-points, with 2 pi


LARGEST_SMEARING = 0.2  # eV


LEAST_CUTOFF_FOR_STRESS = 500.0  # eV


LARGEST_FMAX = 0.1  # eV/angstrom


LEAST_BOX = 12.0  # angstrom; Na in PBE: 9 is off by about 70 meV, 12 by about 5


LARGEST_STRAIN = 0.03  # of a given lattice constant, against the guess beside it


LOOSER = 10.0  # times the default of a criterion of self-consistency


def warnings(case: Case, structures: Structures, *, probed: bool = False) -> list[str]:
    """Return a line for each setting that gives numbers of little use: field, found, reason.

    Parameters
    ----------
    structures
        The case's unrelaxed structures.
    probed
        Whether a probe has found if the host's clean slab is magnetic: the rule of thumb is then
        of no use.

    Returns
    -------
    list of str
        Empty for good settings; one line for a smoke case, whatever its settings.
    """
    if not case.physical:
        return ["quality: found 'smoke': not physical, it only shows that the chain works"]
    return [
        *_slabs(case, structures),
        *_defect(case),
        *_host(case),
        *_clusters(case),
        *_above(case, structures),
        *_kpoints(case, structures),
        *_dft(case),
        *_spin(case, probed=probed),
        *_references(case),
    ]


def all_warnings(cases: Computable) -> Iterator[str]:
    """Yield the warnings about all cases, each line with the case's file or name."""
    for case in (member.case for member in cases.campaign.members):
        source = case.name if cases.campaign.shared else cases.source
        yield from (f"{source}: {line}" for line in warnings(case, cases.structures[case.name]))


def _slabs(case: Case, structures: Structures) -> Iterator[str]:
    for surface in surfaces(case):
        table, slab = FACES[surface].slab, slab_of(case, surface)
        if slab.layers < LEAST_LAYERS:
            yield (
                f"{table}.layers: found {slab.layers}: the adatom feels the other side; "
                f"usual: {LEAST_LAYERS} or more"
            )
        elif slab.layers == slab.held_layers:
            yield (
                f"{table}.held_layers: found {slab.held_layers} of {slab.layers}: a rigid slab, as "
                "cut from the bulk; usual: half of them"
            )
        elif slab.layers - slab.held_layers == 1:
            yield (
                f"{table}.held_layers: found {slab.held_layers} of {slab.layers}: "
                "only the top layer can relax; usual: half of them"
            )
        if slab.vacuum < LEAST_VACUUM:
            yield (
                f"{table}.vacuum: found {slab.vacuum:g} Å on each side: the adatom is near the "
                f"next slab; usual: {LEAST_VACUUM:g} or more"
            )
        images = nearest_image_distance(
            structures[f"{surface_name(case, surface)}-{slab.sites[0]}"].atoms
        )
        if images < LEAST_IMAGE_DISTANCE:
            yield (
                f"{table}.cell: found {slab.cell!r}: {case.adatom} is {images:.2f} Å from its "
                f"images, so it is a layer, not an atom; usual: {LEAST_IMAGE_DISTANCE:g} Å or more"
            )


def _host(case: Case) -> Iterator[str]:
    """Yield what may be wrong with a crystal from a file, or with how its lattice is computed."""
    host = case.host
    if not isinstance(host, CrystalHost):
        return
    chosen = host.chosen_termination
    if chosen is not None and chosen.polar:
        yield (
            f"host.termination: found {chosen.name!r} of {surface_label(case, 'host')}, polar "
            "(Tasker type 3): an ideal surface of this type has no finite energy; real ones "
            "reconstruct, lose atoms or adsorb some; usual: one that `sodiophile build` lists "
            "as type 1 or 2"
        )
    by_stress = host.has_lattice_task and not host.is_cubic
    if by_stress and case.dft.cutoff < LEAST_CUTOFF_FOR_STRESS:
        yield (
            f"dft.cutoff: found {case.dft.cutoff:g} eV, and the lattice of {host.formula} is "
            "relaxed by its stress, which is wrong where plane waves are few (Pulay stress); "
            f"usual: {LEAST_CUTOFF_FOR_STRESS:g} or more"
        )
    layered = dimensionality(host.crystal.atoms) == 2
    if by_stress and layered and host.relax_cell is True and case.dft.dispersion == "none":
        yield (
            f"dft.dispersion: found 'none', and the lattice of {host.formula} is relaxed, whose "
            "layers no bonds connect: without dispersion they drift apart; usual: 'd3bj', or "
            "host.relax_cell = 'in-plane'"
        )


def _defect(case: Case) -> Iterator[str]:
    defect, atoms = case.slab.defect, case.slab.equivalent_atoms
    if defect is not None and atoms < 1 / LARGEST_SHARE:
        yield (
            f"slab.defect: found {defect.label!r} with slab.cell = {case.slab.cell!r}: "
            f"it repeats in every cell and replaces {100 / atoms:.0f} % of the {defect.element} of "
            f"the top layer; usual: '2x2' or larger, {100 * LARGEST_SHARE:.0f} % or less"
        )


def _clusters(case: Case) -> Iterator[str]:
    coverage = case.coverage
    if coverage is None or coverage.clusters == 1:
        return
    for surface in surfaces(case):
        if getattr(coverage, surface) and not case.has_room_for_clusters(surface):
            yield (
                f"coverage.clusters: found {coverage.clusters} with {FACES[surface].slab}.cell = "
                f"{slab_of(case, surface).cell!r}, in which a cluster touches its own image: none "
                f"on {surface_label(case, surface)}; usual: a wider cell"
            )


def _above(case: Case, structures: Structures) -> Iterator[str]:
    """Yield a warning for each surface with adatoms upon others that reach the end of its cell."""
    for surface in surfaces(case) if case.coverage else ():
        left = {
            task.site: atoms.cell[2, 2] - atoms.positions[:, 2].max()
            for task in plan(case).values()
            if task.kind == "coverage" and task.surface == surface
            for atoms in [structures[task.structure].atoms]
        }
        highest = min(left, key=lambda name: left[name], default=None)
        if highest is not None and left[highest] < LEAST_ABOVE:
            vacuum, above = slab_of(case, surface).vacuum, left[highest]
            yield (
                f"{FACES[surface].slab}.vacuum: found {vacuum:g} Å on each side: {highest} leaves "
                f"{above:.1f} Å above it; usual: {vacuum + LEAST_ABOVE - above:.1f} or more"
            )


def _kpoints(case: Case, structures: Structures) -> Iterator[str]:
    for task in plan(case).values():
        if task.kind not in ("lattice", "slab"):
            continue
        face = FACES[task.surface]
        key = f"{face.crystal}_bulk" if task.kind == "lattice" else face.kpoints
        grid = task.inputs["dft"]["kpoints"]
        atoms = structures[task.structure].atoms
        period_c = np.where(
            atoms.pbc, 2 * np.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1), 0
        )
        spacing = float((period_c / grid).max())  # the cell's reciprocal vectors, divided
        if spacing > LARGEST_SPACING:
            least = [max(1, math.ceil(period / LARGEST_SPACING)) for period in period_c]
            yield (
                f"dft.kpoints.{key}: found {grid}, {spacing:.2f} 1/Å apart: too coarse for the "
                f"cell; usual: {least} or more, {LARGEST_SPACING:g} 1/Å"
            )


def _dft(case: Case) -> Iterator[str]:
    dft = case.dft
    if not dft.dipole_correction:
        yield (
            "dft.dipole_correction: found false: a slab with an adatom on one side has a dipole "
            "that acts on its images; usual: true"
        )
    if dft.smearing > LARGEST_SMEARING:
        yield (
            f"dft.smearing: found {dft.smearing:g} eV: the extrapolation to zero is poor; "
            f"usual: 0.05 to {LARGEST_SMEARING:g}"
        )
    for symbol, name in dft.setups.items():
        if name not in setups(symbol, dft.xc):
            continue  # refused before anything is computed
        default = dft.model_copy(update={"setups": {}})
        fewer, full = valence_electrons(symbol, dft), valence_electrons(symbol, default)
        if fewer < full:
            electrons = f"{fewer} electron{'s' * (fewer != 1)}"
            yield (
                f"dft.setups.{symbol}: found {name!r}, with {electrons} in "
                f"place of {full}: quick, not for results; usual: the default (leave it out)"
            )
    for name in ("energy", "density", "eigenstates"):
        found, usual = getattr(dft.scf, name), type(dft.scf).model_fields[name].default
        if found > LOOSER * usual:
            yield f"dft.scf.{name}: found {found:g}: energies are not converged; usual: {usual:g}"
    if case.relax.fmax > LARGEST_FMAX:
        yield (
            f"relax.fmax: found {case.relax.fmax:g} eV/Å: relaxations end far from their minimum; "
            f"usual: 0.01 to 0.05"
        )


def _spin(case: Case, *, probed: bool = False) -> Iterator[str]:
    """Yield what may be wrong without spin, or with spin where the clean slab has a moment only."""
    host, adatom, polarised = case.host, case.adatom, case.dft.spin.polarised
    if polarised is True:
        return
    if polarised == "auto":
        decided, better = "computed with spin only if the clean slab has a moment", "true"
    else:
        decided, better = "computed without spin", '"auto"'
    in_doubt = [adatom] if polarised == "auto" or probed else case.elements
    magnetic = {symbol: shell for symbol in in_doubt if (shell := open_shell(symbol))}
    if magnetic:
        shells = " and ".join(f"{s} has an open {shell} shell" for s, shell in magnetic.items())
        yield (
            f"host: found {host.formula} with {adatom}, {decided}: {shells}, and a magnetic moment "
            "can change an adsorption energy by tenths of an eV; compare with dft.spin.polarised = "
            f"{'true' if adatom in magnetic else better}"
        )
    elif is_radical(adatom) and has_gap(host.elements):
        yield (
            f"adatom: found {adatom!r} on {host.formula}, {decided}: on an insulator an atom with "
            "an odd number of electrons may keep its magnetic moment; compare with "
            "dft.spin.polarised = true"
        )


def _references(case: Case) -> Iterator[str]:
    if case.atom.box < LEAST_BOX:
        yield (
            f"atom.box: found {case.atom.box:g} Å: the atom feels the walls, which goes into every "
            f"adsorption energy (70 meV for Na in 9 Å); usual: {LEAST_BOX:g} or more"
        )
    yield from _ground_state(case)
    crystals: dict[str, Host | CrystalHost | Metal] = {"host": case.host, "metal": case.metal}
    for name, crystal in crystals.items():
        if isinstance(crystal, CrystalHost):
            continue
        given, guess = crystal.lattice_constant, crystal.lattice_guess
        if given is None:
            continue
        if abs(given / guess - 1) > LARGEST_STRAIN:
            yield (
                f"{name}.lattice_constant: found {given:g} Å, {100 * (given / guess - 1):+.0f} % "
                "from lattice_guess: the surface is strained; leave it out to have it computed"
            )
        if name == "metal":
            yield (
                "metal.lattice_constant: found a given one: the bulk is not computed, so there is "
                "no cohesive energy and no energy against the metal; leave it out to have them"
            )


def _ground_state(case: Case) -> Iterator[str]:
    """Yield whether the adatom's metal has another structure in its ground state."""
    known = (reference_states[atomic_numbers[case.adatom]] or {}).get("symmetry")
    found = case.metal.structure
    if known in (None, found):
        return
    allowed = f"usual: {known!r}" if known in ("bcc", "fcc") else f"{known} is not supported"
    yield (
        f"metal.structure: found {found!r}; the ground state of {case.adatom} is {known} (ASE's "
        f"reference): energies against the metal are those against another crystal; {allowed}"
    )
