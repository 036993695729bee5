"""CPU time of running processes, from /proc. Elsewhere than on Linux nothing is known, and None is the answer."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def seconds_of_tree(pid: int) -> float | None:
    """What a process and its children have used so far."""
    table = _processes()
    if pid not in table:
        return None
    mine = newest = {pid}
    while newest:
        newest = {child for child, (parent, _, _) in table.items() if parent in mine and child not in mine}
        mine = mine | newest
    return sum(table[one][2] for one in mine)


def seconds_of_postgres() -> float | None:
    """What all of PostgreSQL's processes on this machine have used so far; ended ones count for their parent."""
    used = [seconds for _, name, seconds in _processes().values() if name == "postgres"]
    return sum(used) if used else None


def _processes() -> dict[int, tuple[int, str, float]]:
    """Parent, name and CPU seconds (ended children included) of every process."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue
        head, _, tail = text.rpartition(")")
        fields = tail.split()
        found[int(folder.name)] = int(fields[1]), head.partition("(")[2], sum(map(int, fields[11:15])) / ticks
    return found
