"""The contract checks as data: each has an id, a reason, advice, and the capabilities it is about.

Nothing here needs pytest: ``run`` gives a report that any program can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from majuu_core.providers import PaymentProvider, operations
from majuu_core.testing.harness import NoHarness, NotOffered, ProviderHarness
from majuu_core.testing.loopback import loopback_only

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
    required: bool = False  # a harness may not leave it out: without it the rest of the group proves little

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
    left_out: bool = False  # skipped although the provider has the capability: NotOffered was raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a provider did."""

    provider: str
    results: tuple[CheckResult, ...]

    def ids(self, outcome: str) -> frozenset[str]:
        """The ids of the checks that passed, failed or were skipped."""
        return frozenset(result.id for result in self.results if result.outcome == outcome)

    @property
    def left_out(self) -> tuple[CheckResult, ...]:
        """What the harness could not arrange. Each of them is a promise that nobody has looked at."""
        return tuple(result for result in self.results if result.left_out)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


_found: dict[str, Check] = {}


def check(
    group: str, *, why: str, fix: str, needs: Iterable[str] = (), required: bool = False
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a check. Its id is the group and the function's name; ids are never reused for another rule.

    A ``required`` one fails, rather than being skipped, when the harness raises NotOffered.
    """

    def declare(function: CheckFunction) -> CheckFunction:
        name = f"{group}.{function.__name__}"
        if name in _found:
            raise ValueError(f"there are two checks named {name}")
        _found[name] = Check(
            id=name, group=group, why=why, fix=fix, needs=tuple(needs), function=function, required=required
        )
        return function

    return declare


def all_checks() -> tuple[Check, ...]:
    """Every check of the contract, group by group."""
    import majuu_core.testing.checks  # noqa: F401 - declares them

    return tuple(_found.values())


def run_one(item: Check, harness: ProviderHarness) -> CheckResult:
    """Run one check, with connections to this machine only. Whatever a provider raises, the answer is a result."""
    if missing := item.missing(harness.provider_class):
        return CheckResult(id=item.id, group=item.group, outcome="skipped", detail=f"the provider has no {missing}")
    try:
        with loopback_only():
            item.function(harness)
    except NoHarness as reason:
        return CheckResult(id=item.id, group=item.group, outcome="skipped", detail=str(reason), left_out=True)
    except NotOffered as reason:
        waived = harness.waives.get(item.id) or harness.waives.get(item.group)
        if item.required and not waived:
            problem = CheckFailed(f"the harness leaves it out ({reason}), and this check may not be left out")
            return CheckResult(id=item.id, group=item.group, outcome="failed", detail=item.explain(problem))
        detail = f"waived: {waived}" if waived and item.required else str(reason)
        return CheckResult(id=item.id, group=item.group, outcome="skipped", detail=detail, left_out=True)
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


def checks_as_markdown() -> str:
    """The tables of docs/reference/provider-contract.md: every check in its group."""
    blocks: dict[str, list[str]] = {}
    for item in all_checks():
        blocks.setdefault(item.group, []).append(f"| `{item.id}` | {item.why} | {item.fix} |")
    head = "| check | why | what to do |\n|---|---|---|"
    return "\n\n".join(f"### {group}\n\n{head}\n" + "\n".join(rows) for group, rows in blocks.items())
