"""Every hook of Majuu. Implement one in ``<your app>/majuu_hooks.py`` and mark it with ``@hookimpl``.

``register_*`` contributes a list and is called once, at start. ``select_*`` and ``quote_*`` decide: the first answer
that is not None wins. ``validate_*`` may object; any objection stops the request. An implementation may leave out
arguments it does not need. Hooks do not announce what happened: register an event handler for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from majuu_core.common.money import Money
from majuu_core.plugins.contributions import (
    ApiRouter,
    AuditAction,
    ConsoleAdmin,
    DemoData,
    EventHandler,
    EventType,
    FxQuote,
    HealthCheck,
    ListedName,
    MenuItem,
    Objection,
    Panel,
    PeriodicTask,
    Permission,
    RateSource,
    ReportView,
)
from majuu_core.plugins.markers import hookspec
from majuu_core.plugins.personal_data import PersonalData


@hookspec
def register_payment_providers() -> Sequence[type[object]]:  # type: ignore[empty-body]
    """Offer payment providers.

    Called once, at start. Return subclasses of ``majuu_core.providers.PaymentProvider``. Two providers with one code
    stop the start. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_fx_rate_sources() -> Sequence[type[RateSource]]:  # type: ignore[empty-body]
    """Offer places to get exchange rates from.

    Called once, at start. Return classes with a unique ``code`` and ``get_rates``. Results of all plugins are joined.
    Added in 0.1.
    """


@hookspec
def register_event_types() -> Sequence[EventType]:  # type: ignore[empty-body]
    """Name the events this plugin writes, so that shops can subscribe to them.

    Called once, at start. Return event types with unique names. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_event_handlers() -> Sequence[EventHandler]:  # type: ignore[empty-body]
    """React to events.

    Called once, at start. Return handlers with unique names. Each runs from the outbox, after the change that caused
    the event is committed, and again when it fails. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_api_routers() -> Sequence[ApiRouter]:  # type: ignore[empty-body]
    """Add resources to the REST API.

    Called once, at start, before the API's addresses are made. Return routers with unique prefixes. Results of all
    plugins are joined. Added in 0.1.
    """


