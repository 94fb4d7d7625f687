"""Several cases at once: sweeps, what they share, bundles of jobs, convergence studies."""

import csv
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from analysis.convergence import Convergence
from tests.paths import TINY
from workflows.campaign.campaign import Campaign, alone
from workflows.campaign.convergence import AXES, study
from workflows.campaign.directory import read_campaign, require_own, write_campaign
from workflows.campaign.sweep import gather
from workflows.case.reading import read
from workflows.cli import OVER, main
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.queue import Queue
from workflows.run.slurm.submit import _chains, bundles
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

CASE = read(TINY)
# seconds count here: no equation of state, and few steps
QUICK = (
    TINY.read_text()
    .replace("= 4.07", "= 4.07\nlattice_constant = 4.07")
    .replace("fmax = 0.2", "fmax = 1.0")
    .replace("host_slab = [2, 2, 1]", "host_slab = [1, 1, 1]")
)


def sweep(tmp_path: Path, text: str) -> Campaign:
    (tmp_path / "tiny.toml").write_bytes(TINY.read_bytes())
    path = tmp_path / "sweep.toml"
    path.write_text(f'base = "tiny.toml"\n{text}')
    return gather([str(path)])


# ---- sweeps -------------------------------------------------------------------------------------


def test_a_sweep_is_every_combination_of_its_axes(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """[axes]
        "slab.cell" = ["1x1", "sqrt2"]
        host = [{ cation = "V", anion = "N", lattice_guess = 4.1 },
                { cation = "Ti", anion = "N", lattice_guess = 4.2 }]
        adatom = ["Na", { adatom = "Li", metal = { lattice_guess = 3.4 } }]
        """,
    )
    cases = {member.case.name: member.case for member in campaign.members}
    assert len(cases) == 8
    last = cases["tiny-sqrt2-TiN-Li"]
    assert (last.slab.cell, last.host.formula, last.adatom) == ("sqrt2", "TiN", "Li")
    assert last.metal.lattice_guess == 3.4
    # what is named after an element follows it; a data set of V is none of TiN's
    assert last.slab.sites == ("top-Ti",)
    assert last.dft.setups == {}
    assert cases["tiny-1x1-VN-Na"].dft.setups == {"V": "5"}


def test_one_by_one_is_the_base_and_single_changes(tmp_path: Path) -> None:
    campaign = sweep(
        tmp_path,
        """combine = "one-by-one"
        goal = "adsorption"
        [axes]
        slab.cell = ["sqrt2", "2x2"]
        slab.layers = [3]
        dft.xc = ["RPBE"]
        dft.setups = [{}]
        dft.dipole_correction = [false]
        atom.box = [7.5]
        """,
    )
    assert [member.case.name for member in campaign.members] == [
        "tiny", "tiny-sqrt2", "tiny-2x2", "tiny-layers3", "tiny-RPBE", "tiny-setups-default",
        "tiny-dipole_correction-off", "tiny-box7.5",
    ]  # fmt: skip
    assert {task.kind for task in campaign.tasks.values()} == {"lattice", "atom", "slab", "held"}
    of_metal = [task.kind for task in campaign.tasks.values() if task.surface == "metal"]
    assert of_metal == ["atom"] * 3  # of the base, with RPBE, in another box
    assert campaign.members[5].case.dft.setups == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[axes]\n", ["axes", "at least"]),
        ('[axes]\nslab.cell = "2x2"', ["axes.slab.cell", "a list of at least one value"]),
        ("[axes]\nslab.cell = []", ["axes.slab.cell", "a list of at least one value"]),
        ('[axes]\nslab.cel = ["2x2"]', ["axes.slab.cel: unknown field", "'slab.cell'"]),
        ('[axes]\nname = ["a"]', ["axes.name: unknown field"]),
        ('[axes]\nslab.cell = ["2x"]', ["slab.cell: found '2x'", "'2x2'"]),
        ('[axes]\nhost = ["VN"]', ["host: found 'VN'", "a table"]),
        ('[axes]\nsystem = [{ adatm = "Li" }]', ["axes.system: adatm: unknown field", "'adatom'"]),
        ("[axes]\nsystem = [{}]", ["axes.system", "a table without fields"]),
        ("[axes]\nslab.layers = [2, 99]", ["slab.layers: found 99", "at most 40"]),
        ('axis = 1\n[axes]\nslab.cell = ["2x2"]', ["axis: unknown key", "axes"]),
        ('combine = "sum"\n[axes]\nslab.layers = [2]', ["combine: found 'sum'", "'one-by-one'"]),
    ],
)
def test_a_mistake_in_a_sweep_is_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        sweep(tmp_path, text)
    message = str(caught.value)
    assert all(word in message for word in ["sweep.toml: ", *words]), message
    assert "\n" not in message


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text('base = "none.toml"\n[axes]\nslab.layers = [2]')
    with pytest.raises(UserError, match=r"sweep\.toml: base: .*none\.toml: no such file"):
        gather([str(path)])


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match="two cases named 'tiny'; allowed: each name once"):
        gather([str(TINY), str(TINY)])


