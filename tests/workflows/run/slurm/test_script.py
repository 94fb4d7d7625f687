"""Job scripts, without a scheduler."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import TINY
from tests.workflows.run.slurm.test_cluster import TINY_CASES, directives, made, profile
from workflows.case.reading import read
from workflows.dft.installation import has_scalapack
from workflows.preflight.resources import estimate_needs
from workflows.run.slurm.cluster import Profile
from workflows.run.slurm.script import scripts
from workflows.system.messages import UserError

CASE = read(TINY)


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
    needs = estimate_needs(TINY_CASES).tasks["VN-top-V-held"]
    assert needs.seconds(ranks=2) == needs.seconds() / 2 > 0.0


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
    words = ["task", str(root / "VN-slab"), "--walltime", "0:58:00", "--requeue", "2"]
    assert done.stdout.strip().endswith(f"{[*words, '--continuation']} {[nasty]}")
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


def test_ranks_that_nothing_starts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ranks: found 2 for .* without a launcher; allowed: 1"):
        made(tmp_path, 'time = "1:00:00"\nranks = 2', tmp_path)


@pytest.mark.skipif(has_scalapack(), reason="with ScaLAPACK, GPAW shares out more than k-points")
def test_no_task_gets_more_ranks_than_it_can_use_and_a_note_tells_so(tmp_path: Path) -> None:
    text = 'time = "1:00:00"\nlauncher = "srun"\nranks = 8\nranks_per_node = 4'
    texts = scripts(TINY_CASES, profile(tmp_path, text), tmp_path, "cluster.toml")
    ranks = {name: texts.of([name]).ranks for name in ("VN-slab", "Na-slab", "Na-atom")}
    assert ranks == {"VN-slab": 3, "Na-slab": 1, "Na-atom": 2}
    script = texts.text(["Na-slab"])
    assert (directives(script)["ntasks"], directives(script)["ntasks-per-node"]) == ("1", "1")
    assert "srun --ntasks=1 " in script
    assert "MPI ranks: 2 instead of 8 for Na-atom: no more irreducible" in "\n".join(texts.notes)


def test_mail_is_asked_for(tmp_path: Path) -> None:
    text = 'time = "1:00:00"\nmail_user = "me@here.org"\nmail_type = ["END", "FAIL"]'
    asked = directives(made(tmp_path, text, tmp_path)["VN-slab"])
    assert (asked["mail-user"], asked["mail-type"]) == ("me@here.org", "END,FAIL")


def test_a_job_works_in_the_directory_of_its_run(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    text = made(tmp_path, 'time = "1:00:00"', tmp_path / "link")["VN-slab"]
    assert directives(text)["chdir"] == str(tmp_path / "real")  # as the scheduler tells it again