@hookspec
def register_console_menu_items() -> Sequence[MenuItem]:  # type: ignore[empty-body]
    """Add entries to the console's menu.

    Called once, at start. Return menu items, or an empty list. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_console_admins() -> Sequence[ConsoleAdmin]:  # type: ignore[empty-body]
    """Show models in the console.

    Called once, at start. Return pairs of model and admin class; a model may be shown once. Results of all plugins are
    joined. Added in 0.1.
    """


@hookspec
def register_console_panels(request: Any) -> Sequence[Panel]:  # type: ignore[empty-body]
    """Add cards to the console's first page.

    Called each time the page is drawn, with Django's request. Return panels, or an empty list when ``request.user``
    may not see them. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_reports() -> Sequence[type[ReportView]]:  # type: ignore[empty-body]
    """Add reports, each with its exports.

    Called once, at start. Return classes with a unique ``code``. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_audit_actions() -> Sequence[AuditAction]:  # type: ignore[empty-body]
    """Name what this plugin writes to the audit log.

    Called once, at start. Return actions with unique codes. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_permissions() -> Sequence[Permission]:  # type: ignore[empty-body]
    """Name permissions for the role editor.

    Called once, at start. Return permissions with unique codes. Results of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_periodic_tasks() -> Sequence[PeriodicTask]:  # type: ignore[empty-body]
    """Do work regularly in the background.

    Called once, at start. Return tasks with unique names; each must be safe when two workers run it at once. Results
    of all plugins are joined. Added in 0.1.
    """


@hookspec
def register_health_checks() -> Sequence[HealthCheck]:  # type: ignore[empty-body]
    """Add questions to the health page.

    Called once, at start. Return checks with unique names; each answers within a second. Results of all plugins are
    joined. Added in 0.1.
    """


@hookspec
def register_personal_data() -> Sequence[PersonalData]:  # type: ignore[empty-body]
    """Say what this plugin knows about people, so that it can be exported and erased.

    Called once, at start. Return sources with unique names. Results of all plugins are joined; core's are asked first.
    Added in 0.1.
    """


@hookspec
def register_demo_data() -> Sequence[DemoData]:  # type: ignore[empty-body]
    """Fill a sandbox with examples.

    Called once, at start. Return loaders with unique names; they run in their order, and only when somebody asks for
    demo data. Results of all plugins are joined. Added in 0.1.
    """


@hookspec(firstresult=True)
def select_provider_account(payment_intent: Any, candidates: Sequence[Any]) -> Any:
    """Choose the provider account that takes a payment.

    Called when an intent is confirmed, with the accounts that can take the method and the currency, in the store's
    order. Return one of ``candidates``, or None to leave the choice to others. The first result wins; core's own
    choice, the first candidate, is asked last. Added in 0.1.
    """


@hookspec(firstresult=True)
def quote_fx(amount: Money, to_currency: str, at: datetime) -> FxQuote | None:
    """Promise an exchange rate.

    Called when an amount is wanted in another currency. Return a quote, or None when the pair is not known. The first
    result wins; without any, the payment is not offered in that currency. Added in 0.1.
    """


@hookspec
def validate_payment_intent(payment_intent: Any) -> Sequence[Objection]:  # type: ignore[empty-body]
    """Object to a payment intent before it is stored.

    Called with the unsaved intent. Return objections (``majuu_core.providers.Violation``), or an empty list. Any
    objection of any plugin refuses the request with status 422. Added in 0.1.
    """


@hookspec
def validate_refund(refund: Any, charge: Any) -> Sequence[Objection]:  # type: ignore[empty-body]
    """Object to a refund before it is stored.

    Called with the unsaved refund and the charge it gives back. Return objections, or an empty list. Any objection of
    any plugin refuses the request with status 422. Added in 0.1.
    """


@hookspec
def validate_payout(payout: Any) -> Sequence[Objection]:  # type: ignore[empty-body]
    """Object to a payout before it is stored.

    Called with the unsaved payout. Return objections, or an empty list. Any objection of any plugin refuses the
    request with status 422. Added in 0.1.
    """


@hookspec
def validate_incoming_payment(provider_account: Any, incoming: Any) -> Sequence[Objection]:  # type: ignore[empty-body]
    """Object to money before the provider takes it.

    Called when a provider asks before a customer's payment (M-Pesa's validation), with the account and the
    ``majuu_core.providers.IncomingMoney``. Return objections, or an empty list; the first one's ``code`` may be one of
    the provider's own (C2B00011 to C2B00016). The provider waits a few seconds only: look nothing up over a network.
    Without objections, and when an implementation fails, the money is accepted. Added in 0.1.
    """


@hookspec
def scan_upload(content: bytes, name: str) -> Sequence[Objection]:  # type: ignore[empty-body]
    """Object to a file that a business uploads, such as one with a virus.

    Called with the bytes as they came and the file's name, after their kind was recognised and before anything is
    kept; no transaction is open. Return objections (``majuu_core.providers.Violation``), or an empty list. Any
    objection of any plugin refuses the file; so does an implementation that fails: its error goes through.
    Added in 0.1.
    """


@hookspec
def screen_person(name: str, born_on: date | None, country: str) -> Sequence[ListedName]:  # type: ignore[empty-body]
    """Look a person or a business up on sanctions lists.

    Called for each name of a KYC case when it is submitted and again every MAJUU_KYC_SCREENING_DAYS; ``born_on`` is
    None for a business, ``country`` is its ISO 3166 code. No transaction is open: a service may be asked.
    Return those who resemble, or an empty list. Results of all plugins are joined; core looks into
    MAJUU_SANCTIONS_FILES. When an implementation fails, the case counts as not compared, and it cannot be approved
    before it was. Added in 0.1.
    """
