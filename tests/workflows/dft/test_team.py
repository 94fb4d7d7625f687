"""Several MPI ranks on one task: the same numbers, one stop for all, no rank left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.paths import ROOT, TINY
from tests.ranks import on_ranks, stopped_by_its_follower
from workflows.campaign.campaign import alone
from workflows.case.reading import read
from workflows.case.schema import Hop
from workflows.cli import main
from workflows.dft.calculation import Calculation
from workflows.dft.installation import libraries
from workflows.preflight.computable import require_computable
from workflows.preflight.rank_limits import require_usable, usable_ranks
from workflows.system.messages import UserError
from workflows.tasks.folder import TaskFolder


@pytest.fixture(scope="module")
def mpiexec(mpi: tuple[str, str]) -> str:
    command, obstacle = mpi
    if obstacle:
        pytest.skip(obstacle)
    return command


def a_run(root: Path) -> Path:
    """Make the directory of a run."""
    root.mkdir()
    (root / "case.toml").write_bytes(TINY.read_bytes())
    return root


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_stop_that_reaches_one_rank_stops_all_and_the_numbers_are_those_of_one_rank(
    mpiexec: str, tmp_path: Path
) -> None:
    root = a_run(tmp_path / "run")
    path = root / "Na-atom"
    # while it iterates to self-consistency
    stopped = stopped_by_its_follower(mpiexec, path, "progress.json")
    assert stopped.returncode == 75
    assert stopped.stderr.count("Na-atom: out of wall-clock time; the same command resumes") == 1
    assert TaskFolder(path, "atom").result() is None

    done = on_ranks(mpiexec, 2, "-m", "workflows.cli", "task", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    several = TaskFolder(path, "atom").result()

    alone = a_run(tmp_path / "alone")
    assert main(["task", str(alone / "Na-atom")]) == 0
    one = TaskFolder(alone / "Na-atom", "atom").result()
    assert several is not None
    assert one is not None
    assert (several.made_with["MPI ranks"], one.made_with["MPI ranks"]) == ("2", "1")
    assert several.fingerprint == one.fingerprint
    on_two: Any = several.values
    on_one: Any = one.values
    assert on_two["magnetic_moment"] == pytest.approx(1.0, abs=1e-3)
    assert on_two["energy"] == pytest.approx(on_one["energy"], abs=1e-5)


PROPERTIES = """
import json, sys
from pathlib import Path
from ase.build import bulk
from workflows.dft.calculation import Calculation
from workflows.dft.interface import Periodic
from workflows.dft.team import team
from workflows.campaign.campaign import alone
from workflows.case.reading import read
def work():
    atoms = bulk("Na", "bcc", a=4.2, cubic=True)
    atoms.positions[0] += 0.1
    dft = read(Path("tests/tiny.toml")).dft
    calculation = Calculation(dft, Periodic((2, 1, 1)), lambda: Path(sys.argv[1]))
    energy, forces = calculation(atoms)
    electrons = calculation.all_electron_density().integral()
    print(json.dumps([energy, forces.tolist(), electrons, calculation.magnetic_moment()]))
    return 0
sys.exit(team().work(work))
"""


@pytest.mark.slow
def test_energy_forces_density_and_moment_on_two_ranks_are_those_of_one(
    mpiexec: str, tmp_path: Path
) -> None:
    found = []
    for ranks in (1, 2):
        done = on_ranks(mpiexec, ranks, "-c", PROPERTIES, tmp_path / f"{ranks}.txt")
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    (energy, forces, electrons, moment), several = found
    assert several[0] == pytest.approx(energy, abs=1e-5)
    assert several[1] == pytest.approx(np.array(forces), abs=1e-4)
    assert np.abs(forces).max() > 0.05
    assert several[2] == pytest.approx(electrons, abs=1e-6)
    assert electrons == pytest.approx(22.0, abs=1e-4)
    assert several[3] == pytest.approx(moment, abs=1e-9)


FAULT = """
import sys
from workflows.dft.calculation import collective
from workflows.dft.interface import NotConverged
from workflows.dft.team import team
class Faulty:
    @collective
    def agreed(self):
        raise NotConverged("on all ranks")
    @collective
    def alone(self):
        if team().rank == 1:
            raise ZeroDivisionError("on one rank")
        team()._comm.barrier()
