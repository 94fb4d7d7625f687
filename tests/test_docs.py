"""What the documentation shows is what happens."""

import ast
import doctest
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import case_file
from tests.paths import ROOT
from workflows.case.reading import find, parse
from workflows.cli import VERBS, main, parser
from workflows.system.files import lock

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


# ---- commands -----------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Yield every sodiophile command that a reader is told to type."""
    for page in PAGES:
        for line in "\n".join(blocks(page, "sh")).splitlines():
            if re.match(r"(\.venv/bin/)?sodiophile ", line):
                yield line.partition("sodiophile ")[2]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_commands_can_be_typed_as_they_are_shown(command: str) -> None:
    parser().parse_args(shlex.split(command, comments=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_to_headings_that_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text):
        there = (page.parent / target if target else page).read_text(encoding="utf-8")
        assert anchor in map(slug, re.findall(r"^#+ (.*)$", there, re.M)), f"{target}#{anchor}"


# ---- the reference of commands ------------------------------------------------------------------

HELP = re.compile(r"^  (?:-\w, )?(--[\w-]+)(?: (\S+))?", re.M)


def options(verb: str, capsys: pytest.CaptureFixture[str]) -> dict[str, bool]:
    """Return the options in a verb's `--help`: whether each takes a value."""
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    shown = HELP.findall(capsys.readouterr().out)
    return {name: bool(value) for name, value in shown if name != "--help"}


def sections() -> dict[str, str]:
    """Return the sections of docs/commands.md by their heading."""
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    heads, texts = (re.split(r"^## (.*)$", text, flags=re.M)[i::2] for i in (1, 2))
    return dict(zip(heads, texts, strict=True))


def test_every_command_has_its_section() -> None:
    assert set(sections()) == {*VERBS, "Exit codes"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_section_lists_the_options_that_help_prints(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = re.findall(r"^\| `(--[\w-]+)(?: ([^`]+))?` \|", sections()[verb], re.M)
    assert {name: bool(value) for name, value in listed} == options(verb, capsys)


@pytest.mark.parametrize("verb", VERBS)
def test_a_section_shows_its_command(verb: str) -> None:
    assert f"\nsodiophile {verb}" in sections()[verb]


# ---- the reference of case files ----------------------------------------------------------------


def test_the_reference_of_case_files_is_that_of_the_schema() -> None:
    assert case_file.PAGE.read_text(encoding="utf-8") == case_file.page(), (
        "run `python -m docs.case_file`"
    )


def test_every_field_of_a_case_has_a_description() -> None:
    assert "| None |" not in case_file.page()


# ---- your own system ----------------------------------------------------------------------------


def own_case() -> str:
    (case,) = (text for text in blocks(ROOT / "docs/own-system.md", "toml") if "name =" in text)
    return case


def test_the_case_of_your_own_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Li-TiN.toml").write_text(own_case())
    assert main(["build", "Li-TiN.toml", "--into", "structures"]) == 0
    assert "structures/TiN-top-Ti.cif, .extxyz: 25 atoms" in capsys.readouterr().out


def test_its_settings_are_those_of_the_laptop_preset() -> None:
    ours = parse(own_case().encode(), "own-system.md")
    preset = parse(find("laptop").read_bytes(), "laptop.toml")
    assert (ours.relax, ours.metal_slab) == (preset.relax, preset.metal_slab)
    assert (ours.dft.cutoff, ours.atom) == (preset.dft.cutoff, preset.atom)


# ---- messages -----------------------------------------------------------------------------------

# the files that the messages are about: the case of docs/own-system.md with a mistake in it
MISTAKES = {
    "site.toml": ('"top-Ti"', '"top-V"'),
    "cutoff.toml": ("cutoff = 400.0", "cutoff = 150.0"),
    "key.toml": ("[metal]", "spacing = 3\n[metal]"),
    "kpoints.toml": ("host_slab = [3, 3, 1]", "host_slab = [3, 3, 3]"),
}
QUOTED = blocks(ROOT / "docs/troubleshooting.md", "console")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a folder with everything that the quoted commands name; one run is being worked on."""
    monkeypatch.chdir(tmp_path)
    for name, (right, wrong) in MISTAKES.items():
        assert right in own_case()
        Path(name).write_text(own_case().replace(right, wrong, 1))
    Path("cluster.toml").write_text('time = "4 hours"\n')
    Path("Rct.csv").write_text("temperature_C,R_ct_ohm,electrode\n25,120.5,Na\n")
    Path("papers").mkdir()
    Path("papers/a.pdf").touch()
    Path("runs/smoke").mkdir(parents=True)
    shutil.copy(find("smoke"), "runs/smoke/case.toml")
    with lock(Path("runs/smoke/.lock"), "runs/smoke"):
        yield


@pytest.mark.parametrize("block", [b for b in QUOTED if b.startswith("$ sodiophile")])
def test_messages_are_what_the_commands_say(
    desk: None, capsys: pytest.CaptureFixture[str], block: str
) -> None:
    command, _, message = block.partition("\n")
    try:
        code = main(shlex.split(command)[2:])
    except SystemExit as stop:  # argparse
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert doctest.OutputChecker().check_output(message, err, doctest.ELLIPSIS), err


@pytest.mark.parametrize("block", [b for b in QUOTED if b.startswith("$ make")])
def test_messages_of_make_are_in_the_makefile(block: str) -> None:
    message = block.partition("\n")[2].strip()
    assert message in (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")


def test_every_message_is_tried() -> None:
    assert {block.split()[1] for block in QUOTED} == {"sodiophile", "make"}


def test_every_reason_for_failure_is_explained() -> None:
    table = (ROOT / "docs/results.md").read_text().partition("## Why a task fails")[2]
    modules = sorted((ROOT / "workflows/steps").glob("*.py"))
    raised = {
        str(call.args[0].value)
        for path in modules
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "TaskFailed"
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(raised) > 4
    assert {reason for reason in raised if f"`{reason}`" not in table} == set()
