"""The Python API: what it gives is what the run found, and what it refuses it explains."""

import csv
import doctest
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest
from ase.io import read
from matplotlib.patches import Rectangle

import sodiophile
from analysis.figures import style
from tests.paths import ROOT, TINY

LAPTOP, SENSITIVITY = ROOT / "examples" / "laptop", ROOT / "examples" / "sensitivity" / "run"


@pytest.fixture(scope="module")
def run() -> sodiophile.Run:
    return sodiophile.load(LAPTOP)


@pytest.fixture(scope="module")
def results() -> Any:
    return json.loads((LAPTOP / "results.json").read_text(encoding="utf-8"))


def test_the_docstrings_show_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(sodiophile, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted > 15


def test_the_page_about_it_shows_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```pycon\n(.*?)^```", text, re.M | re.S))
    test = doctest.DocTestParser().get_doctest(code, {}, "api.md", "docs/api.md", 0)
    found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert found.failed == 0
    assert found.attempted > 20


def test_the_page_about_it_names_what_is_public() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| (`.*?) \|", text, re.M)
    words = set(re.findall(r"`(\w+)", " ".join(named)))
    assert set(sodiophile.__all__) <= words


def test_every_public_name_is_there_and_explained() -> None:
    assert sorted(sodiophile.__all__) == sodiophile.__all__
    for name in sodiophile.__all__:
        assert getattr(sodiophile, name).__doc__


def test_importing_it_loads_neither_gpaw_nor_matplotlib() -> None:
    heavy = "import sodiophile, sys; print({'gpaw', 'matplotlib', 'pymatgen'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


# ---- numbers ------------------------------------------------------------------------------------


def test_energies_are_those_in_results_json(run: sodiophile.Run, results: Any) -> None:
    keys: dict[sodiophile.Reference, str] = {
        "same-basin": "adsorption_energy",
        "clean": "against_clean",
        "lowest": "against_lowest",
    }
    for row in [*results["sites"], *results["metal_sites"]]:
        for reference, key in keys.items():
            found = run.energy(
                row["site"], row["relaxation"], reference=reference, surface=row["surface"]
            )
            assert found == pytest.approx(row[key], abs=1e-9)


def test_the_host_is_meant_where_no_surface_is_named(run: sodiophile.Run) -> None:
    assert run.energy("hollow") == run.energy("hollow", "held", surface="VN(001)")
    assert run.energy("hollow") != run.energy("hollow", "held", surface="Na(001)")


def test_pandas_takes_the_rows(run: sodiophile.Run) -> None:
    frame = pandas.DataFrame(run.sites).set_index(["surface", "site", "relaxation"])
    with (LAPTOP / "energies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(frame) == len(rows) == 12
    for row in rows:
        found = frame.loc[(row["surface"], row["site"], row["relaxation"])]
        assert found["adsorption_energy"] == pytest.approx(
            float(row["adsorption_energy_eV"]), abs=1e-6
        )
        assert found["height"] == pytest.approx(float(row["height_A"]), abs=1e-6)


def test_printed_it_is_the_report(run: sodiophile.Run, results: Any) -> None:
    text = str(run)
    for wanted in ("top-V", "-0.873", "-1.830", results["verdict"], *results["notes"]):
        assert wanted in text


def test_sites_of_a_run_without_free_ones_are_not_mixed_up() -> None:
    run = sodiophile.load(SENSITIVITY, case="sqrt2")
    energies, _geometry, _dispersion = (
        line for line in str(run).splitlines() if line.startswith("  top-V ")
    )
    assert f"{run.energy('top-V', reference='clean'):.3f}" in energies
    assert f"{run.energy('top-N', reference='clean'):.3f}" not in energies


# ---- structures and densities -------------------------------------------------------------------


@pytest.mark.parametrize("relaxation", ["held", "free"])
def test_structures_are_those_in_the_task_folders(run: sodiophile.Run, relaxation: Any) -> None:
    atoms = run.structure("top-V", relaxation)
    relaxed = read(LAPTOP / f"VN-top-V-{relaxation}" / "relaxed.extxyz")
    assert atoms.get_chemical_symbols() == relaxed.get_chemical_symbols()
    assert atoms.positions == pytest.approx(relaxed.positions, abs=1e-7)
    assert atoms.symbols[-1] == "Na"
    assert len(atoms.constraints[0].index) == 8  # one layer of three is held


def test_structures_of_the_metal(run: sodiophile.Run) -> None:
    atoms = run.structure("long-bridge", "free", surface="Na(110)")
    assert set(atoms.symbols) == {"Na"}


def test_a_density_difference_has_its_integral_and_place(run: sodiophile.Run, results: Any) -> None:
    density = run.density("hollow")
    known = results["density_differences"]["hollow"]
    assert density.integral() == pytest.approx(known["integral"], abs=1e-3)
    atoms = run.structure("hollow", "held")
    assert np.array(density.cell_cv) == pytest.approx(np.array(atoms.cell), abs=1e-4)
    # electrons gather between the surface and Na, and leave on Na's far side
    z_na = atoms.positions[-1, 2] / atoms.cell[2, 2] * density.shape[2]
    profile = density.values.mean(axis=(0, 1))
    assert profile[int(z_na - 10) : int(z_na - 3)].sum() > 0.0 > profile[int(z_na) :].sum()


# ---- figures ------------------------------------------------------------------------------------

PANELS = [f"5{letter}" for letter in "abcdefghij"]
OF_SITE = ["top", "side", "difference", "profile", "potential"]


@pytest.mark.parametrize("name", [*PANELS, "powder", "rings"])
def test_figures_are_drawn_on_given_axes(run: sodiophile.Run, name: str) -> None:
    figure, ax = plt.subplots(figsize=(4, 3))
    assert run.figure(name, ax=ax) is ax
    assert figure.axes == [ax]
    assert ax.has_data() or ax.images
    plt.close(figure)


@pytest.mark.parametrize("name", OF_SITE)
def test_figures_of_a_site_are_drawn_on_axes_of_their_own(run: sodiophile.Run, name: str) -> None:
    ax = run.figure(name, site="hollow")
    assert ax.has_data() or ax.images
    file = io.BytesIO()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(file, dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")
    assert not plt.get_fignums()  # nothing that a user would have to close


def test_a_figure_keeps_the_style_that_is_set(run: sodiophile.Run) -> None:
    with plt.rc_context({"font.size": 17.0, "axes.labelsize": 17.0}):
        figure, ax = plt.subplots()
        run.figure("5e", ax=ax)
    assert ax.yaxis.label.get_fontsize() == 17.0
    plt.close(figure)


def test_the_bars_are_the_energies(run: sodiophile.Run) -> None:
    patches = run.figure("5e").patches
    heights = {round(p.get_height(), 6) for p in patches if isinstance(p, Rectangle)}
    assert {round(run.energy(site), 6) for site in run.case.slab.sites} <= heights


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda run: run.energy("top-W"),
            "site: found 'top-W' (did you mean 'top-V'?); allowed: bridge, hollow, top-V, top-N",
        ),
        (
            lambda run: run.energy("top-V", "freed"),
            "relaxation: found 'freed' (did you mean 'free'?); allowed: held, free",
        ),
        (
            lambda run: run.energy("top-V", reference="metal"),
            "reference: found 'metal'; allowed: same-basin, clean, lowest",
        ),
        (
            lambda run: run.energy("top-V", surface="Na"),
            "surface: found 'Na'; allowed: VN(001), Na(001), Na(110)",
        ),
        (
            lambda run: run.structure("bridge", surface="Na(001)"),
            "site: found 'bridge'; allowed: hollow",
        ),
        (
            lambda run: run.density("long-bridge"),
            "site: found 'long-bridge' (did you mean 'bridge'?); "
            "allowed: bridge, hollow, top-V, top-N",
        ),
        (
            lambda run: run.figure("6"),
            f"figure: found '6'; allowed: {', '.join([*PANELS, 'powder', 'rings', *OF_SITE])}",
        ),
        (
            lambda run: run.figure("profile"),
            "site: found None; allowed: bridge, hollow, top-V, top-N",
        ),
        (
            lambda run: run.figure("5e", site="hollow"),
            "site: found 'hollow'; allowed: none for figure '5e'",
        ),
    ],
)
def test_arguments_that_are_not_allowed(run: sodiophile.Run, call: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (its whole text follows)
        call(run)
    assert str(refused.value) == message


def test_a_directory_of_several_cases_needs_the_name_of_one() -> None:
    with pytest.raises(ValueError, match="case: found None; allowed: sqrt2, sqrt2-held_layers3, "):
        sodiophile.load(SENSITIVITY)
    with pytest.raises(ValueError, match=r"found 'sqrt3' \(did you mean 'sqrt2'\?\)"):
        sodiophile.load(SENSITIVITY, case="sqrt3")


def test_what_is_no_run_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(sodiophile.UserError, match="not the directory of a run"):
        sodiophile.load(tmp_path)


@pytest.fixture
def unfinished(tmp_path: Path) -> sodiophile.Run:
    """Give the laptop case without one clean slab and what was computed from it."""
    shutil.copytree(LAPTOP, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "VN-top-V-free")
    shutil.rmtree(tmp_path / "run" / "VN-hollow-density")
    return sodiophile.load(tmp_path / "run")


def test_what_is_not_computed_is_named(unfinished: sodiophile.Run) -> None:
    missing = "VN-top-V-free: ready"
    assert missing in unfinished.missing
    assert unfinished.energy("top-V", "held") == pytest.approx(-0.873, abs=0.001)
    with pytest.raises(sodiophile.UserError, match=r"VN\(001\) top-V, free: .*ready"):
        unfinished.energy("top-V", "free")
    with pytest.raises(sodiophile.UserError, match=r"VN\(001\) top-V, free: no structure: ready"):
        unfinished.structure("top-V", "free")
    with pytest.raises(sodiophile.UserError, match="hollow: no density difference: ready"):
        unfinished.density("hollow")


def test_what_is_not_computed_is_written_on_its_axes(unfinished: sodiophile.Run) -> None:
    words = [text.get_text() for text in unfinished.figure("difference", site="hollow").texts]
    assert words == ["not computed"]
    assert len(unfinished.figure("top", site="hollow").images) > 0  # its structure is there


def test_without_its_bare_slab_a_site_has_its_other_energies(tmp_path: Path) -> None:
    shutil.copytree(LAPTOP, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "VN-top-N-held-basin")
    run = sodiophile.load(tmp_path / "run")
    with pytest.raises(sodiophile.UserError, match=r"VN-top-N-held-basin is missing .* clean, low"):
        run.energy("top-N", "held")
    assert run.energy("top-N", "held", "clean") == pytest.approx(-1.253, abs=0.001)


def test_an_energy_that_the_case_does_not_compute_is_refused() -> None:
    run = sodiophile.load(SENSITIVITY, case="sqrt2")
    with pytest.raises(sodiophile.UserError, match="no energy against 'same-basin'; known: clean"):
        run.energy("top-V")
    with pytest.raises(ValueError, match="relaxation: found 'free'; allowed: held"):
        run.energy("top-V", "free", "clean")


# ---- building and running -----------------------------------------------------------------------


def test_building_gives_the_structures_of_the_command(tmp_path: Path) -> None:
    from workflows.cli import main

    assert main(["build", "laptop", "--into", str(tmp_path)]) == 0
    structures = sodiophile.build("laptop")
    assert sorted(structures) == sorted(path.stem for path in tmp_path.glob("*.cif"))
    for name, atoms in structures.items():
        written = read(tmp_path / f"{name}.extxyz")
        assert atoms.positions == pytest.approx(written.positions, abs=1e-6)


def test_a_case_with_a_mistake_is_a_user_error(tmp_path: Path) -> None:
    case = tmp_path / "own.toml"
    case.write_text(TINY.read_text().replace('["top-V"]', '["top-W"]'))
    with pytest.raises(sodiophile.UserError, match=r"own.toml: slab.sites: found .*; allowed: "):
        sodiophile.build(case)
    with pytest.raises(sodiophile.UserError, match="no such file or preset"):
        sodiophile.run("lapto", tmp_path / "run")
    with pytest.raises(sodiophile.UserError, match="found a sweep; allowed: a single case"):
        sodiophile.run(SENSITIVITY.parent / "sweep.toml", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_is_computed_interrupted_and_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "a run"

    def interrupt() -> None:
        while not list(into.glob("*/gpaw-1.txt")):
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        sodiophile.run(TINY, into, jobs=2)
    assert "VN-lattice: started" in capsys.readouterr().out
    assert sodiophile.load(into).missing

    run = sodiophile.run(TINY, into, jobs=2, quiet=True)
    assert capsys.readouterr().out == ""
    assert run.missing == []
    energy = run.energy("top-V", "held", reference="clean")
    assert -5.0 < energy < 0.0
    parts = [
        json.loads((into / task / "result.json").read_text())["values"]["energy"]
        for task in ("VN-top-V-held", "VN-slab", "Na-atom")
    ]
    assert energy == pytest.approx(parts[0] - parts[1] - parts[2], abs=1e-9)
    marks = [text.get_text() for text in run.figure("5e").texts]
    assert style.WATERMARK in marks

    stamps = {path: path.stat().st_mtime_ns for path in into.glob("*/result.json")}
    sodiophile.run(TINY, into)
    assert stamps == {path: path.stat().st_mtime_ns for path in into.glob("*/result.json")}
    assert len(stamps) == 12
