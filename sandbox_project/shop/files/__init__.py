"""Style, script and drawings of the shop."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def read_file(name: str) -> str:
    """One of the files of this folder."""
    return (Path(__file__).resolve().parent / name).read_text(encoding="utf-8")
