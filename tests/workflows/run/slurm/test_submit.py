"""The plan of submissions, and the commands, without a scheduler."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.made_up import fail
from tests.paths import ROOT, TINY
from tests.workflows.campaign.test_sweep import sweep
from tests.workflows.run.slurm.test_cluster import TINY_CASES
from workflows.case.reading import read
from workflows.cli import main
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.queue import Queue, _read_ledger
from workflows.run.slurm.script import scripts
from workflows.run.slurm.submit import _chains, bundles, chain, sbatch, submit
from workflows.system.files import write_signed
from workflows.system.messages import UserError
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

PROFILES = ROOT / "workflows" / "run" / "slurm" / "profiles"
CASE = read(TINY)


# ---- what is submitted --------------------------------------------------------------------------


def test_dependencies_are_on_the_command_line() -> None:
    assert sbatch(Path("/r/a.sh"), [], continuation=False) == ["sbatch", "--parsable", "/r/a.sh"]
    assert sbatch(Path("/r/a.sh"), ["afterok:1", "afterok:2"], continuation=True) == [
        "sbatch", "--parsable", "--dependency=afterok:1,afterok:2", "--kill-on-invalid-dep=yes",
        "/r/a.sh", "--continuation",
    ]  # fmt: skip


def test_a_chain_follows_itself_and_starts_after_the_last_job_of_its_parents() -> None:
    commands: list[list[str]] = []

    def submit(command: list[str]) -> str:
        commands.append(command)
        return str(100 + len(commands))

    assert list(chain(Path("a.sh"), ["7"], ["5"], 2, submit)) == ["101", "102", "103"]
    waits = [part for command in commands for part in command if part.startswith("--dep")]
    assert waits == [
        "--dependency=afterok:7,afterany:5", "--dependency=afterok:7,afterany:101",
        "--dependency=afterok:7,afterany:102",
    ]  # fmt: skip
    assert ["--continuation" in command for command in commands] == [False, True, True]


def submitted(root: Path, queue: Queue) -> list[str]:
    """Return the tasks that would be submitted, given these jobs."""
    states = survey(plan(CASE), root)
    settings = Profile(time="1:00:00")
    made = _chains(states, settings, root, queue, lambda *_: "9")
    return [name for names, _ in made for name in names]


def test_what_is_queued_is_not_submitted_and_what_waits_for_a_lost_job_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []

    def call(command: list[str]) -> str:
        cancelled.extend(command[1:])
        return ""

    monkeypatch.setattr("workflows.run.slurm.submit.call", call)
    names = list(plan(CASE))
    ledger = {name: [f"{n}0", f"{n}1"] for n, name in enumerate(names, 1)}
    alive = {job: "pending" for jobs in ledger.values() for job in jobs}
    assert submitted(tmp_path, Queue({}, {})) == names
    assert submitted(tmp_path, Queue(ledger, alive)) == []
    assert cancelled == []
    lost = ledger["Na-slab"][-1]
    after = {job: state for job, state in alive.items() if job != lost}
    hit = [n for n in names if n.startswith("Na-") and n not in ("Na-atom", "Na-lattice")]
    assert submitted(tmp_path, Queue(ledger, after)) == hit
    assert cancelled[0] == ledger["Na-slab"][0]


def test_a_failed_task_is_submitted_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []

    def call(command: list[str]) -> str:
        cancelled.extend(command[1:])
        return ""

    monkeypatch.setattr("workflows.run.slurm.submit.call", call)
    fail(plan(CASE)["Na-atom"], tmp_path)
    ledger = {name: [f"{n}0", f"{n}1"] for n, name in enumerate(plan(CASE), 1)}
    alive = {job: "pending" for jobs in ledger.values() for job in jobs}
    assert submitted(tmp_path, Queue(ledger, alive)) == []  # its second try is still queued
    del alive[ledger["Na-atom"][0]]
    assert submitted(tmp_path, Queue(ledger, alive)) == ["Na-atom"]
    assert cancelled == ledger["Na-atom"][1:]  # a continuation would leave it alone


def test_a_continuation_leaves_a_failed_task_alone(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
    task = plan(CASE)["Na-atom"]
    folder = fail(task, tmp_path)
    assert main(["task", str(tmp_path / "Na-atom"), "--continuation"]) == 3
    assert folder.failure(task.fingerprint({})) is not None


def test_jobs_submitted_before_the_scheduler_refused_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter("12")

    def call(command: list[str]) -> str:
        if command[0] != "sbatch":
            return ""
        if (job := next(ids, "")) == "":
            raise UserError("sbatch: no more jobs for you")
        return job

    monkeypatch.setattr("workflows.run.slurm.queue.call", call)
    settings = Profile(time="1:00:00")
    texts = scripts(TINY_CASES, settings, tmp_path / "run", "cluster.toml")
    with pytest.raises(UserError, match="VN-lattice: sbatch: no more jobs"):
        list(submit(texts))
    assert _read_ledger(tmp_path / "run") == {"VN-lattice": ["1", "2"]}


def test_a_submission_that_is_broken_off_knows_all_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def call(command: list[str]) -> str:
        calls.extend(["sbatch"] if command[0] == "sbatch" else [])
        return str(len(calls)) if command[0] == "sbatch" else ""

    monkeypatch.setattr("workflows.run.slurm.queue.call", call)
    settings = Profile(time="1:00:00")
    texts = scripts(TINY_CASES, settings, tmp_path / "run", "cluster.toml")
    next(submit(texts))
    assert sum(map(len, _read_ledger(tmp_path / "run").values())) == len(calls) == 3


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
    fail(tasks["Na-atom"], tmp_path)
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
    fail(plan(CASE)["Na-atom"], tmp_path, "scf-not-converged", "did not converge")
    names = ("VN-slab", "Na-atom")
    folders = [str(tmp_path / name) for name in names]
    assert main(["task", *folders, "--continuation", "--walltime", "60"]) == 3
    told = capsys.readouterr().err
    assert "VN-slab: waiting: for VN-lattice" in told
    assert "Na-atom: scf-not-converged: did not converge" in told


# ---- the commands -------------------------------------------------------------------------------

PLAIN = ["submit", str(TINY), "--profile", str(PROFILES / "plain.toml")]


def test_a_dry_run_prints_every_script_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "run"
    assert main([*PLAIN, "--into", str(root), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert told.count("#!/bin/bash") == len(plan(CASE))
    assert told.count("# sbatch ") == 3 * len(plan(CASE))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["submit", "cancel"])
def test_without_slurm_it_says_so_in_one_line(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    if verb == "submit":
        root = tmp_path / "run"
        assert main([*PLAIN, "--into", str(root)]) == 2
        assert not root.exists()
    else:
        (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
        assert main(["cancel", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("squeue: no such command; allowed: ")
    assert told.count("\n") == 1


def test_status_without_slurm_shows_the_tasks_and_says_that_the_jobs_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
    write_signed(tmp_path / "jobs.json", {"jobs": {"VN-slab": ["1"]}})
    assert main(["status", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "jobs: not known (squeue: no such command" in told
    assert "VN-slab" in told


def test_a_damaged_record_of_the_jobs_is_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
    (tmp_path / "jobs.json").write_text('{"jobs": {}}')
    assert main(["cancel", str(tmp_path)]) == 2
    assert "jobs.json: damaged" in capsys.readouterr().err
