"""How GPAW is compiled: BLAS and FFTW come from wheels where the machine has none."""

from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

# what GPAW's setup.py has made before it runs the file
LISTS = ("library_dirs", "runtime_library_dirs", "include_dirs", "extra_link_args", "define_macros")


def configuration(*changes: tuple[str, str]) -> dict[str, Any]:
    """Return what siteconfig.py sets, some of its text changed."""
    text = (ROOT / "siteconfig.py").read_text(encoding="utf-8")
    for old, new in (("ParallelCompile().install()", "pass"), *changes):
        assert old in text
        text = text.replace(old, new)
    found: dict[str, Any] = {name: [] for name in LISTS}
    exec(compile(text, "siteconfig.py", "exec"), found)  # noqa: S102
    return found


NO_BLAS = ('("openblas", "blas")', '("no-such-blas",)')
NO_FFTW = ('"-lfftw3"', '"-lno-such-fftw"')


def test_a_machine_without_libraries_takes_those_of_the_wheels() -> None:
    pytest.importorskip("scipy_openblas32", reason="the packages that GPAW is compiled with")
    found = configuration(NO_BLAS, NO_FFTW)
    assert not found["noblas"]
    assert found["libraries"] == ["xc", "scipy_openblas"]
    assert ("zgemm_", "scipy_zgemm_") in found["define_macros"]
    assert found["fftw"]
    assert "fftw_execute" in (Path(found["include_dirs"][0]) / "fftw3.h").read_text()
    (library,) = found["extra_link_args"]
    assert found["runtime_library_dirs"] == [*found["library_dirs"], str(Path(library).parent)]


def test_without_libraries_and_wheels_gpaw_does_without() -> None:
    no_wheels = (
        ('find_spec("scipy_openblas32")', 'find_spec("no_such_package")'),
        ('find_spec("pyfftw")', 'find_spec("no_such_package")'),
    )
    found = configuration(NO_BLAS, NO_FFTW, *no_wheels)
    assert found["noblas"]
    assert not found["fftw"]
    assert found["libraries"] == ["xc"]
    assert not found["define_macros"]


def test_a_library_of_another_kind_is_not_linked(tmp_path: Path) -> None:
    links = configuration()["_links"]
    program = 'extern "C" void scipy_dgemm_();\nint main() { scipy_dgemm_(); }'
    assert not links(program)
    text = tmp_path / "libother.so"
    text.write_text("no library")
    assert not links(program, str(text))
