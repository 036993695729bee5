"""Which address does what."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from majuu_sim.faults import FaultRule, FaultScript
from majuu_sim.stripe import errors, objects
from majuu_sim.stripe.asking import refuse_checkouts
from majuu_sim.stripe.book import ORDINARY, Book, list_of
from majuu_sim.stripe.errors import Obj
from majuu_sim.stripe.params import Params

if TYPE_CHECKING:
    from majuu_sim.stripe.simulator import StripeSimulator

# What a script can be meant for.
OPERATIONS = (
    "payment_create",
    "payment_confirm",
    "payment_capture",
    "payment_cancel",
    "payment_update",
    "payment_read",
    "payment_list",
    "checkout_create",
    "checkout_expire",
    "checkout_read",
    "refund_create",
    "refund_update",
    "refund_read",
    "setup_create",
    "setup_confirm",
    "setup_cancel",
    "setup_read",
    "customer_write",
    "customer_read",
    "dispute_write",
    "dispute_read",
    "file_write",
    "balance_read",
    "payout_read",
    "charge_read",
    "event_read",
    "account_read",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a handler gets it."""

    book: Book
    params: Params
    ids: tuple[str, ...]
    rule: FaultRule | None = None  # used up once the request turns out not to be wrong

    @property
    def script(self) -> FaultScript:
        """How it shall go."""
        return ORDINARY if self.rule is None else self.rule.script

    @property
    def id(self) -> str:
        """The id in the address."""
        return self.ids[0]


Handler = Callable[[Call], Obj]


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method."""

    method: str
    path: str  # with {id}
    operation: str
    run: Handler
    kind: str = ""  # what a read reads, for scripts that make reads fail

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids in the path, or None when it is another's."""
        if method != self.method:
            return None
        found = re.fullmatch(re.escape(self.path).replace(r"\{id\}", r"([^/]+)"), path)
        return found.groups() if found else None


def routes_of(sim: StripeSimulator) -> list[Route]:
    """Every address of the API, the fixed ones before those with an id."""
    return [*_payments(sim), *_checkout(sim), *_refunds(sim), *_customers(sim), *_disputes(sim), *_money(sim)]


def _payments(sim: StripeSimulator) -> list[Route]:
    desk, kind = sim.payment_desk, "payment_intent"

    def one(call: Call) -> Obj:
        return call.book.get(kind, call.id, param="intent")

    def own(call: Call) -> Obj:
        return refuse_checkouts(call.book, one(call))

    base = "/v1/payment_intents"
    return [
        Route("POST", base, "payment_create", lambda c: desk.create(c.book, c.params, c.script)),
        Route("GET", base, "payment_list", lambda c: listed(c, kind, base, ("customer",))),
        Route("GET", f"{base}/search", "payment_list", lambda c: sim.searcher.payments(c.book, c.params)),
        Route("GET", f"{base}/{{id}}", "payment_read", lambda c: _read(c, one, "client_secret"), kind),
        Route("POST", f"{base}/{{id}}", "payment_update", lambda c: desk.update(c.book, one(c), c.params)),
        Route(
            "POST",
            f"{base}/{{id}}/confirm",
            "payment_confirm",
            lambda c: desk.confirm(c.book, own(c), c.params, c.rule.script if c.rule else None),
        ),
        Route(
            "POST",
            f"{base}/{{id}}/capture",
            "payment_capture",
            lambda c: desk.capture(c.book, one(c), c.params, c.script),
        ),
        Route(
            "POST", f"{base}/{{id}}/cancel", "payment_cancel", lambda c: desk.cancel(c.book, own(c), c.params, c.script)
        ),
        Route(
            "GET",
            "/v1/charges",
            "charge_read",
            lambda c: listed(c, "charge", "/v1/charges", ("customer", "payment_intent")),
        ),
        Route("GET", "/v1/charges/{id}", "charge_read", lambda c: _read(c, lambda c: c.book.get("charge", c.id))),
    ]


