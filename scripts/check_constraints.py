"""Fails when constraints.txt holds anything but pins: no index, no address, no path, no option.

    python scripts/check_constraints.py [file]

A pin is ``name==version``, with a marker where versions differ. An address in that file would send everyone who
installs from it to one host, and might carry a password.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*(?: ; [a-z_]+ [^/\\@]+)?")


def not_pins(text: str) -> Iterator[str]:
    """One line of text for each line that is neither a pin, a comment without an address, nor empty."""
    for number, line in enumerate(text.splitlines(), start=1):
        comment = line.startswith("#") and "://" not in line
        if line and not comment and not PIN.fullmatch(line):
            yield f"{number}: not a pin: {line.partition('://')[0][:60]}"


def main(arguments: Sequence[str]) -> int:
    """Print what is wrong and return 1 if there is anything."""
    path = Path(arguments[0]) if arguments else ROOT / "constraints.txt"
    found = [f"{path}:{line}" for line in not_pins(path.read_text(encoding="utf-8"))]
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
