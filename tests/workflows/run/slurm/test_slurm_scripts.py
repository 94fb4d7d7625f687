"""Job scripts, profiles and the plan of submissions, without a scheduler."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT, TINY
from workflows.campaign.campaign import alone
from workflows.case.reading import read
from workflows.cli import main
from workflows.preflight.resources import needs
from workflows.run.slurm.cluster import Profile, read_profile
from workflows.run.slurm.queue import Queue, _read_ledger
from workflows.run.slurm.script import scripts
from workflows.run.slurm.submit import _chains, chain, sbatch, submit
from workflows.system.files import write_signed
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

PROFILES = ROOT / "workflows" / "run" / "slurm" / "profiles"
CASE = read(TINY)
TINY_RUN = alone(CASE, TINY.read_bytes())


def profile(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    return read_profile(path)


def made(tmp_path: Path, text: str, root: Path) -> dict[str, str]:
    texts = scripts(alone(CASE), profile(tmp_path, text), root, "cluster.toml")
    return {name: texts.text([name]) for name in texts.campaign.tasks}


def directives(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", text, re.MULTILINE))


# ---- profiles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda p: p.stem)
def test_the_profiles_that_come_with_it_make_scripts(path: Path, tmp_path: Path) -> None:
    texts = scripts(alone(CASE), read_profile(path), tmp_path, str(path))
    assert all(texts.text([name]).startswith("#!/bin/bash") for name in plan(CASE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty", "profile"]),
        ('time = "4:00:00"\npartion = "a"', ["partion: unknown key", "'partition'"]),
        ('time = "4 hours"', ["time", "'4 hours'", "H:MM:SS"]),
        ('time = "0:00:59"', ["time", "'0:00:59'", "0:01:00 to"]),
        ('time = "9999:00:00"', ["time", "2400:00:00"]),
        ('time = "1:00:00"\nmemory = "4 apples"', ["memory", "4 apples", "'4G'"]),
        ('time = "1:00:00"\nranks = 0', ["ranks", "found 0", "1"]),
        ('time = "1:00:00"\nranks = "4"', ["ranks", "a whole number"]),
        ('time = "1:00:00"\nlauncher = "rsh -x"', ["launcher", "rsh -x", "'mpiexec'"]),
        ('time = "1:00:00"\nlauncher = "srun \'"', ["launcher", "'srun --mpi=pmix'"]),
        ('time = "1:00:00"\nmodules = ["a b"]', ["modules.0", "without spaces"]),
        ('time = "1:00:00"\noptions = ["gres"]', ["options.0", "--exclusive"]),
        ('time = "1:00:00"\n[environment]\n"a b" = "c"', ["environment", "name of a variable"]),
        ('time = "1:00:00"\n[environment]\nA = "b\\nc"', ["environment.A", "one line"]),
        (
            'time = "1:00:00"\n[tasks.slab]\nmemroy = "1G"',
            ["tasks.slab.memroy: unknown key", "'memory'"],
        ),
    ],
)
def test_a_mistake_in_a_profile_is_named(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        profile(tmp_path, text)
    message = str(caught.value)
    assert all(word in message for word in ["cluster.toml", *words]), message
    assert "\n" not in message


def test_a_task_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = 'time = "1:00:00"\n[tasks.VN-slap]\nmemory = "1G"'
    with pytest.raises(UserError, match=r"tasks.VN-slap: unknown task \(did you mean 'VN-slab'"):
        made(tmp_path, text, tmp_path)


def test_the_settings_of_a_task_go_before_those_of_its_kind_and_of_all(tmp_path: Path) -> None:
    text = """time = "1:00:00"
        memory = "1G"
        tasks.VN-slab.time = "3:00:00"
        tasks.slab = { time = "2:00:00", memory = "2G" }"""
    texts = made(tmp_path, text, tmp_path)
    asked = {name: (directives(t)["time"], directives(t)["mem"]) for name, t in texts.items()}
    assert asked["VN-lattice"] == ("1:00:00", "1G")
    assert asked["Na-slab"] == ("2:00:00", "2G")
    assert asked["VN-slab"] == ("3:00:00", "2G")


# ---- scripts ------------------------------------------------------------------------------------


def test_a_script_says_what_it_asks_for_and_stops_before_its_time(tmp_path: Path) -> None:
    text = """time = "4:00:00"
        partition = "short"
        modules = ["GCC/13"]
        environment = { A = "b" }
        options = ["--exclusive"]"""
    told = made(tmp_path, text, tmp_path / "run")["VN-slab"]
    asked = directives(told)
    assert asked["job-name"] == "tiny-VN-slab"
    assert asked["output"] == str(tmp_path / "run" / "logs" / "VN-slab.txt")
    assert (asked["time"], asked["partition"], asked["ntasks"]) == ("4:00:00", "short", "1")
    assert re.fullmatch("[0-9]+M", asked["mem"])
    assert {"#SBATCH --exclusive", "module load GCC/13", "export A=b"} <= set(told.split("\n"))
    assert f"task {tmp_path / 'run' / 'VN-slab'} --walltime 3:58:00" in told.split("\n")[-2]
    assert "depend" not in told


def test_without_a_time_a_job_gets_one_by_the_size_of_its_task(tmp_path: Path) -> None:
    texts = made(tmp_path, "continuations = 1", tmp_path)
    assert directives(texts["VN-slab"])["time"] == "1:00:00"
    assert "--walltime 0:58:00" in texts["VN-slab"]
    settings = Profile(ranks=2)
    assert settings.within(3.2 * 3600).time == "4:00:00"
    assert settings.within(1e7).time == "24:00:00"  # continuations go on
    assert Profile(time="0:10:00").within(1e7).time == "0:10:00"
    wanted, task = needs(CASE), plan(CASE)["VN-top-V-held"]
    assert wanted.seconds(task, ranks=2) == wanted.seconds(task) / 2 > 0.0


@pytest.mark.parametrize(
    ("time", "limit"), [("0:01:00", "0:00:45"), ("0:08:00", "0:06:00"), ("100:00:00", "99:58:00")]
)
def test_a_task_stops_itself_before_its_job_ends(time: str, limit: str, tmp_path: Path) -> None:
    told = made(tmp_path, f'time = "{time}"', tmp_path)["Na-atom"]
    assert f"--walltime {limit}" in told


@pytest.mark.parametrize("nasty", ["$(touch HIT)", "`touch HIT`", "a b'; touch HIT; '", '"; x%j#'])
def test_no_name_or_value_is_executed(nasty: str, tmp_path: Path) -> None:
    root = tmp_path / nasty
    text = f"time = '1:00:00'\nenvironment = {{ NASTY = '''{nasty}''' }}"
    told = made(tmp_path, text, root)["VN-slab"]
    spy = "import os, sys; print(sys.argv[1:], [os.environ['NASTY']])"
    told = told.replace("-m workflows.cli", f'-c "{spy}"')
    path = tmp_path / "job.sh"
    path.write_text(told)
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        ["bash", str(path), "--continuation"],
        cwd=home, env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = ["task", str(root / "VN-slab"), "--walltime", "0:58:00", "--continuation"]
    assert done.stdout.strip().endswith(f"{words} {[nasty]}")
    assert list(home.iterdir()) == []


def test_a_path_that_sbatch_would_take_apart_is_refused(tmp_path: Path) -> None:
    for name in ("a\nb", "a\\b"):
        with pytest.raises(UserError, match="allowed: a path without"):
            made(tmp_path, 'time = "1:00:00"', tmp_path / name)


def test_a_module_that_is_not_there_ends_the_job(tmp_path: Path) -> None:
    told = made(tmp_path, 'time = "1:00:00"\nmodules = ["nowhere/1"]', tmp_path)["VN-slab"]
    told = told.replace("set -e", "module() { return 1; }\nset -e")
    done = subprocess.run(["bash", "-c", told], capture_output=True, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("launcher", "words"),
    [
        ("srun --mpi=pmix", "exec srun --ntasks=2 --mpi=pmix /"),
        ("/opt/mpi/bin/mpiexec", "exec /opt/mpi/bin/mpiexec -n 2 /"),
        ("srun '$(touch HIT)'", "exec srun --ntasks=2 '$(touch HIT)' /"),
    ],
)
def test_a_launcher_starts_the_ranks(launcher: str, words: str, tmp_path: Path) -> None:
    text = f"""time = "1:00:00"
        [tasks.VN-slab]
        ranks = 2
        ranks_per_node = 1
        launcher = "{launcher}" """
    texts = made(tmp_path, text, tmp_path)
    asked = directives(texts["VN-slab"])
    assert (asked["ntasks"], asked["ntasks-per-node"]) == ("2", "1")
    assert words in texts["VN-slab"]
    assert int(asked["mem"][:-1]) > int(directives(texts["VN-top-V-held"])["mem"][:-1])
    assert f"exec {sys.executable}" in texts["VN-top-V-held"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ranks = 2", "ranks: found 2 for .* without a launcher; allowed: 1, or"),
        ('launcher = "srun"\n[tasks.Na-slab]\nranks = 2', "Na-slab: found 2, allowed: 1 to 1$"),
    ],
)
def test_ranks_that_cannot_be_used_are_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        made(tmp_path, f'time = "1:00:00"\n{text}', tmp_path)


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
    folder = TaskFolder(tmp_path / "Na-atom")
    task = plan(CASE)["Na-atom"]
    folder.open_for(task.fingerprint({}), task.origin({}))
    folder.fail(task.fingerprint({}), "no_convergence", "did not converge", 1.0)
    ledger = {name: [f"{n}0", f"{n}1"] for n, name in enumerate(plan(CASE), 1)}
    alive = {job: "pending" for jobs in ledger.values() for job in jobs}
    assert submitted(tmp_path, Queue(ledger, alive)) == []  # its second try is still queued
    del alive[ledger["Na-atom"][0]]
    assert submitted(tmp_path, Queue(ledger, alive)) == ["Na-atom"]
    assert cancelled == ledger["Na-atom"][1:]  # a continuation would leave it alone


def test_a_continuation_leaves_a_failed_task_alone(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_bytes(TINY.read_bytes())
    folder = TaskFolder(tmp_path / "Na-atom")
    task = plan(CASE)["Na-atom"]
    folder.open_for(task.fingerprint({}), task.origin({}))
    folder.fail(task.fingerprint({}), "no_convergence", "did not converge", 1.0)
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
    texts = scripts(TINY_RUN, settings, tmp_path / "run", "cluster.toml")
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
    texts = scripts(TINY_RUN, settings, tmp_path / "run", "cluster.toml")
    next(submit(texts))
    assert sum(map(len, _read_ledger(tmp_path / "run").values())) == len(calls) == 3


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
