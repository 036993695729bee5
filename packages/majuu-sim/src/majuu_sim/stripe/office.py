"""Events: what is told to whom, in which shape, when, how often, and signed how."""

from __future__ import annotations

import copy
import functools
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.events import EventAttempt, EventDesk
from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler
from majuu_sim.stripe import claims, versions
from majuu_sim.stripe.book import ORDINARY, Book
from majuu_sim.stripe.config import Endpoint, StripeConfig
from majuu_sim.stripe.errors import Obj

NOBODY = {"id": None, "idempotency_key": None}
FORGERS_SECRET = "whsec_nobodys_secret"  # noqa: S105 - what a forger signs with


def signature_header(payload: str, secrets: tuple[str, ...], timestamp: int) -> str:
    """The ``Stripe-Signature`` of a payload: its time, and one ``v1`` for each secret.

    The official SDK signs when it is installed; the rule is the same without it.
    """
    return ",".join([f"t={timestamp}", *(f"v1={_sign(payload, secret, timestamp)}" for secret in secrets)])


def _sign(payload: str, secret: str, timestamp: int) -> str:
    official = _official()
    if official is None:
        return own_signature(payload, secret, timestamp)
    header = official.generate_signature_header(payload, secret, timestamp)
    return str(header.partition(",v1=")[2])


@functools.cache  # looking for a package that is not there takes a while each time
def _official() -> Any:
    try:
        from stripe import WebhookSignature
    except ImportError:
        return None
    return WebhookSignature


def own_signature(payload: str, secret: str, timestamp: int) -> str:
    """HMAC-SHA256 of ``timestamp.payload``, in hexadecimal."""
    return hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Letter:
    """One event on its way to one endpoint."""

    url: str
    event: Obj
    script: FaultScript
    kind: str = "result"
    tried: int = 0


class EventOffice:
    """Makes events, and sends them as the scripts have it."""

    def __init__(self, *, config: StripeConfig, clock: Clock, scheduler: Scheduler, desk: EventDesk) -> None:
        """Send through ``desk``, whose attempts are signed here."""
        self._config = config
        self._clock = clock
        self._scheduler = scheduler
        self._desk = desk
        self._outbox: list[tuple[Book, Obj, FaultScript]] = []
        self._owners: dict[str, Book] = {}
        self.request: Obj = dict(NOBODY)  # whose doing events are, while a request is worked on
        desk.sign = self._headers

    def clear(self) -> None:
        """Forget what is waiting."""
        self._outbox.clear()
        self._owners.clear()

    def emit(self, book: Book, kind: str, about: Obj, script: FaultScript = ORDINARY, **before: Any) -> Obj:
        """Make an event of ``about`` as it stands now; it is sent by the next :meth:`dispatch`."""
        data: Obj = {"object": copy.deepcopy(about)}
        if before:
            data["previous_attributes"] = before
        event: Obj = {
            "id": book.new_id("evt"),
            "object": "event",
            "api_version": book.account.api_version,
            "created": book.now(),
            "data": data,
            "livemode": book.account.livemode,
            "pending_webhooks": sum(endpoint.wants(kind) for endpoint in book.endpoints),
            "request": dict(self.request),
            "type": kind,
        }
        book.add(event)
        self._owners[event["id"]] = book
        self._outbox.append((book, event, script))
        return event

    async def dispatch(self) -> None:
        """Send what has been made: at once where a script wants events before the reply, else in a while."""
        outbox, self._outbox = self._outbox, []
        for book, event, script in outbox:
            for endpoint in book.endpoints:
                if endpoint.wants(event["type"]):
                    await self._start(book, endpoint, event, script)

    async def _start(self, book: Book, endpoint: Endpoint, event: Obj, script: FaultScript) -> None:
        shown = versions.event_for(book, event, endpoint.api_version, script.event_shape)
        claimed = claims.altered(shown, script)
        first = Letter(endpoint.url, claimed, script)
        if script.event_lost:
            self._desk.record_lost(subject=subject_of(claimed), kind="result", url=first.url, body=claimed)
        elif script.event_before_reply:
            await self._carry(first)
        else:
            self._later(first, self._config.event_delay + script.event_delay)
        self._copies(book, first, shown)

    def _copies(self, book: Book, first: Letter, shown: Obj) -> None:
        script, delay = first.script, self._config.event_delay + first.script.event_delay
        for copy_number in range(1, script.duplicates + 1):
            again = replace(first, kind="duplicate", script=ORDINARY)
            self._later(again, delay + copy_number * script.duplicate_gap)
        if script.stale_outcome is not None and (stale := claims.stale(shown, script.stale_outcome)) is not None:
            stale["id"] = book.new_id("evt")
            self._owners[stale["id"]] = book
            self._later(Letter(first.url, stale, ORDINARY, "stale"), delay + script.stale_after)

    def forge(self, book: Book, about: Obj, script: FaultScript) -> None:
        """Plan the success events nobody at Stripe sent, signed with a secret that is not the endpoint's."""
        for number in range(script.forged):
            event = claims.forged(book, about, amount=script.forged_amount)
            for endpoint in book.endpoints:
                self._later(Letter(endpoint.url, event, ORDINARY, "forged"), script.forged_after + number)

    async def send_forged(self, book: Book, about: Obj, amount: str | None) -> list[EventAttempt]:
        """Send one now, to every endpoint."""
        event = claims.forged(book, about, amount=amount)
        return [await self._send(Letter(endpoint.url, event, ORDINARY, "forged")) for endpoint in book.endpoints]

    def _later(self, letter: Letter, seconds: float) -> None:
        async def carry() -> None:
            await self._carry(letter)

        self._scheduler.after(seconds, f"{letter.kind} {letter.event['type']} of {subject_of(letter.event)}", carry)

    async def _carry(self, letter: Letter) -> None:
        if letter.script.event_out_of_order and letter.tried == 0:
            self._desk.hold(subject=subject_of(letter.event), kind=letter.kind, url=letter.url, body=letter.event)
            return
        attempt = await self._send(letter)
        delays = self._config.retry_delays
        if attempt.state != "delivered" and letter.kind in ("result", "retry") and letter.tried < len(delays):
            self._later(replace(letter, kind="retry", tried=letter.tried + 1), delays[letter.tried])

    async def _send(self, letter: Letter) -> EventAttempt:
        subject = subject_of(letter.event)
        return await self._desk.send(subject=subject, kind=letter.kind, url=letter.url, body=letter.event)

    def _headers(self, attempt: EventAttempt, body: bytes) -> Mapping[str, str]:
        book = self._owners.get(str(attempt.body.get("id")))
        secrets: tuple[str, ...] = (FORGERS_SECRET,)
        if attempt.kind != "forged" and book is not None:
            known = [one.secrets for one in book.endpoints if one.url == attempt.url]
            secrets = known[0] if known else secrets
        header = signature_header(body.decode(), secrets, int(self._clock.now().timestamp()))
        return {"Stripe-Signature": header, "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}


def subject_of(event: Obj) -> str:
    """The payment intent an event speaks of, or else the id of its object."""
    about = event["data"]["object"]
    return str(about.get("payment_intent") or about["id"])
