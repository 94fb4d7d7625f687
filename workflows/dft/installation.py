"""What GPAW was built with."""

from __future__ import annotations

from workflows.dft.team import team


def has_scalapack() -> bool:
    """Tell whether bands and plane waves can be shared by MPI ranks, not only k-points."""
    from gpaw.utilities import compiled_with_sl

    return bool(compiled_with_sl())


def libraries() -> dict[str, str]:
    """Return what GPAW was built with and how it runs, for people and for the record."""
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
    """Return where the PAW data sets are."""
    import gpaw

    return ", ".join(map(str, gpaw.setup_paths))
