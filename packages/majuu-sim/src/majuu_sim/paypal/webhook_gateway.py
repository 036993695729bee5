"""The HTTP face of webhooks: tokens, registration, the online signature check, and the certificates."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import refusals, signing
from majuu_sim.paypal.front import Body, Call, Front, as_json
from majuu_sim.paypal.office import Office
from majuu_sim.paypal.tokens import BadClient

OAUTH, WEBHOOK_LIST, WEBHOOK_CREATE, VERIFY = "oauth", "webhook_list", "webhook_create", "verify_signature"
WEBHOOK_GET, WEBHOOK_DELETE, EVENT_LIST, EVENT_GET, EVENT_RESEND = (
    "webhook_get",
    "webhook_delete",
    "event_list",
    "event_get",
    "event_resend",
)
OPERATIONS = (
    OAUTH,
    WEBHOOK_LIST,
    WEBHOOK_CREATE,
    WEBHOOK_GET,
    WEBHOOK_DELETE,
    VERIFY,
    EVENT_LIST,
    EVENT_GET,
    EVENT_RESEND,
)
CLAIMS = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id")


class WebhookGateway:
    """Handlers of ``/v1/oauth2`` and ``/v1/notifications``."""

    def __init__(self, *, front: Front, office: Office) -> None:
        """Answer for ``office``."""
        self._front = front
        self._office = office

    def add_routes(self, app: web.Application) -> None:
        """Add PayPal's addresses."""
        hooks, events = "/v1/notifications/webhooks", "/v1/notifications/webhooks-events"
        product = self._front.product
        add_get, add_post = app.router.add_get, app.router.add_post
        add_post("/v1/oauth2/token", self.token)
        add_get(hooks, product(WEBHOOK_LIST, self.list), allow_head=False)
        add_post(hooks, product(WEBHOOK_CREATE, self.create, reads_body=True))
        add_get(f"{hooks}/{{id}}", product(WEBHOOK_GET, self.get), allow_head=False)
        app.router.add_delete(f"{hooks}/{{id}}", product(WEBHOOK_DELETE, self.delete))
        add_post("/v1/notifications/verify-webhook-signature", product(VERIFY, self.verify, reads_body=True))
        add_get(events, product(EVENT_LIST, self.list_events), allow_head=False)
        add_get(f"{events}/{{id}}", product(EVENT_GET, self.get_event), allow_head=False)
        add_post(f"{events}/{{id}}/resend", product(EVENT_RESEND, self.resend, reads_body=True))
        add_get("/v1/notifications/certs/{id}", self.certificate, allow_head=False)

    async def token(self, request: web.Request) -> web.StreamResponse:
        """OAuth, with a form as its body."""
        self._front.origin.note(request)
        script = self._front.down or self._front.faults.take(OAUTH) or FaultScript()
        if not script.reply.commits:
            return await self._front.faulty(request, script, None, "")
        form = await request.post()
        authorization = request.headers.get("Authorization")
        try:
            body = self._front.tokens.issue(authorization, str(form.get("grant_type", "")), self._front.clock.now())
        except BadClient as refused:
            return self._front.logged(as_json(refused.body, refused.status))
        return await self._front.faulty(request, script, self._front.logged(as_json(body)), body["access_token"])

    async def list(self, call: Call) -> web.StreamResponse:
        """The app's webhooks."""
        base = self._front.origin.api
        found = [one.to_body(base) for one in self._office.webhooks.of(call.account.client_id)]
        return await self._see(call, {"webhooks": found})

    async def create(self, call: Call) -> web.StreamResponse:
        """Register an address."""
        url, types = call.data.get("url"), call.data.get("event_types")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            raise _invalid("/url", "a URL with http or https")
        if not isinstance(types, list) or not all(isinstance(one, dict) for one in types):
            raise _invalid("/event_types", "a list of objects with a name")
        names = tuple(str(one.get("name")) for one in types)
        webhook = self._office.webhooks.register(call.account.client_id, url, names)
        return self._front.logged(as_json(webhook.to_body(self._front.origin.api), 201))

    async def get(self, call: Call) -> web.StreamResponse:
        """One webhook."""
        webhook = self._office.webhooks.find(call.account.client_id, call.id)
        return await self._see(call, webhook.to_body(self._front.origin.api))

    async def delete(self, call: Call) -> web.StreamResponse:
        """Forget one webhook."""
        self._office.webhooks.remove(self._office.webhooks.find(call.account.client_id, call.id))
        return self._front.logged(web.Response(status=204))

    async def verify(self, call: Call) -> web.StreamResponse:
        """The online check. It is made over the event's bytes as they stand in the request."""
        missing = [name for name in CLAIMS if not isinstance(call.data.get(name), str)]
        if missing or not isinstance(call.data.get("webhook_event"), dict):
            raise _invalid(f"/{(missing or ['webhook_event'])[0]}", "a value")
        self._office.webhooks.find(call.account.client_id, call.data["webhook_id"])
        raw = event_bytes(await call.request.read())
        good = self._office.is_genuine({name: call.data[name] for name in CLAIMS}, raw)
        return await self._see(call, {"verification_status": "SUCCESS" if good else "FAILURE"})

    # Events.

    async def list_events(self, call: Call) -> web.StreamResponse:
        """The app's events, newest first."""
        ours = [body for owner, body in self._office.events.values() if owner.client_id == call.account.client_id]
        wanted = call.request.query.get("transaction_id")
        found = [one for one in reversed(ours) if wanted is None or one["resource"].get("id") == wanted]
        return await self._see(call, {"events": found, "count": len(found)})

    async def get_event(self, call: Call) -> web.StreamResponse:
        """One event."""
        return await self._see(call, self._event(call))

    async def resend(self, call: Call) -> web.StreamResponse:
        """Send an event again, at once."""
        body = self._event(call)
        await self._office.resend(body["id"])
        return self._front.logged(as_json(body, 202))

    def _event(self, call: Call) -> Body:
        owner, body = self._office.events.get(call.id, (None, {}))
        if owner is None or owner.client_id != call.account.client_id:
            raise refusals.Refusal(
                404, name="INVALID_RESOURCE_ID", message="The resource that was requested could not be found."
            )
        return body

    async def _see(self, call: Call, body: dict[str, Any]) -> web.StreamResponse:
        script = self._front.faults.take(call.operation) or FaultScript()
        usual = self._front.logged(as_json(body)) if script.reply.commits else None
        return await self._front.reply(call, script, usual)

    async def certificate(self, request: web.Request) -> web.StreamResponse:
        """A signing certificate and the one above it, as PEM. Nobody needs a token for it."""
        self._front.origin.note(request)
        for name, known in signing.CERTIFICATE_IDS.items():
            if known == request.match_info["id"]:
                return web.Response(text=signing.chains().signers[name].pem, content_type="application/x-pem-file")
        return self._front.refused(refusals.not_found("id", request.match_info["id"]))


def _invalid(field: str, wanted: str) -> refusals.Refusal:
    made = refusals.detail("INVALID_PARAMETER_SYNTAX", field)
    return refusals.Refusal(400, name="VALIDATION_ERROR", message=f"{field} must be {wanted}", details=[made])


def event_bytes(raw: bytes) -> bytes:
    """The value of ``webhook_event`` in a request, byte for byte as it stands there."""
    text = raw.decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    at = _skip(text, text.index("{") + 1)
    while at < len(text) and text[at] == '"':
        name, at = decoder.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)  # past the colon
        _, end = decoder.raw_decode(text, start)
        if name == "webhook_event":
            return text[start:end].encode()
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at : at + 1] == "," else len(text)
    return b""


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
