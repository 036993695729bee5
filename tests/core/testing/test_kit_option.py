"""``pytest --majuu-provider`` and ``python -m majuu_core.testing``: the kit in any project, without a test file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from majuu_core.testing.__main__ import main
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.finding import NotFound, find_subjects
from majuu_core.testing.kit import CheckResult, all_checks
from majuu_core.testing.mock_harness import MockHarness
from majuu_core.testing.reporting import count, report_as_dict, summary_lines

pytest_plugins = ["pytester"]
FAKE = "majuu_core.testing.fake:FakeProvider"
BROKEN = '''
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_harness import MockHarness


class Broken(FakeProvider):
    """Raises for a decline."""

    code = "Broken Provider"


class BrokenHarness(MockHarness):
    provider_class = Broken


class Lonely(FakeProvider):
    pass
'''


def run_kit(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:django", "-p", "no:cacheprovider", *arguments)


def test_a_project_without_tests_checks_two_providers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(broken=BROKEN, test_not_ours="def test_never_runs():\n    assert False")

    outcome = run_kit(
        pytester,
        *("--majuu-provider", "broken:Broken", "--majuu-harness", "broken:BrokenHarness"),
        *("--majuu-provider", "broken:Lonely", "--majuu-report", "kit.json"),
        *("-k", "definition or harness or decline_is_a_value"),
    )

    text = outcome.stdout.str()
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_never_runs" not in text
    # What was seen, why it matters and what to do, under the id; no trace of the kit's own code.
    assert "definition.code_is_a_plain_name\n  seen: code is 'Broken Provider'\n  why:  Rows and addresses" in text
    assert "Traceback" not in text
    # Without a harness the class itself is checked, and the run is no proof.
    assert "there is no harness for Lonely: write a ProviderHarness with `provider_class = Lonely`" in text
    assert "  NOT PROVED: there is no harness" in text
    assert "  FAILED: 1 of " in text
    report = json.loads((pytester.path / "kit.json").read_text())
    assert (report["schema"], report["version"], report["passed"]) == ("majuu.kit", 1, False)
    broken, lonely = report["providers"]
    assert (broken["harness"], lonely["harness"]) == (True, False)
    assert [item["id"] for item in broken["checks"] if item["outcome"] == "failed"] == [
        "definition.code_is_a_plain_name"
    ]
    seen = {item["id"]: (item["outcome"], item["detail"]) for item in lonely["checks"]}
    assert seen["definition.code_is_a_plain_name"] == ("passed", "")
    assert seen["payment.decline_is_a_value"] == ("skipped", "there is no harness")


def test_a_name_that_leads_nowhere_is_a_usage_error(pytester: pytest.Pytester) -> None:
    outcome = run_kit(pytester, "--majuu-provider", "nowhere:Nothing")

    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*nowhere:Nothing: No module named 'nowhere'. Is it installed*"])


def test_the_command_without_pytest_says_the_same(tmp_path: Path) -> None:
    out, path = io.StringIO(), tmp_path / "kit.json"

    code = main([FAKE, "--report", str(path)], out)

    assert code == 0
    report = json.loads(path.read_text())
    [fake] = report["providers"]
    assert report["passed"] is True
    assert [item["id"] for item in fake["checks"]] == [item.id for item in all_checks()]
    assert fake["counts"]["failed"] == 0
    assert f"PASSED: {fake['counts']['passed']} checks; 3 were left out by the harness" in out.getvalue()
    assert "left out (1) the mock provider may send from anywhere: webhook.wrong_sender_is_refused" in out.getvalue()


def test_the_command_says_what_it_could_not_find() -> None:
    out = io.StringIO()

    assert main(["majuu_core.testing.fake"], out) == 2
    assert out.getvalue() == "'majuu_core.testing.fake' has not the form my_package.provider:MyProvider\n"


def test_a_harness_is_found_in_the_package_s_module_testing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "somepay"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "provider.py").write_text(BROKEN.partition("class BrokenHarness")[0])
    (package / "testing.py").write_text(
        "from majuu_core.testing.mock_harness import MockHarness\nfrom somepay.provider import Broken\n\n"
        "class Drives(MockHarness):\n    provider_class = Broken\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    [subject] = find_subjects(["somepay.provider:Broken"])

    assert type(subject.make_harness()).__name__ == "Drives"
    assert subject.missing == ""


@pytest.mark.parametrize(
    ("provider", "harness", "says"),
    [
        (FAKE, "majuu_core.testing.fake:FakeProvider", "is not a subclass of majuu_core.testing.harness"),
        (FAKE, "majuu_core.testing.harness:ProviderHarness", "says not which provider it drives"),
        (FAKE, "tests.core.testing.full_provider:FullHarness", "which is none of the providers given"),
        ("majuu_core.testing.kit:Check", "", "is not a subclass of majuu_core.providers.PaymentProvider"),
        ("majuu_core.testing.fake:Nobody", "", "majuu_core.testing.fake has no Nobody"),
    ],
)
def test_wrong_names_say_what_is_wrong(provider: str, harness: str, says: str) -> None:
    with pytest.raises(NotFound, match=says):
        find_subjects([provider], [harness] if harness else [])


class Child(FakeProvider):
    """Has no harness of its own."""


def test_a_harness_is_not_inherited_from_the_provider_s_parent() -> None:
    [subject] = find_subjects([f"{__name__}:Child"])

    assert FakeProvider.majuu_harness.endswith(":MockHarness")
    assert "there is no harness for Child" in subject.missing


def test_the_summary_counts_what_was_left_out_apart() -> None:
    [subject] = find_subjects([FAKE])
    results = [
        CheckResult(id="a.one", group="a", outcome="passed"),
        CheckResult(id="a.two", group="a", outcome="skipped", detail="no such thing", left_out=True),
        CheckResult(id="b.one", group="b", outcome="skipped", detail="the provider has no payout"),
    ]

    lines = list(summary_lines(subject, results))

    assert subject.make_harness is MockHarness
    assert count(results) == {"passed": 1, "failed": 0, "skipped": 1, "left_out": 1}
    assert lines[2:] == [
        "  a                     1       0        0         1",
        "  b                     0       0        1         0",
        "  left out (1) no such thing: a.two",
        "  skipped (1) the provider has no payout",
        "  PASSED: 1 checks; 1 were left out by the harness",
    ]
    assert report_as_dict([(subject, results)])["passed"] is True
