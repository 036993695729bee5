"""``make kit`` fails when a mutant is caught by other checks than it declares, and names what is not there."""

from __future__ import annotations

import pytest

from scripts import run_kit


def test_a_mutant_that_is_not_caught_as_declared_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    good = run_kit.print_mutants([("Right", [], []), ("Lucky", ["a.b"], []), ("Missed", [], ["c.d"])])

    assert good is False
    assert capsys.readouterr().out.splitlines() == [
        "Lucky: caught by a.b too, which is not declared",
        "Missed: not caught by c.d",
    ]


def test_mutants_that_are_all_caught_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_kit.print_mutants([("Right", [], []), ("Good", [], [])]) is True
    assert capsys.readouterr().out == "2 mutants: each caught by its checks, no other\n"


def test_a_provider_that_fails_makes_the_run_fail(capsys: pytest.CaptureFixture[str]) -> None:
    from majuu_core.testing.kit import CheckResult

    target = run_kit.TARGETS[0]
    failed = [CheckResult(id="a.b", group="a", outcome="failed", detail="a.b\n  seen: nothing")]

    assert run_kit.print_providers([target], [(target, failed)], None) is False
    assert "fake: a.b\n  seen: nothing" in capsys.readouterr().out


def test_a_package_that_is_not_there_is_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    absent = run_kit.Target("absent", "majuu_absent.provider:AbsentProvider", "tests.absent.harness:AbsentHarness")

    assert run_kit.print_providers([absent], [], None) is True
    assert capsys.readouterr().out == "absent: left out, there is no module majuu_absent.provider\n"


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_kit.main(["visa"])
    assert "unknown: visa; known are fake, mpesa" in capsys.readouterr().err
