"""The HTTP face of C2B: registering addresses, and the sandbox's pretended payments."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from majuu_sim.daraja import formats, refusals
from majuu_sim.daraja.c2b_engine import C2BEngine
from majuu_sim.daraja.c2b_records import Registration
from majuu_sim.daraja.checking import AMOUNT, COMMANDS, MSISDN, SHORTCODE, check_url, matching, text_in
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.front import Front, Product, as_json, read_body
from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler

C2B_REGISTER, C2B_SIMULATE = "c2b_register", "c2b_simulate"
LONGEST_ACCOUNT = 20
SIMULATE_ACCEPTED = "Accept the service request successfully."
_RESPONSE_TYPE = re.compile("Completed|Cancelled")
_COMMAND = re.compile("|".join(COMMANDS))


@dataclass(frozen=True, slots=True)
class WantedPayment:
    """What a simulate request asks for."""

    receiver: str
    amount: int
    msisdn: str
    account: str


class C2BGateway:
    """Handlers of the C2B addresses."""

    def __init__(self, *, engine: C2BEngine, front: Front, scheduler: Scheduler, rng: random.Random) -> None:
        """Answer for ``engine``; pretended payments are made a moment later, on ``scheduler``."""
        self._engine = engine
        self._front = front
        self._scheduler = scheduler
        self._rng = rng

    def add_routes(self, app: web.Application) -> None:
        """Add the addresses; those of the sandbox only where it is one."""
        for version in ("v1", "v2"):
            self._add(app, f"/mpesa/c2b/{version}/registerurl", self._registering(version))
            if not self._front.config.production:
                self._add(app, f"/mpesa/c2b/{version}/simulate", self._simulating(version))

    def _add(self, app: web.Application, path: str, handler: Product) -> None:
        app.router.add_route("*", path, self._front.product(handler, refusals.C2B))

    def _registering(self, version: str) -> Product:
        async def register(request: web.Request, token: str) -> web.StreamResponse:
            body = await read_body(request)
            registration = check_registration(body, version, self._front.config, self._front.clock.now())
            script = self._front.faults.take(C2B_REGISTER) or FaultScript()
            if script.reply.commits:
                if script.outcome == "soap_fault":
                    return as_json(refusals.register_soap_fault(), 500)
                self._refuse_as_told(script)
                self._engine.register(registration)
            usual = as_json(self._registered(version))
            return await self._front.reply(request, script, usual, token=token, family=refusals.C2B)

        return register

    def _refuse_as_told(self, script: FaultScript) -> None:
        if script.outcome == "already_registered":
            raise refusals.already_registered()
        if script.outcome == "old_broker":
            raise refusals.on_old_broker()

    def _registered(self, version: str) -> dict[str, str]:
        if version == "v1":  # as in 2018: no ResponseCode, and the word in small letters
            return {"ConversationID": "", "OriginatorCoversationID": "", "ResponseDescription": "success"}
        return {
            "OriginatorCoversationID": self._front.next_request_id(),
            "ResponseCode": "0",
            "ResponseDescription": "Success",
        }

    def _simulating(self, version: str) -> Product:
        async def simulate(request: web.Request, token: str) -> web.StreamResponse:
            wanted = check_simulation(await read_body(request), self._front.config)
            script = self._front.faults.take(C2B_SIMULATE, wanted.msisdn) or FaultScript()
            if script.reply.commits:
                self._pay_later(wanted)
            usual = as_json(self._simulated(version))
            return await self._front.reply(request, script, usual, token=token, family=refusals.C2B)

        return simulate

    def _pay_later(self, wanted: WantedPayment) -> None:
        payment = self._engine.open(
            msisdn=wanted.msisdn,
            receiver=wanted.receiver,
            amount=wanted.amount,
            account=wanted.account,
            names="",
            script=None,
        )

        async def pay() -> None:
            await self._engine.pay(payment)

        self._scheduler.after(self._front.config.answer_delay, f"payment {payment.receipt}", pay)

    def _simulated(self, version: str) -> dict[str, str]:
        conversation = formats.conversation_id(self._front.clock.now(), self._rng)
        tail = {"OriginatorCoversationID": self._front.next_request_id()}
        if version == "v1":
            return {"ConversationID": conversation, **tail, "ResponseDescription": SIMULATE_ACCEPTED}
        return {**tail, "ResponseCode": "0", "ResponseDescription": SIMULATE_ACCEPTED}


def check_registration(body: Mapping[str, Any], version: str, config: DarajaConfig, now: datetime) -> Registration:
    """The registration a body asks for; Refusal names the first field that is wrong."""
    number = matching(body, "ShortCode", SHORTCODE)
    if config.owner_of(number) is None:
        raise refusals.invalid_field("ShortCode")
    http_will_do = not config.production
    return Registration(
        shortcode=number,
        version=version,
        response_type=matching(body, "ResponseType", _RESPONSE_TYPE),
        confirmation_url=check_url(body, "ConfirmationURL", config, plain_http=http_will_do),
        validation_url=check_url(body, "ValidationURL", config, plain_http=http_will_do),
        registered_at=now,
    )


def check_simulation(body: Mapping[str, Any], config: DarajaConfig) -> WantedPayment:
    """The payment a simulate request asks for; Refusal names the first field that is wrong."""
    number = matching(body, "ShortCode", SHORTCODE)
    owner = config.owner_of(number)
    command = matching(body, "CommandID", _COMMAND)
    if owner is None:
        raise refusals.invalid_field("ShortCode")
    if command != owner.transaction_type:
        raise refusals.invalid_field("CommandID")
    amount = int(matching(body, "Amount", AMOUNT))
    if amount > config.max_amount:
        raise refusals.invalid_field("Amount")
    msisdn = matching(body, "Msisdn", MSISDN)
    account = "" if owner.is_till else text_in(body, "BillRefNumber")
    if len(account) > LONGEST_ACCOUNT:
        raise refusals.invalid_field("BillRefNumber")
    return WantedPayment(number, amount, msisdn, account)
