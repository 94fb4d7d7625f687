"""The command line through its entry point: what it prints, where it writes, how it exits."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.paths import ROOT
from workflows.case.reading import PRESETS, presets
from workflows.cli import VERBS, main
from workflows.system.refusals import REFUSALS

SMOKE = (PRESETS / "smoke.toml").read_text(encoding="utf-8")


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "workflows.cli", *map(str, arguments)]


def sodiophile(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, in any directory."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | (env or {})
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Return the one line with which the program refuses its arguments."""
    try:
        code: object = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    line = err.removesuffix("\n")
    assert line.isprintable()
    return line


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return everything in a folder, hidden files too."""
    paths = folder.rglob("*")
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in paths}


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.toml"
    path.write_text(SMOKE.replace("cutoff = 250.0", "cutoff = 20"))
    return path


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Return the directory of a run of which no task has begun."""
    folder = tmp_path / "begun"
    folder.mkdir()
    (folder / "case.toml").write_text(SMOKE)
    return folder


# ---- help ---------------------------------------------------------------------------------------


def test_help_lists_every_command() -> None:
    lines = sodiophile("--help").stdout.splitlines()
    verbs = [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]
    assert verbs == list(VERBS)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("run", ["CASE", "--into DIR", "--jobs N", "--walltime H:MM:SS", *presets()]),
        ("converge", ["CASE", "--over", "--values", "--site SITE", "--tolerance E", *presets()]),
        ("build", ["CASE", "--into DIR", *presets()]),
        ("status", ["DIR"]),
        ("report", ["DIR", "--isovalue E"]),
        ("arrhenius", ["DATA.csv", "--into DIR", "temperature_K", "R_ct_ohm", "electrode"]),
        ("info", ["PAW data sets"]),
        ("task", ["DIR/TASK", "--walltime H:MM:SS"]),
    ],
)
def test_help_of_a_command_lists_its_arguments(
    capsys: pytest.CaptureFixture[str], verb: str, words: list[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([verb, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert [word for word in words if word not in text] == []


def test_only_the_module_of_the_chosen_verb_is_imported() -> None:
    code = (
        "import sys\nfrom workflows.cli import main\n"
        "try:\n    main(['cancel', 'nowhere'])\nexcept SystemExit:\n    pass\n"
        "print(*(name for name in sys.modules if name.startswith('workflows.commands.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"workflows.commands.cancel", "workflows.commands.arguments"}


def test_every_verb_has_a_module() -> None:
    modules = {path.stem for path in (ROOT / "workflows" / "commands").glob("*.py")}
    assert modules - {"__init__", "arguments"} == set(VERBS)


# The package gpaw itself is light; everything that computes loads one of these.
HEAVY = (
    "gpaw.dft",
    "gpaw.new",
    "gpaw.setup_data",
    "_gpaw",
    "pymatgen",
    "matplotlib",
    "skimage",
    "scipy",
)


@pytest.mark.parametrize("verb", ["--help", "status", "timing"])
def test_quick_command_loads_nothing_heavy(verb: str, begun: Path) -> None:
    arguments = [verb] if verb == "--help" else [verb, str(begun)]
    code = (
        "import sys\nfrom workflows.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"sys.exit(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stderr.strip(), bool(done.stdout)) == ("", True)


# ---- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "sodiophile: the following arguments are required: COMMAND; see sodiophile --help"),
        (["rum"], "sodiophile: argument COMMAND: invalid choice: 'rum' (choose from "),
        (["run"], "sodiophile run: the following arguments are required: CASE, --into; see "),
        (["run", "smoke"], "sodiophile run: the following arguments are required: --into; see "),
        (["status"], "sodiophile status: the following arguments are required: DIR; see "),
        (["timing", "a", "b\nc"], "sodiophile: unrecognized arguments: b c; see "),
        (["timing", "a", "\x1b[31m"], "sodiophile: unrecognized arguments: "),
        (["status", "a", "--jobs", "2"], "sodiophile: unrecognized arguments: --jobs 2; see "),
    ],
)
def test_wrong_arguments_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], line: str
) -> None:
    assert refused(capsys, *arguments).startswith(line)


@pytest.mark.parametrize("jobs", ["0", "-1", "abc", "1.5", "1025", "", "٣", "9" * 5000, "000"])
def test_jobs_must_be_a_number(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, jobs: str
) -> None:
    line = refused(capsys, "run", "smoke", "--into", tmp_path / "a", f"--jobs={jobs}")
    assert f"argument --jobs: found {jobs!r}; allowed: a whole number from 1 to 1024" in line


@pytest.mark.parametrize("walltime", ["x", "0", "-1", "1:2:3:4", "1.5", "", "9" * 30, "9" * 5000])
def test_walltime_must_be_a_time(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, walltime: str
) -> None:
    line = refused(capsys, "run", "smoke", "--into", tmp_path / "a", f"--walltime={walltime}")
    assert f"argument --walltime: found {walltime!r}; allowed: " in line


@pytest.mark.parametrize("isovalue", ["0", "-0.01", "nan", "inf", "x", ""])
def test_isovalue_must_be_positive(
    capsys: pytest.CaptureFixture[str], begun: Path, isovalue: str
) -> None:
    line = refused(capsys, "report", begun, f"--isovalue={isovalue}")
    assert f"argument --isovalue: found {isovalue!r}; allowed: a number above 0" in line


# ---- a bad case ---------------------------------------------------------------------------------


def test_bad_case_is_one_line_and_exit_code_2(bad: Path, tmp_path: Path) -> None:
    done = sodiophile("run", bad, "--into", tmp_path / "out")
    line = f"{bad}: dft.cutoff: found 20; allowed: at least 150\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


@pytest.mark.parametrize("verb", ["run", "build"])
def test_bad_case_writes_nothing(
    capsys: pytest.CaptureFixture[str], verb: str, bad: Path, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    refused(capsys, verb, bad, "--into", tmp_path / "out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('V = "5"', 'V = "7"', "dft.setups.V: found '7' for PBE; allowed: "),
        ("= 4.13", "= 11.9", "slab.sites: found 'hollow', where no Na fits on VN(001)"),
    ],
)
def test_case_that_cannot_be_computed_is_refused_with_its_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, old: str, new: str, line: str
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(SMOKE.replace(old, new))
    before = contents(tmp_path)
    assert refused(capsys, "run", path, "--into", tmp_path / "out").startswith(f"{path}: {line}")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("verb", ["run", "build"])
@pytest.mark.parametrize("case", ["smok", "/", "a" * 300, "$(touch x)", "a\nb", ""])
def test_missing_case_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, verb: str, case: str
) -> None:
    assert "allowed: " in refused(capsys, verb, case, "--into", tmp_path / "out") or len(case) > 255


def test_bytes_that_are_no_text_in_a_path_are_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.toml")
    line = refused(capsys, "run", name, "--into", tmp_path / "out")
    assert line.startswith(r"'caf\udce9.toml': no such file")


def test_nothing_in_a_case_is_executed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.toml"
    for value in ("$(touch owned)", "`touch owned`", "__import__('os').mkdir('owned')"):
        path.write_text(SMOKE.replace('name = "smoke"', f'name = "{value}"'))
        refused(capsys, "run", path, "--into", "out")
    assert list(contents(tmp_path)) == ["a.toml"]


# ---- a directory that is not ours ----------------------------------------------------------------


def foreign(folder: Path) -> Path:
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    return folder


def test_run_into_a_file_is_refused(capsys: pytest.CaptureFixture[str], bad: Path) -> None:
    before = bad.read_bytes()
    line = refused(capsys, "run", "smoke", "--into", bad)
    assert line.startswith(f"{bad}: not a directory; allowed: a new directory or one of an earlier")
    assert bad.read_bytes() == before


@pytest.mark.parametrize("verb", ["build", "arrhenius"])
def test_files_into_a_file_are_refused(
    capsys: pytest.CaptureFixture[str], verb: str, measured: Path
) -> None:
    before = measured.read_bytes()
    what = "smoke" if verb == "build" else measured
    line = refused(capsys, verb, what, "--into", measured)
    assert line == f"{measured}: not a directory; allowed: a new or existing directory"
    assert measured.read_bytes() == before


def test_run_into_other_files_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = foreign(tmp_path / "mine")
    line = refused(capsys, "run", "smoke", "--into", folder)
    assert line == f"{folder}: holds other files; allowed: a new or empty directory"
    assert contents(folder) == {"thesis.txt": b"mine"}


def test_run_into_another_case_is_refused(capsys: pytest.CaptureFixture[str], begun: Path) -> None:
    before = contents(begun)
    line = refused(capsys, "run", "laptop", "--into", begun)
    assert line == f"{begun}: holds case 'smoke', not 'laptop'; allowed: another directory"
    assert contents(begun) == before


@pytest.mark.parametrize(
    ("verb", "folder", "reason"),
    [
        ("run", "a" * 300, "File name too long"),
        ("build", "a" * 300, "File name too long"),
        ("run", "bad.toml/out", "Not a directory"),
        ("build", "bad.toml/out", "Not a directory"),
        ("run", "/proc/out", "0 kB of disk are free"),
        ("build", "/proc/out", "No such file or directory"),
    ],
)
def test_impossible_directory_is_one_line(
    capsys: pytest.CaptureFixture[str], bad: Path, verb: str, folder: str, reason: str
) -> None:
    into = bad.parent / folder
    line = refused(capsys, verb, "smoke", "--into", into)
    assert line.startswith(f"{into}: {reason}")


def test_full_disk_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "a.cif")

    monkeypatch.setattr("workflows.commands.build.build", refuse)
    assert refused(capsys, "build", "smoke", "--into", tmp_path) == "a.cif: No space left on device"


