"""How far energies depend on the functional: the ensemble of BEEF-vdW."""

import functools
from collections.abc import Sequence

import numpy as np

BEEF = "BEEF-vdW"


MEMBERS = 2000  # functionals of the ensemble, as many as usual


@functools.cache
def _coefficients() -> np.ndarray:
    """Return the random coefficients of the ensemble, of shape (members, 32); always the same."""
    # Not at the top: it imports all of ASE's file formats, GPAW's among them.
    from ase.dft.bee import BEEFEnsemble

    made = BEEFEnsemble(None, 0.0, np.zeros(32), "BEEF-vdW", verbose=False)
    return np.array(made.get_beefvdw_ensemble_coefs(MEMBERS, seed=0))


def ensemble(contributions: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the changes of an energy in the ensemble of BEEF-vdW.

    J. Wellendorff et al., PRB 85, 235149 (2012); implemented in ase.dft.bee.

    Parameters
    ----------
    contributions
        The 32 energies in eV that the ensemble's coefficients multiply: of a system, or the
        difference of systems that the energy is.

    Returns
    -------
    numpy.ndarray
        Energy of each member less that of BEEF-vdW in eV, of shape (2000,).
    """
    changes_m = _coefficients() @ np.asarray(contributions)
    return np.asarray(changes_m)


def deviation(contributions: Sequence[float] | np.ndarray) -> float:
    """Return the standard deviation (eV) of an energy in the ensemble; see `ensemble`."""
    return float(ensemble(contributions).std())
