"""Processes of the demo are started, noticed when they end, and stopped."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandbox_project.play.children import ChildEnded, Children

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "brief.py").write_text("print('only a moment')\nraise SystemExit(3)")
    (tmp_path / "patient.py").write_text("import time\ntime.sleep(60)")
    return tmp_path


def children(folder: Path) -> Children:
    return Children(logs=folder, environment={**os.environ, "PYTHONPATH": str(folder)})


def test_at_the_end_of_the_block_everything_has_ended(folder: Path) -> None:
    with children(folder) as running:
        child = running.start("patient", ["patient"])
        running.check()
        assert os.getpgid(child.process.pid) == child.process.pid  # Ctrl-C at the terminal does not reach it

    assert child.process.poll() is not None


def test_one_that_ends_by_itself_is_noticed_and_can_be_quoted(folder: Path) -> None:
    with children(folder) as running:
        child = running.start("brief", ["brief"])
        child.process.wait(10)

        with pytest.raises(ChildEnded, match="The process 'brief' ended with status 3"):
            running.check()
        assert child.tail() == "only a moment"


def test_one_that_does_not_listen_is_ended_all_the_same(folder: Path) -> None:
    running = children(folder)
    child = running.start("stubborn", ["stubborn"])
    while "deaf" not in child.tail():
        time.sleep(0.05)

    running.stop(seconds=0.2)

    assert child.process.poll() == -9
