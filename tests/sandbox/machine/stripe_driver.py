"""Stripe over real HTTP: the simulated Stripe with all its faults, card tokens and Stripe's own page, signed events."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url, charge_callback_url
from majuu_core.payments.models import Charge
from majuu_sim.clock import ExternalClock
from majuu_sim.faults import PRESETS, FaultScript, Reply
from majuu_sim.stripe import Endpoint, StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.stripe.claims import forged
from majuu_sim.stripe.errors import StripeRefusal
from majuu_sim.stripe.office import own_signature
from majuu_sim.transport import CollectingTransport
from majuu_stripe import majuu_hooks
from tests.sandbox.machine.drivers import Execution, Letter
from tests.sandbox.machine.visits import Diary, Fault, Visit

KEY, SECRET, OTHER_SECRET = (
    "sk_test_machine0000000000001",
    "whsec_machine000000000000001",
    "whsec_somebody_elses_secret",
)
SIGNATURE = "Stripe-Signature"
PAGE = "page"  # the customer enters the card in Stripe's page
SECURE = "pm_card_threeDSecure2Required"
CUSTOMERS = (PAGE, "pm_card_visa", PAGE, SECURE, "pm_card_chargeDeclinedInsufficientFunds")
PAID, REFUSED, APPROVES, DENIES = "pm_card_visa", "pm_card_chargeDeclined", "approve", "deny"
VISITS = (
    (PAID,),
    (APPROVES,),
    (DENIES,),
    (),
    (REFUSED, PAID),
    (REFUSED,),
    (SECURE, APPROVES),
    (SECURE, DENIES, PAID),
    (SECURE,),
)
WAITING = ("requires_action", "requires_confirmation", "processing")
# What cannot be asked of Stripe, or would make it sign an untruth about whether money moved.
_UNUSED = {"disagree", "token_dies_after", "queue_timeout", "queue_timeout_lost", "queue_timeout_undone"}
_UNUSED |= {"wrong_shortcode", "validation_lost", "stale_failure", "forged_success", "wrong_amount"}
_UNUSED |= {"disagree_read"}
_TROUBLES = (
    *(APPROVES, DENIES, PAID, REFUSED, SECURE, "truth"),
    "payment_read:server_error",
    "payment_read:refuse_connection",
    "checkout_read:spike_arrest",
    "checkout_read:accepted_timeout",
    "payment_list:server_error",
)


class StripeDriver:
    """Stripe in this process. Events are kept until the machine delivers them."""

    code = "stripe"
    payment_method = "card"
    plugin: object = majuu_hooks
    forgeries: tuple[str, ...] = (
        *("unsigned", "somebody_elses_secret", "stale", "reserialised", "tampered", "other_charge", "other_majuu"),
        *("connected_account", "wrong_amount", "other_mode", "nonsense"),
    )

    people: tuple[str, ...] = CUSTOMERS
    visits: tuple[tuple[str, ...], ...] = VISITS

    def __init__(self, currency: str = "KES") -> None:
        self.currency = currency

    def open(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._post = CollectingTransport()
        self._denied: set[str] = set()
        self._sent: list[Letter] = []
        config = StripeConfig(accounts=(StripeAccount(secret_key=KEY),))
        self._sim = StripeSimulator(clock=ExternalClock(now), transport=self._post, config=config).serve()
        self._book = self._sim.books[0]
        self._diary = Diary(now, self._act)

    def close(self) -> None:
        self._sim.close()

    def furnish(self, account: ProviderAccount) -> None:
        url = account_callback_url(account.pk)
        self._path = urlsplit(url).path
        self._endpoint = Endpoint(url=url, secrets=(SECRET,))

    def reset(self, seed: int) -> None:
        self._sim.reset(seed=seed)
        self._sim.set_endpoints(self._endpoint)
        self._diary.clear()
        self._denied.clear()
        self._sent.clear()
        self._post.take()

    def credentials(self) -> dict[str, Any]:
        return {"secret_key": KEY, "webhook_secrets": [SECRET]}

    def options(self) -> dict[str, Any]:
        return {"base_url": self._sim.base_url}

    def amounts(self) -> SearchStrategy[int]:
        return st.sampled_from([100, 250, 1500])

    def customers(self) -> SearchStrategy[str]:
        return st.sampled_from(self.people)

    def faults(self) -> SearchStrategy[Any]:
        composed = st.builds(
            FaultScript,
            outcome=st.sampled_from([None, None, "pay", "requires_action", "declined", "system_busy"]),
            answer_after=st.sampled_from([None, None, 20, 400]),
            reply=st.sampled_from([Reply.NORMAL, *(reply for reply in Reply if reply.commits)]),
            event_lost=st.booleans(),
            event_delay=st.sampled_from([0, 90, 4000]),
            event_before_reply=st.booleans(),
            event_out_of_order=st.booleans(),
            event_shape=st.sampled_from([None, "charges_data"]),
            event_amount=st.sampled_from([None, None, None, "9000"]),
            event_receiver=st.sampled_from([None, None, "acct_somebodyelse01"]),
            duplicates=st.integers(0, 2),
            stale_outcome=st.sampled_from([None, None, "declined"]),
            forged=st.integers(0, 1),
            read_pending=st.integers(0, 3),
            read_unavailable=st.integers(0, 2),
            read_missing=st.integers(0, 1),
        )
        nothing_heard = FaultScript(reply=Reply.ACCEPTED_ERROR, event_lost=True)
        worst = [nothing_heard, FaultScript(read_outcome="declined"), FaultScript(forged=1, outcome="declined")]
        worst += [FaultScript(event_amount="9000", reply=Reply.ACCEPTED_ERROR), FaultScript(stale_outcome="declined")]
        named = [PRESETS[name] for name in sorted(PRESETS) if name not in _UNUSED]
        scripts = st.one_of(st.just(FaultScript()), st.sampled_from(worst), st.sampled_from(named), composed)
        visits = st.builds(Visit, steps=st.sampled_from(self.visits), after=st.sampled_from([0, 5, 200, 4000]))
        return st.builds(Fault, script=scripts, visit=visits)

    def troubles(self) -> SearchStrategy[Any]:
        return st.sampled_from(_TROUBLES)

    def plan(self, customer: str, fault: Any) -> None:
        self._notice()
        self._diary.expected = fault.visit
        self._sim.faults.rules.clear()  # of a customer who never came to pay
        self._sim.script(fault.script, operation="checkout_create" if customer == PAGE else "payment_create")

    def cause(self, trouble: Any) -> None:
        operation, _, reply = trouble.partition(":")
        if operation == "truth":
            self._confess()
        elif reply:
            self._sim.script(FaultScript(reply=Reply(reply)), operation=operation)
        else:
            for made in self._made():
                self._act(made["id"], operation)

    def _confess(self) -> None:
        """Queries that denied a payment tell the truth from now on."""
        for made in self._made():
            note = self._book.note(made["id"])
            if note.script.read_outcome is not None:
                self._denied.add(made["id"])
                note.script = replace(note.script, read_outcome=None)

    def method_data(self, customer: str) -> dict[str, str]:
        return {} if customer == PAGE else {"payment_method": customer}

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
        letters = [replace(letter, forged=not _is_genuine(letter)) for letter in letters]
        self._sent += [letter for letter in letters if not letter.forged]
        return letters

    def stamp(self, letter: Letter) -> Letter:
        """Stripe signs every attempt anew."""
        return replace(letter, headers={**letter.headers, SIGNATURE: self._sign(letter.body)})

    def forge(self, charge: Charge, kind: str) -> Letter | None:
        """Success events nobody at Stripe sent, and what is Stripe's but not about this account or charge."""
        if kind == "nonsense":
            return self._letter(b'{"object": "event", "id":')
        if kind == "other_charge":
            return self._misdirected(charge)
        made = next((one for one in self._made() if one["metadata"]["majuu_reference"] == charge.public_id), None)
        if made is None:
            return None
        event = forged(self._book, made, amount="100" if kind == "wrong_amount" else None)
        return self._disguised(event, kind)

    def _disguised(self, event: dict[str, Any], kind: str) -> Letter:
        about = event["data"]["object"]
        if kind == "other_majuu":
            about["metadata"] = {**about["metadata"], "majuu_account": "pa_somebodyelse"}
        elif kind == "connected_account":
            event["account"] = "acct_connected0000001"
        elif kind == "other_mode":
            event["livemode"] = True
        body = json.dumps(event).encode()
        if kind == "unsigned":
            return self._letter(body, signature="")
        if kind in ("somebody_elses_secret", "wrong_amount"):
            return self._letter(body, signature=self._sign(body, secret=OTHER_SECRET))
        if kind == "stale":
            return self._letter(body, signature=self._sign(body, age=timedelta(minutes=6)))
        if kind == "reserialised":
            return self._letter(body, signature=self._sign(json.dumps(event, indent=2).encode()))
        if kind == "tampered":
            theirs = [letter for letter in self._sent if about["id"].encode() in letter.body]
            return self._letter(body, signature=theirs[-1].headers[SIGNATURE] if theirs else "t=0,v1=00")
        return self._letter(body)

    def _misdirected(self, charge: Charge) -> Letter | None:
        """A genuine message about another charge, sent to the address of this one."""
        theirs = [letter for letter in self._sent if charge.public_id.encode() not in letter.body]
        if not theirs:
            return None
        path = urlsplit(charge_callback_url(charge.pk)).path
        return replace(self.stamp(theirs[-1]), path=path, forged=True)

    def _letter(self, body: bytes, *, signature: str | None = None) -> Letter:
        headers = {SIGNATURE: self._sign(body) if signature is None else signature}
        return Letter(self._path, body, headers, forged=True)

    def _sign(self, body: bytes, *, secret: str = SECRET, age: timedelta = timedelta(0)) -> str:
        at = int((self._now() - age).timestamp())
        return f"t={at},v1={own_signature(body.decode(), secret, at)}"

    def executions(self) -> list[Execution]:
        taken: dict[str, int] = {}
        for paid in self._book.where("charge", captured=True):
            reference = paid["metadata"]["majuu_reference"]
            taken[reference] = taken.get(reference, 0) + paid["amount_captured"]
        return [self._execution(made, taken) for made in self._made()]

    def _execution(self, made: dict[str, Any], taken: dict[str, int]) -> Execution:
        script = self._book.note(made["id"]).script
        reference, is_page = made["metadata"]["majuu_reference"], made["object"] == "checkout.session"
        lies = script.read_outcome is not None or script.stale_outcome is not None or made["id"] in self._denied
        whole, cents = divmod(taken.get(reference, 0), 100)
        assert cents == 0, f"{reference} took {cents} hundredths"
        return Execution(
            charge=reference,
            reference=made["id"],
            is_open=not lies and (made["status"] == "open" if is_page else made["status"] in WAITING),
            taken=whole,
            lies=lies,
            claimed=frozenset() if script.event_amount is None else frozenset({int(script.event_amount) // 100}),
            nameless=is_page,
            findable=True,
            marks=frozenset(self._marks(made, whole)),
        )

    def _marks(self, made: dict[str, Any], taken: int) -> set[str]:
        is_page = made["object"] == "checkout.session"
        payment = self._book.find(made["payment_intent"]) if is_page else made
        tried = self._book.where("charge", payment_intent=payment["id"]) if payment else []
        cards = {one["payment_method_details"]["card"]["last4"] for one in tried}
        marks = {f"page {made['status']}" if is_page else f"token {made['status']}"}
        if taken:
            marks.add("paid in the page" if is_page else "paid by token")
            marks |= {"paid after a decline"} if len(tried) > 1 else set()
            marks |= {"paid after 3-D Secure"} if "3220" in cards else set()
        return marks

    def _made(self) -> list[dict[str, Any]]:
        """What was made for our charges: pages, and payments by a token."""
        payments = [one for one in self._book.all("payment_intent") if self._book.note(one["id"]).session is None]
        return self._book.all("checkout.session") + payments

    def _notice(self) -> None:
        self._diary.notice([made["id"] for made in self._made()])

    def _act(self, payment: str, step: str) -> None:
        """The customer takes a step, if it is possible now: in the page with a card, or for the bank."""
        made = self._book.find(payment)
        if made is None:
            return
        is_page = made["object"] == "checkout.session"
        with suppress(RuntimeError, StripeRefusal):
            if step not in (APPROVES, DENIES):
                if is_page:
                    self._sim.pay_session(payment, step)
            elif intent := (made["payment_intent"] if is_page else payment):
                self._sim.authenticate(intent, approve=step == APPROVES)


def _is_genuine(letter: Letter) -> bool:
    at, _, mac = letter.headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    return mac == own_signature(letter.body.decode(), SECRET, int(at))
