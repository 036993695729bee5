"""PayPal over real HTTP: the simulated PayPal with all its faults, customers who approve there, signed messages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url, charge_callback_url
from majuu_core.payments.models import Charge
from majuu_paypal import majuu_hooks
from majuu_sim.clock import ExternalClock
from majuu_sim.faults import PRESETS, FaultScript, Reply
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator, signing
from majuu_sim.paypal.formats import iso
from majuu_sim.paypal.office import SIGNERS
from majuu_sim.paypal.records import Capture, Order
from majuu_sim.transport import CollectingTransport
from tests.sandbox.machine.drivers import Execution, Letter
from tests.sandbox.machine.visits import Diary, Fault, Visit

PAYS, DECLINED, ONCE_MORE, BOUNCES = "pay", "declined", "payer_action", "pending_denied"
CLEARS, REVIEWED, TAKING_FAILS, LEAVES = "pending", "review", "capture_declined", "cancel"
VISITS = (
    *((PAYS,), (PAYS,), (), (LEAVES,), (LEAVES, PAYS), (DECLINED,), (DECLINED, PAYS), (TAKING_FAILS,)),
    *((ONCE_MORE, PAYS), (ONCE_MORE,), (CLEARS,), (REVIEWED,), (BOUNCES,)),
)
REPLIES = [Reply.NORMAL, *(reply for reply in Reply if reply.commits)]
# What cannot be asked of PayPal, or would make it sign an untruth about whether money moved.
_UNUSED = {"disagree", "token_dies_after", "queue_timeout", "queue_timeout_lost", "queue_timeout_undone"}
_UNUSED |= {"wrong_shortcode", "validation_lost", "stale_failure", "forged_success", "wrong_amount"}
_UNUSED |= {"disagree_read"}
_TROUBLES = (
    *(PAYS, CLEARS, DECLINED, ONCE_MORE, "truth", "tokens", "certificate"),
    *("order_get:server_error", "order_get:refuse_connection", "order_get:spike_arrest", "oauth:server_error"),
    *("webhook_list:server_error", "order_capture:accepted_timeout", "order_capture:accepted_error"),
    *("order_capture:server_error", "order_capture:refuse_connection", "order_capture:locked"),
)
WAITING = ("CREATED", "PAYER_ACTION_REQUIRED", "APPROVED")


@dataclass(frozen=True, slots=True)
class TwoCalls(Fault):
    """One payment takes two calls: ``taking`` is what goes wrong with the second."""

    taking: FaultScript | None = None


class PaypalDriver:
    """PayPal in this process. Messages are kept until the machine delivers them."""

    code = "paypal"
    payment_method = "paypal"
    currency = "USD"
    plugin: object = majuu_hooks
    forgeries: tuple[str, ...] = (
        *("unsigned", "other_certificate", "other_host", "wrong_name", "expired_certificate", "other_webhook"),
        *("stale", "reserialised", "tampered", "other_charge", "other_shop", "wrong_amount", "nonsense"),
    )

    def open(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._post = CollectingTransport()
        self._sent: list[Letter] = []
        self._denied: set[str] = set()
        self._app = Account()
        config = PaypalConfig(accounts=(self._app,), clearing_seconds=7200.0)
        self._sim = PaypalSimulator(clock=ExternalClock(now), transport=self._post, config=config).serve()
        self._diary = Diary(now, self._act)
        self._folder = tempfile.TemporaryDirectory()
        self._root = Path(self._folder.name) / "root.pem"
        self._root.write_text(self._sim.root_pem)

    def close(self) -> None:
        self._sim.close()
        self._folder.cleanup()

    def furnish(self, account: ProviderAccount) -> None:
        self._url = account_callback_url(account.pk)

    def reset(self, seed: int) -> None:
        self._sim.reset(seed=seed)
        self._webhook_id = self._sim.register_webhook(self._url)
        self._diary.clear()
        self._sent.clear()
        self._denied.clear()
        self._post.take()

    def credentials(self) -> dict[str, Any]:
        return {"client_id": self._app.client_id, "client_secret": self._app.client_secret}

    def options(self) -> dict[str, Any]:
        here = self._sim.base_url
        return {"base_url": here, "certificate_origin": here, "root_certificates": str(self._root)}

    def amounts(self) -> SearchStrategy[int]:
        return st.sampled_from([1, 100, 250, 1500])

    def customers(self) -> SearchStrategy[str]:
        return st.just("somebody")

    def faults(self) -> SearchStrategy[Any]:
        composed = st.builds(
            FaultScript,
            reply=st.sampled_from(REPLIES),
            event_lost=st.booleans(),
            event_delay=st.sampled_from([0, 90, 4000]),
            event_before_reply=st.booleans(),
            event_out_of_order=st.booleans(),
            event_amount=st.sampled_from([None, None, None, "90"]),
            event_shape=st.sampled_from([None, None, None, "reserialised", "expired_certificate"]),
            duplicates=st.integers(0, 2),
            stale_outcome=st.sampled_from([None, None, "capture_declined"]),
            forged=st.integers(0, 1),
            read_pending=st.integers(0, 3),
            read_unavailable=st.integers(0, 2),
            read_missing=st.integers(0, 1),
        )
        worst = [FaultScript(event_lost=True), FaultScript(read_outcome="timeout"), FaultScript(event_amount="90")]
        worst += [FaultScript(stale_outcome="capture_declined"), FaultScript(event_before_reply=True, forged=1)]
        named = [PRESETS[name] for name in sorted(PRESETS) if name not in _UNUSED]
        scripts = st.one_of(st.just(FaultScript()), st.sampled_from(worst), st.sampled_from(named), composed)
        visits = st.builds(Visit, steps=st.sampled_from(VISITS), after=st.sampled_from([5, 5, 200, 4000]))
        taking = st.one_of(st.none(), st.sampled_from([FaultScript(reply=reply) for reply in Reply]), composed)
        return st.builds(TwoCalls, script=scripts, visit=visits, taking=taking)

    def troubles(self) -> SearchStrategy[Any]:
        return st.sampled_from(_TROUBLES)

    def plan(self, customer: str, fault: Any) -> None:
        self._notice()
        self._diary.expected = fault.visit
        self._sim.faults.rules.clear()  # of a customer who never came to pay
        self._sim.script(fault.script, operation="order_create")
        if fault.taking is not None:
            self._sim.script(fault.taking, operation="order_capture")

    def cause(self, trouble: Any) -> None:
        operation, _, reply = trouble.partition(":")
        if operation == "truth":
            self._confess()
        elif operation == "tokens":
            self._sim.expire_tokens()
        elif operation == "certificate":
            self._sim.renew_certificate()
        elif reply:
            self._sim.script(FaultScript(reply=Reply(reply)), operation=operation)
        else:
            for order in self._orders():
                self._act(order.id, operation)

    def _confess(self) -> None:
        """Queries that denied a payment tell the truth from now on."""
        for order in self._orders():
            if order.script.read_outcome is not None:
                self._denied.add(order.id)
                order.script = replace(order.script, read_outcome=None)

    def method_data(self, customer: str) -> dict[str, str]:
        return {}

    def run_due(self) -> None:
        self._notice()
        self._diary.run_due()
        if (due := self._planned()) is not None and due <= self._now():
            self._sim.run_due()

    def next_due(self) -> datetime | None:
        self._notice()
        return min((due for due in (self._planned(), self._diary.next_due()) if due is not None), default=None)

    def _planned(self) -> datetime | None:
        planned = self._sim.scheduler.pending()
        return planned[0].at if planned else None

    def collect(self) -> list[Letter]:
        letters = [Letter(urlsplit(url).path, body, headers) for url, body, headers in self._post.take_signed()]
        letters = [replace(letter, forged=not self._is_genuine(letter)) for letter in letters]
        self._sent += [letter for letter in letters if not letter.forged]
        return letters

    def stamp(self, letter: Letter) -> Letter:
        """PayPal's signature is good for the three days in which it repeats a message."""
        return letter

    def forge(self, charge: Charge, kind: str) -> Letter | None:
        """Success messages nobody at PayPal wrote, and what is PayPal's but not about this account or charge."""
        if kind == "nonsense":
            return self._letter(b'{"event_type": "PAYMENT.CAPTURE.COMPLETED", "resource":')
        if kind == "other_charge":
            return self._misdirected(charge)
        order = next((one for one in self._orders() if one.custom_id == charge.public_id), None)
        if order is None:
            return None
        told = self._sim.capture_desk.claim(order, None, PAYS, "1" if kind == "wrong_amount" else None)
        event = json.loads(json.dumps(self._sim.office.write(order.account, told)))
        if kind == "other_shop":
            event["resource"]["custom_id"] = "order-77-of-another-shop"
        body = json.dumps(event).encode()
        if kind == "unsigned":
            return self._letter(body, headers={})
        if kind == "tampered":
            theirs = [letter for letter in self._sent if charge.public_id.encode() in letter.body]
            return self._letter(body, headers=theirs[-1].headers if theirs else {})
        if kind == "reserialised":
            return self._letter(body, signed=json.dumps(event, indent=2).encode())
        return self._letter(body, kind="other_certificate" if kind == "wrong_amount" else kind)

    def _misdirected(self, charge: Charge) -> Letter | None:
        """A genuine message about another charge, sent to the address of this one."""
        theirs = [letter for letter in self._sent if charge.public_id.encode() not in letter.body]
        path = urlsplit(charge_callback_url(charge.pk)).path
        return replace(theirs[-1], path=path, forged=True) if theirs else None

    def _letter(
        self, body: bytes, *, kind: str = "", signed: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Letter:
        if headers is None:
            headers = self._headers(signed or body, kind)
        return Letter(urlsplit(self._url).path, body, headers, forged=True)

    def _headers(self, body: bytes, kind: str) -> dict[str, str]:
        name, sent = SIGNERS.get(kind, signing.GENUINE), "11112222-3333-11f0-9999-aaaabbbbcccc"
        at = iso(self._now() - timedelta(days=4 if kind == "stale" else 0))
        webhook = self._webhook_id[::-1] if kind == "other_webhook" else self._webhook_id
        host = "https://api.paypal.com.certificates.example" if kind == "other_host" else self._sim.base_url
        return {
            "PAYPAL-TRANSMISSION-ID": sent,
            "PAYPAL-TRANSMISSION-TIME": at,
            "PAYPAL-TRANSMISSION-SIG": _sign(name, sent, at, webhook, body),
            "PAYPAL-CERT-URL": f"{host}/v1/notifications/certs/{signing.CERTIFICATE_IDS[name]}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }

    def _is_genuine(self, letter: Letter) -> bool:
        told = {name.removeprefix("PAYPAL-").lower().replace("-", "_"): value for name, value in letter.headers.items()}
        claim = {**told, "webhook_id": self._webhook_id}
        return bool(told) and self._sim.office.is_genuine(claim, letter.body)

    def executions(self) -> list[Execution]:
        return [self._execution(order) for order in self._orders()]

    def _execution(self, order: Order) -> Execution:
        captures = [self._sim.bank.captures[one] for one in order.capture_ids]
        scripts = [order.script, *(one.script for one in captures)]
        claims = {int(script.event_amount) for script in scripts if script.event_amount is not None}
        lies = order.id in self._denied or any(one.read_outcome or one.stale_outcome for one in scripts)
        taken = sum(one.amount.value for one in captures if one.paid)
        assert taken == int(taken), f"{order.custom_id} took {taken}"
        return Execution(
            charge=order.custom_id,
            reference=order.id,
            is_open=not lies and self._may_be_paid(order),
            taken=int(taken),
            lies=lies,
            claimed=frozenset(claims),
            marks=frozenset({f"order {order.status.lower()}", *map(_mark, captures)}),
        )

    def _may_be_paid(self, order: Order) -> bool:
        """One whose approval came to nothing can be approved again, but it is we who take the money."""
        waits = order.status in WAITING and order.instrument != DECLINED
        return waits and self._now() < order.expires_at

    def _orders(self) -> list[Order]:
        return list(self._sim.bank.orders.values())

    def _notice(self) -> None:
        self._diary.notice([order.id for order in self._orders()])

    def _act(self, payment: str, step: str) -> None:
        """The customer takes a step at PayPal, if it is possible now."""
        with suppress(ValueError, KeyError):
            if step == LEAVES:
                self._sim.cancel(payment)
            else:
                self._sim.approve(payment, step)


def _mark(capture: Capture) -> str:
    return f"{capture.instrument} {capture.status.lower()}"


def _sign(name: str, sent: str, at: str, webhook: str, body: bytes) -> str:
    return signing.chains().signers[name].sign(signing.signed_message(sent, at, webhook, body))
