"""The checks as items of pytest: what ``pytest --majuu-provider`` collects, and the table at its end.

Results travel in ``user_properties``, so the table is whole under pytest-xdist too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from majuu_core.testing.finding import NotFound, Subject, find_subjects
from majuu_core.testing.kit import Check, CheckResult, run_one
from majuu_core.testing.reporting import summary_lines, write_report

PROPERTY = "majuu_check"


class CheckProblem(Exception):
    """A check failed; the text is for the provider's author."""


class KitPlugin:
    """Registered when ``--majuu-provider`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        here = str(config.invocation_params.dir)
        if here not in sys.path:
            sys.path.append(here)
        try:
            self.subjects = find_subjects(config.getoption("majuu_provider"), config.getoption("majuu_harness"))
        except NotFound as problem:
            raise pytest.UsageError(str(problem)) from problem
        self.results: dict[str, list[CheckResult]] = {subject.name: [] for subject in self.subjects}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        for subject in self.subjects:
            group = _Provider.from_parent(session, name=subject.name, subject=subject)
            items.extend(group.collect())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "call" and isinstance(value, dict):
                self.results[str(value["subject"])].append(CheckResult(**value["result"]))

    def pytest_sessionfinish(self) -> None:
        path = self.config.getoption("majuu_report")
        if path and not hasattr(self.config, "workerinput"):
            write_report(Path(path), self._runs())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for subject, results in self._runs():
            if results:
                terminalreporter.section("the provider contract")
                for line in summary_lines(subject, results):
                    terminalreporter.write_line(line)

    def _runs(self) -> list[tuple[Subject, Sequence[CheckResult]]]:
        order = {item.id: number for subject in self.subjects for number, item in enumerate(subject.checks)}
        return [
            (subject, sorted(self.results[subject.name], key=lambda result: order.get(result.id, -1)))
            for subject in self.subjects
        ]


class _Provider(pytest.Collector):
    def __init__(self, *, subject: Subject, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject = subject

    def collect(self) -> Iterator[pytest.Item]:
        if self.subject.missing:
            yield _Missing.from_parent(self, name="kit.harness")
        for item in self.subject.checks:
            yield _Item.from_parent(self, name=item.id, check=item)


class _Named(pytest.Item):
    parent: _Provider

    def reportinfo(self) -> tuple[str, int | None, str]:
        return self.parent.subject.name, None, self.nodeid

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if excinfo.errisinstance(CheckProblem) else super().repr_failure(excinfo)


class _Missing(_Named):
    """Stands for the harness that nobody wrote: without it the run must not look like a proof."""

    def runtest(self) -> None:
        raise CheckProblem(self.parent.subject.missing)


class _Item(_Named):
    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        result = self._result()
        self.user_properties.append((PROPERTY, {"subject": self.parent.subject.name, "result": asdict(result)}))
        if result.outcome == "skipped":
            pytest.skip(result.detail)
        if result.outcome == "failed":
            raise CheckProblem(result.detail)

    def _result(self) -> CheckResult:
        harness = self.parent.subject.make_harness()
        try:
            result = run_one(self.check, harness)
        finally:
            harness.close()
        return result
