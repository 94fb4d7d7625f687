"""The pre-screen's energies, and what is computed once, with ASE's EMT as the potential."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.optimize import minimize_scalar

from structures.sites import place_adatom
from tests.workflows.prescreen.emt import HOSTS, NAME, potential, write_sweep
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import PRESCREEN
from workflows.campaign.sweep import gather
from workflows.prescreen.hosts import Screened, read_prescreen, screen_hosts
from workflows.prescreen.potential import Potential
from workflows.steps.initial import clean_slab
from workflows.system.messages import UserError
from workflows.tasks.graph import slab_task


def screened(campaign: Campaign, root: Path, name: str = NAME) -> dict[str, Screened]:
    found = screen_hosts(campaign, name, potential, root)
    return {case: host for case, host in found if host is not None}


def refuse() -> Potential:
    raise AssertionError("the potential is loaded for nothing")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, Path, dict[str, Screened]]:
    root = tmp_path_factory.mktemp("screened")
    campaign = gather([str(write_sweep(root))])
    return campaign, root, screened(campaign, root)


def test_lattice_constants_are_at_the_minimum(
    run: tuple[Campaign, Path, dict[str, Screened]],
) -> None:
    for name, symbol in (("tiny-NiC", "Ni"), ("tiny-PdC", "Pd")):

        def energy(a: float, symbol: str = symbol) -> float:
            atoms = bulk(f"{symbol}C", "rocksalt", a=a)
            atoms.calc = EMT()
            return float(atoms.get_potential_energy())

        best = minimize_scalar(energy, bounds=(3.6, 4.8), method="bounded").x
        assert run[2][name]["lattice_constant"] == pytest.approx(best, abs=0.003)


def test_the_energy_is_against_an_atom_of_the_metal(tmp_path: Path) -> None:
    # On a rigid slab the held adatom has one coordinate: its height.
    held, sites = "held_layers = 1\n", 'sites = ["hollow", "top-Pd"]'
    rigid = {held + sites: 'held_layers = 2\nsites = ["hollow"]'}
    hosts = HOSTS.replace("lattice_guess = 4.4", "lattice_guess = 4.4, lattice_constant = 4.4")
    campaign = gather([str(write_sweep(tmp_path, hosts, **rigid))])
    (energy,) = screened(campaign, tmp_path)["tiny-PdC"]["against_metal"].values()

    case = campaign.members[1].case
    slab = clean_slab(slab_task(case, "host"), 4.4)
    placed = place_adatom(slab, "Al", "hollow")
    top = slab.positions[:, 2].max()

    def at(height: float) -> float:
        atoms = placed.copy()
        atoms.positions[-1, 2] = top + height
        atoms.calc = EMT()
        return float(atoms.get_potential_energy())

    slab.calc = EMT()
    metal = bulk("Al", "fcc", a=3.994)
    metal.calc = EMT()
    expected = (
        minimize_scalar(at, bounds=(0.8, 3.5), method="bounded").fun
        - slab.get_potential_energy()
        - metal.get_potential_energy()
    )
    assert energy == pytest.approx(expected, abs=0.003)


def test_what_is_known_is_not_computed_again(
    run: tuple[Campaign, Path, dict[str, Screened]],
) -> None:
    campaign, root, first = run
    again = dict(screen_hosts(campaign, NAME, refuse, root))
    assert again == first
    record = read_prescreen(root)
    assert record is not None
    assert record["cases"] == first
    assert record["potential"] == NAME


def test_dft_settings_do_not_matter_and_others_do(
    run: tuple[Campaign, Path, dict[str, Screened]], tmp_path: Path
) -> None:
    _, root, first = run
    finer = gather([str(write_sweep(tmp_path, **{"cutoff = 200.0": "cutoff = 300.0"}))])
    assert dict(screen_hosts(finer, NAME, refuse, root)) == first
    thicker = gather([str(write_sweep(tmp_path, **{"layers = 2": "layers = 3"}))])
    with pytest.raises(AssertionError, match="for nothing"):
        list(screen_hosts(thicker, NAME, refuse, root))
    with pytest.raises(AssertionError, match="for nothing"):  # another potential
        list(screen_hosts(finer, "EMT 2", refuse, root))


@pytest.mark.parametrize("content", [b"", b"{}", b'{"cases": {"tiny-NiC": 1}}', b"\x80\x04N."])
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PRESCREEN).write_bytes(content)
    assert read_prescreen(tmp_path) is None


def test_an_element_that_the_potential_does_not_know_is_refused(tmp_path: Path) -> None:
    hosts = HOSTS.replace('cation = "Ni"', 'cation = "Pb"')
    campaign = gather([str(write_sweep(tmp_path, hosts))])
    with pytest.raises(
        UserError, match=r"tiny-PbC: found Pb, which EMT .* allowed: Ag, Al, C, Ni, Pd"
    ):
        screened(campaign, tmp_path)
    assert not (tmp_path / PRESCREEN).exists()


def test_a_face_of_an_element_has_all_its_sites(tmp_path: Path) -> None:
    hosts = """base = "tiny.toml"
[axes]
host = [{ element = "Ag", miller = [1, 1, 1] }]
"""
    all_sites = {'sites = ["hollow", "top-Pd"]': 'sites = "all"', '"1x1"': '"2x2"'}
    campaign = gather([str(write_sweep(tmp_path, hosts, **all_sites))])
    (found,) = screened(campaign, tmp_path).values()
    assert found["missing"] == {}
    assert found["lattice_constant"] == pytest.approx(4.06, abs=0.03)  # EMT's
    energies = found["against_metal"]
    assert energies.keys() == {"bridge", "hollow-fcc", "hollow-hcp", "top-Ag"}
    assert energies["hollow-fcc"] < energies["bridge"] < energies["top-Ag"]
    assert energies["hollow-fcc"] == pytest.approx(energies["hollow-hcp"], abs=0.03)


def test_energies_are_finite_and_of_all_sites(
    run: tuple[Campaign, Path, dict[str, Screened]],
) -> None:
    for member in run[0].members:
        energies = run[2][member.case.name]["against_metal"]
        assert tuple(energies) == member.case.slab.sites
        assert np.isfinite(list(energies.values())).all()
