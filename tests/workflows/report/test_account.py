"""The account of a case and its sweep: which choices there are, which count, what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import made_up as made
from tests.paths import ROOT
from tests.workflows.report.finished_run import case, evaluation, finish, made_up
from workflows.campaign.directory import read_campaign
from workflows.campaign.sweep import gather
from workflows.case.schema import Checks, Refine, RefinedKPoints, Spin
from workflows.cli import main
from workflows.report.account import account_caption, account_of, choice_in_words, read_sweep
from workflows.report.evaluation import Evaluation
from workflows.report.results import Results, results_of
from workflows.system.messages import UserError
from workflows.tasks.graph import RECIPE, plan
from workflows.tasks.status import State, recipe_of, survey_recorded

LAPTOP, SENSITIVITY = ROOT / "examples" / "laptop", ROOT / "examples" / "sensitivity"


@pytest.fixture(scope="module")
def found() -> Evaluation:
    campaign = read_campaign(LAPTOP)
    return Evaluation(results_of(campaign, 0, survey_recorded(campaign.tasks, LAPTOP)), LAPTOP)


def test_a_case_alone_has_dispersion_reference_hold_and_dipole(found: Evaluation) -> None:
    account = account_of(found)
    assert account is not None
    assert [(choice.name, choice.counted) for choice in account.choices] == [
        ("D3(BJ)", True), ("D3(0)", True), ("D4", True),
        ("against the clean slab", False), ("Na free", False), ("no dipole correction", False),
    ]  # fmt: skip
    held = {s.site: s for s in found.table.sites if s.relaxation == "held"}
    by_name = {choice.name: choice.changes for choice in account.choices}
    for site, of in held.items():
        assert account.plain[site] == pytest.approx(of.adsorption_energy)
        energy, clean = of.adsorption_energy, of.against_clean
        assert energy is not None
        assert clean is not None
        assert by_name["against the clean slab"][site] == pytest.approx(clean - energy)
        assert by_name["D4"][site] == pytest.approx(of.by_dispersion["d4"] - energy)


def test_of_a_sweep_the_farthest_refinement_of_each_setting_counts(found: Evaluation) -> None:
    sweep = read_sweep(SENSITIVITY / "run", found.case, recipe_of(found.results.states))
    account = account_of(found, sweep)
    assert account is not None
    counted = {c.name: c.counted for c in account.choices if c.kind == "refinement"}
    assert counted == {
        "4 layers": False, "5 layers": True, "k-points 6×6×1": True, "cutoff 500 eV": True,
        "atom's box 16 Å": True,
    }  # fmt: skip
    others = [c.name for c in account.choices if c.kind == "alternative"]
    assert others == [
        "against the clean slab", "Na free", "no dipole correction", "3 layers held", "RPBE",
        "data set V5", "spin", "U = 3 eV on V d", "atom's box 10 Å", "√2×√2 cell",
    ]  # fmt: skip
    changes = dict(zip(sweep.energies.choices, sweep.energies.changes("top-V"), strict=True))
    kpoints = next(c for c in account.choices if c.name == "k-points 6×6×1")
    assert kpoints.changes["top-V"] == changes["dft.kpoints.host_slab 6x6x1"]
    assert "hollow" not in kpoints.changes


def test_refined_settings_count_once(found: Evaluation, tmp_path: Path) -> None:
    finer = Refine(cutoff=500.0, kpoints=RefinedKPoints(host_slab=(6, 6, 1)))
    refined = case().model_copy(update={"refine": finer})
    finish(tmp_path, refined)
    mine = evaluation(tmp_path, refined)
    sweep = read_sweep(SENSITIVITY / "run", found.case, recipe_of(found.results.states))
    account = account_of(mine, sweep)
    assert account is not None
    of = next(s for s in mine.table.sites if (s.site, s.relaxation) == ("top-V", "held"))
    assert of.as_relaxed is not None
    assert account.plain["top-V"] == pytest.approx(of.as_relaxed.by_dispersion["none"])
    (choice,) = [c for c in account.choices if c.name == "k-points 6×6×1, cutoff 500 eV"]
    assert choice.changes["top-V"] == pytest.approx(
        of.by_dispersion["none"] - of.as_relaxed.by_dispersion["none"]
    )
    counted = {c.name: c.counted for c in account.choices if c.kind == "refinement"}
    assert counted[choice.name]
    assert not counted["k-points 6×6×1"]
    assert not counted["cutoff 500 eV"]
    assert counted["5 layers"]


def test_functionals_and_spin_of_the_case_itself_are_choices(tmp_path: Path) -> None:
    several = case().model_copy(update={"checks": Checks(functionals=("RPBE", "BEEF-vdW"))})
    finish(tmp_path / "functionals", several)
    mine = evaluation(tmp_path / "functionals", several)
    changes = _changes(mine)
    of = next(s for s in mine.table.sites if (s.site, s.relaxation) == ("top-V", "held"))
    assert changes["RPBE, same structures"]["top-V"] == pytest.approx(
        of.by_functional["RPBE"] - of.by_functional["PBE"]
    )
    assert "BEEF-vdW, same structures" in changes
    assert "PBE, same structures" not in changes

    polarised = case().model_copy(
        update={"dft": case().dft.model_copy(update={"spin": Spin(polarised=True)})}
    )
    for task in plan(polarised).values():
        values = made_up(task)
        if task.surface == "host" and task.kind in ("slab", "held"):
            lower = 0.37 if task.kind == "slab" else 0.2
            moments = {"magnetic_moment": 1.1, "magnetic_moments": [1.0, -0.04, 0.01]}
            values |= moments | {"non_magnetic_energy": values["energy"] + lower}
        if task.kind != "density":
            made.finish(task, tmp_path / "spin", {}, **values)
    # Without spin the clean slab loses more than the slab with Na: binding is stronger by that.
    changes = _changes(evaluation(tmp_path / "spin", polarised))
    assert changes["no spin, same structures"]["top-V"] == pytest.approx(0.2 - 0.37)


def _changes(of: Evaluation) -> dict[str, Mapping[str, float]]:
    account = account_of(of)
    assert account is not None
    return {choice.name: choice.changes for choice in account.choices}


def test_a_sweep_names_its_choices_in_words(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_bytes((SENSITIVITY / "sqrt2.toml").read_bytes())
    path = tmp_path / "sweep.toml"
    path.write_text(
        """base = "base.toml"
        combine = "one-by-one"
        [axes]
        dft.spin.polarised = [true, "auto"]
        dft.hubbard.V = [{ orbital = "d", U = 3.0 }]
        slab.defect = [{ element = "N" }, { element = "N", substitute = "O" }]
        """,
        encoding="utf-8",
    )
    settings = [member.settings for member in gather([str(path)]).members[1:]]
    assert [choice_in_words(*pair) for of in settings for pair in of.items()] == [
        "spin", "spin where a probe finds it", "U = 3 eV on V d", "N vacancy", "O for N",
    ]  # fmt: skip


def test_the_caption_warns_that_no_choice_is_the_truth(found: Evaluation) -> None:
    assert "none of them the truth" in account_caption(found.case).text


def test_a_host_without_published_values_has_no_account(found: Evaluation) -> None:
    other = found.case.model_copy(
        update={"host": found.case.host.model_copy(update={"cation": "Ti"})}
    )
    states: Mapping[str, State] = found.results.states
    assert account_of(Evaluation(Results(states, other), LAPTOP)) is None
    assert account_of(Evaluation(Results({}, found.case), LAPTOP)) is None


@pytest.mark.parametrize(
    ("directory", "said"),
    [
        ("kpoints", "found no one-by-one sweep; allowed: the directory of a sweep with combine ="),
        (".", "allowed"),
    ],
)
def test_what_is_no_such_sweep_is_refused(found: Evaluation, directory: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refusal:
        read_sweep(SENSITIVITY / directory, found.case, RECIPE)
    assert "\n" not in str(refusal.value)


def test_a_sweep_of_another_host_is_refused(found: Evaluation) -> None:
    other = found.case.model_copy(
        update={"host": found.case.host.model_copy(update={"cation": "Ti"})}
    )
    with pytest.raises(UserError, match="found a sweep of Na on VN; allowed: one of Na on TiN"):
        read_sweep(SENSITIVITY / "run", other, RECIPE)


def test_a_sweep_of_another_recipe_is_refused(found: Evaluation) -> None:
    recipe = recipe_of(found.results.states)
    with pytest.raises(UserError, match=f"found results of recipe {recipe}; allowed: those of"):
        read_sweep(SENSITIVITY / "run", found.case, recipe + 1)


def test_several_cases_have_no_sweep_beside_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = str(SENSITIVITY / "run")
    assert main(["report", run, "--with-sweep", run]) == 2
    assert (
        "--with-sweep: found with several cases; allowed: with one case" in capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []
