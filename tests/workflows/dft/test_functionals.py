"""Real GPAW: energies with other functionals on a density that is there, in plane waves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk

from structures.bulk import isolated_atom
from workflows.case.schema import DFT, KPoints
from workflows.dft.calculation import Calculation
from workflows.dft.functionals import van_der_waals_bytes
from workflows.dft.interface import IsolatedAtom, Periodic

GRID = (2, 2, 2)
KPOINTS = KPoints(host_bulk=GRID, host_slab=(2, 2, 1), metal_bulk=GRID)
SETTINGS = DFT(cutoff=220.0, smearing=0.1, kpoints=KPOINTS)


def test_memory_of_the_non_local_correlation_knows_of_padding() -> None:
    inside = van_der_waals_bytes((40, 40, 100), (True, True, True))
    padded = van_der_waals_bytes((40, 40, 100), (True, True, False))
    assert padded / inside == pytest.approx(128 / 100)
    assert van_der_waals_bytes((64, 64, 64), (False,) * 3) == van_der_waals_bytes(
        (64, 64, 64), (True,) * 3
    )


@pytest.mark.slow
def test_energies_on_a_density_are_close_to_the_self_consistent_ones(tmp_path: Path) -> None:
    """Cohesive energy of Na with RPBE; and the ensemble's contributions are those of GPAW."""

    def calculation(settings: DFT, name: str) -> Calculation:
        system = IsolatedAtom() if name == "atom" else Periodic(GRID)
        log = tmp_path / f"{settings.xc}-{name}.txt"
        return Calculation(settings, system, lambda: log)

    systems = {"bulk": bulk("Na", "bcc", a=4.2), "atom": isolated_atom("Na", 7.0)}
    rpbe = SETTINGS.model_copy(update={"xc": "RPBE"})
    on_density: dict[str, dict[str, float]] = {}
    consistent: dict[str, float] = {}
    contributions: dict[str, np.ndarray] = {}
    for name, atoms in systems.items():
        made = calculation(SETTINGS, name)
        energy, _ = made(atoms)
        on_density[name] = made.functionals(["BEEF-vdW", "PBEsol", "RPBE", "r2SCAN"])
        assert on_density[name]["PBE"] == pytest.approx(energy)
        contributions[name] = np.array(made.beef_contributions())
        assert contributions[name] == pytest.approx(contributions_of_gpaw(made._calc), abs=1e-6)
        consistent[name], _ = calculation(rpbe, name)(atoms)
    cohesive = {xc: on_density["bulk"][xc] - on_density["atom"][xc] for xc in on_density["bulk"]}
    assert cohesive["RPBE"] == pytest.approx(consistent["bulk"] - consistent["atom"], abs=2e-3)
    assert cohesive["RPBE"] - cohesive["PBE"] > 0.02  # RPBE binds less
    assert cohesive["PBEsol"] < cohesive["PBE"]  # and PBEsol more
    assert len({round(energy, 3) for energy in cohesive.values()}) == 5
    assert np.abs(contributions["bulk"] - contributions["atom"]).max() < 10.0


def contributions_of_gpaw(calc: Any) -> np.ndarray:
    """Return what GPAW's own ensemble has, which it refuses on another functional's density."""
    from gpaw.xc.bee import BEEFEnsemble

    theirs = BEEFEnsemble.__new__(BEEFEnsemble)
    theirs.calc, theirs.bee_type, theirs.e_dft, theirs.e0 = calc, 1, None, None
    exchange = theirs.create_xc_contributions("exch")
    found: np.ndarray = np.append(exchange, theirs.create_xc_contributions("corr"))
    return found
