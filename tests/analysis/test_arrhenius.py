"""The Arrhenius line against data made from a known one."""

from math import isnan, log

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.arrhenius import fit, published_line, read_table

KELVIN = np.array([283.15, 293.15, 303.15, 313.15, 323.15])
TABLE = """\
temperature_K,R_ct_ohm,electrode
293.15,120.0,Na/VN
303.15,60.0,Na/VN
293.15,300.0,bare Na
"""


def resistances(energy: float = 61.42, prefactor: float = 1e10) -> NDArray[np.float64]:
    # R_ct = T exp(E_a/(R T)) / A
    return KELVIN * np.exp(energy * 1000.0 / (8.314462618 * KELVIN)) / prefactor


def test_activation_energy_comes_back() -> None:
    assert fit(KELVIN, resistances()).activation_energy == pytest.approx(61.42, rel=1e-9)


def test_prefactor_comes_back() -> None:
    assert fit(KELVIN, resistances()).log_prefactor == pytest.approx(10 * log(10.0), rel=1e-9)


def test_exact_data_leave_no_error() -> None:
    assert fit(KELVIN, resistances()).activation_energy_error == pytest.approx(0.0, abs=1e-4)


def test_noise_stays_within_three_errors() -> None:
    noise = np.random.default_rng(11).normal(0.0, 0.05, len(KELVIN))
    found = fit(KELVIN, resistances() * np.exp(noise))
    assert abs(found.activation_energy - 61.42) < 3 * found.activation_energy_error


def test_error_grows_with_the_noise() -> None:
    noise = np.random.default_rng(11).normal(0.0, 0.05, len(KELVIN))
    small, large = (fit(KELVIN, resistances() * np.exp(k * noise)) for k in (1, 2))
    assert large.activation_energy_error == pytest.approx(2 * small.activation_energy_error)


def test_standard_error_by_hand() -> None:
    # y = 0, 1, 0 over x = -1, 0, 1 (times h): residuals -1/3, 2/3, -1/3, s^2 = (6/9)/1,
    # error of the slope s/sqrt(sum x^2) = sqrt(2/3)/sqrt(2) = 0.57735 per h
    inverse = np.array([0.003, 0.0032, 0.0034])
    temperatures = 1.0 / inverse
    found = fit(temperatures, temperatures / np.exp([0.0, 1.0, 0.0]))
    expected = 0.5773502692 / 0.0002 * 8.314462618e-3
    assert found.activation_energy_error == pytest.approx(expected, rel=1e-6)


def test_errors_are_those_of_scipy() -> None:
    from scipy.stats import linregress

    noise = np.random.default_rng(5).normal(0.0, 0.05, len(KELVIN))
    ohms = resistances() * np.exp(noise)
    found, line = fit(KELVIN, ohms), linregress(1 / KELVIN, np.log(KELVIN / ohms))
    errors = found.activation_energy_error / 8.314462618e-3, found.log_prefactor_error
    assert errors == pytest.approx((line.stderr, line.intercept_stderr))


def test_order_of_the_points_does_not_matter() -> None:
    forward, backward = fit(KELVIN, resistances()), fit(KELVIN[::-1], resistances()[::-1])
    assert backward.activation_energy == pytest.approx(forward.activation_energy)


def test_unit_of_resistance_does_not_change_the_activation_energy() -> None:
    kiloohm = fit(KELVIN, resistances() / 1000.0)
    assert kiloohm.activation_energy == pytest.approx(61.42)


def test_two_points_give_an_energy() -> None:
    # ln(T/R) falls by 1 as 1/T grows by 0.0002: E_a = R/0.0002
    temperatures = np.array([1 / 0.0030, 1 / 0.0032])
    found = fit(temperatures, temperatures * np.array([1.0, np.e]))
    assert found.activation_energy == pytest.approx(8.314462618e-3 / 0.0002)


def test_two_points_give_no_error() -> None:
    found = fit(KELVIN[:2], resistances()[:2])
    assert isnan(found.activation_energy_error)


def test_prediction_passes_through_exact_data() -> None:
    found = fit(KELVIN, resistances())
    assert found.predict(KELVIN) == pytest.approx(np.log(KELVIN / resistances()))