def work():
    faulty = Faulty()
    try:
        faulty.agreed()
    except NotConverged as error:
        print(error, flush=True)
    faulty.alone()
    return 0
sys.exit(team().work(work))
"""


@pytest.mark.slow
def test_an_error_on_one_rank_ends_all_and_keeps_its_traceback(
    mpiexec: str, tmp_path: Path
) -> None:
    (tmp_path / "faulty.py").write_text(FAULT)
    done = on_ranks(mpiexec, 2, tmp_path / "faulty.py")
    assert done.returncode != 0
    assert "on all ranks\n" in done.stdout
    assert "MPI rank 1 of 2 has ended them all" in done.stderr
    assert "ZeroDivisionError: on one rank" in done.stderr


def test_every_public_method_of_a_calculation_is_called_by_all_ranks() -> None:
    public = {
        name: member
        for name, member in vars(Calculation).items()
        if callable(member) and (name == "__call__" or not name.startswith("_"))
    }
    assert [name for name, member in public.items() if not hasattr(member, "__wrapped__")] == []


# ---- more ranks than can be used ----------------------------------------------------------------


@pytest.mark.slow
def test_the_k_points_that_ranks_can_share_are_those_of_gpaw(tmp_path: Path) -> None:
    case = read(TINY).model_copy(update={"hop": Hop(host="top-V", images=2)})
    cases = require_computable(alone(case), "tiny.toml")
    usable = usable_ranks(cases, cases.campaign.tasks)
    if libraries()["ScaLAPACK"] == "yes":
        pytest.skip("with ScaLAPACK, GPAW shares out more than k-points")
    # Gamma, X, L of the primitive cell; Gamma, X, M of the slab; two spins of the atom
    assert (usable["VN-lattice"], usable["VN-slab"], usable["Na-atom"]) == (3, 3, 2)
    # off its site, no mirror is left: time reversal alone
    assert usable["VN-top-V-free"] == 4
    # two images, none with fewer k-points than the clean slab
    assert usable["VN-top-V-hop"] == 2 * 3
    assert usable["Na-slab"] == usable["Na-hollow-free"] == 1
    require_usable(cases, {"VN-lattice": 3, "Na-slab": 1})
    asked = {"VN-lattice": 3, "Na-slab": 2, "Na-atom": 3}
    with pytest.raises(UserError, match="Na-slab: found 2, allowed: 1 to 1; Na-atom: found 3"):
        require_usable(cases, asked)


@pytest.mark.slow
def test_a_task_on_more_ranks_than_it_can_use_says_so(mpiexec: str, tmp_path: Path) -> None:
    root = a_run(tmp_path / "run")
    done = on_ranks(mpiexec, 3, "-m", "workflows.cli", "task", root / "Na-atom")
    assert done.stderr.count("Na-atom: found 3, allowed: 1 to 2") == 1
    assert done.stderr.count("\n") == 1
    assert done.returncode == 2
    assert [path.name for path in root.iterdir()] == ["case.toml"]


# ---- launchers ----------------------------------------------------------------------------------


def test_only_tasks_run_on_several_ranks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PMI_SIZE", "3")
    assert main(["run", "smoke", "--into", "nowhere"]) == 2
    assert "run: found 3 MPI ranks; allowed: 1" in capsys.readouterr().err


def test_one_rank_of_a_launcher_is_no_rank_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMIX_RANK", "0")  # as in `srun --pty bash`
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert main(["info"]) == 0
    assert "PMIX_RANK" not in os.environ


def test_ranks_that_do_not_see_each_other_are_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "PMI_SIZE": "", "OMPI_COMM_WORLD_SIZE": "2"}  # no such launcher
    path = a_run(tmp_path / "run") / "Na-atom"
    done = subprocess.run(
        [sys.executable, "-m", "workflows.cli", "task", str(path)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "2 MPI ranks" in done.stderr
    assert done.stderr.count("\n") == 1