def test_too_many_cases_are_refused_before_they_are_made(tmp_path: Path) -> None:
    numbers = ", ".join(map(str, range(2, 41)))
    axes = "\n".join(f"slab.{key} = [{numbers}]" for key in ("layers", "vacuum", "held_layers"))
    with pytest.raises(UserError, match="found 59319 cases; allowed: at most 10000"):
        sweep(tmp_path, f"[axes]\n{axes}")


# ---- what cases share ---------------------------------------------------------------------------


def test_equal_tasks_are_one_folder_and_different_ones_are_not(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2"]')
    one, other = (set(names.values()) for names in campaign.names)
    common = {campaign.tasks[folder].label for folder in one & other}
    assert common == {"VN-lattice", "Na-atom", "Na-slab", "Na-hollow-held", "Na-hollow-free"}
    assert len(campaign.tasks) == len(one | other) == 2 * len(plan(CASE)) - len(common)
    for names, member in zip(campaign.names, campaign.members, strict=True):
        for name, task in plan(member.case).items():
            shared = campaign.tasks[names[name]]
            assert shared.inputs == task.inputs
            assert shared.needs == tuple(names[need] for need in task.needs)


def test_whatever_a_task_comes_from_tells_its_folder(tmp_path: Path) -> None:
    """A change far up the chain reaches the last task, whose own inputs are the same."""
    campaign = sweep(tmp_path, "[axes]\ndft.kpoints.host_bulk = [[2, 2, 2], [3, 3, 3]]")
    for one, other in combinations(campaign.names, 2):
        assert one["VN-top-V-density"] != other["VN-top-V-density"]
        assert one["Na-atom"] == other["Na-atom"]


def test_a_task_is_computed_from_the_same_alone_and_shared(tmp_path: Path) -> None:
    """The folder's name is no part of the fingerprint: results can be taken from run to run."""
    campaign = sweep(tmp_path, "[axes]\nslab.layers = [2]")
    for name, task in plan(campaign.members[0].case).items():
        shared = campaign.tasks[campaign.names[0][name]]
        assert shared.label == name
        assert not task.needs or shared.needs != task.needs
        assert shared.origin(_Same()) == task.origin(_Same())


class _Same(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        return type("Result", (), {"digest": "0"})


def test_a_directory_remembers_its_cases_in_order(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["sqrt2", "1x1"]')
    root = tmp_path / "run"
    root.mkdir()
    write_campaign(campaign, root)
    again = read_campaign(root)
    assert again == campaign
    assert list(again.tasks) == list(campaign.tasks)
    fewer = Campaign(campaign.members[:1], True)
    require_own(fewer, root)
    write_campaign(fewer, root)
    assert len(read_campaign(root).members) == 1
    with pytest.raises(UserError, match="several cases, not of one case"):
        require_own(alone(CASE), root)
    with pytest.raises(UserError, match="holds case 'tiny-sqrt2', not 'tiny-layers3'"):
        require_own(sweep(tmp_path, "[axes]\nslab.layers = [3]"), root)
    (root / "campaign.json").write_text("{}")
    with pytest.raises(UserError, match=r"campaign.json: damaged"):
        read_campaign(root)


def test_a_directory_of_one_case_has_the_names_that_it_always_had() -> None:
    assert list(alone(CASE).tasks) == list(plan(CASE))
    assert alone(CASE).tasks == plan(CASE)


# ---- bundles ------------------------------------------------------------------------------------


def test_a_bundle_is_of_one_level_and_waits_for_what_its_tasks_need(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2", "2x2"]')
    settings = Profile(time="1:00:00", continuations=0)
    states = survey(campaign.tasks, tmp_path)
    commands: dict[tuple[str, ...], list[str]] = {}

    def submit(names: Any, command: list[str]) -> str:
        commands[tuple(names)] = command
        return str(len(commands))

    made = list(_chains(states, settings, tmp_path, Queue({}, {}), submit, bundle=3))
    assert sorted(name for names, _ in made for name in names) == sorted(campaign.tasks)
    assert max(len(names) for names, _ in made) == 3
    job = {name: jobs[-1] for names, jobs in made for name in names}
    for names, command in commands.items():
        needs = {need for name in names for need in campaign.tasks[name].needs}
        waits = next((word for word in command if word.startswith("--dependency=")), "")
        assert {w.split(":")[-1] for w in waits.split(",") if w} == {job[n] for n in needs}


def test_bundles_of_one_are_the_tasks() -> None:
    tasks = list(plan(CASE).values())
    assert list(bundles(tasks, Profile(time="1:00:00"), 1)) == [[task.name] for task in tasks]


def test_a_job_that_other_tasks_wait_for_is_not_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a bundle has failed; the other is still in the queue, in the same jobs."""
    monkeypatch.setattr(
        "workflows.run.slurm.submit.call", lambda command: pytest.fail(str(command))
    )
    tasks = plan(CASE)
    folder = TaskFolder(tmp_path / "Na-atom")
    fingerprint = tasks["Na-atom"].fingerprint({})
    folder.open_for(fingerprint, tasks["Na-atom"].origin({}))
    folder.fail(fingerprint, "no_convergence", "did not converge", 1.0)
    ledger = {name: ["1", "2"] for name in tasks}
    queue = Queue(ledger, {"2": "pending"})
    settings = Profile(time="1:00:00")
    states = survey(tasks, tmp_path)
    made = list(_chains(states, settings, tmp_path, queue, lambda *_: "9", bundle=2))
    assert [list(names) for names, _ in made] == [["Na-atom"]]


def test_a_job_of_several_tasks_goes_on_after_one_that_cannot_be_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
    folder, task = TaskFolder(tmp_path / "Na-atom"), plan(CASE)["Na-atom"]
    folder.open_for(task.fingerprint({}), task.origin({}))
    folder.fail(task.fingerprint({}), "no_convergence", "did not converge", 1.0)
    names = ("VN-slab", "Na-atom")
    folders = [str(tmp_path / name) for name in names]
    assert main(["task", *folders, "--continuation", "--walltime", "60"]) == 3
    told = capsys.readouterr().err
    assert "VN-slab: waiting: for VN-lattice" in told
    assert "Na-atom: no_convergence: did not converge" in told


# ---- convergence --------------------------------------------------------------------------------


def convergence(*energies: float | None, tolerance: float = 0.02) -> Convergence:
    values = tuple(str(n) for n in range(len(energies)))
    return Convergence("cutoff", values, tuple(map(float, values)), {"top-V": energies}, tolerance)


@pytest.mark.parametrize(
    ("energies", "recommended"),
    [
        ((-1.0, -1.3, -1.49, -1.5), 2),
        ((-1.5, -1.3, -1.49, -1.5), 2),  # near the last by chance, and away from it again
        ((-1.5, -1.5), 0),
        ((-1.52, -1.5), 0),  # exactly the tolerance
        ((-1.0, -1.3, -1.47, -1.5), None),
        ((-1.0, -1.5, None), None),
        ((-1.5, None, -1.5, -1.5), 2),
    ],
)
def test_the_smallest_value_from_which_on_all_hold_is_recommended(
    energies: tuple[float | None, ...], recommended: int | None
) -> None:
    found = convergence(*energies)
    assert found.recommended == recommended
    words = f"recommended cutoff: {recommended};" if recommended is not None else "no cutoff is"
    assert found.sentence().startswith(words)


def test_the_worst_site_decides() -> None:
    energies = {"top-V": (-1.5, -1.5, -1.5), "hollow": (-1.0, -1.49, -1.5)}
    found = Convergence("layers", ("2", "3", "4"), (2.0, 3.0, 4.0), energies, 0.02)
    assert found.recommended == 1


def test_the_command_knows_every_setting_that_can_be_varied() -> None:
    assert list(OVER) == list(AXES)


@pytest.mark.parametrize(
    ("over", "values", "varied"),
    [
        ("cutoff", None, [(200.0,), (300.0,), (400.0,)]),
        ("kpoints", "2x1,1", [(1, 1, 1), (2, 1, 1)]),
        ("layers", None, [(2,), (3,), (4,)]),
        ("vacuum", "7, 6", [(6.0,), (7.0,)]),
        ("cell", None, [("1x1", (2, 2, 1)), ("sqrt2", (2, 2, 1)), ("2x2", (1, 1, 1)),
                        ("3x3", (1, 1, 1))]),
    ],
)  # fmt: skip
def test_a_study_varies_one_setting(
    over: str, values: str | None, varied: list[tuple[Any, ...]]
) -> None:
    campaign = study(str(TINY), over, values, None, 0.02)
    found = []
    for case in (member.case for member in campaign.members):
        k = case.dft.kpoints.host_slab
        found.append(
            {
                "cutoff": (case.dft.cutoff,),
                "kpoints": k,
                "layers": (case.slab.layers,),
                "vacuum": (case.slab.vacuum,),
                "cell": (case.slab.cell, k),
            }[over]
        )
    assert found == varied
    kinds = [task.kind for task in campaign.tasks.values()]
    assert set(kinds) == {"lattice", "atom", "slab", "held"}
    assert kinds.count("atom") == (len(varied) if over == "cutoff" else 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--values", "300,x"], "--values: found 'x'; allowed: numbers of eV"),
        (["--values", "300"], "--values: found 300; allowed: two or more"),
        (["--values", "100,300"], "tiny.toml with cutoff 100: dft.cutoff: found 100.0; allowed:"),
        (["--site", "top-Ti"], "--site: found 'top-Ti' (did you mean 'top-V'?); allowed: bridge"),
    ],
)
def test_a_mistake_in_a_study_is_one_line(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "run"
    command = ["converge", str(TINY), "--over", "cutoff", "--into", str(into)]
    assert main([*command, *options]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not into.exists()


# ---- real runs ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_cases_compute_what_they_share_once_and_each_has_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(QUICK)
    (tmp_path / "sweep.toml").write_text(
        'base = "tiny.toml"\ngoal = "adsorption"\n[axes]\nslab.sites = [["top-V"], ["hollow"]]\n'
    )
    root = tmp_path / "run"
    assert main(["run", str(tmp_path / "sweep.toml"), "--into", str(root), "--jobs", "2"]) == 0
    assert len(list(root.glob("Na-atom.*"))) == 1
    assert len(list(root.glob("VN-slab.*"))) == 1
    assert len(list(root.glob("VN-*-held.*"))) == 2
    with (root / "energies.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["site"] for row in rows] == ["top-V", "hollow"]
    for row in rows:
        alone_ = json.loads((root / row["case"] / "results.json").read_text())
        (site,) = alone_["sites"]
        assert float(row["adsorption_energy_eV"]) == pytest.approx(
            site["energy"]
            - alone_["references"]["clean_slabs"]["host"]
            - alone_["references"]["atom_energy"],
            abs=1e-6,
        )
    capsys.readouterr()
    assert main(["status", str(root)]) == 0
    assert "4 of 4 tasks done" in capsys.readouterr().out


@pytest.mark.slow
def test_a_study_ends_with_table_plot_and_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(QUICK)
    root = tmp_path / "run"
    study_ = ["converge", str(tmp_path / "tiny.toml"), "--over", "kpoints", "--values", "1,2"]
    assert main([*study_, "--into", str(root), "--tolerance", "50"]) == 0
    data = json.loads((root / "convergence.json").read_text())
    energies = data["adsorption_energy"]["top-V"]
    assert data["difference"]["top-V"] == [energies[0] - energies[1], 0.0]
    assert energies[0] != energies[1]
    assert data["recommended"] == "1×1"
    assert "recommended k-point grid: 1×1;" in capsys.readouterr().out
    for suffix in ("png", "pdf", "svg"):
        assert (root / "figures" / f"convergence.{suffix}").stat().st_size > 5000
    before = (root / "convergence.csv").read_text()
    (root / "convergence.csv").unlink()
    assert main(["report", str(root)]) == 0
    assert (root / "convergence.csv").read_text() == before
