"""The HTTP face of payouts and of the transaction search."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.bodies import link
from majuu_sim.paypal.books import Movement
from majuu_sim.paypal.currencies import Amount, read_amount
from majuu_sim.paypal.front import Body, Call, Done, Front
from majuu_sim.paypal.payouts import PAYOUT_ITEM, Payouts, batch_body, batch_header, item_body
from majuu_sim.paypal.records import no_reads

PAYOUT_CREATE, PAYOUT_GET, PAYOUT_ITEM_GET, PAYOUT_CANCEL = (
    "payout_create",
    "payout_get",
    "payout_item_get",
    "payout_cancel",
)
TRANSACTIONS = "transactions"
OPERATIONS = (PAYOUT_CREATE, PAYOUT_GET, PAYOUT_ITEM, PAYOUT_ITEM_GET, PAYOUT_CANCEL, TRANSACTIONS)

ITEMS_AT_MOST, PAGE_AT_MOST, DAYS_AT_MOST = 15_000, 500, 31
RECIPIENTS = ("EMAIL", "PHONE", "PAYPAL_ID")


class PayoutGateway:
    """Handlers of ``/v1/payments/payouts`` and ``/v1/reporting/transactions``."""

    def __init__(self, *, front: Front, bank: Bank, payouts: Payouts) -> None:
        """Answer for ``payouts`` and the books of ``bank``."""
        self._front = front
        self._bank = bank
        self._payouts = payouts

    def add_routes(self, app: web.Application) -> None:
        """Add PayPal's addresses."""
        product, router = self._front.product, app.router
        batches, items = "/v1/payments/payouts", "/v1/payments/payouts-item"
        router.add_post(batches, product(PAYOUT_CREATE, self.create, reads_body=True))
        router.add_get(f"{batches}/{{id}}", product(PAYOUT_GET, self.get), allow_head=False)
        router.add_get(f"{items}/{{id}}", product(PAYOUT_ITEM_GET, self.get_item), allow_head=False)
        router.add_post(f"{items}/{{id}}/cancel", product(PAYOUT_CANCEL, self.cancel, reads_body=True))
        router.add_get("/v1/reporting/transactions", product(TRANSACTIONS, self.search), allow_head=False)

    async def create(self, call: Call) -> web.StreamResponse:
        """Pay a batch."""
        header, wanted = read_payout(call.data)

        def act(script: FaultScript | None) -> Done:
            batch = self._payouts.create(call.account, header, wanted, script)
            links = [link(self._front.origin.api, f"/v1/payments/payouts/{batch.id}", "self")]
            return Done(body={"batch_header": batch_header(batch, whole=False), "links": links}, replay_status=201)

        return await self._front.perform(call, str(header.get("sender_batch_id") or "") or None, act)

    async def get(self, call: Call) -> web.StreamResponse:
        """How a batch stands."""
        batch = self._payouts.find(call.account, call.id)
        query = call.request.query
        page, size = (
            _whole(query.get("page", "1"), "page", 1000),
            _whole(query.get("page_size", "1000"), "page_size", 1000),
        )

        def see(pending: bool) -> Body:
            body = batch_body(batch, self._bank, start=(page - 1) * size, size=size)
            if pending:
                body["batch_header"]["batch_status"] = "PROCESSING"
                body["items"] = [{**one, "transaction_status": "PENDING"} for one in body["items"]]
            if query.get("total_required") == "true":
                body["total_items"] = len(batch.items)
                body["total_pages"] = -(-len(batch.items) // size)
            return body

        return await self._front.look(call, batch.reads, see)

    async def get_item(self, call: Call) -> web.StreamResponse:
        """How an item stands."""
        batch, item = self._payouts.find_item(call.account, call.id)

        def see(pending: bool) -> Body:
            body = item_body(batch, item, self._front.origin.api)
            sender = batch.header.get("sender_batch_id")
            shown = {**body, **({"sender_batch_id": sender} if sender else {})}
            return {**shown, "transaction_status": "PENDING"} if pending else shown

        return await self._front.look(call, item.reads, see)

    async def cancel(self, call: Call) -> web.StreamResponse:
        """Take an unclaimed item back."""
        batch, item = self._payouts.find_item(call.account, call.id)

        def act(script: FaultScript | None) -> Done:
            plan = self._payouts.cancel(batch, item)
            return Done(body=item_body(batch, item, self._front.origin.api), status=200, plan=plan)

        return await self._front.perform(call, item.receiver, act)

    # Transactions.

    async def search(self, call: Call) -> web.StreamResponse:
        """What moved in the account in up to 31 days, oldest first, in pages."""
        query = call.request.query
        start, end = _moment(query.get("start_date"), "start_date"), _moment(query.get("end_date"), "end_date")
        if end < start or end - start > timedelta(days=DAYS_AT_MOST):
            raise _bad_search("Date range is greater than 31 days" if end >= start else "End date is before start date")
        page = _whole(query.get("page", "1"), "page", 2**31)
        size = _whole(query.get("page_size", "100"), "page_size", PAGE_AT_MOST)
        seen = self._bank.now - timedelta(seconds=self._bank.config.reporting_lag_seconds)
        found = [
            one
            for one in self._bank.books.movements
            if one.account == call.account.client_id and start <= one.at <= end and one.at <= seen and _fits(one, query)
        ]
        shown = found[(page - 1) * size : page * size]
        body = {
            "transaction_details": [
                {"transaction_info": transaction_info(one, call.account.merchant_id)} for one in shown
            ],
            "account_number": call.account.merchant_id,
            "start_date": _stamp(start),
            "end_date": _stamp(end),
            "last_refreshed_datetime": _stamp(seen),
            "page": page,
            "total_items": len(found),
            "total_pages": -(-len(found) // size),
            "links": [{"href": f"{self._front.origin.api}{call.request.rel_url}", "rel": "self", "method": "GET"}],
        }
        return await self._front.look(call, no_reads(), lambda pending: body)


def _fits(one: Movement, query: Any) -> bool:
    wanted = {
        "transaction_id": one.id,
        "transaction_type": one.code,
        "transaction_status": one.status,
        "transaction_currency": one.amount.currency,
    }
    return all(query.get(name, value) == value for name, value in wanted.items())


def transaction_info(one: Movement, merchant_id: str) -> Body:
    """A movement as the transaction search tells it."""
    currency = one.amount.currency
    body: Body = {
        "paypal_account_id": merchant_id,
        "transaction_id": one.id,
        "transaction_event_code": one.code,
        "transaction_initiation_date": _stamp(one.at),
        "transaction_updated_date": _stamp(one.at),
        "transaction_amount": one.amount.to_dict(),
        "transaction_status": one.status,
        "ending_balance": Amount(one.balance, currency).to_dict(),
        "available_balance": Amount(one.balance, currency).to_dict(),
    }
    if one.reference_id:
        body["paypal_reference_id"], body["paypal_reference_id_type"] = one.reference_id, "TXN"
    if one.fee:
        body["fee_amount"] = Amount(one.fee, currency).to_dict()
    if one.invoice_id:
        body["invoice_id"] = one.invoice_id
    if one.custom_id:
        body["custom_field"] = one.custom_id
    return body


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")


def _bad_search(issue: str) -> refusals.Refusal:
    return refusals.Refusal(400, message="Invalid request - see details.", details=[{"issue": issue}])


def _moment(text: str | None, name: str) -> datetime:
    if text is None:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", name, location="query")
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that was not escaped
    except ValueError as error:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", name, text, "query") from error
    if moment.tzinfo is None:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", name, text, "query")
    return moment


def _whole(text: str, name: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= most:
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", name, text, "query")
    return int(text)


# Reading a payout.


def read_payout(data: Body) -> tuple[Body, list[tuple[Body, Amount]]]:
    """The header and the items with their amounts; Refusal in the payouts API's words otherwise."""
    try:
        return _read_payout(data)
    except refusals.Refusal as refused:
        text = "Invalid request - see details"
        raise refusals.Refusal(400, name="VALIDATION_ERROR", message=text, details=refused.details) from refused


def _read_payout(data: Body) -> tuple[Body, list[tuple[Body, Amount]]]:
    header, items = data.get("sender_batch_header"), data.get("items")
    if not isinstance(header, dict):
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", "sender_batch_header")
    if not isinstance(items, list) or not items:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", "items")
    if len(items) > ITEMS_AT_MOST:
        raise refusals.bad_field("INVALID_ARRAY_MAX_ITEMS", "items")
    wanted = [_read_item(item, header, number) for number, item in enumerate(items)]
    if len({amount.currency for _, amount in wanted}) > 1:
        raise refusals.bad_field("MULTIPLE_CURRENCIES", "items")
    return header, wanted


def _read_item(item: object, header: Body, number: int) -> tuple[Body, Amount]:
    where = f"items[{number}]"
    if not isinstance(item, dict):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", where)
    receiver, kind = item.get("receiver"), item.get("recipient_type") or header.get("recipient_type") or "EMAIL"
    if not isinstance(receiver, str) or not 0 < len(receiver) <= 127:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", f"{where}.receiver")
    if kind not in RECIPIENTS:
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", f"{where}.recipient_type", str(kind))
    if kind == "EMAIL" and "@" not in receiver:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", f"{where}.receiver", receiver)
    return item, read_amount(item.get("amount"), f"{where}.amount", code="currency")
