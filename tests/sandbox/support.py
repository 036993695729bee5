"""What the tests of the sandbox share."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox_project.play.plan import python_path

ROOT = Path(__file__).resolve().parent.parent.parent


def run_manage(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox project with nothing but this in its environment."""
    return run_python("sandbox_project/manage.py", *arguments, environment=environment)


def run_python(
    *arguments: str, environment: Mapping[str, str], seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run Python at the root of the repository."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": python_path(ROOT, os.environ), **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def ports_in(text: str) -> set[int]:
    """The ports of all local addresses in a text."""
    return {int(port) for port in re.findall(r"http://127\.0\.0\.1:([0-9]+)", text)}


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
