"""Real runs under a real Slurm: one that the tests start on this machine, for themselves alone."""

import contextlib
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.paths import ROOT, TINY
from workflows.case.reading import read
from workflows.run.slurm.queue import read_ledger
from workflows.tasks.folder import TaskFolder
from workflows.tasks.graph import plan
from workflows.tasks.status import survey

ON_TWO_RANKS = ("VN-lattice", "VN-slab", "VN-top-V-held", "VN-top-V-free", "Na-atom")
DAEMONS = ("munged", "slurmctld", "slurmd")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={root}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory}
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE
"""


def _obstacle() -> str:
    """Return why no Slurm can be started here; empty if one can."""
    commands = (*DAEMONS, "mungekey", "sbatch", "squeue", "scancel", "srun")
    missing = [name for name in commands if shutil.which(name, path=PATH) is None]
    if missing:
        return f"needs {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "slurmd needs root"
    try:
        address = socket.gethostbyname(socket.gethostname())
    except OSError:
        address = "nothing"
    return "" if address.startswith("127.") else f"the host's name means {address}, not 127.0.0.1"


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(_obstacle()), reason=_obstacle() or "Slurm is there"),
]


# ---- a cluster of one node ----------------------------------------------------------------------


def wait_for(true: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.3)


@dataclass
class Cluster:
    """The daemons, and the environment in which commands find them."""

    root: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str | Path) -> None:
        with (self.root / f"{Path(command[0]).name}.txt").open("ab") as output:
            self.processes.append(
                subprocess.Popen(
                    [*map(str, command)], env=self.environment, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=output, start_new_session=True,
                )
            )  # fmt: skip

    def ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def sodiophile(self, *arguments: str | Path, code: int = 0) -> list[str]:
        command = [sys.executable, "-m", "workflows.cli", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.splitlines()

    def queued(self) -> str:
        return self.ask("squeue", "--noheader", "--format=%i %j %T %r")

    def stop(self) -> None:
        jobs = self.ask("squeue", "--noheader", "--format=%i").split()
        if jobs:
            self.ask("scancel", *reversed(jobs))
            with contextlib.suppress(AssertionError):
                wait_for(lambda: not self.queued(), 20, "the jobs to end")
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    root = tmp_path_factory.mktemp("slurm")
    configuration = root / "slurm.conf"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    host = socket.gethostname().split(".")[0]
    configuration.write_text(
        CONFIGURATION.format(
            host=host, ports=_free_ports(2), user=getpass.getuser(), root=root,
            memory=int(0.9 * pages / 2**20),
        )
    )  # fmt: skip
    for name in ("state", "spool"):
        (root / name).mkdir()
    environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(configuration)}
    one = Cluster(root, environment | {"PYTHONPATH": str(ROOT)})
    key, munge = root / "munge.key", root / "munge.socket"
    one.ask("mungekey", "--create", f"--keyfile={key}")
    try:
        one.start(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}",
            f"--pid-file={root}/munge.pid", f"--log-file={root}/munge.log",
            f"--seed-file={root}/munge.seed",
        )  # fmt: skip
        wait_for(munge.exists, 15, "munged")
        one.start("slurmctld", "-D", "-f", configuration)
        one.start("slurmd", "-D", "-f", configuration, "-N", host)
        wait_for(lambda: "idle" in one.ask("sinfo", "-h", "-o", "%T"), 45, "Slurm's node")
        yield one
    finally:
        one.stop()


# ---- a run from end to end ----------------------------------------------------------------------


@dataclass
class Finished:
    """A run, and what its two submissions printed."""

    root: Path
    first: list[str]
    second: list[str]
    stopped: str  # the job of VN-top-V-held, told to stop: it queued itself again
    killed: str  # the first job of VN-top-V-free, which others follow, killed


@pytest.fixture(scope="module")
def finished(
    cluster: Cluster, mpi: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    """Return a run in which a relaxation was told to stop, and another one was killed.

    The first is what comes near the end of a job's time, the second what Slurm does at its end.
    Where there is MPI, all tasks that have the k-points for it run on two ranks.
    """
    root = tmp_path_factory.mktemp("cluster") / "a $(touch HIT) run"
    profile = root.parent / "cluster.toml"
    text = 'time = "0:30:00"\ncontinuations = 2\ntasks.Na-slab.launcher = "srun"\n'
    text += "tasks.VN-top-V-free.requeue = false\n"
    if not mpi[1]:
        more = ((name, "ranks = 2", f'launcher = "{mpi[0]}"') for name in ON_TWO_RANKS)
        text += "".join(f"tasks.{n}.{ranks}\ntasks.{n}.{start}\n" for n, ranks, start in more)
    profile.write_text(text)
    submit = ("submit", TINY, "--into", root, "--profile", profile)
    first, second = cluster.sodiophile(*submit), cluster.sodiophile(*submit)
    jobs = {name: job["id"] for job in reversed(read_ledger(root)) for name in job["tasks"]}
    held = TaskFolder(root / "VN-top-V-held", "held")
    free = TaskFolder(root / "VN-top-V-free", "free")
    wait_for(lambda: held.progress().get("step", 0) >= 1, 300, "a second step")
    cluster.ask("scancel", "--batch", f"--signal={signal.SIGUSR1.name[3:]}", jobs[held.name])
    wait_for((held / "gpaw-2.txt").exists, 300, "the job to start again")
    wait_for(lambda: free.progress().get("step", 0) >= 1, 300, "a second step")
    cluster.ask("scancel", "--full", f"--signal={signal.SIGKILL.name[3:]}", jobs[free.name])
    wait_for(lambda: not cluster.queued(), 400, f"the run in {root}")
    return Finished(root, first, second, jobs[held.name], jobs[free.name])


def test_every_task_is_done_and_the_figure_is_drawn(cluster: Cluster, finished: Finished) -> None:
    states = survey(plan(read(TINY)), finished.root)
    assert {name: state.status for name, state in states.items()} == dict.fromkeys(states, "done")
    cluster.sodiophile("report", finished.root)
    assert (finished.root / "figures" / "fig5.png").stat().st_size > 10_000
    told = cluster.sodiophile("status", finished.root)
    assert told[-1] == "12 of 12 tasks done"
    assert not list(ROOT.rglob("HIT"))


def test_a_task_on_two_ranks_is_done_among_the_others(
    finished: Finished, mpi: tuple[str, str]
) -> None:
    if mpi[1]:
        pytest.skip(mpi[1])
    results = {name: task.folder(finished.root).result() for name, task in plan(read(TINY)).items()}
    ranks = {name: found.made_with["MPI ranks"] for name, found in results.items() if found}
    assert ranks == {name: "2" if name in ON_TWO_RANKS else "1" for name in results}
    assert "cores:  2" in (finished.root / "VN-slab" / "gpaw-1.txt").read_text()


def test_submitting_twice_submits_nothing_new(finished: Finished) -> None:
    assert finished.first[0].startswith("14 jobs for 12 tasks: ")
    assert finished.first[-1].startswith("12 of 12 tasks submitted")
    assert finished.second == ["0 of 12 tasks submitted; the others are done or queued"]


def test_a_job_out_of_time_queues_itself_again_and_resumes(
    cluster: Cluster, finished: Finished
) -> None:
    log = (finished.root / "logs" / "VN-top-V-held.txt").read_text()
    assert log.count("out of wall-clock time; the same command") == 1
    assert log.count(f"job {finished.stopped} is queued again") == 1
    told = cluster.ask("scontrol", "show", "job", finished.stopped)
    assert "Restarts=1 " in told
    assert "JobState=COMPLETED" in told
    assert len(list((finished.root / "VN-top-V-held").glob("gpaw-*.txt"))) == 2


def test_a_task_whose_job_is_killed_is_resumed_by_the_next(
    cluster: Cluster, finished: Finished
) -> None:
    told = cluster.ask("scontrol", "show", "job", finished.killed)
    assert re.search("JobState=(FAILED|CANCELLED|NODE_FAIL)", told)
    assert "ExitCode=0:0" not in told
    assert TaskFolder(finished.root / "VN-top-V-free", "free").result() is not None


def test_a_finished_run_has_nothing_to_submit_or_cancel(
    cluster: Cluster, finished: Finished
) -> None:
    profile = finished.root.parent / "cluster.toml"
    told = cluster.sodiophile("submit", TINY, "--into", finished.root, "--profile", profile)
    assert told[-1].startswith("0 of 12")
    assert cluster.sodiophile("cancel", finished.root) == ["no jobs are queued or running"]


# ---- failures and repairs -----------------------------------------------------------------------


@dataclass
class Failed:
    """A run, and the command that submits it."""

    root: Path
    submit: tuple[str | Path, ...]


@pytest.fixture(scope="module")
def failed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """Return a run in which the relaxations have run out of steps."""
    root = tmp_path_factory.mktemp("cluster") / "run"
    case, profile = root.parent / "case.toml", root.parent / "cluster.toml"
    text = TINY.read_text().replace("max_steps = 40", "max_steps = 1")
    text = text.replace("lattice_guess = 4.07", "lattice_guess = 4.07\nlattice_constant = 4.07")
    case.write_text(text)
    profile.write_text('time = "0:30:00"\ncontinuations = 1\n')
    submit = ("submit", case, "--into", root, "--profile", profile)
    cluster.sodiophile(*submit)
    wait_for(lambda: not cluster.queued(), 200, f"the run in {root}")
    return Failed(root, submit)


def test_a_failed_task_is_tried_once_and_blocks_only_what_needs_it(
    cluster: Cluster, failed: Failed
) -> None:
    states = survey(plan(read(failed.root / "case.toml")), failed.root)
    assert states["VN-slab"].status == "failed"
    assert (states["Na-atom"].status, states["Na-slab"].status) == ("done", "done")
    assert states["VN-top-V-held"].status == "blocked"
    assert len(list((failed.root / "VN-slab").glob("gpaw-*.txt"))) == 1
    assert not (failed.root / "logs" / "VN-top-V-held.txt").exists(), "a dependent was started"
    told = "\n".join(cluster.sodiophile("status", failed.root))
    assert states["VN-slab"].note.split(":")[0] in told
    assert f"VN-slab: log in {failed.root}/logs/VN-slab.txt\n    VN-slab: out-of-steps: " in told


def test_submitting_again_repairs_and_cancel_cancels(cluster: Cluster, failed: Failed) -> None:
    # queued, but not started: it would fail again before it can be cancelled
    cluster.ask("scontrol", "update", "PartitionName=all", "State=DOWN")
    told = cluster.sodiophile(*failed.submit)
    again = [line.split(":")[0] for line in told[:-1]]
    assert again[0].endswith(" jobs for 7 tasks")
    assert again[1] == "VN-slab"
    assert not {"Na-atom", "Na-slab"} & set(again)
    jobs = [x for x in cluster.sodiophile("status", failed.root) if x.startswith("VN-slab: ")]
    assert re.search("[0-9]+ pending", "".join(jobs))
    cancelled = cluster.sodiophile("cancel", failed.root)
    assert [line.split(":")[0] for line in cancelled] == again[1:]
    wait_for(lambda: not cluster.queued(), 30, "the cancelled jobs to end")
    cluster.ask("scontrol", "update", "PartitionName=all", "State=UP")
