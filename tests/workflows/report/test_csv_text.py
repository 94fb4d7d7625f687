"""Tables as CSV: what a spreadsheet opens, and nothing that it executes."""

import csv
import io

import pytest

from workflows.report.csv_text import csv_text


def back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_numbers_have_six_decimals_and_nothing_is_nothing() -> None:
    assert csv_text(["a_eV", "b"], [[-1.5, None], [2, "x,y"]]) == (
        'a_eV,b\n-1.500000,\n2.000000,"x,y"\n'
    )


@pytest.mark.parametrize(
    "formula",
    ['=HYPERLINK("https://example.org")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"],
)
def test_no_cell_is_a_formula(formula: str) -> None:
    header, first = back(csv_text([formula, "plain"], [[formula, "a=b"]]))
    assert header == [f"'{formula.strip()}", "plain"]
    assert first == [f"'{formula.strip()}", "a=b"]
