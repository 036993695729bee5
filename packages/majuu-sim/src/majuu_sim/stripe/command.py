"""The ``majuu-sim stripe`` subcommand: its options, the simulator they describe, and what it says when it listens."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from majuu_sim.clock import Clock
from majuu_sim.stripe.config import API_VERSION, SECRET_KEY, WEBHOOK_SECRET, Endpoint, StripeAccount, StripeConfig
from majuu_sim.stripe.simulator import StripeSimulator

if TYPE_CHECKING:
    from majuu_sim.simulator import Simulator

ABOUT = """\
Serve a Stripe-shaped API: payment intents, checkout with hosted pages, refunds, disputes, saved cards, balance
and payouts, with signed events over real HTTP.

Point your Stripe client's base address at the printed one. A checkout session's url opens a page on which a test
card is chosen; GET /control/cards lists them. GET /control/faults lists the faults that can be queued."""

GET_ADDRESSES = ("state", "payments", "callbacks", "faults", "clock", "cards", "objects/{id}")
POST_ADDRESSES = (
    "faults",
    "clock/advance",
    "checkout/{id}/pay",
    "intents/{id}/authenticate",
    "disputes",
    "disputes/{id}/decide",
    "refunds",
    "refunds/{id}/fail",
    "payouts",
    "payouts/{id}/fail",
    "forge",
    "endpoints",
    "keys/expire",
    "outage",
    "callbacks/{id}/resend",
    "reset",
)


def add_options(sub: argparse.ArgumentParser) -> None:
    """Stripe's own options."""
    add = sub.add_argument
    add("--key", default=SECRET_KEY, metavar="KEY", help=f"the secret key; sk_live_… makes live objects ({SECRET_KEY})")
    add("--webhook", metavar="URL", help="where events go; without it, nowhere until POST /control/endpoints")
    add(
        "--webhook-secret",
        action="append",
        default=[],
        metavar="SECRET",
        help=f"signs events; twice for a rotation under way ({WEBHOOK_SECRET})",
    )
    add("--api-version", default=API_VERSION, metavar="VERSION", help=f"in which events are shown ({API_VERSION})")
    add("--country", default="US", metavar="CC", help="of the account (US)")
    add("--currency", default="usd", metavar="CODE", help="the account's default currency (usd)")
    add("--schema", metavar="PATH", help="Stripe's OpenAPI file: requests are checked against it (needs jsonschema)")
    add("--public-url", metavar="URL", help="of the hosted pages, when browsers reach them by another address")
    add("--delay", type=float, default=1.0, metavar="S", help="seconds from what happened to its event (1)")
    add("--fee", default="2.9", metavar="PERCENT", help="of a charge (2.9)")
    add("--fee-fixed", type=int, default=30, metavar="N", help="of a charge, in the smallest unit (30)")


def make_stripe(options: argparse.Namespace, clock: Clock) -> StripeSimulator:
    """The simulator the options describe; ValueError when they make no sense."""
    if not options.key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise ValueError("--key starts with sk_test_ or sk_live_")
    if options.delay < 0 or options.fee_fixed < 0:
        raise ValueError("--delay and --fee-fixed are zero or more")
    secrets = tuple(options.webhook_secret) or (WEBHOOK_SECRET,)
    endpoints: tuple[Endpoint, ...] = ()
    if options.webhook:
        endpoints = (Endpoint(url=options.webhook, secrets=secrets, api_version=options.api_version),)
    account = StripeAccount(
        secret_key=options.key,
        country=options.country,
        default_currency=options.currency.lower(),
        endpoints=endpoints,
    )
    config = StripeConfig(
        accounts=(account,),
        schema_path=options.schema,
        public_url=options.public_url,
        event_delay=options.delay,
        fee_percent=_percent(options.fee),
        fee_fixed=options.fee_fixed,
    )
    return StripeSimulator(seed=options.seed, clock=clock, config=config)


def lines_of(simulator: Simulator) -> list[str]:
    """What it is reached with."""
    if not isinstance(simulator, StripeSimulator):
        return []
    lines = []
    for book in simulator.books:
        lines.append(f"  secret key  {book.account.secret_key}")
        for one in book.endpoints:
            lines += [f"  events to   {one.url}", *(f"  signed with {secret}" for secret in one.secrets)]
    return lines


def _percent(text: str) -> Decimal:
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal(-1)
    if not share.is_finite() or not 0 <= share < 100:
        raise ValueError("--fee is a percentage from 0 to 100")
    return share