@pytest.mark.parametrize(
    ("temperatures", "ohms", "message"),
    [
        ([300.0], [1.0], "two or more different ones are needed"),
        ([], [], "two or more different ones are needed"),
        ([300.0, 300.0], [1.0, 2.0], "two or more different ones are needed"),
        ([300.0, 310.0], [1.0], r"shape \(2,\) and resistances \(1,\)"),
        ([300.0, 310.0], [1.0, -2.0], "positive and finite"),
        ([300.0, 310.0], [1.0, float("inf")], "positive and finite"),
        ([300.0, float("nan")], [1.0, 2.0], "must be finite, in kelvin"),
        ([20.0, 30.0], [1.0, 2.0], "kelvin is expected, not degrees Celsius"),
    ],
)
def test_bad_points_are_refused(temperatures: list[float], ohms: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(temperatures, ohms)


def test_published_line_is_zero_at_its_reference() -> None:
    assert published_line(61.42, 1 / 303.15, reference=303.15) == pytest.approx(0.0)


def test_published_line_is_parallel_to_a_fit_of_the_same_energy() -> None:
    line = published_line(61.42, 1 / KELVIN)
    assert np.diff(line) == pytest.approx(np.diff(np.log(KELVIN / resistances())))


@pytest.mark.parametrize("inverse", [3.3, 0.0, -0.003, float("nan")])
def test_published_line_wants_inverse_kelvin(inverse: float) -> None:
    with pytest.raises(ValueError, match=r"1/K from 0 to 0\.0067 are needed"):
        published_line(61.42, [inverse])


def test_table_keeps_the_electrodes_apart_and_in_order() -> None:
    assert list(read_table(TABLE)) == ["Na/VN", "bare Na"]


def test_table_gives_temperatures_and_resistances() -> None:
    temperatures, ohms = read_table(TABLE)["Na/VN"]
    assert (temperatures.tolist(), ohms.tolist()) == ([293.15, 303.15], [120.0, 60.0])


def test_table_columns_come_in_any_order() -> None:
    text = "electrode, note, R_ct_ohm, temperature_K\nNa/VN, after 10 cycles, 120, 293.15\n"
    temperatures, ohms = read_table(text)["Na/VN"]
    assert (temperatures.tolist(), ohms.tolist()) == ([293.15], [120.0])


def test_table_from_a_spreadsheet() -> None:
    # byte-order mark, line ends of Windows, a blank line
    text = "\ufeff" + TABLE.replace("\n", "\r\n") + "\r\n,,\r\n"
    assert list(read_table(text)) == ["Na/VN", "bare Na"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "R_ct_ohm",
            "R_ohm",
            r"line 1: column R_ct_ohm is needed once, found temperature_K, R_ohm",
        ),
        ("120.0", "12O", r"line 2, column R_ct_ohm: a positive number is needed, found '12O'"),
        ("303.15", "-3", r"line 3, column temperature_K: a positive number is needed, found '-3'"),
        ("60.0", "inf", r"line 3, column R_ct_ohm"),
        ("60.0", "", r"line 3, column R_ct_ohm: a positive number is needed, found ''"),
        ("bare Na", "", r"line 4, column electrode: a name is needed"),
        ("300.0,bare", "300,0,bare", r"line 4: 3 columns are needed, found 4"),
    ],
)
def test_table_errors_name_line_and_column(old: str, new: str, message: str) -> None:
    assert old in TABLE
    with pytest.raises(ValueError, match=message):
        read_table(TABLE.replace(old, new, 1))


def test_column_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="column electrode is needed once"):
        read_table(TABLE.replace("electrode", "electrode,electrode"))


@pytest.mark.parametrize("text", ["", "temperature_K,R_ct_ohm,electrode\n"])
def test_empty_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"found nothing|has no data"):
        read_table(text)


def test_several_cells_at_one_temperature_are_fitted_together() -> None:
    # cells that lie as far above the line as below it leave the line where it is
    temperatures, ohms = np.repeat(KELVIN, 2), np.repeat(resistances(), 2)
    found = fit(temperatures, ohms * np.exp(np.tile([0.1, -0.1], len(KELVIN))))
    assert found.activation_energy == pytest.approx(61.42, rel=1e-9)
    assert found.activation_energy_error > 0.0
    assert found.caveat == ""


def test_an_energy_that_the_data_do_not_determine_says_so() -> None:
    noise = np.array([1.0, -2.0, 1.5, -1.0, 0.5])
    assert "do not determine" in fit(KELVIN, resistances(energy=1.0) * np.exp(noise)).caveat


def test_a_negative_energy_says_so() -> None:
    found = fit(KELVIN, resistances(energy=-20.0))
    assert found.activation_energy == pytest.approx(-20.0)
    assert found.caveat.startswith("not above zero")


@pytest.mark.parametrize("text", ["1_00", "\u0661\u0662\u0660", "0x10", "nan", "1e", "1 000"])
def test_what_only_python_reads_as_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 2, column R_ct_ohm: a positive number is needed"):
        read_table(TABLE.replace("120.0", text))


@pytest.mark.parametrize("text", ["120", "120.", ".5", "1.2e2", "+1.2E+02"])
def test_numbers_as_spreadsheets_write_them(text: str) -> None:
    assert read_table(TABLE.replace("120.0", text))["Na/VN"][1][0] == float(text)


def test_thousands_of_electrodes_are_another_column() -> None:
    lines = "".join(f"293.15,120.0,cell {n}\n303.15,60.0,cell {n}\n" for n in range(3000))
    with pytest.raises(ValueError, match="at most 40 names are allowed, found 3000"):
        read_table("temperature_K,R_ct_ohm,electrode\n" + lines)
