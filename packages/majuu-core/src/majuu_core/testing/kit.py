"""The contract checks as data: each has an id, a reason, advice, and the capabilities it is about.

Nothing here needs pytest: ``run`` gives a report that any program can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from majuu_core.providers import PaymentProvider, operations
from majuu_core.testing.harness import NotOffered, ProviderHarness

CheckFunction = Callable[[ProviderHarness], None]


class CheckFailed(AssertionError):
    """The provider breaks the contract. The text says what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule of the contract."""

    id: str  # "payment.same_key_never_pays_twice"
    group: str
    why: str  # what goes wrong in the world when the rule is broken
    fix: str  # what to do when the check fails
    needs: tuple[str, ...]  # operations; "payment" stands for sale or authorize
    function: CheckFunction

    @property
    def test_name(self) -> str:
        return f"test_{self.id.replace('.', '_')}"

    def missing(self, provider: type[PaymentProvider]) -> str:
        """The capability the provider lacks for this check; empty when it has them all."""
        has = operations(provider)
        for need in self.needs:
            if not (has & {"sale", "authorize"} if need == "payment" else need in has):
                return need
        return ""

    def explain(self, problem: BaseException) -> str:
        """A failure for the provider's author: what was seen, why it matters, what to do."""
        seen = str(problem) if isinstance(problem, CheckFailed) else f"{type(problem).__name__}: {problem}"
        return f"{self.id}\n  seen: {seen}\n  why:  {self.why}\n  do:   {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How one check went. ``detail`` is the failure or the reason for skipping."""

    id: str
    group: str
    outcome: Literal["passed", "failed", "skipped"]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a provider did."""

    provider: str
    results: tuple[CheckResult, ...]

    def ids(self, outcome: str) -> frozenset[str]:
        """The ids of the checks that passed, failed or were skipped."""
        return frozenset(result.id for result in self.results if result.outcome == outcome)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


_found: dict[str, Check] = {}


def check(group: str, *, why: str, fix: str, needs: Iterable[str] = ()) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a check. Its id is the group and the function's name; ids are never reused for another rule."""

    def declare(function: CheckFunction) -> CheckFunction:
        name = f"{group}.{function.__name__}"
        if name in _found:
            raise ValueError(f"there are two checks named {name}")
        _found[name] = Check(id=name, group=group, why=why, fix=fix, needs=tuple(needs), function=function)
        return function

    return declare


def all_checks() -> tuple[Check, ...]:
    """Every check of the contract, group by group."""
    import majuu_core.testing.checks  # noqa: F401 - declares them

    return tuple(_found.values())


def run_one(item: Check, harness: ProviderHarness) -> CheckResult:
    """Run one check. Whatever a provider raises, the answer is a result."""
    if missing := item.missing(harness.provider_class):
        return CheckResult(id=item.id, group=item.group, outcome="skipped", detail=f"the provider has no {missing}")
    try:
        item.function(harness)
    except NotOffered as reason:
        return CheckResult(id=item.id, group=item.group, outcome="skipped", detail=str(reason))
    except Exception as problem:  # noqa: BLE001 - a provider under test may raise anything; that is a failure
        return CheckResult(id=item.id, group=item.group, outcome="failed", detail=item.explain(problem))
    return CheckResult(id=item.id, group=item.group, outcome="passed")


def run(make_harness: Callable[[], ProviderHarness], checks: Iterable[Check] | None = None) -> Report:
    """Run checks, each with a new harness."""
    results, name = [], ""
    for item in checks if checks is not None else all_checks():
        harness = make_harness()
        name = f"{harness.provider_class.__module__}.{harness.provider_class.__qualname__}"
        try:
            results.append(run_one(item, harness))
        finally:
            harness.close()
    return Report(provider=name, results=tuple(results))
