"""Rates and diffusion of hops, against a walk by hand and one at random."""

import math

import numpy as np
import pytest

from analysis.hop import Hopping


def test_a_barrier_of_one_kt_takes_one_e_of_the_rate() -> None:
    kt = 8.617333e-5 * 300.0
    free, hindered = (Hopping(e, 2.9, 4, 1e12, 300.0).rate for e in (0.0, kt))
    assert free == 4e12
    assert hindered == pytest.approx(4e12 / math.e, rel=1e-5)


def test_the_diffusion_length_is_that_of_a_random_walk() -> None:
    hopping = Hopping(barrier=0.0, length=3.0, neighbours=4, prefactor=250.0, temperature=300.0)
    hops = round(hopping.rate)  # in a second
    steps = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    walks = steps[np.random.default_rng(0).integers(0, 4, (2000, hops))].sum(axis=1) * 3.0
    root_mean_square = math.sqrt((walks**2).sum(axis=1).mean())  # angstrom
    assert 1e4 * hopping.diffusion_length() == pytest.approx(root_mean_square, rel=0.05)
    assert hopping.diffusion_length(4.0) == pytest.approx(2 * hopping.diffusion_length())


def test_the_coefficient_is_in_square_centimetres_per_second() -> None:
    # 1e12 hops of 2 angstrom: 1e12 x 4e-16 / 4
    assert Hopping(0.0, 2.0, 1, 1e12, 300.0).diffusion_coefficient == pytest.approx(1e-4)
