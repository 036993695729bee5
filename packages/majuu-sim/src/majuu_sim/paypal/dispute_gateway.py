"""The HTTP face of disputes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import BodyPartReader, web

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.currencies import read_amount
from majuu_sim.paypal.disputes import Dispute, Disputes, dispute_body, dispute_row
from majuu_sim.paypal.front import Body, Call, Done, Front, read_body
from majuu_sim.paypal.records import no_reads

DISPUTE_LIST, DISPUTE_GET = "dispute_list", "dispute_get"
DISPUTE_EVIDENCE, DISPUTE_ACCEPT = "dispute_evidence", "dispute_accept"
OPERATIONS = (DISPUTE_LIST, DISPUTE_GET, DISPUTE_EVIDENCE, DISPUTE_ACCEPT)

SUFFIXES = (".jpg", ".jpeg", ".gif", ".png", ".pdf", ".txt")
FILE_BYTES, ALL_BYTES = 10 * 1024 * 1024, 50 * 1024 * 1024
NOTES_LONGEST = 2000


class DisputeGateway:
    """Handlers of ``/v1/customer/disputes``."""

    def __init__(self, *, front: Front, bank: Bank, disputes: Disputes) -> None:
        """Answer for ``disputes``."""
        self._front = front
        self._bank = bank
        self._disputes = disputes

    def add_routes(self, app: web.Application) -> None:
        """Add PayPal's addresses."""
        path, product = "/v1/customer/disputes", self._front.product
        app.router.add_get(path, product(DISPUTE_LIST, self.list), allow_head=False)
        app.router.add_get(f"{path}/{{id}}", product(DISPUTE_GET, self.get), allow_head=False)
        app.router.add_post(f"{path}/{{id}}/provide-evidence", product(DISPUTE_EVIDENCE, self.provide))
        app.router.add_post(f"{path}/{{id}}/accept-claim", product(DISPUTE_ACCEPT, self.accept))

    async def list(self, call: Call) -> web.StreamResponse:
        """The account's disputes, newest first, in pages."""
        query = call.request.query
        found = [one for one in reversed(self._disputes.known.values()) if _wanted(one, call)]
        size = _page_size(query.get("page_size", "10"))
        start = _offset(query.get("next_page_token"))
        base = f"{self._front.origin.api}/v1/customer/disputes"
        links = [{"href": f"{base}?{urlencode(query)}" if query else base, "rel": "self", "method": "GET"}]
        if start + size < len(found):
            token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
            after = urlencode({**query, "next_page_token": token})
            links.append({"href": f"{base}?{after}", "rel": "next", "method": "GET"})
        rows = [dispute_row(one, self._bank) for one in found[start : start + size]]
        return await self._front.look(call, no_reads(), lambda pending: {"items": rows, "links": links})

    async def get(self, call: Call) -> web.StreamResponse:
        """One dispute."""
        dispute = self._disputes.find(call.account, call.id)
        return await self._front.look(call, no_reads(), lambda pending: dispute_body(dispute, self._bank))

    async def provide(self, call: Call) -> web.StreamResponse:
        """Answer with evidence: a form with ``input`` (JSON) and files."""
        dispute = self._disputes.find(call.account, call.id)
        data, files = await _read_form(call.request)
        call.data = {"input": data, "files": [print_ for _, _, print_ in files]}
        evidences = _evidences(data)

        def act(script: FaultScript | None) -> Done:
            plan = self._disputes.provide(dispute, evidences, [(name, size) for name, size, _ in files])
            return Done(body=self._next(dispute), status=200, plan=plan)

        return await self._front.perform(call, dispute.capture.custom_id or None, act)

    async def accept(self, call: Call) -> web.StreamResponse:
        """Give in: JSON, or a form with ``input``."""
        dispute = self._disputes.find(call.account, call.id)
        if call.request.content_type.startswith("multipart/"):
            call.data, _ = await _read_form(call.request)
        else:
            call.data = await read_body(call.request)
        wanted = call.data.get("refund_amount")
        amount = read_amount(wanted, "/refund_amount") if wanted is not None else None

        def act(script: FaultScript | None) -> Done:
            plan = self._disputes.accept(dispute, amount)
            return Done(body=self._next(dispute), status=200, plan=plan)

        return await self._front.perform(call, dispute.capture.custom_id or None, act)

    def _next(self, dispute: Dispute) -> Body:
        path = f"{self._front.origin.api}/v1/customer/disputes/{dispute.id}"
        return {"links": [{"href": path, "rel": "self", "method": "GET"}]}


def _wanted(dispute: Dispute, call: Call) -> bool:
    query = call.request.query
    after, before = _moment(query.get("update_time_after")), _moment(query.get("update_time_before"))
    start = _moment(query.get("start_time"))
    states = (query.get("dispute_state") or dispute.state).split(",")
    return (
        dispute.account.client_id == call.account.client_id
        and query.get("disputed_transaction_id", dispute.capture.id) == dispute.capture.id
        and dispute.state in states
        and (start is None or dispute.created_at >= start)
        and (after is None or dispute.updated_at >= after)
        and (before is None or dispute.updated_at <= before)
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "time", text, "query") from error
    if moment.tzinfo is None:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "time", text, "query")
    return moment


def _page_size(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 50:
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", "page_size", text, "query")
    return int(text)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode())
    except ValueError as error:
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", "next_page_token", token, "query") from error


async def _read_form(request: web.Request) -> tuple[Body, list[tuple[str, int, str]]]:
    """The JSON of ``input``, and of every file its name, size and fingerprint."""
    if not request.content_type.startswith("multipart/"):
        raise refusals.Refusal(415)
    data: Body = {}
    files: list[tuple[str, int, str]] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "/")
        raw = bytes(await part.read(decode=True))
        if part.filename is None or part.name == "input":
            data.update(_input(raw))
            continue
        if not part.filename.lower().endswith(SUFFIXES):
            raise refusals.bad_field("UNSUPPORTED_FILE_TYPE", str(part.name), part.filename)
        files.append((part.filename, len(raw), hashlib.sha256(raw).hexdigest()))
    sizes = [size for _, size, _ in files]
    if sizes and (max(sizes) > FILE_BYTES or sum(sizes) > ALL_BYTES):
        raise refusals.bad_field("FILE_SIZE_LIMIT_EXCEEDED", "files", str(sum(sizes)))
    return data, files


def _input(raw: bytes) -> Body:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise refusals.bad_field("MALFORMED_REQUEST_JSON", "input") from error
    if not isinstance(data, dict):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "input")
    return data


def _evidences(data: Body) -> list[dict[str, Any]]:
    """The evidences of an answer, with a type each; Refusal otherwise."""
    evidences = data.get("evidences", [data] if "evidence_type" in data else None)
    if not isinstance(evidences, list) or not evidences:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", "/evidences")
    for number, one in enumerate(evidences):
        if not isinstance(one, dict) or not isinstance(one.get("evidence_type"), str):
            raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", f"/evidences/{number}/evidence_type")
        notes = one.get("notes")
        if notes is not None and (not isinstance(notes, str) or not 1 <= len(notes) <= NOTES_LONGEST):
            raise refusals.bad_field("INVALID_STRING_LENGTH", f"/evidences/{number}/notes")
    return evidences
