"""How GPAW is compiled here: with whatever libraries this machine has, and without those it lacks.

GPAW's setup.py runs this file and takes `compiler`, `mpi`, `libraries`, `noblas`, `fftw` and
`scalapack` from it; whether libxc is there it finds out by itself. What is missing costs speed, not
correctness: GPAW then uses its own functionals, scipy's BLAS and numpy's FFT.
"""

import os
import shutil
import subprocess
import tempfile

from pybind11.setup_helpers import ParallelCompile

ParallelCompile().install()  # on all cores


def _links(program, *flags):
    """Tell whether a small C++ program compiles and links with these flags."""
    with tempfile.TemporaryDirectory() as folder:
        command = [compiler, "-x", "c++", "-", "-o", os.path.join(folder, "a.out"), *flags]  # noqa: PTH118
        try:
            done = subprocess.run(command, input=program.encode(), capture_output=True, check=False)
        except OSError:
            return False
        return done.returncode == 0


_EMPTY = "int main() { return 0; }"

# Without MPI, GPAW's setup.py would compile C++ with gcc and fail: the compiler must be named.
compiler = "mpic++"
mpi = shutil.which(compiler) is not None and _links(
    "#include <mpi.h>\nint main() { return MPI_Init(0, 0); }"
)
if not mpi:
    compiler = os.environ.get("CXX") or "g++"

libraries = ["xc"]  # setup.py takes it out again where libxc is missing
_blas = next((name for name in ("openblas", "blas") if _links(_EMPTY, f"-l{name}")), None)
noblas = _blas is None
if _blas:
    libraries.append(_blas)

fftw = _links("#include <fftw3.h>\nint main() { fftw_cleanup(); return 0; }", "-lfftw3")
if fftw:
    libraries.append("fftw3")

_scalapack = next(
    (
        name
        for name in ("scalapack", "scalapack-openmpi", "scalapack-mpich")
        if mpi and _blas and _links(_EMPTY, f"-l{name}", f"-l{_blas}")
    ),
    None,
)
scalapack = _scalapack is not None
if _scalapack:
    libraries.append(_scalapack)
