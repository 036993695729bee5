"""Every hook exists, is documented with its exact signature, and does what its text says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from moneyed import Money

from majuu_core.plugins import (
    ApiRouter,
    AuditAction,
    ConsoleAdmin,
    DemoData,
    EventHandler,
    EventType,
    FxQuote,
    HealthCheck,
    HealthReport,
    ListedName,
    MenuItem,
    Panel,
    PeriodicTask,
    Permission,
    hookimpl,
    hookspecs,
)
from majuu_core.plugins.manager import Plugins, hook_names
from majuu_core.providers import Violation

PAGE = Path(__file__).parents[3] / "docs/reference/hooks.md"
HOOKS = {
    name: function
    for name, function in vars(hookspecs).items()
    if inspect.isfunction(function) and hasattr(function, "majuu_spec")
}
ARCHITECTURE = {
    "register_payment_providers",
    "register_fx_rate_sources",
    "register_event_types",
    "register_event_handlers",
    "register_api_routers",
    "register_console_menu_items",
    "register_console_admins",
    "register_console_panels",
    "register_reports",
    "register_audit_actions",
    "register_permissions",
    "register_periodic_tasks",
    "register_health_checks",
    "register_demo_data",
    "register_personal_data",
    "select_provider_account",
    "quote_fx",
    "validate_payment_intent",
    "validate_refund",
    "validate_payout",
}


def signature_of(function: Callable[..., Any]) -> str:
    found = inspect.signature(function)
    arguments = ", ".join(f"{item.name}: {item.annotation}" for item in found.parameters.values())
    return f"{function.__name__}({arguments}) -> {found.return_annotation}"


def load(*implementations: Any) -> Plugins:
    """Plugins as the app order would give them: the first one is asked first."""
    plugins = Plugins()
    for number, implementation in reversed(list(enumerate(implementations))):
        plugins.pluggy.register(implementation, name=f"plugin{number}")
    plugins.load([])
    return plugins


def run_nothing(*args: Any) -> None:
    """Stands for a function of a plugin."""


def test_the_hooks_are_those_of_the_architecture() -> None:
    # ADR 7 adds one to those of the architecture, ADR 9 two.
    assert set(HOOKS) == ARCHITECTURE | {"validate_incoming_payment", "scan_upload", "screen_person"}
    assert hook_names(Plugins()) == sorted(HOOKS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_is_documented_with_its_exact_signature(name: str) -> None:
    page = PAGE.read_text()

    assert f"\n## {name}\n" in page
    assert f"```python\n{signature_of(HOOKS[name])}\n```" in page


def test_the_page_documents_no_hook_that_does_not_exist() -> None:
    assert set(re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE)) == set(HOOKS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_says_when_it_is_called_what_it_returns_and_since_when(name: str) -> None:
    text = HOOKS[name].__doc__ or ""

    assert "Called " in text
    assert "Return " in text
    assert "Added in 0.1." in text
    first = HOOKS[name].majuu_spec["firstresult"]
    assert ("The first result" in " ".join(text.split())) is bool(first)
    assert bool(first) is name.startswith(("select_", "quote_"))


def test_each_contribution_arrives_in_its_registry() -> None:
    class Source:
        code = "cbk"

    class Report:
        code = "parcels"

    class Everything:
        @hookimpl
        def register_payment_providers(self) -> list[Any]:
            return [Source]

        @hookimpl
        def register_fx_rate_sources(self) -> list[Any]:
            return [Source]

        @hookimpl
        def register_event_types(self) -> list[Any]:
            return [EventType(name="parcel.shipped", description="A parcel left.")]

        @hookimpl
        def register_event_handlers(self) -> list[Any]:
            return [EventHandler(name="parcels.ship", event_types=frozenset({"refund.failed"}), function=run_nothing)]

        @hookimpl
        def register_api_routers(self) -> list[Any]:
            return [ApiRouter("/parcels", object())]

        @hookimpl
        def register_console_menu_items(self) -> list[Any]:
            return [MenuItem(title="Parcels", url_name="parcels")]

        @hookimpl
        def register_console_admins(self) -> list[Any]:
            return [ConsoleAdmin(Source, Report)]

        @hookimpl
        def register_reports(self) -> list[Any]:
            return [Report]

        @hookimpl
        def register_audit_actions(self) -> list[Any]:
            return [AuditAction(code="parcel.opened", label="Parcel opened")]

        @hookimpl
        def register_permissions(self) -> list[Any]:
            return [Permission(code="parcels.open", label="Open parcels")]

        @hookimpl
        def register_periodic_tasks(self) -> list[Any]:
            return [PeriodicTask(name="parcels.track", every=timedelta(minutes=5), function=run_nothing)]

        @hookimpl
        def register_health_checks(self) -> list[Any]:
            return [HealthCheck(name="parcels.post", label="Post", function=lambda: HealthReport(healthy=True))]

        @hookimpl
        def register_demo_data(self) -> list[Any]:
            late = DemoData(name="parcels.late", load=run_nothing, order=20)
            return [late, DemoData(name="parcels.early", load=run_nothing, order=10)]

    found = load(Everything()).registries

    assert found.payment_providers == (Source,)
    assert list(found.fx_rate_sources) == ["cbk"]
    assert found.event_types["parcel.shipped"].description == "A parcel left."
    assert [item.name for item in found.handlers_for("refund.failed")] == ["parcels.ship"]
    assert found.handlers_for("refund.succeeded") == ()
    assert list(found.api_routers) == ["/parcels"]
    assert [item.title for item in found.console_menu_items] == ["Parcels"]
    assert [item.model for item in found.console_admins] == [Source]
    assert list(found.reports) == ["parcels"]
    assert list(found.audit_actions) == ["parcel.opened"]
    assert list(found.permissions) == ["parcels.open"]
    assert found.periodic_tasks["parcels.track"].minutes == 5
    assert found.health_checks["parcels.post"].function() == HealthReport(healthy=True)
    assert list(found.demo_data) == ["parcels.early", "parcels.late"]


def test_panels_are_asked_with_the_request() -> None:
    class Panels:
        @hookimpl
        def register_console_panels(self, request: Any) -> list[Panel]:
            return [Panel(title="Parcels", template="parcels.html")] if request == "staff" else []

    plugins = load(Panels())

    assert [panel.title for panel in plugins.collect("register_console_panels", request="staff")] == ["Parcels"]
    assert plugins.collect("register_console_panels", request="visitor") == ()


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("validate_payment_intent", {"payment_intent": 1}),
        ("validate_refund", {"refund": 1, "charge": 2}),
        ("validate_payout", {"payout": 1}),
        ("scan_upload", {"content": b"%PDF-", "name": "pin.pdf"}),
    ],
)
def test_objections_of_all_plugins_are_joined_in_order(hook: str, arguments: dict[str, Any]) -> None:
    def objector(code: str) -> Any:
        @hookimpl
        def object_to_it() -> list[Violation]:
            return [Violation(code=code, message="No.")]

        return type("Objector", (), {hook: staticmethod(object_to_it)})()

    plugins = load(objector("first"), objector("second"))

    assert [item.code for item in plugins.collect(hook, **arguments)] == ["first", "second"]


def test_those_whom_plugins_find_on_lists_are_joined() -> None:
    class Service:
        @hookimpl
        def screen_person(self, name: str, born_on: date | None, country: str) -> list[ListedName]:
            found = f"{name}, {born_on}, {country}"
            return [ListedName(list_code="UN", entry_id="7", name=found, score=90)]

    arguments = {"name": "Jane Doe", "born_on": date(1970, 1, 2), "country": "KE"}
    found = load(Service(), Service()).collect("screen_person", **arguments)

    assert [item.name for item in found] == ["Jane Doe, 1970-01-02, KE"] * 2


@pytest.mark.parametrize("wrong", [{"score": 101}, {"score": -1}, {"entry_id": ""}, {"name": ""}, {"list_code": ""}])
def test_somebody_on_a_list_has_a_list_an_entry_a_name_and_a_score(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a listed name has"):
        replace(ListedName(list_code="UN", entry_id="7", name="Jane Doe", score=90), **wrong)


def test_the_first_account_that_a_plugin_selects_wins() -> None:
    class Undecided:
        @hookimpl
        def select_provider_account(self, candidates: Any) -> None:
            return None

    class Last:
        @hookimpl
        def select_provider_account(self, payment_intent: Any, candidates: Any) -> Any:
            return candidates[-1]

    class First:
        @hookimpl
        def select_provider_account(self, candidates: Any) -> Any:
            return candidates[0]

    plugins = load(Undecided(), Last(), First())

    assert plugins.decide("select_provider_account", payment_intent=None, candidates=["a", "b"]) == "b"
    assert load(Undecided()).decide("select_provider_account", payment_intent=None, candidates=["a"]) is None


def test_core_selects_the_first_candidate_when_nobody_else_does() -> None:
    from majuu_core import majuu_hooks

    class Last:
        @hookimpl
        def select_provider_account(self, candidates: Any) -> Any:
            return candidates[-1]

    def select(plugins: Plugins, candidates: list[str]) -> Any:
        return plugins.decide("select_provider_account", payment_intent=None, candidates=candidates)

    assert select(load(majuu_hooks), ["a", "b"]) == "a"
    assert select(load(majuu_hooks), []) is None
    assert select(load(majuu_hooks, Last()), ["a", "b"]) == "b"


def test_a_quote_comes_from_the_first_plugin_that_knows_the_pair() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)

    class Rates:
        @hookimpl
        def quote_fx(self, amount: Money, to_currency: str, at: datetime) -> FxQuote | None:
            if to_currency != "KES":
                return None
            converted = Money(amount.amount * 130, "KES")
            return FxQuote(amount=amount, converted=converted, rate=Decimal(130), source="test", expires_at=at)

    plugins = load(Rates())

    quote = plugins.decide("quote_fx", amount=Money(2, "USD"), to_currency="KES", at=at)

    assert quote.converted == Money(260, "KES")
    assert plugins.decide("quote_fx", amount=Money(2, "USD"), to_currency="UGX", at=at) is None
