"""Spacings by hand, patterns by extinction rules and Bragg's law."""

import math
import subprocess
import sys

import pytest
from ase.build import make_supercell

from structures.bulk import isolated_atom, metal, rocksalt
from structures.diffraction import interplanar_spacing, powder_pattern

CU_KA = 1.54184  # angstrom


@pytest.mark.parametrize(
    ("hkl", "spacing"),
    [((2, 0, 0), 2.06), ((0, 0, -1), 4.12), ((1, 1, 1), 2.378683), ((2, 2, 0), 1.456640)],
)
def test_spacing(hkl: tuple[int, int, int], spacing: float) -> None:
    assert interplanar_spacing(4.12, hkl) == pytest.approx(spacing, abs=1e-6)


def test_spacing_of_no_plane_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hkl is \(0, 0, 0\)"):
        interplanar_spacing(4.12, (0, 0, 0))


def test_spacing_needs_a_lattice() -> None:
    with pytest.raises(ValueError, match=r"lattice_constant is -1\.0 angstrom"):
        interplanar_spacing(-1.0, (2, 0, 0))


def test_rocksalt_shows_all_odd_or_all_even_indices() -> None:
    shown = [line.hkl for line in powder_pattern(rocksalt("V", "N", 4.12))]
    assert shown == [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2)]


def test_bcc_shows_even_sums_of_indices() -> None:
    shown = [line.hkl for line in powder_pattern(metal("Na", "bcc", 4.19))]
    assert shown[:3] == [(1, 1, 0), (2, 0, 0), (2, 1, 1)]
    assert all(sum(hkl) % 2 == 0 for hkl in shown)


def test_lines_obey_bragg() -> None:
    for line in powder_pattern(rocksalt("V", "N", 4.12)):
        assert line.d_spacing == pytest.approx(interplanar_spacing(4.12, line.hkl))
        angle = 2 * math.degrees(math.asin(CU_KA / (2 * line.d_spacing)))
        assert line.two_theta == pytest.approx(angle, abs=1e-3)


def test_strongest_line_of_vn_is_200() -> None:
    strongest = max(powder_pattern(rocksalt("V", "N", 4.12)), key=lambda line: line.intensity)
    assert strongest.hkl == (2, 0, 0)
    assert strongest.intensity == pytest.approx(100.0)


def test_pattern_does_not_depend_on_the_cell() -> None:
    primitive = rocksalt("V", "N", 4.12)
    cube = make_supercell(primitive, [[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    for one, other in zip(powder_pattern(primitive), powder_pattern(cube), strict=True):
        assert one.hkl == other.hkl
        assert one.intensity == pytest.approx(other.intensity)


def test_shorter_waves_scatter_less_wide() -> None:
    crystal = rocksalt("V", "N", 4.12)
    molybdenum, copper = (powder_pattern(crystal, source)[0] for source in ("MoKa", "CuKa"))
    assert molybdenum.two_theta < copper.two_theta


def test_unknown_radiation_is_refused() -> None:
    with pytest.raises(ValueError, match="wavelength is 'sunlight': it must be one of CuKa"):
        powder_pattern(rocksalt("V", "N", 4.12), "sunlight")


def test_an_isolated_atom_has_no_pattern() -> None:
    with pytest.raises(ValueError, match="Na is periodic along 0 of 3 cell vectors"):
        powder_pattern(isolated_atom("Na", 9.0))


def test_importing_the_module_leaves_pymatgen_alone() -> None:
    code = "import sys, structures.diffraction; sys.exit('pymatgen' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
