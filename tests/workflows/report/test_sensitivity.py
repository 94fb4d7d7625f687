"""By how much one choice moves an adsorption energy: arithmetic, words, picture, a real sweep."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.figures.sensitivity import compose, draw
from analysis.figures.style import Caption
from analysis.sensitivity import Sensitivity
from tests.workflows.campaign.test_campaign import QUICK
from tests.workflows.campaign.test_sweep import sweep
from workflows.cli import main
from workflows.report.sensitivity import _choice, one_by_one

FOUND = Sensitivity(
    choices=("dft.xc RPBE", "slab.layers 5", "atom.box 10"),
    base={"top-V": -1.0, "hollow": -1.5, "bridge": None},
    energies={
        "top-V": (-0.8, -1.25, None),
        "hollow": (-1.4, None, -1.5),
        "bridge": (-1.2, -1.2, -1.2),
    },
)


def test_changes_are_against_the_base_and_only_where_both_are_there() -> None:
    assert list(FOUND.changes("top-V")) == [pytest.approx(0.2), pytest.approx(-0.25), None]
    assert list(FOUND.changes("hollow")) == [pytest.approx(0.1), None, 0.0]
    assert list(FOUND.changes("bridge")) == [None, None, None]


def test_a_site_has_an_energy_for_each_variant() -> None:
    with pytest.raises(ValueError, match="top-V: found 1 energies; allowed: 2"):
        Sensitivity(("a", "b"), {"top-V": -1.0}, {"top-V": (-1.0,)})


def test_the_marks_are_the_changes() -> None:
    ax = draw(Figure().add_subplot(), FOUND)
    drawn = {line.get_label(): np.asarray(line.get_xdata()).tolist() for line in ax.lines}
    assert drawn["top-V"] == pytest.approx([0.2, -0.25])
    assert drawn["hollow"] == pytest.approx([0.1, 0.0])
    assert drawn["bridge"] == []
    assert [label.get_text() for label in ax.get_yticklabels()] == list(FOUND.choices)


def test_the_figure_is_as_wide_as_the_page_and_marked_where_it_must_be() -> None:
    figure = compose(FOUND, Caption("Base: so and so.", physical=False))
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180.0)
    assert any("not physical" in text.get_text() for text in figure.texts)


SWEEP = """combine = "one-by-one"
goal = "adsorption"
[axes]
slab.held_layers = [2]
dft.xc = ["RPBE"]
dft.kpoints.host_slab = [[3, 3, 1]]
dft.dipole_correction = [false]
dft.setups = [{}]
"""


def test_a_choice_is_said_in_words(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, SWEEP)
    assert one_by_one(campaign)
    assert list(map(_choice, campaign.members[1:])) == [
        "slab.held_layers 2",
        "dft.xc RPBE",
        "dft.kpoints.host_slab 3x3x1",
        "dft.dipole_correction off",
        "dft.setups default",
    ]


def test_a_sweep_of_every_combination_has_no_base(tmp_path: Path) -> None:
    assert not one_by_one(sweep(tmp_path, SWEEP.replace("one-by-one", "all")))


@pytest.mark.slow
def test_a_sweep_one_by_one_ends_with_what_each_choice_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(QUICK)
    (tmp_path / "sweep.toml").write_text(
        'base = "tiny.toml"\ncombine = "one-by-one"\ngoal = "adsorption"\n'
        "[axes]\nslab.held_layers = [2]\natom.box = [7.0]\n"
    )
    root = tmp_path / "run"
    assert main(["run", str(tmp_path / "sweep.toml"), "--into", str(root), "--jobs", "2"]) == 0
    assert "By how much one choice moves the adsorption energy" in capsys.readouterr().out
    with (root / "sensitivity.csv").open() as file:
        rows = {row["choice"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["base", "slab.held_layers 2", "atom.box 7"]
    for choice, case in (("slab.held_layers 2", "tiny-held_layers2"), ("atom.box 7", "tiny-box7")):
        energies = {}
        for name in ("tiny", case):
            (site,) = json.loads((root / name / "results.json").read_text())["sites"]
            energies[name] = site["adsorption_energy"]
        change = float(rows[choice]["top-V_change_eV"])
        assert change == pytest.approx(energies[case] - energies["tiny"], abs=1e-6)
        assert abs(change) > 1e-4
    for suffix in ("png", "pdf", "svg"):
        assert (root / "figures" / f"sensitivity.{suffix}").stat().st_size > 5000
