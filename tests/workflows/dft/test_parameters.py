"""What GPAW is asked for: each setting in its place, an atom, a crystal and a slab told apart."""

import inspect

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from structures.bulk import isolated_atom
from structures.sites import place_adatom
from structures.slab import rocksalt_slab
from workflows.case.schema import DFT, SCF, HubbardU, KPoints
from workflows.dft.interface import IsolatedAtom, Periodic
from workflows.dft.parameters import (
    ROUGH,
    GPAWParameters,
    empty_bands,
    gpaw_parameters,
    grid_points,
)

GRID = (2, 2, 1)
SETTINGS = DFT(
    cutoff=350.0,
    smearing=0.15,
    setups={"V": "5"},
    xc="RPBE",
    kpoints=KPoints(host_bulk=(2, 2, 2), host_slab=GRID, metal_bulk=(2, 2, 2), metal_slab=GRID),
    scf=SCF(energy=1e-4, density=1e-5, eigenstates=1e-7, max_iterations=77),
)
SODIUM = bulk("Na", "bcc", a=4.2)


def slab(cell: str = "1x1") -> Atoms:
    return rocksalt_slab("V", "N", 4.2, layers=2, cell=cell, vacuum=5.0, held_layers=1)


def test_the_settings_of_a_case_are_in_their_places() -> None:
    assert gpaw_parameters(SETTINGS, Periodic((4, 4, 3)), SODIUM) == {
        "mode": {"name": "pw", "ecut": 350.0},
        "xc": "RPBE",
        "setups": {"V": "5"},
        "occupations": {"name": "fermi-dirac", "width": 0.15},
        "eigensolver": {"name": "davidson", "niter": 1},
        "convergence": {"energy": 1e-4, "density": 1e-5, "eigenstates": 1e-7},
        "maxiter": 77,
        "kpts": {"size": (4, 4, 3), "gamma": True},
        "nbands": -6,
    }


def test_a_hubbard_u_stands_behind_the_data_set() -> None:
    of_v = {"V": HubbardU(orbital="d", U=3.0), "N": HubbardU(orbital="p", U=0.5)}
    settings = SETTINGS.model_copy(update={"hubbard": of_v})
    setups = gpaw_parameters(settings, Periodic(GRID), slab())["setups"]
    assert setups == {"V": "5:d,3.0", "N": ":p,0.5"}


def test_an_atom_has_hunds_rule_no_smearing_and_no_k_points() -> None:
    atom = gpaw_parameters(SETTINGS, IsolatedAtom(), isolated_atom("Na", 9.0))
    assert atom["hund"] is True
    assert atom["occupations"] == {"name": "fermi-dirac", "width": 0.0}
    assert atom["eigensolver"] == {"name": "davidson", "niter": 2}
    assert not atom.keys() & {"kpts", "nbands", "gpts", "poissonsolver"}


def test_a_slab_has_a_grid_of_its_own_and_a_dipole_layer_where_it_is_asked_for() -> None:
    with_layer = gpaw_parameters(SETTINGS, Periodic(GRID, dipole_correction=True), slab())
    without = gpaw_parameters(SETTINGS, Periodic(GRID), slab())
    assert with_layer["gpts"] == without["gpts"] == grid_points(slab(), 350.0)
    assert with_layer["poissonsolver"] == {"dipolelayer": "xy"}
    assert "poissonsolver" not in without
    crystal = gpaw_parameters(SETTINGS, Periodic(GRID, dipole_correction=True), SODIUM)
    assert not crystal.keys() & {"gpts", "poissonsolver"}


def test_rough_forces_need_looser_wavefunctions_and_nothing_else() -> None:
    exact = gpaw_parameters(SETTINGS, Periodic(GRID), slab())
    rough = gpaw_parameters(SETTINGS, Periodic(GRID), slab(), rough=True)
    assert rough["convergence"]["eigenstates"] == pytest.approx(ROUGH * 1e-7)
    rough["convergence"]["eigenstates"] = 1e-7
    assert rough == exact


def test_ranks_share_k_points_alone_where_that_is_asked_for() -> None:
    assert "parallel" not in gpaw_parameters(SETTINGS, Periodic(GRID), slab())
    shared = gpaw_parameters(SETTINGS, Periodic(GRID), slab(), share_kpoints_only=True)
    assert shared["parallel"] == {"domain": 1, "band": 1}


def test_a_slab_has_the_symmetry_of_what_is_held_and_of_its_site() -> None:
    bare = gpaw_parameters(SETTINGS, Periodic(GRID), slab())["symmetry"]
    assert len(bare["rotations"]) == 8  # no mirror between the held and the free side
    system = Periodic(GRID, translations=(2, 2))
    sodium = place_adatom(slab("2x2"), "Na", "top-V")
    above_v = gpaw_parameters(SETTINGS, system, sodium)["symmetry"]
    assert len(above_v["rotations"]) == 8
    assert np.unique(above_v["translations"]).tolist() == [0.0, 0.5]


def test_empty_bands_grow_with_the_system() -> None:
    assert empty_bands(SODIUM) == 6
    assert empty_bands(slab("2x2")) == 28


def test_the_grid_is_the_same_with_and_without_adatom() -> None:
    bare = grid_points(slab("2x2"), 400.0, (2, 2))
    sodium = slab("2x2") + Atoms("Na", positions=[[0.3, 0.4, 9.5]])
    assert bare == grid_points(sodium, 400.0, (2, 2))


@pytest.mark.parametrize(("cell", "repeats"), [("2x2", (2, 2)), ("3x2", (3, 2)), ("5x1", (5, 1))])
def test_the_grid_of_a_supercell_repeats_that_of_its_smallest_cell(
    cell: str, repeats: tuple[int, int]
) -> None:
    nx, ny, nz = grid_points(slab(), 400.0)
    assert grid_points(slab(cell), 400.0, repeats) == (nx * repeats[0], ny * repeats[1], nz)


def test_without_its_translations_a_supercell_would_have_another_grid() -> None:
    wide = rocksalt_slab("V", "N", 4.12, layers=2, cell="2x2", vacuum=5.0, held_layers=1)
    assert grid_points(wide, 400.0)[0] == 27
    assert grid_points(wide, 400.0, (2, 2))[0] == 28


def test_a_finer_grid_is_good_for_the_fourier_transform() -> None:
    # h = pi / sqrt(4 E) = 0.2168 angstrom at 400 eV, and 23 and 29 are primes
    cell = Atoms(cell=[0.2168 * 22.5, 0.2168 * 28.5, 0.2168 * 19.9], pbc=(True, True, False))
    assert grid_points(cell, 400.0) == (24, 30, 20)


def test_gpaw_has_every_parameter() -> None:
    from gpaw.dft import GPAW

    assert GPAWParameters.__annotations__.keys() <= inspect.signature(GPAW).parameters.keys()
