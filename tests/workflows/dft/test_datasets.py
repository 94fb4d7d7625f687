"""The content of PAW data sets belongs to a task: another one under the same name is seen."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import gpaw
import pytest

from tests.paths import ROOT
from workflows.campaign.directory import read_campaign
from workflows.case.reading import find, read
from workflows.dft import datasets
from workflows.dft.datasets import data_set_digests, data_set_file
from workflows.tasks.graph import plan
from workflows.tasks.status import survey_recorded

LAPTOP = ROOT / "examples" / "laptop"


@pytest.fixture
def other_sodium(tmp_path: Path) -> Iterator[Path]:
    """Put a data set of Na with other contents before the installed one, under the same name."""
    installed = data_set_file("Na", "PBE")
    assert installed
    content = gzip.decompress(Path(installed).read_bytes())
    assert b"core=" in content
    path = tmp_path / "setups" / "Na.PBE.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(content.replace(b"core=", b" core=", 1)))
    gpaw.setup_paths.insert(0, str(path.parent))  # as GPAW_SETUP_PATH does
    datasets._digest.cache_clear()  # read once in a process
    yield path
    del gpaw.setup_paths[0]
    datasets._digest.cache_clear()


@pytest.mark.parametrize(
    ("symbol", "xc", "name"),
    [("V", "PBE", ""), ("V", "PBE", "5"), ("N", "RPBE", ""), ("Na", "revPBE", "1")],
)
def test_the_file_is_the_one_that_gpaw_reads(symbol: str, xc: str, name: str) -> None:
    from gpaw.setup_data import SetupData

    assert data_set_file(symbol, xc, name) == SetupData(symbol, xc, name or "paw").filename


def test_gpaw_reads_the_one_that_comes_first(other_sodium: Path) -> None:
    from gpaw.setup_data import SetupData

    assert data_set_file("Na", "PBE") == str(other_sodium) == SetupData("Na", "PBE").filename


def test_a_data_set_that_is_not_there_has_no_digest() -> None:
    assert data_set_digests(["Na"], "PBE", {"Na": "nowhere"}) == {"Na": ""}


def test_packing_does_not_matter(other_sodium: Path) -> None:
    packed = data_set_digests(["Na"], "PBE", {})
    other_sodium.with_suffix("").write_bytes(gzip.decompress(other_sodium.read_bytes()))
    other_sodium.unlink()
    datasets._digest.cache_clear()
    assert data_set_digests(["Na"], "PBE", {}) == packed


def test_each_task_names_the_elements_whose_data_sets_it_reads() -> None:
    tasks = plan(read(find("laptop")))
    elements = {name: set(task.elements) for name, task in tasks.items()}
    assert elements["VN-lattice"] == elements["VN-slab"] == {"V", "N"}
    assert elements["VN-top-V-held-basin"] == elements["VN-slab-uncorrected"] == {"V", "N"}
    assert elements["VN-top-V-held"] == elements["VN-top-V-density"] == {"V", "N", "Na"}
    assert elements["VN-top-V-held-uncorrected"] == {"V", "N", "Na"}
    assert elements["Na-atom"] == elements["Na-lattice"] == {"Na"}
    assert elements["Na-hollow-held"] == elements["Na-hollow-held-basin"] == {"Na"}


def test_another_data_set_of_the_same_name_makes_its_tasks_stale(other_sodium: Path) -> None:
    campaign = read_campaign(LAPTOP)
    states = survey_recorded(campaign.tasks, LAPTOP)
    assert states["Na-atom"].status == "stale"
    assert states["VN-top-V-held"].status == "stale"
    assert states["VN-slab"].status == states["VN-lattice"].status == "done"  # no Na in them
