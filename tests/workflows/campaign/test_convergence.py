"""Convergence studies: what is varied, what is recommended, and a real one."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.convergence import Convergence
from tests.paths import TINY
from tests.workflows.campaign.test_campaign import QUICK
from workflows.campaign.campaign import Varied
from workflows.campaign.convergence import study
from workflows.cli import main


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
    over: Varied, values: str | None, varied: list[tuple[Any, ...]]
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