def _checkout(sim: StripeSimulator) -> list[Route]:
    desk, setups = sim.checkout_desk, sim.setup_desk
    base, setup_base = "/v1/checkout/sessions", "/v1/setup_intents"

    def one(call: Call) -> Obj:
        return call.book.get("checkout.session", call.id, param="session")

    def setup(call: Call) -> Obj:
        return call.book.get("setup_intent", call.id, param="intent")

    return [
        Route("POST", base, "checkout_create", lambda c: desk.create(c.book, c.params, c.script)),
        Route(
            "GET",
            base,
            "checkout_read",
            lambda c: listed(c, "checkout.session", base, ("customer", "payment_intent", "status")),
        ),
        Route("GET", f"{base}/{{id}}", "checkout_read", lambda c: _read(c, one), "checkout.session"),
        Route("POST", f"{base}/{{id}}/expire", "checkout_expire", lambda c: desk.expire(c.book, one(c), c.params)),
        Route("POST", setup_base, "setup_create", lambda c: setups.create(c.book, c.params, c.script)),
        Route(
            "GET",
            setup_base,
            "setup_read",
            lambda c: listed(c, "setup_intent", setup_base, ("customer", "payment_method")),
        ),
        Route("GET", f"{setup_base}/{{id}}", "setup_read", lambda c: _read(c, setup, "client_secret"), "setup_intent"),
        Route(
            "POST",
            f"{setup_base}/{{id}}/confirm",
            "setup_confirm",
            lambda c: setups.confirm(c.book, setup(c), c.params),
        ),
        Route(
            "POST", f"{setup_base}/{{id}}/cancel", "setup_cancel", lambda c: setups.cancel(c.book, setup(c), c.params)
        ),
    ]


def _refunds(sim: StripeSimulator) -> list[Route]:
    desk, base = sim.refund_desk, "/v1/refunds"

    def one(call: Call) -> Obj:
        return call.book.get("refund", call.id, param="refund")

    return [
        Route("POST", base, "refund_create", lambda c: desk.create(c.book, c.params, c.script)),
        Route("GET", base, "refund_read", lambda c: listed(c, "refund", base, ("charge", "payment_intent"))),
        Route("GET", f"{base}/{{id}}", "refund_read", lambda c: _read(c, one), "refund"),
        Route("POST", f"{base}/{{id}}", "refund_update", lambda c: desk.update(c.book, one(c), c.params)),
        Route("POST", f"{base}/{{id}}/cancel", "refund_update", lambda c: desk.cancel(c.book, one(c), c.params)),
    ]


def _customers(sim: StripeSimulator) -> list[Route]:
    wallets = sim.wallets
    base, methods = "/v1/customers", "/v1/payment_methods"

    def one(call: Call) -> Obj:
        return call.book.get("customer", call.id, param="customer")

    def method(call: Call) -> Obj:
        return call.book.get("payment_method", call.id, param="payment_method")

    def attach(call: Call) -> Obj:
        call.params.only("customer", "expand")
        found = wallets.method_for(call.book, call.id, call.params.text("customer"))
        return wallets.attach(call.book, found, call.params.need_text("customer"))

    def detach(call: Call) -> Obj:
        call.params.only("expand")
        return wallets.detach(call.book, method(call))

    def methods_of(call: Call) -> Obj:
        customer = one(call)["id"]
        return listed(call, "payment_method", f"{base}/{customer}/payment_methods", ("type",), customer=customer)

    return [
        Route("POST", base, "customer_write", lambda c: wallets.create_customer(c.book, c.params)),
        Route("GET", base, "customer_read", lambda c: listed(c, "customer", base, ("email",))),
        Route("GET", f"{base}/search", "customer_read", lambda c: sim.searcher.customers(c.book, c.params)),
        Route("GET", f"{base}/{{id}}", "customer_read", lambda c: _read(c, one)),
        Route("POST", f"{base}/{{id}}", "customer_write", lambda c: wallets.update_customer(c.book, one(c), c.params)),
        Route("DELETE", f"{base}/{{id}}", "customer_write", lambda c: wallets.delete_customer(c.book, one(c))),
        Route("GET", f"{base}/{{id}}/payment_methods", "customer_read", methods_of),
        Route("POST", methods, "customer_write", lambda c: wallets.create_method(c.book, c.params)),
        Route("GET", methods, "customer_read", lambda c: listed(c, "payment_method", methods, ("customer", "type"))),
        Route("GET", f"{methods}/{{id}}", "customer_read", lambda c: _read(c, method)),
        Route("POST", f"{methods}/{{id}}/attach", "customer_write", attach),
        Route("POST", f"{methods}/{{id}}/detach", "customer_write", detach),
    ]


