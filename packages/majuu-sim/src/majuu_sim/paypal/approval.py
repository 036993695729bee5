"""The page a customer is sent to: approve, approve with an instrument that will fail, or go back."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from majuu_sim.paypal import outcomes
from majuu_sim.paypal.currencies import written
from majuu_sim.paypal.records import Order

if TYPE_CHECKING:
    from majuu_sim.paypal.simulator import PaypalSimulator

STATIC = Path(__file__).parent / "static"
INSTRUMENTS = {
    outcomes.PAY: "PayPal balance",
    outcomes.DECLINED: "A card that will be declined",
    outcomes.PENDING: "A bank account (eCheck: clears days later)",
    outcomes.PENDING_DENIED: "A bank account that bounces days later",
    outcomes.REVIEW: "A card whose payment is reviewed first",
    outcomes.CAPTURE_DECLINED: "A card whose capture is declined",
}
POLICY = "default-src 'none'; style-src 'self'"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def add_routes(app: web.Application, simulator: PaypalSimulator) -> None:
    """Add the page, its style and what its buttons do."""
    desk = ApprovalDesk(simulator)
    app.router.add_get("/checkoutnow", desk.page)
    app.router.add_get("/checkoutnow/approve.css", desk.style)
    app.router.add_post("/checkoutnow/{id}/approve", desk.approve)
    app.router.add_post("/checkoutnow/{id}/cancel", desk.cancel)


def back_to(url: str, order: Order, *, approved: bool) -> str:
    """The shop's address with ``token``, and ``PayerID`` of who approved."""
    parts = urlsplit(url)
    extra = [("token", order.id), *([("PayerID", order.payer.payer_id)] if approved else [])]
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *extra])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


class ApprovalDesk:
    """The handlers."""

    def __init__(self, simulator: PaypalSimulator) -> None:
        """Serve the customers of ``simulator``."""
        self._sim = simulator

    async def style(self, request: web.Request) -> web.Response:
        """The page's style."""
        return web.Response(body=(STATIC / "approve.css").read_bytes(), content_type="text/css", headers=HEADERS)

    async def page(self, request: web.Request) -> web.Response:
        """An order, and what can be done with it."""
        order = self._sim.bank.orders.get(request.query.get("token", ""))
        if order is None:
            return _page("There is no such order", "<p>Go back to the shop and try again.</p>", 404)
        if self._sim.order_desk.is_over(order) or not order.waits:
            return _page("Nothing to approve", f"<p>This order is {escape(order.status.lower())}.</p>")
        return _page("Pay with PayPal", _form(order))

    async def approve(self, request: web.Request) -> web.StreamResponse:
        """Approve with the chosen instrument, and back to the shop."""
        order = self._sim.bank.orders.get(request.match_info["id"])
        if order is None:
            return _page("There is no such order", "<p>Go back to the shop and try again.</p>", 404)
        instrument = str((await request.post()).get("instrument") or outcomes.PAY)
        try:
            self._sim.approve_here(order.id, instrument)
        except ValueError as error:
            return _page("Nothing to approve", f"<p>{escape(str(error))}.</p>", 409)
        return _away(order, order.return_url, approved=True)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Back to the shop without approving."""
        order = self._sim.bank.orders.get(request.match_info["id"])
        if order is None:
            return _page("There is no such order", "<p>Go back to the shop and try again.</p>", 404)
        self._sim.cancel_here(order.id)
        return _away(order, order.cancel_url, approved=False)


def _away(order: Order, url: str, *, approved: bool) -> web.Response:
    if not url:
        return _page("Approved" if approved else "Not approved", "<p>You can close this page.</p>")
    return web.Response(status=303, headers={"Location": back_to(url, order, approved=approved), **HEADERS})


def _form(order: Order) -> str:
    rows = {
        "Shop": order.brand_name or order.account.email,
        "For": str(order.unit.get("description") or order.custom_id or order.id),
        "You": order.payer.email,
    }
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    total = f"{written(order.amount.value, order.amount.currency)} {order.amount.currency}"
    choices = "".join(
        f'<label><input type="radio" name="instrument" value="{name}"{" checked" if name == outcomes.PAY else ""}>'
        f"{escape(text)}</label>"
        for name, text in INSTRUMENTS.items()
    )
    deed = "Pay now" if order.user_action == "PAY_NOW" else "Continue"
    return (
        f'<dl>{listed}<dt>Total</dt><dd class="total">{total}</dd></dl>'
        f'<form method="post" action="/checkoutnow/{order.id}/approve">'
        f"<fieldset><legend>Pay with</legend>{choices}</fieldset>"
        f'<button class="deed" id="approve">{deed}</button></form>'
        f'<form method="post" action="/checkoutnow/{order.id}/cancel">'
        '<button id="cancel">Cancel and go back to the shop</button></form>'
    )


def _page(title: str, body: str, status: int = 200) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/checkoutnow/approve.css"></head><body><main>'
        f'<p class="note">A simulated PayPal. No money moves.</p><h1>{title}</h1>{body}</main></body></html>'
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
