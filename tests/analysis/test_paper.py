"""The published numbers, held against sentences typed off the page."""

import re

import pytest

from analysis import paper

TEXT = (
    "The calculated adsorption energy of a Na atom on the bridge, hollow, top on V and top on N "
    "sites is -1.564, -1.457, -1.830 and -1.358 eV, respectively (Fig. 5e). Obviously, these "
    "adsorption energies are negative, and significantly less than that of bare Na (-0.860 eV),"
)
KINETICS = (
    "the calculated Ea for Na+ deposition on Na/VN is 61.42 kJ mol-1, which is smaller than that "
    "of bare Na (72.96 kJ mol-1)"
)
SPACINGS = (
    "the interplanar spacing of 0.20 and 0.23 nm corresponds to the (200) and (111) planes of VN"
)


def decimals(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]


def test_adsorption_energies_are_those_of_the_text() -> None:
    sites = ("bridge", "hollow", "top-V", "top-N")
    printed = [*(paper.ADSORPTION_ENERGIES[site] for site in sites), paper.BARE_NA]
    assert printed == decimals(TEXT)


def test_activation_energies_are_those_of_the_text() -> None:
    printed = [paper.ACTIVATION_ENERGIES[name] for name in ("Na/VN", "bare Na")]
    assert printed == decimals(KINETICS)


def test_spacings_are_those_of_the_text_in_angstrom() -> None:
    printed = [paper.LATTICE_SPACINGS[plane] for plane in ((2, 0, 0), (1, 1, 1))]
    assert printed == pytest.approx([10.0 * nanometre for nanometre in decimals(SPACINGS)])


def test_spacings_belong_to_one_cubic_lattice() -> None:
    # a = d sqrt(h^2 + k^2 + l^2), each d printed to 0.1 angstrom
    edges = [
        d * sum(index**2 for index in plane) ** 0.5 for plane, d in paper.LATTICE_SPACINGS.items()
    ]
    assert max(edges) - min(edges) < 0.1 * 3**0.5


def test_rings_stand_in_the_printed_order() -> None:
    printed = re.findall(r"\((\d)(\d)(\d)\)", "(111), (200), (311) and (222) planes of cubic VN")
    assert [tuple(map(str, ring)) for ring in paper.SAED_RINGS] == printed
    assert paper.JCPDS in "planes of cubic VN (JCPDS No. 73-0528)"


def test_published_energy_of_sodium_on_vanadium_nitride() -> None:
    assert paper.published_energy("VN", "Na", "top-V") == -1.830


@pytest.mark.parametrize(
    ("host", "adatom", "site"),
    [("TiN", "Na", "hollow"), ("VN", "Li", "hollow"), ("Na", "Na", "hollow"), ("VN", "Na", "edge")],
)
def test_other_systems_have_no_published_energy(host: str, adatom: str, site: str) -> None:
    assert paper.published_energy(host, adatom, site) is None
