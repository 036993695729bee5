"""The HTTP face of the requests whose result comes later."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from majuu_sim.daraja import refusals
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.front import Body, Front, Product, as_json, read_body
from majuu_sim.daraja.jobs_checking import check_b2b, check_balance, check_payout, check_reversal, check_status
from majuu_sim.daraja.jobs_engine import JobEngine
from majuu_sim.daraja.jobs_records import B2C, Job, JobRequest

Check = Callable[[Body, DarajaConfig], JobRequest]

ACCEPTED = "Accept the service request successfully."

ADDRESSES: dict[str, tuple[Check, refusals.Family]] = {
    "/mpesa/b2c/v3/paymentrequest": (partial(check_payout, version="v3"), refusals.PAYOUTS),
    "/mpesa/b2c/v1/paymentrequest": (partial(check_payout, version="v1"), refusals.PAYOUTS),
    "/mpesa/b2b/v1/paymentrequest": (check_b2b, refusals.PAYOUTS),
    "/mpesa/reversal/v1/request": (check_reversal, refusals.REVERSAL),
    "/mpesa/transactionstatus/v1/query": (check_status, refusals.STATUS),
    "/mpesa/accountbalance/v1/query": (check_balance, refusals.BALANCE),
}


class JobGateway:
    """Handlers of :data:`ADDRESSES`."""

    def __init__(self, *, engine: JobEngine, front: Front) -> None:
        """Answer for ``engine``."""
        self._engine = engine
        self._front = front

    def add_routes(self, app: web.Application) -> None:
        """Add the addresses."""
        for path, (check, family) in ADDRESSES.items():
            app.router.add_route("*", path, self._front.product(self._accepting(check, family), family))

    def _accepting(self, check: Check, family: refusals.Family) -> Product:
        async def accept(request: web.Request, token: str) -> web.StreamResponse:
            wanted = check(await read_body(request), self._front.config)
            self._refuse_payout(wanted)
            script = self._engine.choose_script(wanted)
            if not script.reply.commits:
                return await self._front.reply(request, script, None, token=token, family=family)
            job = self._engine.open(wanted, script)
            self._engine.plan(job)
            if script.event_before_reply:
                await self._engine.finish(job)
            usual = as_json(_acknowledgement(job))
            return await self._front.reply(request, script, usual, token=token, family=family)

        return accept

    def _refuse_payout(self, wanted: JobRequest) -> None:
        """B2C v3 may be closed to the app, and takes an id once."""
        originator = wanted.originator_conversation_id
        if wanted.product != B2C or not originator:
            return
        owner = self._front.config.find(wanted.shortcode)
        if owner is not None and not owner.v3_payouts:
            raise refusals.not_authorized()
        if self._engine.is_known(originator):
            raise refusals.duplicate_request()


def _acknowledgement(job: Job) -> dict[str, str]:
    return {
        "OriginatorConversationID": job.originator_conversation_id,
        "ConversationID": job.conversation_id,
        "ResponseCode": "0",
        "ResponseDescription": ACCEPTED,
    }
