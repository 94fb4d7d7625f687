"""The plan of submissions, and the commands, without a scheduler."""

import re
import shutil
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
from workflows.preflight.computable import Computable, require_computable
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.queue import Job, Queue, queue_again, read_ledger
from workflows.run.slurm.script import Scripts, scripts
from workflows.run.slurm.submit import bundles, chain, chains, plan_jobs, sbatch, submit
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


FOLLOWED = Profile(time="1:00:00", requeue=False)  # each job by two continuations


def texts(root: Path, profile: Profile = FOLLOWED, cases: Computable = TINY_CASES) -> Scripts:
    return scripts(cases, profile, root, "cluster.toml")


def submitted(root: Path, queue: Queue, bundle: int = 1) -> list[str]:
    """Return the tasks that would be submitted, given these jobs."""
    states = survey(plan(CASE), root)
    made = chains(plan_jobs(states, texts(root), queue, bundle), texts(root), queue, lambda *_: "9")
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
    alone = ("Na-atom", "Na-lattice", "Na-probe")
    hit = [n for n in names if n.startswith("Na-") and n not in alone]
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
    root = tmp_path / "run"
    with pytest.raises(UserError, match="VN-probe: sbatch: no more jobs"):
        list(submit(texts(root)))
    assert [(job["id"], job["tasks"]) for job in read_ledger(root)] == [
        ("1", ["VN-probe"]),
        ("2", ["VN-probe"]),
    ]


def test_a_submission_that_is_broken_off_knows_all_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def call(command: list[str]) -> str:
        calls.extend(["sbatch"] if command[0] == "sbatch" else [])
        return str(len(calls)) if command[0] == "sbatch" else ""

    monkeypatch.setattr("workflows.run.slurm.queue.call", call)
    submission = submit(texts(tmp_path / "run"))
    assert next(submission)[0] == ()  # the total
    next(submission)
    assert len(read_ledger(tmp_path / "run")) == len(calls) == 3


# ---- bundles ------------------------------------------------------------------------------------


def test_a_bundle_is_of_one_level_and_waits_for_what_its_tasks_need(tmp_path: Path) -> None:
    campaign = sweep(tmp_path, '[axes]\nslab.cell = ["1x1", "sqrt2", "2x2"]')
    made_of = texts(tmp_path, Profile(time="1:00:00"), require_computable(campaign, "sweep.toml"))
    states = survey(campaign.tasks, tmp_path)
    commands: dict[tuple[str, ...], list[str]] = {}

    def submit(names: Any, command: list[str]) -> str:
        commands[tuple(names)] = command
        return str(len(commands))

    planned = plan_jobs(states, made_of, Queue({}, {}), 3)
    made = list(chains(planned, made_of, Queue({}, {}), submit))
    assert sorted(name for names, _ in made for name in names) == sorted(campaign.tasks)
    assert max(len(names) for names, _ in made) == 3
    job = {name: jobs[-1] for names, jobs in made for name in names}
    for names, command in commands.items():
        needs = {need for name in names for need in campaign.tasks[name].needs}
        waits = next((word for word in command if word.startswith("--dependency=")), "")
        assert {w.split(":")[-1] for w in waits.split(",") if w} == {job[n] for n in needs}


def test_bundles_of_one_are_the_tasks() -> None:
    tasks = list(plan(CASE).values())
    assert list(bundles(tasks, {}, 1)) == [(task.name,) for task in tasks]


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
    assert submitted(tmp_path, Queue(ledger, {"2": "pending"}), bundle=2) == ["Na-atom"]


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
    assert told.count("# sbatch ") == len(plan(CASE))
    assert list(tmp_path.iterdir()) == []


def test_the_total_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PLAIN, "--into", str(tmp_path / "run"), "--dry-run"]) == 0
    total = capsys.readouterr().out.splitlines()[0]
    # by the limits: 2 slabs for 12 h, 7 other tasks for 4 h, each resumed twice
    estimated = r"an estimate of 0\.0\d core-hours \(0\.\d+ to 0\.\d+\) on one rank each"
    assert re.match(f"# 12 jobs for 12 tasks: {estimated}, at most 192 by their", total)
    assert re.search("; up to [0-9]+ MB of memory each$", total)


def test_a_dry_run_warns_as_a_submission_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*PLAIN, "--into", str(tmp_path / "run"), "--dry-run"]) == 0
    assert f"warning: {TINY}: quality: found 'smoke'" in capsys.readouterr().err


