"""Cube text: units, round trips and what ASE makes of it."""

from io import StringIO
from math import pi

import ase.io.cube
import numpy as np
import pytest
from ase import Atoms
from ase.units import Bohr

from analysis.charge import Density
from analysis.cube import read_cube, write_cube

CELL = np.array([[4.2, 0.0, 0.0], [2.1, 3.6, 0.0], [0.0, 0.0, 12.0]])
ATOMS = Atoms("NaVN", [[0.0, 0.0, 9.0], [1.0, 2.0, 3.0], [2.0, 0.5, 3.1]], cell=CELL, pbc=True)

TINY = """\
hydrogen by hand
two points along z
    1   0.0   0.0   0.0
    1   2.0   0.0   0.0
    1   0.0   2.0   0.0
    2   0.0   0.0   2.0
    1   1.0   1.0   1.0   2.0
  0.25  -0.50
"""


def density() -> Density:
    return Density(np.random.default_rng(3).normal(size=(3, 4, 7)), CELL)


def written(of: Density, atoms: Atoms = ATOMS, comment: str = "Na on VN") -> str:
    stream = StringIO()
    write_cube(stream, of, atoms, comment)
    return stream.getvalue()


def hydrogen() -> Density:
    """Give the density exp(-2r)/pi e/bohr^3 in e/angstrom^3 at the middle of a box of 16 bohr."""
    x = np.arange(64) * 0.25 - 8.0
    r = np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2)
    return Density(np.exp(-2 * r) / pi / Bohr**3, np.eye(3) * 16.0 * Bohr)


def test_tiny_cube_lengths_are_read_as_bohr() -> None:
    read, _ = read_cube(StringIO(TINY))
    assert read.cell_cv == pytest.approx(np.diag([2.0, 2.0, 4.0]) * 0.529177, abs=1e-5)


def test_tiny_cube_density_is_read_per_bohr3() -> None:
    read, _ = read_cube(StringIO(TINY))
    # 1 e/bohr^3 = 1/0.529177^3 = 6.74833 e/angstrom^3
    assert read.values.ravel() == pytest.approx([0.25 * 6.74833, -0.5 * 6.74833], rel=1e-5)


def test_tiny_cube_atom_is_read_in_angstrom() -> None:
    _, atoms = read_cube(StringIO(TINY))
    assert atoms.positions == pytest.approx(np.array([[1.0, 1.0, 2.0]]) * 0.529177, abs=1e-5)


def test_tiny_cube_integral_is_in_electrons() -> None:
    read, _ = read_cube(StringIO(TINY))
    # voxels of 2 x 2 x 2 bohr^3: 8 (0.25 - 0.50)
    assert read.integral() == pytest.approx(-2.0)


def test_round_trip_keeps_the_density() -> None:
    read, _ = read_cube(StringIO(written(density())))
    assert read.values == pytest.approx(density().values, rel=1e-8)


def test_round_trip_keeps_the_cell() -> None:
    read, _ = read_cube(StringIO(written(density())))
    assert read.cell_cv == pytest.approx(CELL, abs=1e-8)


def test_round_trip_keeps_the_atoms() -> None:
    _, atoms = read_cube(StringIO(written(density())))
    assert (str(atoms.symbols), atoms.positions) == ("NaVN", pytest.approx(ATOMS.positions))


def test_round_trip_without_atoms() -> None:
    _, atoms = read_cube(StringIO(written(density(), Atoms(cell=CELL))))
    assert len(atoms) == 0


def test_hydrogen_in_bohr_peaks_at_one_over_pi() -> None:
    data = ase.io.cube.read_cube(StringIO(written(hydrogen(), Atoms(cell=hydrogen().cell_cv))))
    assert data["data"].max() == pytest.approx(1 / pi, rel=1e-7)


def test_hydrogen_holds_one_electron_in_bohr() -> None:
    data = ase.io.cube.read_cube(StringIO(written(hydrogen(), Atoms(cell=hydrogen().cell_cv))))
    # the cusp costs the grid a little
    assert data["data"].sum() * 0.25**3 == pytest.approx(1.0, abs=5e-3)


def test_ase_reads_our_density_in_its_order() -> None:
    data = ase.io.cube.read_cube(StringIO(written(density())))
    assert data["data"] == pytest.approx(density().values * Bohr**3, rel=1e-8)


def test_ase_reads_our_atoms() -> None:
    atoms = ase.io.cube.read_cube(StringIO(written(density())))["atoms"]
    assert atoms.positions == pytest.approx(ATOMS.positions)


def test_ase_reads_our_cell() -> None:
    atoms = ase.io.cube.read_cube(StringIO(written(density())))["atoms"]
    assert np.asarray(atoms.cell) == pytest.approx(CELL, abs=1e-8)


def test_each_run_along_z_starts_a_line_of_six_numbers() -> None:
    lines = written(density()).splitlines()[6 + len(ATOMS) :]
    assert [len(line.split()) for line in lines] == [6, 1] * 12


def test_comment_stays_on_one_line() -> None:
    assert written(density(), comment="Na\non VN").splitlines()[0] == "Na on VN"


def test_atoms_in_another_cell_are_refused() -> None:
    with pytest.raises(ValueError, match=r"differ by 1\.2 angstrom"):
        written(density(), Atoms(cell=1.1 * CELL))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  0.25  -0.50", "  0.25", r"holds 1 values: its grid \(1, 1, 2\) needs 2"),
        ("-0.50", "-0.50 7.0", "holds 3 values"),
        ("-0.50", "********", "a number of density belongs: .*'[*]+'"),
        ("-0.50", "nan", "not finite"),
        ("    1   0.0   0.0   0.0\n", "    1   0.0\n", "number of atoms and origin needs 4"),
        ("    1   0.0   0.0   0.0\n", "   -1   0.0   0.0   0.0\n", "gives -1 as number of atoms"),
        ("    1   0.0   0.0   0.0\n", "    1   0.0   0.0   3.0\n", "origin at .* zero is needed"),
        ("    1   0.0   0.0   0.0\n", "    1 0 0 0 2\n", "holds 2 values per point"),
        ("    2   0.0   0.0   2.0", "   -2   0.0   0.0   2.0", "gives -2 as number of grid points"),
        ("    2   0.0   0.0   2.0", "  2.5   0.0   0.0   2.0", r"gives 2\.5 as number of grid"),
        ("1   1.0   1.0   1.0", "H   1.0   1.0   1.0", "a number of atom 1 belongs"),
    ],
)
def test_damaged_cube_is_refused_in_one_line(old: str, new: str, message: str) -> None:
    assert old in TINY
    with pytest.raises(ValueError, match=message) as caught:
        read_cube(StringIO(TINY.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lines", range(8))
def test_cube_cut_short_anywhere_is_refused(lines: int) -> None:
    text = "".join(line + "\n" for line in TINY.splitlines()[:lines])
    with pytest.raises(ValueError, match=r"ends early|holds|belongs"):
        read_cube(StringIO(text))
