"""What ``majuu-sim paypal`` takes and says."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from majuu_sim.clock import Clock
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.simulator import PaypalSimulator
from majuu_sim.simulator import Simulator

SPECS = "MAJUU_PAYPAL_SPECS"
ABOUT = """\
Serve a PayPal-shaped API: OAuth, Orders v2, Payments v2 (authorizations, captures, refunds), disputes, payouts,
transaction search and webhooks, signed with a certificate chain of its own.

Point your application's PayPal base URL at the printed address, trust the root certificate at
/control/certificate, and register your webhook with --webhook or POST /v1/notifications/webhooks.
Customers approve at the page your order's payer-action link names, or by themselves with --delay.
GET /control/faults lists the faults that can be queued."""
GET_ADDRESSES = (
    "state",
    "payments",
    "movements",
    "orders",
    "disputes",
    "payouts",
    "webhooks",
    "callbacks",
    "faults",
    "clock",
    "certificate",
)
POST_ADDRESSES = (
    "faults",
    "orders/{id}/approve",
    "orders/{id}/cancel",
    "captures/{id}/refund",
    "captures/{id}/dispute",
    "disputes/{id}/decide",
    "webhooks",
    "outage",
    "clock/advance",
    "callbacks/{id}/resend",
    "reset",
)


def add_options(sub: argparse.ArgumentParser) -> None:
    """PayPal's own options."""
    account, config = Account(), PaypalConfig()
    add = sub.add_argument
    add("--client-id", default=account.client_id, metavar="ID", help=f"({account.client_id})")
    add("--client-secret", default=account.client_secret, metavar="SECRET", help=f"({account.client_secret})")
    add("--merchant-id", default=account.merchant_id, metavar="ID", help=f"({account.merchant_id})")
    add(
        "--account",
        action="append",
        default=[],
        metavar="ID:SECRET:MERCHANT",
        help="a further account; may be repeated",
    )
    add("--webhook", action="append", default=[], metavar="URL", help="send the first account's events here")
    add("--delay", type=float, metavar="S", help="customers approve by themselves after so many seconds (never)")
    add("--event-delay", type=float, default=config.event_delay, metavar="S", help="until an event leaves (1)")
    add("--clearing-seconds", type=float, default=config.clearing_seconds, metavar="S", help="(3 days)")
    add("--fee-percent", default=str(config.fee_percent), metavar="N", help=f"({config.fee_percent})")
    add("--fee-fixed", default=str(config.fee_fixed), metavar="N", help=f"({config.fee_fixed})")
    add("--public-url", default="", metavar="URL", help="where a browser finds this (where the API is called)")
    add(
        "--specs",
        default=os.environ.get(SPECS),
        metavar="FOLDER",
        help=f"check every body against PayPal's OpenAPI files in this folder (${SPECS})",
    )


def make(options: argparse.Namespace, *, clock: Clock) -> PaypalSimulator:
    """The simulator the options describe; ValueError when they make no sense."""
    first = Account(client_id=options.client_id, client_secret=options.client_secret, merchant_id=options.merchant_id)
    config = PaypalConfig(
        accounts=(first, *(_account(text) for text in options.account)),
        answer_delay=options.delay,
        event_delay=options.event_delay,
        clearing_seconds=options.clearing_seconds,
        fee_percent=_number(options.fee_percent, "--fee-percent"),
        fee_fixed=_number(options.fee_fixed, "--fee-fixed"),
        public_url=options.public_url,
        specs=Path(options.specs) if options.specs else None,
    )
    simulator = PaypalSimulator(seed=options.seed, clock=clock, config=config)
    for url in options.webhook:
        simulator.register_webhook(url)
    return simulator


def _account(text: str) -> Account:
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        raise ValueError("--account takes ID:SECRET:MERCHANT")
    return replace(Account(), client_id=parts[0], client_secret=parts[1], merchant_id=parts[2])


def _number(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise ValueError(f"{option} is a number, zero or more")
    return number


def lines_of(simulator: Simulator, url: str) -> list[str]:
    """What the command says when it serves; nothing for another provider."""
    if not isinstance(simulator, PaypalSimulator):
        return []
    lines = []
    for account in simulator.config.accounts:
        lines.append(f"  client id {account.client_id}, secret {account.client_secret}")
        lines.append(f"  merchant  {account.merchant_id}")
    lines += [f"  webhook   {one.id} for {one.url}" for one in simulator.office.webhooks.all()]
    lines.append(f"  root certificate: {url}/control/certificate")
    return lines
