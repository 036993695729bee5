"""Writes webhook events, signs them as PayPal does (or as a forger would), and has them delivered."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.events import EventAttempt, EventDesk
from majuu_sim.faults import FaultScript
from majuu_sim.paypal import formats, signing
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.origin import Origin
from majuu_sim.paypal.webhooks import Webhook, WebhookBook
from majuu_sim.scheduler import Scheduler

# How an event may be wrong although its words are right.
SHAPES = {
    "other_certificate": "signed by somebody else, whose certificate says PayPal's name",
    "other_host": "signed by somebody else, with the certificate on a host of theirs",
    "wrong_name": "a certificate of the right root for another name",
    "expired_certificate": "a certificate that is over",
    "other_webhook": "signed for another webhook's id",
    "bad_signature": "a signature over other bytes",
    "reserialised": "the JSON is written anew after it was signed",
    "stale": "signed two days ago",
    "unsigned": "no signature at all",
}
FORGERY = "other_certificate"
SIGNERS = {
    "other_certificate": signing.FORGED,
    "other_host": signing.FORGED,
    "wrong_name": signing.WRONG_NAME,
    "expired_certificate": signing.EXPIRED,
}
FOREIGN_BASE = "https://api.sandbox.paypal.com.certificates.example"
STALE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an event says."""

    event_type: str
    resource_type: str
    resource: Mapping[str, Any]
    summary: str = ""
    age: float = 0.0  # seconds it pretends to be older


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One event on its way: sent ``after`` seconds, held until overtaken, or lost."""

    after: float
    kind: str
    subject: str
    account: Account
    body: Mapping[str, Any]
    shape: str = ""
    lost: bool = False
    held: bool = False


def check_shape(shape: str | None) -> None:
    """ValueError for a shape that does not exist."""
    if shape is not None and shape not in SHAPES:
        raise ValueError(f"unknown event_shape {shape!r}; known: {', '.join(SHAPES)}")


class Office:
    """The part of PayPal that tells shops what happened."""

    def __init__(
        self,
        *,
        config: PaypalConfig,
        clock: Clock,
        rng: random.Random,
        scheduler: Scheduler,
        desk: EventDesk,
        origin: Origin,
    ) -> None:
        """Deliver through ``desk``, whose events are signed here."""
        self._config = config
        self._clock = clock
        self._rng = rng
        self._scheduler = scheduler
        self._desk = desk
        self._origin = origin
        self.webhooks = WebhookBook(rng)
        self.events: dict[str, tuple[Account, dict[str, Any]]] = {}  # every one written, forged ones too
        self.signer = signing.GENUINE  # or RENEWED, once the certificate has been changed
        self._shapes: dict[str, str] = {}  # of events that are wrong in some way
        self._transmissions: dict[tuple[str, str], str] = {}
        desk.sign = self.sign

    def clear(self) -> None:
        """Forget webhooks and events, and sign with the first certificate again."""
        self.signer = signing.GENUINE
        self.webhooks.clear()
        for store in (self.events, self._shapes, self._transmissions):
            store.clear()

    # Planning.

    def write(self, account: Account, told: Told) -> dict[str, Any]:
        """An event with an id of its own."""
        event = formats.event_id(self._rng)
        path = f"{self._origin.api}/v1/notifications/webhooks-events/{event}"
        body = {
            "id": event,
            "event_version": "1.0",
            "create_time": formats.iso(self._clock.now() - timedelta(seconds=told.age)),
            "resource_type": told.resource_type,
            "resource_version": "2.0",
            "event_type": told.event_type,
            "summary": told.summary or told.event_type.replace(".", " ").capitalize(),
            "resource": copy.deepcopy(dict(told.resource)),
            "links": [
                {"href": path, "rel": "self", "method": "GET"},
                {"href": f"{path}/resend", "rel": "resend", "method": "POST"},
            ],
        }
        self.events[event] = (account, body)
        return body

    def plan(
        self,
        script: FaultScript,
        *,
        account: Account,
        subject: str,
        told: Told,
        stale: Told | None = None,
        forged: Told | None = None,
    ) -> list[Planned]:
        """The event as the script wants it, its copies, an older one that contradicts it, and forged ones."""
        body = self.write(account, told)
        delay = script.event_delay
        shape = "" if script.forged else script.event_shape or ""
        first = Planned(
            after=delay,
            kind="result",
            subject=subject,
            account=account,
            body=body,
            shape=shape,
            lost=script.event_lost,
            held=script.event_out_of_order,
        )
        plan = [first]
        for copies in range(1, script.duplicates + 1):
            after = delay + copies * script.duplicate_gap
            plan.append(replace(first, after=after, kind="duplicate", lost=False, held=False))
        if stale is not None:
            older = self.write(account, stale)
            plan.append(
                replace(first, after=delay + script.stale_after, kind="stale", body=older, lost=False, held=False)
            )
        if forged is not None:
            plan += self.plan_forged(script, account=account, subject=subject, told=forged)
        return plan

    def plan_forged(self, script: FaultScript, *, account: Account, subject: str, told: Told) -> list[Planned]:
        """Events nobody at PayPal wrote."""
        return [
            Planned(
                after=script.forged_after,
                kind="forged",
                subject=subject,
                account=account,
                body=self.write(account, told),
                shape=script.event_shape or FORGERY,
            )
            for _ in range(script.forged)
        ]

    def plain(self, account: Account, subject: str, told: Told) -> list[Planned]:
        """One event, without any fault."""
        return self.plan(FaultScript(), account=account, subject=subject, told=told)

    # Delivering.

    def schedule(self, plan: Iterable[Planned]) -> None:
        """Send each in its time, after the usual delay."""
        for planned in plan:
            self._later(planned, self._config.event_delay + planned.after)

    async def run(self, plan: Iterable[Planned]) -> None:
        """Send what is due without a delay of its own at once, the rest in its time."""
        for planned in plan:
            if planned.after > 0:
                self._later(planned, planned.after)
            else:
                await self.carry_out(planned)

    def _later(self, planned: Planned, seconds: float) -> None:
        async def carry_out() -> None:
            await self.carry_out(planned)

        self._scheduler.after(seconds, f"{planned.body['event_type']} of {planned.subject}", carry_out)

    async def carry_out(self, planned: Planned) -> list[EventAttempt]:
        """Send, hold or lose it now, once for every webhook that wants it."""
        wanted = [one for one in self.webhooks.of(planned.account.client_id) if one.wants(planned.body["event_type"])]
        return [await self._to(webhook, planned) for webhook in wanted]

    async def resend(self, event_id: str) -> list[EventAttempt]:
        """Send an event again, with its id; KeyError when there is none of this id."""
        account, body = self.events[event_id]
        subject = str(body["resource"].get("id") or body["resource"].get("dispute_id") or event_id)
        return await self.carry_out(Planned(after=0, kind="resend", subject=subject, account=account, body=body))

    async def _to(self, webhook: Webhook, planned: Planned) -> EventAttempt:
        subject, kind, url, body = planned.subject, planned.kind, webhook.url, planned.body
        if planned.shape:
            self._shapes[body["id"]] = planned.shape
        if planned.lost:
            return self._desk.record_lost(subject=subject, kind=kind, url=url, body=body)
        if planned.held:
            return self._desk.hold(subject=subject, kind=kind, url=url, body=body)
        return await self._deliver(webhook, planned, self._config.event_retries)

    async def _deliver(self, webhook: Webhook, planned: Planned, retries: int) -> EventAttempt:
        subject, kind, body = planned.subject, planned.kind, planned.body
        attempt = await self._desk.send(subject=subject, kind=kind, url=webhook.url, body=body)
        if retries and attempt.state != "delivered":

            async def again() -> None:
                if webhook in self.webhooks.all():  # else it was deleted meanwhile
                    await self._deliver(webhook, replace(planned, kind="retry"), retries - 1)

            self._scheduler.after(self._config.event_retry_gap, f"retry of {body['event_type']} of {subject}", again)
        return attempt

    # Signing.

    def sign(self, attempt: EventAttempt, raw: bytes) -> dict[str, str]:
        """PayPal's headers over the bytes of one attempt, or a forger's."""
        event = attempt.body["id"]
        account, _ = self.events[event]
        webhook = next((one for one in self.webhooks.of(account.client_id) if one.url == attempt.url), None)
        shape = self._shapes.get(event, "")
        if webhook is None or shape == "unsigned":  # it may have been deleted meanwhile
            return {}
        return self._headers(raw, webhook.id, self._transmission(event, webhook.id, attempt.kind), shape)

    def _transmission(self, event: str, webhook: str, kind: str) -> str:
        """Its id stays the same when nobody took it and it is sent again."""
        made = formats.transmission_id(self._rng)
        return self._transmissions.setdefault((event, webhook), made) if kind in ("result", "retry") else made

    def _headers(self, raw: bytes, webhook_id: str, transmission_id: str, shape: str) -> dict[str, str]:
        name = SIGNERS.get(shape, self.signer)
        moment = self._clock.now() - (STALE if shape == "stale" else timedelta(0))
        signed_for = webhook_id[::-1] if shape == "other_webhook" else webhook_id
        signed = _signed_bytes(raw, shape)
        message = signing.signed_message(transmission_id, formats.iso(moment), signed_for, signed)
        base = FOREIGN_BASE if shape == "other_host" else self._origin.certificates
        return {
            "PAYPAL-TRANSMISSION-ID": transmission_id,
            "PAYPAL-TRANSMISSION-TIME": formats.iso(moment),
            "PAYPAL-TRANSMISSION-SIG": signing.chains().signers[name].sign(message),
            "PAYPAL-CERT-URL": f"{base}/v1/notifications/certs/{signing.CERTIFICATE_IDS[name]}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-AUTH-VERSION": "v2",
        }

    def is_genuine(self, claim: Mapping[str, str], raw: bytes) -> bool:
        """True when PayPal signed ``raw`` for this webhook: what the online check answers."""
        base = f"{self._origin.certificates}/v1/notifications/certs/"
        own = {base + signing.CERTIFICATE_IDS[name]: name for name in (signing.GENUINE, signing.RENEWED)}
        name = own.get(claim["cert_url"])
        if name is None or claim["auth_algo"] != "SHA256withRSA":
            return False
        message = signing.signed_message(claim["transmission_id"], claim["transmission_time"], claim["webhook_id"], raw)
        return signing.chains().signers[name].verifies(message, claim["transmission_sig"])


def _signed_bytes(raw: bytes, shape: str) -> bytes:
    """What the signature of ``raw`` is made over."""
    if shape == "reserialised":
        return json.dumps(json.loads(raw), separators=(",", ":"), ensure_ascii=False).encode()
    return raw + b" " if shape == "bad_signature" else raw
