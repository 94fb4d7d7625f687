"""How GPAW is compiled here: with the libraries of this machine, else with those of Python wheels.

GPAW's setup.py runs this file and takes `compiler`, `mpi`, `libraries`, `noblas`, `fftw` and
`scalapack` from it; whether libxc is there it finds out by itself. BLAS and FFTW come from the
wheels scipy-openblas32 and pyfftw where the machine lacks them. What is missing altogether costs
speed, not correctness: GPAW then uses its own functionals, and BLAS and FFT by way of scipy.
"""

import atexit
import importlib.util
import os
import pathlib
import shutil
import subprocess
import tempfile

from pybind11.setup_helpers import ParallelCompile

ParallelCompile().install()  # on all cores


def _links(program, *flags):
    """Tell whether a small C++ program compiles and links with these flags."""
    with tempfile.TemporaryDirectory() as folder:
        source = ["-x", "c++", "-", "-x", "none"]
        command = [compiler, *source, "-o", os.path.join(folder, "a.out"), *flags]  # noqa: PTH118
        try:
            done = subprocess.run(command, input=program.encode(), capture_output=True, check=False)
        except OSError:
            return False
        return done.returncode == 0


def _use_openblas_of_wheel():
    """Link with the OpenBLAS of the wheel scipy-openblas32; tell whether that works.

    The names of its functions have a prefix, so that it stays apart from any other BLAS.
    """
    if importlib.util.find_spec("scipy_openblas32") is None:
        return False
    import scipy_openblas32

    folder, name = scipy_openblas32.get_lib_dir(), scipy_openblas32.get_library()
    program = 'extern "C" void scipy_dgemm_();\nint main() { scipy_dgemm_(); }'
    if not _links(program, f"-L{folder}", f"-l{name}"):
        return False
    libraries.append(name)
    library_dirs.append(folder)
    runtime_library_dirs.append(folder)
    for function in ("dgemm", "zgemm", "dsyrk", "zherk", "dsyr2k", "zher2k"):  # all that GPAW calls
        define_macros.append((f"{function}_", f"scipy_{function}_"))
    return True


# The wheel pyfftw has the library, but no header. These are the functions that GPAW calls, as
# FFTW's manual declares them (version 3.3, sections 4.2.1, 4.3.1 and 4.3.3).
_FFTW_HEADER = """\
#ifdef __cplusplus
extern "C" {
#endif
typedef struct fftw_plan_s *fftw_plan;
typedef double fftw_complex[2];
fftw_plan fftw_plan_dft(int, const int *, fftw_complex *, fftw_complex *, int, unsigned);
fftw_plan fftw_plan_dft_r2c(int, const int *, double *, fftw_complex *, unsigned);
fftw_plan fftw_plan_dft_c2r(int, const int *, fftw_complex *, double *, unsigned);
void fftw_execute(const fftw_plan);
void fftw_destroy_plan(fftw_plan);
#ifdef __cplusplus
}
#endif
"""


def _use_fftw_of_wheel():
    """Link with the FFTW of the wheel pyfftw; tell whether that works."""
    found = importlib.util.find_spec("pyfftw")
    if found is None:
        return False
    folder = pathlib.Path(found.submodule_search_locations[0]).parent / "pyfftw.libs"
    for library in folder.glob("libfftw3-*.so*"):  # in double precision, without threads
        if _links(f"{_FFTW_HEADER}int main() {{ fftw_execute(nullptr); }}", str(library)):
            header = tempfile.mkdtemp()
            atexit.register(shutil.rmtree, header)
            (pathlib.Path(header) / "fftw3.h").write_text(_FFTW_HEADER, encoding="ascii")
            include_dirs.append(header)
            extra_link_args.append(str(library))
            runtime_library_dirs.append(str(folder))
            return True
    return False


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
if _blas:
    libraries.append(_blas)
    noblas = False
else:
    noblas = not _use_openblas_of_wheel()

if _links("#include <fftw3.h>\nint main() { fftw_cleanup(); return 0; }", "-lfftw3"):
    libraries.append("fftw3")
    fftw = True
else:
    fftw = _use_fftw_of_wheel()

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
