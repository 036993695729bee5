"""What the demo prints: one line a step, aligned, with the time it took."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_LABEL_WIDTH = 11
_TEXT_WIDTH = 84
_COLOURS = {"good": "32", "bad": "31", "soft": "2", "strong": "1"}


class Transcript:
    """Writes to a stream; in colour when that is a terminal and NO_COLOR is not set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")

    def heading(self, text: str) -> None:
        """A title, after an empty line."""
        self.write(f"\n{self._paint('strong', text)}")

    def done(self, label: str, text: str, seconds: float) -> None:
        """Something that worked."""
        self._line("good", "✓", label, text, f"{seconds:6.2f} s")

    def failed(self, label: str, text: str, seconds: float) -> None:
        """Something that did not."""
        self._line("bad", "✗", label, f"not seen\n{text}", f"{seconds:6.2f} s")

    def pair(self, label: str, text: str) -> None:
        """A name and a value."""
        self.write(f"  {label:<{_LABEL_WIDTH + 2}}{text}")

    def quote(self, title: str, text: str) -> None:
        """Somebody else's words, such as the end of a log."""
        self.write(f"\n{self._paint('soft', title)}")
        for line in text.splitlines():
            self.write(f"  | {line}")

    def write(self, line: str = "") -> None:
        """A line as it is."""
        print(line, file=self._stream, flush=True)

    def _line(self, tone: str, mark: str, label: str, text: str, time: str) -> None:
        first, *rest = text.split("\n")
        self.write(
            f"  {self._paint(tone, mark)} {label:<{_LABEL_WIDTH}}{first:<{_TEXT_WIDTH}} {self._paint('soft', time)}"
        )
        for line in rest:
            self.write(f"    {'':<{_LABEL_WIDTH}}{self._paint('soft', line)}")

    def _paint(self, tone: str, text: str) -> str:
        return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m" if self._coloured else text
