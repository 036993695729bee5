"""The scripts behind `make`: each guard finds what it guards against."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import check_constraints, check_isolation, check_sizes, lint, run_tests
from tests.architecture.workspace import ROOT


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# Sizes


def test_the_source_is_short_enough() -> None:
    places = [ROOT / source for source in check_sizes.SOURCES]
    assert [line for path in check_sizes.python_files(places) for line in check_sizes.too_long(path)] == []


@pytest.mark.parametrize(("lines", "found"), [(500, 0), (501, 1)])
def test_a_module_has_at_most_500_lines(tmp_path: Path, lines: int, found: int) -> None:
    path = write(tmp_path / "sample.py", "x = 1\n" * lines)
    assert len(list(check_sizes.too_long(path))) == found


@pytest.mark.parametrize(("lines", "found"), [(70, 0), (71, 1)])
@pytest.mark.parametrize("word", ["def", "async def"])
def test_a_function_has_at_most_70_lines(tmp_path: Path, word: str, lines: int, found: int) -> None:
    body = "    x = 1\n" * (lines - 1)
    path = write(tmp_path / "sample.py", f"@decorator\n{word} long():\n{body}")
    assert [line.split(": ")[1] for line in check_sizes.too_long(path)] == [
        f"long has {lines} lines; 70 are allowed"
    ] * found


def test_migrations_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    write(tmp_path / "migrations/0001_initial.py", "x = 1\n" * 501)
    assert check_sizes.main([str(tmp_path)]) == 0


def test_too_long_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "sample.py", "x = 1\n" * 501)
    assert check_sizes.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{tmp_path}/sample.py:1: the module has 501 lines; 500 are allowed\n"


# Constraints


def test_the_constraints_are_only_pins() -> None:
    assert check_constraints.main([]) == 0


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple",
        "-i https://user:secret@packages.example/simple",
        "--find-links /some/folder",
        "-e packages/majuu-core",
        "django @ https://packages.example/django.whl",
        "django>=5.2",
        "# from https://packages.example/simple",
        "../django",
    ],
)
def test_anything_but_a_pin_is_refused(tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "constraints.txt", f"pluggy==1.7.0\n{line}\n")
    assert check_constraints.main([str(path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{path}:2: not a pin: ")
    assert "packages.example" not in said


@pytest.mark.parametrize("line", ["pluggy==1.7.0", "django==5.2.19 ; python_full_version < '3.12'", "# a comment", ""])
def test_pins_pass(tmp_path: Path, line: str) -> None:
    assert check_constraints.main([str(write(tmp_path / "constraints.txt", f"{line}\n"))]) == 0


# Isolation


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of two packages that nobody else has."""
    for name in ("majuu-first-sample", "majuu-second-sample"):
        folder = tmp_path / "packages" / name / "src" / name.replace("-", "_")
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    return tmp_path


def test_a_package_that_is_missing_is_found(workspace: Path) -> None:
    assert list(check_isolation.problems(workspace, ["majuu_first_sample"])) == ["majuu_first_sample is not installed"]


def test_a_package_from_the_repository_is_found(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(workspace / "packages/majuu-first-sample/src"))
    (problem,) = check_isolation.problems(workspace, ["majuu_first_sample"])
    assert problem.startswith("majuu_first_sample is imported from the repository, not from its wheel: ")


def test_a_package_nobody_declared_is_found(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(workspace / "packages/majuu-second-sample/src"))
    (problem,) = check_isolation.problems(workspace, [])
    assert problem.startswith("majuu_second_sample is installed and must not be: ")


def test_an_installed_wheel_is_what_is_wanted(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(workspace / "installed.zip", "w") as archive:
        archive.writestr("majuu_first_sample/__init__.py", "")
    monkeypatch.syspath_prepend(str(workspace / "installed.zip"))
    importlib.invalidate_caches()
    assert list(check_isolation.problems(workspace, ["majuu_first_sample"])) == []


# Tests on several databases


@pytest.mark.parametrize(
    ("url", "named", "chosen"),
    [
        ("", [], ["sqlite", "postgresql", "mariadb"]),
        ("", ["mariadb"], ["mariadb"]),
        ("postgres://user@host/name", [], ["postgresql"]),
        ("mysql://user@host/name", [], ["mariadb"]),
        ("postgres://user@host/name", ["sqlite"], ["sqlite"]),
    ],
)
def test_which_databases_are_run(
    monkeypatch: pytest.MonkeyPatch, url: str, named: list[str], chosen: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert run_tests.chosen_databases(named) == chosen


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(SystemExit, match="unknown database: oracle; known are sqlite, postgresql, mariadb"):
        run_tests.chosen_databases(["oracle"])


@pytest.mark.parametrize(("required", "outcome"), [(True, "FAILED: no MariaDB"), (False, "left out: no MariaDB")])
def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, required: bool, outcome: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://root@127.0.0.1:1/majuu")
    assert run_tests.run_on("mariadb", [], required=required).startswith(outcome)


def test_arguments_after_the_dashes_are_for_pytest() -> None:
    assert run_tests.split_arguments(["sqlite", "--", "-k", "push"]) == (["sqlite"], ["-k", "push"])
    assert run_tests.split_arguments(["sqlite"]) == (["sqlite"], [])


def test_runs_on_servers_leave_out_what_needs_no_database(tmp_path: Path) -> None:
    sample = write(
        tmp_path / "test_sample.py",
        "import pytest\n"
        "def test_plain(): pass\n"
        "@pytest.mark.django_db\ndef test_marked(): pass\n"
        "def test_with_fixture(db): pass\n"
        "def test_with_server(live_server): pass\n"
        "@pytest.mark.browser\ndef test_with_browser(live_server): pass\n"
        "@pytest.mark.once\ndef test_that_is_enough_once(db): pass\n",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.needs_database", "--collect-only", "-q", "-n0", sample],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert names == ["test_marked", "test_with_fixture", "test_with_server"]


# Lint


def test_a_failing_check_is_shown_with_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    bad = lint.Check("sample", (sys.executable, "-c", "print('what is wrong'); raise SystemExit(3)"))
    assert lint.run(bad) is False
    said = capsys.readouterr().out
    assert "FAILED" in said
    assert "what is wrong" in said


def test_a_check_that_holds_says_no_more_than_that(capsys: pytest.CaptureFixture[str]) -> None:
    good = lint.Check("sample", (sys.executable, "-c", "print('chatter')"))
    assert lint.run(good) is True
    assert capsys.readouterr().out.startswith("sample               ok")


def test_every_package_is_searched_for_undeclared_imports() -> None:
    names = [check.name for check in lint.checks()]
    assert [name for name in names if name.startswith("deptry")] == [
        "deptry majuu-core",
        "deptry majuu-mpesa",
        "deptry majuu-paypal",
        "deptry majuu-sim",
        "deptry majuu-stripe",
    ]


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main(["spelling"]) == 2
    assert capsys.readouterr().err == "unknown check: spelling\n"
