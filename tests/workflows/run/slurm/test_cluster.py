"""Profiles of clusters: what is taken, and mistakes in them."""

import re
from pathlib import Path

import pytest

from tests.paths import ROOT, TINY
from workflows.campaign.campaign import alone
from workflows.case.reading import read
from workflows.preflight.computable import require_computable
from workflows.run.slurm.cluster import Profile, read_profile
from workflows.run.slurm.script import scripts
from workflows.system.messages import UserError
from workflows.tasks.graph import plan

PROFILES = ROOT / "workflows" / "run" / "slurm" / "profiles"
CASE = read(TINY)
TINY_CASES = require_computable(alone(CASE, TINY.read_bytes()), "tiny.toml")


def profile(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    return read_profile(path)


def made(tmp_path: Path, text: str, root: Path) -> dict[str, str]:
    texts = scripts(TINY_CASES, profile(tmp_path, text), root, "cluster.toml")
    return {name: texts.text([name]) for name in texts.campaign.tasks}


def directives(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda p: p.stem)
def test_the_profiles_that_come_with_it_make_scripts(path: Path, tmp_path: Path) -> None:
    texts = scripts(TINY_CASES, read_profile(path), tmp_path, str(path))
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
        ('options = ["--array=1-3"]', ["options.0", "'--array=1-3'", "breaks its scheme"]),
        ('options = ["--arr=1-3"]', ["options.0", "--array is set", "breaks its scheme"]),
        ('options = ["--dependency=singleton"]', ["options.0", "--dependency"]),
        ('options = ["--wait"]', ["options.0", "--wait"]),
        ('options = ["--out x"]', ["options.0", "--output"]),
        ('options = ["--mem=1G"]', ["options.0", "--mem has a key of its own"]),
        ('options = ["--mail-user=me"]', ["options.0", "--mail-user has a key of its own"]),
        ('mail_type = ["NEVER"]', ["mail_type.0", "'NEVER'", "'FAIL'"]),
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