def test_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "forgotten")

    monkeypatch.setattr("workflows.commands.build.build", stumble)
    with pytest.raises(FileNotFoundError):
        main(["build", "smoke", "--into", str(tmp_path)])


def test_missing_file_is_not_among_the_refusals() -> None:
    assert 2 not in REFUSALS


# ---- status and report ---------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["status", "report"])
@pytest.mark.parametrize("folder", ["nowhere", "mine", "mine/thesis.txt", "new\nline"])
def test_what_is_not_a_run_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, verb: str, folder: str
) -> None:
    foreign(tmp_path / "mine")
    before = contents(tmp_path)
    assert ": not the directory of a run (case.toml is missing); allowed: " in refused(
        capsys, verb, tmp_path / folder
    )
    assert contents(tmp_path) == before


def test_damaged_case_of_a_run_is_named(capsys: pytest.CaptureFixture[str], begun: Path) -> None:
    (begun / "case.toml").write_bytes(b"\x80")
    line = refused(capsys, "status", begun)
    assert line == f"{begun / 'case.toml'}: not text in UTF-8; allowed: a TOML file"


def test_status_lists_the_tasks(capsys: pytest.CaptureFixture[str], begun: Path) -> None:
    assert main(["status", str(begun)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"case smoke in {begun}"
    assert ["VN-lattice", "ready"] in [line.split() for line in lines]
    assert lines[-1].startswith(
        "0 of 37 tasks done; ready: VN-probe, Na-probe, VN-lattice, Na-lattice ...; "
    )


def test_status_writes_nothing(capsys: pytest.CaptureFixture[str], begun: Path) -> None:
    main(["status", str(begun)])
    assert list(contents(begun)) == ["case.toml"]


@pytest.mark.parametrize("name", ["[red]", "[x", "a[/]b", ":cat:", "with space", "Å"])
def test_directory_is_shown_as_it_is_named(
    capsys: pytest.CaptureFixture[str], begun: Path, name: str
) -> None:
    folder = begun.rename(begun.with_name(name.replace("/", "⧸")))
    main(["status", str(folder)])
    assert folder.name in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ("VN-hollow-held", "VN-hollow-held: waiting: for VN-slab; run what it needs first"),
        ("VN-holow-held", "VN-holow-held: no such task; allowed: VN-probe, "),
    ],
)
def test_task_that_cannot_be_done_is_refused(
    capsys: pytest.CaptureFixture[str], begun: Path, task: str, line: str
) -> None:
    assert refused(capsys, "task", begun / task).startswith(f"{begun}/{line}")


