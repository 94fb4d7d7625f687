"""Lines of output: readable on a terminal of any width, whole in a pipe."""

import pytest

from workflows.terminal.console import say

LINE = (
    "note: VN(001): relaxed again without the adatom; see /a/path/that-is-longer-than/the-terminal"
)


def test_a_terminal_gets_lines_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    say(LINE)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert " ".join(lines) == LINE
    # a path stays in one piece, to be copied
    assert lines[-1] == "/a/path/that-is-longer-than/the-terminal"
    assert max(map(len, lines[:-1])) <= 30


def test_a_pipe_gets_them_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    say(LINE)
    assert capsys.readouterr().out == f"{LINE}\n"