def _disputes(sim: StripeSimulator) -> list[Route]:
    desk, base = sim.dispute_desk, "/v1/disputes"

    def one(call: Call) -> Obj:
        return call.book.get("dispute", call.id, param="dispute")

    return [
        Route("GET", base, "dispute_read", lambda c: listed(c, "dispute", base, ("charge", "payment_intent"))),
        Route("GET", f"{base}/{{id}}", "dispute_read", lambda c: _read(c, one)),
        Route("POST", f"{base}/{{id}}", "dispute_write", lambda c: desk.update(c.book, one(c), c.params)),
        Route("POST", f"{base}/{{id}}/close", "dispute_write", lambda c: desk.close(c.book, one(c), c.params)),
        Route(
            "GET",
            "/v1/files/{id}",
            "dispute_read",
            lambda c: _read(c, lambda c: c.book.get("file", c.id, param="file")),
        ),
        Route("GET", "/v1/files", "dispute_read", lambda c: listed(c, "file", "/v1/files", ("purpose",))),
    ]


def _money(sim: StripeSimulator) -> list[Route]:
    moves, payouts = "/v1/balance_transactions", "/v1/payouts"

    def balance_transactions(call: Call) -> Obj:
        sim.till.refresh(call.book)
        wanted = call.params.text("payout")
        if wanted is not None:
            call.book.get("payout", wanted, param="payout", status=400)
        return listed(
            call,
            "balance_transaction",
            moves,
            ("type", "currency", "source"),
            extra=("payout",),
            keep=lambda one: wanted is None or sim.payout_desk.payout_of(one) == wanted,
        )

    def balance_transaction(call: Call) -> Obj:
        sim.till.refresh(call.book)
        return call.book.get("balance_transaction", call.id)

    def balance(call: Call) -> Obj:
        call.params.only("expand")
        return sim.till.balance(call.book)

    def endpoints(call: Call) -> Obj:
        call.params.only("limit", "starting_after", "ending_before", "expand")
        return list_of(objects.webhook_endpoints(call.book), "/v1/webhook_endpoints")

    def account(call: Call) -> Obj:
        call.params.only("expand")
        return objects.account(call.book)

    return [
        Route("GET", "/v1/balance", "balance_read", balance),
        Route("GET", moves, "balance_read", balance_transactions),
        Route("GET", f"{moves}/{{id}}", "balance_read", lambda c: _read(c, balance_transaction)),
        Route("GET", payouts, "payout_read", lambda c: listed(c, "payout", payouts, ("status", "destination"))),
        Route(
            "GET",
            f"{payouts}/{{id}}",
            "payout_read",
            lambda c: _read(c, lambda c: c.book.get("payout", c.id, param="payout")),
        ),
        Route("GET", "/v1/events", "event_read", lambda c: listed(c, "event", "/v1/events", ("type",))),
        Route("GET", "/v1/events/{id}", "event_read", lambda c: _read(c, lambda c: c.book.get("event", c.id))),
        Route("GET", "/v1/webhook_endpoints", "account_read", endpoints),
        Route("GET", "/v1/account", "account_read", account),
    ]


def _read(call: Call, find: Handler, *allowed: str) -> Obj:
    call.params.only("expand", *allowed)
    return find(call)


def listed(
    call: Call,
    kind: str,
    url: str,
    filters: tuple[str, ...],
    *,
    extra: tuple[str, ...] = (),
    keep: Callable[[Obj], bool] = lambda one: True,
    **fixed: str,
) -> Obj:
    """A page of objects that have the values of the ``filters`` that were sent, and the ``fixed`` ones."""
    call.params.only("limit", "starting_after", "ending_before", "created", "expand", *filters, *extra)
    wanted = {name: value for name in filters if (value := call.params.text(name)) is not None} | fixed

    def fits(one: Obj) -> bool:
        return keep(one) and all(one.get(name) == value for name, value in wanted.items())

    return call.book.page(kind, url, call.params, fits)


def no_route(method: str, path: str) -> errors.StripeRefusal:
    """An address the API does not have."""
    return errors.StripeRefusal(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at"
        " https://support.stripe.com/.",
        began=False,
    )