def test_task_outside_a_run_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert refused(capsys, "task", tmp_path / "VN-slab").endswith(
        f"{tmp_path}: not the directory of a run (case.toml is missing); "
        "allowed: the DIR of an earlier `sodiophile run CASE --into DIR`"
    )


# ---- build --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("cli") / "with space; $(touch x)"
    done = sodiophile("build", "smoke", "--into", folder, cwd=folder.parent)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert "smoke.toml: quality: found 'smoke': not physical" in warning
    return folder, done.stdout


def test_build_writes_two_files_a_line(built: tuple[Path, str]) -> None:
    folder, out = built
    assert len(contents(folder)) == 2 * len(out.splitlines()) == 20


def test_build_writes_into_the_directory_only(built: tuple[Path, str]) -> None:
    assert [path.name for path in built[0].parent.iterdir()] == [built[0].name]


@pytest.mark.parametrize("suffix", ["cif", "extxyz"])
def test_ase_reads_what_is_built(built: tuple[Path, str], suffix: str) -> None:
    from ase.io import read

    atoms = read(built[0] / f"VN-top-V.{suffix}")
    assert atoms.symbols.formula.count() == {"V": 2, "N": 2, "Na": 1}


# ---- output -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["--help", "status"])
def test_closed_pipe_is_no_error(verb: str, begun: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [verb] if verb == "--help" else [verb, begun]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command(*arguments),
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_output_without_unicode_is_no_error(begun: Path) -> None:
    folder = begun.rename(begun.with_name("4 Å"))
    done = sodiophile("status", folder, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].endswith(r"4 \xc5")


def test_interrupt_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workflows.commands.build.build", interrupt)
    assert main(["build", "smoke", "--into", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted; the same command does it again\n"


SCRIPT = Path(sys.executable).with_name("sodiophile")


@pytest.mark.skipif(not SCRIPT.exists(), reason="the package is not installed")
def test_script_is_the_same_program() -> None:
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=False)
    assert done.stdout == sodiophile("--help").stdout


# ---- arrhenius and info --------------------------------------------------------------------------


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    path = tmp_path / "measured.csv"
    lines = [
        f"{t},{t * math.exp(61.42e3 / (8.314462618 * t)) / 1e10!r},{name}\n"
        for t in (283.15, 293.15, 303.15, 313.15)
        for name in ("Na/VN", "$x^$")  # the second is no formula, and must not be read as one
    ]
    path.write_text("temperature_K,R_ct_ohm,electrode\n" + "".join(lines))
    return path


def test_arrhenius_gives_the_energy_and_the_figure(measured: Path, tmp_path: Path) -> None:
    done = sodiophile("arrhenius", measured, "--into", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Na/VN: E_a = 61.42 ± 0.00 kJ/mol; published 61.42 kJ/mol\n")
    found = json.loads((tmp_path / "out" / "arrhenius.json").read_text())
    assert found["Na/VN"]["activation_energy_kJ_per_mol"] == pytest.approx(61.42)
    assert (tmp_path / "out" / "figures" / "arrhenius.png").stat().st_size > 10_000


def test_arrhenius_refuses_a_wrong_table(
    capsys: pytest.CaptureFixture[str], bad: Path, tmp_path: Path
) -> None:
    line = refused(capsys, "arrhenius", bad, "--into", tmp_path / "out")
    assert line.startswith(f"{bad}: line 1: column temperature_K is needed once, found ")
    assert not (tmp_path / "out").exists()


def test_info_is_printed(capsys: pytest.CaptureFixture[str], info: str) -> None:
    assert main(["info"]) == 0
    assert capsys.readouterr().out == info


@pytest.mark.parametrize(
    "start",
    ["python", "sodiophile", "gpaw", "ase", "numpy", "libxc", "BLAS", "MPI ranks", "PAW data sets",
     "PAW sets of V", "PAW sets of Na", "OMP_NUM_THREADS"],
)  # fmt: skip
def test_info_tells_what_the_program_runs_with(info: str, start: str) -> None:
    (line,) = [line for line in info.splitlines() if line.startswith(f"{start} ")]
    assert line.removeprefix(start).strip()


def test_info_lists_the_data_sets(info: str) -> None:
    (line,) = [line for line in info.splitlines() if line.startswith("PAW sets of V ")]
    assert line.split()[4:] == ["default,", "5", "(PBE)"]


def test_info_lists_the_data_sets_of_the_elements_and_cases_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["info", "Mg", "smoke"]) == 0
    found = [x.split()[4:] for x in capsys.readouterr().out.splitlines() if "PAW sets of" in x]
    assert found[0] == ["default,", "2", "(PBE)"]  # Mg
    assert found[-1] == ["default,", "5", "(PBE,", "the", "case", "uses", "5)"]  # V, the last


@pytest.mark.parametrize(
    ("word", "words"),
    [("Xx", "no such element, preset or file"), ("smok", "did you mean 'smoke'?")],
)
def test_info_of_something_unknown_is_refused(
    capsys: pytest.CaptureFixture[str], word: str, words: str
) -> None:
    line = refused(capsys, "info", word)
    assert line.startswith(f"{word}: no such element, preset or file")
    assert words in line


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    import importlib.metadata

    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"sodiophile {importlib.metadata.version('sodiophile')}\n"


@pytest.fixture(scope="module")
def info() -> str:
    from workflows.terminal.info import lines, wanted

    return "".join(f"{line}\n" for line in lines(wanted([])))