@pytest.mark.parametrize(("requeue", "jobs"), [(True, 1), (False, 3)])
def test_a_task_is_one_job_where_jobs_can_queue_themselves_again(
    requeue: bool, jobs: int, tmp_path: Path
) -> None:
    made_of = texts(tmp_path, Profile(time="1:00:00", requeue=requeue))
    planned = plan_jobs(survey(plan(CASE), tmp_path), made_of, Queue({}, {}), 1)
    made = list(chains(planned, made_of, Queue({}, {}), lambda *_: "9"))
    assert {len(ids) for _, ids in made} == {jobs}
    assert planned.summary(made_of).startswith(f"{12 * jobs} jobs for 12 tasks: ")
    text = made_of.text(["VN-slab"])
    assert ("--requeue 2" in text.splitlines()[-1]) == requeue


# ---- whose jobs they are ------------------------------------------------------------------------


def write_ledger(root: Path, directory: str, cluster: str = "c", name: str = "VN-slab") -> None:
    job: Job = {
        "id": "1",
        "name": f"tiny-{name}",
        "tasks": ["VN-slab"],
        "directory": directory,
        "cluster": cluster,
    }
    write_signed(root / "jobs.json", {"jobs": [job]})


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that a scheduler gets; it runs job 1, VN-slab of tmp_path/run."""
    commands: list[list[str]] = []

    def call(command: list[str]) -> str:
        commands.append(command)
        answers = {
            "squeue": f"1|RUNNING|tiny-VN-slab|{tmp_path / 'run'}\n2|PENDING|other|/elsewhere\n",
            "scontrol": "ClusterName             = c\n",
            "sbatch": "77\n",
        }
        return answers.get(command[0], "")

    for module in ("queue", "submit"):
        monkeypatch.setattr(f"workflows.run.slurm.{module}.call", call)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "case.toml").write_bytes(TINY.read_bytes())
    return commands


def cancelled(commands: list[list[str]]) -> list[str]:
    return [word for command in commands if command[0] == "scancel" for word in command[1:]]


def test_cancel_cancels_the_jobs_of_the_directory(
    scheduler: list[list[str]], tmp_path: Path
) -> None:
    write_ledger(tmp_path / "run", str(tmp_path / "run"))
    assert main(["cancel", str(tmp_path / "run")]) == 0
    assert cancelled(scheduler) == ["1"]


def test_a_copy_of_the_directory_has_no_jobs(
    scheduler: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ledger(tmp_path / "run", str(tmp_path / "run"))
    copy = shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert main(["cancel", str(copy)]) == 0
    told = capsys.readouterr().out
    assert f"the jobs in jobs.json are those of {tmp_path / 'run'}, not of this directory" in told
    assert main(["status", str(copy)]) == 0
    assert "VN-slab: 1 running" not in capsys.readouterr().out
    assert main([*PLAIN, "--into", str(copy)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("12 of 12 tasks submitted")
    assert cancelled(scheduler) == []
    assert {job["directory"] for job in read_ledger(copy)} == {str(copy)}


@pytest.mark.parametrize("name", ["Na-slab", "VN-slab-uncorrected"])
def test_a_job_of_another_name_is_not_ours(
    scheduler: list[list[str]], tmp_path: Path, name: str
) -> None:
    """Ids come again when a cluster is set up anew."""
    write_ledger(tmp_path / "run", str(tmp_path / "run"), name=name)
    assert main(["cancel", str(tmp_path / "run")]) == 0
    assert cancelled(scheduler) == []


@pytest.mark.parametrize("verb", ["cancel", "submit"])
def test_jobs_of_another_cluster_are_left_alone(
    scheduler: list[list[str]],
    tmp_path: Path,
    verb: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "run"
    write_ledger(root, str(root), cluster="other")
    assert main([verb, str(root)] if verb == "cancel" else [*PLAIN, "--into", str(root)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"{root}/jobs.json: jobs of cluster 'other', this is 'c'; allowed: the same command there\n"
    )
    assert cancelled(scheduler) == []


# ---- queued again -------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "again"), [("", True), ("1", True), ("2", False)])
def test_a_job_that_runs_out_of_time_queues_itself_again_so_many_times(
    scheduler: list[list[str]], monkeypatch: pytest.MonkeyPatch, count: str, again: bool
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.setenv("SLURM_RESTART_COUNT", count)
    assert queue_again(2) == again
    assert (["scontrol", "requeue", "42"] in scheduler) == again


def test_outside_a_job_nothing_is_queued_again(
    scheduler: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert not queue_again(2)
    assert scheduler == []


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
    write_ledger(tmp_path, str(tmp_path))
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
