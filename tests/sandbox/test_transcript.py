"""The transcript is aligned, and coloured only for people."""

from __future__ import annotations

import io

import pytest

from sandbox_project.play.transcript import Transcript


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_times_stand_below_each_other() -> None:
    stream = io.StringIO()
    transcript = Transcript(stream)

    transcript.done("prompt", "a phone rings\nws_CO_1", 0.5)
    transcript.failed("callback", "nothing came", 30)

    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("  ✓ prompt     a phone rings ")
    assert lines[1] == "               ws_CO_1"
    assert lines[2].startswith("  ✗ callback   not seen ")
    assert lines[3] == "               nothing came"
    assert lines[0].index(" 0.50 s") == lines[2].index("30.00 s")


def test_colours_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, coloured = io.StringIO(), Terminal()

    Transcript(plain).done("step", "seen", 1)
    Transcript(coloured).done("step", "seen", 1)

    assert "\x1b" not in plain.getvalue()
    assert "\x1b[32m✓" in coloured.getvalue()


def test_who_wants_no_colours_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()

    Transcript(stream).done("step", "seen", 1)

    assert "\x1b" not in stream.getvalue()
