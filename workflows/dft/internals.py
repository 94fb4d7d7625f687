"""The parts of GPAW that this folder relies on and that GPAW's documentation does not promise.

They were read in GPAW 26.7.0. When GPAW is upgraded, `missing` says which of them are gone:
tests/workflows/dft/test_internals.py fails with its sentences.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

READ_IN = "26.7.0"  # GPAW's version


class Use(NamedTuple):
    """What a module of this folder needs of GPAW, and what for.

    Attributes
    ----------
    module
        The module that needs it.
    purpose
        What for.
    names
        Full names of classes, functions, attributes; with the parameters that are passed to them,
        in GPAW's order, such as 'gpaw.setup_data.SetupData(symbol, xcsetupname, name)'.
    """

    module: str
    purpose: str
    names: tuple[str, ...]


USES = (
    Use(
        "kpoints.py",
        "counting the k-points that MPI ranks can share",
        (
            "gpaw.dft.Parameters(mode, convergence, eigensolver, gpts, hund, kpts, maxiter, mixer, "
            "nbands, occupations, parallel, poissonsolver, setups, symmetry, xc)",
            "gpaw.dft.Symmetry.build(atoms, setup_ids)",
            "gpaw.dft.MonkhorstPack.build(atoms)",
            "gpaw.new.brillouin.BZPoints.reduce(symmetries, comm, strict)",
            "gpaw.mpi.serial_comm",
        ),
    ),
    Use(
        "calculation.py",
        "moving atoms, and beginning again where they have left their symmetry",
        (
            "gpaw.new.ase_interface.ASECalculator.atoms",
            "gpaw.new.ase_interface.ASECalculator.initialized",
            "gpaw.new.symmetry.SymmetryBrokenError",
        ),
    ),
    Use(
        "calculation.py",
        "the retry ladder, and looser forces far from the minimum",
        (
            "gpaw.new.ase_interface.ASECalculator.dft",
            "gpaw.new.calculation.DFT.change(eigensolver, mixer, occupations, convergence)",
            "gpaw.KohnShamConvergenceError",
        ),
    ),
    Use(
        "calculation.py",
        "refusing structures and MPI ranks in one line",
        ("gpaw.BadParallelization", "gpaw.utilities.AtomsTooClose"),
    ),
    Use(
        "calculation.py",
        "densities, potentials and moments",
        (
            "gpaw.new.ase_interface.ASECalculator.get_all_electron_density(gridrefinement)",
            "gpaw.new.ase_interface.ASECalculator.get_electrostatic_potential",
            "gpaw.new.ase_interface.ASECalculator.get_fermi_level",
            "gpaw.new.ase_interface.ASECalculator.get_magnetic_moment",
        ),
    ),
    Use(
        "calculation.py",
        "writing a .gpw file that any GPAW can read",
        (
            "gpaw.new.ase_interface.ASECalculator.write(filename, mode)",
            "gpaw.dft.MSR1()",
        ),
    ),
    Use(
        "electrons.py",
        "densities of states inside spheres",
        (
            "gpaw.dos.DOSCalculator.from_calculator(filename)",
            "gpaw.dos.DOSCalculator.raw_dos(energies, width)",
            "gpaw.dos.DOSCalculator.calculate(energies, eig_kn, weight_kn, width)",
        ),
    ),
    Use(
        "electrons.py",
        "the electron localisation function",
        ("gpaw.elf.elf_from_dft_calculation(dft, ncut)",),
    ),
    Use(
        "functionals.py",
        "the ensemble of BEEF-vdW",
        (
            "gpaw.xc.XC(kernel, parameters, atoms, collinear, legacy_gpaw)",
            "gpaw.xc.bee.BEE2(parameters)",
            "gpaw.xc.kernel.XCNull",
        ),
    ),
    Use(
        "mixing.py",
        "mixing densities with what earlier ionic steps taught",
        (
            "gpaw.dft.MSR1.cls",
            "gpaw.mixer.msr1.MSR1Mixer._initialize_history_",
            "gpaw.mixer.msr1.MSR1Mixer._mix(nt_sX, D_asii, density)",
            "gpaw.mixer.msr1.MSR1Mixer.reset",
            "gpaw.mixer.msr1.MSR1Mixer.add_compensation_charge(n_sX, D_asii_data, density)",
            "gpaw.mixer.msr1.MSR1Mixer.calculate_charge_sloshing(res_sX)",
        ),
    ),
    Use(
        "mixing.py",
        "moving the density of each free atom with it",
        (
            "gpaw.new.ase_interface.ASECalculator.move_atoms(atoms)",
            "gpaw.new.basis.create_basis(ibz, nspins, pbc_c, grid, setups, dtype, relpos_ac, comm, "
            "kpt_comm, band_comm)",
            "gpaw.new.density.atomic_occupation_numbers(setup, magmom_v, ncomponents, hund, "
            "charge)",
            "gpaw.new.density.Density.normalize(background_charge)",
        ),
    ),
    Use("parameters.py", "the grid", ("gpaw.fftw.get_efficient_fft_size(N)",)),
    Use(
        "parameters.py",
        "symmetry about an adatom that is not at the origin",
        ("gpaw.dft.Symmetry(rotations, translations, atommaps, tolerance)",),
    ),
    Use(
        "datasets.py",
        "PAW data sets",
        ("gpaw.setup_paths", "gpaw.setup_data.SetupData(symbol, xcsetupname, name)"),
    ),
    Use(
        "installation.py",
        "what GPAW was built with",
        (
            "gpaw.get_libraries",
            "gpaw.cgpaw.have_mpi",
            "gpaw.fftw.have_fftw",
            "gpaw.utilities.compiled_with_sl",
        ),
    ),
    Use(
        "team.py",
        "several MPI ranks",
        (
            "gpaw.GPAW_MPI_BACKEND",
            "gpaw.cgpaw.have_mpi",
            "gpaw.mpi.world",
            "gpaw.mpi.broadcast(obj, root, comm)",
            "gpaw.mpi.world.new_communicator",
        ),
    ),
)


# Attributes of a self-consistent calculation: `calc` is what gpaw.GPAW returns, `context` what it
# hands to its hook 'scf_step' after every SCF iteration.
ATTRIBUTES = (
    "calc.hooks",
    "calc.dft.comm",
    "calc.dft.density.D_asii.data",
    "calc.dft.density.ncomponents",
    "calc.dft.density.nct_R.data",
    "calc.dft.density.nt_sR.data",
    "calc.dft.density.nt_sR.desc.comm",
    "calc.dft.energies",
    "calc.dft.ibzwfs.band_comm",
    "calc.dft.ibzwfs.dtype",
    "calc.dft.ibzwfs.ibz",
    "calc.dft.ibzwfs.kpt_comm",
    "calc.dft.pot_calc.calculate",
    "calc.dft.pot_calc.charge",
    "calc.dft.potential.vHt_x",
    "calc.dft.results",
    "calc.dft.scf_loop.mixer.desc.comm",
    "calc.dft.scf_loop.mixer.metric",
    "calc.dft.scf_loop.mixer.world.broadcast",
    "calc.dft.setups",
    "calc.setups",
    "calc.wfs.bd.get_slice",
    "calc.wfs.kpt_u",
    "calc.world.sum",
    "context.dens.error",
    "context.niter",
)


def missing(uses: Iterable[Use] = USES) -> Iterator[str]:
    """Yield a sentence for each part of GPAW that is gone, or no longer takes what it is passed."""
    for use in uses:
        for name in use.names:
            if problem := _problem(name):
                yield (
                    f"{problem}, which workflows/dft/{use.module} needs for {use.purpose} "
                    f"(GPAW {READ_IN} has it)"
                )


def missing_attributes(**objects: Any) -> Iterator[str]:
    """Yield a sentence for each of `ATTRIBUTES` that GPAW's objects, `calc` and `context`, lack."""
    for name in ATTRIBUTES:
        root, *path = name.split(".")
        found = objects[root]
        for attribute in path:
            found = getattr(found, attribute, None)
        if found is None:
            yield f"GPAW's {root} has no {'.'.join(path)} (GPAW {READ_IN} has it)"


def _problem(name: str) -> str:
    """Say what is wrong with a name, with or without parameters; nothing if all is well."""
    dotted, _, parameters = name.rstrip(")").partition("(")
    try:
        found = _find(dotted)
    except (ImportError, AttributeError):
        return f"GPAW has no {dotted}"
    if not parameters:
        return ""
    wanted, known = parameters.split(", "), list(inspect.signature(found).parameters)
    if [name for name in known if name in wanted] == wanted:
        return ""
    return f"GPAW's {dotted} takes ({', '.join(known)}) and not ({parameters})"


def _find(dotted: str) -> Any:
    """Return what a full name leads to, importing the modules on the way.

    Raises
    ------
    ImportError, AttributeError
        There is no such thing.
    """
    package, *path = dotted.split(".")
    found: Any = importlib.import_module(package)
    for part in path:
        package = f"{package}.{part}"
        if inspect.ismodule(found) and not hasattr(found, part):
            found = importlib.import_module(package)
        else:
            found = getattr(found, part)
    return found
