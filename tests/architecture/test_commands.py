"""The commands people are told to type exist, and say what they do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.workspace import ROOT

PROMISED = {"help", "setup", "demo", "test", "kit", "lint", "bench", "docs", "constraints", "openapi", "clean"}
READMES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("packages/*/README.md"))]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def described_targets() -> dict[str, str]:
    lines = run("make", "--no-print-directory").splitlines()
    return {line.split()[1]: line[line.index(line.split()[1]) :].partition(" ")[2].strip() for line in lines}


def test_make_alone_describes_every_target() -> None:
    targets = described_targets()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert set(targets) == phony
    assert phony >= PROMISED
    assert all(targets.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_only_targets_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", text))
    assert named <= set(described_targets())


@pytest.mark.parametrize("page", READMES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    # Links between the pages of docs/ are checked by `make docs`.
    linked = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in linked if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("script", [".ci/run", "scripts/compile_constraints.sh", "scripts/find_python.sh"])
def test_the_shell_scripts_can_be_run(script: str) -> None:
    path = ROOT / script
    run("bash", "-n", path)
    assert path.stat().st_mode & 0o100


@pytest.mark.parametrize("command", ["make lint", "make test", "tox run", "make demo ONCE=1"])
def test_continuous_integration_calls_what_people_call(command: str) -> None:
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_a_python_is_found() -> None:
    path = run("sh", "scripts/find_python.sh").strip()
    assert run(path, "-c", "import sys; print(sys.version_info >= (3, 11))") == "True\n"


def test_without_a_python_the_set_up_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "scripts/find_python.sh"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Majuu needs Python 3.11 or newer with its venv module")
