"""What GPAW was built with."""

from __future__ import annotations

from workflows.dft.team import team


def has_scalapack() -> bool:
    """Return whether MPI ranks can share bands and plane waves, not only k-points."""
    from gpaw.utilities import compiled_with_sl

    return bool(compiled_with_sl())


def libraries() -> dict[str, str]:
    """Return what GPAW was built with and how it runs.

    Returns
    -------
    dict
        Facts by name: libxc, BLAS, FFTW, MPI, ScaLAPACK, and the number of MPI ranks of this
        process; written for people to read.

    Raises
    ------
    UserError
        The process was started as one of several MPI ranks, which GPAW cannot see.
    """
    ranks = team().size

    import gpaw
    from gpaw import cgpaw
    from gpaw.fftw import have_fftw
    from gpaw.utilities import compiled_with_sl

    libxc = gpaw.get_libraries()["libxc"]
    mpi = bool(cgpaw.have_mpi)
    return {
        "libxc": str(libxc) if libxc else "no (GPAW's own functionals)",
        "BLAS": "linked" if hasattr(cgpaw, "mmm") else "no (scipy's)",
        "FFTW": "yes" if have_fftw() else "no (numpy's FFT)",
        "MPI": "yes" if mpi else "no",
        "ScaLAPACK": "yes" if mpi and compiled_with_sl() else "no",
        "MPI ranks": str(ranks),
    }


def setup_folders() -> str:
    """Return the folders where GPAW looks for PAW data sets, in its order, separated by commas."""
    import gpaw

    return ", ".join(map(str, gpaw.setup_paths))
