"""The ensemble of BEEF-vdW against the covariance that it is drawn from."""

import numpy as np
import pytest
from ase.dft.pars_beefvdw import uiOmega

from analysis.functionals import MEMBERS, deviation, ensemble


def test_the_deviation_is_that_of_the_covariance_matrix() -> None:
    """sqrt(c Omega c), where the coefficient of PBE correlation is minus that of LDA."""
    contributions = np.random.default_rng(5).normal(size=32)
    reduced = np.append(contributions[:30], contributions[30] - contributions[31])
    exact = np.sqrt(reduced @ np.array(uiOmega) @ reduced)
    assert deviation(contributions) == pytest.approx(exact, rel=0.05)


def test_the_members_are_the_same_each_time_and_linear() -> None:
    one, other = np.random.default_rng(6).normal(size=(2, 32))
    assert ensemble(one).shape == (MEMBERS,)
    assert ensemble(one + other) == pytest.approx(ensemble(one) + ensemble(other))
    assert deviation(np.zeros(32)) == 0.0
